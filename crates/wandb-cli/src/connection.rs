//! From options to a server: over the network, or the embedded one in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wandb_api::filter::ServerRules;
use wandb_api::settings::{Layer, SettingKey, Settings};
use wandb_api::{Api, Environment};
use wandb_local::{LocalServer, LocalTransport, StartError};

use crate::cli::GlobalOptions;
use crate::commands::serve::start_failure;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::ui::Ui;

/// How long another process may keep a data directory before this one gives up. Commands are done with it in a fraction of
/// a second, so this is enough for some of them at once; a server keeps it until it ends.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before it is said that there is something to wait for.
const LOCK_SILENCE: Duration = Duration::from_millis(1500);
/// How long to wait between two tries. The system has no call that waits for a lock and can be cancelled.
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// A handle, and what is known about how it came about.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    api: Api,
    key_source: String,
    entity: Option<String>,
    project: Option<String>,
}

impl Connection {
    /// Opens what the options name. Sends nothing.
    pub(crate) async fn open(options: &GlobalOptions, ui: Ui) -> CommandResult<Self> {
        match &options.local {
            Some(dir) => Self::local(dir, options, ui).await,
            None => Self::remote(options, ui),
        }
    }

    fn remote(options: &GlobalOptions, ui: Ui) -> CommandResult<Self> {
        let environment = Environment::read(explicit(options), options.profile.as_deref())?;
        let settings = &environment.settings;
        for warning in &settings.warnings {
            ui.warn(&warning.to_string());
        }
        if settings
            .insecure_disable_ssl
            .as_ref()
            .is_some_and(|setting| setting.value)
        {
            ui.warn("any TLS certificate is accepted, because WANDB_INSECURE_DISABLE_SSL is set: whoever is on the way can read the key");
        }
        if settings.credentials.is_none() {
            let what = format!(
                "there is no API key for {}",
                settings.base_url.value.netrc_machine()
            );
            return Err(Failure::new(ExitStatus::Authentication, what).hint(
                "`wb login` stores one; or set WANDB_API_KEY, or name another server with --base-url",
            ));
        }
        Ok(Self {
            key_source: key_source(settings),
            entity: settings.entity.as_ref().map(|entity| entity.value.to_string()),
            project: settings.project.as_ref().map(|project| project.value.to_string()),
            api: Api::from_environment(&environment)?,
        })
    }

    /// A connection that sends nothing.
    pub(crate) fn offline(options: &GlobalOptions) -> CommandResult<Self> {
        if options.local.is_some() {
            return Err(Failure::usage("--offline has no use beside --local"));
        }
        let environment = Environment::read(explicit(options), options.profile.as_deref())?;
        let settings = &environment.settings;
        Ok(Self {
            key_source: key_source(settings),
            entity: settings.entity.as_ref().map(|entity| entity.value.to_string()),
            project: settings.project.as_ref().map(|project| project.value.to_string()),
            api: Api::from_environment(&environment)?.offline(),
        })
    }

    async fn local(dir: &Path, options: &GlobalOptions, ui: Ui) -> CommandResult<Self> {
        if !LocalServer::is_data_dir(dir) {
            let what = format!(
                "\"{}\" is no data directory of wb serve or wb demo",
                dir.display()
            );
            return Err(Failure::new(ExitStatus::NotFound, what).hint(format!(
                "`wb demo --dir {}` fills it with sample data",
                dir.display()
            )));
        }
        let transport = open_dir(dir, ui).await?;
        let mut builder = Api::builder(Arc::new(transport.clone()))
            .base_url(transport.url())?
            .server_rules(ServerRules::exact())
            .api_key(transport.api_key())?
            .entity(options.entity.as_deref().unwrap_or(transport.entity()))?;
        if let Some(project) = &options.project {
            builder = builder.project(project)?;
        }
        // The cache, the download folder and the object stores are this machine's, whatever the server; nothing else of the
        // environment counts.
        let environment = Environment::read(with_budget(Layer::explicit(), options), None)?;
        if let Some(cache) = environment.artifact_cache() {
            builder = builder.artifact_cache(cache);
        }
        if let Some(budget) = &environment.settings.cache_budget {
            builder = builder.cache_budget(budget.value);
        }
        #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
        {
            builder = builder.object_stores(environment.object_stores()?);
        }
        if let Some(directory) = &environment.settings.artifact_dir {
            builder = builder.artifact_directory(directory.value.as_str());
        }
        Ok(Self {
            api: builder.build(),
            key_source: format!("the data directory {}", dir.display()),
            entity: options.entity.clone(),
            project: options.project.clone(),
        })
    }

    /// A connection over HTTP to a server of this process, with its key.
    pub(crate) fn to_server(server: &LocalServer) -> CommandResult<Self> {
        let layer = Layer::explicit()
            .with(SettingKey::BaseUrl, server.url())
            .with(SettingKey::ApiKey, server.api_key())
            .with(SettingKey::Entity, server.entity());
        // Neither the environment nor a file has a say here: no proxy, no other key.
        let settings = Settings::resolve([layer], None).map_err(wandb_api::Error::from)?;
        Ok(Self {
            api: Api::from_settings(&settings)?,
            key_source: "the server in this process".to_owned(),
            entity: None,
            project: None,
        })
    }

    /// The same without an artifact cache.
    pub(crate) fn without_cache(mut self) -> Self {
        self.api = self.api.without_artifact_cache();
        self
    }

    /// The handle.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Where the API key comes from, in words.
    pub(crate) fn key_source(&self) -> &str {
        &self.key_source
    }

    /// The entity that `--entity`, `WANDB_ENTITY` or a settings file names; `None` means the user's own.
    pub(crate) fn named_entity(&self) -> Option<&str> {
        self.entity.as_deref()
    }

    /// The project path of a command whose PATH may be left out where `--project` or `WANDB_PROJECT` says it.
    pub(crate) fn project_path(&self, path: Option<&str>) -> CommandResult<String> {
        path.map(str::to_owned)
            .or_else(|| self.project.clone())
            .ok_or_else(|| {
                Failure::usage("no project was named")
                    .hint("give entity/project, or --project, or set WANDB_PROJECT")
            })
    }
}

/// Opens a data directory. One process has it at a time, so commands that are started together take turns.
async fn open_dir(dir: &Path, ui: Ui) -> CommandResult<LocalTransport> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        match LocalServer::builder().dir(dir).open() {
            Err(StartError::InUse { .. }) if begun.elapsed() < LOCK_PATIENCE => {
                if !told && begun.elapsed() >= LOCK_SILENCE {
                    told = true;
                    ui.note(&format!(
                        "waiting for \"{}\", which another process uses",
                        dir.display()
                    ));
                }
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            result => return result.map_err(start_failure),
        }
    }
}

/// The options as the highest layer of settings.
pub(crate) fn explicit(options: &GlobalOptions) -> Layer {
    let pairs = [
        (SettingKey::BaseUrl, &options.base_url),
        (SettingKey::Entity, &options.entity),
        (SettingKey::Project, &options.project),
    ];
    let layer = pairs
        .into_iter()
        .fold(Layer::explicit(), |layer, (key, value)| match value {
            Some(value) => layer.with(key, value.as_str()),
            None => layer,
        });
    with_budget(layer, options)
}

fn with_budget(layer: Layer, options: &GlobalOptions) -> Layer {
    match options.cache_budget {
        Some(bytes) => layer.with(SettingKey::CacheBudget, bytes.to_string()),
        None => layer,
    }
}

fn key_source(settings: &Settings) -> String {
    settings
        .credentials
        .as_ref()
        .map_or_else(|| "nowhere".to_owned(), |found| found.origin.to_string())
}
