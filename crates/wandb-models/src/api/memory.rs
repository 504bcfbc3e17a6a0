//! What an [`Api`](super::Api) remembers of runs, sweeps and projects, if it was asked to.
//!
//! Only data is kept, never a handle: a handle holds the `Api`, which would then never be dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use wandb_core::path::{ProjectPath, RunPath, SweepPath};

use crate::{Project, RunData, SweepData};

/// The memory; none unless asked for.
#[derive(Default)]
pub(crate) struct Memory {
    entries: Option<Mutex<Entries>>,
}

#[derive(Default)]
struct Entries {
    runs: HashMap<RunPath, (RunPath, Arc<RunData>)>,
    sweeps: HashMap<SweepPath, (SweepPath, Arc<SweepData>)>,
    projects: HashMap<ProjectPath, Project>,
}

impl Memory {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            entries: wanted.then(Mutex::default),
        }
    }

    fn entries(&self) -> Option<MutexGuard<'_, Entries>> {
        let entries = self.entries.as_ref()?;
        // Each change is one insertion or removal, so a panic of another thread leaves nothing half done.
        Some(entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn flush(&self) {
        if let Some(mut entries) = self.entries() {
            *entries = Entries::default();
        }
    }

    /// The run of a path, with the path as the server spells it.
    pub(crate) fn run(&self, asked: &RunPath) -> Option<(RunPath, Arc<RunData>)> {
        self.entries()?.runs.get(asked).cloned()
    }

    /// Keeps a run that was just read, in the place of whatever was known of it.
    pub(crate) fn keep_run(&self, asked: &RunPath, path: &RunPath, data: &Arc<RunData>) {
        if let Some(mut entries) = self.entries() {
            entries
                .runs
                .retain(|_, (_, known)| known.storage_id != data.storage_id);
            for key in [asked, path] {
                entries.runs.insert(key.clone(), (path.clone(), Arc::clone(data)));
            }
        }
    }

    /// Forgets a run that was deleted.
    pub(crate) fn forget_run(&self, storage_id: &str) {
        if let Some(mut entries) = self.entries() {
            entries
                .runs
                .retain(|_, (_, known)| known.storage_id != storage_id);
        }
    }

    /// The sweep of a path, with the path as the server spells it.
    pub(crate) fn sweep(&self, asked: &SweepPath) -> Option<(SweepPath, Arc<SweepData>)> {
        self.entries()?.sweeps.get(asked).cloned()
    }

    /// Keeps a sweep that was just read.
    pub(crate) fn keep_sweep(&self, asked: &SweepPath, path: &SweepPath, data: &Arc<SweepData>) {
        if let Some(mut entries) = self.entries() {
            for key in [asked, path] {
                entries
                    .sweeps
                    .insert(key.clone(), (path.clone(), Arc::clone(data)));
            }
        }
    }

    /// The project of a path.
    pub(crate) fn project(&self, asked: &ProjectPath) -> Option<Project> {
        self.entries()?.projects.get(asked).cloned()
    }

    /// Keeps a project that was just read.
    pub(crate) fn keep_project(&self, asked: &ProjectPath, project: &Project) {
        if let Some(mut entries) = self.entries() {
            entries.projects.insert(asked.clone(), project.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use wandb_transport::ScriptedTransport;

    use crate::{Api, testing};

    fn run(notes: &str) -> Json {
        json!({"project": {"name": "p", "entityName": "e", "run": {"id": "storage", "name": "r", "displayName": null,
            "state": "finished", "sweepName": null, "group": null, "jobType": null, "commit": null, "host": null,
            "readOnly": null, "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null, "updatedAt": null,
            "description": null, "notes": notes, "tags": [], "historyLineCount": 0, "user": null, "config": "{}",
            "summaryMetrics": "{}", "systemMetrics": null, "historyKeys": null}}})
    }

    async fn notes(api: &Api) -> String {
        api.run("p/r").await.unwrap().notes.clone().unwrap()
    }

    #[tokio::test]
    async fn nothing_is_remembered_unless_asked_for() {
        let script = ScriptedTransport::ordered();
        let api = testing::api(&script);
        for text in ["one", "two"] {
            script.graphql("Run").respond_data(run(text));
            assert_eq!(notes(&api).await, text);
        }
        script.finish();
    }

    #[tokio::test]
    async fn what_was_read_is_known_until_it_is_flushed_read_again_or_deleted() {
        let script = ScriptedTransport::ordered();
        let api = testing::builder(&script).remember_lookups().build();
        script.graphql("Run").respond_data(run("one"));
        assert_eq!(notes(&api).await, "one");
        assert_eq!(notes(&api).await, "one");
        // Another handle of the same, and another spelling of the path.
        assert_eq!(api.with_timeout(None).run("e/p/r").await.unwrap().id, "r");

        script.graphql("Run").respond_data(run("two"));
        api.run("p/r").await.unwrap().reload().await.unwrap();
        assert_eq!(notes(&api).await, "two");

        api.flush();
        script.graphql("Run").respond_data(run("three"));
        assert_eq!(notes(&api).await, "three");

        script
            .graphql("DeleteRun")
            .respond_data(json!({"deleteRun": {"clientMutationId": null}}));
        api.run("p/r").await.unwrap().delete(false).await.unwrap();
        script
            .graphql("Run")
            .respond_data(json!({"project": {"name": "p", "entityName": "e", "run": null}}));
        assert!(api.run("p/r").await.is_err());
        script.finish();
    }

    #[tokio::test]
    async fn projects_and_sweeps_too() {
        let script = ScriptedTransport::ordered();
        let api = testing::builder(&script).remember_lookups().build();
        script
            .graphql("GetProject")
            .respond_data(json!({"project": {"id": "1", "name": "p", "entityName": "e",
            "description": null, "createdAt": "2024-05-01T12:34:56", "isBenchmark": false, "user": null}}));
        script.graphql("GetSweep").respond_data(json!({"project": {"name": "p", "entityName": "e", "sweep":
            {"id": "1", "name": "s", "displayName": null, "method": "grid", "state": "RUNNING", "description": null,
             "config": "", "bestLoss": null, "createdAt": "2024-05-01T12:34:56", "updatedAt": null, "runCount": 0,
             "runCountExpected": null}}}));
        for _ in 0..2 {
            assert_eq!(api.project("p").await.unwrap().name, "p");
            assert_eq!(api.sweep("p/s").await.unwrap().id, "s");
        }
        script.finish();
    }
}
