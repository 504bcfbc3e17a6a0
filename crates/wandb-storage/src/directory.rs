//! A target directory, held by a handle.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};
use wandb_core::path::RelativePath;

use crate::{Algorithm, ContentDigest, Existing, Found, Hasher, PendingFile, StorageError, part};

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
    /// The digest of its bytes.
    pub digest: ContentDigest,
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
        Ok(Self::of(Arc::new(handle), path.to_owned()))
    }

    pub(crate) fn of(handle: Arc<Dir>, path: PathBuf) -> Self {
        Self { handle, path }
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
    /// [`StorageError::Io`]; [`StorageError::Link`] when the name leads out of the directory through a symbolic link.
    pub fn facts(
        &self,
        name: &RelativePath,
        algorithm: Algorithm,
    ) -> Result<Option<FileFacts>, StorageError> {
        let read = || -> io::Result<FileFacts> {
            let mut file = self.handle.open(name.as_str())?;
            let mut hasher = Hasher::new(algorithm);
            // A small file does not need the whole buffer.
            let length = file.metadata()?.len().saturating_add(1).min(BUFFER as u64);
            let mut buffer = vec![0; usize::try_from(length).unwrap_or(BUFFER)];
            let mut size = 0;
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    return Ok(FileFacts {
                        size,
                        digest: hasher.finish(),
                    });
                }
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
        };
        match read() {
            Ok(facts) => Ok(Some(facts)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", name.as_str(), error)),
        }
    }

    /// What is under a name. Its own symbolic link is not followed.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Link`] when a parent leads out of the directory through a symbolic link.
    pub fn look_at(&self, name: &RelativePath) -> Result<Found, StorageError> {
        Found::of(self.handle.symlink_metadata(name.as_str()))
            .map_err(|error| self.failed("look at", name.as_str(), error))
    }

    /// Opens a file for reading; `None` when there is none.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Link`] when the name leads out of the directory through a symbolic link.
    pub fn open(&self, name: &RelativePath) -> Result<Option<File>, StorageError> {
        match self.handle.open(name.as_str()) {
            Ok(file) => Ok(Some(file.into_std())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("open", name.as_str(), error)),
        }
    }

    /// Removes a file or a symbolic link; whether there was one.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn remove(&self, name: &RelativePath) -> Result<bool, StorageError> {
        self.remove_walked(name.as_str())
    }

    /// Removes a directory if it is empty; whether it did.
    pub fn remove_if_empty(&self, name: &RelativePath) -> bool {
        self.handle.remove_dir(name.as_str()).is_ok()
    }

    /// Removes a file, a symbolic link or a special file that [`walk`](Self::walk) gave, under whatever name it has; whether it
    /// was still there. Nothing outside of the directory can be named.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn remove_walked(&self, path: &str) -> Result<bool, StorageError> {
        match self.handle.remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StorageError::io("remove", self.path.join(path))(error)),
        }
    }

    /// Removes a directory that [`walk`](Self::walk) gave, if it is empty; whether it is gone.
    pub fn remove_walked_if_empty(&self, path: &str) -> bool {
        match self.handle.remove_dir(path) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Begins to write a file. Its parents are made; parts that a killed process left of the same file are removed.
    ///
    /// # Errors
    /// [`StorageError::Exists`] when the target is there and `existing` refuses it, else [`StorageError::Io`].
    pub fn begin(
        &self,
        name: &RelativePath,
        existing: Existing,
        algorithm: Algorithm,
    ) -> Result<PendingFile, StorageError> {
        self.make_way(name, existing)?;
        let file_name = file_name_of(name);
        part::sweep(self, parent_of(name).unwrap_or("."), &|text| {
            !part::is_part_of(file_name, text)
        });
        PendingFile::create(self, name, existing, algorithm)
    }

    /// Begins to write one of many files: as [`begin`](Self::begin), without looking for abandoned parts, which the caller
    /// does once for all with [`sweep_parts`](Self::sweep_parts).
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_one_of_many(
        &self,
        name: &RelativePath,
        existing: Existing,
        algorithm: Algorithm,
    ) -> Result<PendingFile, StorageError> {
        self.make_way(name, existing)?;
        PendingFile::create(self, name, existing, algorithm)
    }

    /// Begins to write a file whose digest is known, or goes on with what a killed process left of it
    /// ([`PendingFile::left_over`]). While another process writes the same content under the same name, it begins a part of
    /// its own.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_resumable(
        &self,
        name: &RelativePath,
        existing: Existing,
        digest: &ContentDigest,
    ) -> Result<PendingFile, StorageError> {
        self.make_way(name, existing)?;
        PendingFile::resume(self, name, existing, digest)
    }

    /// The file name of the part that [`begin_resumable`](Self::begin_resumable) would use, and that of its journal.
    #[must_use]
    pub fn resumable_part_names(name: &RelativePath, digest: &ContentDigest) -> [String; 2] {
        let key = digest.hex();
        [key.clone(), format!("{key}-ranges")].map(|key| {
            let part = part::part_name(name, &key);
            part.rsplit_once('/')
                .map_or(part.clone(), |(_, file_name)| file_name.to_owned())
        })
    }

    /// Removes, in one folder (`None` is the directory itself), the parts of files that processes left which are gone,
    /// unless `is_wanted` speaks for their file name. Gives their number. Parts that some process is writing stay.
    pub fn sweep_parts(&self, folder: Option<&str>, is_wanted: &dyn Fn(&str) -> bool) -> usize {
        part::sweep(self, folder.unwrap_or("."), is_wanted)
    }

    /// Checks what is under the name, and makes the parents.
    pub(crate) fn make_way(&self, name: &RelativePath, existing: Existing) -> Result<(), StorageError> {
        match self.look_at(name)? {
            Found::Nothing => {}
            _ if existing == Existing::Refuse => {
                return Err(StorageError::Exists {
                    path: self.path_of(name),
                });
            }
            Found::Directory => {
                let error = io::Error::new(io::ErrorKind::IsADirectory, "a directory is in the way");
                return Err(StorageError::io("replace", self.path_of(name))(error));
            }
            // Its parent is there, too.
            Found::File(_) | Found::Other => return Ok(()),
        }
        let Some(parent) = parent_of(name) else {
            return Ok(());
        };
        if self.handle.is_dir(parent) {
            return Ok(());
        }
        self.handle
            .create_dir_all(parent)
            .map_err(|error| self.failed("create directory", parent, error))
    }

    /// What a refusal of the system means. The handle's library refuses what a link leads out of the directory, in words
    /// of its own, and does not say which link that is.
    fn failed(&self, action: &'static str, path: &str, error: io::Error) -> StorageError {
        let is_escape = |error: &io::Error| {
            error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
        };
        let leads_out = |path: &&str| {
            let found = self.handle.symlink_metadata(path);
            found.is_ok_and(|found| found.is_symlink())
                && self.handle.metadata(path).is_err_and(|error| is_escape(&error))
        };
        let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
        let link = if is_escape(&error) {
            parents.chain([path]).find(leads_out)
        } else {
            None
        };
        match link {
            Some(link) => StorageError::Link {
                link: self.path.join(link),
            },
            None => StorageError::io(action, self.path.join(path))(error),
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
