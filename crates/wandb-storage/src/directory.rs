//! A target directory, held by a handle.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};
use md5::{Digest, Md5};
use wandb_core::path::RelativePath;

use crate::{Existing, PendingFile, StorageError, pending::is_part_of};

/// Buffer of whole-file reads, in bytes.
const BUFFER: usize = 256 * 1024;

/// A directory that files are written below, and never outside of.
///
/// Cloning it is cheap and shares the handle.
#[derive(Debug, Clone)]
pub struct Directory {
    handle: Arc<Dir>,
    path: PathBuf,
}

/// What a file on the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Its size in bytes.
    pub size: u64,
    /// The MD5 of its bytes.
    pub md5: [u8; 16],
}

impl Directory {
    /// Opens a directory, making it and its parents if they are not there.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        Dir::create_ambient_dir_all(path, ambient_authority())
            .map_err(StorageError::io("create directory", path))?;
        let handle = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(StorageError::io("open directory", path))?;
        Ok(Self {
            handle: Arc::new(handle),
            path: path.to_owned(),
        })
    }

    /// Where the directory is, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place of a file below the directory, for messages.
    #[must_use]
    pub fn path_of(&self, name: &RelativePath) -> PathBuf {
        self.path.join(name.as_str())
    }

    pub(crate) fn handle(&self) -> &Dir {
        &self.handle
    }

    /// Reads a file and tells its size and digest; `None` when there is none.
    ///
    /// # Errors
    /// [`StorageError::Io`], also when the name leads out of the directory through a symbolic link.
    pub fn facts(&self, name: &RelativePath) -> Result<Option<FileFacts>, StorageError> {
        let read = || -> io::Result<FileFacts> {
            let mut file = self.handle.open(name.as_str())?;
            let mut digest = Md5::new();
            let mut buffer = vec![0; BUFFER];
            let mut size = 0;
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    return Ok(FileFacts {
                        size,
                        md5: digest.finalize().into(),
                    });
                }
                digest.update(&buffer[..count]);
                size += count as u64;
            }
        };
        match read() {
            Ok(facts) => Ok(Some(facts)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StorageError::io("read", self.path_of(name))(error)),
        }
    }

    /// Begins to write a file. Its parents are made; parts that a killed process left of the same file are removed.
    ///
    /// # Errors
    /// [`StorageError::Exists`] when the target is there and `existing` refuses it, else [`StorageError::Io`].
    pub fn begin(&self, name: &RelativePath, existing: Existing) -> Result<PendingFile, StorageError> {
        let target = self.path_of(name);
        match self.handle.symlink_metadata(name.as_str()) {
            Ok(_) if existing == Existing::Refuse => return Err(StorageError::Exists { path: target }),
            Ok(facts) if facts.is_dir() => {
                let error = io::Error::new(io::ErrorKind::IsADirectory, "a directory is in the way");
                return Err(StorageError::io("replace", target)(error));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StorageError::io("look at", target)(error)),
        }
        if let Some(parent) = parent_of(name) {
            self.handle
                .create_dir_all(parent)
                .map_err(StorageError::io("create directory", self.path.join(parent)))?;
        }
        PendingFile::create(self, name, existing)
    }

    /// Removes the parts that killed processes left in the directory of a file, older than the given age.
    ///
    /// The age keeps a second process that writes the same file at this moment out of it.
    pub(crate) fn remove_stale_parts(&self, name: &RelativePath, age: std::time::Duration) {
        let parent = parent_of(name).unwrap_or(".");
        let Ok(entries) = self.handle.read_dir(parent) else {
            return;
        };
        for entry in entries.flatten() {
            let file_name = entry.file_name();
            let Some(text) = file_name.to_str() else { continue };
            if !is_part_of(file_name_of(name), text) {
                continue;
            }
            let is_old = entry
                .metadata()
                .and_then(|facts| facts.modified())
                .is_ok_and(|written| written.into_std().elapsed().is_ok_and(|passed| passed >= age));
            if is_old {
                // Best effort: a part that stays is never trusted.
                let _ = entry.remove_file();
            }
        }
    }
}

pub(crate) fn parent_of(name: &RelativePath) -> Option<&str> {
    name.as_str().rsplit_once('/').map(|(parent, _)| parent)
}

pub(crate) fn file_name_of(name: &RelativePath) -> &str {
    name.as_str()
        .rsplit_once('/')
        .map_or(name.as_str(), |(_, file_name)| file_name)
}
