//! The settings of the hyper transport.

use std::path::Path;
use std::time::Duration;

use super::config_error::ConfigError;
use super::proxy::ProxyConfig;
use super::tls::{Roots, Tls, Trust};
use super::transport::HyperTransport;

/// Settings for a [`HyperTransport`]; made by [`HyperTransport::builder`].
///
/// Building makes no connection, reads no environment variable and needs no runtime. The machine's certificates are read
/// on the first use of `https`; that may look at `SSL_CERT_FILE` and `SSL_CERT_DIR`, see [`Roots::Native`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct HyperTransportBuilder {
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) pool_idle_timeout: Duration,
    pub(super) pool_max_idle_per_host: usize,
    pub(super) http2: bool,
    pub(super) decompress: bool,
    pub(super) proxies: ProxyConfig,
    trust: Trust,
    /// The first certificate that could not be used; it is reported by `build`.
    fault: Option<ConfigError>,
}

impl Default for HyperTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Some(Duration::from_secs(60)),
            pool_idle_timeout: Duration::from_secs(50),
            pool_max_idle_per_host: 32,
            http2: true,
            decompress: true,
            proxies: ProxyConfig::none(),
            trust: Trust::default(),
            fault: None,
        }
    }
}

impl HyperTransportBuilder {
    /// How long one connection may take to come about: name, TCP, proxy and TLS together. Default: 10 seconds.
    ///
    /// Past it the error is of kind [`Connect`](crate::TransportErrorKind::Connect), not `Timeout`: nothing was sent.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long no byte may move on a connection that somebody waits for; `None` is for ever. Default: 60 seconds.
    ///
    /// It counts while the head of an answer is waited for, from the last piece of the request that the connection took,
    /// and while a reader waits for a chunk of the body. It does not count while the request's own body has nothing to
    /// send, nor while nobody reads. There is no limit on a whole transfer here: that is the caller's deadline.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = limit.into();
        self
    }

    /// How long an unused connection is kept. Default: 50 seconds, less than the minute after which common load balancers
    /// hang up.
    pub fn pool_idle_timeout(mut self, limit: Duration) -> Self {
        self.pool_idle_timeout = limit;
        self
    }

    /// How many unused HTTP/1.1 connections are kept for one scheme, host and port. Default: 32. Zero makes a new
    /// connection for every request.
    pub fn pool_max_idle_per_host(mut self, count: usize) -> Self {
        self.pool_max_idle_per_host = count;
        self
    }

    /// Whether servers are offered HTTP/2 over TLS. Default: yes. In plain HTTP it is never spoken.
    pub fn http2(mut self, enabled: bool) -> Self {
        self.http2 = enabled;
        self
    }

    /// Whether answers are asked for in gzip and unpacked. Default: yes.
    ///
    /// Even then not for requests with an `Accept-Encoding` or `Range` of their own, whose answer is given as it comes, and
    /// not from loopback hosts, where packing takes longer than sending. An unpacked answer has no `Content-Encoding` and
    /// no `Content-Length`.
    pub fn decompress(mut self, enabled: bool) -> Self {
        self.decompress = enabled;
        self
    }

    /// The proxies. Default: [none](ProxyConfig::none).
    pub fn proxies(mut self, proxies: ProxyConfig) -> Self {
        self.proxies = proxies;
        self
    }

    /// Which certificate authorities are trusted. Default: [`Roots::Native`].
    pub fn roots(mut self, roots: Roots) -> Self {
        self.trust.roots = roots;
        self
    }

    /// Trusts the certificates of a PEM text too: those of a company's own authority, or a server's own.
    pub fn add_ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        let added = self.trust.add_pem(pem.as_ref(), "the given certificate text");
        self.keep_fault(added);
        self
    }

    /// Trusts the certificates of a PEM file too. The file is read at once.
    pub fn add_ca_file(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let added = match std::fs::read(path) {
            Ok(pem) => self.trust.add_pem(&pem, &path.display().to_string()),
            Err(error) => {
                let message = format!("the certificate file {} cannot be read", path.display());
                Err(ConfigError::new(message).with_source(error))
            }
        };
        self.keep_fault(added);
        self
    }

    /// **Dangerous.** Accepts every certificate of every server and proxy: expired, self-signed, for another name. Default:
    /// no.
    ///
    /// Whoever sits on the way can then read and change everything, the API key included. It exists because the official
    /// client has `WANDB_INSECURE_DISABLE_SSL`. For a server with its own certificate, [`add_ca_file`](Self::add_ca_file)
    /// is the answer. A program that sets this should say so each time;
    /// [`accepts_invalid_certificates`](HyperTransport::accepts_invalid_certificates) tells.
    pub fn danger_accept_invalid_certificates(mut self, accept: bool) -> Self {
        self.trust.blind = accept;
        self
    }

    /// Makes the transport.
    ///
    /// # Errors
    ///
    /// When a certificate text or file cannot be read; the first such fault counts.
    pub fn build(mut self) -> Result<HyperTransport, ConfigError> {
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(HyperTransport::new(self)),
        }
    }

    fn keep_fault(&mut self, added: Result<(), ConfigError>) {
        if let (None, Err(fault)) = (&self.fault, added) {
            self.fault = Some(fault);
        }
    }

    pub(super) fn tls(&self) -> Tls {
        Tls::new(self.trust.clone(), self.http2)
    }
}
