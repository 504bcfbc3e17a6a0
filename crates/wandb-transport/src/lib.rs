//! The pluggable HTTP seam of the Weights & Biases data client.

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
