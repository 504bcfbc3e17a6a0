//! A file that is not there yet.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use cap_std::fs::{File, OpenOptions};
use md5::{Digest, Md5};
use wandb_core::path::RelativePath;

use crate::{
    Directory, Expected, FileFacts, StorageError,
    directory::{file_name_of, parent_of},
};

/// The end of the name of every file that is not complete and verified.
pub const PART_SUFFIX: &str = ".wb-part";

/// How old a part must be to be called stale: no download writes nothing for so long (the transport's idle timeout ends
/// it first).
const STALE: Duration = Duration::from_secs(60 * 60);

/// The longest stem that is kept in a part's name, in bytes; names are limited to 255.
const STEM: usize = 180;

/// What to do when the target is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse, before anything is written and again when the file is published.
    Refuse,
    /// Replace it, by rename, so that a reader sees the old or the new file and nothing between.
    Replace,
}

/// A file being written beside its final place. Dropping it removes what was written.
#[derive(Debug)]
pub struct PendingFile {
    directory: Directory,
    name: String,
    target: PathBuf,
    part: String,
    existing: Existing,
    file: Option<File>,
    digest: Md5,
    size: u64,
}

impl PendingFile {
    pub(crate) fn create(
        directory: &Directory,
        name: &RelativePath,
        existing: Existing,
    ) -> Result<Self, StorageError> {
        directory.remove_stale_parts(name, STALE);
        let prefix = part_prefix(file_name_of(name));
        let target = directory.path_of(name);
        loop {
            let file_name = format!("{prefix}{:08x}{PART_SUFFIX}", unique());
            let part = match parent_of(name) {
                Some(parent) => format!("{parent}/{file_name}"),
                None => file_name,
            };
            match directory
                .handle()
                .open_with(&part, OpenOptions::new().write(true).create_new(true))
            {
                Ok(file) => {
                    return Ok(Self {
                        directory: directory.clone(),
                        name: name.as_str().to_owned(),
                        target,
                        part,
                        existing,
                        file: Some(file),
                        digest: Md5::new(),
                        size: 0,
                    });
                }
                // Another process took this name first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StorageError::io("create", target)(error)),
            }
        }
    }

    /// How many bytes were written so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`StorageError::Io`]: the disk is full, or failed.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let file = self
            .file
            .as_mut()
            .expect("the file is open until it is published");
        file.write_all(bytes)
            .map_err(StorageError::io("write", &self.target))?;
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what was written, to begin again.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn restart(&mut self) -> Result<(), StorageError> {
        let file = self
            .file
            .as_mut()
            .expect("the file is open until it is published");
        io::Seek::rewind(file)
            .and_then(|()| file.set_len(0))
            .map_err(StorageError::io("truncate", &self.target))?;
        self.digest = Md5::new();
        self.size = 0;
        Ok(())
    }

    /// Checks the bytes, makes them durable (fsync of the file, rename, fsync of the directory), and gives them their
    /// final name.
    ///
    /// # Errors
    /// [`StorageError::Mismatch`] when they are not what was expected, [`StorageError::Exists`] when the target appeared
    /// meanwhile and may not be replaced, else [`StorageError::Io`]. Nothing is published then.
    pub fn publish(mut self, expected: &Expected) -> Result<(PathBuf, FileFacts), StorageError> {
        let facts = FileFacts {
            size: self.size,
            md5: self.digest.clone().finalize().into(),
        };
        expected
            .check(facts.size, facts.md5)
            .map_err(|source| StorageError::Mismatch {
                path: self.target.clone(),
                source,
            })?;
        let file = self.file.take().expect("the file is open until it is published");
        file.sync_all().map_err(StorageError::io("flush", &self.target))?;
        drop(file);
        let handle = self.directory.handle();
        match self.existing {
            Existing::Replace => {
                handle
                    .rename(&self.part, handle, &self.name)
                    .map_err(StorageError::io("publish", &self.target))?;
            }
            // A hard link fails when the target exists, which a rename does not: no other process's file is lost.
            Existing::Refuse => match handle.hard_link(&self.part, handle, &self.name) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(StorageError::Exists {
                        path: self.target.clone(),
                    });
                }
                // File systems without hard links: the check at the beginning is what is left.
                Err(_) => handle
                    .rename(&self.part, handle, &self.name)
                    .map_err(StorageError::io("publish", &self.target))?,
            },
        }
        sync_parent(&self.directory, parent_of_text(&self.name));
        Ok((self.target.clone(), facts))
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        self.file = None;
        // After a rename there is nothing to remove, and a part that stays is never trusted.
        let _ = self.directory.handle().remove_file(&self.part);
    }
}

/// How the names of a file's parts begin.
fn part_prefix(file_name: &str) -> String {
    let mut end = file_name.len().min(STEM);
    while !file_name.is_char_boundary(end) {
        end -= 1;
    }
    format!(".{}.", &file_name[..end])
}

/// Whether a name beside a file is that of one of its parts.
///
/// Files whose long names begin alike share their parts' names; the age that makes a part stale keeps them apart.
pub(crate) fn is_part_of(file_name: &str, candidate: &str) -> bool {
    candidate
        .strip_prefix(&*part_prefix(file_name))
        .and_then(|rest| rest.strip_suffix(PART_SUFFIX))
        .is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn parent_of_text(name: &str) -> &str {
    name.rsplit_once('/').map_or(".", |(parent, _)| parent)
}

/// Makes the new name durable. Not every file system can; the bytes are durable either way.
fn sync_parent(directory: &Directory, parent: &str) {
    if let Ok(opened) = directory.handle().open_dir(parent) {
        let _ = opened.into_std_file().sync_all();
    }
}

fn unique() -> u64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    u64::from(std::process::id()) << 20 | (count & 0xf_ffff)
}
