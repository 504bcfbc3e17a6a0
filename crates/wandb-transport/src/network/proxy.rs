//! Which proxy a request takes, decided from settings only.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use super::config_error::ConfigError;
use super::no_proxy::{NoProxy, is_loopback};

/// The proxies of a transport, and the hosts that are reached without one.
///
/// Nothing here reads the environment; [`from_variables`](Self::from_variables) takes it as an argument. Loopback hosts
/// (`localhost`, `*.localhost`, `127.0.0.0/8`, `::1`) are never reached through a proxy.
///
/// Neither `Debug` nor an error shows a proxy's credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: NoProxy,
}

/// One HTTP proxy: its address and, if it wants them, credentials.
///
/// `Display` and `Debug` give the address without the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl ProxyConfig {
    /// No proxy at all: every host is reached directly.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the usual variables, given as (name, value) pairs; others are ignored. So `std::env::vars()` will do, and a
    /// test passes what it likes.
    ///
    /// - for `http` URIs the first that is set and not empty of `WANDB_HTTP_PROXY`, `http_proxy`, `HTTP_PROXY`, `all_proxy`,
    ///   `ALL_PROXY`; for `https` URIs the same with `HTTPS`. `HTTP_PROXY` is passed over if `REQUEST_METHOD` is set: in a
    ///   CGI program it is not a setting but a header of whoever sent the request.
    /// - hosts reached directly: `no_proxy`, else `NO_PROXY`. See [`with_exceptions`](Self::with_exceptions).
    ///
    /// # Errors
    ///
    /// When a value is not the URL of an HTTP proxy. Going on without the proxy would send traffic where it must not go.
    pub fn from_variables<I, N, V>(variables: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: AsRef<str>,
    {
        const HTTP: [&str; 5] = [
            "WANDB_HTTP_PROXY",
            "http_proxy",
            "HTTP_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ];
        const HTTPS: [&str; 5] = [
            "WANDB_HTTPS_PROXY",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ];
        const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];
        const CGI: &str = "REQUEST_METHOD";

        let mut known = HashMap::new();
        for (name, value) in variables {
            let (name, value) = (name.as_ref(), value.as_ref().trim());
            let all = HTTP.iter().chain(&HTTPS).chain(&EXCEPTIONS).chain([&CGI]);
            if let (Some(name), false) = (all.copied().find(|known| *known == name), value.is_empty()) {
                known.insert(name, value.to_owned());
            }
        }
        if known.contains_key(CGI) {
            known.remove("HTTP_PROXY");
        }
        let first = |names: &[&'static str]| {
            let found = names
                .iter()
                .find_map(|name| known.get(name).map(|value| (*name, value)));
            found.map(|(name, value)| Proxy::parse(value, name)).transpose()
        };
        let exceptions = EXCEPTIONS.iter().find_map(|name| known.get(name));
        Ok(Self {
            http: first(&HTTP)?,
            https: first(&HTTPS)?,
            exceptions: exceptions.map(|text| NoProxy::parse(text)).unwrap_or_default(),
        })
    }

    /// The proxy for `http` URIs: `[http[s]://][user[:password]@]host[:port]`, user and password percent-encoded. The port
    /// defaults to that of the scheme, the scheme to `http`.
    ///
    /// # Errors
    ///
    /// When the text is something else; SOCKS proxies are not supported.
    pub fn with_http(mut self, url: &str) -> Result<Self, ConfigError> {
        self.http = Some(Proxy::parse(url, "the http proxy")?);
        Ok(self)
    }

    /// The proxy for `https` URIs, in the same form as for [`with_http`](Self::with_http). The proxy is asked for a tunnel
    /// (`CONNECT`) and sees the host's name, but neither requests nor answers.
    ///
    /// # Errors
    ///
    /// As for [`with_http`](Self::with_http).
    pub fn with_https(mut self, url: &str) -> Result<Self, ConfigError> {
        self.https = Some(Proxy::parse(url, "the https proxy")?);
        Ok(self)
    }

    /// Sets the hosts that are reached directly, in the language of `NO_PROXY`.
    ///
    /// Entries are separated by commas or white space: `*` (every host), a name (it and every name under it, with or
    /// without a dot in front), an IP address, a network such as `10.0.0.0/8`, and any of the first three with `:port`.
    /// Other entries match nothing.
    #[must_use]
    pub fn with_exceptions(mut self, no_proxy: &str) -> Self {
        self.exceptions = NoProxy::parse(no_proxy);
        self
    }

    /// The proxy that a request to this URI takes, or `None` if it goes directly.
    pub fn proxy_for(&self, uri: &Uri) -> Option<&Proxy> {
        let host = uri.host()?;
        let (proxy, default_port) = match uri.scheme_str()? {
            "http" => (self.http.as_ref()?, 80),
            "https" => (self.https.as_ref()?, 443),
            _ => return None,
        };
        let port = uri.port_u16().unwrap_or(default_port);
        let direct = is_loopback(host) || self.exceptions.matches(host, port);
        (!direct).then_some(proxy)
    }
}

impl Proxy {
    /// Parses a proxy's URL. `setting` is what an error calls it, for the URL itself can hold a password.
    fn parse(text: &str, setting: &str) -> Result<Self, ConfigError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::HTTP,
            "https" => Scheme::HTTPS,
            _ => {
                return Err(ConfigError::new(format!(
                    "{setting} is neither an http nor an https proxy"
                )));
            }
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() || authority.contains(['?', '#']) {
            return Err(ConfigError::new(format!(
                "{setting} has more than a host and a port"
            )));
        }
        // The last @ counts: a password that was not percent-encoded may have one too.
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, authority),
        };
        let unusable = || ConfigError::new(format!("{setting} has no valid host and port"));
        let address: Authority = address.parse().map_err(|_| unusable())?;
        // `http` accepts a port without digits or out of range in an authority, and an empty host before one.
        let suffix = address.as_str().strip_prefix(address.host()).unwrap_or_default();
        if address.host().is_empty() || (!suffix.is_empty() && address.port_u16().is_none()) {
            return Err(unusable());
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme);
        parts.authority = Some(address);
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Ok(Self {
            uri: Uri::from_parts(parts).map_err(|_| unusable())?,
            authorization: credentials
                .filter(|text| !text.is_empty())
                .map(basic_authorization),
        })
    }

    /// The proxy's own address, without credentials.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The value of the `Proxy-Authorization` header, marked as sensitive.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

/// Makes `Basic …` of the `user:password` part of a URL (RFC 7617).
fn basic_authorization(credentials: &str) -> HeaderValue {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let value = format!("Basic {}", STANDARD.encode(plain));
    let mut value = HeaderValue::try_from(value).expect("base64 is made of visible ASCII characters");
    value.set_sensitive(true);
    value
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map(Authority::as_str).unwrap_or_default();
        write!(f, "{scheme}://{authority}")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = if self.authorization.is_some() {
            ", with credentials"
        } else {
            ""
        };
        write!(f, "Proxy({self}{credentials})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(config: &ProxyConfig, uri: &str) -> Option<String> {
        config.proxy_for(&uri.parse().unwrap()).map(Proxy::to_string)
    }

    #[test]
    fn variables_have_an_order() {
        let all = [
            ("WANDB_HTTPS_PROXY", "http://wandb:1"),
            ("https_proxy", "http://lower:2"),
            ("HTTPS_PROXY", "http://upper:3"),
            ("all_proxy", "http://every:4"),
        ];
        for (from, expected) in [
            "http://wandb:1",
            "http://lower:2",
            "http://upper:3",
            "http://every:4",
        ]
        .iter()
        .enumerate()
        {
            let config = ProxyConfig::from_variables(all[from..].iter().rev().copied()).unwrap();
            assert_eq!(
                chosen(&config, "https://api.wandb.ai/graphql").as_deref(),
                Some(*expected)
            );
            assert_eq!(
                chosen(&config, "http://api.wandb.ai/graphql").as_deref(),
                Some("http://every:4")
            );
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let config = ProxyConfig::from_variables([("https_proxy", " "), ("HTTPS_PROXY", "proxy:3")]).unwrap();
        assert_eq!(
            chosen(&config, "https://a.example").as_deref(),
            Some("http://proxy:3")
        );
    }

    #[test]
    fn http_proxy_is_not_trusted_in_a_cgi_program() {
        let variables = [("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(
            ProxyConfig::from_variables(variables).unwrap(),
            ProxyConfig::none()
        );
    }

    #[test]
    fn exceptions_and_loopback_go_directly() {
        let variables = [
            ("ALL_PROXY", "http://proxy:3128"),
            ("NO_PROXY", "internal.example,10.0.0.0/8,other:8443"),
        ];
        let config = ProxyConfig::from_variables(variables).unwrap();
        for direct in [
            "http://localhost:8080/",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080/",
            "https://internal.example/",
            "https://x.internal.example/",
            "http://10.1.2.3/",
            "https://other:8443/",
        ] {
            assert_eq!(chosen(&config, direct), None, "{direct}");
        }
        for proxied in ["https://other/", "http://11.1.2.3/", "https://api.wandb.ai/"] {
            assert!(chosen(&config, proxied).is_some(), "{proxied}");
        }
    }

    #[test]
    fn credentials_are_decoded_sent_and_never_shown() {
        let config = ProxyConfig::none()
            .with_http("http://zoe%40corp:s%3Acr%20t@proxy.corp:3128/")
            .unwrap();
        let proxy = config.proxy_for(&Uri::from_static("http://a.example/")).unwrap();
        let value = proxy.authorization().unwrap();
        assert!(value.is_sensitive());
        let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"zoe@corp:s:cr t");
        let shown = format!("{config:?} {proxy}");
        assert!(
            shown.contains("http://proxy.corp:3128") && shown.contains("with credentials"),
            "{shown}"
        );
        for secret in ["zoe", "s%3Acr", "s:cr", encoded] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn forms_of_the_url() {
        for (text, expected) in [
            ("proxy", "http://proxy"),
            ("proxy:3128", "http://proxy:3128"),
            ("HTTP://proxy:3128/", "http://proxy:3128"),
            ("https://[2001:db8::1]:3128", "https://[2001:db8::1]:3128"),
            ("http://user:p@ss@proxy:1", "http://proxy:1"),
        ] {
            assert_eq!(Proxy::parse(text, "it").unwrap().to_string(), expected);
        }
    }

    #[test]
    fn an_unusable_proxy_is_an_error_that_does_not_print_it() {
        for text in [
            "socks5://me:secret@proxy:1080",
            "ftp://secret",
            "http://me:secret@",
            "http://me:secret@:80",
            "http://me:secret@proxy:port",
            "http://me:secret@proxy:70000",
            "http://me:secret@proxy:",
            "http://me:secret@proxy/path",
            "http://me:secret@pro xy",
            "http://",
        ] {
            let error = ProxyConfig::from_variables([("HTTPS_PROXY", text)]).expect_err(text);
            assert!(error.to_string().starts_with("HTTPS_PROXY "), "{error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_parses_or_is_refused(text in "(https?://)?([a-z%:@]{0,8}@)?[-a-z0-9.:\\[\\]/?#@ %]{0,20}|.*") {
            if let Ok(proxy) = Proxy::parse(&text, "it") {
                prop_assert!(!proxy.uri().host().unwrap_or_default().is_empty());
                prop_assert!(!proxy.to_string().contains('@'));
                let again = Proxy::parse(&proxy.to_string(), "it").unwrap();
                prop_assert_eq!(again.uri(), proxy.uri());
            }
        }

        #[test]
        fn credentials_survive(user in "[^:]{1,8}", password in ".{0,8}") {
            let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
            let proxy = Proxy::parse(&format!("http://{}:{}@proxy", encode(&user), encode(&password)), "it").unwrap();
            let encoded = proxy.authorization().unwrap().to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
            prop_assert_eq!(STANDARD.decode(encoded).unwrap(), format!("{user}:{password}").into_bytes());
        }
    }
}
