//! The data directory: what its files are called, who may use it, and the key that it keeps.

use std::path::Path;

use super::StartError;
use crate::store::names;

/// Name of the database in the data directory.
pub(crate) const DATABASE: &str = "wandb.sqlite3";
/// Name of the folder of file bytes.
pub(super) const FILES: &str = "files";
/// Name of the file that a process locks while it has the data directory open.
const LOCK_FILE: &str = "lock";
/// Name of the file that keeps the generated API key. Only its owner may read it.
pub(super) const KEY_FILE: &str = "api-key";

/// Takes the data directory for this process. The system gives it back when the process ends, however it ends.
pub(crate) fn lock(dir: &Path) -> Result<std::fs::File, StartError> {
    let path = dir.join(LOCK_FILE);
    let unusable = |source: std::io::Error| StartError::Directory {
        path: path.clone(),
        source: Box::new(source),
    };
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse { path: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// The key in a file; a new one when there is no file. Two servers that start at once agree on one key, because only
/// one of them can create the file.
pub(super) fn stored_key(path: &Path) -> Result<String, StartError> {
    use std::io::Write as _;
    let unusable = |source: std::io::Error| StartError::Directory {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut bytes = [0_u8; 20];
    names::random(&mut bytes).map_err(StartError::System)?;
    let fresh = names::hex(&bytes);
    let dir = path.parent().unwrap_or(Path::new("."));
    // Whole or not at all: written aside (by `tempfile`, readable by the owner only), then linked under its name.
    let mut aside = tempfile::NamedTempFile::new_in(dir).map_err(unusable)?;
    aside
        .write_all(fresh.as_bytes())
        .and_then(|()| aside.as_file().sync_all())
        .map_err(unusable)?;
    match aside.persist_noclobber(path) {
        Ok(_) => Ok(fresh),
        Err(failure) if failure.error.kind() == std::io::ErrorKind::AlreadyExists => {
            let key = std::fs::read_to_string(path).map_err(unusable)?.trim().to_owned();
            if key.is_empty() {
                return Err(unusable(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    "the file is empty",
                )));
            }
            Ok(key)
        }
        Err(failure) => Err(unusable(failure.error)),
    }
}
