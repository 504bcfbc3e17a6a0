//! What lies below a directory: listed once, without a look at each file.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, FileType, OpenOptions},
};
use wandb_core::path::RelativePath;

use crate::{Directory, StorageError};

/// What a directory says an entry of it is. Nothing is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// An ordinary file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, to whatever.
    Symlink,
    /// A device, a pipe or a socket.
    Other,
}

/// One thing below a directory.
#[derive(Debug)]
pub enum Walked<'a> {
    /// An entry; for a directory, the answer tells whether to go in.
    Entry {
        /// Its path below the directory, with `/` between segments. What is not Unicode is replaced.
        path: &'a str,
        /// What it is.
        kind: EntryKind,
        /// Whether the path is exact; no name from a manifest is equal to an inexact one.
        is_exact: bool,
    },
    /// A directory that cannot be listed.
    Unreadable {
        /// Its path below the directory; empty for the directory itself.
        path: &'a str,
        /// Why not.
        error: io::Error,
    },
}

impl Directory {
    /// Opens a directory that is there.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn existing(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        let handle = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(StorageError::io("open directory", path))?;
        Ok(Self::of(Arc::new(handle), path.to_owned()))
    }

    /// Lists everything below the directory, each directory once and in no particular order. Symbolic links are told and not
    /// followed. No file is opened, and where the file system tells types with names, none is looked at.
    pub fn walk(&self, visit: &mut dyn FnMut(Walked<'_>) -> bool) {
        let mut waiting = vec![String::new()];
        let mut path = String::new();
        while let Some(parent) = waiting.pop() {
            let listed = if parent.is_empty() {
                self.handle().entries()
            } else {
                self.handle().read_dir(&parent)
            };
            let entries = match listed {
                Ok(entries) => entries,
                Err(error) => {
                    visit(Walked::Unreadable { path: &parent, error });
                    continue;
                }
            };
            for entry in entries {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        visit(Walked::Unreadable { path: &parent, error });
                        break;
                    }
                };
                let name = entry.file_name();
                path.clear();
                if !parent.is_empty() {
                    path.push_str(&parent);
                    path.push('/');
                }
                let exact = name.to_str();
                path.push_str(&exact.map_or_else(|| name.to_string_lossy(), Into::into));
                let kind = match entry.file_type() {
                    Ok(kind) => EntryKind::of(kind),
                    // It was removed meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => {
                        visit(Walked::Unreadable { path: &path, error });
                        continue;
                    }
                };
                let goes_in = visit(Walked::Entry {
                    path: &path,
                    kind,
                    is_exact: exact.is_some(),
                });
                if goes_in && kind == EntryKind::Directory && exact.is_some() {
                    waiting.push(path.clone());
                }
            }
        }
    }

    /// Opens a file of the program's own records for reading and writing, and makes it if it is not there. Not for bytes from
    /// a server: those are written with [`begin`](Self::begin).
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn open_record(&self, name: &RelativePath) -> Result<File, StorageError> {
        self.make_parents(name)?;
        self.handle()
            .open_with(
                name.as_str(),
                OpenOptions::new().read(true).write(true).create(true),
            )
            .map(cap_std::fs::File::into_std)
            .map_err(StorageError::io("open", self.path_of(name)))
    }

    /// When the bytes of a file were last read, as far as the file system keeps count, or written, whichever is later.
    #[must_use]
    pub fn last_access(&self, name: &RelativePath) -> Option<SystemTime> {
        let facts = self.handle().symlink_metadata(name.as_str()).ok()?;
        let read = facts.accessed().ok();
        let written = facts.modified().ok();
        read.max(written).map(|time| time.into_std())
    }

    fn make_parents(&self, name: &RelativePath) -> Result<(), StorageError> {
        let Some(parent) = crate::directory::parent_of(name) else {
            return Ok(());
        };
        self.handle()
            .create_dir_all(parent)
            .map_err(StorageError::io("create directory", self.path().join(parent)))
    }

    /// The same directory under another one of its own.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn subdirectory(&self, name: &RelativePath) -> Result<Self, StorageError> {
        let path: PathBuf = self.path_of(name);
        self.handle()
            .create_dir_all(name.as_str())
            .map_err(StorageError::io("create directory", &path))?;
        let handle = self
            .handle()
            .open_dir(name.as_str())
            .map_err(StorageError::io("open directory", &path))?;
        Ok(Self::of(Arc::new(handle), path))
    }
}

impl EntryKind {
    fn of(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Directory
        } else if kind.is_symlink() {
            Self::Symlink
        } else {
            Self::Other
        }
    }

    /// The kind as a word or two.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symbolic link",
            Self::Other => "special file",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn everything_is_listed_and_nothing_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "").unwrap();
        for folder in ["a/b/c", "skipped/x"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["top", "a/one", "a/b/c/two é", "skipped/x/unseen"] {
            fs::write(root.path().join(file), "").unwrap();
        }
        let mut expected = vec![
            ("a".to_owned(), EntryKind::Directory),
            ("a/b".to_owned(), EntryKind::Directory),
            ("a/b/c".to_owned(), EntryKind::Directory),
            ("a/b/c/two é".to_owned(), EntryKind::File),
            ("a/one".to_owned(), EntryKind::File),
            ("skipped".to_owned(), EntryKind::Directory),
            ("top".to_owned(), EntryKind::File),
        ];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
            let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
            expected.insert(5, ("out".to_owned(), EntryKind::Symlink));
            expected.insert(7, ("socket".to_owned(), EntryKind::Other));
        }
        let directory = Directory::existing(root.path()).unwrap();
        let mut seen = Vec::new();
        directory.walk(&mut |walked| match walked {
            Walked::Entry { path, kind, is_exact } => {
                assert!(is_exact);
                seen.push((path.to_owned(), kind));
                path != "skipped"
            }
            Walked::Unreadable { path, error } => panic!("{path}: {error}"),
        });
        seen.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(seen, expected);
        assert!(Directory::existing(root.path().join("none")).is_err());
        let name = wandb_core::path::safe_relative_path("wb/index").unwrap();
        let record = directory.open_record(&name).unwrap();
        record.set_len(3).unwrap();
        assert_eq!(directory.open_record(&name).unwrap().metadata().unwrap().len(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_unicode_are_told_as_inexact() {
        use std::os::unix::ffi::OsStrExt as _;
        let root = tempfile::tempdir().unwrap();
        let name = std::ffi::OsStr::from_bytes(b"x\xff");
        if fs::write(root.path().join(name), "").is_err() {
            // Some file systems take Unicode only.
            return;
        }
        let mut seen = Vec::new();
        Directory::existing(root.path()).unwrap().walk(&mut |walked| {
            if let Walked::Entry { path, is_exact, .. } = walked {
                seen.push((path.to_owned(), is_exact));
            }
            true
        });
        assert_eq!(seen, [("x\u{fffd}".to_owned(), false)]);
    }
}
