//! Records a session of the Weights & Biases data client, and plays it again without a server.
//!
//! [`RecordingTransport`] stands around a real transport and writes what passes into a folder that people can read and
//! keep; [`ReplayTransport`] answers from that folder, strictly. So a test of code that talks to W&B can run against
//! what the server once said.
//!
//! ```
//! use std::sync::Arc;
//! use wandb_record::{RecordingTransport, ReplayTransport};
//! use wandb_transport::{Body, ScriptedTransport, Transport};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scratch = tempfile::tempdir()?;
//! # let folder = scratch.path().join("session");
//! // In place of the script: the network.
//! let server = ScriptedTransport::ordered();
//! server.get("/ok").respond_status(204);
//! let recording = RecordingTransport::new(server, &folder)?;
//! let ask = || http::Request::get("https://wandb.example/ok").body(Body::empty());
//! assert_eq!(recording.send(ask()?).await?.status(), 204);
//! assert_eq!(recording.finish()?.exchanges, 1);
//!
//! let replay = ReplayTransport::open(&folder)?;
//! assert_eq!(replay.send(ask()?).await?.status(), 204);
//! let again = replay.send(ask()?).await.unwrap_err();
//! assert!(again.message().ends_with("nothing more is expected"));
//! assert!(replay.verify().is_err());
//! # Ok(()) }
//! ```
//!
//! # Secrets
//!
//! They are replaced by the rules by which the client masks them in logs ([`wandb_core::redact`]), and by a few more that
//! are listed at [`RecordingTransport`]. `REDACTED` stands for what the caller had, such as an API key in a variable; when
//! the session is replayed, any secret in that place is taken for it. `REDACTED-1`, `REDACTED-2` … stand for what came in
//! answers, such as the signature of a download URL: the replayed answer holds the placeholder, and the client asks for the
//! URL with the placeholder in it. Data that looks like a secret, such as a URL with a query in a run's config, is replaced,
//! too. Files are kept byte for byte; look into them before a recording is published.
//!
//! | module | what it holds |
//! |---|---|
//! | `record`, `tap` | the recording transport, and the bodies that pass it |
//! | `replay`, `read` | the replaying transport, and exchanges out of a folder |
//! | `request` | what makes two requests the same, and the words for in what they differ |
//! | `clean` | secrets out of texts |
//! | `format` | the files of a recording |

mod clean;
mod error;
mod format;
mod read;
mod record;
mod replay;
mod request;
mod tap;

#[cfg(test)]
mod tests;

pub use error::RecordError;
pub use record::{RecordingSummary, RecordingTransport};
pub use replay::ReplayTransport;
