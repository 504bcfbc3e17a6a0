//! What can go wrong with the cache.

use std::{io, path::PathBuf};

use wandb_core::{Error, ErrorKind};
use wandb_storage::StorageError;

/// A failed operation on the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The index or a lock could not be read or written.
    #[error("failed to {action} {path:?}")]
    Record {
        /// What was done, for example `lock`.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Some process is downloading through the cache, so nothing may be removed.
    #[error("the cache {path:?} is in use")]
    InUse {
        /// Its folder.
        path: PathBuf,
    },
    /// Bytes that are not those of the key.
    #[error("the bytes are not those of the object {key}")]
    WrongObject {
        /// The object that they were to become.
        key: String,
    },
}

impl CacheError {
    pub(super) fn record(action: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Record { action, path, source }
    }
}

impl From<CacheError> for Error {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::Storage(error) => error.into(),
            CacheError::Record { .. } => {
                let text = error.to_string();
                let CacheError::Record { source, .. } = error else {
                    return Self::new(ErrorKind::Io, text);
                };
                Self::io(text, source)
            }
            CacheError::InUse { .. } => Self::new(ErrorKind::Conflict, error.to_string())
                .with_hint("wait until the downloads that use it have ended"),
            CacheError::WrongObject { .. } => Self::new(ErrorKind::Integrity, error.to_string()),
        }
    }
}
