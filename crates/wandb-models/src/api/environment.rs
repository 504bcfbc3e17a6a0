//! The one place that reads the environment and the files of the user: [`Api::from_env`] and what it is made of.

use std::{fs, io, path::Path};

use wandb_core::{
    Error, ErrorKind, Result,
    settings::{Layer, NetrcText, Settings, SettingsFiles},
};

/// What the environment and the user's files say, with where each value came from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Environment {
    /// The settings that count.
    pub settings: Settings,
    /// Where the files are, whether they exist or not.
    pub files: SettingsFiles,
}

impl Environment {
    /// Reads the environment variables, the settings files of user and project, a profile if one is named, and netrc, in
    /// the official order (inventory §8); `explicit` comes before all of them.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a value that cannot be, or a profile that is not there;
    /// [`Io`](ErrorKind::Io) for a file that is there and cannot be read.
    pub fn read(explicit: Layer, profile: Option<&str>) -> Result<Self> {
        // Variables that are not Unicode are none that W&B knows.
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let pairs = || {
            variables
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
        };
        let current =
            std::env::current_dir().map_err(|error| Error::io("find the current directory", error))?;
        let files = SettingsFiles::locations(pairs(), std::env::home_dir().as_deref(), &current);

        let mut layers = vec![explicit, Layer::from_environment(pairs())];
        if let Some((path, text)) = files
            .user_settings
            .as_deref()
            .map(read_if_there)
            .transpose()?
            .flatten()
        {
            layers.push(Layer::from_user_settings(&path, &text)?);
        }
        // `.wandb` counts if the directory exists, whether or not it has settings (official).
        let [hidden, plain] = &files.project_settings;
        let project = if hidden.parent().is_some_and(Path::is_dir) {
            hidden
        } else {
            plain
        };
        if let Some((path, text)) = read_if_there(project)? {
            layers.push(Layer::from_project_settings(&path, &text)?);
        }
        if let Some(name) = profile {
            let (path, text) = files
                .profiles
                .as_deref()
                .map(read_if_there)
                .transpose()?
                .flatten()
                .ok_or_else(|| {
                    Error::invalid_input(format!("there is no profile {name:?}: no profiles file exists"))
                })?;
            layers.push(Layer::from_profile(&path, &text, name)?);
        }
        let mut netrc = None;
        for path in &files.netrc {
            netrc = read_if_there(path)?;
            if netrc.is_some() {
                break;
            }
        }
        let netrc = netrc.as_ref().map(|(path, text)| NetrcText { path, text });
        Ok(Self {
            settings: Settings::resolve(layers, netrc)?,
            files,
        })
    }
}

impl Environment {
    /// The directory above the artifact cache: the setting `cache_dir`, else the platform's place. `None` without a home.
    #[must_use]
    pub fn artifact_cache(&self) -> Option<std::path::PathBuf> {
        match &self.settings.cache_dir {
            Some(directory) => Some(directory.value.as_str().into()),
            None => self.files.artifact_cache.clone(),
        }
    }
}

/// The largest settings file that is read, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

fn read_if_there(path: &Path) -> Result<Option<(String, String)>> {
    let name = path.display().to_string();
    match fs::metadata(path) {
        Ok(facts) if facts.is_file() && facts.len() > FILE_LIMIT => {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{name:?} is too large for a settings file"),
            ));
        }
        // A directory, or a device such as /dev/null, which people set to mean "none".
        Ok(facts) if !facts.is_file() => return Ok(None),
        Ok(_) => {}
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(Error::io(format!("look at {name:?}"), error)),
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((name, text))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io(format!("read {name:?}"), error)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(feature = "hyper")]
mod connect {
    use std::sync::Arc;

    use wandb_core::{
        Error, Result,
        settings::{Layer, Settings},
    };
    use wandb_transport::{HyperTransport, ProxyConfig};

    use super::Environment;
    use crate::{Api, ApiBuilder};

    impl Api {
        /// A handle as the official `wandb.Api()` makes it: base URL, key, entity, project and proxies from the
        /// environment, the settings files and netrc. This is the only call of the library that reads them.
        ///
        /// # Errors
        /// As [`Environment::read`] and [`from_settings`](Self::from_settings).
        pub fn from_env() -> Result<Self> {
            Self::from_environment(&Environment::read(Layer::explicit(), None)?)
        }

        /// A handle over the real transport, as an environment that was read says: its settings, and the artifact cache that
        /// is shared with the official client.
        ///
        /// # Errors
        /// As [`from_settings`](Self::from_settings).
        pub fn from_environment(environment: &Environment) -> Result<Self> {
            let mut builder = builder(&environment.settings)?;
            if let Some(cache) = environment.artifact_cache() {
                builder = builder.artifact_cache(cache);
            }
            Ok(builder.build())
        }

        /// A handle over the real transport, as settings say. It has an artifact cache only if the settings name one; see
        /// [`from_environment`](Self::from_environment).
        ///
        /// # Errors
        /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for proxies that cannot be, and
        /// [`Unsupported`](wandb_core::ErrorKind::Unsupported) for an identity token.
        pub fn from_settings(settings: &Settings) -> Result<Self> {
            Ok(builder(settings)?.build())
        }
    }

    fn builder(settings: &Settings) -> Result<ApiBuilder> {
        let mut proxies = ProxyConfig::none();
        if let Some(proxy) = &settings.proxies.http {
            proxies = proxies.with_http(proxy.value.expose()).map_err(proxy_error)?;
        }
        if let Some(proxy) = &settings.proxies.https {
            proxies = proxies.with_https(proxy.value.expose()).map_err(proxy_error)?;
        }
        if let Some(exceptions) = &settings.proxies.no_proxy {
            proxies = proxies.with_exceptions(&exceptions.value);
        }
        let blind = settings
            .insecure_disable_ssl
            .as_ref()
            .is_some_and(|setting| setting.value);
        let transport = HyperTransport::builder()
            .proxies(proxies)
            .danger_accept_invalid_certificates(blind)
            .build()
            .map_err(|error| {
                Error::invalid_input("the connection settings cannot be used").with_source(error)
            })?;
        Api::builder(Arc::new(transport)).settings(settings)
    }

    fn proxy_error(error: wandb_transport::ConfigError) -> Error {
        Error::invalid_input("the proxy setting cannot be used").with_source(error)
    }
}
