//! From layers to settings: which value counts, and what it is.

use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::credentials::{CredentialSearch, Credentials, NetrcText, SettingsWarning};
use super::error::{InvalidValue, SettingsError};
use super::layer::{Layer, Origin, Rank, SettingKey, Sourced};
use super::netrc::Netrc;
use super::size::parse_size;
use crate::base_url::{AppUrl, BaseUrl};
use crate::path::{EntityName, PathContext, ProjectName};
use crate::redact::SafeUrl;
use crate::secret::Secret;

/// The longest timeout that is believed; a longer one is cut to it.
const MAXIMUM_SECONDS: f64 = 1e9;

/// Headers that the client sets itself. `Authorization` among the extra ones would get around the rule on where
/// credentials go.
const OWN_HEADERS: &[HeaderName] = &[
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Proxies as they are configured; the transport checks and applies them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// For http:// addresses.
    pub http: Option<Sourced<SafeUrl>>,
    /// For https:// addresses.
    pub https: Option<Sourced<SafeUrl>>,
    /// Hosts that are reached without a proxy, in the language of `NO_PROXY`.
    pub no_proxy: Option<Sourced<String>>,
}

/// All settings, each with the place it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The address of the API.
    pub base_url: Sourced<BaseUrl>,
    /// The address of the web pages.
    pub app_url: Sourced<AppUrl>,
    /// How the client proves who it is; `None` when nothing was found.
    pub credentials: Option<Sourced<Credentials>>,
    /// The cache of access tokens, when it is not at its usual place.
    pub credentials_file: Option<Sourced<String>>,
    /// The default user or team.
    pub entity: Option<Sourced<EntityName>>,
    /// The default project.
    pub project: Option<Sourced<ProjectName>>,
    /// The organization whose registry is meant by default.
    pub organization: Option<Sourced<String>>,
    /// Sent as `X-WANDB-USERNAME`.
    pub username: Option<Sourced<String>>,
    /// Sent as `X-WANDB-USER-EMAIL`.
    pub user_email: Option<Sourced<String>>,
    /// How long an API call may take.
    pub http_timeout: Option<Sourced<Duration>>,
    /// How long the transfer of one file may take.
    pub file_transfer_timeout: Option<Sourced<Duration>>,
    /// The proxies.
    pub proxies: ProxySettings,
    /// Headers for every request to the API, all marked sensitive. Not for signed URLs of other hosts.
    pub extra_http_headers: HeaderMap,
    /// Whether to accept any TLS certificate.
    pub insecure_disable_ssl: Option<Sourced<bool>>,
    /// The directory of the artifact cache.
    pub cache_dir: Option<Sourced<String>>,
    /// How many bytes the artifact cache may take.
    pub cache_budget: Option<Sourced<u64>>,
    /// The directory of staged artifact files.
    pub data_dir: Option<Sourced<String>>,
    /// The directory that artifacts are downloaded to.
    pub artifact_dir: Option<Sourced<String>>,
    /// What the user should know.
    pub warnings: Vec<SettingsWarning>,
}

impl Settings {
    /// Finds each setting in the highest layer that has it: defaults < user settings < project settings < environment <
    /// profile < explicit (inventory §8.1). The order in which the layers are given does not matter.
    ///
    /// Credentials are found in this order (inventory §8.2):
    /// 1. an explicit API key or identity token file;
    /// 2. that of the profile; and when the profile names another server than the environment means, the netrc entry of
    ///    that server, so that a key in the environment is not sent to it;
    /// 3. `WANDB_API_KEY` or `WANDB_IDENTITY_TOKEN_FILE`;
    /// 4. the netrc entry of the server, its other name, or `default`;
    /// 5. `api_key` in a settings file, if the server is the one that the files and the environment mean.
    ///
    /// # Errors
    /// When a value that counts is not one its setting can have, or when one layer has both an API key and an identity
    /// token file. Values that do not count are not looked at.
    pub fn resolve(
        layers: impl IntoIterator<Item = Layer>,
        netrc: Option<NetrcText<'_>>,
    ) -> Result<Self, SettingsError> {
        let mut layers: Vec<Layer> = layers.into_iter().collect();
        // Highest first; of two layers of one rank the one given first.
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.rank));
        let layers = Layers(layers);

        let base_url = layers.base_url(Rank::Explicit)?;
        let app_url = match layers.parsed(SettingKey::AppUrl, |text| Ok(AppUrl::parse(text)?))? {
            Some(app_url) => app_url,
            None => Sourced {
                value: base_url.value.app_url(),
                origin: Origin::Derived,
            },
        };
        let mut search = CredentialSearch {
            layers: &layers,
            base_url: &base_url.value,
            netrc: netrc.map(|file| (file.path, Netrc::parse(file.text))),
            warnings: Vec::new(),
        };
        let credentials = search.find()?;
        let warnings = search.warnings;
        Ok(Self {
            app_url,
            credentials,
            credentials_file: layers.text(SettingKey::CredentialsFile),
            entity: layers.parsed(SettingKey::Entity, |text| Ok(EntityName::new(text)?))?,
            project: layers.parsed(SettingKey::Project, |text| Ok(ProjectName::new(text)?))?,
            organization: layers.text(SettingKey::Organization),
            username: layers.text(SettingKey::Username),
            user_email: layers.text(SettingKey::UserEmail),
            http_timeout: layers.parsed(SettingKey::HttpTimeout, seconds)?,
            file_transfer_timeout: layers.parsed(SettingKey::FileTransferTimeout, seconds)?,
            proxies: layers.proxies()?,
            extra_http_headers: layers
                .parsed(SettingKey::ExtraHttpHeaders, headers)?
                .map(|headers| headers.value)
                .unwrap_or_default(),
            insecure_disable_ssl: layers.parsed(SettingKey::InsecureDisableSsl, boolean)?,
            cache_dir: layers.text(SettingKey::CacheDir),
            cache_budget: layers.parsed(SettingKey::CacheBudget, parse_size)?,
            data_dir: layers.text(SettingKey::DataDir),
            artifact_dir: layers.text(SettingKey::ArtifactDir),
            base_url,
            warnings,
        })
    }

    /// The defaults and the server with which paths are read.
    pub fn path_context(&self) -> PathContext {
        let mut context =
            PathContext::new().with_server(self.base_url.value.clone(), self.app_url.value.clone());
        if let Some(entity) = &self.entity {
            context = context.with_entity(entity.value.clone());
        }
        if let Some(project) = &self.project {
            context = context.with_project(project.value.clone());
        }
        context
    }
}

/// The layers, highest first.
pub(super) struct Layers(Vec<Layer>);

impl Layers {
    /// The layers of one rank.
    pub(super) fn of(&self, rank: Rank) -> impl Iterator<Item = &Layer> {
        self.0.iter().filter(move |layer| layer.rank == rank)
    }

    pub(super) fn has(&self, rank: Rank) -> bool {
        self.of(rank).next().is_some()
    }

    fn raw_up_to(&self, key: SettingKey, highest: Rank) -> Option<&(Secret, Origin)> {
        self.0
            .iter()
            .filter(|layer| layer.rank <= highest)
            .find_map(|layer| layer.values.get(&key))
    }

    fn raw(&self, key: SettingKey) -> Option<&(Secret, Origin)> {
        self.raw_up_to(key, Rank::Explicit)
    }

    fn text(&self, key: SettingKey) -> Option<Sourced<String>> {
        self.raw(key).map(|(value, origin)| Sourced {
            value: value.expose().trim().to_owned(),
            origin: origin.clone(),
        })
    }

    fn parsed<T>(
        &self,
        key: SettingKey,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Result<Option<Sourced<T>>, SettingsError> {
        self.raw(key).map(|raw| parse_raw(key, raw, parse)).transpose()
    }

    pub(super) fn base_url(&self, highest: Rank) -> Result<Sourced<BaseUrl>, SettingsError> {
        match self.raw_up_to(SettingKey::BaseUrl, highest) {
            Some(raw) => parse_raw(SettingKey::BaseUrl, raw, |text| Ok(BaseUrl::parse(text)?)),
            None => Ok(Sourced {
                value: BaseUrl::default(),
                origin: Origin::Default,
            }),
        }
    }

    /// Official: `WANDB__PROXIES` before `WANDB_HTTP_PROXY` and settings files, these before `HTTP_PROXY`.
    fn proxies(&self) -> Result<ProxySettings, SettingsError> {
        let both = self.parsed(SettingKey::Proxies, json_strings)?;
        let find = |scheme: &str, keys: [SettingKey; 3]| {
            let explicit = self.0.iter().filter(|layer| layer.rank == Rank::Explicit);
            let explicit = explicit.filter_map(|layer| layer.values.get(&keys[0])).next();
            let from_json = || {
                let both = both.as_ref()?;
                let (_, url) = both
                    .value
                    .iter()
                    .find(|(name, url)| name == scheme && !url.expose().is_empty())?;
                Some(Sourced {
                    value: SafeUrl::new(url.expose()),
                    origin: both.origin.clone(),
                })
            };
            let plain = |(value, origin): &(Secret, Origin)| Sourced {
                value: SafeUrl::new(value.expose().trim()),
                origin: origin.clone(),
            };
            explicit
                .map(plain)
                .or_else(from_json)
                .or_else(|| keys.iter().find_map(|key| self.raw(*key)).map(plain))
        };
        Ok(ProxySettings {
            http: find(
                "http",
                [
                    SettingKey::HttpProxy,
                    SettingKey::SystemHttpProxy,
                    SettingKey::SystemAllProxy,
                ],
            ),
            https: find(
                "https",
                [
                    SettingKey::HttpsProxy,
                    SettingKey::SystemHttpsProxy,
                    SettingKey::SystemAllProxy,
                ],
            ),
            no_proxy: self.text(SettingKey::NoProxy),
        })
    }
}

fn parse_raw<T>(
    key: SettingKey,
    (value, origin): &(Secret, Origin),
    parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
) -> Result<Sourced<T>, SettingsError> {
    match parse(value.expose().trim()) {
        Ok(value) => Ok(Sourced {
            value,
            origin: origin.clone(),
        }),
        Err(problem) => Err(SettingsError::Invalid {
            key,
            origin: origin.clone(),
            problem,
        }),
    }
}

fn seconds(text: &str) -> Result<Duration, InvalidValue> {
    let seconds: f64 = text.parse().map_err(|_| InvalidValue::Seconds)?;
    let duration =
        Duration::try_from_secs_f64(seconds.min(MAXIMUM_SECONDS)).map_err(|_| InvalidValue::Seconds)?;
    if seconds.is_nan() || duration.is_zero() {
        Err(InvalidValue::Seconds)
    } else {
        Ok(duration)
    }
}

/// The words that the official `strtobool` knows.
fn boolean(text: &str) -> Result<bool, InvalidValue> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
        _ => Err(InvalidValue::Boolean),
    }
}

fn json_strings(text: &str) -> Result<Vec<(String, Secret)>, InvalidValue> {
    let object: std::collections::BTreeMap<String, String> =
        serde_json::from_str(text).map_err(|_| InvalidValue::JsonObject)?;
    Ok(object
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect())
}

fn headers(text: &str) -> Result<HeaderMap, InvalidValue> {
    let mut headers = HeaderMap::new();
    for (name, value) in json_strings(text)? {
        let invalid = || InvalidValue::Header(name.chars().take(100).collect());
        let header_name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        if OWN_HEADERS.contains(&header_name) {
            return Err(invalid());
        }
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.insert(header_name, value);
    }
    Ok(headers)
}
