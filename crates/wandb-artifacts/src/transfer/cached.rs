//! The cache as far as a download needs it.

use wandb_core::{Result, path::safe_relative_path};
use wandb_storage::{Directory, FileStat, Published};

use super::DownloadOptions;
use crate::{
    cache::{Cache, CachedObject, ObjectKey, RecordKind, Wanted},
    manifest::ManifestEntry,
    reference::Scheme,
};

/// Where the records of verified folders are kept.
pub(crate) fn records(options: &DownloadOptions) -> Result<Option<Directory>> {
    if options.records.is_some() {
        return Ok(options.records.clone());
    }
    match &options.cache {
        None => Ok(None),
        Some(cache) => {
            Ok(Some(cache.records().subdirectory(&safe_relative_path(
                RecordKind::VerifiedFolder.folder(),
            )?)?))
        }
    }
}

/// The same, if they are there: nothing is made.
pub(crate) fn existing_records(options: &DownloadOptions) -> Option<Directory> {
    if options.records.is_some() {
        return options.records.clone();
    }
    let cache = options.cache.as_ref()?;
    Directory::existing(cache.records().path().join(RecordKind::VerifiedFolder.folder())).ok()
}

/// The cache, if it may be used.
pub(crate) fn usable(options: &DownloadOptions) -> Option<&Cache> {
    options.cache.as_deref().filter(|_| !options.skip_cache)
}

/// What the bytes of an entry are called in the cache. `None` where nothing proves that two downloads give the same bytes.
fn key_of(entry: &ManifestEntry) -> Option<ObjectKey> {
    match entry.address() {
        // Its digest is that of the address.
        Some(_) if entry.is_unchecked_reference() => None,
        Some(address) if Scheme::of(address) == Scheme::Http => {
            Some(ObjectKey::etag(address, &entry.digest().to_string()))
        }
        _ => entry.content_digest().map(ObjectKey::Content),
    }
}

/// The objects of entries, in order. A cache that cannot be read has none.
pub(crate) fn look_up<'a>(
    cache: &Cache,
    entries: impl Iterator<Item = &'a ManifestEntry>,
) -> Vec<Option<CachedObject>> {
    let keys: Vec<Option<Wanted>> = entries
        .map(|entry| {
            Some(Wanted {
                key: key_of(entry)?,
                // References to another artifact record no size.
                size: entry.size().filter(|&size| size > 0 || !entry.is_reference()),
            })
        })
        .collect();
    let wanted: Vec<Wanted> = keys.iter().flatten().copied().collect();
    let found = cache.lookup_many(&wanted).unwrap_or_else(|error| {
        tracing::debug!(%error, "the cache could not be used");
        vec![None; wanted.len()]
    });
    let mut found = found.into_iter();
    keys.iter()
        .map(|key| key.and_then(|_| found.next().flatten()))
        .collect()
}

/// Puts a file that was published into the cache. Gives its facts anew where that changed them, as a hard link does. A cache
/// that is full or read-only costs time later, and is no failure of the download.
pub(crate) fn store(
    options: &DownloadOptions,
    directory: &Directory,
    entry: &ManifestEntry,
    published: &Published,
) -> Option<FileStat> {
    let cache = usable(options)?;
    let key = key_of(entry)?;
    let (name, stat) = (entry.relative_path().ok()?, published.stat?);
    let proof = (&stat, &published.facts);
    match cache.store(key, (directory, &name), proof, options.placement) {
        Ok(changed) => changed,
        Err(error) => {
            tracing::debug!(path = entry.path(), %error, "the file was not put into the cache");
            None
        }
    }
}
