//! Locks between processes.

use std::{
    fs::{File, TryLockError},
    io,
};

use wandb_core::path::RelativePath;
use wandb_storage::Directory;

use super::CacheError;

/// Keeps objects from being removed while it lives: whoever looks objects up and then places them holds one.
#[derive(Debug)]
#[must_use = "the cache is in use only as long as the guard lives"]
pub struct CacheGuard {
    _file: File,
}

impl CacheGuard {
    /// Waits while objects are being removed.
    pub(super) fn share(records: &Directory, name: &RelativePath) -> Result<Self, CacheError> {
        let file = records.open_record(name)?;
        without_support(file.lock_shared()).map_err(CacheError::record("lock", records.path_of(name)))?;
        Ok(Self { _file: file })
    }

    /// `None` while someone uses the cache.
    pub(super) fn take_alone(records: &Directory, name: &RelativePath) -> Result<Option<Self>, CacheError> {
        let file = records.open_record(name)?;
        let taken = match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => without_support(Err(error)).map(|()| true),
        };
        let taken = taken.map_err(CacheError::record("lock", records.path_of(name)))?;
        Ok(taken.then_some(Self { _file: file }))
    }

    /// Waits for its turn.
    pub(super) fn wait_alone(records: &Directory, name: &RelativePath) -> Result<Self, CacheError> {
        let file = records.open_record(name)?;
        without_support(file.lock()).map_err(CacheError::record("lock", records.path_of(name)))?;
        Ok(Self { _file: file })
    }
}

/// Some network file systems have no locks. There the check sums of the index are what is left.
fn without_support(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}
