//! Bodies on their way past the recorder: written down while they stream, with bounded memory.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use sha2::{Digest, Sha256};
use wandb_core::redact::redact_text;
use wandb_storage::{Algorithm, Directory, Existing, Expected, PendingFile};
use wandb_transport::{Body, TransportError};
use zeroize::Zeroizing;

use crate::RecordError;
use crate::format::{self, BodyRecord, End, ErrorRecord, FileRecord, Side};
use crate::record::OpenExchange;
use crate::request::{LARGEST_TEXT, hexadecimal};

/// Up to this many bytes, an answer that is text stands in the file of its exchange.
const LARGEST_INLINE: usize = 16 * 1024;

/// Takes a body byte for byte: to memory while it is small, then to a file.
pub(crate) struct ByteSink {
    directory: Directory,
    number: u32,
    side: Side,
    inline: Vec<u8>,
    file: Option<PendingFile>,
    digest: Sha256,
    size: u64,
    finder: Finder,
    withheld: Option<String>,
    failure: Option<RecordError>,
    complete: bool,
}

impl ByteSink {
    pub(crate) fn new(
        directory: Directory,
        number: u32,
        side: Side,
        credentials: Vec<Zeroizing<Vec<u8>>>,
    ) -> Self {
        Self {
            directory,
            number,
            side,
            inline: Vec::new(),
            file: None,
            digest: Sha256::new(),
            size: 0,
            finder: Finder::new(credentials),
            withheld: None,
            failure: None,
            complete: false,
        }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.size += chunk.len() as u64;
        self.digest.update(chunk);
        if self.withheld.is_none() && self.finder.finds(chunk) {
            self.withhold("the bytes hold a credential of the session");
        }
        if self.withheld.is_some() || self.failure.is_some() {
            return;
        }
        if self.file.is_none() && self.inline.len() + chunk.len() <= LARGEST_INLINE {
            self.inline.extend_from_slice(chunk);
        } else if let Err(error) = self.spill(chunk) {
            self.failure = Some(error);
            self.file = None;
        }
    }

    pub(crate) fn end(&mut self) {
        self.complete = true;
    }

    fn withhold(&mut self, reason: &str) {
        self.withheld = Some(reason.to_owned());
        self.file = None;
        self.inline = Vec::new();
    }

    fn spill(&mut self, chunk: &[u8]) -> Result<(), RecordError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let name = format::relative(&format::bytes_name(self.number, self.side));
                let mut file = self
                    .directory
                    .begin_one_of_many(&name, Existing::Refuse, Algorithm::Md5)?;
                file.append(&mem::take(&mut self.inline))?;
                file
            }
        };
        file.append(chunk)?;
        self.file = Some(file);
        Ok(())
    }

    /// The body for the exchange's file; its bytes are in place before.
    pub(crate) fn finish(mut self) -> Result<BodyRecord, RecordError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.size == 0 && self.complete {
            return Ok(BodyRecord::Empty);
        }
        if self.file.is_none() && self.withheld.is_none() {
            if matches!(self.side, Side::Answer)
                && let Ok(text) = std::str::from_utf8(&self.inline)
            {
                return Ok(BodyRecord::of_text(text.to_owned()));
            }
            self.spill(&[])?;
        }
        if let Some(file) = self.file {
            file.publish(&Expected::default())?;
        }
        Ok(BodyRecord::File(FileRecord {
            size: self.size,
            sha256: hexadecimal(&self.digest.finalize()),
            complete: self.complete,
            withheld: self.withheld,
        }))
    }
}

/// Looks for credentials in bytes that come in pieces.
struct Finder {
    credentials: Vec<Zeroizing<Vec<u8>>>,
    /// The end of what came, one byte shorter than the longest credential.
    tail: Vec<u8>,
}

impl Finder {
    fn new(credentials: Vec<Zeroizing<Vec<u8>>>) -> Self {
        let tail = Vec::new();
        Self { credentials, tail }
    }

    fn finds(&mut self, chunk: &[u8]) -> bool {
        let Some(longest) = self.credentials.iter().map(|credential| credential.len()).max() else {
            return false;
        };
        let mut bytes = mem::take(&mut self.tail);
        bytes.extend_from_slice(chunk);
        let found = self.credentials.iter().any(|credential| {
            bytes
                .windows(credential.len())
                .any(|window| window == credential.as_slice())
        });
        self.tail = bytes.split_off(bytes.len().saturating_sub(longest - 1));
        found
    }
}

/// An upload that streams: noted while the transport pulls it.
#[derive(Clone)]
pub(crate) struct Upload(Arc<Mutex<Option<ByteSink>>>);

impl Upload {
    pub(crate) fn new(sink: ByteSink) -> Self {
        Self(Arc::new(Mutex::new(Some(sink))))
    }

    /// What was pulled so far; what comes later is not noted.
    pub(crate) fn take(&self) -> Option<ByteSink> {
        self.sink().take()
    }

    /// The same body, noted.
    pub(crate) fn noted(&self, body: Body) -> Body {
        let size = body.size();
        let stream = UploadStream {
            body,
            upload: self.clone(),
        };
        Body::from_stream(stream, size)
    }

    fn sink(&self) -> MutexGuard<'_, Option<ByteSink>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct UploadStream {
    body: Body,
    upload: Upload,
}

impl Stream for UploadStream {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = ready!(Pin::new(&mut self.body).poll_next(context));
        if let Some(sink) = &mut *self.upload.sink() {
            match &polled {
                Some(Ok(chunk)) => sink.push(chunk),
                Some(Err(_)) => {}
                None => sink.end(),
            }
        }
        Poll::Ready(polled)
    }
}

/// How an answer's body is written down.
pub(crate) enum AnswerSink {
    /// Byte for byte.
    Bytes(Box<ByteSink>),
    /// As text without secrets, which needs it whole. `None` when it became too large.
    Text(Option<Vec<u8>>),
}

impl AnswerSink {
    fn push(&mut self, chunk: &[u8]) {
        match self {
            Self::Bytes(sink) => sink.push(chunk),
            Self::Text(Some(text)) if text.len() + chunk.len() <= LARGEST_TEXT => {
                text.extend_from_slice(chunk);
            }
            Self::Text(text) => *text = None,
        }
    }
}

/// An answer's body, noted while the caller reads it. The exchange is on the disk before the caller sees the end, so
/// that a signature in it is known before the caller can use it.
pub(crate) struct AnswerStream {
    pub(crate) body: Body,
    pub(crate) announced: Option<u64>,
    pub(crate) received: u64,
    /// Until the body has ended.
    pub(crate) open: Option<(OpenExchange, AnswerSink)>,
}

impl AnswerStream {
    fn finish(&mut self, end: End) {
        if let Some((exchange, sink)) = self.open.take() {
            exchange.answered(sink, end);
        }
    }
}

impl Stream for AnswerStream {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = ready!(Pin::new(&mut self.body).poll_next(context));
        match &polled {
            Some(Ok(chunk)) => {
                self.received += chunk.len() as u64;
                if let Some((_, sink)) = &mut self.open {
                    sink.push(chunk);
                }
            }
            Some(Err(error)) => self.finish(End::Error(error_record(error))),
            None => self.finish(End::Complete),
        }
        Poll::Ready(polled)
    }
}

impl Drop for AnswerStream {
    fn drop(&mut self) {
        // Who knows the length may stop at the last byte without asking for the end.
        let is_whole = self.announced == Some(self.received);
        self.finish(if is_whole { End::Complete } else { End::Dropped });
    }
}

pub(crate) fn error_record(error: &TransportError) -> ErrorRecord {
    ErrorRecord {
        kind: format::kind_name(error.kind()).to_owned(),
        message: redact_text(error.message()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_found_across_chunks() {
        let credentials = || {
            vec![
                Zeroizing::new(b"longer-secret".to_vec()),
                Zeroizing::new(b"secret".to_vec()),
            ]
        };
        for (chunks, expected) in [
            (&["a sec", "ret b"][..], true),
            (&["s", "e", "c", "r", "e", "t"], true),
            (&["sec", "", "ret"], true),
            (&["sec ", "ret"], false),
            (&[], false),
        ] {
            let mut finder = Finder::new(credentials());
            let mut found = false;
            for chunk in chunks {
                found |= finder.finds(chunk.as_bytes());
            }
            assert_eq!(found, expected, "{chunks:?}");
        }
        assert!(!Finder::new(Vec::new()).finds(b"secret"));
    }
}
