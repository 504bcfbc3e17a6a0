//! Reading what a run logged: exact ranges, thinned, by key.
//!
//! Rows leave as the text that was stored. The JSON arrays are put together here, on a reading thread, and pass
//! through GraphQL untouched: for 100,000 rows a value tree would cost more than everything else.

use rusqlite::{Connection, params};
use serde::Deserialize;

use super::{StoreError, StoreResult, lines};
use crate::history_keys::KeyStats;
use crate::lenient;

/// Rows of a thinned answer when the caller names no number, as the official client's default.
const DEFAULT_SAMPLES: i64 = 500;
/// Most keys one spec may name.
const MAX_KEYS: usize = 10_000;

/// A table of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Metrics.
    History,
    /// System metrics.
    Events,
}

impl Stream {
    const fn table(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Events => "events",
        }
    }
}

/// A range of steps; the end is exclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) min: i64,
    pub(crate) end: i64,
}

impl Steps {
    pub(crate) const ALL: Self = Self {
        min: i64::MIN,
        end: i64::MAX,
    };

    /// How many steps the range has room for. A page asks for as many samples, and is not thinned then, not even where
    /// several processes of a shared run logged the same step.
    fn width(self) -> usize {
        usize::try_from(self.end.saturating_sub(self.min)).unwrap_or(0)
    }
}

/// Writes `text` as a JSON string.
fn push_string(out: &mut Vec<u8>, text: &str) -> StoreResult<()> {
    serde_json::to_writer(&mut *out, text).map_err(|error| StoreError::Refused(error.to_string()))
}

/// `count` indices out of `0..total`, evenly spread, first and last included.
fn spread(total: usize, count: usize) -> Vec<usize> {
    match (total, count) {
        (0, _) | (_, 0) => Vec::new(),
        (_, 1) => vec![total - 1],
        _ if total <= count => (0..total).collect(),
        // In u128: total * count does not overflow for any table that fits a disk.
        _ => (0..count)
            .map(|i| (i as u128 * (total as u128 - 1) / (count as u128 - 1)) as usize)
            .collect(),
    }
}

/// Where to look for the rows of a range, in step order.
struct Plan {
    sql: String,
    values: [i64; 2],
}

/// Steps grow with the lines in nearly every run. Then a range of steps is a range of positions, which is one walk
/// through neighbouring pages; only runs that broke the rule pay for the step index.
fn plan(db: &Connection, run: i64, steps: Steps, columns: &str) -> StoreResult<Plan> {
    let sorted: bool = db
        .prepare_cached("SELECT steps_sorted FROM runs WHERE id = ?1")?
        .query_row([run], |row| row.get(0))?;
    if !sorted {
        return Ok(Plan {
            sql: format!(
                "SELECT {columns} FROM history WHERE run_id = {run} AND step >= ?1 AND step < ?2 ORDER BY step, position"
            ),
            values: [steps.min, steps.end],
        });
    }
    let (mut from, mut to) = lines::range(run);
    let mut bound = db.prepare_cached(
        "SELECT position FROM history WHERE run_id = ?1 AND step >= ?2 ORDER BY step, position LIMIT 1",
    )?;
    let mut first_at = |step: i64| -> StoreResult<Option<i64>> {
        let mut rows = bound.query([run, step])?;
        Ok(match rows.next()? {
            Some(row) => Some(row.get(0)?),
            None => None,
        })
    };
    if steps.min > i64::MIN {
        from = first_at(steps.min)?.unwrap_or(to);
    }
    if steps.end < i64::MAX {
        to = first_at(steps.end)?.unwrap_or(to);
    }
    Ok(Plan {
        sql: format!(
            "SELECT {columns} FROM history WHERE position >= ?1 AND position < ?2 ORDER BY position"
        ),
        values: [from, to],
    })
}

/// The rows of a range as a JSON array of strings. With `samples`, at most about that many, evenly spread.
pub(crate) fn rows(db: &Connection, run: i64, steps: Steps, samples: Option<i64>) -> StoreResult<String> {
    let plan = plan(db, run, steps, "row")?;
    let samples = samples.map(|samples| usize::try_from(samples).unwrap_or(0));
    if let Some(samples) = samples.filter(|samples| steps.width() > *samples) {
        let sql = format!("SELECT COUNT(*) FROM ({} LIMIT ?3)", plan.sql);
        let limit = i64::try_from(samples).unwrap_or(i64::MAX).saturating_add(1);
        let more: i64 = db
            .prepare_cached(&sql)?
            .query_row(params![plan.values[0], plan.values[1], limit], |row| row.get(0))?;
        if more as usize > samples {
            let positions = positions_of(db, run, steps)?;
            return picked(db, Stream::History, &positions, samples);
        }
    }
    let mut statement = db.prepare_cached(&plan.sql)?;
    let mut found = statement.query(plan.values)?;
    let mut out = vec![b'['];
    while let Some(row) = found.next()? {
        push_row(&mut out, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
    }
    finish(out)
}

fn push_row(out: &mut Vec<u8>, text: &str) -> StoreResult<()> {
    if out.len() > 1 {
        out.push(b',');
    }
    push_string(out, text)
}

fn finish(mut out: Vec<u8>) -> StoreResult<String> {
    out.push(b']');
    String::from_utf8(out).map_err(|error| StoreError::Refused(error.to_string()))
}

fn positions_of(db: &Connection, run: i64, steps: Steps) -> StoreResult<Vec<i64>> {
    let plan = plan(db, run, steps, "position")?;
    let mut statement = db.prepare_cached(&plan.sql)?;
    Ok(statement
        .query_map(plan.values, |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// `samples` of the lines at `positions` as a JSON array of strings.
fn picked(db: &Connection, stream: Stream, positions: &[i64], samples: usize) -> StoreResult<String> {
    let mut one = db.prepare_cached(&format!("SELECT row FROM {} WHERE position = ?1", stream.table()))?;
    let mut out = vec![b'['];
    for index in spread(positions.len(), samples) {
        let mut found = one.query([positions[index]])?;
        if let Some(row) = found.next()? {
            push_row(&mut out, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        }
    }
    finish(out)
}

/// System metrics as a JSON array of strings, at most about `samples`.
pub(crate) fn events(db: &Connection, run: i64, samples: Option<i64>) -> StoreResult<String> {
    let (from, to) = lines::range(run);
    let mut statement = db.prepare_cached(
        "SELECT position FROM events WHERE position >= ?1 AND position < ?2 ORDER BY position",
    )?;
    let positions = statement
        .query_map([from, to], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let samples = samples.map_or(positions.len(), |samples| usize::try_from(samples).unwrap_or(0));
    picked(db, Stream::Events, &positions, samples)
}

/// The last lines of a stream as a JSON array of strings: what a resumed run starts from.
pub(crate) fn tail(db: &Connection, run: i64, stream: Stream, count: i64) -> StoreResult<String> {
    let (from, to) = lines::range(run);
    let mut statement = db.prepare_cached(&format!(
        "SELECT row FROM (SELECT position, row FROM {} WHERE position >= ?1 AND position < ?2
           ORDER BY position DESC LIMIT ?3) ORDER BY position",
        stream.table()
    ))?;
    let mut found = statement.query([from, to, count])?;
    let mut out = vec![b'['];
    while let Some(row) = found.next()? {
        push_row(&mut out, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
    }
    finish(out)
}

/// One spec of `sampledHistory` (protocol §2.9).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spec {
    /// Keys that a row must have; the first is the x axis.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    pub(crate) samples: Option<i64>,
    pub(crate) min_step: Option<i64>,
    /// Inclusive here, unlike in `history`.
    pub(crate) max_step: Option<i64>,
    /// Another x axis than the first key.
    pub(crate) x_axis: Option<String>,
}

impl Spec {
    /// Reads a spec.
    pub(crate) fn parse(text: &str) -> StoreResult<Self> {
        let spec: Self = serde_json::from_str(text)
            .map_err(|error| StoreError::Refused(format!("invalid sampledHistory spec: {error}")))?;
        if spec.keys.len() > MAX_KEYS {
            return Err(StoreError::Refused(format!(
                "a sampledHistory spec names more than {MAX_KEYS} keys"
            )));
        }
        Ok(spec)
    }
}

/// Rows that have every key of the spec, as a JSON array of objects that hold just those keys.
pub(crate) fn sampled(db: &Connection, run: i64, spec: &Spec) -> StoreResult<String> {
    let keys: Vec<&str> = spec.keys.iter().map(String::as_str).collect();
    let projection = lenient::Projection::new(&keys);
    let steps = Steps {
        min: spec.min_step.unwrap_or(i64::MIN),
        end: spec.max_step.map_or(i64::MAX, |max| max.saturating_add(1)),
    };
    let mut out: Vec<u8> = vec![b'['];
    let mut ends: Vec<usize> = Vec::new();
    let only_steps = !keys.is_empty() && keys.iter().all(|key| *key == "_step");
    let plan = plan(db, run, steps, if only_steps { "step" } else { "row" })?;
    let mut statement = db.prepare_cached(&plan.sql)?;
    let mut found = statement.query(plan.values)?;
    while let Some(row) = found.next()? {
        if only_steps {
            let step: i64 = row.get(0)?;
            out.extend_from_slice(format!("{{\"_step\":{step}}}").as_bytes());
        } else {
            let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            let Some(object) = projection.project(text) else {
                continue;
            };
            out.extend_from_slice(object.as_bytes());
        }
        out.push(b',');
        ends.push(out.len());
    }
    let samples = usize::try_from(spec.samples.unwrap_or(DEFAULT_SAMPLES)).unwrap_or(0);
    let samples = if steps.width() <= samples {
        ends.len()
    } else {
        samples
    };
    let axis = spec
        .x_axis
        .as_deref()
        .or(keys.first().copied())
        .filter(|axis| *axis != "_step");
    if ends.len() <= samples && axis.is_none() {
        if out.len() > 1 {
            out.pop();
        }
        return finish(out);
    }
    let mut starts: Vec<(usize, usize)> = Vec::with_capacity(ends.len());
    let mut from = 1;
    for end in ends {
        starts.push((from, end - 1));
        from = end;
    }
    if let Some(axis) = axis {
        sort_by_axis(&out, &mut starts, axis);
    }
    let mut thinned = vec![b'['];
    for index in spread(starts.len(), samples) {
        if thinned.len() > 1 {
            thinned.push(b',');
        }
        thinned.extend_from_slice(&out[starts[index].0..starts[index].1]);
    }
    finish(thinned)
}

/// Sorts rows by a numeric x axis; rows whose x is no number come last, in step order.
fn sort_by_axis(text: &[u8], rows: &mut [(usize, usize)], axis: &str) {
    let value = |(from, to): (usize, usize)| -> f64 {
        let object: Option<std::collections::HashMap<String, serde_json::Value>> =
            serde_json::from_slice(&text[from..to]).ok();
        object
            .as_ref()
            .and_then(|object| object.get(axis))
            .and_then(serde_json::Value::as_f64)
            .unwrap_or(f64::INFINITY)
    };
    rows.sort_by_cached_key(|row| OrderedX(value(*row)));
}

#[derive(PartialEq)]
struct OrderedX(f64);

impl Eq for OrderedX {}

impl PartialOrd for OrderedX {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OrderedX {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Every row restricted to `keys`, as `liveData` has it (protocol §2.9): nothing is exported, so all rows are live.
pub(crate) fn live(db: &Connection, run: i64, keys: &[String]) -> StoreResult<String> {
    let spec = Spec {
        keys: keys.to_vec(),
        samples: Some(i64::MAX),
        min_step: None,
        max_step: None,
        x_axis: Some("_step".to_owned()),
    };
    sampled(db, run, &spec)
}

/// Works out everything that is derived from the rows of a run again, after rows were removed or copied.
pub(crate) fn recount(db: &Connection, run: i64) -> StoreResult<()> {
    let (from, to) = lines::range(run);
    let mut statement = db.prepare_cached(
        "SELECT position, step, row FROM history WHERE position >= ?1 AND position < ?2 ORDER BY position",
    )?;
    let mut found = statement.query([from, to])?;
    let mut stats = KeyStats::default();
    let (mut lines, mut count, mut last_step, mut sorted) = (0, 0_i64, -1_i64, true);
    while let Some(row) = found.next()? {
        let step: i64 = row.get(1)?;
        lines = lines::line_of(row.get(0)?) + 1;
        count += 1;
        sorted &= step >= last_step;
        last_step = last_step.max(step);
        stats.observe(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?);
    }
    db.prepare_cached(
        "UPDATE runs SET history_lines = ?2, history_rows = ?3, last_step = ?4, steps_sorted = ?5, key_stats = ?6
         WHERE id = ?1",
    )?
    .execute(params![run, lines, count, last_step, sorted, stats.to_stored()])?;
    db.execute("DELETE FROM run_keys WHERE run_id = ?1", [run])?;
    remember_keys(db, run, &stats)
}

/// Notes which metrics a run has, for `keys_info` filters.
pub(crate) fn remember_keys(db: &Connection, run: i64, stats: &KeyStats) -> StoreResult<()> {
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO run_keys (run_id, key) VALUES (?1, ?2)")?;
    for key in stats.keys() {
        insert.execute(params![run, key])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_is_even_and_keeps_both_ends() {
        assert_eq!(spread(0, 5), Vec::<usize>::new());
        assert_eq!(spread(3, 5), vec![0, 1, 2]);
        assert_eq!(spread(10, 1), vec![9]);
        assert_eq!(spread(10, 4), vec![0, 3, 6, 9]);
        let picked = spread(1_000_003, 500);
        assert_eq!(picked.len(), 500);
        assert!(picked.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((picked[0], picked[499]), (0, 1_000_002));
    }

    #[test]
    fn specs_are_read_as_the_clients_write_them() {
        let spec =
            Spec::parse(r#"{"keys":["_step","loss","_step"],"minStep":0,"maxStep":9,"samples":10}"#).unwrap();
        assert_eq!(spec.keys.len(), 3);
        assert_eq!(
            (spec.min_step, spec.max_step, spec.samples),
            (Some(0), Some(9), Some(10))
        );
        assert!(Spec::parse("[]").is_err());
    }
}
