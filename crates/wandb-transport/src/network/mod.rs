//! The real transport: hyper over TCP and TLS, directly or through a proxy.
//!
//! ```text
//!            transport.rs          send: checks, headers, waiting for the head
//!             |        |
//!   upload.rs |        | download.rs, gzip.rs      bodies: progress, idle timeout, decompression
//!             v        v
//!        hyper_util::client (pool, HTTP/1.1, HTTP/2)
//!                  |
//!            connect.rs            TCP, proxy, TLS, within one connect timeout
//!             |    |    |
//!   tunnel.rs |    |    | tls.rs
//!                  v
//!     proxy.rs, no_proxy.rs        pure: which proxy for which URI
//! ```
//!
//! `failure.rs` turns the errors of hyper and its friends into ours.

mod builder;
mod config_error;
mod connect;
mod download;
mod failure;
mod gzip;
mod no_proxy;
mod proxy;
mod tls;
mod transport;
mod tunnel;
mod upload;

pub use builder::HyperTransportBuilder;
pub use config_error::ConfigError;
pub use proxy::{Proxy, ProxyConfig};
pub use tls::Roots;
pub use transport::HyperTransport;
