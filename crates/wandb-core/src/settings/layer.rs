//! Layers of raw settings, each value with the place it came from.

use std::collections::BTreeMap;
use std::fmt;

use super::environment::ENVIRONMENT_VARIABLES;
use super::error::SettingsError;
use super::ini::Ini;
use crate::secret::Secret;

/// The section of a settings file that counts (official: `settings_file.py`).
const SECTION: &str = "default";

macro_rules! setting_keys {
    ($($(#[$documentation:meta])* $key:ident = $name:literal $(| $other:literal)*,)*) => {
        /// What can be set. In settings files the names are those of the official client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum SettingKey {
            $($(#[$documentation])* $key,)*
        }

        impl SettingKey {
            /// The name, as settings files have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$key => $name,)*
                }
            }

            /// The setting of that name in a settings file; `None` for one that this client does not know.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $other)* => Some(Self::$key),)*
                    _ => None,
                }
            }
        }
    };
}

setting_keys! {
    /// The API key.
    ApiKey = "api_key",
    /// A file with a JWT that is exchanged for an access token.
    IdentityTokenFile = "identity_token_file",
    /// The cache of access tokens.
    CredentialsFile = "credentials_file",
    /// The address of the API.
    BaseUrl = "base_url",
    /// The address of the web pages.
    AppUrl = "app_url" | "app_url_override",
    /// The default user or team.
    Entity = "entity",
    /// The default project.
    Project = "project",
    /// The organization whose registry is meant by default.
    Organization = "organization",
    /// Sent as `X-WANDB-USERNAME`.
    Username = "username",
    /// Sent as `X-WANDB-USER-EMAIL`.
    UserEmail = "email",
    /// How long an API call may take, in seconds.
    HttpTimeout = "http_timeout" | "x_graphql_timeout_seconds",
    /// How long the transfer of one file may take, in seconds.
    FileTransferTimeout = "file_transfer_timeout" | "x_file_transfer_timeout_seconds",
    /// Both proxies, as JSON.
    Proxies = "x_proxies",
    /// The proxy for http.
    HttpProxy = "http_proxy",
    /// The proxy for https.
    HttpsProxy = "https_proxy",
    /// The proxy for http of all programs; only an environment has it.
    SystemHttpProxy = "system_http_proxy",
    /// The proxy for https of all programs; only an environment has it.
    SystemHttpsProxy = "system_https_proxy",
    /// The proxy of all programs; only an environment has it.
    SystemAllProxy = "system_all_proxy",
    /// Hosts that are reached without a proxy.
    NoProxy = "no_proxy",
    /// Headers for every request to the API, as JSON.
    ExtraHttpHeaders = "x_extra_http_headers",
    /// Whether to accept any TLS certificate.
    InsecureDisableSsl = "insecure_disable_ssl",
    /// The directory of the artifact cache.
    CacheDir = "cache_dir",
    /// How many bytes the artifact cache may take; a setting of `wb`, which the official client does not know.
    CacheBudget = "cache_budget",
    /// The directory of staged artifact files.
    DataDir = "data_dir",
    /// The directory that artifacts are downloaded to.
    ArtifactDir = "artifact_dir",
}

/// Where a value came from; `wb whoami` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Nothing is configured.
    Default,
    /// Derived from the base URL.
    Derived,
    /// The user's settings file.
    UserSettings {
        /// The file.
        path: String,
    },
    /// The project's settings file.
    ProjectSettings {
        /// The file.
        path: String,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: &'static str,
    },
    /// A profile that was chosen by name.
    Profile {
        /// The profile's name.
        name: String,
        /// The file.
        path: String,
    },
    /// A netrc file.
    Netrc {
        /// The file.
        path: String,
        /// The entry's machine.
        machine: String,
    },
    /// An argument of the program or the library.
    Explicit,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("the default"),
            Self::Derived => formatter.write_str("the base URL"),
            Self::UserSettings { path } | Self::ProjectSettings { path } => {
                write!(formatter, "the settings file {path}")
            }
            Self::Environment { variable } => write!(formatter, "the environment variable {variable}"),
            Self::Profile { name, path } => write!(formatter, "the profile {name:?} in {path}"),
            Self::Netrc { path, machine } => write!(formatter, "the entry of {machine} in {path}"),
            Self::Explicit => formatter.write_str("an explicit argument"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Which layer a value is in, lowest first (official order, inventory §8.1). A profile stands above the environment,
/// because it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank {
    UserSettings,
    ProjectSettings,
    Environment,
    Profile,
    Explicit,
}

/// The raw settings of one place: a file, an environment, the explicit arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Layer {
    pub(super) rank: Rank,
    pub(super) values: BTreeMap<SettingKey, (Secret, Origin)>,
}

impl fmt::Debug for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Layer")
            .field("rank", &self.rank)
            .field("keys", &self.values.keys())
            .finish()
    }
}

impl Layer {
    fn new(rank: Rank) -> Self {
        Self {
            rank,
            values: BTreeMap::new(),
        }
    }

    fn insert(&mut self, key: SettingKey, value: impl Into<Secret>, origin: Origin) {
        let value = value.into();
        if !value.expose().trim().is_empty() {
            self.values.entry(key).or_insert((value, origin));
        }
    }

    /// Arguments of the program or the library: the highest layer. Add values with [`Layer::with`].
    pub fn explicit() -> Self {
        Self::new(Rank::Explicit)
    }

    /// This layer with one more value; an empty one counts as unset, and a first value stays.
    #[must_use]
    pub fn with(mut self, key: SettingKey, value: impl Into<Secret>) -> Self {
        self.insert(key, value, Origin::Explicit);
        self
    }

    /// The settings in an environment, given as pairs of name and value. See
    /// [`ENVIRONMENT_VARIABLES`](super::ENVIRONMENT_VARIABLES); other names are ignored.
    pub fn from_environment<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let known: BTreeMap<&str, &str> = pairs.into_iter().collect();
        let mut layer = Self::new(Rank::Environment);
        for variable in ENVIRONMENT_VARIABLES {
            let Some(key) = variable.key else { continue };
            // In a CGI program HTTP_PROXY is a header of whoever sent the request.
            let is_header = variable.name == "HTTP_PROXY" && known.contains_key("REQUEST_METHOD");
            if let Some(value) = known.get(variable.name).filter(|_| !is_header) {
                layer.insert(
                    key,
                    *value,
                    Origin::Environment {
                        variable: variable.name,
                    },
                );
            }
        }
        layer
    }

    /// The settings in the text of the user's settings file; `path` is for messages. Keys that this client does not know
    /// are ignored: most of them steer logging.
    ///
    /// # Errors
    /// When the text is not an INI file. (The official client warns and goes on; a lost `base_url` would send the
    /// request to another server.)
    pub fn from_user_settings(path: &str, text: &str) -> Result<Self, SettingsError> {
        let origin = Origin::UserSettings {
            path: path.to_owned(),
        };
        Self::from_file(Rank::UserSettings, path, text, &origin)
    }

    /// The settings in the text of the project's settings file; see [`Layer::from_user_settings`].
    ///
    /// # Errors
    /// When the text is not an INI file.
    pub fn from_project_settings(path: &str, text: &str) -> Result<Self, SettingsError> {
        let origin = Origin::ProjectSettings {
            path: path.to_owned(),
        };
        Self::from_file(Rank::ProjectSettings, path, text, &origin)
    }

    fn from_file(rank: Rank, path: &str, text: &str, origin: &Origin) -> Result<Self, SettingsError> {
        let ini = Ini::parse(text).map_err(|problem| SettingsError::file(path, problem))?;
        let mut layer = Self::new(rank);
        if let Some(values) = ini.section(SECTION) {
            layer.insert_all(
                values.map_err(|problem| SettingsError::file(path, problem))?,
                origin,
            );
        }
        Ok(layer)
    }

    /// The settings of one profile in the text of a profiles file: an INI file with one `[NAME]` section for each, and the
    /// same keys as a settings file.
    ///
    /// # Errors
    /// When the text is not an INI file or has no profile of that name.
    pub fn from_profile(path: &str, text: &str, name: &str) -> Result<Self, SettingsError> {
        let ini = Ini::parse(text).map_err(|problem| SettingsError::file(path, problem))?;
        let values = ini.section(name).ok_or_else(|| SettingsError::UnknownProfile {
            name: name.to_owned(),
            path: path.to_owned(),
            known: ini.section_names().map(str::to_owned).collect(),
        })?;
        let mut layer = Self::new(Rank::Profile);
        let origin = Origin::Profile {
            name: name.to_owned(),
            path: path.to_owned(),
        };
        layer.insert_all(
            values.map_err(|problem| SettingsError::file(path, problem))?,
            &origin,
        );
        Ok(layer)
    }

    fn insert_all(&mut self, values: BTreeMap<String, String>, origin: &Origin) {
        for (name, value) in values {
            let key = SettingKey::from_name(&name);
            let is_system = matches!(
                key,
                Some(SettingKey::SystemHttpProxy | SettingKey::SystemHttpsProxy | SettingKey::SystemAllProxy)
            );
            if let Some(key) = key.filter(|_| !is_system) {
                self.insert(key, value, origin.clone());
            }
        }
    }
}
