//! The client without async: every handle of `wandb-models` with the same methods, which wait for their result.
//!
//! A blocking handle is a [`Blocking<T>`] around the asynchronous one, with the same name: [`Api`], [`Run`], [`Runs`] …
//! Its data is reached through [`Deref`](std::ops::Deref) (`run.name`, `run.summary()`), a stream is an [`Iterator`], and
//! plain data is the same type as there.
//!
//! ```
//! use std::sync::Arc;
//! use wandb_blocking::Api;
//! use wandb_transport::ScriptedTransport;
//!
//! # fn main() -> wandb_core::Result<()> {
//! let script = ScriptedTransport::ordered(); // in place of a server
//! script.graphql("GetViewer").respond_data(serde_json::json!({"viewer": null}));
//! # let scripted = script.clone();
//! let api = Api::builder(Arc::new(script)).base_url("https://wandb.example")?.build();
//! assert_eq!(api.viewer().unwrap_err().kind(), wandb_core::ErrorKind::Authentication);
//! # scripted.finish();
//! # Ok(()) }
//! ```
//!
//! Listings and scans are iterators:
//!
//! ```no_run
//! # fn main() -> wandb_core::Result<()> {
//! # let api: wandb_blocking::Api = unimplemented_api();
//! for run in api.runs("my-team/my-project").limit(10).stream() {
//!     let run = run?;
//!     for row in run.scan_history().any_keys(["loss"]).rows() {
//!         println!("{} {:?}", run.name, row?.get("loss"));
//!     }
//! }
//! # Ok(()) }
//! # fn unimplemented_api() -> wandb_blocking::Api { unreachable!("it is compiled, not run") }
//! ```
//!
//! # Threads and runtimes
//!
//! - A handle and everything that comes from it share one small runtime of their own, which starts with the first call.
//! - Every method may be called anywhere: on a plain thread, inside of a tokio runtime of either kind, on its blocking
//!   pool, in a callback. It blocks the calling thread for as long as it takes, so inside of an async task it also blocks
//!   what else runs on that thread: there the asynchronous client is the better choice.
//! - Handles are `Send`, `Sync` and cheap to clone. Dropping an iterator, or the last handle, ends what it had begun and
//!   never blocks or panics, wherever it happens.
//!
//! # Thin
//!
//! No method does more than call its namesake and wait: [`surface`] is a list of signatures, and a test compares it with
//! the public methods of `wandb-models`, and of the drafts and media of `wandb-artifacts`, so that it cannot fall behind
//! silently. [`Blocking::asynchronous`] gives the handle inside, [`Blocking::mirrored`] the blocking form of what came out of
//! one through `Deref`.
//!
//! Whatever waits fails with a [`wandb_core::Error`]; another error of the asynchronous method (`MediaError`) becomes one.

mod blocking;
mod mirror;
mod runtime;
pub mod surface;

#[cfg(test)]
mod tests;

pub use blocking::{Blocking, Items};
pub use mirror::Mirror;
pub use surface::*;
