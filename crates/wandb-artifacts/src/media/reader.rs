//! Where media comes from: the trait over an artifact's entries (or a run's files), and one in memory.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use wandb_core::{Error, ErrorKind, Result};

/// What is known of an entry without its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryInfo {
    /// The entry's path in its artifact, with `/` between segments.
    pub path: String,
    /// The digest of the manifest, as it stands there.
    pub digest: Option<String>,
    /// Bytes, where the manifest says so.
    pub size: Option<u64>,
    /// Where the bytes are, when they are not stored with the artifact (`ref` of the manifest).
    pub reference: Option<String>,
}

impl EntryInfo {
    /// An entry of which only the path is known.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }

    /// With the digest of the manifest.
    #[must_use]
    pub fn digest(mut self, digest: impl Into<String>) -> Self {
        self.digest = Some(digest.into());
        self
    }

    /// With its size in bytes.
    #[must_use]
    pub fn size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// With the address of its bytes.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }
}

/// The entries of one artifact, or the files of one run.
///
/// An implementation gives only bytes that match the digest of the manifest. Only what is asked for is fetched: reading a
/// table fetches its JSON (and its arrays), not the media files in its cells.
#[async_trait]
pub trait EntryReader: fmt::Debug + Send + Sync {
    /// What tells this artifact from any other one, for example its ID; circles of references are found by it.
    fn id(&self) -> &str;

    /// An entry by its exact path.
    ///
    /// # Errors
    /// When the manifest cannot be read. An entry that does not exist is `None`.
    async fn entry(&self, path: &str) -> Result<Option<EntryInfo>>;

    /// The paths of all entries that begin with a text, in any order.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    async fn names_with_prefix(&self, prefix: &str) -> Result<Vec<String>>;

    /// The verified bytes of an entry. References to other places than artifacts are followed.
    ///
    /// # Errors
    /// When there is no such entry, when it has more than `limit` bytes
    /// ([`InvalidInput`](wandb_core::ErrorKind::InvalidInput)), when the bytes cannot be had or are wrong.
    async fn bytes(&self, path: &str, limit: u64) -> Result<Bytes>;

    /// A verified file with the bytes of an entry, which stays while the reader lives. It must not be changed.
    ///
    /// # Errors
    /// When there is no such entry, when the bytes cannot be had or are wrong, when the disk fails.
    async fn path(&self, path: &str) -> Result<PathBuf>;

    /// As [`path`](Self::path) for several entries, in their order: a reader that fetches fetches them together. Unless it is
    /// written, one after the other.
    ///
    /// # Errors
    /// As [`path`](Self::path), for the first that fails.
    async fn paths(&self, paths: &[String]) -> Result<Vec<PathBuf>> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            files.push(self.path(path).await?);
        }
        Ok(files)
    }

    /// The artifact of a reference `wandb-artifact://…/entry` or `wandb-client-artifact://…/entry`.
    ///
    /// # Errors
    /// When there is no such artifact, or this reader cannot reach others.
    async fn artifact(&self, uri: &str) -> Result<Arc<dyn EntryReader>>;
}

/// Entries in memory: for tests, and for JSON that is already at hand.
#[derive(Debug, Clone, Default)]
pub struct MemoryReader {
    id: String,
    entries: BTreeMap<String, (EntryInfo, Bytes)>,
    artifacts: BTreeMap<String, Arc<dyn EntryReader>>,
}

impl MemoryReader {
    /// A reader without entries.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }

    /// With an entry.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let (path, bytes) = (path.into(), bytes.into());
        let info = EntryInfo::new(path.clone()).size(bytes.len() as u64);
        self.entries.insert(path, (info, bytes));
        self
    }

    /// With an entry whose bytes are elsewhere; `bytes` is what is there, empty for references to artifacts.
    #[must_use]
    pub fn with_reference(
        mut self,
        path: impl Into<String>,
        reference: impl Into<String>,
        bytes: impl Into<Bytes>,
    ) -> Self {
        let path = path.into();
        let info = EntryInfo::new(path.clone()).reference(reference);
        self.entries.insert(path, (info, bytes.into()));
        self
    }

    /// With another artifact, found under the references that begin with `prefix`, for example
    /// `wandb-artifact://0123/`.
    #[must_use]
    pub fn with_artifact(mut self, prefix: impl Into<String>, reader: Arc<dyn EntryReader>) -> Self {
        self.artifacts.insert(prefix.into(), reader);
        self
    }
}

#[async_trait]
impl EntryReader for MemoryReader {
    fn id(&self) -> &str {
        &self.id
    }

    async fn entry(&self, path: &str) -> Result<Option<EntryInfo>> {
        Ok(self.entries.get(path).map(|(info, _)| info.clone()))
    }

    async fn names_with_prefix(&self, prefix: &str) -> Result<Vec<String>> {
        Ok(self
            .entries
            .range(prefix.to_owned()..)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(prefix))
            .cloned()
            .collect())
    }

    async fn bytes(&self, path: &str, limit: u64) -> Result<Bytes> {
        let (_, bytes) = self
            .entries
            .get(path)
            .ok_or_else(|| Error::not_found(format_args!("entry {path:?}")))?;
        if bytes.len() as u64 > limit {
            return Err(Error::invalid_input(format!(
                "entry {path:?} has more than {limit} bytes"
            )));
        }
        Ok(bytes.clone())
    }

    async fn path(&self, path: &str) -> Result<PathBuf> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("entry {path:?} is in memory, not on the disk"),
        ))
    }

    async fn artifact(&self, uri: &str) -> Result<Arc<dyn EntryReader>> {
        self.artifacts
            .iter()
            .find(|(prefix, _)| uri.starts_with(prefix.as_str()))
            .map(|(_, reader)| Arc::clone(reader))
            .ok_or_else(|| Error::not_found(format_args!("artifact of {uri:?}")))
    }
}
