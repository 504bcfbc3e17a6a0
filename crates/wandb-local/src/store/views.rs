//! Reports, their drafts, and saved workspaces (protocol §2.13). What a view shows is its spec, which stays text here.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::ids::Kind;
use super::projects::ProjectRow;
use super::{StoreError, StoreResult, names, time};

/// Longest spec taken, in bytes. The largest reports seen are of a few megabytes.
const MAX_SPEC: usize = 64 << 20;
/// Longest name, title or type, in bytes.
const MAX_NAME: usize = 1024;

/// A view as stored; the spec is `None` when it was not asked for.
#[derive(Debug, Clone)]
pub(crate) struct ViewRow {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) locked: bool,
    pub(crate) preview_url: Option<String>,
    pub(crate) created_using: String,
    pub(crate) view_count: i64,
    pub(crate) user_name: String,
    pub(crate) updated_by: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) spec: Option<Option<String>>,
}

const COLUMNS: &str =
    "v.id, v.project_id, v.kind, v.name, v.display_name, v.description, v.locked, v.preview_url,
    v.created_using, v.view_count, v.user_name, v.updated_by, v.created_at, v.updated_at";

fn columns(spec: bool) -> String {
    format!("{COLUMNS}, {}", if spec { "v.spec" } else { "NULL" })
}

fn read(row: &Row<'_>, spec: bool) -> rusqlite::Result<ViewRow> {
    Ok(ViewRow {
        id: row.get(0)?,
        project_id: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        display_name: row.get(4)?,
        description: row.get(5)?,
        locked: row.get(6)?,
        preview_url: row.get(7)?,
        created_using: row.get(8)?,
        view_count: row.get(9)?,
        user_name: row.get(10)?,
        updated_by: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
        spec: if spec { Some(row.get(14)?) } else { None },
    })
}

/// The view with this row number.
pub(crate) fn by_id(db: &Connection, id: i64, spec: bool) -> StoreResult<Option<ViewRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {} FROM views v WHERE v.id = ?1", columns(spec)))?
        .query_row([id], |row| read(row, spec))
        .optional()?)
}

/// Which views of a project are wanted; `None` does not restrict.
#[derive(Debug, Clone, Default)]
pub(crate) struct ViewQuery {
    pub(crate) project: i64,
    /// `runs`, `runs/draft`, `project-view`, …
    pub(crate) kind: Option<String>,
    /// The name or the title: clients pass what their user calls the report.
    pub(crate) name: Option<String>,
    /// Who made it.
    pub(crate) user: Option<String>,
}

const MATCHING: &str = "v.project_id = ?1 AND (?2 IS NULL OR v.kind = ?2)
   AND (?3 IS NULL OR v.name = ?3 OR v.display_name = ?3) AND (?4 IS NULL OR v.user_name = ?4)";

/// One page of views, newest first, and whether more follow.
pub(crate) fn list(
    db: &Connection,
    query: &ViewQuery,
    spec: bool,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<ViewRow>, bool)> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {} FROM views v WHERE {MATCHING} ORDER BY v.created_at DESC, v.id DESC LIMIT ?5 OFFSET ?6",
        columns(spec)
    ))?;
    let mut rows = statement
        .query_map(
            params![
                query.project,
                query.kind,
                query.name,
                query.user,
                limit.saturating_add(1) as i64,
                i64::try_from(offset).unwrap_or(i64::MAX)
            ],
            |row| read(row, spec),
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// How many views match.
pub(crate) fn count(db: &Connection, query: &ViewQuery) -> StoreResult<i64> {
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM views v WHERE {MATCHING}"))?
        .query_row(
            params![query.project, query.kind, query.name, query.user],
            |row| row.get(0),
        )?)
}

/// What `upsertView` sets; `None` leaves alone.
#[derive(Debug, Default)]
pub(crate) struct ViewPatch {
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) spec: Option<String>,
    /// The report that this is a draft of.
    pub(crate) parent: Option<i64>,
    pub(crate) locked: Option<bool>,
    pub(crate) preview_url: Option<String>,
    pub(crate) cover_url: Option<String>,
    pub(crate) showcased_at: Option<i64>,
    pub(crate) created_using: Option<&'static str>,
}

fn check(patch: &ViewPatch) -> StoreResult<()> {
    let names = [&patch.kind, &patch.name, &patch.display_name];
    if names.into_iter().flatten().any(|name| name.len() > MAX_NAME) {
        return Err(StoreError::Refused(format!(
            "a name, title or type of a view is longer than {MAX_NAME} bytes"
        )));
    }
    if patch.spec.as_ref().is_some_and(|spec| spec.len() > MAX_SPEC) {
        return Err(StoreError::Refused(format!(
            "the spec of a view is longer than {MAX_SPEC} bytes"
        )));
    }
    Ok(())
}

/// Changes the view `id`, by `user`.
pub(crate) fn update(db: &Connection, user: &str, id: i64, patch: &ViewPatch) -> StoreResult<()> {
    check(patch)?;
    let changed = db.execute(
        "UPDATE OR IGNORE views SET kind = COALESCE(?2, kind), name = COALESCE(NULLIF(?3, ''), name),
           display_name = COALESCE(?4, display_name), description = COALESCE(?5, description),
           spec = COALESCE(?6, spec), parent_id = COALESCE(?7, parent_id), locked = COALESCE(?8, locked),
           preview_url = COALESCE(?9, preview_url), cover_url = COALESCE(?10, cover_url),
           showcased_at = COALESCE(?11, showcased_at), updated_by = ?12, updated_at = ?13
         WHERE id = ?1",
        params![
            id,
            patch.kind,
            patch.name,
            patch.display_name,
            patch.description,
            patch.spec,
            patch.parent,
            patch.locked,
            patch.preview_url,
            patch.cover_url,
            patch.showcased_at,
            user,
            time::now()
        ],
    )?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Refused(match by_id(db, id, false)? {
        Some(_) => "another view of the project has this type and name".to_owned(),
        None => format!("view not found for id {:?}", Kind::View.encode(id)),
    }))
}

/// Creates a view, or changes the one of this type and name: a request may come twice. Returns its row number and
/// whether it is new.
pub(crate) fn upsert(
    db: &Connection,
    user: &str,
    project: &ProjectRow,
    patch: &ViewPatch,
) -> StoreResult<(i64, bool)> {
    check(patch)?;
    let kind = patch.kind.as_deref().unwrap_or("runs");
    let name = match patch.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => names::run_id().map_err(|source| StoreError::Io {
            doing: "make a random name".to_owned(),
            source,
        })?,
    };
    let known: Option<i64> = db
        .query_row(
            "SELECT id FROM views WHERE project_id = ?1 AND kind = ?2 AND name = ?3",
            params![project.id, kind, name],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = known {
        update(db, user, id, patch)?;
        return Ok((id, false));
    }
    db.execute(
        "INSERT INTO views (project_id, user_name, updated_by, parent_id, kind, name, display_name, description, spec,
                            locked, preview_url, cover_url, showcased_at, created_using, created_at, updated_at)
         VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, COALESCE(?9, 0), ?10, ?11, ?12, COALESCE(?13, 'WANDB_UI'), ?14, ?14)",
        params![
            project.id,
            user,
            patch.parent,
            kind,
            name,
            patch.display_name,
            patch.description,
            patch.spec,
            patch.locked,
            patch.preview_url,
            patch.cover_url,
            patch.showcased_at,
            patch.created_using,
            time::now()
        ],
    )?;
    Ok((db.last_insert_rowid(), true))
}

/// What became of a view that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// It is gone, its drafts with it.
    Yes,
    /// It has drafts, and they were not to be deleted: nothing was.
    HasDrafts,
    /// There is none; the request may be a retry.
    Missing,
}

/// Deletes a view.
pub(crate) fn delete(db: &Connection, id: i64, drafts: bool) -> StoreResult<Deleted> {
    let has_drafts: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM views WHERE parent_id = ?1 AND id <> ?1)",
        [id],
        |row| row.get(0),
    )?;
    if has_drafts && !drafts {
        return Ok(Deleted::HasDrafts);
    }
    db.execute("DELETE FROM views WHERE parent_id = ?1 AND id <> ?1", [id])?;
    let gone = db.execute("DELETE FROM views WHERE id = ?1", [id])? > 0;
    Ok(if gone { Deleted::Yes } else { Deleted::Missing })
}
