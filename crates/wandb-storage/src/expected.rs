//! What a file should be.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The size and digest that a server promised for a file. What is `None` is not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// How many bytes.
    pub size: Option<u64>,
    /// The MD5 of the bytes.
    pub md5: Option<[u8; 16]>,
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
    #[error("the MD5 of the bytes is {actual} where {expected} was promised")]
    Md5 {
        /// What was promised, in Base64 as on the wire.
        expected: String,
        /// What the bytes have, in Base64.
        actual: String,
    },
}

impl Expected {
    /// Reads the wire's form of an MD5: Base64 of 16 bytes. `None` when it is not that.
    #[must_use]
    pub fn parse_md5(text: &str) -> Option<[u8; 16]> {
        STANDARD.decode(text.trim()).ok()?.try_into().ok()
    }

    /// Compares with what is there.
    ///
    /// # Errors
    /// The first difference, the size before the digest.
    pub fn check(&self, size: u64, md5: [u8; 16]) -> Result<(), Mismatch> {
        if let Some(expected) = self.size
            && expected != size
        {
            return Err(Mismatch::Size {
                expected,
                actual: size,
            });
        }
        if let Some(expected) = self.md5
            && expected != md5
        {
            return Err(Mismatch::Md5 {
                expected: STANDARD.encode(expected),
                actual: STANDARD.encode(md5),
            });
        }
        Ok(())
    }
}
