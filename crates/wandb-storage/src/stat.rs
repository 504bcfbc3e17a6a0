//! What the file system says of a file without its bytes being read.

use std::io;

use cap_std::fs::{Metadata, MetadataExt};

/// The facts by which a file that was once verified is known again: as long as none of them changed, neither have the
/// bytes, but for someone who forges times.
///
/// `ctime` cannot be set by a program, so a changed file whose modification time was put back is noticed, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileStat {
    /// The size in bytes.
    pub size: u64,
    /// When the bytes last changed, in nanoseconds since 1970.
    pub modified: i128,
    /// When the file's data or its description last changed (Unix), in nanoseconds since 1970; `modified` elsewhere.
    pub changed: i128,
    /// The number of the file within its file system (Unix); 0 elsewhere.
    pub inode: u64,
}

/// What is under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// An ordinary file.
    File(FileStat),
    /// A directory.
    Directory,
    /// A symbolic link, a device, a pipe, or a socket. Links are not followed.
    Other,
}

impl Found {
    pub(crate) fn of(metadata: io::Result<Metadata>) -> io::Result<Self> {
        match metadata {
            Ok(metadata) if metadata.is_file() => Ok(Self::File(FileStat::of(&metadata))),
            Ok(metadata) if metadata.is_dir() => Ok(Self::Directory),
            Ok(_) => Ok(Self::Other),
            // A file where a parent directory should be means that the name is not there either.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Self::Nothing)
            }
            Err(error) => Err(error),
        }
    }
}

impl FileStat {
    /// Whether it is the same file with the same bytes, and at most its description changed, as by a further hard link. Unlike
    /// with all facts equal, a change of the bytes by someone who puts the modification time back is not noticed.
    #[must_use]
    pub fn is_same_but_changed(&self, later: &Self) -> bool {
        self.size == later.size && self.modified == later.modified && self.inode == later.inode
    }

    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| {
                time.into_std()
                    .duration_since(std::time::SystemTime::UNIX_EPOCH)
                    .ok()
            })
            .map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(i128::MAX));
        Self {
            size: metadata.len(),
            modified,
            changed: modified,
            inode: 0,
        }
    }
}

/// Whether an open file is still what the name says: not removed, not renamed, not replaced by a link since it was opened.
#[cfg(unix)]
pub(crate) fn is_still_named(file: &std::fs::File, by_name: io::Result<Metadata>) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let opened = file.metadata()?;
    match by_name {
        Ok(named) => Ok(named.is_file() && named.ino() == opened.ino() && named.dev() == opened.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where open files cannot be renamed or removed, the name stays.
#[cfg(not(unix))]
pub(crate) fn is_still_named(_: &std::fs::File, by_name: io::Result<Metadata>) -> io::Result<bool> {
    by_name.map(|named| named.is_file())
}
