//! The entry point: what Python users know as `wandb.Api()`.

mod builder;
mod environment;
mod memory;
#[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
mod store_variables;

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use cynic::{Operation as CynicOperation, QueryBuilder};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use wandb_core::{
    Client, Error, ErrorKind, Result,
    base_url::{AppUrl, BaseUrl},
    filter::{Explanation, Filter, ServerRules},
    graphql::Operation,
    path::{EntityName, PathContext, PathError, PathProblem, ProjectPath, RunPath},
    retry::Repeat,
};
use wandb_schema::operations::{server, viewer as wire};

use crate::{Project, Projects, Run, RunReference, Runs, Viewer, artifact::ArtifactStorage, project};

use memory::Memory;

pub use builder::ApiBuilder;
pub use environment::Environment;

/// The feature by which the embedded server says that it compares filters exactly as this client does.
const EXACT_FILTERS: &str = "WB_EXACT_FILTERS";

/// A handle to one W&B server for one key. Cloning it is cheap; it can be shared by any number of tasks.
///
/// Making one sends nothing: the key is checked by the first request, or by [`viewer`](Self::viewer).
///
/// ```
/// # use std::sync::Arc;
/// # fn transport() -> Arc<dyn wandb_transport::Transport> { Arc::new(Offline) }
/// # #[derive(Debug)] struct Offline;
/// # #[async_trait::async_trait]
/// # impl wandb_transport::Transport for Offline {
/// #     async fn send(&self, _: http::Request<wandb_transport::Body>)
/// #         -> Result<http::Response<wandb_transport::Body>, wandb_transport::TransportError> { unreachable!() }
/// # }
/// let api = wandb_models::Api::builder(transport())
///     .base_url("https://api.wandb.ai")?
///     .entity("my-team")?
///     .build();
/// let best = api.runs("my-project").order("+summary_metrics.loss".parse()?).limit(10);
/// # let _ = best;
/// # Ok::<(), wandb_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
    client: Client,
}

struct Inner {
    app_url: AppUrl,
    paths: PathContext,
    rules: OnceCell<ServerRules>,
    features: OnceCell<HashSet<String>>,
    default_entity: OnceCell<EntityName>,
    artifacts: ArtifactStorage,
    memory: Memory,
}

impl Api {
    /// Begins with a transport: the real one (feature `hyper`), the embedded server's, a scripted one, or your own.
    pub fn builder(transport: Arc<dyn wandb_transport::Transport>) -> ApiBuilder {
        ApiBuilder::new(transport)
    }

    /// The server's base URL.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        self.client.base_url()
    }

    /// Where the pages for people are.
    #[must_use]
    pub fn app_url(&self) -> &AppUrl {
        &self.inner.app_url
    }

    /// The same handle, with each request ended after `timeout`, its retries and their pauses included; see
    /// [`Client::with_timeout`].
    ///
    /// It is per request: a listing or a scan makes many. Of a download it bounds each wait for the head of an answer;
    /// the bytes have bounds of their own, see [`File::download`](crate::File::download).
    #[must_use]
    pub fn with_timeout(&self, timeout: Option<Duration>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            client: self.client.with_timeout(timeout),
        }
    }

    /// The same handle without a server: nothing is sent. Artifacts are found by exact version or digest in the artifact
    /// cache; everything else is an error. See [`ApiBuilder::offline`].
    #[must_use]
    pub fn offline(&self) -> Self {
        self.with_artifact_storage(self.inner.artifacts.offline())
    }

    /// The same handle with other folders, and an empty memory.
    pub(crate) fn with_artifact_storage(&self, artifacts: ArtifactStorage) -> Self {
        Self {
            inner: Arc::new(Inner {
                app_url: self.inner.app_url.clone(),
                paths: self.inner.paths.clone(),
                rules: self.inner.rules.clone(),
                features: self.inner.features.clone(),
                default_entity: self.inner.default_entity.clone(),
                artifacts,
                memory: Memory::default(),
            }),
            client: self.client.clone(),
        }
    }

    /// The user behind the key.
    ///
    /// # Errors
    /// [`Authentication`](wandb_core::ErrorKind::Authentication) when the server knows no user for it.
    pub async fn viewer(&self) -> Result<Viewer> {
        let answer: wire::GetViewer = self
            .execute(&wire::GetViewer::build(()), "read the user behind the key")
            .await?;
        answer.viewer.map(Viewer::from_wire).ok_or_else(|| {
            Error::new(
                wandb_core::ErrorKind::Authentication,
                "the server knows no user for this key",
            )
            .with_hint("log in, or set an API key that belongs to this host")
        })
    }

    /// The entity that is meant where none is named: the configured one, else the viewer's. Asked for once.
    ///
    /// # Errors
    /// As [`viewer`](Self::viewer), or [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the user has none.
    pub async fn default_entity(&self) -> Result<EntityName> {
        if let Some(entity) = self.inner.paths.entity() {
            return Ok(entity.clone());
        }
        let entity = self.inner.default_entity.get_or_try_init(|| async {
            let viewer = self.viewer().await?;
            let name = viewer
                .entity
                .or(viewer.username)
                .ok_or_else(|| Error::invalid_input("no entity is set, and the user has no default one"))?;
            EntityName::new(name).map_err(|error| {
                Error::protocol("the server named the default entity in a way that no entity is named")
                    .with_source(error)
                    .in_operation("find the default entity")
            })
        });
        entity.await.cloned()
    }

    /// What of a filter this server is asked to compare, and what is checked on this side. The first call may ask the
    /// server what it can do.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn explain(&self, filter: &Filter) -> Result<Explanation> {
        Ok(filter.explain_for(self.server_rules().await?))
    }

    async fn server_rules(&self) -> Result<&ServerRules> {
        let ask = || async {
            if self.base_url().is_public_service() {
                return Ok(ServerRules::hosted());
            }
            let exact = self.has_feature(EXACT_FILTERS).await?;
            Ok(if exact {
                ServerRules::exact()
            } else {
                ServerRules::hosted()
            })
        };
        self.inner.rules.get_or_try_init(ask).await
    }

    /// Whether the server says that it can do something (protocol §2.18). It is asked once for all features.
    pub(crate) async fn has_feature(&self, name: &str) -> Result<bool> {
        let ask = || async {
            let operation = server::ServerFeaturesQuery::build(());
            let answer = self.execute(&operation, "ask the server what it can do").await;
            let answer: server::ServerFeaturesQuery = match answer {
                Ok(answer) => answer,
                // A server that does not know the question has none of the features (protocol §2.18).
                Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Server) => {
                    return Ok(HashSet::new());
                }
                Err(error) => return Err(error),
            };
            let features = answer
                .server_info
                .into_iter()
                .flat_map(|info| info.features)
                .flatten();
            Ok(features
                .filter(|feature| feature.is_enabled)
                .map(|feature| feature.name)
                .collect())
        };
        Ok(self.inner.features.get_or_try_init(ask).await?.contains(name))
    }

    /// The projects of an entity; `None` means the default entity.
    pub fn projects(&self, entity: Option<&str>) -> Projects {
        Projects::of_entity(self.clone(), entity.map(str::to_owned))
    }

    /// One project, by `entity/project`, `project`, or its web address.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none or the key may not see it.
    pub async fn project(&self, path: &str) -> Result<Project> {
        let path = self.project_path(path).await?;
        match self.inner.memory.project(&path) {
            Some(project) => Ok(project),
            None => project::fetch_one(self, &path).await,
        }
    }

    /// The runs of a project, by `entity/project`, `project`, or its web address. Nothing is sent until the listing is
    /// read.
    pub fn runs(&self, path: impl Into<String>) -> Runs {
        Runs::of_project(self.clone(), path.into())
    }

    /// One run, by `entity/project/run`, `project/run`, `run`, or its web address, with everything it carries.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none or the key may not see it.
    pub async fn run(&self, path: &str) -> Result<Run> {
        let path = self.run_path(path).await?;
        match self.inner.memory.run(&path) {
            Some((path, data)) => Ok(Run::known(self.clone(), path, data)),
            None => Run::fetch(self, path).await,
        }
    }

    /// Forgets the runs, sweeps and projects that were [remembered](ApiBuilder::remember_lookups). Without that nothing is
    /// remembered, and this does nothing.
    pub fn flush(&self) {
        self.inner.memory.flush();
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.inner.memory
    }

    /// One run by its place, by `entity/project/run`, `project/run`, `run`, or its web address, without its data: the
    /// cheap way to its files and its history. Nothing is sent, unless the default entity has to be asked for.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the path is none.
    pub async fn run_reference(&self, path: &str) -> Result<RunReference> {
        let path = self.run_path(path).await?;
        Ok(RunReference::new(self.clone(), Arc::new(path)))
    }

    /// Reads a project path, asking the server for the default entity if the path needs it.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it is none.
    pub async fn project_path(&self, text: &str) -> Result<ProjectPath> {
        self.parse_path(|context| ProjectPath::parse(text, context)).await
    }

    /// Reads a run path, asking the server for the default entity if the path needs it.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it is none.
    pub async fn run_path(&self, text: &str) -> Result<RunPath> {
        self.parse_path(|context| RunPath::parse(text, context)).await
    }

    pub(crate) async fn parse_path<T>(
        &self,
        parse: impl Fn(&PathContext) -> Result<T, PathError>,
    ) -> Result<T> {
        match parse(&self.inner.paths) {
            Ok(path) => Ok(path),
            Err(error) if *error.problem() == PathProblem::MissingEntity => {
                match self.default_entity().await {
                    Ok(entity) => Ok(parse(&self.inner.paths.clone().with_entity(entity))?),
                    // The user has no default entity: the path has to name one.
                    Err(failure) if failure.kind() == ErrorKind::InvalidInput => Err(error.into()),
                    Err(failure) => Err(failure),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where artifacts are kept on this machine.
    pub(crate) fn artifact_storage(&self) -> &ArtifactStorage {
        &self.inner.artifacts
    }

    /// An offline client sends nothing.
    fn check_online(&self, description: &str) -> Result<()> {
        if self.inner.artifacts.is_offline() {
            return Err(Error::new(ErrorKind::Unsupported, "the client is offline")
                .in_operation(description)
                .with_hint("offline, artifacts are found by exact version or digest in the cache"));
        }
        Ok(())
    }

    /// The defaults of short paths.
    pub(crate) fn path_context(&self) -> &PathContext {
        &self.inner.paths
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a query that cynic built.
    pub(crate) async fn execute<T: DeserializeOwned, V: Serialize>(
        &self,
        operation: &CynicOperation<T, V>,
        description: &str,
    ) -> Result<T> {
        self.check_online(description)?;
        let operation = Operation::query(
            &operation.query,
            operation.operation_name.as_deref(),
            &operation.variables,
            description,
        )?;
        self.client.execute(&operation).await
    }

    /// Sends a mutation that cynic built; `repeat` says whether sending it twice has the effect of once.
    pub(crate) async fn mutate<T: DeserializeOwned, V: Serialize>(
        &self,
        operation: &CynicOperation<T, V>,
        repeat: Repeat,
        description: &str,
    ) -> Result<T> {
        self.check_online(description)?;
        let operation = Operation::mutation(
            &operation.query,
            operation.operation_name.as_deref(),
            &operation.variables,
            repeat,
            description,
        )?;
        self.client.execute(&operation).await
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Api")
            .field("client", &self.client)
            .field("entity", &self.inner.paths.entity())
            .field("project", &self.inner.paths.project())
            .finish_non_exhaustive()
    }
}
