//! Every environment variable that the client knows, in one table.
//!
//! Nothing here reads the environment: the caller passes pairs of name and value. A name that is not in the table is
//! ignored, as the official client does; an empty value counts as unset.

use super::layer::SettingKey;

/// One environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: &'static str,
    /// What it sets, in one sentence.
    pub meaning: &'static str,
    /// The setting that it gives a value to; `None` for those that only say where files are.
    pub(super) key: Option<SettingKey>,
}

const fn setting(name: &'static str, key: SettingKey, meaning: &'static str) -> EnvironmentVariable {
    EnvironmentVariable {
        name,
        meaning,
        key: Some(key),
    }
}

const fn location(name: &'static str, meaning: &'static str) -> EnvironmentVariable {
    EnvironmentVariable {
        name,
        meaning,
        key: None,
    }
}

/// The table. Of two variables for one setting the earlier one counts.
pub const ENVIRONMENT_VARIABLES: &[EnvironmentVariable] = &[
    setting(
        "WANDB_API_KEY",
        SettingKey::ApiKey,
        "The API key. Not together with WANDB_IDENTITY_TOKEN_FILE.",
    ),
    setting(
        "WANDB_IDENTITY_TOKEN_FILE",
        SettingKey::IdentityTokenFile,
        "A file with a JWT that is exchanged for an access token.",
    ),
    setting(
        "WANDB_CREDENTIALS_FILE",
        SettingKey::CredentialsFile,
        "Where access tokens are cached.",
    ),
    setting(
        "WANDB_BASE_URL",
        SettingKey::BaseUrl,
        "The address of the API; https://api.wandb.ai when unset.",
    ),
    setting(
        "WANDB_APP_URL",
        SettingKey::AppUrl,
        "The address of the web pages; derived from the API's when unset.",
    ),
    setting(
        "WANDB_ENTITY",
        SettingKey::Entity,
        "The user or team that paths without one belong to.",
    ),
    setting(
        "WANDB_PROJECT",
        SettingKey::Project,
        "The project that paths without one belong to.",
    ),
    setting(
        "WANDB_ORGANIZATION",
        SettingKey::Organization,
        "The organization whose registry is meant by default.",
    ),
    setting(
        "WANDB_USERNAME",
        SettingKey::Username,
        "Sent as X-WANDB-USERNAME, for service accounts.",
    ),
    setting(
        "WANDB_USER_EMAIL",
        SettingKey::UserEmail,
        "Sent as X-WANDB-USER-EMAIL, for service accounts.",
    ),
    setting(
        "WANDB_HTTP_TIMEOUT",
        SettingKey::HttpTimeout,
        "How long an API call may take, in seconds.",
    ),
    setting(
        "WANDB_FILE_PUSHER_TIMEOUT",
        SettingKey::FileTransferTimeout,
        "How long the transfer of one file may take, in seconds.",
    ),
    setting(
        "WANDB__PROXIES",
        SettingKey::Proxies,
        "Proxies as JSON, {\"http\": URL, \"https\": URL}.",
    ),
    setting(
        "WANDB_HTTP_PROXY",
        SettingKey::HttpProxy,
        "The proxy for http:// addresses.",
    ),
    setting(
        "WANDB_HTTPS_PROXY",
        SettingKey::HttpsProxy,
        "The proxy for https:// addresses.",
    ),
    setting(
        "http_proxy",
        SettingKey::SystemHttpProxy,
        "The proxy for http:// addresses of all programs.",
    ),
    setting(
        "HTTP_PROXY",
        SettingKey::SystemHttpProxy,
        "The same. Ignored in a CGI program (REQUEST_METHOD is set).",
    ),
    setting(
        "https_proxy",
        SettingKey::SystemHttpsProxy,
        "The proxy for https:// addresses of all programs.",
    ),
    setting("HTTPS_PROXY", SettingKey::SystemHttpsProxy, "The same."),
    setting(
        "all_proxy",
        SettingKey::SystemAllProxy,
        "The proxy of all programs where the two above are unset.",
    ),
    setting("ALL_PROXY", SettingKey::SystemAllProxy, "The same."),
    setting(
        "no_proxy",
        SettingKey::NoProxy,
        "Hosts that are reached without a proxy, separated by commas.",
    ),
    setting("NO_PROXY", SettingKey::NoProxy, "The same."),
    setting(
        "WANDB__EXTRA_HTTP_HEADERS",
        SettingKey::ExtraHttpHeaders,
        "Headers for every request to the API, as a JSON object of strings.",
    ),
    setting(
        "WANDB_INSECURE_DISABLE_SSL",
        SettingKey::InsecureDisableSsl,
        "Whether to accept any TLS certificate: true or false.",
    ),
    setting(
        "WANDB_CACHE_DIR",
        SettingKey::CacheDir,
        "The directory of the artifact cache.",
    ),
    setting(
        "WANDB_CACHE_BUDGET",
        SettingKey::CacheBudget,
        "How much the artifact cache may take, for example 50GB; what was not used for the longest time is removed.",
    ),
    setting(
        "WANDB_DATA_DIR",
        SettingKey::DataDir,
        "The directory of staged artifact files.",
    ),
    setting(
        "WANDB_ARTIFACT_DIR",
        SettingKey::ArtifactDir,
        "The directory that artifacts are downloaded to.",
    ),
    location(
        "WANDB_CONFIG_DIR",
        "The directory of the user's settings file; ~/.config/wandb when unset.",
    ),
    location(
        "WANDB_DIR",
        "The directory with the project's wandb/settings file; the current one when unset.",
    ),
    location("NETRC", "The netrc file; ~/.netrc or ~/_netrc when unset."),
];

/// The table's row of that name.
pub fn environment_variable(name: &str) -> Option<&'static EnvironmentVariable> {
    ENVIRONMENT_VARIABLES
        .iter()
        .find(|variable| variable.name == name)
}
