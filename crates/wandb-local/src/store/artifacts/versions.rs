//! Versions: found by name, listed.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::rows::{AliasRow, ArtifactRow, Loader, MembershipRow};
use super::{LATEST, access, collections, names};
use crate::filter::{self, Subject};
use crate::store::access::readable;
use crate::store::identity::Identity;
use crate::store::{StoreError, StoreResult};

/// The row number of the project that a version `a` was made in.
const HOME: &str = "(SELECT s.project_id FROM artifact_collections s WHERE s.id = a.sequence_id)";

/// The version with this row number, whatever its state.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<Arc<ArtifactRow>>> {
    Loader::new(db).artifact(id)
}

/// The version of a collection that `v3`, an alias, or a digest names, if the caller may see it.
pub(crate) fn member(
    db: &Connection,
    caller: &Identity,
    collection: i64,
    name: &str,
) -> StoreResult<Option<MembershipRow>> {
    let by_alias = || {
        db.prepare_cached(
            "SELECT membership_id FROM artifact_aliases WHERE collection_id = ?1 AND alias = ?2",
        )?
        .query_row(params![collection, name], |row| row.get::<_, i64>(0))
        .optional()
    };
    let id = match names::version(name) {
        Some(index) => db
            .prepare_cached(
                "SELECT id FROM artifact_memberships WHERE collection_id = ?1 AND version_index = ?2",
            )?
            .query_row([collection, index], |row| row.get(0))
            .optional()?,
        None => match by_alias()? {
            Some(id) => Some(id),
            None if crate::blobs::Md5Digest::from_hex(name).is_some() => db
                .prepare_cached(
                    "SELECT m.id FROM artifact_memberships m JOIN artifacts a ON a.id = m.artifact_id
                     WHERE m.collection_id = ?1 AND a.digest = ?2 ORDER BY m.version_index DESC LIMIT 1",
                )?
                .query_row(params![collection, name], |row| row.get(0))
                .optional()?,
            None => None,
        },
    };
    let row = match id {
        None => None,
        Some(id) => Loader::new(db).memberships(&[id])?.pop(),
    };
    match row {
        Some(row) if access::sees_version(db, caller, row.artifact.id)? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// The version that `collection`, `collection:v3` or `collection:alias` names in a project; no suffix means `latest`. A digest
/// alone, where no collection is called so, is the newest version with that content that was made in the project and that the
/// caller may see (official, 2020: "Valid names can be … digest").
/// With a type, only collections of that type.
pub(crate) fn named(
    db: &Connection,
    caller: &Identity,
    project: i64,
    name: &str,
    kind: Option<i64>,
) -> StoreResult<Option<MembershipRow>> {
    let (collection, version) = name.split_once(':').unwrap_or((name, LATEST));
    let found = collections::find(db, project, collection)?;
    match found {
        Some(found) if kind.is_some_and(|kind| found.kind.id != kind) => Ok(None),
        Some(collection) => member(db, caller, collection.id, version),
        None if crate::blobs::Md5Digest::from_hex(name).is_some() => {
            with_digest(db, caller, project, name, kind)
        }
        None => Ok(None),
    }
}

/// The newest committed version of a project with this digest that the caller may see, in its own sequence.
fn with_digest(
    db: &Connection,
    caller: &Identity,
    project: i64,
    digest: &str,
    kind: Option<i64>,
) -> StoreResult<Option<MembershipRow>> {
    let id: Option<i64> = db
        .prepare_cached(
            "SELECT m.id FROM artifact_collections c
             JOIN artifacts a ON a.sequence_id = c.id AND a.digest = ?1 AND a.state = 'COMMITTED'
             JOIN artifact_memberships m ON m.artifact_id = a.id AND m.collection_id = c.id
             WHERE c.project_id = ?2 AND c.deleted_at IS NULL AND (?3 IS NULL OR c.type_id = ?3)
             ORDER BY a.id DESC LIMIT 1",
        )?
        .query_row(params![digest, project, kind], |row| row.get(0))
        .optional()?;
    let row = match id {
        None => None,
        Some(id) => Loader::new(db).memberships(&[id])?.pop(),
    };
    match row {
        Some(row) if access::sees_version(db, caller, row.artifact.id)? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// The newest version of a sequence: the one called `latest`, or that with the highest index.
pub(crate) fn latest(db: &Connection, sequence: i64) -> StoreResult<Option<Arc<ArtifactRow>>> {
    let id: Option<i64> = db
        .prepare_cached(
            "SELECT m.artifact_id FROM artifact_memberships m
             LEFT JOIN artifact_aliases l ON l.membership_id = m.id AND l.alias = ?2
             WHERE m.collection_id = ?1 ORDER BY l.id IS NULL, m.version_index DESC LIMIT 1",
        )?
        .query_row(params![sequence, LATEST], |row| row.get(0))
        .optional()?;
    match id {
        None => Ok(None),
        Some(id) => by_id(db, id),
    }
}

/// Which versions of a collection are wanted.
#[derive(Debug, Clone)]
pub(crate) struct VersionQuery {
    /// Who asks: versions that they may not see are passed over.
    pub(crate) caller: Arc<Identity>,
    pub(crate) collection: i64,
    /// Mongo-style JSON.
    pub(crate) filters: Option<String>,
    pub(crate) order: Option<String>,
}

impl VersionQuery {
    fn conditions(&self) -> StoreResult<(String, Vec<Value>)> {
        let (seen, of_seen) = readable(&self.caller, HOME);
        let mut clause = format!("m.collection_id = ? AND {seen}");
        let mut values = vec![Value::Integer(self.collection)];
        values.extend(of_seen);
        let compiled = filter::compile_filter(Subject::Versions, self.filters.as_deref())
            .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
        if let Some(fragment) = compiled {
            clause.push_str(&format!(" AND ({})", fragment.sql));
            values.extend(fragment.params);
        }
        Ok((clause, values))
    }
}

const FROM: &str = "artifact_memberships m JOIN artifacts a ON a.id = m.artifact_id";

/// The versions of a page, newest first unless ordered otherwise, and whether more follow.
pub(crate) fn list(
    db: &Connection,
    query: &VersionQuery,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<MembershipRow>, bool)> {
    let (clause, mut values) = query.conditions()?;
    let order = filter::compile_order(Subject::Versions, query.order.as_deref())
        .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
    values.extend(order.params);
    values.push(Value::Integer(limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT m.id FROM {FROM} WHERE {clause} ORDER BY {} LIMIT ? OFFSET ?",
        order.sql
    );
    let (ids, more) = collections::page(db, &sql, values, limit)?;
    Ok((Loader::new(db).memberships(&ids)?, more))
}

/// How many versions match.
pub(crate) fn count(db: &Connection, query: &VersionQuery) -> StoreResult<i64> {
    let (clause, values) = query.conditions()?;
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM {FROM} WHERE {clause}"))?
        .query_row(params_from_iter(values), |row| row.get(0))?)
}

/// The places of a version, in collections that the caller may see, and the values of the parameters.
fn places(caller: &Identity, artifact: i64) -> (String, Vec<Value>) {
    let (seen, of_seen) = readable(caller, "c.project_id");
    let sql = format!(
        "artifact_memberships x JOIN artifact_collections c ON c.id = x.collection_id WHERE x.artifact_id = ? AND {seen}"
    );
    let mut values = vec![Value::Integer(artifact)];
    values.extend(of_seen);
    (sql, values)
}

/// The memberships of a version that the caller may see, that in its sequence first, and whether more follow.
pub(crate) fn memberships(
    db: &Connection,
    caller: &Identity,
    artifact: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<MembershipRow>, bool)> {
    let (places, mut values) = places(caller, artifact);
    values.push(Value::Integer(limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
    let sql = format!("SELECT x.id FROM {places} ORDER BY x.id LIMIT ? OFFSET ?");
    let (ids, more) = collections::page(db, &sql, values, limit)?;
    Ok((Loader::new(db).memberships(&ids)?, more))
}

/// How many collections that the caller may see a version is in.
pub(crate) fn membership_count(db: &Connection, caller: &Identity, artifact: i64) -> StoreResult<i64> {
    let (places, values) = places(caller, artifact);
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM {places}"))?
        .query_row(params_from_iter(values), |row| row.get(0))?)
}

/// The index of a version in the collection of this name, of whichever project that the caller may see.
pub(crate) fn index_in(
    db: &Connection,
    caller: &Identity,
    artifact: i64,
    collection: &str,
) -> StoreResult<Option<i64>> {
    let (places, mut values) = places(caller, artifact);
    values.push(Value::Text(collection.to_owned()));
    Ok(db
        .prepare_cached(&format!(
            "SELECT x.version_index FROM {places} AND c.name = ? ORDER BY x.id LIMIT 1"
        ))?
        .query_row(params_from_iter(values), |row| row.get(0))
        .optional()?)
}

/// The aliases of a collection that stand for versions which the caller may see, and the values of the parameters.
fn visible_aliases(caller: &Identity, collection: i64) -> (String, Vec<Value>) {
    let (seen, of_seen) = readable(caller, HOME);
    let sql = format!(
        "artifact_aliases l JOIN artifact_memberships x ON x.id = l.membership_id JOIN artifacts a ON a.id = x.artifact_id
         WHERE l.collection_id = ? AND {seen}"
    );
    let mut values = vec![Value::Integer(collection)];
    values.extend(of_seen);
    (sql, values)
}

/// The aliases of a collection for versions that the caller may see, oldest first, and whether more follow.
pub(crate) fn aliases(
    db: &Connection,
    caller: &Identity,
    collection: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<AliasRow>, bool)> {
    let Some(row) = Loader::new(db).collection(collection)? else {
        return Ok((Vec::new(), false));
    };
    let (aliases, mut values) = visible_aliases(caller, collection);
    values.push(Value::Integer(limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
    let mut statement = db.prepare_cached(&format!(
        "SELECT l.id, l.alias, x.artifact_id FROM {aliases} ORDER BY l.id LIMIT ? OFFSET ?"
    ))?;
    let mut rows = statement
        .query_map(params_from_iter(values), |found| {
            Ok(AliasRow {
                id: found.get(0)?,
                alias: found.get(1)?,
                artifact: found.get(2)?,
                collection: Arc::clone(&row),
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// How many aliases of a collection stand for versions that the caller may see.
pub(crate) fn alias_count(db: &Connection, caller: &Identity, collection: i64) -> StoreResult<i64> {
    let (aliases, values) = visible_aliases(caller, collection);
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM {aliases}"))?
        .query_row(params_from_iter(values), |row| row.get(0))?)
}
