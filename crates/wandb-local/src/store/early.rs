//! Stopping runs of a sweep early. The best value of each run at each band is kept once it is known, so that a judgement
//! reads the history of a run only when it has passed a band.

use rusqlite::{Connection, params};

use super::StoreResult;
use super::sweeps::SweepRow;
use crate::history_keys::KeyStats;
use crate::lenient::{self, Kind};
use crate::sweeps::{Goal, Hyperband, Metric};

/// A run that may have passed a band since it was last looked at.
struct Candidate {
    run: i64,
    /// How many bands were looked at.
    bands: usize,
    numbers: u64,
    running: bool,
}

/// Looks at the runs that have passed a band, and asks those to stop that do not go on.
pub(super) fn judge(db: &Connection, sweep: &SweepRow, rule: &Hyperband, metric: &Metric) -> StoreResult<()> {
    let candidates = candidates(db, sweep, metric)?;
    let mut passed: Vec<(i64, usize)> = Vec::new();
    for candidate in &candidates {
        let reached = rule.bands.partition_point(|band| *band <= candidate.numbers);
        let known = if reached > candidate.bands {
            remember(db, candidate, rule, reached, metric)?
        } else {
            candidate.bands
        };
        let news = known > candidate.bands;
        if candidate.running && known > 0 && (news || rule.strict) {
            passed.push((candidate.run, known - 1));
        }
    }
    for (run, band) in passed {
        let mut statement = db.prepare_cached(
            "SELECT b.run_id, b.value FROM trial_bands b JOIN trials t ON t.run_id = b.run_id
             WHERE t.sweep_id = ?1 AND b.band = ?2",
        )?;
        let all = statement
            .query_map(params![sweep.id, band as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, f64)>>>()?;
        let values: Vec<f64> = all.iter().map(|(_, value)| *value).collect();
        let own = all.iter().find(|(id, _)| *id == run).map(|(_, value)| *value);
        if own.is_some_and(|own| !rule.goes_on(own, &values, metric.goal)) {
            db.execute("UPDATE runs SET stop_requested = 1 WHERE id = ?1", [run])?;
        }
    }
    Ok(())
}

fn candidates(db: &Connection, sweep: &SweepRow, metric: &Metric) -> StoreResult<Vec<Candidate>> {
    let mut statement = db.prepare_cached(
        "SELECT r.id, t.bands, r.key_stats, r.state FROM trials t JOIN runs r ON r.id = t.run_id
         WHERE t.sweep_id = ?1 AND r.history_rows > 0",
    )?;
    let mut rows = statement.query([sweep.id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let stats = row.get::<_, Option<String>>(2)?;
        let stats = stats.as_deref().map(KeyStats::from_stored).unwrap_or_default();
        found.push(Candidate {
            run: row.get(0)?,
            bands: row.get::<_, i64>(1)?.max(0) as usize,
            numbers: stats.numbers(&metric.name),
            running: matches!(
                row.get_ref(3)?.as_str().unwrap_or_default(),
                "running" | "preempting"
            ),
        });
    }
    Ok(found)
}

/// Keeps the best value of a run at each band up to `reached`; returns how many bands are known now.
fn remember(
    db: &Connection,
    candidate: &Candidate,
    rule: &Hyperband,
    reached: usize,
    metric: &Metric,
) -> StoreResult<usize> {
    let mut statement =
        db.prepare_cached("SELECT row FROM history WHERE run_id = ?1 ORDER BY step, position")?;
    let mut rows = statement.query([candidate.run])?;
    let mut insert =
        db.prepare_cached("INSERT OR REPLACE INTO trial_bands (run_id, band, value) VALUES (?1, ?2, ?3)")?;
    let mut best: Option<f64> = None;
    let mut count = 0_u64;
    let mut band = 0;
    while band < reached {
        let Some(row) = rows.next()? else {
            break;
        };
        let Some(value) = number(row.get_ref(0)?.as_str().unwrap_or_default(), &metric.name) else {
            continue;
        };
        count += 1;
        best = Some(best.map_or(value, |known| better(metric.goal, known, value)));
        while rule.bands.get(band).is_some_and(|needed| *needed <= count) && band < reached {
            if let Some(best) = best {
                insert.execute(params![candidate.run, band as i64, best])?;
            }
            band += 1;
        }
    }
    db.execute(
        "UPDATE trials SET bands = ?2 WHERE run_id = ?1",
        params![candidate.run, band as i64],
    )?;
    Ok(band)
}

fn better(goal: Goal, left: f64, right: f64) -> f64 {
    if goal.better(right, left) { right } else { left }
}

fn number(row: &str, key: &str) -> Option<f64> {
    let found = lenient::find(row, key).ok().flatten()?;
    (found.kind == Kind::Number).then(|| found.text.parse().ok())?
}
