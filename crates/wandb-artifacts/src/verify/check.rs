//! One file against its entry.

use std::{
    fs::File,
    io::{self, Read},
};

use wandb_core::path::RelativePath;
use wandb_storage::{Directory, EntryKind, StorageError};

use crate::digest::{ContentDigest, Hasher};

use super::VerifyObserver;

/// Bytes that are read at once.
pub(crate) const BUFFER: usize = 256 * 1024;

/// What became of one file.
#[derive(Debug)]
pub(crate) enum Outcome {
    Verified { size: u64 },
    Missing,
    Changed { actual: ContentDigest },
    WrongSize { expected: u64, actual: u64 },
    WrongType { found: EntryKind },
    Unreadable { reason: String },
}

/// Reads one file, if its size is the right one, and compares its digest. Opens it once and looks at it through that handle.
/// `None` when the observer cancelled.
pub(crate) fn check_file(
    directory: &Directory,
    name: &RelativePath,
    size: Option<u64>,
    digest: ContentDigest,
    buffer: &mut [u8],
    observer: Option<&dyn VerifyObserver>,
) -> Option<Outcome> {
    let file = match directory.open(name) {
        Ok(Some(file)) => file,
        Ok(None) => return Some(Outcome::Missing),
        Err(error) => return Some(unreadable(error)),
    };
    match check_open(file, size, digest, buffer, observer) {
        Ok(outcome) => outcome,
        Err(error) => Some(Outcome::Unreadable {
            reason: error.to_string(),
        }),
    }
}

fn check_open(
    mut file: File,
    size: Option<u64>,
    digest: ContentDigest,
    buffer: &mut [u8],
    observer: Option<&dyn VerifyObserver>,
) -> io::Result<Option<Outcome>> {
    let facts = file.metadata()?;
    if !facts.is_file() {
        let found = if facts.is_dir() {
            EntryKind::Directory
        } else {
            EntryKind::Other
        };
        return Ok(Some(Outcome::WrongType { found }));
    }
    if let Some(expected) = size
        && expected != facts.len()
    {
        return Ok(Some(Outcome::WrongSize {
            expected,
            actual: facts.len(),
        }));
    }
    let mut hasher = Hasher::new(digest.algorithm());
    let mut read = 0;
    loop {
        let count = match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        read += count as u64;
        if let Some(observer) = observer {
            observer.advance(count as u64);
            if observer.is_cancelled() {
                return Ok(None);
            }
        }
    }
    // Someone wrote to it meanwhile.
    if let Some(expected) = size
        && expected != read
    {
        return Ok(Some(Outcome::WrongSize {
            expected,
            actual: read,
        }));
    }
    let actual = hasher.finish();
    Ok(Some(if actual == digest {
        Outcome::Verified { size: read }
    } else {
        Outcome::Changed { actual }
    }))
}

fn unreadable(error: StorageError) -> Outcome {
    let reason = match error {
        StorageError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    Outcome::Unreadable { reason }
}
