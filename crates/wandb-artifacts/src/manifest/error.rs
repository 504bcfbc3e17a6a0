//! What can be wrong with a manifest.

use std::{fmt, io};

use wandb_core::{Error, ErrorKind, value::ParseValueError};

/// Where in a manifest something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the manifest itself.
    Manifest,
    /// In its member `storagePolicyConfig`.
    StoragePolicyConfig,
    /// In the entry of this path, which is cut to a readable length.
    Entry(Box<str>),
}

impl Place {
    pub(super) fn entry(path: &str) -> Self {
        Self::Entry(path.chars().take(200).collect::<String>().into())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => formatter.write_str("the manifest"),
            Self::StoragePolicyConfig => formatter.write_str("storagePolicyConfig of the manifest"),
            Self::Entry(path) => write!(formatter, "entry {path:?} of the manifest"),
        }
    }
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes could not be read.
    #[error("failed to read the manifest")]
    Read {
        /// Why not.
        source: io::Error,
    },
    /// The text is not JSON, or is cut.
    #[error("the manifest is not valid JSON: {problem} at byte {offset}")]
    Structure {
        /// What is wrong.
        problem: &'static str,
        /// Where, in bytes from the start.
        offset: u64,
    },
    /// The text of one member is not JSON.
    #[error("{place} is not valid JSON")]
    Json {
        /// Which one.
        place: Place,
        /// What is wrong with it.
        source: ParseValueError,
    },
    /// The text of one member is not UTF-8.
    #[error("{place} is not UTF-8")]
    Encoding {
        /// Which one.
        place: Place,
    },
    /// More than [`Limits`](super::Limits) allows.
    #[error("the manifest has {what}, more than the limit of {limit}")]
    TooLarge {
        /// Of what, for example `too many entries`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A member that must be there is not.
    #[error("{place} has no {member:?}")]
    Missing {
        /// Of what.
        place: Place,
        /// Which member.
        member: &'static str,
    },
    /// A member that is there twice, so that readers could disagree on what it says.
    #[error("{place} has {member:?} more than once")]
    Repeated {
        /// Of what.
        place: Place,
        /// Which member.
        member: &'static str,
    },
    /// A member of another type.
    #[error("{member:?} of {place} is not {expected}")]
    Type {
        /// Of what.
        place: Place,
        /// Which member.
        member: &'static str,
        /// What it must be, for example `a text`.
        expected: &'static str,
    },
    /// A version that this client does not know.
    #[error("the manifest has version {found}, not 1")]
    Version {
        /// The version's JSON, cut to a readable length.
        found: Box<str>,
    },
    /// A storage policy that this client does not know.
    #[error("the manifest has the storage policy {found:?}, not \"wandb-storage-policy-v1\"")]
    StoragePolicy {
        /// Its name, cut to a readable length.
        found: Box<str>,
    },
    /// A storage layout that this client does not know.
    #[error("the manifest has the storage layout {found:?}, neither V1 nor V2")]
    StorageLayout {
        /// Its name, cut to a readable length.
        found: Box<str>,
    },
    /// An entry is hashed in a way that this client does not know, so that its bytes could not be verified.
    #[error("{place} has the digest algorithm {found:?}, neither MD5 nor XXH128")]
    Algorithm {
        /// Which entry.
        place: Place,
        /// The algorithm, cut to a readable length.
        found: Box<str>,
    },
    /// An entry that is no reference has no digest of bytes.
    #[error("{place} has a wrong digest")]
    Digest {
        /// Which entry.
        place: Place,
        /// What is wrong.
        source: wandb_storage::digest::DigestError,
    },
    /// A path is there twice.
    #[error("{place} is there more than once")]
    DuplicatePath {
        /// Which entry.
        place: Place,
    },
}

impl ManifestError {
    pub(super) fn cut(text: &str) -> Box<str> {
        text.chars().take(64).collect::<String>().into()
    }
}

impl From<ManifestError> for Error {
    fn from(error: ManifestError) -> Self {
        let (kind, hint) = match &error {
            ManifestError::Read { .. } => (ErrorKind::Io, None),
            ManifestError::Version { .. }
            | ManifestError::StoragePolicy { .. }
            | ManifestError::StorageLayout { .. }
            | ManifestError::Algorithm { .. } => (
                ErrorKind::Protocol,
                Some("the manifest was written by a newer client: look for a newer version of this one"),
            ),
            ManifestError::TooLarge { .. } => (
                ErrorKind::Protocol,
                Some("raise the limit if you trust where the manifest comes from"),
            ),
            _ => (ErrorKind::Protocol, None),
        };
        let converted = Self::new(kind, error.to_string());
        let converted = match hint {
            Some(hint) => converted.with_hint(hint),
            None => converted,
        };
        match error {
            ManifestError::Read { source } => converted.with_source(source),
            ManifestError::Json { source, .. } => converted.with_source(source),
            ManifestError::Digest { source, .. } => converted.with_source(source),
            _ => converted,
        }
    }
}
