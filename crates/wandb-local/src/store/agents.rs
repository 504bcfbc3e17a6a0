//! Agents: processes that ask a sweep what to run (protocol §2.12).
//!
//! One heartbeat is one transaction on the writing thread, so that a run is handed out in exactly one of them, however
//! many agents ask at once.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use super::identity::Identity;
use super::sweeps::{self, SweepRow};
use super::trials::{self, Trial};
use super::{StoreError, StoreResult, early, names};
use crate::sweeps::{Method, SweepConfig};

/// Longest host name kept, in characters.
const MAX_HOST: usize = 255;
/// Most agents listed of one sweep: the newest.
const MAX_AGENTS: i64 = 10_000;

/// An agent as stored.
#[derive(Debug, Clone)]
pub(crate) struct AgentRow {
    pub(crate) id: i64,
    pub(crate) sweep_id: i64,
    pub(crate) name: String,
    pub(crate) host: String,
    /// It was told to exit.
    pub(crate) ended: bool,
    pub(crate) created_at: i64,
    pub(crate) heartbeat_at: i64,
    pub(crate) total_runs: i64,
}

const SELECT: &str = "SELECT a.id, a.sweep_id, a.name, a.host, a.ended, a.created_at, a.heartbeat_at,
    (SELECT COUNT(*) FROM runs r WHERE r.agent_id = a.id) FROM agents a";

fn read(row: &Row<'_>) -> rusqlite::Result<AgentRow> {
    Ok(AgentRow {
        id: row.get(0)?,
        sweep_id: row.get(1)?,
        name: row.get(2)?,
        host: row.get(3)?,
        ended: row.get(4)?,
        created_at: row.get(5)?,
        heartbeat_at: row.get(6)?,
        total_runs: row.get(7)?,
    })
}

/// The agents of a sweep, oldest first.
pub(crate) fn list(db: &Connection, sweep: i64) -> StoreResult<Vec<AgentRow>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT * FROM ({SELECT} WHERE a.sweep_id = ?1 ORDER BY a.id DESC LIMIT ?2) ORDER BY 1"
    ))?;
    Ok(statement
        .query_map([sweep, MAX_AGENTS], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?)
}

/// The agent of this name.
pub(crate) fn find(db: &Connection, sweep: i64, name: &str) -> StoreResult<Option<AgentRow>> {
    Ok(db
        .prepare_cached(&format!("{SELECT} WHERE a.sweep_id = ?1 AND a.name = ?2"))?
        .query_row(params![sweep, name], read)
        .optional()?)
}

/// The agent with this row number.
pub(crate) fn by_id(db: &Connection, id: i64) -> StoreResult<Option<AgentRow>> {
    Ok(db
        .prepare_cached(&format!("{SELECT} WHERE a.id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// Registers an agent.
pub(crate) fn create(db: &Connection, sweep: &SweepRow, host: &str, now: i64) -> StoreResult<i64> {
    let name = names::run_id().map_err(|source| StoreError::Io {
        doing: "make a random name".to_owned(),
        source,
    })?;
    let host: String = host.chars().take(MAX_HOST).collect();
    db.execute(
        "INSERT INTO agents (sweep_id, name, host, created_at, heartbeat_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![sweep.id, name, host, now],
    )?;
    Ok(db.last_insert_rowid())
}

/// The names of the runs that an agent says are alive.
pub(crate) fn alive(run_state: Option<&str>) -> StoreResult<Vec<String>> {
    let Some(text) = run_state.filter(|text| !text.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    match serde_json::from_str(text) {
        Ok(Value::Null) => Ok(Vec::new()),
        Ok(Value::Object(runs)) => Ok(runs
            .into_iter()
            .filter(|(_, alive)| *alive == Value::Bool(true))
            .map(|(name, _)| name)
            .collect()),
        _ => Err(StoreError::Refused("runState is not a JSON object".to_owned())),
    }
}

/// Takes the sign of life of an agent and says what it shall do.
pub(crate) fn heartbeat(
    db: &Connection,
    caller: &Identity,
    agent: i64,
    alive: &[String],
    now: i64,
) -> StoreResult<Vec<Value>> {
    let gone = || StoreError::Gone("agent not found: its sweep was deleted".to_owned());
    let row = by_id(db, agent)?.ok_or_else(gone)?;
    let sweep = sweeps::by_id(db, row.sweep_id)?.ok_or_else(gone)?;
    sweeps::require_write(db, caller, &sweep)?;
    db.execute("UPDATE agents SET heartbeat_at = ?2 WHERE id = ?1", [agent, now])?;
    db.execute(
        "UPDATE sweeps SET heartbeat_at = ?2 WHERE id = ?1",
        [sweep.id, now],
    )?;
    // The agent vouches for what it has taken and not started yet.
    db.execute(
        "UPDATE runs SET heartbeat_at = ?2 WHERE agent_id = ?1 AND state = 'pending'
           AND name IN (SELECT value FROM json_each(?3))",
        params![agent, now, Value::from(alive).to_string()],
    )?;
    let config = sweep.parsed()?;
    if let (Some(rule), Some(metric)) = (&config.early_terminate, &config.metric)
        && !alive.is_empty()
    {
        early::judge(db, &sweep, rule, metric)?;
    }
    let stops = stops(db, &sweep, agent, alive)?;
    if !stops.is_empty() {
        return Ok(stops);
    }
    // `exit` ends what an agent still runs, and an agent that runs something asks for nothing more: the official one
    // would queue it up.
    if !alive.is_empty() || sweep.state == "PAUSED" {
        return Ok(Vec::new());
    }
    if matches!(sweep.state.as_str(), "CANCELED" | "FINISHED") {
        return exit(db, agent);
    }
    match next(db, caller, &sweep, &config, now)? {
        Some((kind, trial)) => {
            let state = if kind == "resume" { "preempted" } else { "pending" };
            let claimed = db.execute(
                "UPDATE runs SET agent_id = ?2, state = 'pending', heartbeat_at = ?3, updated_at = ?3
                 WHERE id = ?1 AND state = ?4",
                params![trial.run, agent, now, state],
            )?;
            debug_assert_eq!(claimed, 1, "the writing thread is alone");
            db.execute(
                "UPDATE sweeps SET state = 'RUNNING', updated_at = ?2 WHERE id = ?1 AND state = 'PENDING'",
                [sweep.id, now],
            )?;
            Ok(vec![command(kind, &trial, &config)?])
        }
        // Runs may still come from the controller.
        None if config.method == Method::Custom || config.local_controller => Ok(Vec::new()),
        None => {
            trials::exhaust(db, &sweep)?;
            db.execute(
                "UPDATE sweeps SET state = 'RUNNING', updated_at = ?2 WHERE id = ?1 AND state = 'PENDING'",
                [sweep.id, now],
            )?;
            exit(db, agent)
        }
    }
}

fn exit(db: &Connection, agent: i64) -> StoreResult<Vec<Value>> {
    db.execute("UPDATE agents SET ended = 1 WHERE id = ?1", [agent])?;
    Ok(vec![json!({ "type": "exit" })])
}

/// A command to stop for each living run that was asked to; all of them when the sweep was canceled. It is repeated
/// until the agent does not count the run among the living any more, as an answer may be lost.
fn stops(db: &Connection, sweep: &SweepRow, agent: i64, alive: &[String]) -> StoreResult<Vec<Value>> {
    let mut asked = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM runs WHERE project_id = ?1 AND name = ?2 AND agent_id = ?3 AND stop_requested
           AND state IN ('pending', 'running', 'preempting'))",
    )?;
    let mut commands = Vec::new();
    for name in alive {
        let stop = sweep.state == "CANCELED"
            || asked.query_row(params![sweep.project_id, name, agent], |row| {
                row.get::<_, bool>(0)
            })?;
        if stop {
            commands.push(json!({ "type": "stop", "run_id": name }));
        }
    }
    Ok(commands)
}

/// What an agent is to run: what was enqueued, then what was preempted, then what the search proposes.
fn next(
    db: &Connection,
    caller: &Identity,
    sweep: &SweepRow,
    config: &SweepConfig,
    now: i64,
) -> StoreResult<Option<(&'static str, Trial)>> {
    if let Some(trial) = trials::waiting(db, sweep, "pending")? {
        return Ok(Some(("run", trial)));
    }
    if let Some(trial) = trials::waiting(db, sweep, "preempted")? {
        return Ok(Some(("resume", trial)));
    }
    if config.local_controller {
        return Ok(None);
    }
    match trials::propose(db, sweep, config)? {
        Some(proposal) => Ok(Some((
            "run",
            trials::start(db, caller, sweep, config, &proposal, now)?,
        ))),
        None => Ok(None),
    }
}

fn command(kind: &str, trial: &Trial, config: &SweepConfig) -> StoreResult<Value> {
    let arguments: Value =
        serde_json::from_str(&trial.arguments).map_err(|error| StoreError::Refused(error.to_string()))?;
    Ok(json!({ "type": kind, "run_id": trial.name, "args": arguments, "program": config.program }))
}
