//! A manifest in memory.

use std::io::{self, Read, Write};

use crate::{
    digest::{Algorithm, ArtifactDigest, EntryDigest},
    filenames::PathReport,
    layout::StorageLayout,
};

use super::{Limits, ManifestEntry, ManifestError, read, write};

/// The entries of an artifact version, sorted by the bytes of their paths, each path once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub(super) layout: StorageLayout,
    pub(super) region: Option<Box<str>>,
    pub(super) entries: Vec<ManifestEntry>,
    /// Unknown members of the storage policy's configuration, each with its JSON text.
    pub(super) unknown_config: Vec<(Box<str>, Box<str>)>,
    /// Unknown members of the manifest, each with its JSON text.
    pub(super) unknown: Vec<(Box<str>, Box<str>)>,
}

/// A path that is there twice where each may be there once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} is there more than once")]
pub struct DuplicatePath {
    /// The path.
    pub path: Box<str>,
}

impl Manifest {
    /// A manifest without entries, as new versions have it: layout V2, the default region.
    #[must_use]
    pub fn new() -> Self {
        Self::with_layout(StorageLayout::V2, None)
    }

    /// A manifest without entries.
    #[must_use]
    pub fn with_layout(layout: StorageLayout, region: Option<&str>) -> Self {
        Self {
            layout,
            region: region.map(Into::into),
            entries: Vec::new(),
            unknown_config: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Replaces the entries, which may come in any order.
    ///
    /// # Errors
    /// When a path is there twice.
    pub fn with_entries(mut self, mut entries: Vec<ManifestEntry>) -> Result<Self, DuplicatePath> {
        if !entries.is_sorted_by(|left, right| left.path() <= right.path()) {
            entries.sort_unstable_by(|left, right| left.path().cmp(right.path()));
        }
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].path() == pair[1].path()) {
            return Err(DuplicatePath {
                path: pair[0].path().into(),
            });
        }
        self.entries = entries;
        Ok(self)
    }

    /// Reads the JSON of a manifest as it streams by, through a buffer of its own.
    ///
    /// `local_path` and `skip_cache` of entries, which tell of the machine that wrote them, are passed over as the
    /// official client does; other unknown members are kept.
    ///
    /// # Errors
    /// [`ManifestError`]: not JSON, not version 1, an unknown storage policy or layout, an entry without a digest, a path
    /// twice, more than the limits allow, or the reader's failure.
    pub fn read(reader: impl Read, limits: &Limits) -> Result<Self, ManifestError> {
        read::manifest(reader, limits)
    }

    /// Reads the JSON of a manifest in memory, with the default limits.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_json(text: &[u8]) -> Result<Self, ManifestError> {
        Self::read(text, &Limits::default())
    }

    /// Writes the manifest as JSON of version 1, in larger pieces.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, writer: impl Write) -> io::Result<()> {
        write::manifest(self, writer)
    }

    /// The manifest as JSON of version 1.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(&mut text).expect("writing to memory does not fail");
        text
    }

    /// How the server keeps the files.
    #[must_use]
    pub fn layout(&self) -> StorageLayout {
        self.layout
    }

    /// Where the server keeps the files, if not in its default region.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The number of entries, references included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in the order of the bytes of their paths.
    #[must_use]
    pub fn entries(&self) -> &[ManifestEntry] {
        &self.entries
    }

    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, ManifestEntry> {
        self.entries.iter()
    }

    /// The entry of a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&ManifestEntry> {
        self.place(path).ok().map(|place| &self.entries[place])
    }

    /// The entries whose paths begin with a text, which may end within a segment (official: `path_prefix`).
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> &[ManifestEntry] {
        let start = self.entries.partition_point(|entry| entry.path() < prefix);
        let rest = &self.entries[start..];
        let end = rest.partition_point(|entry| entry.path().starts_with(prefix));
        &rest[..end]
    }

    /// Everything that keeps the paths that begin with a text from becoming files, here or on other systems.
    #[must_use]
    pub fn path_report(&self, prefix: &str) -> PathReport<'_> {
        PathReport::of(self.with_prefix(prefix).iter().map(ManifestEntry::path))
    }

    /// Adds an entry and gives the one that it replaces. Moves the entries behind it: to add many, collect them and call
    /// [`with_entries`](Self::with_entries).
    pub fn insert(&mut self, entry: ManifestEntry) -> Option<ManifestEntry> {
        match self.place(entry.path()) {
            Ok(place) => Some(std::mem::replace(&mut self.entries[place], entry)),
            Err(place) => {
                self.entries.insert(place, entry);
                None
            }
        }
    }

    /// Removes an entry and gives it.
    pub fn remove(&mut self, path: &str) -> Option<ManifestEntry> {
        let place = self.place(path).ok()?;
        Some(self.entries.remove(place))
    }

    /// Takes the entries out.
    #[must_use]
    pub fn into_entries(self) -> Vec<ManifestEntry> {
        self.entries
    }

    /// The sum of the recorded sizes, in bytes, as the service counts an artifact's size.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self.entries.iter().filter_map(ManifestEntry::size);
        sizes.fold(0, u64::saturating_add)
    }

    /// The algorithm of its files, of which a version has one: XXH128 if any file has it, else MD5.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        let xxh128 = self.entries.iter().any(|entry| {
            !entry.is_reference()
                && entry
                    .content_digest()
                    .is_some_and(|digest| digest.algorithm() == Algorithm::Xxh128)
        });
        if xxh128 { Algorithm::Xxh128 } else { Algorithm::Md5 }
    }

    /// The digest of the artifact, by the algorithm of its files.
    #[must_use]
    pub fn digest(&self) -> ArtifactDigest {
        self.digest_by(self.algorithm())
    }

    /// The digest of the artifact by a given algorithm: the one that the API tells as `digestAlgorithm`. It matters only for
    /// a manifest without files.
    #[must_use]
    pub fn digest_by(&self, algorithm: Algorithm) -> ArtifactDigest {
        let lines = self
            .entries
            .iter()
            .map(|entry| -> (&str, &EntryDigest) { (entry.path(), entry.digest()) });
        ArtifactDigest::of_sorted(algorithm, lines)
    }

    fn place(&self, path: &str) -> Result<usize, usize> {
        match self.entries.last() {
            // Entries mostly come in order.
            Some(last) if last.path() < path => Err(self.entries.len()),
            _ => self.entries.binary_search_by(|entry| entry.path().cmp(path)),
        }
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> IntoIterator for &'a Manifest {
    type Item = &'a ManifestEntry;
    type IntoIter = std::slice::Iter<'a, ManifestEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
