//! The last step of a file: durable, then named. In batches, because a flush costs as much for one file as for many.
//!
//! What is guaranteed, and when:
//!
//! - when the *process* dies at any moment, a file under its final name is complete and verified;
//! - when the *machine* loses power at any moment, the same holds: the bytes of a batch are flushed before the first of its
//!   files is renamed;
//! - when [`publish_many`] has returned, the names are durable, too, as far as the file system can flush a directory.

use std::{collections::BTreeSet, fs::File, io, path::PathBuf, sync::Arc};

use wandb_core::path::RelativePath;

use crate::{Directory, Existing, FileFacts, FileStat, StorageError, directory::parent_of, stat::Found};

/// From this many files on, the whole file system is flushed once, where the system can do that.
#[cfg(target_os = "linux")]
const FLUSH_ALL: usize = 16;

/// A file whose bytes are the promised ones, still under the name of a part. Dropping it removes it.
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
    pub(crate) file: Arc<File>,
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

    fn rename(&mut self) -> Result<Published, StorageError> {
        let target = self.directory.path_of(&self.name);
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
pub fn publish_many(mut files: Vec<VerifiedFile>) -> Vec<Result<Published, StorageError>> {
    let flushed = flush(&files);
    let mut parents: BTreeSet<(PathBuf, String)> = BTreeSet::new();
    let results: Vec<_> = files
        .iter_mut()
        .zip(flushed)
        .map(|(file, flushed)| {
            flushed.map_err(StorageError::io("flush", file.directory.path_of(&file.name)))?;
            let published = file.rename()?;
            let parent = parent_of(&file.name).unwrap_or(".").to_owned();
            let key = (file.directory.path().to_owned(), parent);
            if !parents.contains(&key) {
                parents.insert(key);
            }
            Ok(published)
        })
        .collect();
    flush_names(&files, &parents);
    results
}

/// Makes the new names durable: of few directories each, of many the whole file system once.
fn flush_names(files: &[VerifiedFile], parents: &BTreeSet<(PathBuf, String)>) {
    #[cfg(target_os = "linux")]
    if parents.len() >= FLUSH_ALL && is_one_device(files) && rustix::fs::syncfs(&*files[0].file).is_ok() {
        return;
    }
    for (root, parent) in parents {
        if let Some(file) = files.iter().find(|file| file.directory.path() == root) {
            sync_directory(&file.directory, parent);
        }
    }
}

#[cfg(target_os = "linux")]
fn is_one_device(files: &[VerifiedFile]) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let device = |file: &VerifiedFile| file.file.metadata().map(|facts| facts.dev()).ok();
    let first = files.first().and_then(device);
    first.is_some() && files.iter().all(|file| device(file) == first)
}

#[cfg(target_os = "linux")]
fn flush(files: &[VerifiedFile]) -> Vec<io::Result<()>> {
    let written = files.iter().filter(|file| !file.is_link).count();
    // One call writes all of them, and waits once for the disk. It also reports what could not be written.
    if written >= FLUSH_ALL && is_one_device(files) && rustix::fs::syncfs(&*files[0].file).is_ok() {
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
    if file.is_link {
        Ok(())
    } else {
        file.file.sync_all()
    }
}

/// Makes new names durable. Not every file system can; the bytes are durable either way.
fn sync_directory(directory: &Directory, parent: &str) {
    if let Ok(opened) = directory.handle().open_dir(parent) {
        let _ = opened.into_std_file().sync_all();
    }
}
