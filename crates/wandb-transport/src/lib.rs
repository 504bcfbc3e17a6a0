//! The pluggable HTTP seam of the Weights & Biases data client.

mod body;
mod error;
mod transport;

pub use body::Body;
pub use error::{TransportError, TransportErrorKind};
pub use transport::Transport;
