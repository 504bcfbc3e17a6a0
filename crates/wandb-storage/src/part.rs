//! The names and the locks of files that are not complete.
//!
//! A part lies beside its target, so that it can be renamed, and is locked by whoever writes it. A lock ends with its
//! process, however that ends, so a part that nobody has locked belongs to a process that is gone: it is continued or
//! removed.

use std::{
    fs::{File, TryLockError},
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use cap_std::fs::OpenOptions;
use wandb_core::path::RelativePath;

use crate::{
    Directory, StorageError,
    directory::{file_name_of, parent_of},
    stat::is_still_named,
};

/// The end of the name of every file that is not complete and verified.
pub const PART_SUFFIX: &str = ".wb-part";

/// How old a part must be to be called stale where files cannot be locked: no download writes nothing for so long (the
/// transport's idle timeout ends it first).
const STALE: Duration = Duration::from_secs(60 * 60);

/// The longest stem that is kept in a part's name, in bytes; names are limited to 255.
const STEM: usize = 180;

/// How often a part that disappears between opening and locking, or is locked, is opened again.
const OPENINGS: u32 = 16;

/// How long a locked part is waited for in all: a transfer of this process that was dropped may still have a write under way.
const PATIENCE: Duration = Duration::from_millis(320);

/// The name of a part with this key, in the directory of `name`.
pub(crate) fn part_name(name: &RelativePath, key: &str) -> String {
    let file_name = format!("{}{key}{PART_SUFFIX}", part_prefix(file_name_of(name)));
    match parent_of(name) {
        Some(parent) => format!("{parent}/{file_name}"),
        None => file_name,
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

/// Whether a name beside a file is that of one of its parts. Files whose long names begin alike share their parts' names;
/// the lock keeps them apart.
pub(crate) fn is_part_of(file_name: &str, candidate: &str) -> bool {
    candidate
        .strip_prefix(&*part_prefix(file_name))
        .and_then(|rest| rest.strip_suffix(PART_SUFFIX))
        .is_some_and(is_key)
}

/// Whether a file name is that of a part, of whatever file.
#[must_use]
pub fn is_part(file_name: &str) -> bool {
    file_name.starts_with('.')
        && file_name
            .strip_suffix(PART_SUFFIX)
            .and_then(|rest| rest.get(1..)?.rsplit_once('.'))
            .is_some_and(|(stem, key)| !stem.is_empty() && is_key(key))
}

fn is_key(text: &str) -> bool {
    let text = text.strip_suffix("-ranges").unwrap_or(text);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A part that is open and, where the file system can, locked.
#[derive(Debug)]
pub(crate) struct OpenPart {
    pub(crate) file: File,
    pub(crate) name: String,
    /// How many bytes an earlier process left in it.
    pub(crate) left: u64,
}

/// A name that this process has not used, and hardly any other.
pub(crate) fn unique_name(name: &RelativePath) -> String {
    part_name(name, &format!("{:08x}", unique()))
}

/// Makes a part of a name of its own.
pub(crate) fn create_unique(directory: &Directory, name: &RelativePath) -> Result<OpenPart, StorageError> {
    loop {
        let part = unique_name(name);
        let opened = directory
            .handle()
            .open_with(&part, OpenOptions::new().read(true).write(true).create_new(true));
        let file = match opened {
            Ok(file) => file.into_std(),
            // Another process took this name first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(StorageError::io("create", directory.path_of(name))(error)),
        };
        // Without locks on this file system, age is what keeps others away.
        let _ = file.try_lock();
        // Between creation and lock, someone who clears up may have taken it for abandoned.
        let is_ours = is_still_named(&file, directory.handle().symlink_metadata(&part))
            .map_err(StorageError::io("look at", directory.path_of(name)))?;
        if is_ours {
            return Ok(OpenPart {
                file,
                name: part,
                left: 0,
            });
        }
    }
}

/// Opens or makes the part with a key that its content determines. `None` when another process writes it at this moment, or
/// when files cannot be locked here.
pub(crate) fn open_keyed(
    directory: &Directory,
    name: &RelativePath,
    key: &str,
) -> Result<Option<OpenPart>, StorageError> {
    let part = part_name(name, key);
    let failed = |error| StorageError::io("create", directory.path_of(name))(error);
    for _ in 0..OPENINGS {
        let file = directory
            .handle()
            .open_with(&part, OpenOptions::new().read(true).write(true).create(true))
            .map_err(failed)?
            .into_std();
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(PATIENCE / OPENINGS);
                continue;
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        // It may have been published or removed after it was opened: then it is somebody else's file by now.
        if is_still_named(&file, directory.handle().symlink_metadata(&part)).map_err(failed)? {
            let left = file.metadata().map_err(failed)?.len();
            return Ok(Some(OpenPart {
                file,
                name: part,
                left,
            }));
        }
    }
    Ok(None)
}

/// Removes the parts in one directory that killed processes left, if `is_wanted` does not speak for them. Gives their
/// number. Best effort: a part that stays is never trusted.
pub(crate) fn sweep(directory: &Directory, parent: &str, is_wanted: &dyn Fn(&str) -> bool) -> usize {
    let Ok(entries) = directory.handle().read_dir(parent) else {
        return 0;
    };
    let mut removed = 0;
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some(text) = file_name.to_str() else { continue };
        if !is_part(text) || is_wanted(text) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = entry.open_with(OpenOptions::new().read(true).write(true)) else {
            continue;
        };
        let file = file.into_std();
        let is_abandoned = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => file
                .metadata()
                .and_then(|facts| facts.modified())
                .is_ok_and(|written| written.elapsed().is_ok_and(|passed| passed >= STALE)),
        };
        // Its writer may have published it after it was listed: what is removed must be the file that is locked.
        let path = if parent == "." {
            text.to_owned()
        } else {
            format!("{parent}/{text}")
        };
        if is_abandoned
            && is_still_named(&file, directory.handle().symlink_metadata(&path)).is_ok_and(|same| same)
            && entry.remove_file().is_ok()
        {
            removed += 1;
        }
    }
    removed
}

pub(crate) fn unique() -> u64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    u64::from(std::process::id()) << 24 | (count & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_names() {
        let name = wandb_core::path::safe_relative_path("a/b.c").unwrap();
        for key in ["0f", "00112233445566778899aabbccddeeff", "0f-ranges"] {
            let part = part_name(&name, key);
            let file_name = part.strip_prefix("a/").unwrap();
            assert!(is_part(file_name) && is_part_of("b.c", file_name), "{part}");
        }
        for other in [
            "b.c",
            ".wb-part",
            "..wb-part",
            "..0f.wb-part",
            ".b.xyz.wb-part",
            ".b.wb-part",
            "b.0f.wb-part",
            ".b.-ranges.wb-part",
            "",
            ".",
        ] {
            assert!(!is_part(other), "{other}");
        }
    }
}
