//! Putting bytes into the folder.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use md5::{Digest as _, Md5};
use tempfile::NamedTempFile;
use thiserror::Error;
use twox_hash::XxHash3_128;

use super::digest::{Md5Digest, Xxh128Digest};
use super::store::{BlobStore, Pin, blocking};

/// How much of a body is held in memory before it is hashed and written.
const WRITE_BYTES: usize = 512 << 10;

/// What the sender said about the bytes. What is not `None` must be true.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    pub(crate) md5: Option<Md5Digest>,
    /// Computed only where it is asked for: files are named by their MD5 whatever they were declared by.
    pub(crate) xxh128: Option<Xxh128Digest>,
    pub(crate) size: Option<u64>,
}

/// A blob that has been put in place. While this is alive, the blob cannot be deleted; keep it until the database
/// refers to the digest.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) digest: Md5Digest,
    pub(crate) size: u64,
    _pin: Pin,
}

/// Why bytes were not stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum BlobError {
    /// The folder could not be written.
    #[error("cannot store the file")]
    Io(#[from] io::Error),
    /// The sender broke off.
    #[error("the upload broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not the bytes that were announced.
    #[error("the {algorithm} of the upload is {found}, not {expected}")]
    Digest {
        /// `MD5` or `XXH128`.
        algorithm: &'static str,
        /// As announced, in base64.
        expected: String,
        /// Of the bytes that arrived, in base64.
        found: String,
    },
    /// Not as many bytes as were announced.
    #[error("the upload has {found} bytes, not {expected}")]
    Size {
        /// As announced.
        expected: u64,
        /// As arrived.
        found: u64,
    },
}

impl BlobStore {
    /// Stores a body, hashing it while it is written. Memory is bounded whatever its size. On any failure, or when the
    /// future is dropped, nothing is left behind.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub(crate) async fn put<B, E>(&self, body: B, expected: Expected) -> Result<Stored, BlobError>
    where
        B: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut body = std::pin::pin!(body);
        let mut upload: Option<Upload> = None;
        let mut pending: Vec<Bytes> = Vec::new();
        let mut pending_bytes = 0;
        loop {
            let chunk = body
                .next()
                .await
                .transpose()
                .map_err(|error| BlobError::Body(error.into()))?;
            let ended = chunk.is_none();
            if let Some(chunk) = chunk {
                pending_bytes += chunk.len();
                pending.push(chunk);
            }
            if ended {
                let store = self.clone();
                let stored = blocking(move || {
                    let mut upload = upload.map_or_else(|| Upload::start(&store, expected), Ok)?;
                    upload.write(&pending)?;
                    Ok(upload.finish(&store, expected))
                });
                return stored.await?;
            }
            if pending_bytes >= WRITE_BYTES {
                let (store, blocks) = (self.clone(), std::mem::take(&mut pending));
                pending_bytes = 0;
                upload = Some(
                    blocking(move || {
                        let mut upload = upload.map_or_else(|| Upload::start(&store, expected), Ok)?;
                        upload.write(&blocks)?;
                        Ok(upload)
                    })
                    .await?,
                );
            }
        }
    }

    /// Stores bytes that are in memory; blocks.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn put_bytes(&self, bytes: Bytes) -> Result<Stored, BlobError> {
        let mut upload = Upload::start(self, Expected::default())?;
        upload.write(&[bytes])?;
        upload.finish(self, Expected::default())
    }
}

/// A file in `incoming/`. Dropping it removes the file.
struct Upload {
    file: NamedTempFile,
    hasher: Md5,
    xxh128: Option<Box<XxHash3_128>>,
    size: u64,
}

impl Upload {
    fn start(store: &BlobStore, expected: Expected) -> io::Result<Self> {
        Ok(Self {
            file: NamedTempFile::new_in(store.incoming())?,
            hasher: Md5::new(),
            xxh128: expected.xxh128.map(|_| Box::default()),
            size: 0,
        })
    }

    fn write(&mut self, blocks: &[Bytes]) -> io::Result<()> {
        for block in blocks {
            self.hasher.update(block);
            if let Some(xxh128) = &mut self.xxh128 {
                xxh128.write(block);
            }
            self.file.write_all(block)?;
            self.size += block.len() as u64;
        }
        Ok(())
    }

    /// Checks what was announced, then publishes the file under its digest.
    fn finish(self, store: &BlobStore, expected: Expected) -> Result<Stored, BlobError> {
        let digest = Md5Digest::new(self.hasher.finalize().into());
        if let Some(expected) = expected.size.filter(|size| *size != self.size) {
            return Err(BlobError::Size {
                expected,
                found: self.size,
            });
        }
        if let Some(expected) = expected.md5.filter(|md5| *md5 != digest) {
            return Err(BlobError::Digest {
                algorithm: "MD5",
                expected: expected.to_base64(),
                found: digest.to_base64(),
            });
        }
        if let (Some(expected), Some(hasher)) = (expected.xxh128, &self.xxh128) {
            let found = Xxh128Digest::new(hasher.finish_128().to_be_bytes());
            if found != expected {
                return Err(BlobError::Digest {
                    algorithm: "XXH128",
                    expected: expected.to_base64(),
                    found: found.to_base64(),
                });
            }
        }
        // Pinned before the look at what exists: from here on the blob cannot be deleted.
        let pin = store.pin(digest);
        let path = store.path(digest);
        let complete =
            fs::metadata(&path).is_ok_and(|existing| existing.is_file() && existing.len() == self.size);
        if !complete {
            self.file.as_file().sync_all()?;
            let shard = path.parent().unwrap_or(store.root());
            let created = !shard.is_dir();
            fs::create_dir_all(shard)?;
            self.file.persist(&path).map_err(|error| error.error)?;
            sync_folder(shard)?;
            if created {
                let above = shard.parent().unwrap_or(store.root());
                sync_folder(above)?;
                sync_folder(store.root())?;
            }
        }
        Ok(Stored {
            digest,
            size: self.size,
            _pin: pin,
        })
    }
}

/// Makes the names in a folder durable. Only Unix has a way to ask for it.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}
