//! Changing single members of a run in one transaction, so that two writers of different members both survive, and a
//! writer can refuse to overwrite what it has not seen.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::upsert::{set_config, set_summary, set_tags};
use super::{StoreError, StoreResult, runs, time};
use crate::lenient;

/// Most paths or tags in one patch.
const MAX_ITEMS: usize = 10_000;

/// What changes; `None` and empty lists leave alone.
#[derive(Debug, Default)]
pub(crate) struct RunChange {
    /// Row number of the run.
    pub(crate) run: i64,
    /// JSON object to merge into the config as it is stored.
    pub(crate) config: Option<String>,
    /// JSON object to merge into the summary.
    pub(crate) summary: Option<String>,
    /// Paths of members to remove first; see [`path`].
    pub(crate) remove_config: Vec<String>,
    pub(crate) remove_summary: Vec<String>,
    pub(crate) add_tags: Vec<String>,
    pub(crate) remove_tags: Vec<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    /// The revision token that the run must still have.
    pub(crate) if_revision: Option<String>,
    /// The time of the last update that the run must still have.
    pub(crate) if_updated_at: Option<i64>,
}

/// The keys of a path: a JSON array of strings, or one key as it is.
fn path(text: &str) -> StoreResult<Vec<String>> {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(keys) if keys.is_empty() => Err(StoreError::Refused(
            "a path without keys names nothing".to_owned(),
        )),
        Ok(keys) => Ok(keys),
        Err(_) => Ok(vec![text.to_owned()]),
    }
}

/// A document after removals and a merge; `None` when nothing was asked for.
fn document(
    before: &str,
    removals: &[String],
    patch: Option<&str>,
    what: &str,
) -> StoreResult<Option<String>> {
    if removals.is_empty() && patch.is_none() {
        return Ok(None);
    }
    let broken = |error: lenient::LenientError| {
        StoreError::Refused(format!("the {what} patch is not a JSON object: {error}"))
    };
    let mut text = before.to_owned();
    for removal in removals {
        text = lenient::remove(&text, &path(removal)?).map_err(broken)?;
    }
    if let Some(patch) = patch {
        text = lenient::merge(&text, patch).map_err(broken)?;
    }
    Ok(Some(text))
}

/// Applies a change. The caller is the writing thread's job, so nobody writes between the check and the change.
pub(crate) fn apply(db: &Connection, change: &RunChange) -> StoreResult<()> {
    let items = [
        &change.remove_config,
        &change.remove_summary,
        &change.add_tags,
        &change.remove_tags,
    ];
    if items.iter().any(|list| list.len() > MAX_ITEMS) {
        return Err(StoreError::Refused(format!(
            "more than {MAX_ITEMS} paths or tags in one patch"
        )));
    }
    let run = change.run;
    let found = db
        .prepare_cached("SELECT config, summary, created_at, updated_at, revision FROM runs WHERE id = ?1")?
        .query_row([run], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, i64>(4)?,
            ))
        })
        .optional()?;
    let Some((config, summary, created_at, updated_at, revision)) = found else {
        return Err(StoreError::Refused("run not found".to_owned()));
    };
    if let Some(token) = &change.if_revision
        && *token != runs::revision_token(created_at, revision)
    {
        return Err(StoreError::Conflict(
            "the run was changed since it was read: its revision is another one".to_owned(),
        ));
    }
    if let Some(time) = change.if_updated_at
        && time != updated_at
    {
        return Err(StoreError::Conflict(format!(
            "the run was changed since it was read: it was updated at {}",
            time::to_text(updated_at)
        )));
    }
    if let Some(text) = document(&config, &change.remove_config, change.config.as_deref(), "config")? {
        set_config(db, run, &text)?;
    }
    if let Some(text) = document(
        &summary,
        &change.remove_summary,
        change.summary.as_deref(),
        "summary",
    )? {
        set_summary(db, run, &text)?;
    }
    if !change.add_tags.is_empty() || !change.remove_tags.is_empty() {
        tags(db, change)?;
    }
    let described = [
        &change.display_name,
        &change.notes,
        &change.group,
        &change.job_type,
    ]
    .into_iter()
    .any(Option::is_some);
    db.prepare_cached(
        "UPDATE runs SET display_name = COALESCE(NULLIF(?2, ''), display_name), notes = COALESCE(?3, notes),
           group_name = COALESCE(?4, group_name), job_type = COALESCE(?5, job_type), updated_at = ?6,
           revision = revision + ?7
         WHERE id = ?1",
    )?
    .execute(params![
        run,
        change.display_name,
        change.notes,
        change.group,
        change.job_type,
        time::now(),
        described
    ])?;
    Ok(())
}

fn tags(db: &Connection, change: &RunChange) -> StoreResult<()> {
    let mut statement = db.prepare_cached("SELECT tag FROM run_tags WHERE run_id = ?1 ORDER BY position")?;
    let before = statement
        .query_map([change.run], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let mut after: Vec<String> = before
        .iter()
        .filter(|tag| !change.remove_tags.contains(tag))
        .cloned()
        .collect();
    for tag in &change.add_tags {
        if !after.contains(tag) {
            after.push(tag.clone());
        }
    }
    if after != before {
        set_tags(db, change.run, &after)?;
    }
    Ok(())
}
