//! Versions: found by name, listed.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::rows::{AliasRow, ArtifactRow, Loader, MembershipRow};
use super::{LATEST, collections, names};
use crate::filter::{self, Subject};
use crate::store::{StoreError, StoreResult};

/// The version with this row number, whatever its state.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<Arc<ArtifactRow>>> {
    Loader::new(db).artifact(id)
}

/// The version of a collection that `v3`, an alias, or a digest names.
pub(crate) fn member(db: &Connection, collection: i64, name: &str) -> StoreResult<Option<MembershipRow>> {
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
    match id {
        None => Ok(None),
        Some(id) => Ok(Loader::new(db).memberships(&[id])?.pop()),
    }
}

/// The version that `collection`, `collection:v3` or `collection:alias` names in a project; no suffix means `latest`.
/// With a type, only collections of that type.
pub(crate) fn named(
    db: &Connection,
    project: i64,
    name: &str,
    kind: Option<i64>,
) -> StoreResult<Option<MembershipRow>> {
    let (collection, version) = name.split_once(':').unwrap_or((name, LATEST));
    let found = collections::find(db, project, collection)?;
    match found.filter(|row| kind.is_none_or(|kind| row.kind.id == kind)) {
        None => Ok(None),
        Some(collection) => member(db, collection.id, version),
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
    pub(crate) collection: i64,
    /// Mongo-style JSON.
    pub(crate) filters: Option<String>,
    pub(crate) order: Option<String>,
}

impl VersionQuery {
    fn conditions(&self) -> StoreResult<(String, Vec<Value>)> {
        let mut clause = "m.collection_id = ?".to_owned();
        let mut values = vec![Value::Integer(self.collection)];
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

/// The memberships of a version, that in its sequence first, and whether more follow.
pub(crate) fn memberships(
    db: &Connection,
    artifact: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<MembershipRow>, bool)> {
    let values = vec![
        Value::Integer(artifact),
        Value::Integer(limit.saturating_add(1) as i64),
        Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)),
    ];
    let sql = "SELECT id FROM artifact_memberships WHERE artifact_id = ? ORDER BY id LIMIT ? OFFSET ?";
    let (ids, more) = collections::page(db, sql, values, limit)?;
    Ok((Loader::new(db).memberships(&ids)?, more))
}

/// How many collections a version is in.
pub(crate) fn membership_count(db: &Connection, artifact: i64) -> StoreResult<i64> {
    Ok(db
        .prepare_cached("SELECT COUNT(*) FROM artifact_memberships WHERE artifact_id = ?1")?
        .query_row([artifact], |row| row.get(0))?)
}

/// The index of a version in the collection of this name, of whichever project.
pub(crate) fn index_in(db: &Connection, artifact: i64, collection: &str) -> StoreResult<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT m.version_index FROM artifact_memberships m JOIN artifact_collections c ON c.id = m.collection_id
             WHERE m.artifact_id = ?1 AND c.name = ?2 ORDER BY m.id LIMIT 1",
        )?
        .query_row(params![artifact, collection], |row| row.get(0))
        .optional()?)
}

/// The aliases of a collection, oldest first, and whether more follow.
pub(crate) fn aliases(
    db: &Connection,
    collection: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<AliasRow>, bool)> {
    let Some(row) = Loader::new(db).collection(collection)? else {
        return Ok((Vec::new(), false));
    };
    let mut statement = db.prepare_cached(
        "SELECT l.id, l.alias, m.artifact_id FROM artifact_aliases l JOIN artifact_memberships m ON m.id = l.membership_id
         WHERE l.collection_id = ?1 ORDER BY l.id LIMIT ?2 OFFSET ?3",
    )?;
    let limit_and_one = limit.saturating_add(1) as i64;
    let mut rows = statement
        .query_map(
            [
                collection,
                limit_and_one,
                i64::try_from(offset).unwrap_or(i64::MAX),
            ],
            |found| {
                Ok(AliasRow {
                    id: found.get(0)?,
                    alias: found.get(1)?,
                    artifact: found.get(2)?,
                    collection: Arc::clone(&row),
                })
            },
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// How many aliases a collection has.
pub(crate) fn alias_count(db: &Connection, collection: i64) -> StoreResult<i64> {
    Ok(db
        .prepare_cached("SELECT COUNT(*) FROM artifact_aliases WHERE collection_id = ?1")?
        .query_row([collection], |row| row.get(0))?)
}
