//! Writing the sample runs into the store.

use rusqlite::{Connection, OptionalExtension as _, params};
use thiserror::Error;

use super::generate::{Outcome, SampleRun, TAG, runs};
use super::{artifacts, reports, sweep};
use crate::app::App;
use crate::blobs::BlobStore;
use crate::store::identity::Identity;
use crate::store::stream::{self, Prepared};
use crate::store::upsert::{self, RunPatch};
use crate::store::{StoreError, StoreResult, files, projects, time};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampleSummary {
    /// The entity that the project belongs to.
    pub entity: String,
    /// The project.
    pub project: String,
    /// How many runs.
    pub runs: usize,
    /// How many rows of history, over all runs.
    pub history_rows: usize,
    /// How many files, over all runs.
    pub files: usize,
    /// How many bytes in these files.
    pub file_bytes: u64,
    /// How many versions of artifacts.
    pub artifacts: usize,
}

/// The sample project could not be written. Nothing was.
#[derive(Debug, Error)]
#[error("cannot write the sample project {project:?}")]
pub struct SampleError {
    project: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Fills a project of the default entity with the sample runs, in one transaction. Sample runs that are there already
/// are replaced.
///
/// # Errors
/// The project's name is not one, a run that is no sample has the name of one, or the data directory cannot be written.
pub(crate) async fn fill(app: &App, project: &str) -> Result<SampleSummary, SampleError> {
    let (blobs, identity) = (app.blobs.clone(), app.identity.clone());
    let name = project.to_owned();
    let written = app
        .store
        .write(move |db| write_all(db, &identity, &blobs, &name, time::now()))
        .await;
    let (summary, replaced) = written.map_err(|source| SampleError {
        project: project.to_owned(),
        source: source.into(),
    })?;
    app.forget_bytes(replaced).await;
    Ok(summary)
}

/// Writes all runs; returns also the digests that replaced runs pointed to.
fn write_all(
    db: &Connection,
    identity: &Identity,
    blobs: &BlobStore,
    project: &str,
    now: i64,
) -> StoreResult<(SampleSummary, Vec<String>)> {
    let mut replaced = Vec::new();
    let (row, _) = projects::ensure(db, identity, None, Some(project))?;
    let mut summary = SampleSummary {
        entity: row.entity_name.clone(),
        project: row.name.clone(),
        runs: 0,
        history_rows: 0,
        files: 0,
        file_bytes: 0,
        artifacts: 0,
    };
    for run in runs(now) {
        replaced.extend(remove_earlier(db, row.id, &run.name)?);
        write(db, identity, blobs, project, &run)?;
        summary.runs += 1;
        summary.history_rows += run.history.len();
        summary.files += run.files.len();
        summary.file_bytes += run.files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    }
    sweep::write(db, identity, &row)?;
    reports::write(db, identity, &row)?;
    let (artifacts, released) = artifacts::write(db, identity, blobs, &row)?;
    summary.artifacts = artifacts;
    replaced.extend(released);
    Ok((summary, replaced))
}

/// Removes the sample run of this name, if there is one, and returns the digests of its files. A run that is no sample
/// stays, and is in the way.
fn remove_earlier(db: &Connection, project: i64, name: &str) -> StoreResult<Vec<String>> {
    let found: Option<(i64, bool)> = db
        .prepare_cached(
            "SELECT r.id, EXISTS (SELECT 1 FROM run_tags t WHERE t.run_id = r.id AND t.tag = ?3)
             FROM runs r WHERE r.project_id = ?1 AND r.name = ?2",
        )?
        .query_row(params![project, name, TAG], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Ok(Vec::new()),
        Some((run, true)) => upsert::delete(db, run).map(|(_, digests)| digests),
        Some((_, false)) => Err(StoreError::Refused(format!(
            "run {name:?} exists and is no sample"
        ))),
    }
}

/// Does what the requests of a client would have done, then sets the dates to those of the story.
fn write(
    db: &Connection,
    identity: &Identity,
    blobs: &BlobStore,
    project: &str,
    run: &SampleRun,
) -> StoreResult<()> {
    let patch = RunPatch {
        name: Some(run.name.clone()),
        project: Some(project.to_owned()),
        group: Some(run.group.to_owned()),
        job_type: Some("train".to_owned()),
        display_name: Some(run.display_name.clone()),
        notes: Some(run.notes.clone()),
        tags: Some(run.tags.clone()),
        config: Some(run.config.clone()),
        host: Some("sample-host".to_owned()),
        program: Some("train.py".to_owned()),
        ..RunPatch::default()
    };
    let (id, _) = upsert::upsert(db, identity, &patch)?;
    let lines = |lines: &[String]| serde_json::json!({ "offset": 0, "content": lines });
    let mut request = serde_json::json!({ "files": {
        "wandb-history.jsonl": lines(&run.history),
        "wandb-events.jsonl": lines(&run.events),
        "wandb-summary.json": lines(std::slice::from_ref(&run.summary)),
        "output.log": lines(&run.console),
    } });
    if let Some(code) = run.outcome.exit_code() {
        request["complete"] = true.into();
        request["exitcode"] = code.into();
    }
    let request = Prepared::new(request.to_string().as_bytes(), None)?;
    stream::apply(db, id, &request, run.heartbeat_at)?;
    let names: Vec<String> = run.files.iter().map(|(name, _)| name.clone()).collect();
    for (file, (_, bytes)) in files::announce(db, id, &names)?.iter().zip(&run.files) {
        let stored = blobs
            .put_bytes(bytes.clone().into())
            .map_err(|source| StoreError::Io {
                doing: format!("store {:?}", file.name),
                source: std::io::Error::other(source),
            })?;
        files::uploaded(db, file.id, &stored.digest.to_string(), stored.size)?;
    }
    let ended = (run.outcome != Outcome::Running).then_some(run.heartbeat_at);
    db.prepare_cached(
        "UPDATE runs SET state = ?2, created_at = ?3, started_at = ?3, updated_at = ?4, heartbeat_at = ?4,
           finished_at = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id,
        run.outcome.state(),
        run.created_at,
        run.heartbeat_at,
        ended
    ])?;
    db.prepare_cached("UPDATE run_files SET created_at = ?2, uploaded_at = ?2 WHERE run_id = ?1")?
        .execute(params![id, run.heartbeat_at])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalServer;
    use crate::blobs::Md5Digest;
    use crate::store::runs::{self, Wanted};

    fn count(db: &Connection, project: i64, filter: &str) -> i64 {
        runs::count(db, project, Some(filter)).unwrap()
    }

    #[tokio::test]
    async fn fills_a_project_that_can_be_queried_and_filled_again() {
        let server = LocalServer::builder().start().await.unwrap();
        let app = server.app();
        let first = server.fill_sample("demo").await.unwrap();
        assert_eq!(
            (first.entity.as_str(), first.project.as_str(), first.runs),
            ("local", "demo", 60)
        );
        assert!(first.history_rows > 10_000 && first.files == 72, "{first:?}");
        let again = server.fill_sample("demo").await.unwrap();
        assert_eq!((again.runs, again.history_rows), (first.runs, first.history_rows));
        let identity = app.identity.clone();
        let digests = app
            .store
            .read(move |db| {
                let project = projects::find(db, &identity, None, "demo")?.unwrap().id;
                assert_eq!(runs::count(db, project, None)?, 60);
                assert_eq!(count(db, project, r#"{"tags":"sample","group":"cnn"}"#), 30);
                assert_eq!(
                    count(db, project, r#"{"state":{"$in":["failed","crashed","running"]}}"#),
                    4
                );
                assert_eq!(count(db, project, r#"{"summary_metrics.loss":NaN}"#), 2);
                assert_eq!(
                    count(db, project, r#"{"keys_info.keys.val/loss":{"$exists":true}}"#),
                    60
                );
                let slow = count(db, project, r#"{"config.lr":{"$lt":0.001}}"#);
                assert!(slow > 0 && slow < 60);
                let rows: i64 = db.query_row("SELECT COUNT(*) FROM history", [], |row| row.get(0))?;
                assert_eq!(rows, again.history_rows as i64);
                let failed: i64 = db.query_row(
                    "SELECT id FROM runs WHERE state = 'failed' AND exit_code = 1 LIMIT 1",
                    [],
                    |row| row.get(0),
                )?;
                let failed = runs::by_id(db, failed, Wanted::default())?.unwrap();
                assert!(
                    failed.created_at < failed.heartbeat_at
                        && failed.finished_at == Some(failed.heartbeat_at)
                );
                let mut digests = db.prepare(
                    "SELECT md5 FROM run_files UNION SELECT md5 FROM artifact_entries UNION SELECT md5 FROM artifact_manifests",
                )?;
                let versions: i64 =
                    db.query_row("SELECT COUNT(*) FROM artifact_memberships", [], |row| row.get(0))?;
                assert_eq!(versions, 3, "those of the first filling are gone");
                let digests = digests
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<Vec<String>, _>>()?;
                Ok(digests)
            })
            .await
            .unwrap();
        for digest in &digests {
            assert!(
                app.blobs
                    .read(Md5Digest::from_hex(digest).unwrap())
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        assert_eq!(
            app.blobs.iter().unwrap().count(),
            digests.len(),
            "bytes of replaced files are gone"
        );
    }

    #[tokio::test]
    async fn never_replaces_a_run_of_the_user() {
        let server = LocalServer::builder().start().await.unwrap();
        let app = server.app();
        let name = runs_now()[5].name.clone();
        let identity = app.identity.clone();
        let patch = RunPatch {
            name: Some(name.clone()),
            project: Some("mine".to_owned()),
            ..RunPatch::default()
        };
        app.store
            .write(move |db| upsert::upsert(db, &identity, &patch))
            .await
            .unwrap();
        let error = server.fill_sample("mine").await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, format!("run {name:?} exists and is no sample"));
        let left = app
            .store
            .read(|db| Ok(db.query_row("SELECT COUNT(*) FROM runs", [], |row| row.get::<_, i64>(0))?));
        assert_eq!(left.await.unwrap(), 1, "the transaction was rolled back");
        assert!(server.fill_sample("a/b").await.is_err());
    }

    fn runs_now() -> Vec<SampleRun> {
        super::super::generate::runs(time::now()).collect()
    }
}
