//! Which bytes are referred to. They are named by their MD5 in lower-case hexadecimal.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::identity::Identity;
use super::{StoreResult, access};

/// Bytes that artifacts may refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobRow {
    pub(crate) md5: String,
    pub(crate) size: i64,
}

/// Notes bytes that were stored. `xxh128` is their other name, where it was checked.
pub(crate) fn record(db: &Connection, md5: &str, xxh128: Option<&str>, size: i64) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT INTO blobs (md5, xxh128, size) VALUES (?1, ?2, ?3)
         ON CONFLICT (md5) DO UPDATE SET xxh128 = COALESCE(xxh128, excluded.xxh128), size = excluded.size",
    )?
    .execute(params![md5, xxh128, size])?;
    Ok(())
}

/// Those of `digests` that nothing refers to any more: no run file, no file or manifest of a version, no upload on its
/// way to one.
pub(crate) fn unreferenced(db: &Connection, digests: Vec<String>) -> StoreResult<Vec<String>> {
    let mut used = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM run_files WHERE md5 = ?1)
             OR EXISTS (SELECT 1 FROM artifact_entries WHERE md5 = ?1)
             OR EXISTS (SELECT 1 FROM artifact_manifests WHERE md5 = ?1)
             OR EXISTS (SELECT 1 FROM artifact_uploads WHERE md5 = ?1)
             OR EXISTS (SELECT 1 FROM artifact_parts WHERE md5 = ?1)",
    )?;
    let mut free = Vec::new();
    for digest in digests {
        if !used.query_row([&digest], |row| row.get::<_, bool>(0))? {
            free.push(digest);
        }
    }
    Ok(free)
}

/// Forgets bytes that are about to be deleted.
pub(crate) fn forget(db: &Connection, md5: &str) -> StoreResult<()> {
    db.prepare_cached("DELETE FROM blobs WHERE md5 = ?1")?
        .execute([md5])?;
    Ok(())
}

/// The bytes that committed versions of an entity, or linked by one, refer to, by either of their digests in hexadecimal,
/// and the version in which they first appeared. Only versions that the caller may see count: the names of bytes are no
/// secret, and who knows one must not get at the bytes of others
/// (see [`artifacts::access`](super::artifacts::access)).
pub(crate) fn of_entity(
    db: &Connection,
    caller: &Identity,
    entity: i64,
    digest: &str,
) -> StoreResult<Option<(BlobRow, i64)>> {
    // Several contents may have one XXH128, by malice: one that the caller may not see must not hide one that they may.
    // Hence the digest is looked for among what is seen, not the other way about.
    for digest_is in ["b.md5 = ?3", "b.xxh128 = ?3"] {
        let found = db
            .prepare_cached(&format!(
                "SELECT b.md5, b.size, COALESCE(e.birth_id, e.artifact_id) FROM blobs b
                 JOIN artifact_entries e ON e.md5 = b.md5
                 JOIN artifacts a ON a.id = e.artifact_id JOIN artifact_collections c ON c.id = a.sequence_id
                 JOIN projects p ON p.id = c.project_id
                 WHERE {digest_is} AND {} AND EXISTS (
                   SELECT 1 FROM artifact_memberships x JOIN artifact_collections y ON y.id = x.collection_id
                   JOIN projects z ON z.id = y.project_id WHERE x.artifact_id = a.id AND z.entity_id = ?4)
                 ORDER BY e.artifact_id LIMIT 1",
                access::READABLE
            ))?
            .query_row(params![caller.user, caller.admin, digest, entity], |row| {
                let blob = BlobRow {
                    md5: row.get(0)?,
                    size: row.get(1)?,
                };
                Ok((blob, row.get(2)?))
            })
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
