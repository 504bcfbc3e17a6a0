//! The one place that reads the environment and the files of the user: [`Api::from_env`] and what it is made of.

use std::{ffi::OsString, fs, io, path::Path};

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
    /// What is said of object stores.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    stores: Vec<(String, wandb_core::secret::Secret)>,
}

impl Environment {
    /// Reads the environment variables, the settings files of user and project, a profile if one is named, and netrc, in
    /// the official order (inventory §8); `explicit` comes before all of them. With the features of object stores, also what
    /// their variables say, and where those say nothing, the files of the AWS command line (`~/.aws`) and the login of the
    /// Google one.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a value that cannot be, or a profile that is not there;
    /// [`Io`](ErrorKind::Io) for a file that is there and cannot be read.
    pub fn read(explicit: Layer, profile: Option<&str>) -> Result<Self> {
        let variables = unicode(std::env::vars_os())?;
        let pairs = || {
            variables
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
        };
        let current =
            std::env::current_dir().map_err(|error| Error::io("find the current directory", error))?;
        let home = std::env::home_dir();
        let files = SettingsFiles::locations(pairs(), home.as_deref(), &current);

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
            #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
            stores: super::store_variables::find(&variables, home.as_deref(), &|path| {
                // Who has no use for stores must not be kept from working by their files.
                let read = read_if_there(path).unwrap_or_else(|error| {
                    tracing::warn!(%error, "a settings file of an object store could not be read");
                    None
                });
                read.map(|(_, text)| text)
            }),
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

    /// How to get at object stores over a transport, as this machine says. Nothing is sent.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    #[must_use]
    pub fn object_stores_over(
        &self,
        transport: std::sync::Arc<dyn wandb_transport::Transport>,
    ) -> wandb_artifacts::stores::ObjectStores {
        let variables = self
            .stores
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()));
        wandb_artifacts::stores::ObjectStores::from_variables(transport, variables)
    }
}

/// The variables that are Unicode. Others are none of W&B's, but for those that are called so: a key with a stray byte is not
/// the same as no key.
fn unicode(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<(String, String)>> {
    let mut known = Vec::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => known.push((name, value)),
            Err(_) if name.starts_with("WANDB_") || name == "NETRC" => {
                // Its value may be a secret, broken or not.
                return Err(Error::invalid_input(format!(
                    "the environment variable {name} is not valid Unicode"
                )));
            }
            Err(_) => {}
        }
    }
    Ok(known)
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
    use wandb_transport::{HyperTransport, ProxyConfig, Transport};

    use super::Environment;
    use crate::Api;

    impl Api {
        /// A handle as the official `wandb.Api()` makes it: base URL, key, entity, project and proxies from the
        /// environment, the settings files and netrc. This is the only call of the library that reads them.
        ///
        /// # Errors
        /// As [`Environment::read`] and [`from_settings`](Self::from_settings).
        pub fn from_env() -> Result<Self> {
            Self::from_environment(&Environment::read(Layer::explicit(), None)?)
        }

        /// A handle over the real transport, as an environment that was read says: its settings, the artifact cache that
        /// is shared with the official client, and object stores.
        ///
        /// # Errors
        /// As [`from_settings`](Self::from_settings).
        pub fn from_environment(environment: &Environment) -> Result<Self> {
            let transport = transport(&environment.settings)?;
            let mut builder = Api::builder(Arc::clone(&transport)).settings(&environment.settings)?;
            #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
            {
                builder = builder.object_stores(environment.object_stores_over(transport));
            }
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
            let transport = transport(settings)?;
            Ok(Api::builder(transport).settings(settings)?.build())
        }
    }

    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    impl Environment {
        /// How to get at object stores over the real transport, as this machine says. Nothing is sent.
        ///
        /// # Errors
        /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for proxies that cannot be.
        pub fn object_stores(&self) -> Result<wandb_artifacts::stores::ObjectStores> {
            Ok(self.object_stores_over(transport(&self.settings)?))
        }
    }

    fn transport(settings: &Settings) -> Result<Arc<dyn Transport>> {
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
        Ok(Arc::new(transport))
    }

    fn proxy_error(error: wandb_transport::ConfigError) -> Error {
        Error::invalid_input("the proxy setting cannot be used").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_variable_of_ours_that_is_no_text_is_told_and_not_shown() {
        use std::os::unix::ffi::OsStringExt;

        let broken = || OsString::from_vec(b"5ecret\xff".to_vec());
        let good = |name: &str| (OsString::from(name), OsString::from("x"));
        let known = unicode([
            good("WANDB_ENTITY"),
            (OsString::from("LS_COLORS"), broken()),
            (broken(), broken()),
        ]);
        assert_eq!(known.unwrap(), [("WANDB_ENTITY".to_owned(), "x".to_owned())]);
        for name in ["WANDB_API_KEY", "WANDB_CACHE_DIR", "NETRC"] {
            let error = unicode([good("WANDB_ENTITY"), (OsString::from(name), broken())]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(name), "{error}");
            assert!(!format!("{error:?}").contains("5ecret"), "{error:?}");
        }
    }
}
