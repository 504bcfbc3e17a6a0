//! The pluggable HTTP seam of the Weights & Biases data client.
//!
//! Everything that the client says on the network, GraphQL calls, file bodies, signed storage URLs, goes through one
//! method of one trait, [`Transport::send`]. Above the seam is policy, below it are bytes:
//!
//! ```text
//!   wandb-models, wandb-storage        what to ask for, where to put it
//!   wandb-core                         retries, deadlines, limits, credentials, redirects, GraphQL
//!  ─────────────────────────────────── http::Request<Body> ──▼── ▲ ── http::Response<Body> ───────────
//!   trait Transport                    one call is one request; streams both ways; dropping cancels
//!     ├─ HyperTransport                the network: hyper, TLS, pool, proxies, gzip     (feature `hyper`)
//!     ├─ ScriptedTransport             tests without a network                          (feature `scripted`)
//!     ├─ the embedded server           the same router with no socket                   (crate `wandb-local`)
//!     └─ yours
//! ```
//!
//! The base of the crate, without features, has the trait, [`Body`] and [`TransportError`], and pulls in no HTTP
//! implementation, no TLS and no runtime. The types in signatures are those of the `http`, `bytes` and `http-body` crates.
//!
//! # A transport of one's own
//!
//! To count, to log, to add a header that a gateway wants, to answer from somewhere else: implement the trait, usually
//! around another transport. The contract is in the documentation of [`Transport`].
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use wandb_transport::{Body, Transport, TransportError};
//!
//! /// Counts the requests that pass and tells a gateway who they are for.
//! #[derive(Debug)]
//! struct Counting<T> {
//!     inner: T,
//!     requests: AtomicU64,
//! }
//!
//! #[async_trait::async_trait]
//! impl<T: Transport> Transport for Counting<T> {
//!     async fn send(&self, mut request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
//!         self.requests.fetch_add(1, Ordering::Relaxed);
//!         request.headers_mut().insert("x-tenant", http::HeaderValue::from_static("research"));
//!         self.inner.send(request).await
//!     }
//! }
//!
//! # #[derive(Debug)] struct Fixed;
//! # #[async_trait::async_trait]
//! # impl Transport for Fixed {
//! #     async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
//! #         assert_eq!(request.headers()["x-tenant"], "research");
//! #         Ok(http::Response::new(Body::from("hello")))
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let inner = Fixed;
//! let counting = Counting { inner, requests: AtomicU64::new(0) };
//! let answer = counting.send(http::Request::get("https://api.wandb.ai/").body(Body::empty())?).await?;
//! assert_eq!(answer.into_body().collect(1000).await?, "hello");
//! assert_eq!(counting.requests.load(Ordering::Relaxed), 1);
//! # Ok(()) }
//! ```
//!
//! # Errors and repeats
//!
//! A status is never an error. An error is of a [`TransportErrorKind`], and the kinds are cut along the question whether
//! the server can have seen the request:
//!
//! | kind | seen by the server | a repeat |
//! |---|---|---|
//! | `Connect`, `Tls` | no | safe for every request; `Tls` fails again until the trust settings change |
//! | `Timeout`, `Interrupted`, `Decode`, `Other` | perhaps | safe for idempotent requests |
//! | `InvalidRequest` | perhaps in part | fails again |
//! | `BodyTooLarge` | yes | answers the same |
//!
//! Neither messages nor `Debug` contain query strings, headers or credentials.

mod body;
mod error;
#[cfg(feature = "hyper")]
mod network;
#[cfg(feature = "scripted")]
mod scripted;
mod transport;

pub use body::Body;
pub use error::{TransportError, TransportErrorKind};
#[cfg(feature = "hyper")]
pub use network::{ConfigError, HyperTransport, HyperTransportBuilder, Proxy, ProxyConfig, Roots};
#[cfg(feature = "scripted")]
pub use scripted::{Expectation, RecordedRequest, ScriptedResponse, ScriptedTransport};
pub use transport::Transport;
