//! The content cache as a transfer sees it.

use wandb_core::path::RelativePath;
use wandb_storage::{ContentDigest, Directory, FileStat, Placement, Published, StorageError};

use super::cached::{CachedFile, ContentStore};
use crate::cache::{Cache, CacheError, ObjectKey};

impl ContentStore for Cache {
    fn find(&self, digest: &ContentDigest, size: Option<u64>) -> Option<CachedFile> {
        let key = ObjectKey::Content(*digest);
        match self.lookup(key, size) {
            Ok(object) => object.map(|object| CachedFile {
                directory: self.objects().clone(),
                name: key.path(),
                stat: *object.stat(),
                facts: *object.facts(),
            }),
            // What the cache cannot give is fetched.
            Err(error) => {
                tracing::debug!(%error, "an object could not be looked up in the cache");
                None
            }
        }
    }

    fn store(
        &self,
        directory: &Directory,
        name: &RelativePath,
        published: &Published,
        placement: Placement,
    ) -> Result<Option<FileStat>, StorageError> {
        // Without the facts of the moment of its verification nothing proves that the file is still the same.
        let Some(stat) = &published.stat else {
            return Ok(None);
        };
        let key = ObjectKey::Content(published.facts.digest);
        match Self::store(self, key, (directory, name), (stat, &published.facts), placement) {
            Ok(now) => Ok(now),
            Err(CacheError::Storage(error)) => Err(error),
            // The cache is without it; nothing else is wrong.
            Err(error) => {
                tracing::debug!(%error, "a file was not put into the cache");
                Ok(None)
            }
        }
    }

    fn records(&self) -> Result<Directory, StorageError> {
        Ok(Self::records(self).clone())
    }
}
