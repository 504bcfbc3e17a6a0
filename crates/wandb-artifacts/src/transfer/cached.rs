//! The seam to a cache of content.

use std::fmt;

use wandb_core::path::RelativePath;
use wandb_storage::{ContentDigest, Directory, FileFacts, FileStat, Placement, Published, StorageError};

use super::DownloadOptions;
use crate::manifest::ManifestEntry;

/// A store of files by their content, such as [`Cache`](crate::cache::Cache).
pub trait ContentStore: Send + Sync + fmt::Debug {
    /// The file with this content, if the store has it and can prove that it was verified and is unchanged.
    fn find(&self, digest: &ContentDigest, size: Option<u64>) -> Option<CachedFile>;

    /// Takes in a file that was verified and published. Gives its facts anew where taking it in changed them, as a hard link
    /// does.
    ///
    /// # Errors
    /// When the disk refuses. The download goes on.
    fn store(
        &self,
        directory: &Directory,
        name: &RelativePath,
        published: &Published,
        placement: Placement,
    ) -> Result<Option<FileStat>, StorageError>;

    /// Where the records of verified folders are kept.
    ///
    /// # Errors
    /// When the disk refuses.
    fn records(&self) -> Result<Directory, StorageError>;
}

/// A file in a store.
#[derive(Debug, Clone)]
pub struct CachedFile {
    /// The directory of the store.
    pub directory: Directory,
    /// Its name there.
    pub name: RelativePath,
    /// Its proof: the facts of the moment at which it was verified.
    pub stat: FileStat,
    /// Size and digest.
    pub facts: FileFacts,
}

/// The cached file of an entry, if it may be used.
pub(crate) fn find(options: &DownloadOptions, entry: &ManifestEntry) -> Option<CachedFile> {
    let cache = options.cache.as_ref().filter(|_| !options.skip_cache)?;
    // References to another artifact record no size.
    let size = entry.size().filter(|&size| size > 0 || !entry.is_reference());
    cache.find(&entry.content_digest()?, size)
}
