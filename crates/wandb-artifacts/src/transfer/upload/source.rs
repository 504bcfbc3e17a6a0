//! Where the bytes of a new file come from.

use std::path::PathBuf;

use bytes::Bytes;

use crate::digest::ContentDigest;

/// Bytes on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalSource {
    /// A file. It must not change until it is uploaded; if it does, the upload fails.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

/// A file that is to be uploaded: its bytes were hashed when it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Its path in the artifact.
    pub path: String,
    /// Its bytes.
    pub source: LocalSource,
    /// Their number.
    pub size: u64,
    /// Their digest.
    pub digest: ContentDigest,
}
