//! How an artifact is downloaded.

use std::{path::PathBuf, sync::Arc};

use wandb_core::path::NamePolicy;
use wandb_storage::{Directory, Placement};

use super::{
    progress::{NoProgress, Progress},
    resolver::ArtifactResolver,
};
use crate::cache::Cache;

/// How many small files are fetched at once at first.
const CONNECTIONS: usize = 16;

/// How many at most.
const MOST_CONNECTIONS: usize = 32;

/// How many ranges of large files are fetched at once.
const LARGE_CONNECTIONS: usize = 6;

/// How many bytes are taken of an object whose size nobody recorded.
const UNSIZED_LIMIT: u64 = 16 << 30;

/// How an artifact is downloaded. The defaults: everything, references too, below the given directory, replacing files whose
/// bytes are other ones.
#[derive(Debug, Clone)]
#[must_use]
pub struct DownloadOptions {
    pub(crate) root: PathBuf,
    pub(crate) prefix: String,
    pub(crate) names: NamePolicy,
    pub(crate) cache: Option<Arc<Cache>>,
    pub(crate) skip_cache: bool,
    pub(crate) records: Option<Directory>,
    pub(crate) placement: Placement,
    pub(crate) allow_missing_references: bool,
    pub(crate) skip_references: bool,
    pub(crate) unsized_limit: u64,
    pub(crate) resolver: Option<Arc<dyn ArtifactResolver>>,
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    pub(crate) object_stores: Option<crate::stores::ObjectStores>,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) connections: usize,
    pub(crate) most_connections: usize,
    pub(crate) large_connections: usize,
    pub(crate) large_file: u64,
    pub(crate) piece: u64,
    /// Called by the thread that writes small files, for each of them.
    #[cfg(test)]
    pub(crate) before_write: Option<fn(&str)>,
}

impl DownloadOptions {
    /// Below a directory, which is made if needed.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            prefix: String::new(),
            names: NamePolicy::Portable,
            cache: None,
            skip_cache: false,
            records: None,
            placement: Placement::Copy,
            allow_missing_references: false,
            skip_references: false,
            unsized_limit: UNSIZED_LIMIT,
            resolver: None,
            #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
            object_stores: None,
            progress: Arc::new(NoProgress),
            connections: CONNECTIONS,
            most_connections: MOST_CONNECTIONS,
            large_connections: LARGE_CONNECTIONS,
            large_file: 64 << 20,
            piece: 32 << 20,
            #[cfg(test)]
            before_write: None,
        }
    }

    /// Only entries whose paths begin with a text (official: `path_prefix`). Nothing is asked for the others.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Which names of files are taken. [`NamePolicy::Portable`] unless set: names in scope that not every system can hold, beside
    /// each other, end the download before anything is written. With [`NamePolicy::System`] those are taken that this system
    /// can hold; names that the disk takes for one are still an error. Hostile names always are.
    pub fn names(mut self, policy: NamePolicy) -> Self {
        self.names = policy;
        self
    }

    /// Takes files out of a cache, and puts what was fetched into it. The record of what is verified in the target
    /// directory is kept there, too: without a cache every file that is there is read again. A cache with a
    /// [budget](Cache::with_budget) keeps it at the end.
    pub fn cache(mut self, cache: Arc<Cache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Neither takes bytes out of the cache nor puts them in (official: `skip_cache`). What is known of the target directory
    /// is still used.
    pub fn skip_cache(mut self, skip: bool) -> Self {
        self.skip_cache = skip;
        self
    }

    /// Where the record of what is verified is kept, if not in the cache.
    pub fn records(mut self, directory: Directory) -> Self {
        self.records = Some(directory);
        self
    }

    /// How files get out of the cache and into it. [`Placement::Copy`] unless set: with hard links, a program that writes
    /// into a downloaded file writes into the cache, whose proof then fails.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Passes over references whose objects are gone, of whatever scheme, and lists them in the result. `false` unless set.
    pub fn allow_missing_references(mut self, allow: bool) -> Self {
        self.allow_missing_references = allow;
        self
    }

    /// Fetches no reference; all are listed in the result. `false` unless set.
    pub fn skip_references(mut self, skip: bool) -> Self {
        self.skip_references = skip;
        self
    }

    /// How many bytes a file may have whose size was not recorded, as that of a reference without a checksum; 16 GiB unless
    /// set. A server that never ends must not fill the disk. More is an [`InvalidInput`](wandb_core::ErrorKind::InvalidInput)
    /// error.
    pub fn unsized_limit(mut self, bytes: u64) -> Self {
        self.unsized_limit = bytes;
        self
    }

    /// Who finds the artifacts that `wandb-artifact://` references name. Without one such a reference is an error.
    pub fn resolver(mut self, resolver: Arc<dyn ArtifactResolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// How to get at `s3://` and `gs://` references and Azure blobs. Without it such a reference is an error, and a blob is
    /// fetched as any other `https://` address.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    pub fn object_stores(mut self, stores: crate::stores::ObjectStores) -> Self {
        self.object_stores = Some(stores);
        self
    }

    /// Tells someone how far it is.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// How many files are fetched at once: `first` to begin with, up to `most` while the server does well. 16 and 32 unless
    /// set.
    pub fn connections(mut self, first: usize, most: usize) -> Self {
        (self.connections, self.most_connections) = (first.max(1), most.max(first).max(1));
        self
    }

    /// How many ranges of large files are fetched at once; 6 unless set.
    pub fn large_connections(mut self, count: usize) -> Self {
        self.large_connections = count.max(1);
        self
    }

    /// From which size on a file is fetched in ranges, and how long a range is, in bytes. 64 and 32 MiB unless set.
    pub fn large_file(mut self, size: u64, piece: u64) -> Self {
        (self.large_file, self.piece) = (size.max(1), piece.max(1));
        self
    }
}
