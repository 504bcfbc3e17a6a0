//! The sample sweep: a small grid over runs that the sample project has anyway.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use super::generate::{NOTES, TAG};
use crate::store::identity::Identity;
use crate::store::projects::ProjectRow;
use crate::store::{StoreError, StoreResult};
use crate::sweeps::SweepConfig;

/// The name of the sweep, eight characters as all have.
pub(super) const NAME: &str = "samplegr";
const AGENT: &str = "sampleag";
/// Every point of it is a finished run of the sample.
const CONFIG: &str = "\
name: learning rate and batch size
program: train.py
method: grid
metric:
  name: val/loss
  goal: minimize
parameters:
  lr:
    values: [0.003, 0.001]
  batch_size:
    values: [32, 64, 128]
";

/// A run of the sample that may be a point of the grid.
struct Candidate {
    run: i64,
    config: Map<String, Value>,
    created_at: i64,
    heartbeat_at: i64,
}

impl Candidate {
    /// Whether it was run with these values.
    fn has(&self, point: &Map<String, Value>) -> bool {
        point
            .iter()
            .all(|(key, wrapper)| self.config.get(key).and_then(Value::as_f64) == wrapper["value"].as_f64())
    }
}

/// Writes the sweep over the sample runs of a project, in place of an earlier one. Returns how many runs it has.
pub(super) fn write(db: &Connection, identity: &Identity, project: &ProjectRow) -> StoreResult<usize> {
    let (config, _) = SweepConfig::parse(CONFIG).map_err(|error| StoreError::Refused(error.to_string()))?;
    let found: Option<(i64, Option<String>)> = db
        .query_row(
            "SELECT id, description FROM sweeps WHERE project_id = ?1 AND name = ?2",
            params![project.id, NAME],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some((id, description)) = found {
        if description.as_deref() != Some(NOTES) {
            return Err(StoreError::Refused(format!(
                "sweep {NAME:?} exists and is no sample"
            )));
        }
        db.execute("DELETE FROM sweeps WHERE id = ?1", [id])?;
    }
    let candidates = candidates(db, project.id)?;
    let points: Vec<(Map<String, Value>, &Candidate)> = (0..config.grid_size())
        .filter_map(|number| {
            let point = config.grid_point(number);
            let run = candidates.iter().find(|run| run.has(&point))?;
            Some((point, run))
        })
        .collect();
    let began = points
        .iter()
        .map(|(_, run)| run.created_at)
        .min()
        .unwrap_or_default();
    let ended = points
        .iter()
        .map(|(_, run)| run.heartbeat_at)
        .max()
        .unwrap_or_default();
    db.execute(
        "INSERT INTO sweeps (project_id, user_id, name, display_name, description, method, config, state, exhausted,
                             proposed, grid_next, seed, created_at, updated_at, heartbeat_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'grid', ?6, 'FINISHED', 1, ?7, ?8, 0, ?9, ?10, ?10)",
        params![
            project.id,
            identity.user,
            NAME,
            config.name,
            NOTES,
            CONFIG,
            points.len() as i64,
            config.grid_size(),
            began,
            ended
        ],
    )?;
    let sweep = db.last_insert_rowid();
    db.execute(
        "INSERT INTO agents (sweep_id, name, host, ended, created_at, heartbeat_at)
         VALUES (?1, ?2, 'sample-host', 1, ?3, ?4)",
        params![sweep, AGENT, began, ended],
    )?;
    let agent = db.last_insert_rowid();
    for (point, candidate) in &points {
        let text = Value::Object(point.clone()).to_string();
        db.execute(
            "INSERT INTO trials (run_id, sweep_id, args, point) VALUES (?1, ?2, ?3, ?3)",
            params![candidate.run, sweep, text],
        )?;
        db.execute(
            "UPDATE runs SET sweep_name = ?2, agent_id = ?3 WHERE id = ?1",
            params![candidate.run, NAME, agent],
        )?;
    }
    Ok(points.len())
}

/// The finished sample runs of the first kind of model, oldest first.
fn candidates(db: &Connection, project: i64) -> StoreResult<Vec<Candidate>> {
    let mut statement = db.prepare_cached(
        "SELECT r.id, r.config_query, r.created_at, r.heartbeat_at FROM runs r
         JOIN run_tags t ON t.run_id = r.id AND t.tag = ?2
         WHERE r.project_id = ?1 AND r.state = 'finished' AND r.group_name = 'cnn' ORDER BY r.created_at",
    )?;
    let mut rows = statement.query(params![project, TAG])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Candidate {
            run: row.get(0)?,
            config: serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default()).unwrap_or_default(),
            created_at: row.get(2)?,
            heartbeat_at: row.get(3)?,
        });
    }
    Ok(found)
}
