//! Reading runs: one, many, filtered, sorted, counted.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::identity::Identity;
use super::{StoreError, StoreResult, access};
use crate::filter;

/// A run as stored. The texts are `None` when they were not asked for.
#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) state: String,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) program: Option<String>,
    pub(crate) repo: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) sweep_name: Option<String>,
    pub(crate) user_name: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// Counts the writes to what [`patch`](super::patch) can write.
    pub(crate) revision: i64,
    pub(crate) heartbeat_at: i64,
    pub(crate) started_at: i64,
    pub(crate) finished_at: Option<i64>,
    pub(crate) exit_code: Option<i64>,
    pub(crate) stop_requested: bool,
    /// The number of the next line of history.
    pub(crate) history_lines: i64,
    /// How many rows of history there are: fewer than lines where a writer left a gap.
    pub(crate) history_rows: i64,
    pub(crate) event_lines: i64,
    pub(crate) log_lines: i64,
    /// JSON array of strings.
    pub(crate) tags: String,
    pub(crate) config: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) last_event: Option<Option<String>>,
    pub(crate) key_stats: Option<Option<String>>,
}

/// Which of the heavy texts of a run are wanted. A light list of a thousand runs must not read their configs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub(crate) config: bool,
    pub(crate) summary: bool,
    pub(crate) last_event: bool,
    pub(crate) key_stats: bool,
}

impl RunRow {
    /// A token that changes with every write to config, summary, tags, notes, display name, group and job type. The
    /// time of creation tells runs apart that had the same row number.
    pub(crate) fn revision_token(&self) -> String {
        revision_token(self.created_at, self.revision)
    }
}

/// See [`RunRow::revision_token`].
pub(crate) fn revision_token(created_at: i64, revision: i64) -> String {
    format!("{created_at:x}-{revision:x}")
}

impl Wanted {
    fn columns(self) -> String {
        let mut text = String::from(
            "r.id, r.project_id, r.name, r.display_name, r.state, r.group_name, r.job_type, r.host, r.commit_hash,
             r.program, r.repo, r.notes, r.description, r.sweep_name, r.user_name, r.created_at, r.updated_at,
             r.heartbeat_at, r.started_at, r.finished_at, r.exit_code, r.stop_requested, r.history_lines,
             r.event_lines, r.log_lines,
             (SELECT json_group_array(t.tag) FROM (SELECT tag FROM run_tags WHERE run_id = r.id ORDER BY position) t)",
        );
        text.push_str(if self.config { ", r.config" } else { ", NULL" });
        text.push_str(if self.summary { ", r.summary" } else { ", NULL" });
        text.push_str(if self.last_event {
            ", (SELECT v.row FROM events v WHERE v.position >= (r.id << 32) AND v.position < ((r.id + 1) << 32)
                 ORDER BY v.position DESC LIMIT 1)"
        } else {
            ", NULL"
        });
        text.push_str(if self.key_stats { ", r.key_stats" } else { ", NULL" });
        text.push_str(", r.history_rows, r.revision");
        text
    }

    fn read(self, row: &Row<'_>) -> rusqlite::Result<RunRow> {
        Ok(RunRow {
            id: row.get(0)?,
            project_id: row.get(1)?,
            name: row.get(2)?,
            display_name: row.get(3)?,
            state: row.get(4)?,
            group: row.get(5)?,
            job_type: row.get(6)?,
            host: row.get(7)?,
            commit: row.get(8)?,
            program: row.get(9)?,
            repo: row.get(10)?,
            notes: row.get(11)?,
            description: row.get(12)?,
            sweep_name: row.get(13)?,
            user_name: row.get(14)?,
            created_at: row.get(15)?,
            updated_at: row.get(16)?,
            heartbeat_at: row.get(17)?,
            started_at: row.get(18)?,
            finished_at: row.get(19)?,
            exit_code: row.get(20)?,
            stop_requested: row.get(21)?,
            history_lines: row.get(22)?,
            history_rows: row.get(30)?,
            revision: row.get(31)?,
            event_lines: row.get(23)?,
            log_lines: row.get(24)?,
            tags: row.get(25)?,
            config: if self.config { row.get(26)? } else { None },
            summary: if self.summary { row.get(27)? } else { None },
            last_event: if self.last_event { Some(row.get(28)?) } else { None },
            key_stats: if self.key_stats { Some(row.get(29)?) } else { None },
        })
    }
}

/// The run of this name in a project.
pub(crate) fn find(db: &Connection, project: i64, name: &str, wanted: Wanted) -> StoreResult<Option<RunRow>> {
    let sql = format!(
        "SELECT {} FROM runs r WHERE r.project_id = ?1 AND r.name = ?2",
        wanted.columns()
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row(params![project, name], |row| wanted.read(row))
        .optional()?)
}

/// The run with this row number.
pub(crate) fn by_id(db: &Connection, id: i64, wanted: Wanted) -> StoreResult<Option<RunRow>> {
    let sql = format!("SELECT {} FROM runs r WHERE r.id = ?1", wanted.columns());
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id], |row| wanted.read(row))
        .optional()?)
}

/// The runs among which a query looks.
#[derive(Debug, Clone)]
pub(crate) enum Within {
    Project(i64),
    /// The sweep of this name in a project.
    Sweep {
        project: i64,
        name: String,
    },
    /// Those that were handed to an agent.
    Agent(i64),
    /// Those that used a version of an artifact, as far as the caller may see them: they may be of any project.
    UsersOf {
        artifact: i64,
        caller: Arc<Identity>,
    },
}

impl From<i64> for Within {
    fn from(project: i64) -> Self {
        Self::Project(project)
    }
}

/// One page of runs.
#[derive(Debug, Clone)]
pub(crate) struct RunQuery {
    pub(crate) within: Within,
    /// Mongo-style JSON.
    pub(crate) filters: Option<String>,
    /// `+created_at`, `-summary_metrics.loss`, …
    pub(crate) order: Option<String>,
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

/// The `WHERE` clause of a query and its parameters, those of the place first.
fn conditions(within: &Within, filters: Option<&str>) -> StoreResult<(String, Vec<Value>)> {
    let (place, mut values) = match within {
        Within::Project(project) => ("r.project_id = ?", vec![Value::Integer(*project)]),
        Within::Sweep { project, name } => (
            "r.project_id = ? AND r.sweep_name = ?",
            vec![Value::Integer(*project), Value::Text(name.clone())],
        ),
        Within::Agent(agent) => ("r.agent_id = ?", vec![Value::Integer(*agent)]),
        Within::UsersOf { artifact, .. } => (
            "r.id IN (SELECT run_id FROM run_inputs WHERE artifact_id = ?)",
            vec![Value::Integer(*artifact)],
        ),
    };
    let mut clause = String::from(place);
    if let Within::UsersOf { caller, .. } = within {
        let (seen, of_seen) = access::readable(caller, "r.project_id");
        clause.push_str(" AND ");
        clause.push_str(&seen);
        values.extend(of_seen);
    }
    let compiled = filter::compile_filter(filter::Subject::Runs, filters)
        .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
    if let Some(fragment) = compiled {
        clause.push_str(" AND (");
        clause.push_str(&fragment.sql);
        clause.push(')');
        values.extend(fragment.params);
    }
    Ok((clause, values))
}

/// The runs of a page, and whether more follow.
pub(crate) fn list(db: &Connection, query: &RunQuery, wanted: Wanted) -> StoreResult<(Vec<RunRow>, bool)> {
    let (clause, mut values) = conditions(&query.within, query.filters.as_deref())?;
    let order = filter::compile_order(filter::Subject::Runs, query.order.as_deref())
        .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
    values.extend(order.params);
    values.push(Value::Integer(query.limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(query.offset).unwrap_or(i64::MAX)));
    // The page is found by row numbers first: sorting and skipping must not carry configs and summaries along.
    let sql = format!(
        "SELECT r.id FROM runs r WHERE {clause} ORDER BY {} LIMIT ? OFFSET ?",
        order.sql
    );
    let mut ids = db
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let more = ids.len() as u64 > query.limit;
    ids.truncate(query.limit as usize);
    let mut one = db.prepare_cached(&format!(
        "SELECT {} FROM runs r WHERE r.id = ?1",
        wanted.columns()
    ))?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.push(one.query_row([id], |row| wanted.read(row))?);
    }
    Ok((rows, more))
}

/// How many runs match.
pub(crate) fn count(db: &Connection, within: impl Into<Within>, filters: Option<&str>) -> StoreResult<i64> {
    let (clause, values) = conditions(&within.into(), filters)?;
    let sql = format!("SELECT COUNT(*) FROM runs r WHERE {clause}");
    Ok(db
        .prepare_cached(&sql)?
        .query_row(params_from_iter(values), |row| row.get(0))?)
}

/// Runs that ought to show a sign of life: those that run, and those that an agent has taken and not yet started.
const ALIVE: [&str; 2] = [
    "state IN ('running', 'preempting')",
    "state = 'pending' AND agent_id IS NOT NULL",
];

/// True when a living run has been silent since before `deadline` (microseconds).
pub(crate) fn any_silent(db: &Connection, deadline: i64) -> StoreResult<bool> {
    // Two look-ups, as each has an index of its own.
    for alive in ALIVE {
        let silent = db
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM runs WHERE {alive} AND heartbeat_at < ?1)"
            ))?
            .query_row([deadline], |row| row.get(0))?;
        if silent {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Marks living runs that have been silent since before `deadline` as crashed, or as preempted when they had announced
/// that; returns how many.
pub(crate) fn mark_crashed(db: &Connection, deadline: i64, now: i64) -> StoreResult<usize> {
    let mut marked = 0;
    for alive in ALIVE {
        marked += db.execute(
            &format!(
                "UPDATE runs SET state = CASE state WHEN 'preempting' THEN 'preempted' ELSE 'crashed' END,
                   updated_at = ?2, finished_at = heartbeat_at
                 WHERE {alive} AND heartbeat_at < ?1"
            ),
            [deadline, now],
        )?;
    }
    Ok(marked)
}
