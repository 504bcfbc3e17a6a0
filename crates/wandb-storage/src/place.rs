//! A file from another place on the same machine: shared, linked, or copied.

use std::{fs::File, io, sync::Arc};

use wandb_core::path::RelativePath;

use crate::{
    Directory, Existing, FileFacts, FileStat, StorageError, part, publish::VerifiedFile, stat::Found,
};

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
    /// The result is published like any other ([`publish_many`](crate::publish_many)). A hard link is made durable by its
    /// source being so.
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
        self.make_way(name, existing)?;
        if placement == Placement::HardLink
            && let Some(placed) = self.link_from(name, existing, source, facts)?
        {
            // The link itself changes the source's `ctime`, and nothing else.
            let is_same = matches!(from.look_at(from_name)?, Found::File(now)
                if now.size == stat.size && now.modified == stat.modified && now.inode == stat.inode);
            return Ok(is_same.then_some(placed));
        }
        let failed = |error| StorageError::io("read", from.path_of(from_name))(error);
        let mut original = match from.handle().open(from_name.as_str()) {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let opened = part::create_unique(self, name)?;
        let placed = VerifiedFile {
            directory: self.clone(),
            name: name.clone(),
            part: Some(opened.name),
            journal: None,
            existing,
            is_link: false,
            file: Arc::new(opened.file),
            facts: *facts,
        };
        if !clone_blocks(&placed.file, &original) {
            // The standard library lets the kernel copy where it can.
            let copied = io::copy(&mut original, &mut &*placed.file)
                .map_err(StorageError::io("write", self.path_of(name)))?;
            if copied != stat.size {
                return Ok(None);
            }
        }
        Ok((from.look_at(from_name)? == Found::File(*stat)).then_some(placed))
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
        let file = self
            .handle()
            .open(&part)
            .map_err(StorageError::io("open", self.path_of(name)))?
            .into_std();
        Ok(Some(VerifiedFile {
            directory: self.clone(),
            name: name.clone(),
            part: Some(part),
            journal: None,
            existing,
            is_link: true,
            file: Arc::new(file),
            facts: *facts,
        }))
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
