//! Creating and changing runs: what `upsertBucket` and its relatives do (protocol §2.7).

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::identity::Identity;
use super::ids::Kind;
use super::{StoreError, StoreResult, access, history, lines, names, projects, time};
use crate::lenient;

/// Longest run id taken. The official client stops at 128; older data may be longer.
const NAME_LIMIT: usize = 1024;

/// The input of `upsertBucket`. `None` means "leave alone" (protocol §2.7.1).
#[derive(Debug, Default)]
pub(crate) struct RunPatch {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) config: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) program: Option<String>,
    pub(crate) repo: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) sweep: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) summary: Option<String>,
    /// Several processes write this run together (`X-WANDB-USE-ASYNC-FILESTREAM`).
    pub(crate) shared: bool,
}

impl RunPatch {
    /// Whether it writes one of the texts that count as a revision of the run.
    fn describes(&self) -> bool {
        [&self.group, &self.display_name, &self.notes, &self.job_type]
            .into_iter()
            .any(Option::is_some)
    }

    /// Only the first upsert of a process says where it runs (protocol §2.7.1).
    fn starts_a_process(&self) -> bool {
        self.host.is_some() || self.program.is_some()
    }
}

/// Finds or creates the run and applies the patch. Returns its row number and whether it was created.
pub(crate) fn upsert(db: &Connection, identity: &Identity, patch: &RunPatch) -> StoreResult<(i64, bool)> {
    let now = time::now();
    let (run, inserted) = locate(db, identity, patch, now)?;
    if !inserted && patch.starts_a_process() && patch.id.is_none() && !patch.shared {
        // The same name again without `resume`: documented as overwriting. A resumed run comes with its id, and the
        // processes of a shared run say so.
        clear(db, run)?;
    }
    if let Some(config) = &patch.config {
        if patch.shared && !inserted {
            let before: String =
                db.query_row("SELECT config FROM runs WHERE id = ?1", [run], |row| row.get(0))?;
            set_config(db, run, &overlay(&before, config)?)?;
        } else {
            set_config(db, run, config)?;
        }
    }
    if let Some(summary) = &patch.summary {
        set_summary(db, run, summary)?;
    }
    if let Some(tags) = &patch.tags {
        set_tags(db, run, tags)?;
    }
    db.prepare_cached(
        "UPDATE runs SET
           group_name = COALESCE(?2, group_name), description = COALESCE(?3, description),
           display_name = COALESCE(NULLIF(?4, ''), display_name), notes = COALESCE(?5, notes),
           commit_hash = COALESCE(?6, commit_hash), host = COALESCE(?7, host), program = COALESCE(?8, program),
           repo = COALESCE(?9, repo), job_type = COALESCE(?10, job_type), sweep_name = COALESCE(?11, sweep_name),
           updated_at = ?12, revision = revision + ?13
         WHERE id = ?1",
    )?
    .execute(params![
        run,
        patch.group,
        patch.description,
        patch.display_name,
        patch.notes,
        patch.commit,
        patch.host,
        patch.program,
        patch.repo,
        patch.job_type,
        patch.sweep,
        now,
        patch.describes(),
    ])?;
    if let Some(state) = patch.state.as_deref().filter(|state| !state.is_empty()) {
        db.execute(
            "UPDATE runs SET state = ?2, heartbeat_at = ?3 WHERE id = ?1",
            params![run, state, now],
        )?;
    } else if patch.starts_a_process() {
        restart(db, run, now)?;
        // A run that was taken before its sweep was canceled may start after that.
        db.prepare_cached(
            "UPDATE runs SET stop_requested = 1 WHERE id = ?1 AND EXISTS (SELECT 1 FROM sweeps s
               WHERE s.project_id = runs.project_id AND s.name = runs.sweep_name AND s.state = 'CANCELED')",
        )?
        .execute([run])?;
    }
    if inserted && let Some(config) = &patch.config {
        fork(db, run, config)?;
    }
    Ok((run, inserted))
}

fn locate(db: &Connection, identity: &Identity, patch: &RunPatch, now: i64) -> StoreResult<(i64, bool)> {
    if let Some(id) = patch.id.as_deref().filter(|id| !id.is_empty()) {
        let run = Kind::Run.decode(id).unwrap_or(-1);
        let found = db
            .query_row("SELECT id FROM runs WHERE id = ?1", [run], |row| row.get(0))
            .optional()?;
        return match found {
            Some(run) => {
                access::require_run(db, identity, run)?;
                Ok((run, false))
            }
            None => Err(StoreError::Refused(format!("run not found for id {id:?}"))),
        };
    }
    let (project, _) = projects::ensure(db, identity, patch.entity.as_deref(), patch.project.as_deref())?;
    let name = match patch.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => names::run_id().map_err(randomness)?,
    };
    let found = db
        .prepare_cached("SELECT id FROM runs WHERE project_id = ?1 AND name = ?2")?
        .query_row(params![project.id, name], |row| row.get(0))
        .optional()?;
    if let Some(run) = found {
        return Ok((run, false));
    }
    if name.len() > NAME_LIMIT || name.contains('/') || name.contains(char::is_control) {
        return Err(StoreError::Refused(format!("invalid run id {name:?}")));
    }
    let number: i64 = db.query_row(
        "SELECT COUNT(*) FROM runs WHERE project_id = ?1",
        [project.id],
        |row| row.get(0),
    )?;
    let display = names::display_name(number as u64 + 1).map_err(randomness)?;
    db.prepare_cached(
        "INSERT INTO runs (project_id, user_id, user_name, name, display_name, state,
                           created_at, updated_at, heartbeat_at, started_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6, ?6, ?6, ?6)",
    )?
    .execute(params![
        project.id,
        identity.user,
        identity.username,
        name,
        display,
        now
    ])?;
    Ok((db.last_insert_rowid(), true))
}

fn randomness(source: std::io::Error) -> StoreError {
    StoreError::Io {
        doing: "make a random name".to_owned(),
        source,
    }
}

fn restart(db: &Connection, run: i64, now: i64) -> StoreResult<()> {
    db.execute(
        "UPDATE runs SET state = 'running', heartbeat_at = ?2, started_at = ?2, finished_at = NULL, exit_code = NULL,
           stop_requested = 0 WHERE id = ?1",
        [run, now],
    )?;
    Ok(())
}

/// Stores a config as it came, and the unwrapped form that filters read.
pub(super) fn set_config(db: &Connection, run: i64, config: &str) -> StoreResult<()> {
    let unwrapped = lenient::unwrap_config(config)
        .map_err(|error| StoreError::Refused(format!("config is not a JSON object: {error}")))?;
    db.prepare_cached(
        "UPDATE runs SET config = ?2, config_query = ?3, revision = revision + 1 WHERE id = ?1",
    )?
    .execute(params![run, config, unwrapped])?;
    Ok(())
}

/// Stores a summary as it came, and the strict form that filters read.
pub(super) fn set_summary(db: &Connection, run: i64, summary: &str) -> StoreResult<()> {
    let strict = lenient::strict(summary)
        .map_err(|error| StoreError::Refused(format!("summary is not a JSON object: {error}")))?;
    if !strict.trim_start().starts_with('{') {
        return Err(StoreError::Refused("summary is not a JSON object".to_owned()));
    }
    db.prepare_cached(
        "UPDATE runs SET summary = ?2, summary_query = ?3, revision = revision + 1 WHERE id = ?1",
    )?
    .execute(params![run, summary, strict])?;
    Ok(())
}

/// Adds a summary to the one that is there: each process of a shared run knows only what it logged itself.
pub(super) fn merge_summary(db: &Connection, run: i64, summary: &str) -> StoreResult<()> {
    let before: String = db.query_row("SELECT summary FROM runs WHERE id = ?1", [run], |row| row.get(0))?;
    set_summary(db, run, &overlay(&before, summary)?)
}

/// The members of two objects, as text; where both have a key, those of `upper`.
fn overlay(lower: &str, upper: &str) -> StoreResult<String> {
    let broken = |error: lenient::LenientError| StoreError::Refused(format!("not a JSON object: {error}"));
    let mut members: Vec<(&str, &str)> = Vec::new();
    let mut places: std::collections::HashMap<std::borrow::Cow<'_, str>, usize> =
        std::collections::HashMap::new();
    for member in lenient::members(lower)
        .map_err(broken)?
        .chain(lenient::members(upper).map_err(broken)?)
    {
        let (key, value) = member.map_err(broken)?;
        match places.entry(lenient::unescape(key)) {
            std::collections::hash_map::Entry::Occupied(place) => members[*place.get()].1 = value.text,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(members.len());
                members.push((key, value.text));
            }
        }
    }
    let mut out = String::from("{");
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        // The key is as it was written: its escapes are still those of JSON.
        out.push('"');
        out.push_str(key);
        out.push_str("\":");
        out.push_str(value);
    }
    out.push('}');
    Ok(out)
}

/// Stores the list of tags in place of the one that is there.
pub(super) fn set_tags(db: &Connection, run: i64, tags: &[String]) -> StoreResult<()> {
    db.prepare_cached("UPDATE runs SET revision = revision + 1 WHERE id = ?1")?
        .execute([run])?;
    db.execute("DELETE FROM run_tags WHERE run_id = ?1", [run])?;
    let mut insert = db.prepare_cached("INSERT INTO run_tags (run_id, position, tag) VALUES (?1, ?2, ?3)")?;
    for (position, tag) in tags.iter().enumerate() {
        insert.execute(params![run, position as i64, tag])?;
    }
    Ok(())
}

/// Forgets everything that was logged to a run.
fn clear(db: &Connection, run: i64) -> StoreResult<()> {
    remove_lines(db, run)?;
    db.execute("DELETE FROM run_keys WHERE run_id = ?1", [run])?;
    db.execute(
        "UPDATE runs SET history_lines = 0, history_rows = 0, event_lines = 0, log_lines = 0, last_step = -1, steps_sorted = 1,
           key_stats = NULL, summary = '{}', summary_query = '{}', revision = revision + 1 WHERE id = ?1",
        [run],
    )?;
    Ok(())
}

fn remove_lines(db: &Connection, run: i64) -> StoreResult<()> {
    let (from, to) = lines::range(run);
    for table in ["history", "events", "console"] {
        db.execute(
            &format!("DELETE FROM {table} WHERE position >= ?1 AND position < ?2"),
            [from, to],
        )?;
    }
    db.execute("DELETE FROM shared_lines WHERE run_id = ?1", [run])?;
    Ok(())
}

#[derive(Deserialize)]
struct BranchPoint {
    run_id: String,
    step: i64,
}

/// The branch point in a config, when the run is a fork (protocol §2.7.2).
fn branch_point(config: &str) -> Option<BranchPoint> {
    #[derive(Deserialize)]
    struct Reserved<'a> {
        #[serde(borrow)]
        branch_point: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        value: Reserved<'a>,
    }
    #[derive(Deserialize)]
    struct Config<'a> {
        #[serde(borrow, rename = "_wandb")]
        reserved: Option<Wrapped<'a>>,
    }
    let strict = lenient::strict(config).ok()?;
    let config: Config<'_> = serde_json::from_str(&strict).ok()?;
    serde_json::from_str(config.reserved?.value.branch_point?.get()).ok()
}

/// Copies the history of the run that a new one branches from, up to and including the step of the branch.
fn fork(db: &Connection, run: i64, config: &str) -> StoreResult<()> {
    let Some(point) = branch_point(config) else {
        return Ok(());
    };
    let source: Option<i64> = db
        .query_row(
            "SELECT s.id FROM runs s JOIN runs r ON r.project_id = s.project_id WHERE r.id = ?1 AND s.name = ?2",
            params![run, point.run_id],
            |row| row.get(0),
        )
        .optional()?;
    let Some(source) = source else {
        return Err(StoreError::Refused(format!(
            "run {:?} to fork from not found",
            point.run_id
        )));
    };
    let (from, _) = lines::range(run);
    db.execute(
        "INSERT INTO history (position, run_id, step, row)
         SELECT ?2 + ROW_NUMBER() OVER (ORDER BY h.step, h.position) - 1, ?1, h.step, h.row
         FROM history h WHERE h.run_id = ?3 AND h.step <= ?4",
        [run, from, source, point.step],
    )?;
    history::recount(db, run)
}

/// Removes the history of a run after `step` and starts the run again (protocol §2.7.2, rewind).
pub(crate) fn rewind(db: &Connection, run: i64, step: i64) -> StoreResult<()> {
    db.execute("DELETE FROM history WHERE run_id = ?1 AND step > ?2", [run, step])?;
    db.execute(
        "DELETE FROM shared_lines WHERE run_id = ?1 AND file = 'history'",
        [run],
    )?;
    history::recount(db, run)?;
    restart(db, run, time::now())
}

/// Deletes a run with all that belongs to it; false when there was none. Returns the digests whose bytes may have
/// lost their last reference.
pub(crate) fn delete(db: &Connection, run: i64) -> StoreResult<(bool, Vec<String>)> {
    let mut statement =
        db.prepare_cached("SELECT DISTINCT md5 FROM run_files WHERE run_id = ?1 AND md5 IS NOT NULL")?;
    let digests = statement
        .query_map([run], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    remove_lines(db, run)?;
    let deleted = db.execute("DELETE FROM runs WHERE id = ?1", [run])? > 0;
    Ok((deleted, digests))
}

/// Asks the process of a run to stop; false when the run does not exist.
pub(crate) fn request_stop(db: &Connection, run: i64) -> StoreResult<bool> {
    Ok(db.execute(
        "UPDATE runs SET stop_requested = 1, updated_at = ?2 WHERE id = ?1",
        [run, time::now()],
    )? > 0)
}

/// Changes the state by hand, within the transitions that the real service allows (protocol §2.7).
pub(crate) fn change_state(db: &Connection, run: i64, to: &str) -> StoreResult<()> {
    let found: Option<(String, Option<String>)> = db
        .query_row("SELECT state, sweep_name FROM runs WHERE id = ?1", [run], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((state, sweep)) = found else {
        return Err(StoreError::Refused("run not found".to_owned()));
    };
    if sweep.is_some() {
        return Err(StoreError::Refused(
            "the state of a sweep run cannot be changed".to_owned(),
        ));
    }
    let allowed = match to {
        "pending" => matches!(state.as_str(), "running" | "failed" | "crashed" | "preempted"),
        "failed" => matches!(state.as_str(), "pending" | "running"),
        _ => false,
    };
    if !allowed && state != to {
        return Err(StoreError::Refused(format!(
            "a run cannot go from state {state:?} to {to:?}"
        )));
    }
    let now = time::now();
    db.execute(
        "UPDATE runs SET state = ?2, updated_at = ?3 WHERE id = ?1",
        params![run, to, now],
    )?;
    Ok(())
}

/// Records an alert of a run.
pub(crate) fn alert(
    db: &Connection,
    run: i64,
    title: &str,
    text: &str,
    severity: &str,
    wait_ms: Option<i64>,
) -> StoreResult<()> {
    db.execute(
        "INSERT INTO alerts (run_id, title, text, severity, wait_ms, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![run, title, text, severity, wait_ms, time::now()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaid_objects_keep_texts_and_escapes() {
        let merged = overlay(
            r#"{"a\"b":1.50,"c":NaN}"#,
            r#"{"c":[1, 2],"d":12345678901234567890}"#,
        )
        .unwrap();
        assert_eq!(merged, r#"{"a\"b":1.50,"c":[1, 2],"d":12345678901234567890}"#);
        assert!(overlay("[]", "{}").is_err());
        assert!(overlay("{}", r#"{"a":}"#).is_err());
    }

    #[test]
    fn branch_points_are_read_from_the_reserved_key() {
        let config =
            r#"{"lr":{"value":1},"_wandb":{"value":{"branch_point":{"run_id":"abc","step":7},"t":{}}}}"#;
        let point = branch_point(config).unwrap();
        assert_eq!((point.run_id.as_str(), point.step), ("abc", 7));
        assert!(branch_point(r#"{"_wandb":{"value":{"t":{}}}}"#).is_none());
        assert!(branch_point("{}").is_none());
        assert!(branch_point("nonsense").is_none());
    }
}
