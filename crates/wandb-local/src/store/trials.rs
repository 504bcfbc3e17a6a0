//! What a sweep proposes: runs that are made before anything runs, from the config and what came of earlier ones.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use super::identity::Identity;
use super::runs;
use super::sweeps::SweepRow;
use super::{StoreError, StoreResult, names, upsert};
use crate::lenient::{self, Kind as JsonKind};
use crate::sample::Random;
use crate::sweeps::{Goal, Method, Metric, Observation, SweepConfig, suggest};

/// Most earlier runs that a proposal looks at: the newest ones.
const MAX_OBSERVATIONS: i64 = 1000;

/// What a run of a sweep came to, by its summary as filters read it. A metric with a summary rule is an object: its
/// member for the goal counts.
pub(super) fn metric_value(summary: &str, metric: &Metric) -> Option<f64> {
    let found = lenient::find(summary, &metric.name).ok().flatten()?;
    let number = match found.kind {
        JsonKind::Number => found,
        JsonKind::Object => {
            let best = match metric.goal {
                Goal::Minimize => "min",
                Goal::Maximize => "max",
            };
            [best, "best", "last"]
                .iter()
                .find_map(|member| lenient::find(found.text, member).ok().flatten())
                .filter(|value| value.kind == JsonKind::Number)?
        }
        _ => return None,
    };
    number.text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The best value that a run of the sweep has.
pub(crate) fn best(db: &Connection, sweep: &SweepRow, metric: &Metric) -> StoreResult<Option<f64>> {
    let mut statement =
        db.prepare_cached("SELECT summary_query FROM runs WHERE project_id = ?1 AND sweep_name = ?2")?;
    let mut rows = statement.query(params![sweep.project_id, sweep.name])?;
    let mut best: Option<f64> = None;
    while let Some(row) = rows.next()? {
        if let Some(value) = metric_value(row.get_ref(0)?.as_str().unwrap_or_default(), metric)
            && best.is_none_or(|known| metric.goal.better(value, known))
        {
            best = Some(value);
        }
    }
    Ok(best)
}

/// What was tried, and what came of it. A run that has not ended has no value yet.
fn observations(db: &Connection, sweep: &SweepRow, metric: &Metric) -> StoreResult<Vec<Observation>> {
    let mut statement = db.prepare_cached(
        "SELECT COALESCE(t.args, r.config_query), r.summary_query, r.state FROM runs r
         LEFT JOIN trials t ON t.run_id = r.id
         WHERE r.project_id = ?1 AND r.sweep_name = ?2 ORDER BY r.id DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![sweep.project_id, sweep.name, MAX_OBSERVATIONS])?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        let ended = !matches!(
            row.get_ref(2)?.as_str().unwrap_or_default(),
            "pending" | "running" | "preempting"
        );
        let value = metric_value(row.get_ref(1)?.as_str().unwrap_or_default(), metric);
        if let Ok(arguments) = serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default()) {
            seen.push(Observation {
                arguments,
                value: value.filter(|_| ended),
            });
        }
    }
    Ok(seen)
}

/// A proposal; `point` where it must not be made twice.
pub(super) struct Proposal {
    pub(super) arguments: Map<String, Value>,
    point: Option<String>,
    /// The number of the point behind this one.
    grid_next: i64,
}

/// The first point of a grid from number `from` on that no run has.
fn free_point(
    db: &Connection,
    sweep: &SweepRow,
    config: &SweepConfig,
    from: i64,
) -> StoreResult<Option<Proposal>> {
    let size = config.grid_size();
    let mut taken =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM trials WHERE sweep_id = ?1 AND point = ?2)")?;
    // Ends: only points that were proposed are passed over.
    for number in from..size {
        let arguments = config.grid_point(number);
        let point = Value::Object(arguments.clone()).to_string();
        if !taken.query_row(params![sweep.id, point], |row| row.get::<_, bool>(0))? {
            return Ok(Some(Proposal {
                arguments,
                point: Some(point),
                grid_next: number + 1,
            }));
        }
    }
    Ok(None)
}

fn capped(db: &Connection, sweep: &SweepRow, config: &SweepConfig) -> StoreResult<bool> {
    match config.run_cap {
        Some(cap) => Ok(runs::count(db, sweep.runs(), None)? >= cap),
        None => Ok(false),
    }
}

/// What to try next; `None` when the search is over.
pub(super) fn propose(
    db: &Connection,
    sweep: &SweepRow,
    config: &SweepConfig,
) -> StoreResult<Option<Proposal>> {
    if capped(db, sweep, config)? {
        return Ok(None);
    }
    if let Some(metric) = &config.metric
        && let Some(target) = metric.target
        && let Some(best) = best(db, sweep, metric)?
        && !metric.goal.better(target, best)
    {
        return Ok(None);
    }
    // Every proposal has a generator of its own: the same after a restart, and another one for each.
    let mut random =
        Random::new((sweep.seed as u64) ^ (sweep.proposed as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93));
    let arguments = match (config.method, &config.metric) {
        (Method::Custom, _) => return Ok(None),
        (Method::Grid, _) => return free_point(db, sweep, config, sweep.grid_next),
        (Method::Bayes, Some(metric)) => {
            let seen = observations(db, sweep, metric)?;
            suggest(config, metric.goal, &seen, &mut random)
        }
        (Method::Bayes, None) | (Method::Random, _) => config.at_random(&mut random),
    };
    Ok(Some(Proposal {
        arguments,
        point: None,
        grid_next: sweep.grid_next,
    }))
}

/// A run that is to be started, by row number and name.
pub(super) struct Trial {
    pub(super) run: i64,
    pub(super) name: String,
    /// JSON object.
    pub(super) arguments: String,
}

/// Makes the pending run of a proposal and notes that the sweep has come that far.
pub(super) fn start(
    db: &Connection,
    identity: &Identity,
    sweep: &SweepRow,
    config: &SweepConfig,
    proposal: &Proposal,
    now: i64,
) -> StoreResult<Trial> {
    let trial = pend(
        db,
        identity,
        sweep,
        &proposal.arguments,
        proposal.point.as_deref(),
        None,
        now,
    )?;
    db.execute(
        "UPDATE sweeps SET proposed = proposed + 1, grid_next = ?2 WHERE id = ?1",
        [sweep.id, proposal.grid_next],
    )?;
    let over = capped(db, sweep, config)?
        || (config.method == Method::Grid && free_point(db, sweep, config, proposal.grid_next)?.is_none());
    if over {
        exhaust(db, sweep)?;
    }
    Ok(trial)
}

/// Notes that the search is over.
pub(super) fn exhaust(db: &Connection, sweep: &SweepRow) -> StoreResult<()> {
    db.execute("UPDATE sweeps SET exhausted = 1 WHERE id = ?1", [sweep.id])?;
    Ok(())
}

/// Makes a pending run of a sweep; it is the user's whose agent, or whose request, it is.
fn pend(
    db: &Connection,
    identity: &Identity,
    sweep: &SweepRow,
    arguments: &Map<String, Value>,
    point: Option<&str>,
    display_name: Option<&str>,
    now: i64,
) -> StoreResult<Trial> {
    let random = |source| StoreError::Io {
        doing: "make a random name".to_owned(),
        source,
    };
    let name = names::run_id().map_err(random)?;
    let number = runs::count(db, sweep.project_id, None)?;
    let display = match display_name {
        Some(name) => name.to_owned(),
        None => names::display_name(number.unsigned_abs() + 1).map_err(random)?,
    };
    db.prepare_cached(
        "INSERT INTO runs (project_id, user_id, user_name, name, display_name, state, sweep_name,
                           created_at, updated_at, heartbeat_at, started_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?7, ?7, ?7, ?7)",
    )?
    .execute(params![
        sweep.project_id,
        identity.user,
        identity.username,
        name,
        display,
        sweep.name,
        now
    ])?;
    let run = db.last_insert_rowid();
    let text = Value::Object(arguments.clone()).to_string();
    // Filters find a run by its parameters before it has started.
    upsert::set_config(db, run, &text)?;
    db.prepare_cached("INSERT INTO trials (run_id, sweep_id, args, point) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![run, sweep.id, text, point])?;
    Ok(Trial {
        run,
        name,
        arguments: text,
    })
}

/// Makes a pending run with parameters that the caller chose; the next agent that asks takes it.
pub(crate) fn enqueue(
    db: &Connection,
    identity: &Identity,
    sweep: &SweepRow,
    config: &str,
    display_name: Option<&str>,
    now: i64,
) -> StoreResult<String> {
    if matches!(sweep.state.as_str(), "CANCELED" | "FINISHED") {
        return Err(StoreError::Refused(format!(
            "the sweep is {} and takes no runs",
            sweep.state
        )));
    }
    let arguments: Map<String, Value> = serde_json::from_str(config)
        .map_err(|error| StoreError::Refused(format!("config is not a JSON object: {error}")))?;
    let wrapped = arguments
        .into_iter()
        .map(|(key, value)| match value {
            Value::Object(members) if members.contains_key("value") => (key, Value::Object(members)),
            bare => (key, Value::Object(Map::from_iter([("value".to_owned(), bare)]))),
        })
        .collect();
    Ok(pend(db, identity, sweep, &wrapped, None, display_name, now)?.name)
}

/// A run of the sweep that waits for an agent: `state` is `pending`, or `preempted` for one that is to go on.
pub(super) fn waiting(db: &Connection, sweep: &SweepRow, state: &str) -> StoreResult<Option<Trial>> {
    let unclaimed = if state == "pending" {
        "AND r.agent_id IS NULL"
    } else {
        ""
    };
    Ok(db
        .prepare_cached(&format!(
            "SELECT r.id, r.name, t.args FROM runs r JOIN trials t ON t.run_id = r.id
             WHERE r.project_id = ?1 AND r.sweep_name = ?2 AND t.sweep_id = ?3 AND r.state = ?4 {unclaimed}
             ORDER BY r.id LIMIT 1"
        ))?
        .query_row(params![sweep.project_id, sweep.name, sweep.id, state], |row| {
            Ok(Trial {
                run: row.get(0)?,
                name: row.get(1)?,
                arguments: row.get(2)?,
            })
        })
        .optional()?)
}
