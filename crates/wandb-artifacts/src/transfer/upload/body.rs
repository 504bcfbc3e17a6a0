//! Bytes on their way to the server, hashed once more as they go.
//!
//! A file can change between the moment at which it was hashed and the moment at which it is sent. So the last piece of a body
//! is held back until the digest of all is known to be right: of a file that changed the server never gets a whole body.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use wandb_core::{
    Error, ErrorKind, Result,
    client::{Client, Put},
};
use wandb_storage::open_ordinary;
use wandb_transport::{Body, TransportError, TransportErrorKind};

use super::source::LocalSource;
use crate::{
    digest::{ContentDigest, Hasher},
    transfer::Progress,
};

/// How much is read at a time, in bytes. Of each body two are in memory at most: one that is sent, one that is read.
const PIECE: usize = 1 << 20;

/// A range of a local source with its digest.
#[derive(Debug, Clone)]
pub(super) struct Section {
    source: LocalSource,
    offset: u64,
    length: u64,
    digest: ContentDigest,
    /// What went wrong while it was read. The transport only sees a body that broke off.
    fault: Arc<Mutex<Option<Error>>>,
    progress: Arc<dyn Progress>,
    /// How many bytes of the attempt were told to the progress.
    told: Arc<AtomicU64>,
}

struct Reading {
    file: File,
    hasher: Hasher,
    left: u64,
}

enum State {
    Closed(Section),
    Open(Section, Reading),
    Done,
}

impl Section {
    pub(super) fn new(
        source: LocalSource,
        (offset, length): (u64, u64),
        digest: ContentDigest,
        progress: &Arc<dyn Progress>,
    ) -> Self {
        Self {
            source,
            offset,
            length,
            digest,
            fault: Arc::default(),
            progress: Arc::clone(progress),
            told: Arc::default(),
        }
    }

    /// Sends it, in as many attempts as the client makes, and gives the headers of the answer.
    pub(super) async fn put(&self, client: &Client, put: &Put) -> Result<HeaderMap> {
        match client.put(put, || self.body()).await {
            Ok(headers) => {
                self.tell(self.length);
                Ok(headers)
            }
            Err(error) => {
                self.tell(0);
                let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
                // The reason why the body broke off, if it was here.
                Err(fault.unwrap_or(error))
            }
        }
    }

    /// So many bytes count from now on.
    fn tell(&self, bytes: u64) {
        let before = self.told.swap(bytes, Ordering::Relaxed);
        if bytes > before {
            self.progress.advance(bytes - before);
        } else if before > bytes {
            self.progress.retract(before - bytes);
        }
    }

    /// The body, from its beginning; called once for each attempt.
    fn body(&self) -> Body {
        self.tell(0);
        match &self.source {
            LocalSource::Bytes(bytes) => {
                let start = usize::try_from(self.offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let end = usize::try_from(self.offset.saturating_add(self.length))
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                Body::from(bytes.slice(start..end))
            }
            LocalSource::File(_) if self.length == 0 => Body::empty(),
            LocalSource::File(_) => {
                let pieces = stream::unfold(State::Closed(self.clone()), |state| async move {
                    let read = tokio::task::spawn_blocking(move || state.next()).await;
                    match read {
                        Ok(Ok(None)) => None,
                        Ok(Ok(Some((piece, state)))) => Some((Ok(piece), state)),
                        Ok(Err(error)) => Some((Err(error), State::Done)),
                        Err(error) => {
                            let broken = TransportError::new(TransportErrorKind::Other, "the reader ended");
                            Some((Err(broken.with_source(error)), State::Done))
                        }
                    }
                });
                Body::from_stream(Box::pin(pieces), Some(self.length))
            }
        }
    }

    fn failed(&self, fault: Error) -> TransportError {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        // Of a kind that is not tried again.
        TransportError::new(
            TransportErrorKind::InvalidRequest,
            "the local file cannot be sent",
        )
    }

    fn path(&self) -> &Path {
        match &self.source {
            LocalSource::File(path) => path,
            LocalSource::Bytes(_) => Path::new(""),
        }
    }
}

impl State {
    fn next(self) -> std::result::Result<Option<(Bytes, Self)>, TransportError> {
        let (section, mut reading) = match self {
            Self::Done => return Ok(None),
            Self::Open(section, reading) => (section, reading),
            Self::Closed(section) => {
                let opened = open_ordinary(section.path()).and_then(|mut file| {
                    file.seek(SeekFrom::Start(section.offset))?;
                    Ok(file)
                });
                let file = opened.map_err(|error| {
                    section.failed(Error::io(format!("open {:?}", section.path()), error))
                })?;
                let reading = Reading {
                    file,
                    hasher: Hasher::new(section.digest.algorithm()),
                    left: section.length,
                };
                (section, reading)
            }
        };
        let want = usize::try_from(reading.left).unwrap_or(PIECE).min(PIECE);
        if want == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; want];
        reading.file.read_exact(&mut piece).map_err(|error| {
            section.failed(if error.kind() == io::ErrorKind::UnexpectedEof {
                changed(section.path())
            } else {
                Error::io(format!("read {:?}", section.path()), error)
            })
        })?;
        reading.hasher.update(&piece);
        reading.left -= want as u64;
        if reading.left == 0 && reading.hasher.clone().finish() != section.digest {
            return Err(section.failed(changed(section.path())));
        }
        section.tell(section.length - reading.left);
        Ok(Some((piece.into(), Self::Open(section, reading))))
    }
}

/// The error for a file that is not what it was.
pub(super) fn changed(path: &Path) -> Error {
    let path: PathBuf = path.to_owned();
    Error::new(
        ErrorKind::Conflict,
        format!("the file {path:?} changed after it was hashed to be uploaded"),
    )
    .with_hint("upload it again when nothing writes to it any more")
}
