//! Entries of an artifact that was downloaded: a folder and its manifest, without any network.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind as IoKind, Read},
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use wandb_core::{Error, ErrorKind, Result, path::safe_relative_path};
use wandb_storage::Hasher;

use super::{EntryInfo, EntryReader};
use crate::{EntryDigest, Manifest, ManifestEntry};

/// Bytes that are read and hashed at a time.
const BLOCK: usize = 256 << 10;

/// A folder with the files of an artifact. Every file is compared with the digest of the manifest when it is read; what
/// the manifest has no digest of (references by ETag) is refused. Reads block the calling thread.
#[derive(Debug, Clone)]
pub struct DirectoryReader {
    id: String,
    root: PathBuf,
    manifest: Arc<Manifest>,
    artifacts: BTreeMap<String, Arc<dyn EntryReader>>,
}

impl DirectoryReader {
    /// A reader over a folder. `id` tells the artifact from any other one.
    #[must_use]
    pub fn new(id: impl Into<String>, root: impl Into<PathBuf>, manifest: impl Into<Arc<Manifest>>) -> Self {
        Self {
            id: id.into(),
            root: root.into(),
            manifest: manifest.into(),
            artifacts: BTreeMap::new(),
        }
    }

    /// With another artifact, found under the references that begin with `prefix`, for example
    /// `wandb-artifact://0123/`.
    #[must_use]
    pub fn with_artifact(mut self, prefix: impl Into<String>, reader: Arc<dyn EntryReader>) -> Self {
        self.artifacts.insert(prefix.into(), reader);
        self
    }

    fn known(&self, path: &str) -> Result<&ManifestEntry> {
        self.manifest
            .get(path)
            .ok_or_else(|| Error::not_found(format_args!("entry {path:?}")))
    }

    /// Reads a file block by block, gives the blocks away, and compares the digest at the end.
    fn verify(&self, path: &str, mut block_read: impl FnMut(&[u8]) -> Result<()>) -> Result<PathBuf> {
        let entry = self.known(path)?;
        let EntryDigest::Content(expected) = entry.digest() else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("entry {path:?} has no digest of its bytes to compare with"),
            ));
        };
        let local = safe_relative_path(path)?.under(&self.root);
        let failed = |source: std::io::Error| {
            if source.kind() == IoKind::NotFound {
                Error::not_found(format_args!("file {local:?}"))
            } else {
                Error::io(format!("failed to read {local:?}"), source)
            }
        };
        let mut file = File::open(&local).map_err(failed)?;
        let mut hasher = Hasher::new(expected.algorithm());
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&block[..count]);
                    block_read(&block[..count])?;
                }
                Err(error) if error.kind() == IoKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if hasher.finish() == *expected {
            Ok(local)
        } else {
            Err(Error::new(
                ErrorKind::Integrity,
                format!("file {local:?} does not have the digest of the manifest"),
            ))
        }
    }
}

#[async_trait]
impl EntryReader for DirectoryReader {
    fn id(&self) -> &str {
        &self.id
    }

    async fn entry(&self, path: &str) -> Result<Option<EntryInfo>> {
        Ok(self.manifest.get(path).map(EntryInfo::from))
    }

    async fn names_with_prefix(&self, prefix: &str) -> Result<Vec<String>> {
        let entries = self.manifest.with_prefix(prefix).iter();
        Ok(entries.map(|entry| entry.path().to_owned()).collect())
    }

    async fn bytes(&self, path: &str, limit: u64) -> Result<Bytes> {
        // What is really there, so that nothing is reserved for a claim, and little is moved while it is read.
        let there = safe_relative_path(path)
            .ok()
            .and_then(|name| std::fs::metadata(name.under(&self.root)).ok())
            .map_or(0, |file| file.len().min(limit));
        let mut bytes = Vec::with_capacity(usize::try_from(there).unwrap_or(0));
        self.verify(path, |block| {
            if (bytes.len() + block.len()) as u64 > limit {
                return Err(Error::invalid_input(format!(
                    "entry {path:?} has more than {limit} bytes"
                )));
            }
            bytes.extend_from_slice(block);
            Ok(())
        })?;
        Ok(Bytes::from(bytes))
    }

    async fn path(&self, path: &str) -> Result<PathBuf> {
        self.verify(path, |_| Ok(()))
    }

    async fn artifact(&self, uri: &str) -> Result<Arc<dyn EntryReader>> {
        self.artifacts
            .iter()
            .find(|(prefix, _)| uri.starts_with(prefix.as_str()))
            .map(|(_, reader)| Arc::clone(reader))
            .ok_or_else(|| Error::not_found(format_args!("artifact of {uri:?}")))
    }
}

impl From<&ManifestEntry> for EntryInfo {
    fn from(entry: &ManifestEntry) -> Self {
        Self {
            path: entry.path().to_owned(),
            digest: Some(entry.digest().to_string()),
            size: entry.size(),
            reference: entry.address().map(str::to_owned),
        }
    }
}
