//! Building an [`Api`].

use std::{path::PathBuf, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue};
use tokio::sync::OnceCell;
use wandb_core::{
    Client, Error, ErrorKind, Result,
    base_url::{AppUrl, BaseUrl},
    filter::ServerRules,
    path::{EntityName, PathContext, ProjectName},
    retry::{RetryPolicy, Runtime},
    secret::ApiKey,
    settings::{Credentials, Settings},
};
use wandb_transport::Transport;

use super::{Api, Inner, memory::Memory};
use crate::{
    TokioRuntime,
    artifact::{ArtifactStorage, Stores},
};

/// Collects what an [`Api`] needs. Made by [`Api::builder`].
///
/// Only a transport is required. Without a base URL it is the public service, without a key nothing that needs one
/// works, and without an entity the viewer's is used.
#[derive(Debug)]
#[must_use]
pub struct ApiBuilder {
    transport: Arc<dyn Transport>,
    runtime: Option<Arc<dyn Runtime>>,
    base_url: BaseUrl,
    app_url: Option<AppUrl>,
    authorization: Option<HeaderValue>,
    entity: Option<EntityName>,
    project: Option<ProjectName>,
    retry: RetryPolicy,
    extra_headers: HeaderMap,
    timeout: Option<Duration>,
    rules: Option<ServerRules>,
    artifact_cache: Option<PathBuf>,
    cache_budget: Option<u64>,
    artifact_directory: Option<PathBuf>,
    offline: bool,
    stores: Option<Stores>,
    remember: bool,
}

impl ApiBuilder {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            runtime: None,
            base_url: BaseUrl::default(),
            app_url: None,
            authorization: None,
            entity: None,
            project: None,
            retry: RetryPolicy::default(),
            extra_headers: HeaderMap::new(),
            timeout: None,
            rules: None,
            artifact_cache: None,
            cache_budget: None,
            artifact_directory: None,
            offline: false,
            stores: None,
            remember: false,
        }
    }

    /// The server, for example `https://wandb.my-company.com`.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the text is no base URL.
    pub fn base_url(mut self, text: &str) -> Result<Self> {
        self.base_url = BaseUrl::parse(text)?;
        Ok(self)
    }

    /// Takes base URL, key, entity, project, timeout, headers and the folders of artifacts from settings.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for an identity token, which has to be exchanged at the server first.
    pub fn settings(mut self, settings: &Settings) -> Result<Self> {
        self.base_url = settings.base_url.value.clone();
        self.app_url = Some(settings.app_url.value.clone());
        match settings
            .credentials
            .as_ref()
            .map(|credentials| &credentials.value)
        {
            None => {}
            Some(Credentials::ApiKey(key)) => self.authorization = Some(key.basic_authorization()),
            Some(_) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "identity tokens cannot be used by this version",
                )
                .with_hint("set WANDB_API_KEY instead of WANDB_IDENTITY_TOKEN_FILE"));
            }
        }
        self.entity = settings.entity.as_ref().map(|entity| entity.value.clone());
        self.project = settings.project.as_ref().map(|project| project.value.clone());
        self.timeout = settings.http_timeout.as_ref().map(|timeout| timeout.value);
        self.extra_headers = settings.extra_http_headers.clone();
        if let Some(directory) = &settings.cache_dir {
            self.artifact_cache = Some(directory.value.as_str().into());
        }
        if let Some(budget) = &settings.cache_budget {
            self.cache_budget = Some(budget.value);
        }
        if let Some(directory) = &settings.artifact_dir {
            self.artifact_directory = Some(directory.value.as_str().into());
        }
        for (name, setting) in [
            ("x-wandb-username", &settings.username),
            ("x-wandb-user-email", &settings.user_email),
        ] {
            if let Some(value) = setting {
                let value = HeaderValue::try_from(&value.value).map_err(|error| {
                    Error::invalid_input(format!("the value for {name} cannot stand in a header"))
                        .with_source(error)
                })?;
                self.extra_headers.insert(name, value);
            }
        }
        Ok(self)
    }

    /// The artifact cache: the directory above `artifacts`, as `WANDB_CACHE_DIR` names it. It is shared with the official
    /// client, and made when it is first used. Without one, nothing of artifacts is kept but what is downloaded.
    pub fn artifact_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.artifact_cache = Some(directory.into());
        self
    }

    /// How many bytes the artifact cache may take. After a download that made it larger, the files that were not used for the
    /// longest time are removed from it, unless another download, of this process or another, is using it; that one then
    /// makes room. Nothing is removed unless this is called. See
    /// [`Cache::with_budget`](wandb_artifacts::cache::Cache::with_budget).
    pub fn cache_budget(mut self, bytes: u64) -> Self {
        self.cache_budget = Some(bytes);
        self
    }

    /// Where versions of artifacts are downloaded to, each in a folder of its own, unless a call says otherwise;
    /// `./artifacts` unless set.
    pub fn artifact_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.artifact_directory = Some(directory.into());
        self
    }

    /// How to get at the objects behind `s3://`, `gs://` and Azure references, wherever they are downloaded, read or added.
    /// Unless set, such references are errors. [`Api::from_env`] sets it from the stores' usual variables.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    pub fn object_stores(mut self, stores: wandb_artifacts::stores::ObjectStores) -> Self {
        self.stores = Some(stores);
        self
    }

    /// Never asks the server. Artifacts are found by exact version or digest in the artifact cache; everything else is an
    /// error.
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Where the pages for people are, when it does not follow from the base URL.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the text is no URL.
    pub fn app_url(mut self, text: &str) -> Result<Self> {
        self.app_url = Some(AppUrl::parse(text)?);
        Ok(self)
    }

    /// The API key. It goes to the base URL and nowhere else.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the text cannot be a key; the error does not show it.
    pub fn api_key(self, key: &str) -> Result<Self> {
        let key = ApiKey::parse(key)?;
        Ok(self.authorization(key.basic_authorization()))
    }

    /// The value of the `Authorization` header, for servers with another scheme.
    pub fn authorization(mut self, value: HeaderValue) -> Self {
        self.authorization = Some(value);
        self
    }

    /// The entity that is meant where none is named.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the text cannot be a name.
    pub fn entity(mut self, name: &str) -> Result<Self> {
        self.entity = Some(EntityName::new(name)?);
        Ok(self)
    }

    /// The project that is meant where none is named.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the text cannot be a name.
    pub fn project(mut self, name: &str) -> Result<Self> {
        self.project = Some(ProjectName::new(name)?);
        Ok(self)
    }

    /// How often and how long to try; see [`RetryPolicy`] for the default.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Headers for every request to the base URL, for example for a gateway in front of it. They go nowhere else.
    pub fn extra_headers(mut self, headers: HeaderMap) -> Self {
        self.extra_headers = headers;
        self
    }

    /// What the server is trusted to compare in filters; the rest is checked on this side.
    ///
    /// Unless set, the server is asked once whether it is the embedded one, which compares exactly
    /// ([`ServerRules::exact`]). Any other is taken for the hosted service or its self-managed form
    /// ([`ServerRules::hosted`]); the public service is not asked.
    pub fn server_rules(mut self, rules: ServerRules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Remembers each run, sweep and project that is looked up by its path, and gives it again without asking, until
    /// [`Api::flush`], a reload or a change through this `Api`. Nothing is remembered unless this is called; the official
    /// client remembers always (inventory §9.2). Listings are never remembered. Memory grows with what is looked up.
    pub fn remember_lookups(mut self) -> Self {
        self.remember = true;
        self
    }

    /// Replaces the clock, the timer and the randomness; tests do. Tokio's unless set.
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// The handle. Nothing is sent.
    #[must_use]
    pub fn build(self) -> Api {
        let app_url = self.app_url.unwrap_or_else(|| self.base_url.app_url());
        let mut paths = PathContext::new().with_server(self.base_url.clone(), app_url.clone());
        if let Some(entity) = self.entity {
            paths = paths.with_entity(entity);
        }
        if let Some(project) = self.project {
            paths = paths.with_project(project);
        }
        let runtime = self.runtime.unwrap_or_else(|| Arc::new(TokioRuntime::default()));
        let mut client = Client::builder(self.base_url, self.transport, runtime)
            .retry(self.retry)
            .extra_headers(self.extra_headers);
        if let Some(value) = self.authorization {
            client = client.authorization(value);
        }
        Api {
            inner: Arc::new(Inner {
                app_url,
                paths,
                rules: OnceCell::new_with(self.rules),
                features: OnceCell::new(),
                default_entity: OnceCell::new(),
                artifacts: ArtifactStorage::new(
                    self.artifact_cache,
                    self.cache_budget,
                    self.artifact_directory,
                    self.offline,
                    self.stores,
                ),
                memory: Memory::new(self.remember),
            }),
            client: client.build().with_timeout(self.timeout),
        }
    }
}
