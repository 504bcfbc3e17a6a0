//! A file that is not there yet.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use wandb_core::path::RelativePath;

use crate::{
    Algorithm, ContentDigest, Directory, Expected, FileFacts, Hasher, RangeJournal, StorageError,
    part::{self, OpenPart},
    publish::{Published, VerifiedFile, publish_many},
};

/// Buffer for bytes that are read back to be hashed, in bytes.
const BUFFER: usize = 256 * 1024;

/// What to do when the target is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse, before anything is written and again when the file is published.
    Refuse,
    /// Replace it, by rename, so that a reader sees the old or the new file and nothing between.
    Replace,
}

/// A file being written beside its final place.
///
/// Bytes are hashed in the order of the file. [`append`](Self::append) writes and hashes at the end of what is hashed;
/// someone who writes elsewhere, through a [`PartWriter`], lets [`absorb`](Self::absorb) read back what became contiguous.
///
/// Dropping it removes what was written, unless it is resumable: then the next
/// [`begin_resumable`](Directory::begin_resumable) of the same content finds it.
#[derive(Debug)]
pub struct PendingFile {
    directory: Directory,
    name: RelativePath,
    target: PathBuf,
    part: String,
    key: Option<String>,
    existing: Existing,
    file: Option<Arc<File>>,
    hasher: Hasher,
    algorithm: Algorithm,
    size: u64,
    left: u64,
    is_journaled: bool,
}

/// Writes into a [`PendingFile`] at any place, from any thread. Nothing is hashed.
#[derive(Debug, Clone)]
pub struct PartWriter {
    file: Arc<File>,
    target: Arc<Path>,
}

impl PartWriter {
    /// Writes all bytes at an offset.
    ///
    /// # Errors
    /// [`StorageError::Io`]: the disk is full, or failed.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StorageError> {
        write_all_at(&self.file, bytes, offset).map_err(StorageError::io("write", &*self.target))
    }

    /// Lets the disk begin with what was written, and waits for it, so that the flush before the file is published is short.
    /// While it goes on, others write. What fails here fails again there.
    pub fn flush_early(&self) {
        let _ = self.file.sync_data();
    }
}

impl PendingFile {
    pub(crate) fn create(
        directory: &Directory,
        name: &RelativePath,
        existing: Existing,
        algorithm: Algorithm,
    ) -> Result<Self, StorageError> {
        let part = part::create_unique(directory, name)?;
        Ok(Self::new(directory, name, existing, algorithm, part, None))
    }

    pub(crate) fn resume(
        directory: &Directory,
        name: &RelativePath,
        existing: Existing,
        digest: &ContentDigest,
    ) -> Result<Self, StorageError> {
        let key = digest.hex();
        let algorithm = digest.algorithm();
        match part::open_keyed(directory, name, &key)? {
            Some(part) => Ok(Self::new(directory, name, existing, algorithm, part, Some(key))),
            // Another process is at it: both go on, and the last one to publish replaces equal bytes by equal bytes.
            None => Self::create(directory, name, existing, algorithm),
        }
    }

    fn new(
        directory: &Directory,
        name: &RelativePath,
        existing: Existing,
        algorithm: Algorithm,
        part: OpenPart,
        key: Option<String>,
    ) -> Self {
        Self {
            target: directory.path_of(name),
            directory: directory.clone(),
            name: name.clone(),
            part: part.name,
            key,
            existing,
            file: Some(Arc::new(part.file)),
            hasher: Hasher::new(algorithm),
            algorithm,
            size: 0,
            left: part.left,
            is_journaled: false,
        }
    }

    /// How many bytes were hashed so far, from the beginning of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes an earlier process left, as far as the length says; not verified. [`absorb`](Self::absorb) takes them
    /// over.
    #[must_use]
    pub fn left_over(&self) -> u64 {
        self.left
    }

    /// The final place, for messages.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Appends bytes and hashes them.
    ///
    /// # Errors
    /// [`StorageError::Io`]: the disk is full, or failed.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        write_all_at(self.file(), bytes, self.size).map_err(StorageError::io("write", &self.target))?;
        self.hash(bytes);
        Ok(())
    }

    /// Hashes bytes that a [`PartWriter`] has just written where the hashing stands, so that they need not be read back.
    pub fn hash(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Reads back and hashes what is on the disk, up to an offset.
    ///
    /// # Errors
    /// [`StorageError::Io`], also when the file ends before.
    pub fn absorb(&mut self, up_to: u64) -> Result<(), StorageError> {
        if up_to <= self.size {
            return Ok(());
        }
        let length = usize::try_from(up_to - self.size).unwrap_or(BUFFER).min(BUFFER);
        let mut buffer = vec![0; length];
        while self.size < up_to {
            let want = usize::try_from(up_to - self.size).unwrap_or(BUFFER).min(length);
            let count = read_at(self.file(), &mut buffer[..want], self.size)
                .and_then(|count| match count {
                    0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                    _ => Ok(count),
                })
                .map_err(StorageError::io("read back", &self.target))?;
            self.hasher.update(&buffer[..count]);
            self.size += count as u64;
        }
        Ok(())
    }

    /// A writer for bytes that do not come in order.
    #[must_use]
    pub fn writer(&self) -> PartWriter {
        PartWriter {
            file: Arc::clone(
                self.file
                    .as_ref()
                    .expect("the file is open until it is published"),
            ),
            target: Arc::from(self.target.as_path()),
        }
    }

    /// The journal of the pieces that were written. `head` names the object and the cut; a journal with another head is
    /// begun anew. `None` when the file is not resumable.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn journal(&mut self, head: &str, pieces: usize) -> Result<Option<RangeJournal>, StorageError> {
        let Some(name) = self.journal_name() else {
            return Ok(None);
        };
        self.is_journaled = true;
        RangeJournal::open(&self.directory, &name, head, pieces)
            .map(Some)
            .map_err(StorageError::io("write the journal of", &self.target))
    }

    fn journal_name(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        Some(part::part_name(&self.name, &format!("{key}-ranges")))
    }

    /// Forgets what was written, to begin again.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn restart(&mut self) -> Result<(), StorageError> {
        self.file()
            .set_len(0)
            .map_err(StorageError::io("truncate", &self.target))?;
        self.hasher = Hasher::new(self.algorithm);
        self.size = 0;
        self.left = 0;
        Ok(())
    }

    /// Compares the bytes with what was expected. What is wrong is removed.
    ///
    /// # Errors
    /// [`StorageError::Mismatch`].
    pub fn verify(mut self, expected: &Expected) -> Result<VerifiedFile, StorageError> {
        let facts = FileFacts {
            size: self.size,
            digest: self.hasher.clone().finish(),
        };
        if let Err(source) = expected.check(facts.size, &facts.digest) {
            self.discard();
            return Err(StorageError::Mismatch {
                path: self.target.clone(),
                source,
            });
        }
        let journal = self.journal_name();
        let file = self.file.take().expect("the file is open until it is published");
        Ok(VerifiedFile {
            directory: self.directory.clone(),
            name: self.name.clone(),
            part: Some(std::mem::take(&mut self.part)),
            journal,
            existing: self.existing,
            is_link: false,
            placed: None,
            file: Some(file),
            facts,
        })
    }

    /// Checks the bytes, makes them durable (fsync of the file, rename, fsync of the directory), and gives them their
    /// final name.
    ///
    /// # Errors
    /// [`StorageError::Mismatch`] when they are not what was expected, [`StorageError::Exists`] when the target appeared
    /// meanwhile and may not be replaced, else [`StorageError::Io`]. Nothing is published then.
    pub fn publish(self, expected: &Expected) -> Result<(PathBuf, FileFacts), StorageError> {
        let verified = self.verify(expected)?;
        let Published { path, facts, .. } = publish_many(vec![verified])
            .pop()
            .expect("one file in, one result out")?;
        Ok((path, facts))
    }

    /// Removes what was written, also of a resumable file.
    pub fn discard(&mut self) {
        self.key = self.journal_name().and_then(|journal| {
            let _ = self.directory.handle().remove_file(journal);
            None
        });
    }

    fn file(&self) -> &File {
        self.file
            .as_ref()
            .expect("the file is open until it is published")
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        // After `verify` the part is the verified file's.
        if self.part.is_empty() || (self.key.is_some() && (self.size > 0 || self.is_journaled)) {
            return;
        }
        // A part that stays is never trusted. It is removed before its lock goes, so that nobody continues it.
        let _ = self.directory.handle().remove_file(&self.part);
        self.file = None;
    }
}

#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match std::os::unix::fs::FileExt::read_at(file, buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(windows)]
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
            0 => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            count => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
        }
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
