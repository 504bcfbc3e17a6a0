//! Why a media object could not be read.

use wandb_core::{
    Error, ErrorKind,
    path::RefusedName,
    value::{FitError, ParseValueError},
};

use super::ArrayError;

/// A media object that could not be read. The entry is always named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The reader could not give an entry.
    #[error("failed to read {path:?}")]
    Read {
        /// The entry.
        path: String,
        /// Why not.
        source: Error,
    },
    /// The name fits several entries.
    #[error("{name:?} can be any of {}", candidates.join(", "))]
    Ambiguous {
        /// The name as it was asked for.
        name: String,
        /// Every entry that it fits, sorted.
        candidates: Vec<String>,
    },
    /// An object names an entry that is not there.
    #[error("{path:?} refers to {target:?}, which is not there")]
    Missing {
        /// The object.
        path: String,
        /// What it refers to.
        target: String,
    },
    /// The object is not JSON.
    #[error("{path:?} is not JSON")]
    Json {
        /// The entry.
        path: String,
        /// Where it goes wrong.
        source: ParseValueError,
    },
    /// The bytes are not UTF-8.
    #[error("{path:?} is not UTF-8 text")]
    NotText {
        /// The entry.
        path: String,
    },
    /// The JSON is not what the type of the object promises.
    #[error("{path:?}: {problem}")]
    Shape {
        /// The entry.
        path: String,
        /// What is wrong, with the place inside of the object.
        problem: String,
    },
    /// A name inside of the object leads out of the artifact.
    #[error("{path:?} names a file outside of its artifact")]
    UnsafePath {
        /// The entry.
        path: String,
        /// The name and what is wrong with it.
        source: RefusedName,
    },
    /// More bytes, tables or levels than [`ReadOptions`](super::ReadOptions) allows.
    #[error("{path:?} has more than {limit} {what}")]
    TooLarge {
        /// The entry.
        path: String,
        /// What there is too much of, in the plural.
        what: &'static str,
        /// The limit that was set.
        limit: u64,
    },
    /// Objects that refer to each other in a circle.
    #[error("objects refer to each other in a circle: {}", chain.join(" -> "))]
    Cycle {
        /// The entries from the first to its repetition.
        chain: Vec<String>,
    },
    /// The bytes of a media file are not the ones that the object describes.
    #[error("{path:?} has the sha256 {actual}, but {expected} was logged")]
    Sha256 {
        /// The file.
        path: String,
        /// In the object, hexadecimal.
        expected: String,
        /// Of the bytes, hexadecimal.
        actual: String,
    },
    /// The arrays of a column cannot be read.
    #[error("{path:?}: the arrays of column {column:?}")]
    Array {
        /// The table.
        path: String,
        /// The column.
        column: String,
        /// What is wrong.
        source: ArrayError,
    },
    /// A row does not fit the caller's type.
    #[error("{path:?}: row {row}")]
    Row {
        /// The table.
        path: String,
        /// The row, from 0.
        row: usize,
        /// What does not fit.
        source: FitError,
    },
}

impl MediaError {
    /// Something at a place inside of an object is wrong.
    pub(super) fn shape(path: &str, problem: impl Into<String>) -> Self {
        Self::Shape {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// Advice for the user, one sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Ambiguous { .. } => "give the whole name of the entry, with its .json",
            Self::TooLarge { .. } => "raise the limit in ReadOptions if you trust the artifact",
            Self::Array {
                source: ArrayError::Pickled,
                ..
            } => "read the table with ReadOptions::arrays(false) to get the other columns",
            Self::UnsafePath { source, .. } => return source.hints(),
            Self::Read { source, .. } => return source.hints().to_vec(),
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { source, .. } => source.kind(),
            Self::Ambiguous { .. } | Self::UnsafePath { .. } | Self::TooLarge { .. } | Self::Row { .. } => {
                ErrorKind::InvalidInput
            }
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Sha256 { .. } => ErrorKind::Integrity,
            Self::Array {
                source: ArrayError::Pickled | ArrayError::ElementType(_),
                ..
            } => ErrorKind::Unsupported,
            Self::Json { .. }
            | Self::NotText { .. }
            | Self::Shape { .. }
            | Self::Cycle { .. }
            | Self::Array { .. } => ErrorKind::Protocol,
        }
    }
}

impl From<MediaError> for Error {
    fn from(error: MediaError) -> Self {
        let converted = error
            .hints()
            .into_iter()
            .fold(Self::new(error.kind(), error.to_string()), Self::with_hint);
        // The text of this error is the converted one's message, so its own cause is the next link of the chain.
        match error {
            MediaError::Read { source, .. } => converted.with_source(source),
            MediaError::Json { source, .. } => converted.with_source(source),
            MediaError::UnsafePath { source, .. } => converted.with_source(source),
            MediaError::Array { source, .. } => converted.with_source(source),
            MediaError::Row { source, .. } => converted.with_source(source),
            _ => converted,
        }
    }
}
