//! Projects.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::access::{self, Right};
use super::identity::{self, Identity};
use super::{StoreError, StoreResult, artifacts, time, upsert};

/// Where runs go that name no project, as the official client has it (protocol §2.6).
pub(crate) const UNCATEGORIZED: &str = "uncategorized";
/// Longest project name that the official client lets through (protocol §6.5).
const NAME_LIMIT: usize = 128;
const NAME_FORBIDDEN: &[char] = &['/', '\\', '#', '?', '%', ':'];

/// A project as stored.
#[derive(Debug, Clone)]
pub(crate) struct ProjectRow {
    pub(crate) id: i64,
    /// Row number of the user who made it.
    pub(crate) user: i64,
    pub(crate) name: String,
    pub(crate) entity_id: i64,
    pub(crate) entity_name: String,
    pub(crate) entity_is_team: bool,
    pub(crate) description: Option<String>,
    pub(crate) access: Option<String>,
    pub(crate) views: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

const COLUMNS: &str =
    "p.id, p.user_id, p.name, e.name, p.description, p.access, p.views, p.created_at, p.updated_at, e.id, e.is_team
     FROM projects p JOIN entities e ON e.id = p.entity_id";

fn read(row: &Row<'_>) -> rusqlite::Result<ProjectRow> {
    Ok(ProjectRow {
        id: row.get(0)?,
        user: row.get(1)?,
        name: row.get(2)?,
        entity_name: row.get(3)?,
        description: row.get(4)?,
        access: row.get(5)?,
        views: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
        entity_id: row.get(9)?,
        entity_is_team: row.get(10)?,
    })
}

/// The project of this entity and name, if the caller may see it; no entity means the caller's default.
pub(crate) fn find(
    db: &Connection,
    identity: &Identity,
    entity: Option<&str>,
    name: &str,
) -> StoreResult<Option<ProjectRow>> {
    let Some(entity) = identity::entity(db, identity, entity)? else {
        return Ok(None);
    };
    let row = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE p.entity_id = ?1 AND p.name = ?2"
        ))?
        .query_row(params![entity.id, name], read)
        .optional()?;
    match row {
        Some(row) if access::may(db, identity, row.id, Right::Read)? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// [`find`] for a change: refused for a project that the caller may see and not change.
///
/// # Errors
/// [`StoreError::Denied`].
pub(crate) fn find_to_change(
    db: &Connection,
    identity: &Identity,
    entity: Option<&str>,
    name: &str,
) -> StoreResult<Option<ProjectRow>> {
    let found = find(db, identity, entity, name)?;
    if let Some(project) = &found {
        let what = format!("project {}/{}", project.entity_name, project.name);
        access::require_write(db, identity, project.id, &what)?;
    }
    Ok(found)
}

/// The project with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<ProjectRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE p.id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// One page of an entity's projects that the caller may see, newest first, and whether more follow.
pub(crate) fn list(
    db: &Connection,
    identity: &Identity,
    entity: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<ProjectRow>, bool)> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE p.entity_id = ?3 AND {} ORDER BY p.created_at DESC, p.id DESC LIMIT ?4 OFFSET ?5",
        access::READABLE
    ))?;
    let mut rows = statement
        .query_map(
            params![
                identity.user,
                identity.admin,
                entity,
                limit.saturating_add(1) as i64,
                offset as i64
            ],
            read,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

fn check_name(name: &str) -> StoreResult<()> {
    if name.is_empty()
        || name.chars().count() > NAME_LIMIT
        || name.contains(NAME_FORBIDDEN)
        || name.contains(char::is_control)
    {
        return Err(StoreError::Refused(format!(
            "invalid project name {name:?}: 1 to {NAME_LIMIT} characters, none of / \\ # ? % :"
        )));
    }
    Ok(())
}

/// The project of this name, created when it is missing; the flag tells whether it was.
pub(crate) fn ensure(
    db: &Connection,
    identity: &Identity,
    entity: Option<&str>,
    name: Option<&str>,
) -> StoreResult<(ProjectRow, bool)> {
    let name = match name {
        None | Some("") => UNCATEGORIZED,
        Some(name) => name,
    };
    if let Some(found) = find_to_change(db, identity, entity, name)? {
        return Ok((found, false));
    }
    let Some(entity) = identity::entity(db, identity, entity)? else {
        return Err(StoreError::Refused(format!(
            "entity {} not found",
            entity.unwrap_or_default()
        )));
    };
    check_name(name)?;
    // Also for the name of a project that the caller may not see: nothing is told of it.
    if !access::may_create_below(db, identity, entity.id)? {
        return Err(StoreError::Denied(format!("entity {}", entity.name)));
    }
    let now = time::now();
    db.execute(
        "INSERT INTO projects (entity_id, user_id, name, access, created_at, updated_at) VALUES (?1, ?2, ?3, ?5, ?4, ?4)
         ON CONFLICT (entity_id, name) DO NOTHING",
        params![entity.id, identity.user, name, now, access::DEFAULT],
    )?;
    if db.changes() == 0 {
        return Err(StoreError::Denied(format!("project {}/{name}", entity.name)));
    }
    let id = db.last_insert_rowid();
    let row = by_id(db, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok((row, true))
}

/// What `upsertModel` may set; `None` leaves a field alone.
#[derive(Debug, Default)]
pub(crate) struct ProjectPatch {
    pub(crate) description: Option<String>,
    pub(crate) access: Option<String>,
    pub(crate) views: Option<String>,
}

/// Writes the fields that the patch holds.
pub(crate) fn patch(db: &Connection, id: i64, patch: &ProjectPatch) -> StoreResult<()> {
    db.execute(
        "UPDATE projects SET description = COALESCE(?2, description), access = COALESCE(?3, access),
           views = COALESCE(?4, views), updated_at = ?5 WHERE id = ?1",
        params![id, patch.description, patch.access, patch.views, time::now()],
    )?;
    Ok(())
}

/// Gives a project another name. Its runs and reports keep their ids; paths with the old name lead nowhere.
pub(crate) fn rename(db: &Connection, project: &ProjectRow, name: &str) -> StoreResult<()> {
    if project.name == name {
        return Ok(());
    }
    check_name(name)?;
    let renamed = db.execute(
        "UPDATE OR IGNORE projects SET name = ?2, updated_at = ?3 WHERE id = ?1",
        params![project.id, name, time::now()],
    )?;
    if renamed == 0 {
        return Err(StoreError::Refused(format!(
            "project {}/{name} exists already",
            project.entity_name
        )));
    }
    Ok(())
}

/// Deletes a project with everything in it; false when there was none. Returns the digests whose bytes may have lost
/// their last reference.
pub(crate) fn delete(db: &Connection, id: i64) -> StoreResult<(bool, Vec<String>)> {
    let mut statement = db.prepare_cached("SELECT id FROM runs WHERE project_id = ?1")?;
    let runs = statement
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut digests = std::collections::BTreeSet::new();
    for run in runs {
        // The lines of a run are in tables that no foreign key reaches.
        digests.extend(upsert::delete(db, run)?.1);
    }
    digests.extend(artifacts::collections::digests_of_project(db, id)?);
    let linked = artifacts::collections::portfolios_elsewhere(db, id)?;
    let deleted = db.execute("DELETE FROM projects WHERE id = ?1", [id])? > 0;
    let now = time::now();
    for portfolio in linked {
        artifacts::edit::settle_latest(db, portfolio, now)?;
    }
    Ok((deleted, digests.into_iter().collect()))
}
