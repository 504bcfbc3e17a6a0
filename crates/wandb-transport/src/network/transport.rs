//! The transport itself: one request through hyper's pool.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, PROXY_AUTHORIZATION, RANGE};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use super::builder::HyperTransportBuilder;
use super::connect::Connector;
use super::download::Download;
use super::failure;
use super::gzip::Gunzip;
use super::no_proxy::is_loopback;
use super::proxy::ProxyConfig;
use super::upload::{Upload, UploadWatch};
use crate::{Body, Transport, TransportError, TransportErrorKind};

/// The transport over the network: HTTP/1.1 and HTTP/2, TLS, a pool of connections, proxies, gzip.
///
/// It is cheap to clone, and clones share the pool. Connections are made when they are needed. Sending needs a Tokio
/// runtime with I/O and time enabled; connections belong to the runtime in which they were made, and if that is gone new
/// ones are made.
///
/// It adds `Host`, the headers that frame a body, `Accept-Encoding` (see [`decompress`][decompress]) and, for its own
/// proxy, `Proxy-Authorization`. Nothing else.
///
/// [decompress]: HyperTransportBuilder::decompress
///
/// ```
/// use std::time::Duration;
/// use wandb_transport::{HyperTransport, ProxyConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = HyperTransport::builder()
///     .proxies(ProxyConfig::from_variables(std::env::vars())?)
///     .connect_timeout(Duration::from_secs(5))
///     .build()?;
/// # drop(transport);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Connector, Upload>,
    settings: Arc<Settings>,
}

/// What is needed after the build.
#[derive(Debug)]
struct Settings {
    connect_timeout: Duration,
    idle_timeout: Option<Duration>,
    http2: bool,
    decompress: bool,
    proxies: Arc<ProxyConfig>,
    accepts_invalid_certificates: bool,
}

impl HyperTransport {
    /// The settings, at their defaults.
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
    }

    /// Whether the certificates of servers are not checked, see
    /// [`danger_accept_invalid_certificates`](HyperTransportBuilder::danger_accept_invalid_certificates).
    pub fn accepts_invalid_certificates(&self) -> bool {
        self.settings.accepts_invalid_certificates
    }

    pub(super) fn new(builder: HyperTransportBuilder) -> Self {
        let tls = builder.tls();
        let accepts_invalid_certificates = tls.trust.blind;
        let proxies = Arc::new(builder.proxies);
        let connector = Connector::new(Arc::clone(&proxies), tls, builder.connect_timeout);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(builder.pool_idle_timeout)
            .pool_max_idle_per_host(builder.pool_max_idle_per_host)
            // Finds a dead connection that many streams share; over HTTP/1.1 the idle timeout is enough.
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(20))
            .build(connector);
        let settings = Settings {
            connect_timeout: builder.connect_timeout,
            idle_timeout: builder.idle_timeout,
            http2: builder.http2,
            decompress: builder.decompress,
            proxies,
            accepts_invalid_certificates,
        };
        Self {
            client,
            settings: Arc::new(settings),
        }
    }

    /// Sends what is ready to be sent, and waits as long as something moves.
    async fn exchange(
        &self,
        mut request: Request<Upload>,
        watch: &UploadWatch,
        peer: &str,
    ) -> Result<Response<Incoming>, TransportError> {
        let mut connection = capture_connection(&mut request);
        let mut call = pin!(self.client.request(request));

        // Until there is a connection the connect timeout counts, in the connector.
        let early = {
            let mut connected = pin!(connection.wait_for_connection_metadata());
            poll_fn(|cx| match call.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending => connected.as_mut().poll(cx).map(|_| None),
            })
            .await
        };
        watch.start();
        let result = match early {
            Some(result) => result,
            None => loop {
                let deadline = self
                    .settings
                    .idle_timeout
                    .and_then(|idle| Some((idle, watch.deadline(idle)?)));
                let Some((idle, deadline)) = deadline else {
                    break call.await;
                };
                if let Ok(result) = tokio::time::timeout_at(deadline, &mut call).await {
                    break result;
                }
                // The body may have moved since the deadline was set.
                if watch
                    .deadline(idle)
                    .is_some_and(|deadline| deadline <= Instant::now())
                {
                    return Err(failure::idle(peer, "while waiting for the answer of", idle));
                }
            },
        };
        result.map_err(|error| {
            watch
                .take_error()
                .unwrap_or_else(|| failure::of_request(error, peer))
        })
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (mut parts, body) = request.into_parts();
        check_uri(&parts.uri)?;
        let peer: Arc<str> = failure::peer(&parts.uri).into();

        let unpack = self.settings.decompress && wants_gzip(&parts.uri, &parts.headers);
        if unpack {
            parts
                .headers
                .insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // Plain requests are read by the proxy itself; for the others the tunnel has the credentials.
        if parts.uri.scheme() == Some(&Scheme::HTTP)
            && let Some(credentials) = self
                .settings
                .proxies
                .proxy_for(&parts.uri)
                .and_then(|proxy| proxy.authorization())
        {
            parts.headers.insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        // The version is settled with the server; a request built for another one would be refused.
        parts.version = Version::HTTP_11;
        let is_head = parts.method == Method::HEAD;

        let (upload, watch) = Upload::new(body);
        let answer = self
            .exchange(Request::from_parts(parts, upload), &watch, &peer)
            .await?;

        let (mut parts, body) = answer.into_parts();
        let packed = unpack && !is_head && !body.is_end_stream() && is_gzip(&parts.headers);
        let body = Download::new(body, self.settings.idle_timeout, peer, watch);
        let body = if packed {
            parts.headers.remove(CONTENT_ENCODING);
            parts.headers.remove(CONTENT_LENGTH);
            Body::wrap(Gunzip::new(body))
        } else {
            Body::wrap(body)
        };
        Ok(Response::from_parts(parts, body))
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport")
            .field("connect_timeout", &self.settings.connect_timeout)
            .field("idle_timeout", &self.settings.idle_timeout)
            .field("http2", &self.settings.http2)
            .field("decompress", &self.settings.decompress)
            .field("proxies", &self.settings.proxies)
            .field(
                "accepts_invalid_certificates",
                &self.settings.accepts_invalid_certificates,
            )
            .finish()
    }
}

/// Only what can be sent without leaving anything of it out.
fn check_uri(uri: &Uri) -> Result<(), TransportError> {
    let invalid = |message: &str| Err(TransportError::new(TransportErrorKind::InvalidRequest, message));
    let Some(authority) = uri.authority() else {
        return invalid("the URI has no host");
    };
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return invalid("the scheme of the URI is neither http nor https"),
    }
    // Hyper would drop it in silence.
    if authority.as_str().contains('@') {
        return invalid("the URI has credentials in it; they belong in a header");
    }
    Ok(())
}

/// Whether gzip is asked for on the caller's behalf.
fn wants_gzip(uri: &Uri, headers: &HeaderMap) -> bool {
    // A range of packed bytes cannot be unpacked.
    let own = headers.contains_key(ACCEPT_ENCODING) || headers.contains_key(RANGE);
    !own && !uri.host().is_some_and(is_loopback)
}

/// Whether an answer is in gzip and in nothing else.
fn is_gzip(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let only = codings.next().filter(|_| codings.next().is_none());
    only.is_some_and(|coding| {
        let coding = coding.as_bytes().trim_ascii();
        coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
    })
}
