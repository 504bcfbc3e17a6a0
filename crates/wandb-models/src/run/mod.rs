//! Runs (inventory 1.4, 1.5): one run, and listings of runs.

mod config;
pub(crate) mod convert;
mod data;
mod document;
mod listing;
mod print;
mod reference;
mod select;
mod state;
mod write;

use std::{fmt, ops::Deref, path::Path, sync::Arc};

use cynic::QueryBuilder;
use wandb_core::{Error, Result, path::RunPath};
use wandb_schema::operations::runs as wire;

use crate::{Api, File, Files, History, Progress, Scan};

pub use data::{RunData, RunUser};
pub use listing::{ListingReport, Runs};
pub use reference::RunReference;
pub use select::Selection;
pub use state::RunState;
pub use write::{ConsoleLogLine, ConsoleLogs, NewRun, RunEdit, RunSummary, UpdatableState, WaitOptions};

/// One run: its data (through [`Deref`]), and what can be asked of the server about it.
///
/// The data is a snapshot; [`reload`](Self::reload) takes a new one.
#[derive(Clone)]
pub struct Run {
    reference: RunReference,
    data: Arc<RunData>,
}

impl Deref for Run {
    type Target = RunData;

    fn deref(&self) -> &RunData {
        &self.data
    }
}

impl Run {
    pub(crate) fn new(api: Api, path: Arc<RunPath>, data: RunData) -> Self {
        Self {
            reference: RunReference::new(api, path),
            data: Arc::new(data),
        }
    }

    pub(crate) async fn fetch(api: &Api, path: RunPath) -> Result<Self> {
        let selection = Selection::everything();
        let operation = wire::Run::build(wire::RunsVariables {
            name: path.run().as_str().to_owned(),
            ..selection.variables(path.project_path())
        });
        let description = format!("read run \"{path}\"");
        let answer: wire::Run = api.execute(&operation, &description).await?;
        let project = answer.project.ok_or_else(|| {
            Error::not_found(format!("project \"{}\"", path.project_path()))
                .with_hint("check the spelling; the key may not see a private project")
        })?;
        let run = project.run.ok_or_else(|| {
            Error::not_found(format!("run \"{path}\""))
                .with_hint("the last part is the run's id, not its display name; list the runs to find it")
        })?;
        let run = convert::Names::new(&project.entity_name, &project.name)
            .and_then(|names| convert::run(api, &names, run, &selection))
            .map_err(|error| error.in_operation(description))?;
        api.memory().keep_run(&path, run.run_path(), &run.data);
        Ok(run)
    }

    /// A run whose data is known.
    pub(crate) fn known(api: Api, path: RunPath, data: Arc<RunData>) -> Self {
        Self {
            reference: RunReference::new(api, Arc::new(path)),
            data,
        }
    }

    /// The run's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &RunData {
        &self.data
    }

    pub(crate) fn api(&self) -> &Api {
        self.reference.api()
    }

    /// Where the run is.
    #[must_use]
    pub fn run_path(&self) -> &RunPath {
        self.reference.run_path()
    }

    /// The run by its place, without its data.
    #[must_use]
    pub fn reference(&self) -> &RunReference {
        &self.reference
    }

    /// Reads the run again, whole.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it was deleted meanwhile.
    pub async fn reload(&self) -> Result<Self> {
        self.reference.load().await
    }

    /// A **sample** of the history: about `samples` rows (500 unless set), thinned evenly by the server. For every row
    /// use [`scan_history`](Self::scan_history).
    pub fn history(&self) -> History {
        self.reference.history()
    }

    /// Every row of the history, exactly: in step order, each once.
    pub fn scan_history(&self) -> Scan {
        self.reference.scan_history()
    }

    /// The largest step that was logged, as the server knows it now; `None` without history.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when the run was deleted meanwhile.
    pub async fn last_history_step(&self) -> Result<Option<i64>> {
        self.reference.last_history_step().await
    }

    /// The run's files.
    pub fn files(&self) -> Files {
        self.reference.files()
    }

    /// One file by its exact name, for example `config.yaml` or `media/images/x.png`.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when the run has no such file.
    pub async fn file(&self, name: &str) -> Result<File> {
        self.reference.file(name).await
    }
}

impl Run {
    /// The state now, as the server says it; the run itself is the snapshot that it is.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when the run was deleted meanwhile.
    pub async fn current_state(&self) -> Result<RunState> {
        self.reference.state().await
    }

    /// Waits until nothing more is logged; see [`RunReference::wait_until_finished`].
    ///
    /// # Errors
    /// As [`RunReference::wait_until_finished`].
    pub async fn wait_until_finished(&self, options: &WaitOptions) -> Result<Self> {
        self.reference.wait_until_finished(options).await
    }

    /// Uploads one file; see [`RunReference::upload_file`].
    ///
    /// # Errors
    /// As [`RunReference::upload_file`].
    pub async fn upload_file(&self, path: impl AsRef<Path>, root: impl AsRef<Path>) -> Result<File> {
        self.reference.upload_file(path, root).await
    }

    /// Uploads files; see [`RunReference::upload_files`].
    ///
    /// # Errors
    /// As [`RunReference::upload_files`].
    pub async fn upload_files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        root: impl AsRef<Path>,
    ) -> Result<Vec<File>> {
        self.reference.upload_files(paths, root).await
    }

    /// Uploads files and tells someone how far it is; see [`RunReference::upload_files_with_progress`].
    ///
    /// # Errors
    /// As [`RunReference::upload_files`].
    pub async fn upload_files_with_progress<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        root: impl AsRef<Path>,
        progress: Arc<dyn Progress>,
    ) -> Result<Vec<File>> {
        self.reference
            .upload_files_with_progress(paths, root, progress)
            .await
    }

    /// What the run's process noted about itself: `wandb-metadata.json`; `None` when the run has none.
    ///
    /// # Errors
    /// As [`RunReference::metadata`].
    pub async fn metadata(&self) -> Result<Option<wandb_core::value::Map>> {
        self.reference.metadata().await
    }

    /// The console lines of the run.
    pub fn console_logs(&self) -> ConsoleLogs {
        self.reference.console_logs()
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Run")
            .field("path", self.run_path())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

pub(crate) fn variables(path: &RunPath) -> wire::RunVariables {
    wire::RunVariables {
        project: path.project().as_str().to_owned(),
        entity: Some(path.entity().as_str().to_owned()),
        name: path.run().as_str().to_owned(),
    }
}
