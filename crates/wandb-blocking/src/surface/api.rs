//! The entry point.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use wandb_artifacts::ArtifactPath;
use wandb_artifacts::cache::Cache;
use wandb_core::Result;
use wandb_core::filter::{Explanation, Filter, ServerRules};
use wandb_core::path::{EntityName, ProjectPath, RunPath};
use wandb_core::retry::{RetryPolicy, Runtime as Outside};
use wandb_core::settings::Settings;
use wandb_models::{NewApiKey, SweepConfig, User, Viewer};
use wandb_transport::Transport;

use super::{
    Artifact, ArtifactCollection, ArtifactCollections, ArtifactType, ArtifactTypes, ArtifactVersions,
    CreatedSweep, NewReport, NewRun, Project, Projects, Report, Reports, Run, RunReference, Runs, Sweep,
    Sweeps, Team, Users,
};
use crate::Blocking;
use crate::mirror::{mirror, plain};
use crate::runtime::Runtime;

plain!(
    Arc<Cache>,
    ArtifactPath,
    EntityName,
    Explanation,
    ProjectPath,
    RunPath,
    SweepConfig,
    Viewer
);

mirror! {
    Api {
        by_hand builder;
        by_hand from_env;
        by_hand from_settings;
        fn with_timeout(&self, timeout: Option<Duration>) -> Self;
        fn offline(&self) -> Self;
        fn without_artifact_cache(&self) -> Self;
        async fn viewer(&self) -> Result<Viewer>;
        async fn default_entity(&self) -> Result<EntityName>;
        async fn explain(&self, filter: &Filter) -> Result<Explanation>;
        fn projects(&self, entity: Option<&str>) -> Projects;
        async fn project(&self, path: &str) -> Result<Project>;
        fn runs(&self, path: impl Into<String>) -> Runs;
        async fn run(&self, path: &str) -> Result<Run>;
        async fn run_reference(&self, path: &str) -> Result<RunReference>;
        async fn project_path(&self, text: &str) -> Result<ProjectPath>;
        async fn run_path(&self, text: &str) -> Result<RunPath>;
        fn reports(&self, path: impl Into<String>) -> Reports;
        async fn report(&self, path: &str) -> Result<Report>;
        fn create_report(&self, project: impl Into<String>, title: impl Into<String>) -> NewReport;
        fn sweeps(&self, path: impl Into<String>) -> Sweeps;
        async fn sweep(&self, path: &str) -> Result<Sweep>;
        async fn create_sweep(&self, project: &str, config: &str) -> Result<CreatedSweep>;
        fn artifact_collections(&self, project: impl Into<String>, artifact_type: impl Into<String>) -> ArtifactCollections;
        async fn artifact_collection(&self, artifact_type: &str, name: &str) -> Result<ArtifactCollection>;
        async fn artifact(&self, name: &str) -> Result<Artifact>;
        async fn artifact_of_type(&self, name: &str, artifact_type: &str) -> Result<Artifact>;
        async fn artifact_exists(&self, name: &str) -> Result<bool>;
        async fn artifact_path(&self, name: &str) -> Result<ArtifactPath>;
        fn artifact_types(&self, project: impl Into<String>) -> ArtifactTypes;
        async fn artifact_type(&self, name: &str, project: &str) -> Result<ArtifactType>;
        fn artifacts(&self, artifact_type: impl Into<String>, collection: impl Into<String>) -> ArtifactVersions;
        fn artifact_versions(&self, collection: impl Into<String>) -> ArtifactVersions;
        by_hand from_environment;
        fn create_run(&self, project: impl Into<String>) -> NewRun;
        async fn create_project(&self, path: &str) -> Result<Project>;
        async fn artifact_cache(&self) -> Result<Option<Arc<Cache>>>;
        async fn team(&self, name: &str) -> Result<Team>;
        async fn create_team(&self, name: &str, admin: Option<&str>) -> Result<Team>;
        fn users(&self, query: impl Into<String>) -> Users;
        async fn user(&self, name_or_email: &str) -> Result<User>;
        async fn current_user(&self) -> Result<User>;
        async fn generate_api_key(&self, description: Option<&str>) -> Result<NewApiKey>;
        async fn delete_api_key(&self, id: &str) -> Result<()>;
    }
    ApiBuilder {
        fn base_url(self, text: &str) -> Result<Self>;
        fn settings(self, settings: &Settings) -> Result<Self>;
        fn app_url(self, text: &str) -> Result<Self>;
        fn api_key(self, key: &str) -> Result<Self>;
        fn authorization(self, value: HeaderValue) -> Self;
        fn entity(self, name: &str) -> Result<Self>;
        fn project(self, name: &str) -> Result<Self>;
        fn retry(self, policy: RetryPolicy) -> Self;
        fn extra_headers(self, headers: HeaderMap) -> Self;
        fn server_rules(self, rules: ServerRules) -> Self;
        fn runtime(self, runtime: Arc<dyn Outside>) -> Self;
        fn build(self) -> Api;
        fn artifact_cache(self, directory: impl Into<PathBuf>) -> Self;
        fn cache_budget(self, bytes: u64) -> Self;
        fn artifact_directory(self, directory: impl Into<PathBuf>) -> Self;
        fn offline(self, offline: bool) -> Self;
        fn remember_lookups(self) -> Self;
    }
}

impl Api {
    /// As [`Api::builder`](wandb_models::Api::builder). The transport is used on the threads of the blocking client.
    pub fn builder(transport: Arc<dyn Transport>) -> ApiBuilder {
        Blocking {
            inner: wandb_models::Api::builder(transport),
            runtime: Runtime::default(),
        }
    }
}

impl From<wandb_models::Api> for Api {
    /// A blocking handle around an asynchronous one, with threads of its own.
    ///
    /// A transport that keeps connections open should not be used by both: a connection belongs to the runtime on which it
    /// was made.
    fn from(api: wandb_models::Api) -> Self {
        Blocking {
            inner: api,
            runtime: Runtime::default(),
        }
    }
}

#[cfg(feature = "hyper")]
impl Api {
    /// As [`Api::from_env`](wandb_models::Api::from_env).
    ///
    /// # Errors
    /// As there.
    pub fn from_env() -> Result<Self> {
        wandb_models::Api::from_env().map(Self::from)
    }

    /// As [`Api::from_environment`](wandb_models::Api::from_environment).
    ///
    /// # Errors
    /// As there.
    pub fn from_environment(environment: &wandb_models::Environment) -> Result<Self> {
        wandb_models::Api::from_environment(environment).map(Self::from)
    }

    /// As [`Api::from_settings`](wandb_models::Api::from_settings).
    ///
    /// # Errors
    /// As there.
    pub fn from_settings(settings: &Settings) -> Result<Self> {
        wandb_models::Api::from_settings(settings).map(Self::from)
    }
}
