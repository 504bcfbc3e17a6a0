//! The address of the API, the address of the web pages, and the one decision on where credentials may go.
//!
//! Rules: inventory §8.2 and protocol §1.1, as wandb 0.31.0 has them (`HostUrl`). The differences are on purpose:
//! - the default is `https://api.wandb.ai`; `https://api.forge.coreweave.com` is the same service under another name;
//! - the `wandb.ai` rules look at the host, not at the whole text (`https://notwandb.ai` is a server like any other);
//! - plain http is refused for the Forge host too, not only for `wandb.ai`: the API key would travel in the clear;
//! - a URL with a user, a query or a fragment is refused: none of these can be part of an address to append paths to.

mod app;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

pub use app::AppUrl;

use crate::path::RunPath;
use crate::redact::{SafeUrl, redact_url};

/// The API address used when nothing else is configured.
pub const DEFAULT_BASE_URL: &str = "https://api.wandb.ai";

/// The public service's hosts: the Forge host whose `api.` subdomain serves the API, and the W&B host that is the same.
const FORGE_HOSTS: &[(&str, &str)] = &[
    ("forge.coreweave.com", "api.wandb.ai"),
    ("qa.forge.coreweave.com", "api.qa.wandb.ai"),
];

/// Where the Forge host proxies the API.
const FORGE_API_PATH: &str = "/api/wandb";

/// Everything but RFC 3986's unreserved characters, as Python's `quote(text, safe="")`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One path segment of a URL, percent-encoded. A dot segment (`.`, `..`) has no encoding that keeps it from being
/// resolved; the name types of [`crate::path`] refuse both.
pub fn encode_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The address of a W&B server's API: scheme, host, port and a path prefix that endpoint paths are appended to.
///
/// Printed without a trailing slash. The host is in lower case and a default port is dropped, so two addresses of one
/// server are equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Without a trailing slash.
    text: String,
    url: Url,
}

/// Why a text is not an API address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("{text:?} is not a URL: {reason}")]
    NotAUrl {
        /// What was given, with credentials masked.
        text: String,
        /// What the URL parser found wrong.
        reason: String,
    },
    /// A scheme other than http and https.
    #[error("{text:?} is not an http or https URL")]
    UnsupportedScheme {
        /// What was given, with credentials masked.
        text: String,
    },
    /// A user, a query or a fragment in the URL.
    #[error("{text:?} cannot be a server address: it has a {part}")]
    UnexpectedPart {
        /// What was given, with credentials masked.
        text: String,
        /// The part that is too much: "user name or password", "query", or "fragment".
        part: &'static str,
    },
    /// A host of `wandb.ai` that serves web pages, not the API.
    #[error("{text:?} is not the address of an API")]
    NotTheApiHost {
        /// What was given, with credentials masked.
        text: String,
        /// The address that was probably meant.
        suggestion: String,
    },
    /// Plain http to the public service.
    #[error("{text:?} is not secure: the API key would be sent in the clear")]
    Insecure {
        /// What was given, with credentials masked.
        text: String,
        /// The address that was probably meant.
        suggestion: String,
    },
}

impl BaseUrlError {
    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::NotTheApiHost { suggestion, .. } | Self::Insecure { suggestion, .. } => {
                vec![format!("did you mean {suggestion}?")]
            }
            Self::NotAUrl { .. } | Self::UnsupportedScheme { .. } => {
                vec![format!(
                    "write the whole address, for example {DEFAULT_BASE_URL} or http://localhost:8080"
                )]
            }
            Self::UnexpectedPart {
                part: "user name or password",
                ..
            } => {
                vec!["give the API key through WANDB_API_KEY or `wb login`, not in the URL".to_owned()]
            }
            Self::UnexpectedPart { part, .. } => vec![format!("remove the {part}")],
        }
    }
}

/// A server handed out a URL that cannot be resolved against the base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is neither an http(s) URL nor a path that begins with one \"/\"")]
pub struct ResolveError {
    url: SafeUrl,
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self::parse(DEFAULT_BASE_URL).expect("the default is a valid address")
    }
}

impl BaseUrl {
    /// Reads an API address. White space around it is ignored, trailing slashes are stripped, a path prefix is kept.
    ///
    /// # Errors
    /// When the text is not an http(s) URL, has a user, query or fragment, names a `wandb.ai` host that is not an API
    /// host, or names the public service over plain http. A Forge host is accepted as `https://…/api/wandb` only and
    /// turned into its `api.` host (official: `normalize_forge_base_url`).
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = parse_http_url(text)?;
        let shown = || redact_url(text.trim());
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned();

        if let Some((forge, _)) = FORGE_HOSTS.iter().find(|(forge, _)| *forge == host) {
            let suggestion = format!("https://api.{forge}");
            if url.scheme() == "https"
                && url.port().is_none()
                && url.path().trim_end_matches('/') == FORGE_API_PATH
            {
                return Self::parse(&suggestion);
            }
            return Err(BaseUrlError::NotTheApiHost {
                text: shown(),
                suggestion,
            });
        }
        if host == "wandb.ai" || host.ends_with(".wandb.ai") {
            if !host.split('.').any(|label| label == "api") {
                return Err(BaseUrlError::NotTheApiHost {
                    text: shown(),
                    suggestion: DEFAULT_BASE_URL.to_owned(),
                });
            }
            if url.scheme() != "https" {
                return Err(BaseUrlError::Insecure {
                    text: shown(),
                    suggestion: format!("https://{host}"),
                });
            }
        }
        if url.scheme() != "https" && forge_of(&host).is_some() {
            return Err(BaseUrlError::Insecure {
                text: shown(),
                suggestion: format!("https://{host}"),
            });
        }
        let text = without_trailing_slashes(&url);
        // Read again, so that addresses that differ in trailing slashes only are equal in both fields.
        let url = Url::parse(&text).unwrap_or(url);
        Ok(Self { text, url })
    }

    /// The address without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without the port; an IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether the host is this machine itself: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }

    /// The name under which netrc files keep this server's key: the host, with the port unless it is the scheme's
    /// default (official: the `netloc`, protocol §1.3).
    pub fn netrc_machine(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Other netrc names of the same server, tried after [`BaseUrl::netrc_machine`]: the host with its default port
    /// written out, and the public service's other host (`api.wandb.ai` and `api.forge.coreweave.com` are one).
    pub fn netrc_aliases(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.url.port().is_none() {
            if let Some(port) = self.url.port_or_known_default() {
                names.push(format!("{}:{port}", self.host()));
            }
            if let Some((forge, api)) = forge_of(self.host()) {
                let forge = format!("api.{forge}");
                names.push(if self.host() == forge {
                    (*api).to_owned()
                } else {
                    forge
                });
            }
        }
        names
    }

    /// Whether this is the public service (under either of its names), not a server of one's own.
    pub fn is_public_service(&self) -> bool {
        self.service_host() == "api.wandb.ai"
    }

    /// Whether both are addresses of one server: equal, or the public service's two names.
    pub fn is_same_service(&self, other: &Self) -> bool {
        self.url.scheme() == other.url.scheme()
            && self.url.port_or_known_default() == other.url.port_or_known_default()
            && self.path_prefix() == other.path_prefix()
            && self.service_host() == other.service_host()
    }

    /// Where GraphQL operations are posted.
    pub fn graphql_url(&self) -> String {
        self.join("/graphql")
    }

    /// Where identity tokens are exchanged for access tokens (protocol §1.3).
    pub fn oidc_token_url(&self) -> String {
        self.join("/oidc/token")
    }

    /// Where a run's history, console and heartbeat lines are posted (protocol §4). The names are percent-encoded here.
    pub fn file_stream_url(&self, run: &RunPath) -> String {
        let project = run.project_path().to_url_path();
        self.join(&format!(
            "/files/{project}/{}/file_stream",
            encode_segment(run.run().as_str())
        ))
    }

    /// The absolute form of a URL that the server handed out: an http(s) URL as it is, a path that begins with one `/`
    /// appended to the base URL (official: `Run.upload_file`, protocol §1.6).
    ///
    /// # Errors
    /// For anything else, such as `//host/path` (which would name another host) or a path without a slash.
    pub fn resolve(&self, url: &str) -> Result<SafeUrl, ResolveError> {
        let is_path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
        if is_path {
            return Ok(SafeUrl::new(self.join(url)));
        }
        match Url::parse(url) {
            Ok(parsed) if is_http(&parsed) && parsed.has_host() => Ok(SafeUrl::new(url)),
            _ => Err(ResolveError {
                url: SafeUrl::new(url),
            }),
        }
    }

    /// Whether credentials for this server may be sent to `url`. This is the one place where that is decided.
    ///
    /// True only if scheme, host and port are equal and the path is the base URL's path or lies under it (at a segment
    /// boundary: `/api` does not cover `/apis`). False for anything that is not plainly so: a URL that does not parse,
    /// one that carries a user of its own, and a path that a server could decode into one outside of the prefix.
    pub fn is_same_origin_and_under(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else {
            return false;
        };
        let same_origin = is_http(&url)
            && url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default();
        if !same_origin || !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let prefix = self.path_prefix();
        let Some(rest) = url.path().strip_prefix(prefix) else {
            return false;
        };
        if !(rest.is_empty() || rest.starts_with('/')) {
            return false;
        }
        // The parser has resolved plain and percent-encoded dot segments; an encoded slash may hide another one.
        let decoded = percent_encoding::percent_decode_str(rest).decode_utf8_lossy();
        prefix.is_empty() || !decoded.split(['/', '\\']).any(|segment| segment == "..")
    }

    /// The address of the web pages that belong to this API; see [`AppUrl::derive`].
    pub fn app_url(&self) -> AppUrl {
        AppUrl::derive(self)
    }

    /// The path without a trailing slash: empty, or `/prefix`.
    fn path_prefix(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    fn service_host(&self) -> &str {
        forge_of(self.host()).map_or(self.host(), |(_, api)| api)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        Self::parse(text)
    }
}

/// The Forge host and the W&B host of the public service that a host belongs to.
fn forge_of(host: &str) -> Option<&'static (&'static str, &'static str)> {
    FORGE_HOSTS
        .iter()
        .find(|(forge, api)| host == *api || host == *forge || host.strip_prefix("api.") == Some(*forge))
}

/// An http(s) URL with a host and nothing but a path behind it.
fn parse_http_url(text: &str) -> Result<Url, BaseUrlError> {
    let text = text.trim();
    let shown = || redact_url(text);
    let url = Url::parse(text).map_err(|error| BaseUrlError::NotAUrl {
        text: shown(),
        reason: error.to_string(),
    })?;
    if !is_http(&url) {
        return Err(BaseUrlError::UnsupportedScheme { text: shown() });
    }
    let part = if !url.username().is_empty() || url.password().is_some() {
        "user name or password"
    } else if url.query().is_some() {
        "query"
    } else if url.fragment().is_some() {
        "fragment"
    } else {
        return Ok(url);
    };
    Err(BaseUrlError::UnexpectedPart { text: shown(), part })
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn without_trailing_slashes(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests;
