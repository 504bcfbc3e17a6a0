//! A file from another place on the same machine: shared, linked, or copied.

use std::{
    fs::File,
    io::{self, Read, Write},
    sync::Arc,
};

use wandb_core::path::RelativePath;

use crate::{
    Directory, Existing, FileFacts, FileStat, StorageError, part, publish::VerifiedFile, stat::Found,
};

/// What is copied at a time, in bytes: well below the second-level cache of a processor.
const COPY_BUFFER: usize = 64 * 1024;

/// How a verified file gets from one place of the disk to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// By sharing the blocks until one of the two is written to (a reflink), where the file system can; else by copying.
    #[default]
    Copy,
    /// By a second name for the same bytes. It takes no space and no time, and whoever writes into one changes the other.
    /// Where that is not possible, as by `Copy`.
    HardLink,
}

impl Directory {
    /// Takes over a file of another directory (often a cache) whose bytes are known, by `proof`, to have the given size and
    /// digest. The bytes are not read again; instead, the source must have the same proof after as before.
    ///
    /// The result is published like any other ([`publish_many`](crate::publish_many)). The bytes of a hard link are as durable
    /// as those of its source, so the source must have been flushed. Where nothing is under the name, a link is made there at
    /// once: the bytes are verified already, and of two names for them none is a part.
    ///
    /// A link changes the `ctime` of its source, and nothing else: [`VerifiedFile::linked_stat`].
    ///
    /// `None` when the source is not, or is no longer, what the proof says.
    ///
    /// # Errors
    /// [`StorageError::Exists`], [`StorageError::Io`].
    pub fn place_from(
        &self,
        name: &RelativePath,
        existing: Existing,
        source: (&Self, &RelativePath),
        proof: (&FileStat, &FileFacts),
        placement: Placement,
    ) -> Result<Option<VerifiedFile>, StorageError> {
        let (from, from_name) = source;
        let (stat, facts) = proof;
        if from.look_at(from_name)? != Found::File(*stat) {
            return Ok(None);
        }
        if placement == Placement::HardLink
            && let Some(placed) = self.link_at_once(name, existing, source, proof)?
        {
            return Ok(placed);
        }
        self.make_way(name, existing)?;
        if placement == Placement::HardLink
            && let Some(placed) = self.link_from(name, existing, source, facts)?
        {
            let is_same =
                matches!(from.look_at(from_name)?, Found::File(now) if stat.is_same_but_changed(&now));
            return Ok(is_same.then_some(placed));
        }
        let failed = |error| StorageError::io("read", from.path_of(from_name))(error);
        let original = match from.handle().open(from_name.as_str()) {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let opened = part::create_unique(self, name)?;
        let file = Arc::new(opened.file);
        let placed = VerifiedFile {
            directory: self.clone(),
            name: name.clone(),
            part: Some(opened.name),
            journal: None,
            existing,
            is_link: false,
            placed: None,
            file: Some(Arc::clone(&file)),
            facts: *facts,
        };
        if !clone_blocks(&file, &original) {
            let copied = copy_bytes(&original, &file, stat.size)
                .map_err(StorageError::io("write", self.path_of(name)))?;
            if copied != stat.size {
                return Ok(None);
            }
        }
        Ok((from.look_at(from_name)? == Found::File(*stat)).then_some(placed))
    }

    /// Links to the final name if nothing is there. `None` when that cannot be done; `Some(None)` when the source changed.
    fn link_at_once(
        &self,
        name: &RelativePath,
        existing: Existing,
        (from, from_name): (&Self, &RelativePath),
        (stat, facts): (&FileStat, &FileFacts),
    ) -> Result<Option<Option<VerifiedFile>>, StorageError> {
        let link = || {
            from.handle()
                .hard_link(from_name.as_str(), self.handle(), name.as_str())
        };
        let mut linked = link();
        if matches!(&linked, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            self.make_way(name, existing)?;
            linked = link();
        }
        if linked.is_err() {
            return Ok(None);
        }
        let Found::File(now) = self.look_at(name)? else {
            return Ok(Some(None));
        };
        if !stat.is_same_but_changed(&now) {
            // Of the file that was verified nobody knows what it is now. What is no name of it is somebody else's.
            if now.inode == stat.inode {
                self.remove(name)?;
            }
            return Ok(Some(None));
        }
        Ok(Some(Some(VerifiedFile {
            directory: self.clone(),
            name: name.clone(),
            part: None,
            journal: None,
            existing,
            is_link: true,
            placed: Some(now),
            file: None,
            facts: *facts,
        })))
    }

    fn link_from(
        &self,
        name: &RelativePath,
        existing: Existing,
        (from, from_name): (&Self, &RelativePath),
        facts: &FileFacts,
    ) -> Result<Option<VerifiedFile>, StorageError> {
        let part = loop {
            let part = part::unique_name(name);
            match from.handle().hard_link(from_name.as_str(), self.handle(), &part) {
                Ok(()) => break part,
                // Another process took this name first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(_) => return Ok(None),
            }
        };
        Ok(Some(VerifiedFile {
            directory: self.clone(),
            name: name.clone(),
            part: Some(part),
            journal: None,
            existing,
            is_link: true,
            placed: None,
            file: None,
            facts: *facts,
        }))
    }
}

/// Copies all bytes through a small buffer and says how many they were; `size` is what is expected.
///
/// `io::copy` is not it: Linux then copies page by page inside of the kernel (`copy_file_range`). In large downloads that took
/// more processor time than a buffer that stays in the cache of the processor; how much more depends on the state of the memory.
fn copy_bytes(mut source: &File, mut target: &File, size: u64) -> io::Result<u64> {
    let length = usize::try_from(size).unwrap_or(COPY_BUFFER).clamp(1, COPY_BUFFER);
    let mut buffer = vec![0; length];
    let mut copied = 0;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => {
                target.write_all(&buffer[..count])?;
                copied += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(target_os = "linux")]
fn clone_blocks(target: &File, source: &File) -> bool {
    rustix::fs::ioctl_ficlone(target, source).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn clone_blocks(_: &File, _: &File) -> bool {
    false
}
