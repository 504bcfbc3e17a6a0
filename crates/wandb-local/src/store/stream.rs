//! What one `file_stream` request does (protocol §4).
//!
//! A request is read and checked away from the writing thread ([`Prepared::new`]), then applied in one transaction
//! ([`apply`]). Lines are keyed by their number, so that a retried request changes nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;

use super::{StoreError, StoreResult, history, lines, upsert};
use crate::history_keys::KeyStats;
use crate::lenient;

/// The body of a request. Every member is optional; `{}` is a heartbeat.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct StreamRequest {
    #[serde(default)]
    files: Option<BTreeMap<String, Chunk>>,
    #[serde(default)]
    preempting: Option<bool>,
    #[serde(default)]
    complete: Option<bool>,
    #[serde(default)]
    exitcode: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
struct Chunk {
    /// Line number of the first line of `content`.
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    content: Vec<String>,
}

/// A line of metrics; the step is missing where the row names none, until the row is stored.
#[derive(Debug)]
struct MetricLine {
    step: Option<i64>,
    text: String,
}

/// A request that was checked.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    history: Option<(u64, Vec<MetricLine>)>,
    /// What is to be known about the keys of all lines of this request.
    stats: KeyStats,
    events: Option<(u64, Vec<String>)>,
    console: Option<(u64, Vec<String>)>,
    summary: Option<String>,
    preempting: bool,
    complete: bool,
    exit_code: Option<i64>,
    /// Which process of a shared run this is.
    writer: Option<String>,
}

impl Prepared {
    /// Checks a request. A line that is not a JSON object refuses the request as a whole: stored, it would make the
    /// run unreadable, and leaving it out would lose data without a word.
    pub(crate) fn new(body: &[u8], writer: Option<String>) -> StoreResult<Self> {
        // serde reads structs from arrays, too.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(StoreError::Refused(
                "invalid file_stream request: not a JSON object".to_owned(),
            ));
        }
        let request: StreamRequest = serde_json::from_slice(body)
            .map_err(|error| StoreError::Refused(format!("invalid file_stream request: {error}")))?;
        let mut prepared = Self {
            preempting: request.preempting.unwrap_or(false),
            complete: request.complete.unwrap_or(false),
            exit_code: request.exitcode,
            writer,
            ..Self::default()
        };
        for (name, chunk) in request.files.unwrap_or_default() {
            let offset = chunk.offset.unwrap_or(0);
            match name.as_str() {
                "wandb-history.jsonl" => {
                    let mut rows = Vec::with_capacity(chunk.content.len());
                    for text in chunk.content {
                        check_object(&name, &text)?;
                        let step = check_step(&name, &text)?;
                        prepared.stats.observe(&text);
                        rows.push(MetricLine { step, text });
                    }
                    prepared.history = Some((offset, rows));
                }
                "wandb-events.jsonl" => {
                    for text in &chunk.content {
                        check_object(&name, text)?;
                    }
                    prepared.events = Some((offset, chunk.content));
                }
                // The last line is the whole summary.
                "wandb-summary.json" => {
                    prepared.summary = chunk.content.into_iter().next_back();
                }
                "output.log" => prepared.console = Some((offset, chunk.content)),
                // Other names are run files that old clients stream; they also upload them.
                _ => tracing::debug!(name, "file_stream chunk of an unknown file"),
            }
        }
        Ok(prepared)
    }
}

fn check_object(file: &str, text: &str) -> StoreResult<()> {
    let sound = text.trim_start().starts_with('{') && lenient::strict(text).is_ok();
    if sound {
        Ok(())
    } else {
        Err(StoreError::Refused(format!(
            "{file}: a line is not a JSON object"
        )))
    }
}

/// The step that a row names, if it names one. A row whose `_step` is no whole number is refused: it has no place in
/// the order of the rows, and a step cannot be given to a row that has one. So is one before 0, and the last of all, which no
/// half-open range of steps can name (protocol, `HistoryPage`): nobody could ever read them.
fn check_step(file: &str, text: &str) -> StoreResult<Option<i64>> {
    let step = lenient::step_of(text);
    if step.is_none() && lenient::find(text, "_step").ok().flatten().is_some() {
        return Err(StoreError::Refused(format!(
            "{file}: a line has a _step that is not a whole number"
        )));
    }
    if step.is_some_and(|step| !(0..i64::MAX).contains(&step)) {
        return Err(StoreError::Refused(format!(
            "{file}: a line has a _step that is negative or too large"
        )));
    }
    Ok(step)
}

/// The row with `_step` as its first member. `text` is a JSON object without one.
fn with_step(text: &str, step: i64) -> String {
    let members = text.trim_start().strip_prefix('{').unwrap_or(text);
    let comma = if members.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!("{{\"_step\":{step}{comma}{members}")
}

/// What a request was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The user asked the process to stop.
    pub(crate) stopped: bool,
}

/// Applies a request to a run; `None` when the run does not exist any more.
pub(crate) fn apply(db: &Connection, run: i64, request: &Prepared, now: i64) -> StoreResult<Option<Outcome>> {
    let found = db
        .prepare_cached("SELECT state, stop_requested FROM runs WHERE id = ?1")?
        .query_row([run], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?;
    let Some((state, stopped)) = found else {
        return Ok(None);
    };
    let writer = request.writer.as_deref();
    if let Some((offset, rows)) = &request.history
        && !rows.is_empty()
    {
        append_history(db, run, writer, *offset, rows, &request.stats)?;
    }
    if let Some((offset, rows)) = &request.events {
        put_lines(db, run, writer, &EVENTS, *offset, rows)?;
    }
    if let Some((offset, rows)) = &request.console {
        put_lines(db, run, writer, &CONSOLE, *offset, rows)?;
    }
    if let Some(summary) = &request.summary {
        if writer.is_some() {
            upsert::merge_summary(db, run, summary)?;
        } else {
            upsert::set_summary(db, run, summary)?;
        }
    }
    let next = next_state(&state, request, stopped);
    let ended = request.complete.then_some(now);
    let exit_code = if request.complete { request.exit_code } else { None };
    db.prepare_cached(
        "UPDATE runs SET state = ?2, heartbeat_at = ?3, updated_at = ?3, finished_at = ?4, exit_code = ?5 WHERE id = ?1",
    )?
    .execute(params![run, next, now, ended, exit_code])?;
    Ok(Some(Outcome { stopped }))
}

/// States that a run has after its end.
const ENDED: &[&str] = &["finished", "failed", "killed", "preempted"];

/// Protocol §4.7; `killed` and `preempted` are what the documentation calls a run that ended badly after it was asked
/// to stop, or after it announced its preemption.
fn next_state(state: &str, request: &Prepared, stopped: bool) -> &'static str {
    let preempting = request.preempting || state == "preempting";
    if !request.complete {
        // One process of a shared run may have ended it before the others sent their last lines.
        if request.writer.is_some()
            && let Some(ended) = ENDED.iter().find(|ended| **ended == state)
        {
            return ended;
        }
        return if preempting { "preempting" } else { "running" };
    }
    match request.exit_code.unwrap_or(0) {
        0 => "finished",
        _ if preempting => "preempted",
        _ if stopped => "killed",
        _ => "failed",
    }
}

/// A table of plain lines.
struct Lines {
    file: &'static str,
    table: &'static str,
    column: &'static str,
    count: &'static str,
}

const EVENTS: Lines = Lines {
    file: "events",
    table: "events",
    column: "row",
    count: "event_lines",
};
const CONSOLE: Lines = Lines {
    file: "console",
    table: "console",
    column: "text",
    count: "log_lines",
};

/// The line of the run that line `line` of a writer has, where several processes write one run. A new line is put
/// behind `*end`.
fn shared_line(
    db: &Connection,
    run: i64,
    writer: &str,
    file: &str,
    line: u64,
    end: &mut i64,
) -> StoreResult<u64> {
    let key = params![run, file, writer, i64::try_from(line).unwrap_or(i64::MAX)];
    let known: Option<i64> = db
        .prepare_cached(
            "SELECT position FROM shared_lines WHERE run_id = ?1 AND file = ?2 AND writer = ?3 AND line = ?4",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    let position =
        match known {
            Some(position) => position,
            None => {
                let position = *end;
                *end += 1;
                db.prepare_cached(
                "INSERT INTO shared_lines (run_id, file, writer, line, position) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![run, file, writer, i64::try_from(line).unwrap_or(i64::MAX), position])?;
                position
            }
        };
    Ok(position as u64)
}

fn put_lines(
    db: &Connection,
    run: i64,
    writer: Option<&str>,
    lines_of: &Lines,
    offset: u64,
    rows: &[String],
) -> StoreResult<()> {
    let Lines {
        file,
        table,
        column,
        count,
    } = lines_of;
    let mut end: i64 = db
        .prepare_cached(&format!("SELECT {count} FROM runs WHERE id = ?1"))?
        .query_row([run], |row| row.get(0))?;
    let mut insert = db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO {table} (position, {column}) VALUES (?1, ?2)"
    ))?;
    for (index, text) in rows.iter().enumerate() {
        let mut line = offset.saturating_add(index as u64);
        if let Some(writer) = writer {
            line = shared_line(db, run, writer, file, line, &mut end)?;
        }
        insert.execute(params![lines::position(run, line)?, text])?;
        end = end.max(line as i64 + 1);
    }
    db.prepare_cached(&format!("UPDATE runs SET {count} = ?2 WHERE id = ?1"))?
        .execute([run, end])?;
    Ok(())
}

/// Stores rows. One without a step gets the next one, as the official client counts, and gets it in its text too:
/// readers know a row by its `_step`, and `historyKeys` counts what readers see.
fn append_history(
    db: &Connection,
    run: i64,
    writer: Option<&str>,
    offset: u64,
    rows: &[MetricLine],
    stats: &KeyStats,
) -> StoreResult<()> {
    let (mut end, mut last_step, mut sorted, stored) = db
        .prepare_cached("SELECT history_lines, last_step, steps_sorted, key_stats FROM runs WHERE id = ?1")?
        .query_row([run], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, bool>(2)?,
                row.get::<_, Option<String>>(3)?,
            ))
        })?;
    let known = end;
    let mut recount = false;
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO history (position, run_id, step, row) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut present = db.prepare_cached("SELECT step, row FROM history WHERE position = ?1")?;
    let mut fresh: Vec<Cow<'_, str>> = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let mut line = offset.saturating_add(index as u64);
        if let Some(writer) = writer {
            line = shared_line(db, run, writer, "history", line, &mut end)?;
        }
        let position = lines::position(run, line)?;
        let mut given = None;
        if (line as i64) < known {
            // A retry, nearly always with the same content; anything else is rare enough to count everything anew.
            let same = present
                .query_row([position], |found| {
                    let step = found.get(0)?;
                    let text = found.get_ref(1)?.as_str()?;
                    given = Some(step);
                    Ok(match row.step {
                        Some(_) => text == row.text,
                        None => text == with_step(&row.text, step),
                    })
                })
                .optional()?;
            if same == Some(true) {
                continue;
            }
            recount = true;
        }
        // A line that is written again keeps the step that it was given.
        let step = row.step.or(given).unwrap_or(last_step.saturating_add(1));
        let text = match row.step {
            Some(_) => Cow::Borrowed(row.text.as_str()),
            None => Cow::Owned(with_step(&row.text, step)),
        };
        sorted &= step >= last_step;
        last_step = last_step.max(step);
        insert.execute(params![position, run, step, text])?;
        fresh.push(text);
        end = end.max(line as i64 + 1);
    }
    if fresh.is_empty() {
        return Ok(());
    }
    if recount {
        return history::recount(db, run);
    }
    let counted;
    let added = if fresh.len() == rows.len() && rows.iter().all(|row| row.step.is_some()) {
        stats
    } else {
        // Part of the request was known already, or a row was given its step only here.
        let mut rest = KeyStats::default();
        fresh.iter().for_each(|text| rest.observe(text));
        counted = rest;
        &counted
    };
    let mut all = stored.as_deref().map(KeyStats::from_stored).unwrap_or_default();
    all.merge(added);
    // Each of the rows is a new one: a line that was there already leads to the count above.
    db.prepare_cached(
        "UPDATE runs SET history_lines = ?2, history_rows = history_rows + ?3, last_step = ?4, steps_sorted = ?5,
           key_stats = ?6 WHERE id = ?1",
    )?
    .execute(params![run, end, fresh.len() as i64, last_step, sorted, all.to_stored()])?;
    history::remember_keys(db, run, added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_put_before_the_other_members() {
        assert_eq!(with_step(r#" { "a":NaN }"#, 7), r#"{"_step":7, "a":NaN }"#);
        assert_eq!(with_step("{ }", 0), r#"{"_step":0 }"#);
        assert!(check_object("f", &with_step("{}", -1)).is_ok());
        assert_eq!(check_step("f", &with_step(r#"{"x":1}"#, 3)).unwrap(), Some(3));
    }

    #[test]
    fn a_step_is_a_whole_number() {
        assert_eq!(check_step("f", r#"{"_step":3.0}"#).unwrap(), Some(3));
        assert_eq!(check_step("f", r#"{"a":{"_step":3}}"#).unwrap(), None);
        for text in [r#"{"_step":"3"}"#, r#"{"_step":1.5}"#, r#"{"_step":null}"#] {
            assert!(check_step("f", text).is_err(), "{text}");
        }
    }
}
