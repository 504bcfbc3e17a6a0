//! What a file should be.

use crate::{Algorithm, ContentDigest};

/// The size and digest that a server promised for a file. What is `None` is not checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// How many bytes.
    pub size: Option<u64>,
    /// The digest of the bytes.
    pub digest: Option<ContentDigest>,
}

/// In what the bytes differ from the promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// Another size.
    #[error("{actual} bytes arrived where {expected} were promised")]
    Size {
        /// What was promised, in bytes.
        expected: u64,
        /// What arrived, in bytes.
        actual: u64,
    },
    /// Another digest.
    #[error("the {} of the bytes is {actual} where {expected} was promised", expected.algorithm())]
    Digest {
        /// What was promised.
        expected: ContentDigest,
        /// What the bytes have.
        actual: ContentDigest,
    },
}

impl Expected {
    /// The algorithm to hash with: that of the digest, MD5 without one.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.digest
            .map_or_else(Algorithm::default, |digest| digest.algorithm())
    }

    /// Compares with what is there.
    ///
    /// # Errors
    /// The first difference, the size before the digest.
    pub fn check(&self, size: u64, digest: &ContentDigest) -> Result<(), Mismatch> {
        if let Some(expected) = self.size
            && expected != size
        {
            return Err(Mismatch::Size {
                expected,
                actual: size,
            });
        }
        if let Some(expected) = self.digest
            && expected != *digest
        {
            return Err(Mismatch::Digest {
                expected,
                actual: *digest,
            });
        }
        Ok(())
    }
}
