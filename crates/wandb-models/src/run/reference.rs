//! A run by its place, without its data.

use std::sync::Arc;

use wandb_core::{Result, path::RunPath};

use super::Run;
use crate::{Api, File, Files, History, HistoryStream, Scan, file, history};

/// A run by its place: everything that can be asked of the server about it, without the run's own data.
///
/// Made by [`Api::run_reference`], which sends nothing, or by [`Run::reference`]. That the run exists is found out by the
/// first request. Config, summary and history keys can be megabytes, so where only files or history are wanted this is
/// the cheaper way than [`Api::run`].
#[derive(Debug, Clone)]
pub struct RunReference {
    api: Api,
    path: Arc<RunPath>,
}

impl RunReference {
    pub(crate) fn new(api: Api, path: Arc<RunPath>) -> Self {
        Self { api, path }
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Where the run is.
    #[must_use]
    pub fn run_path(&self) -> &RunPath {
        &self.path
    }

    /// Reads the run, with everything it carries.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none or the key may not see it.
    pub async fn load(&self) -> Result<Run> {
        Run::fetch(&self.api, (*self.path).clone()).await
    }

    /// A **sample** of the history: about `samples` rows (500 unless set), thinned evenly by the server. For every row
    /// use [`scan_history`](Self::scan_history).
    pub fn history(&self) -> History {
        History::new(self.api.clone(), Arc::clone(&self.path), HistoryStream::Default)
    }

    /// Every row of the history, exactly: in step order, each once.
    pub fn scan_history(&self) -> Scan {
        Scan::new(self.api.clone(), Arc::clone(&self.path))
    }

    /// The largest step that was logged, as the server knows it now; `None` without history.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such run,
    /// [`Incomplete`](wandb_core::ErrorKind::Incomplete) when the server counts rows but does not say how far they go.
    pub async fn last_history_step(&self) -> Result<Option<i64>> {
        history::extent(&self.api, &self.path)
            .await?
            .checked_last_step(&self.path)
    }

    /// The run's files.
    pub fn files(&self) -> Files {
        Files::of_run(self.api.clone(), Arc::clone(&self.path))
    }

    /// One file by its exact name, for example `config.yaml` or `media/images/x.png`.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such run, or it has no such file.
    pub async fn file(&self, name: &str) -> Result<File> {
        file::fetch_one(&self.api, &self.path, name).await
    }
}
