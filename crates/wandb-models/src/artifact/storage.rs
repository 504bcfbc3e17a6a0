//! Where artifacts are kept on this machine, as a client was told.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::OnceCell;
use wandb_artifacts::cache::Cache;
use wandb_core::{Error, Result};

use super::memory::Memory;
use crate::{Api, runtime::blocking};

#[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
pub(crate) type Stores = wandb_artifacts::stores::ObjectStores;

/// There are none in this build.
#[cfg(not(any(feature = "s3", feature = "gs", feature = "azure")))]
#[derive(Debug, Clone)]
pub(crate) enum Stores {}

/// What a client knows of this machine's folders, and of object stores. Nothing of it is read from the environment here.
#[derive(Debug, Default)]
pub(crate) struct ArtifactStorage {
    cache: Option<PathBuf>,
    /// In bytes.
    cache_budget: Option<u64>,
    root: Option<PathBuf>,
    offline: bool,
    stores: Option<Stores>,
    memory: OnceCell<Memory>,
    opened: OnceCell<Arc<Cache>>,
}

impl ArtifactStorage {
    pub(crate) fn new(
        cache: Option<PathBuf>,
        cache_budget: Option<u64>,
        root: Option<PathBuf>,
        offline: bool,
        stores: Option<Stores>,
    ) -> Self {
        Self {
            cache,
            cache_budget,
            root,
            offline,
            stores,
            memory: OnceCell::new(),
            opened: OnceCell::new(),
        }
    }

    /// The same folders, and no server.
    pub(crate) fn offline(&self) -> Self {
        Self::new(
            self.cache.clone(),
            self.cache_budget,
            self.root.clone(),
            true,
            self.stores.clone(),
        )
    }

    /// The same, without a cache.
    pub(crate) fn without_cache(&self) -> Self {
        Self::new(None, None, self.root.clone(), self.offline, self.stores.clone())
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.offline
    }

    /// What is remembered of versions; `None` without a cache.
    pub(super) async fn memory(&self) -> Result<Option<Memory>> {
        let Some(cache) = &self.cache else {
            return Ok(None);
        };
        let open = || {
            let directory = cache.clone();
            blocking(move || Memory::open(&directory))
        };
        let opened = self.memory.get_or_try_init(open).await;
        Ok(Some(opened.map_err(|error| unusable(cache, error))?.clone()))
    }
}

/// A cache is asked for in the middle of something else, so the error names it, and the way out.
fn unusable(directory: &Path, error: Error) -> Error {
    error
        .in_operation(format!(
            "open the artifact cache {:?}",
            directory.display().to_string()
        ))
        .with_hint(
            "name a directory that can be written to (WANDB_CACHE_DIR), or do without a cache (--skip-cache)",
        )
}

impl Api {
    /// The same handle without an artifact cache: manifests and bytes are fetched each time, and nothing is kept. For machines
    /// on which [`artifact_cache`](Self::artifact_cache) cannot be opened, such as a container whose disk is read-only.
    #[must_use]
    pub fn without_artifact_cache(&self) -> Self {
        self.with_artifact_storage(self.artifact_storage().without_cache())
    }

    /// The artifact cache, opened when it is first used and shared by all clones of this handle; `None` when the client was
    /// given none.
    ///
    /// # Errors
    /// [`Io`](wandb_core::ErrorKind::Io) when it cannot be opened.
    pub async fn artifact_cache(&self) -> Result<Option<Arc<Cache>>> {
        let storage = self.artifact_storage();
        let Some(directory) = &storage.cache else {
            return Ok(None);
        };
        let open = || {
            let (directory, budget) = (directory.clone(), storage.cache_budget);
            blocking(move || {
                let cache = Cache::open(directory)?;
                Ok(Arc::new(match budget {
                    Some(bytes) => cache.with_budget(bytes),
                    None => cache,
                }))
            })
        };
        let opened = storage.opened.get_or_try_init(open).await;
        Ok(Some(Arc::clone(
            opened.map_err(|error| unusable(directory, error))?,
        )))
    }

    /// The artifact cache, if the client was given one: the directory above `artifacts`, as `WANDB_CACHE_DIR` names it.
    #[must_use]
    pub fn artifact_cache_directory(&self) -> Option<&Path> {
        self.artifact_storage().cache.as_deref()
    }

    /// How this client gets at object stores; `None` when it was not told.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    #[must_use]
    pub fn object_stores(&self) -> Option<&wandb_artifacts::stores::ObjectStores> {
        self.artifact_storage().stores.as_ref()
    }

    /// Where versions are downloaded to unless a call says otherwise: `./artifacts` unless the client was told (official:
    /// `WANDB_ARTIFACT_DIR`). Each version has a folder of its own in it.
    #[must_use]
    pub fn artifact_directory(&self) -> &Path {
        let root = self.artifact_storage().root.as_deref();
        root.unwrap_or_else(|| Path::new("artifacts"))
    }
}
