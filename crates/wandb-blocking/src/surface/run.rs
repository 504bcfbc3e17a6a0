//! Runs.

use std::path::Path;
use std::sync::Arc;

use wandb_artifacts::transfer::Progress;
use wandb_core::Result;
use wandb_core::filter::Filter;
use wandb_core::order::Order;
use wandb_core::value::Map;
use wandb_models::{ListingReport, RunState, Selection, UpdatableState, WaitOptions};

use super::{
    ConsoleLogs, File, Files, History, RunArtifacts, RunEdit, RunSummary, Scan, Sweep, UsedArtifacts,
};
use crate::mirror::{mirror, plain};

plain!(ListingReport, RunState);

mirror! {
    Run {
        by_hand reference;
        async fn reload(&self) -> Result<Self>;
        async fn sweep(&self) -> Result<Option<Sweep>>;
        fn history(&self) -> History;
        fn scan_history(&self) -> Scan;
        async fn last_history_step(&self) -> Result<Option<i64>>;
        fn files(&self) -> Files;
        async fn file(&self, name: &str) -> Result<File>;
        fn logged_artifacts(&self) -> RunArtifacts;
        fn used_artifacts(&self) -> UsedArtifacts;
        async fn use_artifact(&self, artifact: &wandb_models::Artifact, use_as: Option<&str>) -> Result<()>;
        async fn log_artifact(&self, artifact: &wandb_models::Artifact, aliases: impl IntoIterator<Item = impl AsRef<str> + Send> + Send) -> Result<()>;
        by_hand delete_files;
        async fn current_state(&self) -> Result<RunState>;
        async fn wait_until_finished(&self, options: &WaitOptions) -> Result<Self>;
        async fn upload_file(&self, path: impl AsRef<Path> + Send, root: impl AsRef<Path> + Send) -> Result<File>;
        async fn upload_files(&self, paths: impl IntoIterator<Item = impl AsRef<Path> + Send> + Send, root: impl AsRef<Path> + Send) -> Result<Vec<File>>;
        async fn upload_files_with_progress(&self, paths: impl IntoIterator<Item = impl AsRef<Path> + Send> + Send, root: impl AsRef<Path> + Send, progress: Arc<dyn Progress>) -> Result<Vec<File>>;
        async fn metadata(&self) -> Result<Option<Map>>;
        fn console_logs(&self) -> ConsoleLogs;
        fn edit(&self) -> RunEdit;
        async fn delete(&self, with_artifacts: bool) -> Result<()>;
        async fn stop(&self) -> Result<()>;
        async fn update_state(&self, state: UpdatableState) -> Result<Self>;
        fn edit_summary(&self) -> Result<RunSummary>;
    }
    RunReference {
        async fn load(&self) -> Result<Run>;
        fn history(&self) -> History;
        fn scan_history(&self) -> Scan;
        async fn last_history_step(&self) -> Result<Option<i64>>;
        fn files(&self) -> Files;
        async fn file(&self, name: &str) -> Result<File>;
        fn logged_artifacts(&self) -> RunArtifacts;
        fn used_artifacts(&self) -> UsedArtifacts;
        async fn use_artifact(&self, artifact: &wandb_models::Artifact, use_as: Option<&str>) -> Result<()>;
        async fn log_artifact(&self, artifact: &wandb_models::Artifact, aliases: impl IntoIterator<Item = impl AsRef<str> + Send> + Send) -> Result<()>;
        fn console_logs(&self) -> ConsoleLogs;
        async fn state(&self) -> Result<RunState>;
        async fn wait_until_finished(&self, options: &WaitOptions) -> Result<Run>;
        async fn metadata(&self) -> Result<Option<Map>>;
        async fn upload_file(&self, path: impl AsRef<Path> + Send, root: impl AsRef<Path> + Send) -> Result<File>;
        async fn upload_files(&self, paths: impl IntoIterator<Item = impl AsRef<Path> + Send> + Send, root: impl AsRef<Path> + Send) -> Result<Vec<File>>;
        async fn upload_files_with_progress(&self, paths: impl IntoIterator<Item = impl AsRef<Path> + Send> + Send, root: impl AsRef<Path> + Send, progress: Arc<dyn Progress>) -> Result<Vec<File>>;
    }
    Runs {
        fn filter(self, filter: Filter) -> Self;
        fn order(self, order: Order) -> Self;
        fn select(self, selection: Selection) -> Self;
        async fn count(&self) -> Result<u64>;
        async fn collect_exactly_once(self) -> Result<(Vec<Run>, ListingReport)>;
    }
}

impl Run {
    /// As [`Run::reference`](wandb_models::Run::reference).
    pub fn reference(&self) -> RunReference {
        crate::Blocking {
            inner: self.inner.reference().clone(),
            runtime: self.runtime.clone(),
        }
    }

    /// Waits for [`Run::delete_files`](wandb_models::Run::delete_files).
    ///
    /// # Errors
    /// As there.
    pub fn delete_files<'a>(&self, files: impl IntoIterator<Item = &'a File>) -> Result<()> {
        let files: Vec<&wandb_models::File> = files.into_iter().map(File::asynchronous).collect();
        self.runtime.wait(self.inner.delete_files(files))
    }
}
