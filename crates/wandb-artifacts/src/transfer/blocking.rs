//! Work on the disk, away from the async threads.

use wandb_core::{Error, ErrorKind, Result};

pub(crate) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the transfer was cancelled")
}

/// Runs work on the runtime's blocking pool. Work that was begun ends even if this future is dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(cancelled().with_source(error)),
    }
}
