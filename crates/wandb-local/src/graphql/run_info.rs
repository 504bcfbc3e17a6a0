//! How a run was started.

use async_graphql::SimpleObject;

/// How the process was started, as far as the run said so.
#[derive(Debug, SimpleObject)]
pub(crate) struct RunInfo {
    pub(super) program: Option<String>,
    pub(super) args: Option<Vec<String>>,
    pub(super) os: Option<String>,
    pub(super) python: Option<String>,
    pub(super) colab: Option<String>,
    pub(super) executable: Option<String>,
    pub(super) code_saved: Option<bool>,
    pub(super) cpu_count: Option<i32>,
    pub(super) gpu_count: Option<i32>,
    pub(super) gpu: Option<String>,
    pub(super) git: Option<GitInfo>,
}

/// The code of the run.
#[derive(Debug, SimpleObject)]
pub(crate) struct GitInfo {
    pub(super) remote: Option<String>,
    pub(super) commit: Option<String>,
}
