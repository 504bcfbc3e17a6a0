//! Where the bytes of a pending version go (protocol §5.2, §5.5).

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Algorithm, State, access, document, edit, manifests, names};
use crate::store::identity::Identity;
use crate::store::{StoreError, StoreResult, bytes, names as generated, time};

/// Most parts of one file, as object stores have it.
const MAX_PARTS: usize = 10_000;

/// A file that a client announces.
#[derive(Debug)]
pub(crate) struct FileSpec {
    pub(crate) artifact: i64,
    pub(crate) manifest: Option<i64>,
    pub(crate) path: String,
    /// Base64.
    pub(crate) md5: String,
    /// Base64, of the algorithm of the version.
    pub(crate) digest: Option<String>,
    /// Numbers and MD5s in hexadecimal; empty for an upload in one piece.
    pub(crate) parts: Vec<(i64, String)>,
}

/// A file of a pending version.
#[derive(Debug, Clone)]
pub(crate) struct UploadRow {
    pub(crate) id: i64,
    pub(crate) artifact: i64,
    pub(crate) path: String,
    /// Hexadecimal.
    pub(crate) declared_md5: Option<String>,
    /// Hexadecimal.
    pub(crate) declared_xxh128: Option<String>,
    /// Set once the bytes are stored.
    pub(crate) md5: Option<String>,
    /// The version in which these bytes first appeared.
    pub(crate) birth: i64,
    /// The id of an upload in parts.
    pub(crate) multipart: Option<String>,
    pub(crate) parts: Vec<i64>,
}

const COLUMNS: &str =
    "id, artifact_id, path, declared_md5, declared_xxh128, md5, birth_id, multipart FROM artifact_uploads";

fn read(row: &Row<'_>) -> rusqlite::Result<UploadRow> {
    Ok(UploadRow {
        id: row.get(0)?,
        artifact: row.get(1)?,
        path: row.get(2)?,
        declared_md5: row.get(3)?,
        declared_xxh128: row.get(4)?,
        md5: row.get(5)?,
        birth: row.get(6)?,
        multipart: row.get(7)?,
        parts: Vec::new(),
    })
}

/// What a version's files are declared by, and whose it is.
struct Owner {
    algorithm: Algorithm,
    entity: i64,
}

fn owner(db: &Connection, artifact: i64) -> StoreResult<Owner> {
    let found = db
        .prepare_cached(
            "SELECT a.state, a.digest_algorithm, p.entity_id FROM artifacts a
             JOIN artifact_collections c ON c.id = a.sequence_id JOIN projects p ON p.id = c.project_id WHERE a.id = ?1",
        )?
        .query_row([artifact], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match found {
        Some((State::Pending, algorithm, entity)) => Ok(Owner { algorithm, entity }),
        Some(_) => Err(StoreError::Refused(
            "the artifact is not pending: its files cannot change".to_owned(),
        )),
        None => Err(StoreError::Refused("artifact not found".to_owned())),
    }
}

/// The entity that a version belongs to.
pub(super) fn entity_of(db: &Connection, artifact: i64) -> StoreResult<i64> {
    owner(db, artifact).map(|owner| owner.entity)
}

/// Announces files; returns one row for each, in order, and digests of bytes that may have lost their last reference.
///
/// Bytes that the same entity has stored already, in a version that the caller may see, need not come again: the row then
/// points to them from here on, so that they stay. Bytes that the caller may not see must come, as if they were new
/// (see [`access`]).
///
/// # Errors
/// A version is not pending or not the caller's to change, a manifest is not one of the version, or a path or digest is
/// none.
pub(crate) fn declare(
    db: &Connection,
    caller: &Identity,
    specs: &[FileSpec],
) -> StoreResult<(Vec<UploadRow>, Vec<String>)> {
    let now = time::now();
    let mut known: Option<(i64, Owner)> = None;
    let mut of_manifest = None;
    let (mut rows, mut released) = (Vec::with_capacity(specs.len()), Vec::new());
    for spec in specs {
        let owner = match &known {
            Some((artifact, owner)) if *artifact == spec.artifact => owner,
            _ => {
                access::require_version(db, caller, spec.artifact)?;
                &known.insert((spec.artifact, owner(db, spec.artifact)?)).1
            }
        };
        names::path(&spec.path)?;
        if let Some(manifest) = spec.manifest
            && of_manifest != Some((manifest, spec.artifact))
        {
            manifests::require_of(db, manifest, spec.artifact)?;
            of_manifest = Some((manifest, spec.artifact));
        }
        rows.push(declare_one(db, caller, owner, spec, now, &mut released)?);
    }
    Ok((rows, released))
}

fn declare_one(
    db: &Connection,
    caller: &Identity,
    owner: &Owner,
    spec: &FileSpec,
    now: i64,
    released: &mut Vec<String>,
) -> StoreResult<UploadRow> {
    let wrong = |algorithm: &str| {
        let path = &spec.path;
        StoreError::Refused(format!(
            "the digest of {path:?} is not the base64 of an {algorithm}"
        ))
    };
    let (md5, xxh128) = match owner.algorithm {
        Algorithm::Md5 => {
            let digest = spec.digest.as_deref().filter(|digest| !digest.is_empty());
            let md5 = document::hex_of_base64(digest.unwrap_or(&spec.md5));
            (Some(md5.ok_or_else(|| wrong("MD5"))?), None)
        }
        Algorithm::Xxh128 => {
            // A client that knows no other member puts the digest into `md5`.
            let digest = spec.digest.as_deref().filter(|digest| !digest.is_empty());
            let xxh128 = document::hex_of_base64(digest.unwrap_or(&spec.md5));
            (None, Some(xxh128.ok_or_else(|| wrong("XXH128"))?))
        }
    };
    let parts = parts_of(spec)?;
    let before = db
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE artifact_id = ?1 AND path = ?2"))?
        .query_row(params![spec.artifact, spec.path], read)
        .optional()?;
    let digest = md5.as_deref().or(xxh128.as_deref()).unwrap_or_default();
    if let Some(mut row) = before {
        let same = (&row.declared_md5, &row.declared_xxh128) == (&md5, &xxh128);
        if same && (row.md5.is_some() || same_parts(db, row.id, &parts)?) {
            db.prepare_cached("UPDATE artifact_uploads SET updated_at = ?2 WHERE id = ?1")?
                .execute([row.id, now])?;
            row.parts = parts.into_iter().map(|(number, _)| number).collect();
            return Ok(row);
        }
        released.extend(forget(db, &row)?);
    }
    let stored = bytes::of_entity(db, caller, owner.entity, digest)?;
    let (stored, birth) = match stored {
        Some((blob, birth)) => (Some(blob.md5), birth),
        None => (None, spec.artifact),
    };
    let multipart = match (&stored, parts.is_empty()) {
        (None, false) => Some(upload_id()?),
        _ => None,
    };
    db.prepare_cached(
        "INSERT INTO artifact_uploads (artifact_id, manifest_id, path, declared_md5, declared_xxh128, md5, birth_id,
           multipart, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        spec.artifact,
        spec.manifest,
        spec.path,
        md5,
        xxh128,
        stored,
        birth,
        multipart,
        now
    ])?;
    let id = db.last_insert_rowid();
    if multipart.is_some() {
        let mut insert = db.prepare_cached(
            "INSERT INTO artifact_parts (upload_id, number, declared_md5) VALUES (?1, ?2, ?3)",
        )?;
        for (number, md5) in &parts {
            insert.execute(params![id, number, md5])?;
        }
    }
    Ok(UploadRow {
        id,
        artifact: spec.artifact,
        path: spec.path.clone(),
        declared_md5: md5,
        declared_xxh128: xxh128,
        md5: stored,
        birth,
        parts: parts.into_iter().map(|(number, _)| number).collect(),
        multipart,
    })
}

/// The parts in the order that the client wants, checked.
fn parts_of(spec: &FileSpec) -> StoreResult<Vec<(i64, String)>> {
    let refused = |problem: &str| {
        let path = &spec.path;
        Err(StoreError::Refused(format!("the parts of {path:?} {problem}")))
    };
    if spec.parts.len() > MAX_PARTS {
        return refused("are more than 10000");
    }
    let mut before = 0;
    let mut parts = Vec::with_capacity(spec.parts.len());
    for (number, md5) in &spec.parts {
        if *number <= before {
            return refused("must be numbered from 1, in order");
        }
        before = *number;
        let md5 = md5.to_ascii_lowercase();
        if crate::blobs::Md5Digest::from_hex(&md5).is_none() {
            return refused("must have their MD5 in hexadecimal");
        }
        parts.push((*number, md5));
    }
    Ok(parts)
}

fn same_parts(db: &Connection, upload: i64, parts: &[(i64, String)]) -> StoreResult<bool> {
    let known = db
        .prepare_cached(
            "SELECT number, declared_md5 FROM artifact_parts WHERE upload_id = ?1 ORDER BY number",
        )?
        .query_map([upload], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    Ok(known == parts)
}

fn upload_id() -> StoreResult<String> {
    let mut bytes = [0; 16];
    generated::random(&mut bytes).map_err(|source| StoreError::Io {
        doing: "make the id of an upload".to_owned(),
        source,
    })?;
    Ok(generated::hex(&bytes))
}

/// Takes back an announcement; returns the digests that it referred to.
fn forget(db: &Connection, row: &UploadRow) -> StoreResult<Vec<String>> {
    let mut digests = db
        .prepare_cached("SELECT md5 FROM artifact_parts WHERE upload_id = ?1 AND md5 IS NOT NULL")?
        .query_map([row.id], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    digests.extend(row.md5.clone());
    db.prepare_cached("DELETE FROM artifact_uploads WHERE id = ?1")?
        .execute([row.id])?;
    Ok(digests)
}

/// The upload with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<UploadRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// The MD5, in hexadecimal, that a part was announced with.
pub(crate) fn part(db: &Connection, upload: i64, number: i64) -> StoreResult<Option<String>> {
    Ok(db
        .prepare_cached("SELECT declared_md5 FROM artifact_parts WHERE upload_id = ?1 AND number = ?2")?
        .query_row([upload, number], |row| row.get(0))
        .optional()?)
}

/// Points a file at the bytes that arrived, which were checked against what was declared. `None` when nothing waits for
/// them any more; otherwise the digests of parts that are not needed now.
pub(crate) fn uploaded(
    db: &Connection,
    row: &UploadRow,
    md5: &str,
    size: i64,
) -> StoreResult<Option<Vec<String>>> {
    let parts = db
        .prepare_cached("SELECT md5 FROM artifact_parts WHERE upload_id = ?1 AND md5 IS NOT NULL")?
        .query_map([row.id], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let changed = db
        .prepare_cached(
            "UPDATE artifact_uploads SET md5 = ?2, updated_at = ?3
             WHERE id = ?1 AND declared_md5 IS ?4 AND declared_xxh128 IS ?5",
        )?
        .execute(params![
            row.id,
            md5,
            time::now(),
            row.declared_md5,
            row.declared_xxh128
        ])?;
    if changed == 0 {
        return Ok(None);
    }
    db.prepare_cached("DELETE FROM artifact_parts WHERE upload_id = ?1")?
        .execute([row.id])?;
    bytes::record(db, md5, row.declared_xxh128.as_deref(), size)?;
    Ok(Some(parts))
}

/// Points a part at the bytes that arrived. False when nothing waits for them any more.
pub(crate) fn part_uploaded(
    db: &Connection,
    upload: i64,
    number: i64,
    md5: &str,
    size: i64,
) -> StoreResult<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE artifact_parts SET md5 = ?3, size = ?4 WHERE upload_id = ?1 AND number = ?2 AND declared_md5 = ?3",
        )?
        .execute(params![upload, number, md5, size])?;
    db.prepare_cached("UPDATE artifact_uploads SET updated_at = ?2 WHERE id = ?1")?
        .execute([upload, time::now()])?;
    Ok(changed > 0)
}

/// An upload in parts that is to be completed.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) upload: UploadRow,
    /// The MD5 of the parts, in order; empty when the whole is stored already.
    pub(crate) parts: Vec<String>,
    /// The size of the whole.
    pub(crate) size: u64,
}

/// Checks what a client says about the parts of an upload that it completes.
///
/// # Errors
/// There is no such upload, a part is missing, or is not the one that the client saw stored.
pub(crate) fn assembly(
    db: &Connection,
    artifact: i64,
    upload_id: &str,
    upload: Option<i64>,
    completed: &[(i64, String)],
) -> StoreResult<Assembly> {
    let missing = || StoreError::Refused(format!("upload {upload_id:?} not found"));
    let row = upload
        .map(|id| by_id(db, id))
        .transpose()?
        .flatten()
        .filter(|row| row.multipart.as_deref() == Some(upload_id))
        .filter(|row| row.artifact == artifact || row.birth == artifact)
        .ok_or_else(missing)?;
    if row.md5.is_some() {
        // The request may be a retry.
        return Ok(Assembly {
            upload: row,
            parts: Vec::new(),
            size: 0,
        });
    }
    edit::state(db, row.artifact)?;
    let stored = db
        .prepare_cached("SELECT number, md5, size FROM artifact_parts WHERE upload_id = ?1 ORDER BY number")?
        .query_map([row.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<Vec<(i64, Option<String>, i64)>>>()?;
    if stored.len() != completed.len() {
        return Err(StoreError::Refused(format!(
            "the upload has {} parts, not {}",
            stored.len(),
            completed.len()
        )));
    }
    let (mut parts, mut size) = (Vec::with_capacity(stored.len()), 0);
    for ((number, md5, bytes), (claimed, tag)) in stored.into_iter().zip(completed) {
        let md5 = md5.ok_or_else(|| StoreError::Refused(format!("part {number} has not arrived")))?;
        // The client gives back the ETag as it is, quotes included.
        if number != *claimed || tag.trim_matches('"') != md5 {
            return Err(StoreError::Refused(format!(
                "part {claimed} is not the one that was stored as part {number}"
            )));
        }
        parts.push(md5);
        size += bytes.unsigned_abs();
    }
    Ok(Assembly {
        upload: row,
        parts,
        size,
    })
}
