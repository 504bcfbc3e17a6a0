//! Where a version stands, and what its digests are made with.

use wandb_artifacts::Algorithm;
use wandb_core::{Error, ErrorKind, Result};
use wandb_schema::operations::artifacts as wire;

use crate::words::words;

words! {
    /// Where a version stands (protocol §5.1).
    ArtifactState {
        /// It is being logged, or that was given up.
        Pending = "PENDING",
        /// It is complete.
        Committed = "COMMITTED",
        /// It is to be deleted.
        PendingDeletion = "PENDING_DELETION",
        /// It was deleted.
        Deleted = "DELETED",
        /// It was deleted, and its files are gone.
        GarbageCollected = "GARBAGE_COLLECTED",
    }
}

words! {
    /// What the digests of a version are made with.
    ArtifactDigestAlgorithm {
        /// MD5, also of the manifest.
        Md5 = "MANIFEST_MD5",
        /// XXH3 of 128 bits, also of the manifest.
        Xxh128 = "MANIFEST_XXH128",
    }
}

impl ArtifactState {
    /// Whether the version was deleted, or is about to be.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        matches!(
            self,
            Self::PendingDeletion | Self::Deleted | Self::GarbageCollected
        )
    }
}

impl From<wire::ArtifactState> for ArtifactState {
    fn from(state: wire::ArtifactState) -> Self {
        match state {
            wire::ArtifactState::Pending => Self::Pending,
            wire::ArtifactState::Committed => Self::Committed,
            wire::ArtifactState::Deleted => Self::Deleted,
            wire::ArtifactState::Other(word) => Self::from(word),
        }
    }
}

impl From<wire::ArtifactDigestAlgorithm> for ArtifactDigestAlgorithm {
    fn from(algorithm: wire::ArtifactDigestAlgorithm) -> Self {
        match algorithm {
            wire::ArtifactDigestAlgorithm::ManifestMd5 => Self::Md5,
            wire::ArtifactDigestAlgorithm::ManifestXxh128 => Self::Xxh128,
            wire::ArtifactDigestAlgorithm::Other(word) => Self::from(word),
        }
    }
}

impl ArtifactDigestAlgorithm {
    pub(super) fn to_wire(&self) -> wire::ArtifactDigestAlgorithm {
        match self {
            Self::Md5 => wire::ArtifactDigestAlgorithm::ManifestMd5,
            Self::Xxh128 => wire::ArtifactDigestAlgorithm::ManifestXxh128,
            Self::Other(word) => wire::ArtifactDigestAlgorithm::Other(word.clone()),
        }
    }

    /// The algorithm, to compute with.
    pub(super) fn algorithm(&self) -> Result<Algorithm> {
        match self {
            Self::Md5 => Ok(Algorithm::Md5),
            Self::Xxh128 => Ok(Algorithm::Xxh128),
            Self::Other(word) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("digests by {word:?} are newer than this client"),
            )),
        }
    }
}
