//! Turning what was uploaded into a version (protocol §5.3).
//!
//! Three steps: [`prepare`] says which manifests count, the caller reads them from the disk, and [`apply`] does the rest
//! in one transaction. What is read in between cannot change: manifests are named by their digest, and a second commit
//! of the same version finds it done.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::document::{self, Document, Entry};
use super::manifests::{self, ManifestRow};
use super::{Algorithm, LATEST, ManifestKind, State, edit, names, uploads};
use crate::blobs::{BlobStore, Md5Digest};
use crate::store::bytes::{self, BlobRow};
use crate::store::identity::Identity;
use crate::store::ids::Kind;
use crate::store::{StoreError, StoreResult, names as generated, time};

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing: the version is committed.
    Done,
    /// These manifests are to be read and laid over the base, in order.
    Merge {
        base: Option<i64>,
        manifests: Vec<ManifestRow>,
    },
}

fn refused<T>(text: impl Into<String>) -> StoreResult<T> {
    Err(StoreError::Refused(text.into()))
}

/// Which manifests make up the version.
///
/// # Errors
/// There is no such version, it was deleted, or a manifest of it has not been uploaded.
pub(crate) fn prepare(db: &Connection, artifact: i64) -> StoreResult<Plan> {
    match edit::state(db, artifact)? {
        State::Committed => return Ok(Plan::Done),
        State::Deleted => return refused("the artifact was deleted"),
        State::Pending => {}
    }
    let mut all = manifests::of_artifact(db, artifact)?;
    let kind = if all.iter().any(|row| row.kind == ManifestKind::Patch) {
        ManifestKind::Patch
    } else if all.iter().any(|row| row.kind == ManifestKind::Incremental) {
        ManifestKind::Incremental
    } else {
        ManifestKind::Full
    };
    all.retain(|row| row.kind == kind);
    let mut chosen = Vec::with_capacity(all.len());
    for row in all {
        if row.md5.is_some() {
            chosen.push(row);
        } else if kind == ManifestKind::Patch && announced(db, row.id)? {
            // A process that has announced files and not said yet what became of them is still at work. (A manifest
            // without files may be the trace of a request that came twice.)
            return refused("a process that adds to the artifact has not uploaded its manifest");
        }
    }
    if chosen.is_empty() {
        return refused("no manifest of the artifact has been uploaded");
    }
    let base = match kind {
        ManifestKind::Full => None,
        // The base of the last one to say: all of them were begun on the newest version of their time.
        _ => chosen.iter().filter_map(|row| row.base).max(),
    };
    if let Some(base) = base
        && edit::state(db, base)? != State::Committed
    {
        return refused("the version that the artifact builds on was deleted");
    }
    Ok(Plan::Merge {
        base,
        manifests: chosen,
    })
}

fn announced(db: &Connection, manifest: i64) -> StoreResult<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM artifact_uploads WHERE manifest_id = ?1)")?
        .query_row([manifest], |row| row.get(0))?)
}

/// The version's own properties that a commit needs.
struct Target {
    artifact: i64,
    sequence: i64,
    algorithm: Algorithm,
    entity: i64,
}

/// Commits the version, from the documents of the manifests in the plan. Returns the digests whose bytes may have lost
/// their last reference.
///
/// # Errors
/// Bytes are missing or have another size than the manifest says, or a path is none.
pub(crate) fn apply(
    db: &Connection,
    blobs: &BlobStore,
    caller: &Identity,
    artifact: i64,
    base: Option<i64>,
    manifests: &[ManifestRow],
    documents: Vec<Document>,
) -> StoreResult<Vec<String>> {
    if edit::state(db, artifact)? == State::Committed {
        return Ok(Vec::new());
    }
    let target = target(db, artifact)?;
    let merged = base.is_some() || manifests.iter().any(|row| row.kind != ManifestKind::Full);
    let mut whole = Document::default();
    if let Some(base) = base {
        if edit::state(db, base)? != State::Committed {
            return refused("the version that the artifact builds on was deleted");
        }
        whole.entries = entries_of(db, base)?;
    }
    for document in documents {
        whole.policy_config = document.policy_config.or(whole.policy_config);
        whole.entries.extend(document.entries);
    }
    check_paths(&whole.entries)?;
    let released = edit::digests(db, artifact)?;
    let totals = insert_entries(db, blobs, caller, &target, &whole.entries)?;
    let digest = document::digest(target.algorithm, &whole.entries);
    let now = time::now();
    let current = match (merged, manifests) {
        (false, [full]) => full.id,
        _ => write_full(db, blobs, artifact, base, &mut whole)?,
    };
    db.prepare_cached("UPDATE artifact_manifests SET current = (id = ?2) WHERE artifact_id = ?1")?
        .execute([artifact, current])?;
    db.prepare_cached("DELETE FROM artifact_uploads WHERE artifact_id = ?1")?
        .execute([artifact])?;
    finish(db, &target, &digest, &totals, now)?;
    Ok(released)
}

fn target(db: &Connection, artifact: i64) -> StoreResult<Target> {
    let entity = uploads::entity_of(db, artifact)?;
    Ok(db
        .prepare_cached("SELECT sequence_id, digest_algorithm FROM artifacts WHERE id = ?1")?
        .query_row([artifact], |row| {
            Ok(Target {
                artifact,
                sequence: row.get(0)?,
                algorithm: row.get(1)?,
                entity,
            })
        })?)
}

/// No path may be that of a folder that another one lies in.
fn check_paths(entries: &BTreeMap<String, Entry>) -> StoreResult<()> {
    for path in entries.keys() {
        names::path(path)?;
        for (at, _) in path.match_indices('/') {
            if entries.contains_key(&path[..at]) {
                return refused(format!("{:?} is a file, and the folder of {path:?}", &path[..at]));
            }
        }
    }
    Ok(())
}

/// The entries of a committed version, as a manifest has them.
fn entries_of(db: &Connection, artifact: i64) -> StoreResult<BTreeMap<String, Entry>> {
    let mut statement = db.prepare_cached(
        "SELECT path, digest, size, reference, birth_id, extra, skip_cache FROM artifact_entries
         WHERE artifact_id = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([artifact])?;
    let mut entries = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let birth: Option<i64> = row.get(4)?;
        let extra: Option<String> = row.get(5)?;
        let entry = Entry {
            digest: row.get(1)?,
            size: row.get(2)?,
            reference: row.get(3)?,
            birth: birth.map(|birth| Kind::Artifact.encode(birth)),
            extra: extra.and_then(|text| serde_json::value::RawValue::from_string(text).ok()),
            skip_cache: row.get(6)?,
        };
        entries.insert(row.get(0)?, entry);
    }
    Ok(entries)
}

#[derive(Debug, Default)]
struct Totals {
    size: i64,
    storage: i64,
    files: i64,
}

/// Writes the entries, each file with the bytes that it refers to.
fn insert_entries(
    db: &Connection,
    blobs: &BlobStore,
    caller: &Identity,
    target: &Target,
    entries: &BTreeMap<String, Entry>,
) -> StoreResult<Totals> {
    let uploaded = uploaded(db, target.artifact)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO artifact_entries (artifact_id, position, path, digest, size, md5, reference, birth_id, extra, skip_cache)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut totals = Totals::default();
    for (position, (path, entry)) in entries.iter().enumerate() {
        let stored = match entry.reference {
            Some(_) => None,
            None => Some(resolve(db, blobs, caller, target, &uploaded, path, entry)?),
        };
        let size = stored.as_ref().map(|(blob, _)| blob.size).or(entry.size);
        let birth = stored.as_ref().map(|(_, birth)| *birth);
        let birth = entry
            .birth
            .as_deref()
            .and_then(|id| Kind::Artifact.decode(id))
            .or(birth);
        totals.files += 1;
        totals.size = totals.size.saturating_add(size.unwrap_or(0).max(0));
        totals.storage += stored.as_ref().map_or(0, |(blob, _)| blob.size);
        insert.execute(params![
            target.artifact,
            position as i64,
            path,
            entry.digest,
            size,
            stored.map(|(blob, _)| blob.md5),
            entry.reference,
            birth,
            entry.extra.as_ref().map(|extra| extra.get()),
            entry.skip_cache
        ])?;
    }
    Ok(totals)
}

/// The bytes that were announced for the version, by their digests, with the version that they first appeared in.
fn uploaded(db: &Connection, artifact: i64) -> StoreResult<HashMap<String, (BlobRow, i64)>> {
    let mut statement = db.prepare_cached(
        "SELECT u.declared_md5, u.declared_xxh128, b.md5, b.size, u.birth_id FROM artifact_uploads u
         JOIN blobs b ON b.md5 = u.md5 WHERE u.artifact_id = ?1",
    )?;
    let mut rows = statement.query([artifact])?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next()? {
        let blob = BlobRow {
            md5: row.get(2)?,
            size: row.get(3)?,
        };
        let birth = row.get(4)?;
        for digest in [row.get::<_, Option<String>>(0)?, row.get(1)?]
            .into_iter()
            .flatten()
        {
            found.insert(digest, (blob.clone(), birth));
        }
    }
    Ok(found)
}

/// The stored bytes of a file, looked at on the disk.
fn resolve(
    db: &Connection,
    blobs: &BlobStore,
    caller: &Identity,
    target: &Target,
    uploaded: &HashMap<String, (BlobRow, i64)>,
    path: &str,
    entry: &Entry,
) -> StoreResult<(BlobRow, i64)> {
    let digest = document::hex_of_base64(&entry.digest).ok_or_else(|| {
        let algorithm = if entry.is_xxh128() || target.algorithm == Algorithm::Xxh128 {
            "XXH128"
        } else {
            "MD5"
        };
        StoreError::Refused(format!(
            "the digest {:?} of {path:?} is not the base64 of an {algorithm}",
            entry.digest
        ))
    })?;
    let found = match uploaded.get(&digest) {
        Some(found) => Some(found.clone()),
        None => bytes::of_entity(db, caller, target.entity, &digest)?,
    };
    let missing = || StoreError::Refused(format!("the bytes of {path:?} have not been uploaded"));
    let (blob, birth) = found.ok_or_else(missing)?;
    if let Some(size) = entry.size.filter(|size| *size != blob.size) {
        return refused(format!(
            "{path:?} has {} bytes, and {size} in the manifest",
            blob.size
        ));
    }
    let md5 = Md5Digest::from_hex(&blob.md5).ok_or_else(missing)?;
    if !blobs.holds(md5, blob.size.unsigned_abs()) {
        return refused(format!("the stored bytes of {path:?} are missing or damaged"));
    }
    Ok((blob, birth))
}

/// Stores a manifest of the whole version, which readers expect.
fn write_full(
    db: &Connection,
    blobs: &BlobStore,
    artifact: i64,
    base: Option<i64>,
    whole: &mut Document,
) -> StoreResult<i64> {
    // An entry says where it was born, whichever manifest it came from.
    let mut births =
        db.prepare_cached("SELECT path, birth_id FROM artifact_entries WHERE artifact_id = ?1")?;
    let mut rows = births.query([artifact])?;
    while let Some(row) = rows.next()? {
        let path = row.get_ref(0)?.as_str().unwrap_or_default();
        if let (Some(entry), Some(birth)) = (whole.entries.get_mut(path), row.get::<_, Option<i64>>(1)?) {
            entry.birth = Some(Kind::Artifact.encode(birth));
        }
    }
    let unwritable = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Io {
        doing: "store the manifest of an artifact".to_owned(),
        source: std::io::Error::other(source),
    };
    let text = document::write(whole).map_err(|source| unwritable(source.into()))?;
    let stored = blobs
        .put_bytes(text.into())
        .map_err(|source| unwritable(source.into()))?;
    let md5 = stored.digest.to_string();
    let now = time::now();
    db.prepare_cached(
        "INSERT INTO artifact_manifests (artifact_id, kind, name, digest, base_id, md5, size, created_at, uploaded_at)
         VALUES (?1, ?2, 'wandb_manifest.json', ?3, ?4, ?5, ?6, ?7, ?7)",
    )?
    .execute(params![
        artifact,
        ManifestKind::Full,
        stored.digest.to_base64(),
        base,
        md5,
        stored.size as i64,
        now
    ])?;
    Ok(db.last_insert_rowid())
}

/// Gives the version its index, and the aliases that it was announced with.
fn finish(db: &Connection, target: &Target, digest: &str, totals: &Totals, now: i64) -> StoreResult<()> {
    let index: i64 = db
        .prepare_cached(
            "UPDATE artifact_collections SET next_index = next_index + 1, updated_at = ?2
             WHERE id = ?1 AND deleted_at IS NULL RETURNING next_index - 1",
        )?
        .query_row([target.sequence, now], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Refused("the artifact collection was deleted".to_owned()))?;
    let mut commit = [0; 10];
    generated::random(&mut commit).map_err(|source| StoreError::Io {
        doing: "make a commit hash".to_owned(),
        source,
    })?;
    db.prepare_cached(
        "UPDATE artifacts SET state = ?2, version_index = ?3, digest = ?4, size = ?5, storage_bytes = ?6, file_count = ?7,
           commit_hash = ?8, updated_at = ?9 WHERE id = ?1",
    )?
    .execute(params![
        target.artifact,
        State::Committed,
        index,
        digest,
        totals.size,
        totals.storage,
        totals.files,
        generated::hex(&commit),
        now
    ])?;
    db.prepare_cached(
        "INSERT INTO artifact_memberships (collection_id, artifact_id, version_index, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute([target.sequence, target.artifact, index, now])?;
    let membership = db.last_insert_rowid();
    let wishes = db
        .prepare_cached("SELECT alias FROM artifact_wishes WHERE artifact_id = ?1")?
        .query_map([target.artifact], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    for alias in wishes.iter().map(String::as_str).chain([LATEST]) {
        edit::point_alias(db, target.sequence, membership, alias, now)?;
    }
    db.prepare_cached("DELETE FROM artifact_wishes WHERE artifact_id = ?1")?
        .execute([target.artifact])?;
    Ok(())
}
