//! Versions, collections and types as they are read.
//!
//! Documents ask for a version together with its sequence, project, type, tags and aliases, for hundreds of versions at
//! once. The loader therefore reads in sets: whatever the number of versions, it makes a handful of queries, and shares
//! what several have in common.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::{Algorithm, State};
use crate::store::StoreResult;
use crate::store::projects::{self, ProjectRow};

/// A type.
#[derive(Debug, Clone)]
pub(crate) struct TypeRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) project: Arc<ProjectRow>,
}

/// A tag of a version or a collection.
#[derive(Debug, Clone)]
pub(crate) struct TagRow {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// A sequence or a portfolio.
#[derive(Debug, Clone)]
pub(crate) struct CollectionRow {
    pub(crate) id: i64,
    pub(crate) portfolio: bool,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) deleted: bool,
    pub(crate) kind: Arc<TypeRow>,
    pub(crate) tags: Vec<TagRow>,
}

impl CollectionRow {
    pub(crate) fn project(&self) -> &Arc<ProjectRow> {
        &self.kind.project
    }
}

/// An alias of a version in a collection.
#[derive(Debug, Clone)]
pub(crate) struct AliasRow {
    pub(crate) id: i64,
    pub(crate) alias: String,
    pub(crate) artifact: i64,
    pub(crate) collection: Arc<CollectionRow>,
}

/// A version.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactRow {
    pub(crate) id: i64,
    pub(crate) state: State,
    pub(crate) version_index: Option<i64>,
    pub(crate) digest: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) commit_hash: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) labels: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) size: i64,
    pub(crate) storage_bytes: i64,
    pub(crate) file_count: i64,
    pub(crate) history_step: Option<i64>,
    /// `None`: as the collection says, which is "for ever" here.
    pub(crate) ttl_seconds: Option<i64>,
    pub(crate) user: i64,
    pub(crate) run: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) sequence: Arc<CollectionRow>,
    pub(crate) tags: Vec<TagRow>,
    /// In all collections, oldest first.
    pub(crate) aliases: Vec<AliasRow>,
}

/// A version in a collection.
#[derive(Debug, Clone)]
pub(crate) struct MembershipRow {
    pub(crate) id: i64,
    pub(crate) version_index: i64,
    pub(crate) created_at: i64,
    pub(crate) collection: Arc<CollectionRow>,
    pub(crate) artifact: Arc<ArtifactRow>,
}

/// Reads rows in sets; lives as long as one job of the store.
pub(crate) struct Loader<'d> {
    db: &'d Connection,
    projects: HashMap<i64, Arc<ProjectRow>>,
    types: HashMap<i64, Arc<TypeRow>>,
    collections: HashMap<i64, Arc<CollectionRow>>,
}

/// Row numbers as the one parameter of `IN (SELECT value FROM json_each(?1))`.
fn set(ids: &[i64]) -> String {
    serde_json::Value::from(ids.to_vec()).to_string()
}

fn missing() -> rusqlite::Error {
    rusqlite::Error::QueryReturnedNoRows
}

const ARTIFACT: &str = "a.id, a.state, a.version_index, a.digest, a.digest_algorithm, a.commit_hash, a.description,
    a.labels, a.metadata, a.size, a.storage_bytes, a.file_count, a.history_step, a.ttl_seconds, a.user_id, a.run_id,
    a.created_at, a.updated_at, a.sequence_id";

impl<'d> Loader<'d> {
    pub(crate) fn new(db: &'d Connection) -> Self {
        Self {
            db,
            projects: HashMap::new(),
            types: HashMap::new(),
            collections: HashMap::new(),
        }
    }

    fn project(&mut self, id: i64) -> StoreResult<Arc<ProjectRow>> {
        if let Some(row) = self.projects.get(&id) {
            return Ok(Arc::clone(row));
        }
        let row = Arc::new(projects::by_id(self.db, id)?.ok_or_else(missing)?);
        self.projects.insert(id, Arc::clone(&row));
        Ok(row)
    }

    /// Types in the order of their row numbers in `ids`; those that do not exist are left out.
    pub(crate) fn types(&mut self, ids: &[i64]) -> StoreResult<Vec<Arc<TypeRow>>> {
        let unknown: Vec<i64> = ids
            .iter()
            .copied()
            .filter(|id| !self.types.contains_key(id))
            .collect();
        if !unknown.is_empty() {
            let mut statement = self.db.prepare_cached(
                "SELECT id, project_id, name, description, created_at FROM artifact_types
                 WHERE id IN (SELECT value FROM json_each(?1))",
            )?;
            let found = statement
                .query_map([set(&unknown)], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, i64>(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            for (id, project, name, description, created_at) in found {
                let project = self.project(project)?;
                let row = TypeRow {
                    id,
                    name,
                    description,
                    created_at,
                    project,
                };
                self.types.insert(id, Arc::new(row));
            }
        }
        Ok(ids.iter().filter_map(|id| self.types.get(id).cloned()).collect())
    }

    /// Collections, deleted ones too, in the order of `ids`; those that do not exist are left out.
    pub(crate) fn collections(&mut self, ids: &[i64]) -> StoreResult<Vec<Arc<CollectionRow>>> {
        let mut unknown: Vec<i64> = ids
            .iter()
            .copied()
            .filter(|id| !self.collections.contains_key(id))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            self.load_collections(&unknown)?;
        }
        Ok(ids
            .iter()
            .filter_map(|id| self.collections.get(id).cloned())
            .collect())
    }

    fn load_collections(&mut self, ids: &[i64]) -> StoreResult<()> {
        let set = set(ids);
        let mut tags = tags(
            self.db,
            "SELECT collection_id, id, name FROM collection_tags
             WHERE collection_id IN (SELECT value FROM json_each(?1)) ORDER BY id",
            &set,
        )?;
        let mut statement = self.db.prepare_cached(
            "SELECT id, type_id, portfolio, name, description, digest_algorithm, created_at, updated_at, deleted_at
             FROM artifact_collections WHERE id IN (SELECT value FROM json_each(?1))",
        )?;
        type Found = (
            i64,
            i64,
            bool,
            String,
            Option<String>,
            Option<Algorithm>,
            i64,
            i64,
            Option<i64>,
        );
        let found = statement
            .query_map([&set], |row| {
                let found: Found = row.try_into()?;
                Ok(found)
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let kinds: Vec<i64> = found.iter().map(|row| row.1).collect();
        self.types(&kinds)?;
        for (id, kind, portfolio, name, description, algorithm, created_at, updated_at, deleted) in found {
            let row = CollectionRow {
                id,
                portfolio,
                name,
                description,
                algorithm,
                created_at,
                updated_at,
                deleted: deleted.is_some(),
                kind: self.types.get(&kind).cloned().ok_or_else(missing)?,
                tags: tags.remove(&id).unwrap_or_default(),
            };
            self.collections.insert(id, Arc::new(row));
        }
        Ok(())
    }

    /// One collection; `None` when it does not exist.
    pub(crate) fn collection(&mut self, id: i64) -> StoreResult<Option<Arc<CollectionRow>>> {
        Ok(self.collections(&[id])?.pop())
    }

    /// Versions, in the order of `ids`; those that do not exist are left out.
    pub(crate) fn artifacts(&mut self, ids: &[i64]) -> StoreResult<Vec<Arc<ArtifactRow>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let set = set(ids);
        let mut tags = tags(
            self.db,
            "SELECT artifact_id, id, name FROM artifact_tags
             WHERE artifact_id IN (SELECT value FROM json_each(?1)) ORDER BY id",
            &set,
        )?;
        let mut aliases = self.aliases(&set)?;
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {ARTIFACT} FROM artifacts a WHERE a.id IN (SELECT value FROM json_each(?1))"
        ))?;
        let sequences = statement
            .query_map([&set], |row| row.get(18))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        self.collections(&sequences)?;
        let mut found = HashMap::with_capacity(ids.len());
        let mut rows = statement.query([&set])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let sequence = self.collections.get(&row.get(18)?).cloned().ok_or_else(missing)?;
            let (tags, aliases) = (tags.remove(&id), aliases.remove(&id));
            let row = artifact(
                row,
                sequence,
                tags.unwrap_or_default(),
                aliases.unwrap_or_default(),
            )?;
            found.insert(id, Arc::new(row));
        }
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    fn aliases(&mut self, artifacts: &str) -> StoreResult<HashMap<i64, Vec<AliasRow>>> {
        let mut statement = self.db.prepare_cached(
            "SELECT l.id, l.alias, l.collection_id, m.artifact_id FROM artifact_memberships m
             JOIN artifact_aliases l ON l.membership_id = m.id
             WHERE m.artifact_id IN (SELECT value FROM json_each(?1)) ORDER BY l.id",
        )?;
        let found = statement
            .query_map([artifacts], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, String, i64, i64)>>>()?;
        let collections: Vec<i64> = found.iter().map(|row| row.2).collect();
        self.collections(&collections)?;
        let mut aliases: HashMap<i64, Vec<AliasRow>> = HashMap::new();
        for (id, alias, collection, artifact) in found {
            let collection = self.collections.get(&collection).cloned().ok_or_else(missing)?;
            aliases.entry(artifact).or_default().push(AliasRow {
                id,
                alias,
                artifact,
                collection,
            });
        }
        Ok(aliases)
    }

    /// One version; `None` when it does not exist.
    pub(crate) fn artifact(&mut self, id: i64) -> StoreResult<Option<Arc<ArtifactRow>>> {
        Ok(self.artifacts(&[id])?.pop())
    }

    /// Memberships, in the order of `ids`; those that do not exist are left out.
    pub(crate) fn memberships(&mut self, ids: &[i64]) -> StoreResult<Vec<MembershipRow>> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, version_index, created_at, collection_id, artifact_id FROM artifact_memberships
             WHERE id IN (SELECT value FROM json_each(?1))",
        )?;
        let found = statement
            .query_map([set(ids)], |row| {
                Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            })?
            .collect::<rusqlite::Result<HashMap<i64, (i64, i64, i64, i64)>>>()?;
        let collections: Vec<i64> = found.values().map(|row| row.2).collect();
        self.collections(&collections)?;
        let artifacts: Vec<i64> = found.values().map(|row| row.3).collect();
        let artifacts: HashMap<i64, Arc<ArtifactRow>> = self
            .artifacts(&artifacts)?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            let Some((version_index, created_at, collection, artifact)) = found.get(id) else {
                continue;
            };
            rows.push(MembershipRow {
                id: *id,
                version_index: *version_index,
                created_at: *created_at,
                collection: self.collections.get(collection).cloned().ok_or_else(missing)?,
                artifact: artifacts.get(artifact).cloned().ok_or_else(missing)?,
            });
        }
        Ok(rows)
    }
}

fn tags(db: &Connection, sql: &str, owners: &str) -> StoreResult<HashMap<i64, Vec<TagRow>>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([owners])?;
    let mut tags: HashMap<i64, Vec<TagRow>> = HashMap::new();
    while let Some(row) = rows.next()? {
        tags.entry(row.get(0)?).or_default().push(TagRow {
            id: row.get(1)?,
            name: row.get(2)?,
        });
    }
    Ok(tags)
}

fn artifact(
    row: &Row<'_>,
    sequence: Arc<CollectionRow>,
    tags: Vec<TagRow>,
    aliases: Vec<AliasRow>,
) -> rusqlite::Result<ArtifactRow> {
    Ok(ArtifactRow {
        id: row.get(0)?,
        state: row.get(1)?,
        version_index: row.get(2)?,
        digest: row.get(3)?,
        algorithm: row.get(4)?,
        commit_hash: row.get(5)?,
        description: row.get(6)?,
        labels: row.get(7)?,
        metadata: row.get(8)?,
        size: row.get(9)?,
        storage_bytes: row.get(10)?,
        file_count: row.get(11)?,
        history_step: row.get(12)?,
        ttl_seconds: row.get(13)?,
        user: row.get(14)?,
        run: row.get(15)?,
        created_at: row.get(16)?,
        updated_at: row.get(17)?,
        sequence,
        tags,
        aliases,
    })
}
