//! The manifests of a version (protocol §5.2).
//!
//! A version that one process uploads has one manifest: `createArtifactManifest` comes twice for it, first as a
//! placeholder without a digest, then to be uploaded, and the second call changes the first one's row. A version that
//! several processes fill has one `PATCH` each.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{ManifestKind, State, document, edit};
use crate::store::{StoreError, StoreResult, time};

/// A manifest.
#[derive(Debug, Clone)]
pub(crate) struct ManifestRow {
    pub(crate) id: i64,
    pub(crate) artifact: i64,
    pub(crate) kind: ManifestKind,
    pub(crate) name: String,
    /// Base64 of the MD5 of its JSON; empty while it is a placeholder.
    pub(crate) digest: String,
    pub(crate) base: Option<i64>,
    /// Set once the bytes are stored.
    pub(crate) md5: Option<String>,
    pub(crate) size: i64,
    pub(crate) created_at: i64,
    pub(crate) uploaded_at: Option<i64>,
}

const COLUMNS: &str = "id, artifact_id, kind, name, digest, base_id, md5, size, created_at, uploaded_at FROM artifact_manifests";

fn read(row: &Row<'_>) -> rusqlite::Result<ManifestRow> {
    Ok(ManifestRow {
        id: row.get(0)?,
        artifact: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        digest: row.get(4)?,
        base: row.get(5)?,
        md5: row.get(6)?,
        size: row.get(7)?,
        created_at: row.get(8)?,
        uploaded_at: row.get(9)?,
    })
}

/// The input of `createArtifactManifest`.
#[derive(Debug)]
pub(crate) struct NewManifest {
    pub(crate) artifact: i64,
    pub(crate) base: Option<i64>,
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) kind: ManifestKind,
}

fn pending(db: &Connection, artifact: i64) -> StoreResult<()> {
    match edit::state(db, artifact)? {
        State::Pending => Ok(()),
        State::Committed => Err(StoreError::Refused(
            "the artifact is committed: its files cannot change".to_owned(),
        )),
        State::Deleted => Err(StoreError::Refused("the artifact was deleted".to_owned())),
    }
}

/// A digest of a manifest is empty or the base64 of an MD5.
fn check_digest(digest: &str) -> StoreResult<()> {
    if digest.is_empty() || document::hex_of_base64(digest).is_some() {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "digest {digest:?} of a manifest is not the base64 of an MD5"
    )))
}

/// Creates or replaces a manifest. Returns its row number and the digest of bytes that it had before.
///
/// # Errors
/// The version is not pending, or the base is no version of the same collection.
pub(crate) fn create(db: &Connection, new: &NewManifest) -> StoreResult<(i64, Vec<String>)> {
    pending(db, new.artifact)?;
    check_digest(&new.digest)?;
    // A full manifest builds on nothing; clients name the newest version all the same.
    let base = new.base.filter(|_| new.kind != ManifestKind::Full);
    if let Some(base) = base {
        check_base(db, new.artifact, base)?;
    }
    // Of patches there is one for each process, and nothing tells the second call of one from the first of another.
    let existing: Option<i64> = if new.kind == ManifestKind::Patch {
        None
    } else {
        db.prepare_cached("SELECT id FROM artifact_manifests WHERE artifact_id = ?1 AND kind = ?2")?
            .query_row(params![new.artifact, new.kind], |row| row.get(0))
            .optional()?
    };
    if let Some(id) = existing {
        let released = change(db, id, Some(&new.digest), base)?;
        return Ok((id, released));
    }
    db.prepare_cached(
        "INSERT INTO artifact_manifests (artifact_id, kind, name, digest, base_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        new.artifact,
        new.kind,
        new.name,
        new.digest,
        base,
        time::now()
    ])?;
    Ok((db.last_insert_rowid(), Vec::new()))
}

fn check_base(db: &Connection, artifact: i64, base: i64) -> StoreResult<()> {
    let known: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM artifacts a JOIN artifacts b ON b.sequence_id = a.sequence_id
             WHERE a.id = ?1 AND b.id = ?2 AND b.state = 'COMMITTED')",
        )?
        .query_row([artifact, base], |row| row.get(0))?;
    if known {
        return Ok(());
    }
    Err(StoreError::Refused(
        "the base of a manifest must be a committed version of the same artifact".to_owned(),
    ))
}

/// Changes the digest, which takes the bytes away when it is another one, and the base, if one is given.
fn change(db: &Connection, id: i64, digest: Option<&str>, base: Option<i64>) -> StoreResult<Vec<String>> {
    let before = by_id(db, id)?.ok_or_else(missing)?;
    let mut released = Vec::new();
    if let Some(digest) = digest.filter(|digest| **digest != before.digest) {
        released.extend(before.md5);
        db.prepare_cached(
            "UPDATE artifact_manifests SET digest = ?2, md5 = NULL, size = 0, uploaded_at = NULL WHERE id = ?1",
        )?
        .execute(params![id, digest])?;
    }
    if let Some(base) = base {
        db.prepare_cached("UPDATE artifact_manifests SET base_id = ?2 WHERE id = ?1")?
            .execute([id, base])?;
    }
    Ok(released)
}

fn missing() -> StoreError {
    StoreError::Refused("artifact manifest not found".to_owned())
}

/// `updateArtifactManifest`: what is `None` stays. Returns the digest of bytes that it had before.
///
/// # Errors
/// There is no such manifest, or its version is not pending.
pub(crate) fn update(
    db: &Connection,
    id: i64,
    digest: Option<&str>,
    base: Option<i64>,
) -> StoreResult<Vec<String>> {
    let row = by_id(db, id)?.ok_or_else(missing)?;
    pending(db, row.artifact)?;
    check_digest(digest.unwrap_or_default())?;
    if let Some(base) = base {
        check_base(db, row.artifact, base)?;
    }
    change(db, id, digest, base)
}

/// The manifest with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<ManifestRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// Makes sure that a manifest is one of a version. Files that were announced for a manifest keep its version from being
/// committed until it has arrived; one must not be able to do that to others' versions.
///
/// # Errors
/// It is not.
pub(super) fn require_of(db: &Connection, id: i64, artifact: i64) -> StoreResult<()> {
    match by_id(db, id)? {
        Some(row) if row.artifact == artifact => Ok(()),
        _ => Err(missing()),
    }
}

/// The manifest from which a committed version is read.
pub(crate) fn current(db: &Connection, artifact: i64) -> StoreResult<Option<ManifestRow>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE artifact_id = ?1 AND current = 1"
        ))?
        .query_row([artifact], read)
        .optional()?)
}

/// All manifests of a version, oldest first.
pub(super) fn of_artifact(db: &Connection, artifact: i64) -> StoreResult<Vec<ManifestRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE artifact_id = ?1 ORDER BY id"))?
        .query_map([artifact], read)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Points a manifest at the bytes that arrived. False when it does not wait for them any more.
pub(crate) fn uploaded(db: &Connection, id: i64, md5: &str, size: i64) -> StoreResult<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE artifact_manifests SET md5 = ?2, size = ?3, uploaded_at = ?4 WHERE id = ?1
               AND artifact_id IN (SELECT id FROM artifacts WHERE state = 'PENDING')",
        )?
        .execute(params![id, md5, size, time::now()])?;
    Ok(changed > 0)
}
