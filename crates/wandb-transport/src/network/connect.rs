//! From a URI to a connection: TCP, the proxy if there is one, TLS, all within one time limit.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::failure::{ConnectFailure, peer};
use super::proxy::{Proxy, ProxyConfig};
use super::tls::Tls;
use super::tunnel;
use crate::TransportErrorKind;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Makes connections for the pool.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tcp: HttpConnector,
    proxies: Arc<ProxyConfig>,
    tls: Tls,
    /// For everything until the connection can be used: name resolution, TCP, the proxy's tunnel, TLS.
    limit: Duration,
}

/// A connection that reaches the server, or the proxy that forwards to it.
#[derive(Debug)]
pub(super) struct Link {
    /// The connection as far as the proxy or, without one, the server; TLS if the proxy wants it.
    io: MaybeHttpsStream<TokioIo<TcpStream>>,
    /// Whether requests go to a proxy that reads and forwards them, so that they need the absolute form of the URI.
    forwards: bool,
}

impl Connector {
    pub(super) fn new(proxies: Arc<ProxyConfig>, tls: Tls, limit: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Finds a peer that vanished while a long query runs; NAT boxes forget idle connections sooner than two hours.
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        Self {
            shared: Arc::new(Shared {
                tcp,
                proxies,
                tls,
                limit,
            }),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Link>;
    type Error = ConnectFailure;
    type Future = BoxFuture<Result<Self::Response, ConnectFailure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            match tokio::time::timeout(shared.limit, shared.connect(&uri)).await {
                Ok(result) => result,
                Err(elapsed) => {
                    let message = format!("no connection to {} within {:?}", peer(&uri), shared.limit);
                    let failure = ConnectFailure::new(TransportErrorKind::Connect, message);
                    Err(failure.with_cause(io::Error::new(io::ErrorKind::TimedOut, elapsed)))
                }
            }
        })
    }
}

impl Shared {
    async fn connect(&self, uri: &Uri) -> Result<MaybeHttpsStream<Link>, ConnectFailure> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let link = match self.proxies.proxy_for(uri) {
            Some(proxy) => self.connect_through(proxy, uri, secure).await?,
            None => Link {
                io: MaybeHttpsStream::Http(self.connect_tcp(uri, &peer(uri)).await?),
                forwards: false,
            },
        };
        if !secure {
            return Ok(MaybeHttpsStream::Http(link));
        }
        let config = self.tls.to_servers().await?;
        let mut tls = HttpsConnector::from((Handover(Some(link)), config));
        tls.call(uri.clone())
            .await
            .map_err(|error| ConnectFailure::handshake(&peer(uri), error))
    }

    async fn connect_tcp(&self, uri: &Uri, whom: &str) -> Result<TokioIo<TcpStream>, ConnectFailure> {
        // The connector is always ready: it has no limit of its own.
        self.tcp.clone().call(uri.clone()).await.map_err(|error| {
            ConnectFailure::new(TransportErrorKind::Connect, format!("no connection to {whom}"))
                .with_cause(error)
        })
    }

    async fn connect_through(&self, proxy: &Proxy, uri: &Uri, secure: bool) -> Result<Link, ConnectFailure> {
        let name = proxy.to_string();
        let tcp = self
            .connect_tcp(proxy.uri(), &format!("the proxy {name}"))
            .await?;
        let mut io = if proxy.uri().scheme() == Some(&Scheme::HTTPS) {
            let config = self.tls.to_proxies().await?;
            let mut tls = HttpsConnector::from((Handover(Some(tcp)), config));
            let connected = tls.call(proxy.uri().clone()).await;
            connected.map_err(|error| ConnectFailure::handshake(&format!("the proxy {name}"), error))?
        } else {
            MaybeHttpsStream::Http(tcp)
        };
        if secure {
            let target = format!(
                "{}:{}",
                uri.host().unwrap_or_default(),
                uri.port_u16().unwrap_or(443)
            );
            let mut tunnel = TokioIo::new(io);
            tunnel::open(&mut tunnel, &target, proxy.authorization(), &name).await?;
            io = tunnel.into_inner();
        }
        Ok(Link {
            io,
            forwards: !secure,
        })
    }
}

/// Gives a connection that exists already to [`HttpsConnector`], which asks for one.
struct Handover<T>(Option<T>);

impl<T: Send + 'static> Service<Uri> for Handover<T> {
    type Response = T;
    type Error = io::Error;
    type Future = std::future::Ready<Result<T, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.forwards)
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }
}
