//! The last step of a file: durable, then named. In batches, because a flush costs as much for one file as for many.
//!
//! What is guaranteed, and when:
//!
//! - when the *process* dies at any moment, a file under its final name is complete and verified;
//! - when the *machine* loses power at any moment, the same holds: the bytes of a batch are flushed before the first of its
//!   files is renamed;
//! - when [`publish_many`] has returned, or [`Publication::finish`], the names are durable, too, unless the file system cannot
//!   flush a directory at all. A flush that fails is told.

use std::{collections::BTreeMap, fs::File, io, path::PathBuf, sync::Arc};

use wandb_core::path::RelativePath;

use crate::{Directory, Existing, FileFacts, FileStat, StorageError, directory::parent_of, stat::Found};

/// From this many files on, the whole file system is flushed once, where the system can do that.
#[cfg(target_os = "linux")]
const FLUSH_ALL: usize = 16;

/// A file whose bytes are the promised ones, still under the name of a part. Dropping it removes it. A hard link may have its
/// name already ([`Directory::place_from`]), and then stays.
#[derive(Debug)]
pub struct VerifiedFile {
    pub(crate) directory: Directory,
    pub(crate) name: RelativePath,
    /// `None` once it has its final name.
    pub(crate) part: Option<String>,
    pub(crate) journal: Option<String>,
    pub(crate) existing: Existing,
    /// Whether the part is a second name of another file.
    pub(crate) is_link: bool,
    /// Of a link that has its final name.
    pub(crate) placed: Option<FileStat>,
    /// `None` for a link, whose bytes are as durable as those of its source.
    pub(crate) file: Option<Arc<File>>,
    pub(crate) facts: FileFacts,
}

/// A file under its final name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub path: PathBuf,
    /// Size and digest of its bytes.
    pub facts: FileFacts,
    /// By what it is known again; `None` when the file system would not say.
    pub stat: Option<FileStat>,
}

impl VerifiedFile {
    /// The name below its directory.
    #[must_use]
    pub fn name(&self) -> &RelativePath {
        &self.name
    }

    /// Size and digest.
    #[must_use]
    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }

    /// Whether it is a second name of another file, so that its bytes are as durable as that one's.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.is_link
    }

    /// The facts of a hard link that has its final name already: those of its source, too, until something else changes it.
    #[must_use]
    pub fn linked_stat(&self) -> Option<&FileStat> {
        self.placed.as_ref()
    }

    /// Gives the file its name without waiting for the disk. After a power failure it may be gone, empty or cut, so this is
    /// for hard links to durable bytes, and for files that nobody trusts after the machine was started anew.
    ///
    /// # Errors
    /// [`StorageError::Exists`], [`StorageError::Io`].
    pub fn publish_unflushed(mut self) -> Result<Published, StorageError> {
        self.rename()
    }

    fn rename(&mut self) -> Result<Published, StorageError> {
        let target = self.directory.path_of(&self.name);
        if let Some(stat) = self.placed {
            return Ok(Published {
                path: target,
                facts: self.facts,
                stat: Some(stat),
            });
        }
        let part = self.part.as_deref().unwrap_or_default();
        let directory = self.directory.clone();
        let handle = directory.handle();
        let rename = || {
            handle
                .rename(part, handle, self.name.as_str())
                .map_err(StorageError::io("publish", &target))
        };
        match self.existing {
            Existing::Replace => {
                rename()?;
                // Between two names of one file a rename does nothing, and the part's name is still to be removed.
                if !self.is_link {
                    self.part = None;
                }
            }
            // A hard link fails when the target exists, which a rename does not: no other process's file is lost.
            Existing::Refuse => match handle.hard_link(part, handle, self.name.as_str()) {
                // The part's own name is removed on drop.
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(StorageError::Exists { path: target });
                }
                // File systems without hard links: the check at the beginning is what is left.
                Err(_) => {
                    rename()?;
                    self.part = None;
                }
            },
        }
        self.remove_leftovers();
        let stat = match Found::of(handle.symlink_metadata(self.name.as_str())) {
            Ok(Found::File(stat)) => Some(stat),
            _ => None,
        };
        Ok(Published {
            path: target,
            facts: self.facts,
            stat,
        })
    }

    fn remove_leftovers(&mut self) {
        let handle = self.directory.handle();
        // A part that stays is never trusted.
        for name in [self.part.take(), self.journal.take()].into_iter().flatten() {
            let _ = handle.remove_file(name);
        }
    }
}

impl Drop for VerifiedFile {
    fn drop(&mut self) {
        self.remove_leftovers();
    }
}

/// Flushes the files, gives them their final names, and flushes their directories. One result for each, in order: a file
/// that fails does not keep the others back.
///
/// When a directory cannot be flushed, every file fails: they have their names, and nobody knows for how long.
pub fn publish_many(files: Vec<VerifiedFile>) -> Vec<Result<Published, StorageError>> {
    let mut publication = Publication::default();
    let results = publication.publish(files);
    match publication.finish() {
        Ok(()) => results,
        Err(error) => {
            let told = results
                .into_iter()
                .map(|result| result.and_then(|_| Err(error.again())));
            told.collect()
        }
    }
}

/// Publishes batch after batch, and flushes the directories once, at the end.
#[derive(Debug, Default)]
pub struct Publication {
    /// The directories that have new names: where each lies, and its name below that.
    parents: BTreeMap<(PathBuf, String), Directory>,
}

impl Publication {
    /// Flushes the files and gives them their final names. One result for each, in order: a file that fails does not keep the
    /// others back. The names are durable after [`finish`](Self::finish).
    pub fn publish(&mut self, mut files: Vec<VerifiedFile>) -> Vec<Result<Published, StorageError>> {
        let flushed = flush(&files);
        files
            .iter_mut()
            .zip(flushed)
            .map(|(file, flushed)| {
                flushed.map_err(StorageError::io("flush", file.directory.path_of(&file.name)))?;
                let published = file.rename()?;
                let parent = parent_of(&file.name).unwrap_or(".").to_owned();
                self.parents
                    .entry((file.directory.path().to_owned(), parent))
                    .or_insert_with(|| file.directory.clone());
                Ok(published)
            })
            .collect()
    }

    /// Makes the new names durable: of few directories each, of many the whole file system once. A file system that cannot
    /// flush directories, and a directory that may not be opened, are passed over; the bytes are durable either way.
    ///
    /// # Errors
    /// [`StorageError::Io`] when the disk could not take them, for example because it is full or broken. All directories are
    /// tried; the first error is told.
    pub fn finish(self) -> Result<(), StorageError> {
        #[cfg(target_os = "linux")]
        if self.parents.len() >= FLUSH_ALL && self.flush_all() {
            return Ok(());
        }
        let mut first = Ok(());
        for ((path, parent), directory) in &self.parents {
            let flushed = match open_directory(directory, parent) {
                Ok(opened) => supported(opened.sync_all()),
                // Windows opens no directory in this way, and a directory may be one to write to and not to read.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = flushed
                && first.is_ok()
            {
                first = Err(StorageError::io("flush directory", path.join(parent))(error));
            }
        }
        first
    }

    /// `false` when the directories are on several file systems, or that cannot be told.
    #[cfg(target_os = "linux")]
    fn flush_all(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;

        let mut first: Option<(File, u64)> = None;
        for ((_, parent), directory) in &self.parents {
            let Ok(opened) = open_directory(directory, parent) else {
                return false;
            };
            let Ok(device) = opened.metadata().map(|facts| facts.dev()) else {
                return false;
            };
            match &first {
                None => first = Some((opened, device)),
                Some((_, other)) if *other == device => {}
                Some(_) => return false,
            }
        }
        syncfs_tells_errors() && first.is_some_and(|(opened, _)| rustix::fs::syncfs(opened).is_ok())
    }
}

/// The result of a flush of a directory, without the answers of file systems that have no such thing.
fn supported(flushed: io::Result<()>) -> io::Result<()> {
    /// "This handle cannot be flushed": what some network file systems say of a directory.
    const BAD_DESCRIPTOR: i32 = 9;
    match flushed {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
            ) || error.raw_os_error() == Some(BAD_DESCRIPTOR) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// Whether `syncfs` tells what could not be written: since Linux 5.8 (its manual page). Before, only the flush of each file
/// does.
#[cfg(target_os = "linux")]
fn syncfs_tells_errors() -> bool {
    static TELLS: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let facts = rustix::system::uname();
        is_since_5_8(&facts.release().to_string_lossy())
    });
    *TELLS
}

/// Whether a release such as `6.1.0-18-amd64` is 5.8 or newer. What cannot be read is taken for an old one.
#[cfg(target_os = "linux")]
fn is_since_5_8(release: &str) -> bool {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    matches!((next(), next()), (Some(major), Some(minor)) if (major, minor) >= (5, 8))
}

/// For flushing: a handle as `open_dir` gives it is good for names below it only (`O_PATH`).
fn open_directory(directory: &Directory, parent: &str) -> io::Result<File> {
    directory.handle().open(parent).map(cap_std::fs::File::into_std)
}

#[cfg(target_os = "linux")]
fn is_one_device(files: &[VerifiedFile]) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let mut devices = files
        .iter()
        .filter_map(|file| file.file.as_ref())
        .map(|file| file.metadata().map(|facts| facts.dev()).ok());
    let first = devices.next().flatten();
    first.is_some() && devices.all(|device| device == first)
}

#[cfg(target_os = "linux")]
fn flush(files: &[VerifiedFile]) -> Vec<io::Result<()>> {
    let mut written = files.iter().filter_map(|file| file.file.as_deref());
    // One call writes all of them, and waits once for the disk. When it fails, the flush of each tells which ones.
    if let Some(first) = written.next()
        && written.count() + 1 >= FLUSH_ALL
        && syncfs_tells_errors()
        && is_one_device(files)
        && rustix::fs::syncfs(first).is_ok()
    {
        return files.iter().map(|_| Ok(())).collect();
    }
    files.iter().map(flush_one).collect()
}

#[cfg(not(target_os = "linux"))]
fn flush(files: &[VerifiedFile]) -> Vec<io::Result<()>> {
    files.iter().map(flush_one).collect()
}

/// The bytes of a link are as durable as its source's, which was published before.
fn flush_one(file: &VerifiedFile) -> io::Result<()> {
    file.file.as_ref().map_or(Ok(()), |file| file.sync_all())
}

impl Directory {
    /// Makes the bytes of files below this directory durable that somebody published
    /// [unflushed](VerifiedFile::publish_unflushed): of few files each, of many the whole file system once. A file that is
    /// gone is passed over.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn flush_files(&self, names: &[&RelativePath]) -> Result<(), StorageError> {
        #[cfg(target_os = "linux")]
        if names.len() >= FLUSH_ALL
            && syncfs_tells_errors()
            && open_directory(self, ".").is_ok_and(|opened| rustix::fs::syncfs(opened).is_ok())
        {
            return Ok(());
        }
        for name in names {
            if let Some(file) = self.open(name)? {
                file.sync_all()
                    .map_err(StorageError::io("flush", self.path_of(name)))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wandb_core::path::safe_relative_path;

    use super::*;
    use crate::{Algorithm, Expected};

    #[test]
    fn only_flushes_that_do_not_exist_are_passed_over() {
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::InvalidInput] {
            assert!(supported(Err(kind.into())).is_ok(), "{kind}");
        }
        for kind in [
            io::ErrorKind::StorageFull,
            io::ErrorKind::QuotaExceeded,
            io::ErrorKind::Other,
        ] {
            assert_eq!(supported(Err(kind.into())).unwrap_err().kind(), kind);
        }
        #[cfg(target_os = "linux")]
        {
            let of = |code| supported(Err(io::Error::from_raw_os_error(code)));
            // EIO, ENOSPC; EBADF, EINVAL, EOPNOTSUPP.
            assert_eq!([5, 28].map(|code| of(code).is_ok()), [false, false]);
            assert_eq!([9, 22, 95].map(|code| of(code).is_ok()), [true; 3]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn kernels_are_compared_by_number() {
        for (release, is_new) in [
            ("5.8.0", true),
            ("5.15.0-91-generic", true),
            ("6.1", true),
            ("10.0.1", true),
            ("5.7.19", false),
            ("4.19.0", false),
            ("", false),
            ("x.y", false),
        ] {
            assert_eq!(is_since_5_8(release), is_new, "{release}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_flushed_is_told() {
        let target = tempfile::tempdir().unwrap();
        let directory = Directory::create(target.path()).unwrap();
        let mut publication = Publication::default();
        for name in ["gone/a", "stays/b"] {
            let name = safe_relative_path(name).unwrap();
            let mut pending = directory.begin(&name, Existing::Replace, Algorithm::Md5).unwrap();
            pending.append(b"x").unwrap();
            let verified = pending.verify(&Expected::default()).unwrap();
            publication.publish(vec![verified]).pop().unwrap().unwrap();
        }
        std::fs::remove_dir_all(target.path().join("gone")).unwrap();
        let error = publication.finish().unwrap_err();
        assert!(
            matches!(&error, StorageError::Io { action: "flush directory", path, .. } if path.ends_with("gone")),
            "{error}"
        );
        let again = error.again();
        assert_eq!(again.to_string(), error.to_string());
    }
}
