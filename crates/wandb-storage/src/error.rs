//! What can go wrong on the disk.

use std::{io, path::PathBuf};

use wandb_core::{Error, ErrorKind};

use crate::Mismatch;

/// A failed operation on a local file. The path is always named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused.
    #[error("failed to {action} {path:?}")]
    Io {
        /// What was done, for example `create`.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A symbolic link on the way to the target leads out of the directory. Nothing goes through it.
    #[error("{link:?} is a symbolic link that leads out of the directory")]
    Link {
        /// The folder that is a link.
        link: PathBuf,
    },
    /// The target is there and may not be replaced.
    #[error("{path:?} exists already")]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The bytes are not the ones that were promised. Nothing was published.
    #[error("the bytes for {path:?} are wrong")]
    Mismatch {
        /// The target.
        path: PathBuf,
        /// In what they differ.
        source: Mismatch,
    },
}

impl StorageError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// The same error for another file that it befell, too.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io { action, path, source } => Self::Io {
                action,
                path: path.clone(),
                source: match source.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => source.kind().into(),
                },
            },
            Self::Link { link } => Self::Link { link: link.clone() },
            Self::Exists { path } => Self::Exists { path: path.clone() },
            Self::Mismatch { path, source } => Self::Mismatch {
                path: path.clone(),
                source: source.clone(),
            },
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        let (kind, hint) = match &error {
            StorageError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                (ErrorKind::Io, Some("the disk is full"))
            }
            StorageError::Io { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => (
                ErrorKind::Io,
                Some("the file system is read-only: choose another directory"),
            ),
            StorageError::Io { .. } => (ErrorKind::Io, None),
            StorageError::Link { .. } => (
                ErrorKind::Conflict,
                Some(
                    "nothing is written or read through such a link: remove it, or choose another directory",
                ),
            ),
            StorageError::Exists { .. } => (ErrorKind::Conflict, None),
            StorageError::Mismatch { .. } => (
                ErrorKind::Integrity,
                Some("nothing was kept; try again, and if it stays, the stored object is damaged"),
            ),
        };
        let converted = Self::new(kind, error.to_string());
        let converted = match hint {
            Some(hint) => converted.with_hint(hint),
            None => converted,
        };
        // The text of this error is the converted one's message, so its own cause is the next link of the chain.
        match error {
            StorageError::Io { source, .. } => converted.with_source(source),
            StorageError::Mismatch { source, .. } => converted.with_source(source),
            StorageError::Link { .. } | StorageError::Exists { .. } => converted,
        }
    }
}
