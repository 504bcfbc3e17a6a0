//! Who may see and change which artifacts: whoever may do so with their project, see [`access`](crate::store::access).
//!
//! The project of a version is the one that it was made in. A link into a portfolio of another project is a pointer and
//! opens nothing: who sees the portfolio and not the project of the version sees the portfolio without it. Otherwise
//! whoever may *read* a version could show it to the world by linking it into a project of their own. To link, one must
//! see the version and may change the portfolio; to unlink, and to move aliases within the portfolio, likewise.
//!
//! Bytes are shared between all users, and their names (MD5, XXH128) are no secret: manifests, file listings and
//! checksum files tell them. A name must therefore neither give bytes nor tell that they are there. A server that
//! answered "stored already" to whoever knows a digest would let them commit a version with that digest, and download
//! from it what they never had. So, wherever a caller comes with a digest
//! (`createArtifactFiles`, the entries of a manifest at a commit, `GET /artifacts/…` and `/artifactsV2/…`), only bytes
//! count that a committed version which the caller may see refers to, or that were sent for the very version at hand:
//! [`bytes::of_entity`](crate::store::bytes::of_entity). Everybody else sends the bytes; that they were on the disk
//! already shows nowhere: not in an answer, and not in `Entity.storageBytes`, which counts what the caller may see. (How
//! long an upload takes may differ by one renaming of a file; the body is read and digested all the same.) An upload URL
//! is a capability for one file of one version, and download URLs are only given for what was seen.

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::access::{self, Right};
use crate::store::identity::Identity;
use crate::store::{StoreError, StoreResult};

/// Project of a version, by the row number of the version.
const OF_VERSION: &str = "SELECT c.project_id, c.name FROM artifacts a JOIN artifact_collections c ON c.id = a.sequence_id WHERE a.id = ?1";
/// Project of a collection, by the row number of the collection.
const OF_COLLECTION: &str = "SELECT project_id, name FROM artifact_collections WHERE id = ?1";
/// Project of a manifest's version, by the row number of the manifest.
const OF_MANIFEST: &str =
    "SELECT c.project_id, c.name FROM artifact_manifests f JOIN artifacts a ON a.id = f.artifact_id
     JOIN artifact_collections c ON c.id = a.sequence_id WHERE f.id = ?1";

fn place(db: &Connection, sql: &str, id: i64) -> StoreResult<Option<(i64, String)>> {
    Ok(db
        .prepare_cached(sql)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

fn require(db: &Connection, caller: &Identity, sql: &str, id: i64) -> StoreResult<()> {
    match place(db, sql, id)? {
        Some((project, name)) => access::require_write_by_id(db, caller, project, "artifact", &name),
        // What is not there is the business of whoever looks for it.
        None => Ok(()),
    }
}

fn sees(db: &Connection, caller: &Identity, sql: &str, id: i64) -> StoreResult<bool> {
    match place(db, sql, id)? {
        Some((project, _)) => access::may(db, caller, project, Right::Read),
        None => Ok(false),
    }
}

/// Lets a change of a version pass that the caller may make.
///
/// # Errors
/// *Permission denied*, or *not found* for what the caller may not see.
pub(crate) fn require_version(db: &Connection, caller: &Identity, id: i64) -> StoreResult<()> {
    require(db, caller, OF_VERSION, id)
}

/// [`require_version`] for a collection.
///
/// # Errors
/// As [`require_version`].
pub(crate) fn require_collection(db: &Connection, caller: &Identity, id: i64) -> StoreResult<()> {
    require(db, caller, OF_COLLECTION, id)
}

/// [`require_version`] for a manifest.
///
/// # Errors
/// As [`require_version`].
pub(crate) fn require_manifest(db: &Connection, caller: &Identity, id: i64) -> StoreResult<()> {
    require(db, caller, OF_MANIFEST, id)
}

/// Whether the caller may look at a version.
pub(crate) fn sees_version(db: &Connection, caller: &Identity, id: i64) -> StoreResult<bool> {
    sees(db, caller, OF_VERSION, id)
}

/// Whether the caller may look at a collection.
pub(crate) fn sees_collection(db: &Connection, caller: &Identity, id: i64) -> StoreResult<bool> {
    sees(db, caller, OF_COLLECTION, id)
}

/// Lets the use of a version pass that the caller may look at.
///
/// # Errors
/// *Not found*.
pub(crate) fn require_sight(db: &Connection, caller: &Identity, id: i64) -> StoreResult<()> {
    if sees_version(db, caller, id)? {
        return Ok(());
    }
    Err(StoreError::Refused("artifact not found".to_owned()))
}
