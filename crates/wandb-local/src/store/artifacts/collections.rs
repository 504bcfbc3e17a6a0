//! Sequences and portfolios: found, listed, changed, tagged, deleted.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::rows::{CollectionRow, Loader, TagRow, TypeRow};
use super::{create, edit, names};
use crate::filter::{self, Subject};
use crate::store::{StoreError, StoreResult, time};

/// Whose collections are meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Project(i64),
    /// Of one type.
    Type(i64),
}

/// Which collections of a scope are wanted.
#[derive(Debug, Clone)]
pub(crate) struct CollectionQuery {
    pub(crate) scope: Scope,
    /// Mongo-style JSON.
    pub(crate) filters: Option<String>,
    pub(crate) order: Option<String>,
    /// Leaves out portfolios.
    pub(crate) sequences: bool,
}

impl CollectionQuery {
    fn conditions(&self) -> StoreResult<(String, Vec<Value>)> {
        let (column, id) = match self.scope {
            Scope::Project(id) => ("c.project_id", id),
            Scope::Type(id) => ("c.type_id", id),
        };
        let mut clause = format!("{column} = ? AND c.deleted_at IS NULL");
        let mut values = vec![Value::Integer(id)];
        if self.sequences {
            clause.push_str(" AND c.portfolio = 0");
        }
        let compiled = filter::compile_filter(Subject::Collections, self.filters.as_deref())
            .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
        if let Some(fragment) = compiled {
            clause.push_str(&format!(" AND ({})", fragment.sql));
            values.extend(fragment.params);
        }
        Ok((clause, values))
    }
}

const FROM: &str = "artifact_collections c JOIN artifact_types t ON t.id = c.type_id";

/// The collections of a page, and whether more follow.
pub(crate) fn list(
    db: &Connection,
    query: &CollectionQuery,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<Arc<CollectionRow>>, bool)> {
    let (clause, mut values) = query.conditions()?;
    let order = filter::compile_order(Subject::Collections, query.order.as_deref())
        .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
    values.extend(order.params);
    values.push(Value::Integer(limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT c.id FROM {FROM} WHERE {clause} ORDER BY {} LIMIT ? OFFSET ?",
        order.sql
    );
    let (ids, more) = page(db, &sql, values, limit)?;
    Ok((Loader::new(db).collections(&ids)?, more))
}

/// How many collections match.
pub(crate) fn count(db: &Connection, query: &CollectionQuery) -> StoreResult<i64> {
    let (clause, values) = query.conditions()?;
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM {FROM} WHERE {clause}"))?
        .query_row(params_from_iter(values), |row| row.get(0))?)
}

/// The row numbers of a page, one more of which was asked for.
pub(super) fn page(
    db: &Connection,
    sql: &str,
    values: Vec<Value>,
    limit: u64,
) -> StoreResult<(Vec<i64>, bool)> {
    let mut ids = db
        .prepare_cached(sql)?
        .query_map(params_from_iter(values), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let more = ids.len() as u64 > limit;
    ids.truncate(limit as usize);
    Ok((ids, more))
}

/// The collection of this name in a project.
pub(crate) fn find(db: &Connection, project: i64, name: &str) -> StoreResult<Option<Arc<CollectionRow>>> {
    let id = db
        .prepare_cached(
            "SELECT id FROM artifact_collections WHERE project_id = ?1 AND name = ?2 AND deleted_at IS NULL",
        )?
        .query_row(params![project, name], |row| row.get(0))
        .optional()?;
    match id {
        None => Ok(None),
        Some(id) => Loader::new(db).collection(id),
    }
}

/// The collection with this row number, unless it was deleted.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<Arc<CollectionRow>>> {
    Ok(Loader::new(db).collection(id)?.filter(|row| !row.deleted))
}

/// The types of a project by name, and whether more follow.
pub(crate) fn types(
    db: &Connection,
    project: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<Arc<TypeRow>>, bool)> {
    let values = vec![
        Value::Integer(project),
        Value::Integer(limit.saturating_add(1) as i64),
        Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)),
    ];
    let sql = "SELECT id FROM artifact_types WHERE project_id = ? ORDER BY name LIMIT ? OFFSET ?";
    let (ids, more) = page(db, sql, values, limit)?;
    Ok((Loader::new(db).types(&ids)?, more))
}

/// How many types a project has.
pub(crate) fn type_count(db: &Connection, project: i64) -> StoreResult<i64> {
    Ok(db
        .prepare_cached("SELECT COUNT(*) FROM artifact_types WHERE project_id = ?1")?
        .query_row([project], |row| row.get(0))?)
}

/// The type of this name in a project.
pub(crate) fn find_type(db: &Connection, project: i64, name: &str) -> StoreResult<Option<Arc<TypeRow>>> {
    let id: Option<i64> = db
        .prepare_cached("SELECT id FROM artifact_types WHERE project_id = ?1 AND name = ?2")?
        .query_row(params![project, name], |row| row.get(0))
        .optional()?;
    match id {
        None => Ok(None),
        Some(id) => Ok(Loader::new(db).types(&[id])?.pop()),
    }
}

/// The row of a live collection of the right sort.
///
/// # Errors
/// There is none.
pub(super) fn live(db: &Connection, id: i64, portfolio: bool) -> StoreResult<Arc<CollectionRow>> {
    by_id(db, id)?
        .filter(|row| row.portfolio == portfolio)
        .ok_or_else(|| {
            let sort = if portfolio { "portfolio" } else { "sequence" };
            StoreError::Refused(format!("artifact {sort} not found"))
        })
}

/// Renames or describes a collection; `None` leaves a member alone.
///
/// # Errors
/// There is no such collection, or the name is none or taken.
pub(crate) fn update(
    db: &Connection,
    id: i64,
    portfolio: bool,
    name: Option<&str>,
    description: Option<&str>,
) -> StoreResult<()> {
    let row = live(db, id, portfolio)?;
    if let Some(name) = name.filter(|name| *name != row.name) {
        names::collection(name)?;
        if find(db, row.project().id, name)?.is_some() {
            return Err(StoreError::Refused(format!(
                "artifact collection {name:?} exists already"
            )));
        }
    }
    db.prepare_cached(
        "UPDATE artifact_collections SET name = COALESCE(?2, name), description = COALESCE(?3, description), updated_at = ?4
         WHERE id = ?1",
    )?
    .execute(params![id, name, description, time::now()])?;
    Ok(())
}

/// Gives a sequence another type.
///
/// # Errors
/// There is no such sequence, or the name is none for a type.
pub(crate) fn change_type(db: &Connection, id: i64, kind: &str) -> StoreResult<()> {
    let row = live(db, id, false)?;
    let now = time::now();
    let kind = create::ensure_type(db, row.project().id, kind, None, now)?;
    db.prepare_cached("UPDATE artifact_collections SET type_id = ?2, updated_at = ?3 WHERE id = ?1")?
        .execute([id, kind, now])?;
    Ok(())
}

/// Deletes a collection. The versions of a sequence go with it, those of a portfolio stay where they were made. Deleting
/// what is gone is no error: the request may be a retry. Returns the digests whose bytes may have lost their last
/// reference.
///
/// # Errors
/// There never was such a collection.
pub(crate) fn delete(db: &Connection, id: i64, portfolio: bool) -> StoreResult<Vec<String>> {
    let row = Loader::new(db)
        .collection(id)?
        .filter(|row| row.portfolio == portfolio)
        .ok_or_else(|| StoreError::Refused("artifact collection not found".to_owned()))?;
    if row.deleted {
        return Ok(Vec::new());
    }
    let mut digests = Vec::new();
    if !portfolio {
        let versions = db
            .prepare_cached("SELECT id FROM artifacts WHERE sequence_id = ?1 AND state <> 'DELETED'")?
            .query_map([id], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        for version in versions {
            digests.extend(edit::remove(db, version)?);
        }
    }
    db.prepare_cached("DELETE FROM artifact_memberships WHERE collection_id = ?1")?
        .execute([id])?;
    let now = time::now();
    db.prepare_cached("UPDATE artifact_collections SET deleted_at = ?2, updated_at = ?2 WHERE id = ?1")?
        .execute([id, now])?;
    Ok(digests)
}

/// The digests of everything that the versions of a project refer to.
pub(crate) fn digests_of_project(db: &Connection, project: i64) -> StoreResult<Vec<String>> {
    let versions = db
        .prepare_cached(
            "SELECT a.id FROM artifacts a JOIN artifact_collections c ON c.id = a.sequence_id
             WHERE c.project_id = ?1 AND a.state <> 'DELETED'",
        )?
        .query_map([project], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut digests = Vec::new();
    for version in versions {
        digests.extend(edit::digests(db, version)?);
    }
    Ok(digests)
}

/// Portfolios of other projects that hold versions of this one.
pub(crate) fn portfolios_elsewhere(db: &Connection, project: i64) -> StoreResult<Vec<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT DISTINCT m.collection_id FROM artifact_collections c JOIN artifacts a ON a.sequence_id = c.id
             JOIN artifact_memberships m ON m.artifact_id = a.id JOIN artifact_collections f ON f.id = m.collection_id
             WHERE c.project_id = ?1 AND f.project_id <> ?1",
        )?
        .query_map([project], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Tags a collection; returns the rows of these tags.
///
/// # Errors
/// A tag is none.
pub(crate) fn add_tags(db: &Connection, id: i64, tags: &[String]) -> StoreResult<Vec<TagRow>> {
    let mut insert = db.prepare_cached(
        "INSERT INTO collection_tags (collection_id, name) VALUES (?1, ?2)
         ON CONFLICT (collection_id, name) DO UPDATE SET name = excluded.name RETURNING id",
    )?;
    let mut rows = Vec::with_capacity(tags.len());
    for tag in tags {
        names::tag(tag)?;
        let id = insert.query_row(params![id, tag], |row| row.get(0))?;
        rows.push(TagRow {
            id,
            name: tag.clone(),
        });
    }
    Ok(rows)
}

/// Takes tags off a collection. Those that it does not have are passed over.
pub(crate) fn delete_tags(db: &Connection, id: i64, tags: &[String]) -> StoreResult<()> {
    let mut delete =
        db.prepare_cached("DELETE FROM collection_tags WHERE collection_id = ?1 AND name = ?2")?;
    for tag in tags {
        delete.execute(params![id, tag])?;
    }
    Ok(())
}
