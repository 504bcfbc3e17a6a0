//! Bytes on their way to the server, hashed once more as they go.
//!
//! A file can change between the moment at which it was hashed and the moment at which it is sent. So the last piece of a body
//! is held back until the digest of all is known to be right: of a file that changed the server never gets a whole body.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::stream;
use wandb_core::{Error, ErrorKind};
use wandb_storage::open_ordinary;
use wandb_transport::{Body, TransportError, TransportErrorKind};

use super::source::LocalSource;
use crate::digest::{ContentDigest, Hasher};

/// How much is read at a time, in bytes.
const PIECE: usize = 1 << 20;

/// A range of a local source with its digest.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) source: LocalSource,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) digest: ContentDigest,
    /// What went wrong while it was read. The transport only sees a body that broke off.
    pub(super) fault: Arc<Mutex<Option<Error>>>,
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
    pub(super) fn new(source: LocalSource, offset: u64, length: u64, digest: ContentDigest) -> Self {
        Self {
            source,
            offset,
            length,
            digest,
            fault: Arc::default(),
        }
    }

    /// The body, from its beginning; called once for each attempt.
    pub(super) fn body(&self) -> Body {
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

    /// The reason why the body broke off, if it was here.
    pub(super) fn take_fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
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
    fn next(self) -> Result<Option<(Bytes, Self)>, TransportError> {
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
        Ok(Some((piece.into(), Self::Open(section, reading))))
    }
}

/// The error for a file that is not what it was.
pub(super) fn changed(path: &Path) -> Error {
    let path: PathBuf = path.to_owned();
    Error::new(
        ErrorKind::Conflict,
        format!("the file {path:?} changed after it was added to the artifact"),
    )
    .with_hint("add it again when nothing writes to it any more; nothing was committed")
}
