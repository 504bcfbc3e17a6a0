//! What can be wrong with a recording.

use std::{io, path::PathBuf};

use wandb_core::{Error, ErrorKind};
use wandb_storage::StorageError;

/// A recording that cannot be made, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A file of the recording could not be written.
    #[error(transparent)]
    Write(#[from] StorageError),
    /// The recording cannot be finished: a file of it could not be written, as was said before.
    #[error("the recording in {path:?} cannot be finished: {reason}")]
    Unfinished {
        /// The folder.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
    /// A file of the recording could not be read.
    #[error("failed to read {path:?}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder is not a recording.
    #[error("{path:?} is not a recording: it has no {manifest:?} of one")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The file that every recording has.
        manifest: &'static str,
    },
    /// The recording is of a newer format than this one.
    #[error("{path:?} is a recording of format {found}, and this version reads format {known}")]
    Version {
        /// The folder.
        path: PathBuf,
        /// The format that the folder names.
        found: u64,
        /// The newest format that can be read.
        known: u64,
    },
    /// A file of the recording is not what it should be.
    #[error("{path:?} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl RecordError {
    pub(crate) fn damaged(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        let message = error.to_string();
        match error {
            RecordError::Write(error) => error.into(),
            RecordError::Unfinished { .. } => Self::new(ErrorKind::Io, message),
            RecordError::Read { source, .. } => Self::new(ErrorKind::Io, message).with_source(source),
            RecordError::Foreign { .. } | RecordError::Version { .. } | RecordError::Damaged { .. } => {
                Self::invalid_input(message).with_hint("record the session again")
            }
        }
    }
}
