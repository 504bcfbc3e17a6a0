//! A pending file as a [`Write`].

use std::io::{self, Write};

use wandb_core::Error;
use wandb_storage::{PendingFile, StorageError};

/// Hands bytes to a [`PendingFile`] and keeps the error that it gives: the libraries in between only pass on texts.
#[derive(Debug)]
pub(crate) struct Sink {
    pending: PendingFile,
    failure: Option<StorageError>,
}

impl Sink {
    pub(crate) fn new(pending: PendingFile) -> Self {
        Self {
            pending,
            failure: None,
        }
    }

    pub(crate) fn into_pending(self) -> PendingFile {
        self.pending
    }

    /// The disk's own error, if it was the disk, else the other one.
    pub(crate) fn explain(&mut self, other: Error) -> Error {
        self.failure.take().map_or(other, Error::from)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Err(io::Error::other("an earlier write failed"));
        }
        match self.pending.append(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failure = Some(error);
                Err(io::Error::other("the disk failed"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
