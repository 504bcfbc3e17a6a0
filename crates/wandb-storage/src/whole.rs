//! A small file that is in memory as a whole: hashed once, checked before anything is written, written in one go.

use std::sync::Arc;

use wandb_core::path::RelativePath;

use crate::{
    Algorithm, Directory, Existing, Expected, FileFacts, Hasher, Mismatch, StorageError, part,
    pending::write_all_at, publish::VerifiedFile,
};

/// Bytes with their digest, which was computed from them.
#[derive(Debug)]
pub struct HashedBytes<B> {
    chunks: Vec<B>,
    facts: FileFacts,
}

impl<B: AsRef<[u8]>> HashedBytes<B> {
    /// Hashes bytes, which may come in pieces.
    #[must_use]
    pub fn new(algorithm: Algorithm, chunks: Vec<B>) -> Self {
        let mut hasher = Hasher::new(algorithm);
        let mut size = 0;
        for chunk in &chunks {
            hasher.update(chunk.as_ref());
            size += chunk.as_ref().len() as u64;
        }
        Self {
            chunks,
            facts: FileFacts {
                size,
                digest: hasher.finish(),
            },
        }
    }

    /// Size and digest.
    #[must_use]
    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }

    /// Compares with what was expected.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, expected: &Expected) -> Result<(), Mismatch> {
        expected.check(self.facts.size, &self.facts.digest)
    }
}

impl Directory {
    /// Writes bytes that were checked, as a part; it is published like any other
    /// ([`publish_many`](crate::publish_many)). For many small files: abandoned parts are not looked for, see
    /// [`sweep_parts`](Self::sweep_parts).
    ///
    /// # Errors
    /// [`StorageError::Mismatch`], [`StorageError::Exists`], [`StorageError::Io`].
    pub fn write_whole<B: AsRef<[u8]>>(
        &self,
        name: &RelativePath,
        existing: Existing,
        bytes: &HashedBytes<B>,
        expected: &Expected,
    ) -> Result<VerifiedFile, StorageError> {
        bytes.check(expected).map_err(|source| StorageError::Mismatch {
            path: self.path_of(name),
            source,
        })?;
        self.make_way(name, existing)?;
        let opened = part::create_unique(self, name)?;
        let file = Arc::new(opened.file);
        let verified = VerifiedFile {
            directory: self.clone(),
            name: name.clone(),
            part: Some(opened.name),
            journal: None,
            existing,
            is_link: false,
            placed: None,
            file: Some(Arc::clone(&file)),
            facts: bytes.facts,
        };
        let mut offset = 0;
        for chunk in &bytes.chunks {
            write_all_at(&file, chunk.as_ref(), offset)
                .map_err(StorageError::io("write", self.path_of(name)))?;
            offset += chunk.as_ref().len() as u64;
        }
        Ok(verified)
    }
}
