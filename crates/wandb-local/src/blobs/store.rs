//! The folder of blobs: reading, deleting and listing.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::digest::Md5Digest;

/// How much is read from disk at a time.
const READ_BYTES: usize = 256 << 10;
/// The folder of uploads in progress.
const INCOMING: &str = "incoming";

/// A handle on the folder; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct BlobStore {
    root: Arc<Path>,
    pins: Arc<Mutex<HashMap<Md5Digest, usize>>>,
}

/// A blob that is open for reading. It stays readable when it is deleted meanwhile.
#[derive(Debug)]
pub(crate) struct Blob {
    file: File,
    size: u64,
}

impl BlobStore {
    /// Opens or creates the folder, and removes what unfinished uploads of an earlier process left. The folder must
    /// not be in use by another process.
    ///
    /// # Errors
    /// The folder cannot be created or read.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let incoming = root.join(INCOMING);
        fs::create_dir_all(&incoming)?;
        for entry in fs::read_dir(&incoming)? {
            let path = entry?.path();
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "an unfinished upload cannot be removed");
                }
                _ => {}
            }
        }
        Ok(Self {
            root: root.into(),
            pins: Arc::default(),
        })
    }

    /// Opens a blob; `None` if there is none of this digest.
    ///
    /// # Errors
    /// The file exists but cannot be opened.
    pub(crate) async fn read(&self, digest: Md5Digest) -> io::Result<Option<Blob>> {
        let path = self.path(digest);
        blocking(move || {
            let file = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            let size = file.metadata()?.len();
            Ok(Some(Blob { file, size }))
        })
        .await
    }

    /// Opens a blob for reading at once; blocks.
    ///
    /// # Errors
    /// The file does not exist, or cannot be opened.
    pub(crate) fn open_file(&self, digest: Md5Digest) -> io::Result<File> {
        File::open(self.path(digest))
    }

    /// Whether a blob is there with this size; blocks.
    pub(crate) fn holds(&self, digest: Md5Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|found| found.is_file() && found.len() == size)
    }

    /// Removes a blob that nothing in the database refers to; true when it is gone. Does nothing if an upload of the same
    /// content is between its end and its entry in the database ([`Stored`](super::Stored) is alive).
    ///
    /// Call this inside the database job that found the digest unused: such jobs run one after the other, so that no
    /// upload can make its entry between the finding and the removal.
    ///
    /// # Errors
    /// The file exists but cannot be removed.
    pub(crate) fn delete(&self, digest: Md5Digest) -> io::Result<bool> {
        let pins = self.pins();
        if pins.contains_key(&digest) {
            return Ok(false);
        }
        // Still under the lock, which an upload needs before it relies on a file that it finds.
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            outcome => outcome.map(|()| true),
        }
    }

    /// Every blob, in no order, with what else the shard folders hold left out.
    ///
    /// # Errors
    /// The root folder cannot be read. Items are errors where one of its folders cannot be.
    pub(crate) fn iter(&self) -> io::Result<impl Iterator<Item = io::Result<Md5Digest>> + use<>> {
        let folders = |path: &Path| -> io::Result<Vec<PathBuf>> {
            let mut paths = fs::read_dir(path)?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()?;
            paths.retain(|path| path.is_dir() && path.file_name().is_some_and(|name| name != INCOMING));
            Ok(paths)
        };
        let flatten = |paths: io::Result<Vec<PathBuf>>| match paths {
            Ok(paths) => paths.into_iter().map(Ok).collect::<Vec<_>>().into_iter(),
            Err(error) => vec![Err(error)].into_iter(),
        };
        let shards = folders(&self.root)?
            .into_iter()
            .flat_map(move |outer| flatten(folders(&outer)));
        Ok(shards.flat_map(|shard| {
            let entries = shard.and_then(fs::read_dir);
            match entries {
                Ok(entries) => entries
                    .filter_map(|entry| match entry {
                        Ok(entry) => Md5Digest::from_hex(entry.file_name().to_str()?).map(Ok),
                        Err(error) => Some(Err(error)),
                    })
                    .collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        }))
    }

    /// Where a blob is or will be.
    pub(super) fn path(&self, digest: Md5Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(&name[2..4]).join(name)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    /// From here on, [`delete`](Self::delete) leaves the blob alone, until the pin is dropped.
    pub(super) fn pin(&self, digest: Md5Digest) -> Pin {
        *self.pins().entry(digest).or_default() += 1;
        Pin {
            store: self.clone(),
            digest,
        }
    }

    fn pins(&self) -> MutexGuard<'_, HashMap<Md5Digest, usize>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a blob from being deleted.
#[derive(Debug)]
pub(super) struct Pin {
    store: BlobStore,
    digest: Md5Digest,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.store.pins();
        if let Some(count) = pins.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.digest);
            }
        }
    }
}

impl Blob {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a range, a block at a time. A file that turns out shorter than its size ends early, which the
    /// receiver sees by the announced length.
    ///
    /// # Errors
    /// The file cannot be positioned.
    pub(crate) async fn stream(
        self,
        range: Range<u64>,
    ) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let mut file = tokio::fs::File::from_std(self.file);
        if range.start > 0 {
            file.seek(io::SeekFrom::Start(range.start)).await?;
        }
        let length = range.end.saturating_sub(range.start);
        let block = usize::try_from(length).unwrap_or(READ_BYTES).clamp(1, READ_BYTES);
        file.set_max_buf_size(block);
        Ok(ReaderStream::with_capacity(file.take(length), block))
    }
}

/// Runs file work where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}
