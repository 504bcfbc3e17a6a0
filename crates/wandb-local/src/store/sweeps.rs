//! Sweeps: creating, changing, listing (protocol §2.12).

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::access;
use super::identity::Identity;
use super::ids::Kind;
use super::runs::{self, RunQuery, Wanted, Within};
use super::{StoreError, StoreResult, names, projects, time};
use crate::filter;
use crate::sweeps::SweepConfig;

/// Longest name or description, in bytes.
const MAX_TEXT: usize = 1 << 16;
/// Most runs that `priorRunsFilters` may add.
const MAX_PRIOR: u64 = 10_000;

/// A sweep as stored.
#[derive(Debug, Clone)]
pub(crate) struct SweepRow {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) method: String,
    /// YAML, as it was sent.
    pub(crate) config: String,
    pub(crate) controller: Option<String>,
    pub(crate) scheduler: Option<String>,
    pub(crate) state: String,
    /// How many proposals were made.
    pub(crate) proposed: i64,
    /// The number of the next point of a grid.
    pub(crate) grid_next: i64,
    pub(crate) seed: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) heartbeat_at: i64,
}

impl SweepRow {
    /// The config, read again. It was checked when it was stored, so that it fails only when another version of this
    /// program reads less.
    pub(crate) fn parsed(&self) -> StoreResult<SweepConfig> {
        SweepConfig::parse(&self.config)
            .map(|(config, _)| config)
            .map_err(|error| StoreError::Refused(error.to_string()))
    }

    /// The sweep's runs.
    pub(crate) fn runs(&self) -> Within {
        Within::Sweep {
            project: self.project_id,
            name: self.name.clone(),
        }
    }
}

/// The state as clients see it: a sweep whose search is over is finished once none of its runs is alive.
const STATE: &str = "CASE WHEN s.state = 'RUNNING' AND s.exhausted AND NOT EXISTS (
      SELECT 1 FROM runs r WHERE r.project_id = s.project_id AND r.sweep_name = s.name
        AND (r.state IN ('pending', 'running', 'preempting')
             OR r.state = 'preempted' AND EXISTS (SELECT 1 FROM trials t WHERE t.run_id = r.id)))
    THEN 'FINISHED' ELSE s.state END";

fn select(condition: &str) -> String {
    format!(
        "SELECT s.id, s.project_id, s.name, s.display_name, s.description, s.method, s.config, s.controller,
           s.scheduler, {STATE}, s.proposed, s.grid_next, s.seed, s.created_at, s.updated_at, s.heartbeat_at
         FROM sweeps s WHERE {condition}"
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<SweepRow> {
    Ok(SweepRow {
        id: row.get(0)?,
        project_id: row.get(1)?,
        name: row.get(2)?,
        display_name: row.get(3)?,
        description: row.get(4)?,
        method: row.get(5)?,
        config: row.get(6)?,
        controller: row.get(7)?,
        scheduler: row.get(8)?,
        state: row.get(9)?,
        proposed: row.get(10)?,
        grid_next: row.get(11)?,
        seed: row.get(12)?,
        created_at: row.get(13)?,
        updated_at: row.get(14)?,
        heartbeat_at: row.get(15)?,
    })
}

/// The sweep of this name in a project.
pub(crate) fn find(db: &Connection, project: i64, name: &str) -> StoreResult<Option<SweepRow>> {
    Ok(db
        .prepare_cached(&select("s.project_id = ?1 AND s.name = ?2"))?
        .query_row(params![project, name], read)
        .optional()?)
}

/// The sweep with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<SweepRow>> {
    Ok(db
        .prepare_cached(&select("s.id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// Lets a change of a sweep pass that the caller may make.
///
/// # Errors
/// As [`access::require_write`].
pub(crate) fn require_write(db: &Connection, caller: &Identity, sweep: &SweepRow) -> StoreResult<()> {
    access::require_write(db, caller, sweep.project_id, &format!("sweep {}", sweep.name))
}

/// How many sweeps a project has.
pub(crate) fn count(db: &Connection, project: i64) -> StoreResult<i64> {
    Ok(db
        .prepare_cached("SELECT COUNT(*) FROM sweeps WHERE project_id = ?1")?
        .query_row([project], |row| row.get(0))?)
}

/// One page of a project's sweeps, newest first, and whether more follow. The filter language is that of runs, over what
/// a sweep has of it: names, state, description, user and times; everything else is absent.
pub(crate) fn list(
    db: &Connection,
    project: i64,
    filters: Option<&str>,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<SweepRow>, bool)> {
    let mut values = vec![Value::Integer(project)];
    let compiled = filter::compile_filter(filter::Subject::Runs, filters)
        .map_err(|error| StoreError::Filter(filter::explain(&error)))?;
    let condition = match compiled {
        None => "r.project_id = ?".to_owned(),
        Some(fragment) => {
            values.extend(fragment.params);
            format!("r.project_id = ? AND ({})", fragment.sql)
        }
    };
    values.push(Value::Integer(limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
    // The ids are negated, so that no sweep has the tags or the metrics of the run with its number.
    let sql = format!(
        "SELECT -r.id FROM (
           SELECT -s.id AS id, s.project_id, s.name, COALESCE(s.display_name, s.name) AS display_name, {STATE} AS state,
             NULL AS group_name, NULL AS job_type, NULL AS host, NULL AS commit_hash, NULL AS program, NULL AS repo,
             NULL AS notes, s.description, s.name AS sweep_name, u.username AS user_name, s.created_at, s.updated_at,
             s.heartbeat_at, '{{}}' AS config_query, '{{}}' AS summary_query
           FROM sweeps s JOIN users u ON u.id = s.user_id) r
         WHERE {condition} ORDER BY r.created_at DESC, r.id LIMIT ? OFFSET ?"
    );
    let mut ids = db
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let more = ids.len() as u64 > limit;
    ids.truncate(limit as usize);
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.extend(by_id(db, id)?);
    }
    Ok((rows, more))
}

/// The input of `upsertSweep`. `None` leaves alone.
#[derive(Debug, Default)]
pub(crate) struct SweepPatch {
    pub(crate) id: Option<String>,
    pub(crate) config: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) controller: Option<String>,
    pub(crate) scheduler: Option<String>,
    pub(crate) state: Option<String>,
    /// A run filter: runs that exist and become part of the sweep.
    pub(crate) prior_runs: Option<String>,
}

/// What became of an upsert.
#[derive(Debug)]
pub(crate) struct Upserted {
    pub(crate) id: i64,
    pub(crate) inserted: bool,
    pub(crate) warnings: Vec<String>,
}

/// Creates or changes a sweep.
pub(crate) fn upsert(db: &Connection, identity: &Identity, patch: &SweepPatch) -> StoreResult<Upserted> {
    for text in [&patch.description, &patch.display_name].into_iter().flatten() {
        if text.len() > MAX_TEXT {
            return Err(StoreError::Refused(format!(
                "a name or description of a sweep is longer than {MAX_TEXT} bytes"
            )));
        }
    }
    let (config, warnings) = match patch.config.as_deref() {
        None => (None, Vec::new()),
        Some(text) => {
            let (config, warnings) =
                SweepConfig::parse(text).map_err(|error| StoreError::Refused(error.to_string()))?;
            (Some(config), warnings)
        }
    };
    let (sweep, inserted) = match patch.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => {
            let found = match Kind::Sweep.decode(id) {
                Some(number) => by_id(db, number)?,
                None => None,
            };
            let missing = || StoreError::Refused(format!("sweep not found for id {id:?}"));
            let found = found.ok_or_else(missing)?;
            require_write(db, identity, &found)?;
            (found, false)
        }
        None => {
            let needed = || StoreError::Refused("a sweep needs a config".to_owned());
            (
                create(db, identity, patch, config.as_ref().ok_or_else(needed)?)?,
                true,
            )
        }
    };
    let method = config.as_ref().map(|config| config.method.name());
    // A title in the YAML is the title, unless one is given beside it; an edited config does not take it back.
    let title = patch.display_name.as_ref();
    db.execute(
        "UPDATE sweeps SET display_name = COALESCE(?2, display_name), description = COALESCE(?3, description),
           controller = COALESCE(?4, controller), scheduler = COALESCE(?5, scheduler), updated_at = ?6 WHERE id = ?1",
        params![sweep.id, title, patch.description, patch.controller, patch.scheduler, time::now()],
    )?;
    if let (false, Some(text)) = (inserted, &patch.config) {
        // Another space is searched from its beginning; points that were proposed already are passed over.
        db.execute(
            "UPDATE sweeps SET config = ?2, method = COALESCE(?3, method), exhausted = 0, grid_next = 0 WHERE id = ?1",
            params![sweep.id, text, method],
        )?;
    }
    if let Some(filters) = &patch.prior_runs {
        adopt(db, &sweep, filters)?;
    }
    if let Some(state) = patch.state.as_deref().filter(|state| !state.is_empty()) {
        change_state(db, &sweep, state)?;
    }
    Ok(Upserted {
        id: sweep.id,
        inserted,
        warnings,
    })
}

fn create(
    db: &Connection,
    identity: &Identity,
    patch: &SweepPatch,
    config: &SweepConfig,
) -> StoreResult<SweepRow> {
    let given = |given: &Option<String>, written: &Option<String>| {
        given
            .clone()
            .filter(|text| !text.is_empty())
            .or_else(|| written.clone())
    };
    let entity = given(&patch.entity, &config.entity);
    let project = given(&patch.project, &config.project);
    let (project, _) = projects::ensure(db, identity, entity.as_deref(), project.as_deref())?;
    let what = format!("project {}/{}", project.entity_name, project.name);
    access::require_write(db, identity, project.id, &what)?;
    let random = |source| StoreError::Io {
        doing: "make a random name".to_owned(),
        source,
    };
    let name = names::run_id().map_err(random)?;
    let mut seed = [0_u8; 8];
    names::random(&mut seed).map_err(random)?;
    let now = time::now();
    db.execute(
        "INSERT INTO sweeps (project_id, user_id, name, display_name, description, method, config, state, seed,
                             created_at, updated_at, heartbeat_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'PENDING', ?8, ?9, ?9, ?9)",
        params![
            project.id,
            identity.user,
            name,
            config.name,
            config.description,
            config.method.name(),
            patch.config,
            i64::from_le_bytes(seed),
            now
        ],
    )?;
    Ok(by_id(db, db.last_insert_rowid())?.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
}

/// Makes runs that match a filter part of a sweep. Runs of another sweep stay where they are.
fn adopt(db: &Connection, sweep: &SweepRow, filters: &str) -> StoreResult<()> {
    let query = RunQuery {
        within: Within::Project(sweep.project_id),
        filters: Some(filters.to_owned()),
        order: None,
        offset: 0,
        limit: MAX_PRIOR,
    };
    let (rows, more) = runs::list(db, &query, Wanted::default())?;
    if more {
        return Err(StoreError::Refused(format!("more than {MAX_PRIOR} prior runs")));
    }
    for row in rows {
        db.execute(
            "UPDATE runs SET sweep_name = ?2 WHERE id = ?1 AND sweep_name IS NULL",
            params![row.id, sweep.name],
        )?;
    }
    Ok(())
}

/// Changes the state, where the change has a meaning: a canceled sweep stays so; a finished one can be gone on with,
/// and then proposes again what was deleted.
fn change_state(db: &Connection, sweep: &SweepRow, to: &str) -> StoreResult<()> {
    let from = sweep.state.as_str();
    let allowed = match to {
        "PENDING" => false,
        "RUNNING" => from != "CANCELED",
        "PAUSED" => matches!(from, "PENDING" | "RUNNING"),
        "CANCELED" | "FINISHED" => matches!(from, "PENDING" | "RUNNING" | "PAUSED"),
        _ => return Err(StoreError::Refused(format!("unknown state {to:?} of a sweep"))),
    };
    if from == to {
        return Ok(());
    }
    if !allowed {
        return Err(StoreError::Refused(format!(
            "a sweep cannot go from state {from} to {to}"
        )));
    }
    let now = time::now();
    db.execute(
        "UPDATE sweeps SET state = ?2, updated_at = ?3 WHERE id = ?1",
        params![sweep.id, to, now],
    )?;
    if to == "RUNNING" {
        db.execute(
            "UPDATE sweeps SET exhausted = 0, grid_next = 0 WHERE id = ?1",
            [sweep.id],
        )?;
    }
    if to == "CANCELED" {
        db.execute(
            "UPDATE runs SET stop_requested = 1, updated_at = ?3
             WHERE project_id = ?1 AND sweep_name = ?2 AND state IN ('running', 'preempting')",
            params![sweep.project_id, sweep.name, now],
        )?;
        db.execute(
            "UPDATE runs SET state = 'killed', stop_requested = 1, updated_at = ?3, finished_at = ?3
             WHERE project_id = ?1 AND sweep_name = ?2 AND state IN ('pending', 'preempted')",
            params![sweep.project_id, sweep.name, now],
        )?;
    }
    Ok(())
}
