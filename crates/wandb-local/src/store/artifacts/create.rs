//! Beginning a version (protocol §5.2, §5.3).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Algorithm, State, edit, names};
use crate::lenient;
use crate::store::identity::Identity;
use crate::store::projects;
use crate::store::{StoreError, StoreResult, access, time};

/// Time to live: as the collection says.
const TTL_INHERITED: i64 = -1;
/// Time to live: none, whatever the collection says.
pub(crate) const TTL_DISABLED: i64 = -2;

/// The input of `createArtifact`.
#[derive(Debug, Default)]
pub(crate) struct NewArtifact {
    pub(crate) entity: String,
    pub(crate) project: String,
    pub(crate) run: Option<String>,
    pub(crate) kind: String,
    pub(crate) collection: String,
    pub(crate) digest: String,
    pub(crate) xxh128: bool,
    pub(crate) description: Option<String>,
    pub(crate) labels: Option<String>,
    pub(crate) metadata: Option<String>,
    /// For this collection.
    pub(crate) aliases: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) sequence_client_id: Option<String>,
    pub(crate) distributed_id: Option<String>,
    pub(crate) history_step: Option<i64>,
    pub(crate) ttl_seconds: Option<i64>,
    /// Content that the sequence has already makes no new version.
    pub(crate) deduplicate: bool,
}

/// What a time to live is stored as.
///
/// # Errors
/// Zero, or a negative number without a meaning.
pub(super) fn ttl(seconds: Option<i64>) -> StoreResult<Option<i64>> {
    match seconds {
        None | Some(TTL_INHERITED) => Ok(None),
        Some(TTL_DISABLED) => Ok(Some(TTL_DISABLED)),
        Some(seconds) if seconds > 0 => Ok(Some(seconds)),
        Some(seconds) => Err(StoreError::Refused(format!(
            "a time to live of {seconds} seconds: it must be positive, -1 (inherited) or -2 (none)"
        ))),
    }
}

/// Metadata and labels are JSON, as the SDK writes it.
pub(super) fn json(what: &str, text: Option<&str>) -> StoreResult<()> {
    match text {
        None => Ok(()),
        Some(text) => lenient::strict(text).map(|_| ()).map_err(|failure| {
            StoreError::Refused(format!("the {what} of an artifact is not JSON: {failure}"))
        }),
    }
}

/// Finds or begins the version that the input describes, and returns its row number.
///
/// The same client id gives the same version, because the request may arrive twice. The same distributed id gives the
/// version that other processes are filling. The same content as a committed version of the sequence gives that version,
/// which then also counts as an output of the run, and gets the aliases.
///
/// # Errors
/// The names are none, the collection has another type or is a portfolio, or the run does not exist.
pub(crate) fn create(db: &Connection, identity: &Identity, new: &NewArtifact) -> StoreResult<i64> {
    let now = time::now();
    names::collection(&new.collection)?;
    names::kind(&new.kind)?;
    for alias in &new.aliases {
        names::alias(alias)?;
    }
    for tag in &new.tags {
        names::tag(tag)?;
    }
    json("metadata", new.metadata.as_deref())?;
    json("labels", new.labels.as_deref())?;
    let ttl = ttl(new.ttl_seconds)?;
    let (project, _) = projects::ensure(db, identity, Some(&new.entity), Some(&new.project))?;
    access::require_write(db, identity, project.id, &format!("project {}", project.name))?;
    let run = match new.run.as_deref().filter(|run| !run.is_empty()) {
        None => None,
        Some(name) => Some(run(db, project.id, name)?),
    };
    if let Some(known) = by_client_id(db, new.client_id.as_deref())? {
        super::access::require_version(db, identity, known)?;
        return Ok(known);
    }
    let kind = ensure_type(db, project.id, &new.kind, None, now)?;
    let sequence = ensure_sequence(db, project.id, kind, new, now)?;
    if let Some(pending) = distributed(db, sequence, new.distributed_id.as_deref())? {
        remember(db, new.client_id.as_deref(), pending)?;
        return Ok(pending);
    }
    if new.deduplicate
        && let Some(same) = same_content(db, sequence, new)?
    {
        remember(db, new.client_id.as_deref(), same)?;
        let membership = edit::membership(db, same, sequence)?;
        for alias in new.aliases.iter().map(String::as_str).chain([super::LATEST]) {
            edit::point_alias(db, sequence, membership, alias, now)?;
        }
        output(db, run, same, now)?;
        return Ok(same);
    }
    db.prepare_cached(
        "INSERT INTO artifacts (sequence_id, state, digest, digest_algorithm, description, labels, metadata,
           history_step, ttl_seconds, distributed_id, user_id, run_id, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)",
    )?
    .execute(params![
        sequence,
        State::Pending,
        new.digest,
        algorithm(new),
        new.description,
        new.labels,
        new.metadata,
        new.history_step,
        ttl,
        new.distributed_id,
        identity.user,
        run,
        now
    ])?;
    let artifact = db.last_insert_rowid();
    remember(db, new.client_id.as_deref(), artifact)?;
    output(db, run, artifact, now)?;
    edit::add_tags(db, artifact, &new.tags)?;
    let mut wish =
        db.prepare_cached("INSERT OR IGNORE INTO artifact_wishes (artifact_id, alias) VALUES (?1, ?2)")?;
    for alias in &new.aliases {
        wish.execute(params![artifact, alias])?;
    }
    Ok(artifact)
}

fn algorithm(new: &NewArtifact) -> Algorithm {
    if new.xxh128 {
        Algorithm::Xxh128
    } else {
        Algorithm::Md5
    }
}

fn run(db: &Connection, project: i64, name: &str) -> StoreResult<i64> {
    db.prepare_cached("SELECT id FROM runs WHERE project_id = ?1 AND name = ?2")?
        .query_row(params![project, name], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Refused(format!("run {name} not found")))
}

/// The type of this name, created when it is missing.
pub(crate) fn ensure_type(
    db: &Connection,
    project: i64,
    name: &str,
    description: Option<&str>,
    now: i64,
) -> StoreResult<i64> {
    names::kind(name)?;
    db.prepare_cached(
        "INSERT INTO artifact_types (project_id, name, description, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (project_id, name) DO UPDATE SET description = COALESCE(excluded.description, description)
         RETURNING id",
    )?
    .query_row(params![project, name, description, now], |row| row.get(0))
    .map_err(Into::into)
}

fn ensure_sequence(
    db: &Connection,
    project: i64,
    kind: i64,
    new: &NewArtifact,
    now: i64,
) -> StoreResult<i64> {
    let name = &new.collection;
    let found = db
        .prepare_cached(
            "SELECT c.id, c.portfolio, c.type_id, t.name FROM artifact_collections c JOIN artifact_types t ON t.id = c.type_id
             WHERE c.project_id = ?1 AND c.name = ?2 AND c.deleted_at IS NULL",
        )?
        .query_row(params![project, name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
        })
        .optional()?;
    match found {
        Some((_, true, ..)) => Err(StoreError::Refused(format!(
            "artifact collection {name:?} is a portfolio: versions are linked to it, not logged"
        ))),
        Some((_, false, other, has)) if other != kind => Err(StoreError::Refused(format!(
            "artifact collection {name:?} has type {has:?}, not {:?}",
            new.kind
        ))),
        Some((sequence, ..)) => Ok(sequence),
        None => {
            db.prepare_cached(
                "INSERT INTO artifact_collections (project_id, type_id, portfolio, name, digest_algorithm, client_id,
                   created_at, updated_at) VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?6)",
            )?
            .execute(params![
                project,
                kind,
                name,
                algorithm(new),
                new.sequence_client_id,
                now
            ])?;
            Ok(db.last_insert_rowid())
        }
    }
}

/// The version that a client made up this id for; nothing when it was deleted.
pub(crate) fn by_client_id(db: &Connection, client_id: Option<&str>) -> StoreResult<Option<i64>> {
    let Some(client_id) = client_id.filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    Ok(db
        .prepare_cached(
            "SELECT a.id FROM artifact_clients k JOIN artifacts a ON a.id = k.artifact_id
             WHERE k.client_id = ?1 AND a.state <> 'DELETED'",
        )?
        .query_row([client_id], |row| row.get(0))
        .optional()?)
}

fn remember(db: &Connection, client_id: Option<&str>, artifact: i64) -> StoreResult<()> {
    if let Some(client_id) = client_id.filter(|id| !id.is_empty()) {
        db.prepare_cached(
            "INSERT OR REPLACE INTO artifact_clients (client_id, artifact_id) VALUES (?1, ?2)",
        )?
        .execute(params![client_id, artifact])?;
    }
    Ok(())
}

fn distributed(db: &Connection, sequence: i64, id: Option<&str>) -> StoreResult<Option<i64>> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    Ok(db
        .prepare_cached(
            "SELECT id FROM artifacts WHERE sequence_id = ?1 AND distributed_id = ?2 AND state = 'PENDING' ORDER BY id LIMIT 1",
        )?
        .query_row(params![sequence, id], |row| row.get(0))
        .optional()?)
}

fn same_content(db: &Connection, sequence: i64, new: &NewArtifact) -> StoreResult<Option<i64>> {
    if new.digest.is_empty() {
        return Ok(None);
    }
    Ok(db
        .prepare_cached(
            "SELECT id FROM artifacts WHERE sequence_id = ?1 AND digest = ?2 AND digest_algorithm = ?3
               AND state = 'COMMITTED' ORDER BY version_index DESC LIMIT 1",
        )?
        .query_row(params![sequence, new.digest, algorithm(new)], |row| row.get(0))
        .optional()?)
}

fn output(db: &Connection, run: Option<i64>, artifact: i64, now: i64) -> StoreResult<()> {
    if let Some(run) = run {
        db.prepare_cached(
            "INSERT OR IGNORE INTO run_outputs (run_id, artifact_id, created_at) VALUES (?1, ?2, ?3)",
        )?
        .execute([run, artifact, now])?;
    }
    Ok(())
}
