//! What may change about a version: aliases, tags, texts; and its end (protocol §5.7).

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::{LATEST, State, access, create, names};
use crate::store::access::readable;
use crate::store::identity::Identity;
use crate::store::{StoreError, StoreResult, time};

/// The membership of a version in a collection.
///
/// # Errors
/// It is not in the collection.
pub(super) fn membership(db: &Connection, artifact: i64, collection: i64) -> StoreResult<i64> {
    db.prepare_cached("SELECT id FROM artifact_memberships WHERE artifact_id = ?1 AND collection_id = ?2")?
        .query_row([artifact, collection], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Refused("the artifact is not in that collection".to_owned()))
}

/// Points an alias at a version, away from whichever version of the collection had it.
pub(super) fn point_alias(
    db: &Connection,
    collection: i64,
    membership: i64,
    alias: &str,
    now: i64,
) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT INTO artifact_aliases (collection_id, alias, membership_id, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (collection_id, alias) DO UPDATE SET membership_id = excluded.membership_id",
    )?
    .execute(params![collection, alias, membership, now])?;
    Ok(())
}

/// Gives `latest` to the newest version of a collection when no version has it any more.
pub(crate) fn settle_latest(db: &Connection, collection: i64, now: i64) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT INTO artifact_aliases (collection_id, alias, membership_id, created_at)
           SELECT ?1, ?2, id, ?3 FROM artifact_memberships WHERE collection_id = ?1 ORDER BY version_index DESC LIMIT 1
         ON CONFLICT (collection_id, alias) DO NOTHING",
    )?
    .execute(params![collection, LATEST, now])?;
    Ok(())
}

/// Notes that a version changed, if the collection is the one that it was made in. An alias in a portfolio is the
/// portfolio's: whoever may change that need not have the right to change the version.
fn touch(db: &Connection, artifact: i64, collection: i64, now: i64) -> StoreResult<()> {
    db.prepare_cached("UPDATE artifacts SET updated_at = ?3 WHERE id = ?1 AND sequence_id = ?2")?
        .execute([artifact, collection, now])?;
    Ok(())
}

/// The state of a version.
///
/// # Errors
/// There is no such version.
pub(super) fn state(db: &Connection, artifact: i64) -> StoreResult<State> {
    db.prepare_cached("SELECT state FROM artifacts WHERE id = ?1")?
        .query_row([artifact], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Refused("artifact not found".to_owned()))
}

fn committed(db: &Connection, artifact: i64) -> StoreResult<()> {
    match state(db, artifact)? {
        State::Committed => Ok(()),
        State::Pending => Err(StoreError::Refused(
            "the artifact is not committed yet".to_owned(),
        )),
        State::Deleted => Err(StoreError::Refused("the artifact was deleted".to_owned())),
    }
}

/// A collection and an alias in it.
#[derive(Debug, Clone)]
pub(crate) struct AliasChange {
    pub(crate) collection: i64,
    pub(crate) alias: String,
}

/// Gives aliases to a version, which the caller must see. Whether they may change the collections has been looked at.
///
/// # Errors
/// The caller may not see the version, an alias is none, or the version is not in the collection.
pub(crate) fn add_aliases(
    db: &Connection,
    caller: &Identity,
    artifact: i64,
    changes: &[AliasChange],
) -> StoreResult<()> {
    access::require_sight(db, caller, artifact)?;
    committed(db, artifact)?;
    let now = time::now();
    for change in changes {
        let membership = membership(db, artifact, change.collection)?;
        // Clients that list `v3` among the aliases of version 3 mean nothing by it.
        if let Some(index) = names::version(&change.alias) {
            let own: i64 = db
                .prepare_cached("SELECT version_index FROM artifact_memberships WHERE id = ?1")?
                .query_row([membership], |row| row.get(0))?;
            if own == index {
                continue;
            }
        }
        names::alias(&change.alias)?;
        point_alias(db, change.collection, membership, &change.alias, now)?;
        touch(db, artifact, change.collection, now)?;
    }
    Ok(())
}

/// Takes aliases away from a version, which the caller must see. Those that it does not have are passed over. Whether
/// they may change the collections has been looked at.
///
/// # Errors
/// There is no version that the caller may see.
pub(crate) fn delete_aliases(
    db: &Connection,
    caller: &Identity,
    artifact: i64,
    changes: &[AliasChange],
) -> StoreResult<()> {
    access::require_sight(db, caller, artifact)?;
    let now = time::now();
    let mut delete = db.prepare_cached(
        "DELETE FROM artifact_aliases WHERE collection_id = ?1 AND alias = ?2 AND membership_id IN
           (SELECT id FROM artifact_memberships WHERE artifact_id = ?3)",
    )?;
    for change in changes {
        delete.execute(params![change.collection, change.alias, artifact])?;
        touch(db, artifact, change.collection, now)?;
    }
    Ok(())
}

/// Makes the aliases of a version in a collection exactly these (`updateArtifact` as it was in 2020).
///
/// # Errors
/// An alias is none, or the version is not in the collection.
pub(crate) fn replace_aliases(
    db: &Connection,
    caller: &Identity,
    artifact: i64,
    collection: i64,
    aliases: &[String],
) -> StoreResult<()> {
    committed(db, artifact)?;
    let membership = membership(db, artifact, collection)?;
    db.prepare_cached(
        "DELETE FROM artifact_aliases WHERE membership_id = ?1 AND alias NOT IN (SELECT value FROM json_each(?2))",
    )?
    .execute(params![
        membership,
        serde_json::Value::from(aliases.to_vec()).to_string()
    ])?;
    let changes: Vec<AliasChange> = aliases
        .iter()
        .map(|alias| AliasChange {
            collection,
            alias: alias.clone(),
        })
        .collect();
    add_aliases(db, caller, artifact, &changes)
}

/// Tags a version.
pub(super) fn add_tags(db: &Connection, artifact: i64, tags: &[String]) -> StoreResult<()> {
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO artifact_tags (artifact_id, name) VALUES (?1, ?2)")?;
    for tag in tags {
        names::tag(tag)?;
        insert.execute(params![artifact, tag])?;
    }
    Ok(())
}

/// What `updateArtifact` changes; `None` leaves a member alone.
#[derive(Debug, Default)]
pub(crate) struct ArtifactPatch {
    pub(crate) description: Option<String>,
    pub(crate) labels: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) tags_to_add: Vec<String>,
    pub(crate) tags_to_delete: Vec<String>,
    pub(crate) ttl_seconds: Option<i64>,
}

/// Changes what is said about a version.
///
/// # Errors
/// There is no such version, or a value is not one.
pub(crate) fn update(db: &Connection, artifact: i64, patch: &ArtifactPatch) -> StoreResult<()> {
    if state(db, artifact)? == State::Deleted {
        return Err(StoreError::Refused("the artifact was deleted".to_owned()));
    }
    create::json("metadata", patch.metadata.as_deref())?;
    create::json("labels", patch.labels.as_deref())?;
    if patch.ttl_seconds.is_some() {
        db.prepare_cached("UPDATE artifacts SET ttl_seconds = ?2 WHERE id = ?1")?
            .execute(params![artifact, create::ttl(patch.ttl_seconds)?])?;
    }
    db.prepare_cached(
        "UPDATE artifacts SET description = COALESCE(?2, description), labels = COALESCE(?3, labels),
           metadata = COALESCE(?4, metadata), updated_at = ?5 WHERE id = ?1",
    )?
    .execute(params![
        artifact,
        patch.description,
        patch.labels,
        patch.metadata,
        time::now()
    ])?;
    let mut delete = db.prepare_cached("DELETE FROM artifact_tags WHERE artifact_id = ?1 AND name = ?2")?;
    for tag in &patch.tags_to_delete {
        delete.execute(params![artifact, tag])?;
    }
    add_tags(db, artifact, &patch.tags_to_add)
}

/// Deletes a version; returns the digests whose bytes may have lost their last reference. A version that is deleted
/// already stays so: the request may be a retry.
///
/// # Errors
/// There is no such version, or it has aliases and they are not to be deleted.
pub(crate) fn delete(
    db: &Connection,
    caller: &Identity,
    artifact: i64,
    with_aliases: bool,
) -> StoreResult<Vec<String>> {
    if state(db, artifact)? == State::Deleted {
        return Ok(Vec::new());
    }
    if !with_aliases {
        let aliases = aliases(db, caller, artifact)?;
        if !aliases.is_empty() {
            return Err(StoreError::Refused(format!(
                "cannot delete an artifact version that has aliases ({}): delete them first, or with it (delete_aliases=True)",
                aliases.join(", ")
            )));
        }
    }
    remove(db, artifact)
}

/// The aliases of a version in all collections, for people; those where the caller may not look are not named.
fn aliases(db: &Connection, caller: &Identity, artifact: i64) -> StoreResult<Vec<String>> {
    let (seen, mut values) = readable(caller, "c.project_id");
    values.push(Value::Integer(artifact));
    Ok(db
        .prepare_cached(&format!(
            "SELECT CASE WHEN {seen} THEN l.alias ELSE 'one in another project' END FROM artifact_memberships x
             JOIN artifact_aliases l ON l.membership_id = x.id JOIN artifact_collections c ON c.id = x.collection_id
             WHERE x.artifact_id = ? ORDER BY l.id"
        ))?
        .query_map(params_from_iter(values), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Deletes a version whatever its aliases.
pub(super) fn remove(db: &Connection, artifact: i64) -> StoreResult<Vec<String>> {
    let now = time::now();
    let digests = digests(db, artifact)?;
    let collections = db
        .prepare_cached("SELECT collection_id FROM artifact_memberships WHERE artifact_id = ?1")?
        .query_map([artifact], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    for sql in [
        "DELETE FROM artifact_memberships WHERE artifact_id = ?1",
        "DELETE FROM artifact_entries WHERE artifact_id = ?1",
        "DELETE FROM artifact_manifests WHERE artifact_id = ?1",
        "DELETE FROM artifact_uploads WHERE artifact_id = ?1",
        "DELETE FROM artifact_wishes WHERE artifact_id = ?1",
        "DELETE FROM run_inputs WHERE artifact_id = ?1",
        "DELETE FROM run_outputs WHERE artifact_id = ?1",
    ] {
        db.prepare_cached(sql)?.execute([artifact])?;
    }
    db.prepare_cached("UPDATE artifacts SET state = ?2, updated_at = ?3 WHERE id = ?1")?
        .execute(params![artifact, State::Deleted, now])?;
    for collection in collections {
        settle_latest(db, collection, now)?;
    }
    Ok(digests)
}

/// The digests of everything that a version refers to.
pub(super) fn digests(db: &Connection, artifact: i64) -> StoreResult<Vec<String>> {
    Ok(db
        .prepare_cached(
            "SELECT md5 FROM artifact_entries WHERE artifact_id = ?1 AND md5 IS NOT NULL
             UNION SELECT md5 FROM artifact_manifests WHERE artifact_id = ?1 AND md5 IS NOT NULL
             UNION SELECT md5 FROM artifact_uploads WHERE artifact_id = ?1 AND md5 IS NOT NULL
             UNION SELECT p.md5 FROM artifact_parts p JOIN artifact_uploads u ON u.id = p.upload_id
               WHERE u.artifact_id = ?1 AND p.md5 IS NOT NULL",
        )?
        .query_map([artifact], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?)
}

/// Deletes versions whose time to live is over, and uploads that were given up before `abandoned` (microseconds).
/// Versions that are linked somewhere live on. Returns the digests whose bytes may have lost their last reference.
pub(crate) fn expire(db: &Connection, now: i64, abandoned: i64) -> StoreResult<Vec<String>> {
    let over = db
        .prepare_cached(
            "SELECT a.id FROM artifacts a WHERE a.ttl_seconds > 0 AND a.state = 'COMMITTED'
               AND a.created_at + a.ttl_seconds * 1000000 <= ?1
               AND NOT EXISTS (SELECT 1 FROM artifact_memberships m WHERE m.artifact_id = a.id AND m.collection_id <> a.sequence_id)
             UNION ALL
             SELECT a.id FROM artifacts a WHERE a.state = 'PENDING' AND a.updated_at <= ?2
               AND NOT EXISTS (SELECT 1 FROM artifact_uploads u WHERE u.artifact_id = a.id AND u.updated_at > ?2)",
        )?
        .query_map([now, abandoned], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut digests = Vec::new();
    for artifact in over {
        digests.extend(remove(db, artifact)?);
    }
    Ok(digests)
}
