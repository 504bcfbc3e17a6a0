//! Which runs made and used what.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::rows::{ArtifactRow, Loader};
use super::{State, collections, edit};
use crate::store::access::readable;
use crate::store::identity::Identity;
use crate::store::{StoreError, StoreResult, time};

/// Notes that a run uses a version. Saying it twice says nothing more.
///
/// # Errors
/// The version does not exist, or is not committed.
pub(crate) fn record_use(db: &Connection, run: i64, artifact: i64, used_as: &str) -> StoreResult<()> {
    if edit::state(db, artifact)? != State::Committed {
        return Err(StoreError::Refused(
            "only a committed artifact can be used".to_owned(),
        ));
    }
    db.prepare_cached(
        "INSERT OR IGNORE INTO run_inputs (run_id, artifact_id, used_as, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![run, artifact, used_as, time::now()])?;
    Ok(())
}

/// A version that a run used, with what it was used as.
pub(crate) type Input = (Arc<ArtifactRow>, Vec<String>);

/// What a run used of what the caller may see (a run may use versions of other projects), and the values of the
/// parameters.
fn visible_inputs(caller: &Identity, run: i64) -> (String, Vec<Value>) {
    let (seen, of_seen) = readable(caller, "c.project_id");
    let sql = format!(
        "run_inputs i JOIN artifacts a ON a.id = i.artifact_id JOIN artifact_collections c ON c.id = a.sequence_id
         WHERE i.run_id = ? AND {seen}"
    );
    let mut values = vec![Value::Integer(run)];
    values.extend(of_seen);
    (sql, values)
}

/// The versions that a run used and the caller may see, in the order of first use, with what each was used as; and
/// whether more follow.
pub(crate) fn inputs(
    db: &Connection,
    caller: &Identity,
    run: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<Input>, bool)> {
    let (inputs, mut values) = visible_inputs(caller, run);
    values.push(Value::Integer(limit.saturating_add(1) as i64));
    values.push(Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)));
    let mut statement = db.prepare_cached(&format!(
        "SELECT i.artifact_id, json_group_array(i.used_as) FILTER (WHERE i.used_as <> '') FROM {inputs}
         GROUP BY i.artifact_id ORDER BY MIN(i.created_at), i.artifact_id LIMIT ? OFFSET ?"
    ))?;
    let mut found = statement
        .query_map(params_from_iter(values), |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    let more = found.len() as u64 > limit;
    found.truncate(limit as usize);
    let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
    let rows = Loader::new(db).artifacts(&ids)?;
    let used_as = found
        .into_iter()
        .map(|(_, text)| serde_json::from_str(&text).unwrap_or_default());
    Ok((rows.into_iter().zip(used_as).collect(), more))
}

/// How many versions a run used that the caller may see.
pub(crate) fn input_count(db: &Connection, caller: &Identity, run: i64) -> StoreResult<i64> {
    let (inputs, values) = visible_inputs(caller, run);
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(DISTINCT i.artifact_id) FROM {inputs}"))?
        .query_row(params_from_iter(values), |row| row.get(0))?)
}

const OUTPUTS: &str =
    "run_outputs o JOIN artifacts a ON a.id = o.artifact_id WHERE o.run_id = ? AND a.state = 'COMMITTED'";

/// The versions that a run logged, all of them in the run's own project, in order, and whether more follow.
pub(crate) fn outputs(
    db: &Connection,
    run: i64,
    limit: u64,
    offset: u64,
) -> StoreResult<(Vec<Arc<ArtifactRow>>, bool)> {
    let values = vec![
        Value::Integer(run),
        Value::Integer(limit.saturating_add(1) as i64),
        Value::Integer(i64::try_from(offset).unwrap_or(i64::MAX)),
    ];
    let sql = format!("SELECT a.id FROM {OUTPUTS} ORDER BY o.created_at, a.id LIMIT ? OFFSET ?");
    let (ids, more) = collections::page(db, &sql, values, limit)?;
    Ok((Loader::new(db).artifacts(&ids)?, more))
}

/// How many versions a run logged.
pub(crate) fn output_count(db: &Connection, run: i64) -> StoreResult<i64> {
    Ok(db
        .prepare_cached(&format!("SELECT COUNT(*) FROM {OUTPUTS}"))?
        .query_row([run], |row| row.get(0))?)
}

/// Deletes the versions that a run made, whatever their aliases; returns the digests whose bytes may have lost their
/// last reference.
pub(crate) fn delete_outputs(db: &Connection, run: i64) -> StoreResult<Vec<String>> {
    let made = db
        .prepare_cached("SELECT id FROM artifacts WHERE run_id = ?1 AND state <> 'DELETED'")?
        .query_map([run], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut digests = Vec::new();
    for artifact in made {
        digests.extend(edit::remove(db, artifact)?);
    }
    Ok(digests)
}
