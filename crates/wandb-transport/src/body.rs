//! The body of a request or an answer: bytes in memory, or a stream of them.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::error::{TransportError, TransportErrorKind};

/// How much [`Body::collect`] reserves at once on the word of a peer that announces a length. Until bytes come, this is
/// address space and not memory; past it the buffer grows with what has come.
const LARGEST_ADVANCE: u64 = 64 << 20;

type BoxStream = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send + 'static>>;
type BoxHttpBody = Pin<Box<dyn http_body::Body<Data = Bytes, Error = TransportError> + Send + 'static>>;

/// The body of a request or of an answer.
///
/// Either bytes in memory, which can be [cloned](Body::try_clone) and therefore sent again, or a stream that is read
/// once. It is both a [`Stream`] of byte chunks and an [`http_body::Body`], and it is `Send` and `Sync`. After an error or
/// the end, it yields nothing more.
///
/// ```
/// # use wandb_transport::Body;
/// let body = Body::from("{}");
/// assert_eq!(body.size(), Some(2));
/// assert!(body.try_clone().is_some());
/// assert_eq!(format!("{body:?}"), "Body(2 bytes)"); // never the content
/// ```
pub struct Body {
    inner: Inner,
}

/// The boxed forms stand in a mutex, which makes the body `Sync` without asking it of every stream, so that a caller may
/// hold a `&Request<Body>` over an await. Reading goes through `get_mut` and takes no lock; only a size hint does.
enum Inner {
    /// Bytes in memory; empty when they have been given out.
    Memory(Bytes),
    /// A stream of unknown size.
    Stream(Mutex<BoxStream>),
    /// A stream with a declared size, and how many bytes of it are still to come.
    Sized {
        stream: Mutex<BoxStream>,
        left: u64,
        last: Option<Bytes>,
    },
    /// A foreign body; its own size hint counts.
    Http(Mutex<BoxHttpBody>),
}

impl Body {
    /// No bytes at all.
    pub fn empty() -> Self {
        Self {
            inner: Inner::Memory(Bytes::new()),
        }
    }

    /// A body that is produced while it is sent or read.
    ///
    /// `size` is the exact number of bytes, if it is known; without it a request goes out chunked. A stream that gives
    /// more or fewer bytes than declared ends in an error of kind
    /// [`InvalidRequest`](TransportErrorKind::InvalidRequest), never in a cut-off or padded transfer.
    pub fn from_stream<S>(stream: S, size: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, TransportError>> + Send + 'static,
    {
        let stream: Mutex<BoxStream> = Mutex::new(Box::pin(stream));
        let inner = match size {
            Some(left) => Inner::Sized {
                stream,
                left,
                last: None,
            },
            None => Inner::Stream(stream),
        };
        Self { inner }
    }

    /// Takes the body of another library.
    ///
    /// Its errors become errors of kind [`Interrupted`](TransportErrorKind::Interrupted) with the original as the source. A
    /// [`TransportError`] passes through as it is; one that the library has wrapped still gives the kind and the message.
    pub fn wrap<B>(mut body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    {
        // No second box around a body that is ours already.
        if let Some(ours) = (&mut body as &mut dyn std::any::Any).downcast_mut::<Self>() {
            return std::mem::take(ours);
        }
        let body = body.map_err(TransportError::from_body_error);
        Self {
            inner: Inner::Http(Mutex::new(Box::pin(body))),
        }
    }

    /// The exact number of bytes that are still to come, if it is known.
    pub fn size(&self) -> Option<u64> {
        match &self.inner {
            Inner::Memory(bytes) => Some(bytes.len() as u64),
            Inner::Stream(_) => None,
            Inner::Sized { left, last, .. } => Some(left + last.as_ref().map_or(0, Bytes::len) as u64),
            Inner::Http(body) => read(body, |body| body.size_hint().exact()),
        }
    }

    /// A second body with the same bytes, if this one is in memory (the bytes are shared, not copied); `None` for a
    /// stream.
    pub fn try_clone(&self) -> Option<Self> {
        match &self.inner {
            Inner::Memory(bytes) => Some(Self {
                inner: Inner::Memory(bytes.clone()),
            }),
            Inner::Stream(_) | Inner::Sized { .. } | Inner::Http(_) => None,
        }
    }

    /// Reads the body to its end into memory, at most `limit` bytes of it.
    ///
    /// A body that arrives in one chunk is given back without a copy. Memory is bounded by one chunk and twice `limit`:
    /// without an announced length the buffer grows by doubling.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`](TransportErrorKind::BodyTooLarge) as soon as the announced or the counted size is over `limit`,
    /// else whatever error the body ends in.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, TransportError> {
        let announced = self.size().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large(limit));
        }
        let first = match self.next_chunk().await.transpose()? {
            None => return Ok(Bytes::new()),
            Some(first) if first.len() > limit => return Err(too_large(limit)),
            Some(first) => first,
        };
        let Some(second) = self.next_chunk().await.transpose()? else {
            return Ok(first);
        };

        let advance = announced.min(LARGEST_ADVANCE) as usize;
        let mut whole = BytesMut::with_capacity(advance.max(first.len() + second.len()));
        whole.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if chunk.len() > limit - whole.len() {
                return Err(too_large(limit));
            }
            whole.extend_from_slice(&chunk);
            next = self.next_chunk().await.transpose()?;
        }
        Ok(whole.freeze())
    }

    /// The next chunk that is not empty, or `None` at the end.
    async fn next_chunk(&mut self) -> Option<Result<Bytes, TransportError>> {
        loop {
            match std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                other => return other,
            }
        }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let polled = match &mut self.inner {
            Inner::Memory(bytes) if bytes.is_empty() => None,
            Inner::Memory(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            Inner::Stream(stream) => {
                ready!(unlocked(stream).as_mut().poll_next(cx)).map(|chunk| chunk.map(Frame::data))
            }
            Inner::Sized { stream, left, last } => {
                ready!(poll_sized(unlocked(stream).as_mut(), left, last, cx))
                    .map(|chunk| chunk.map(Frame::data))
            }
            Inner::Http(body) => ready!(unlocked(body).as_mut().poll_frame(cx)),
        };
        // Fused: a finished or broken stream is not polled again. A sized one has ended with its last chunk.
        let complete = matches!(
            self.inner,
            Inner::Sized {
                left: 0,
                last: None,
                ..
            }
        );
        if complete || !matches!(polled, Some(Ok(_))) {
            self.inner = Inner::Memory(Bytes::new());
        }
        Poll::Ready(polled)
    }
}

/// Reads a stream and holds it to its declared size.
///
/// The chunk that completes the size is kept back until the stream has ended: whoever sends a body with a
/// `Content-Length` stops reading at that length, and would never see a byte too many. So a file that grew while it was
/// sent makes a broken transfer and not a good-looking one.
fn poll_sized(
    mut stream: Pin<&mut (dyn Stream<Item = Result<Bytes, TransportError>> + Send)>,
    left: &mut u64,
    last: &mut Option<Bytes>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, TransportError>>> {
    loop {
        let message = match ready!(stream.as_mut().poll_next(cx)) {
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            Some(Ok(chunk)) if chunk.is_empty() => continue,
            Some(Ok(chunk)) => match left.checked_sub(chunk.len() as u64) {
                Some(0) => {
                    *left = 0;
                    *last = Some(chunk);
                    continue;
                }
                Some(rest) => {
                    *left = rest;
                    return Poll::Ready(Some(Ok(chunk)));
                }
                None => "the body has more bytes than its declared size".to_owned(),
            },
            None if *left == 0 => return Poll::Ready(last.take().map(Ok)),
            None => format!("the body ended {left} bytes before its declared size"),
        };
        return Poll::Ready(Some(Err(TransportError::new(
            TransportErrorKind::InvalidRequest,
            message,
        ))));
    }
}

/// Reaches into a box of a body that is borrowed exclusively; takes no lock.
fn unlocked<T>(shared: &mut Mutex<T>) -> &mut T {
    shared.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn too_large(limit: usize) -> TransportError {
    TransportError::new(
        TransportErrorKind::BodyTooLarge,
        format!("the body is larger than the limit of {limit} bytes"),
    )
}

/// Reads from a boxed body behind a shared reference. The lock is held for the length of a size hint only.
fn read<T, R>(shared: &Mutex<T>, with: impl FnOnce(&T) -> R) -> R {
    with(&shared.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    /// The next chunk. Trailers are passed over.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.poll_inner(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
            }
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        self.poll_inner(cx)
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Memory(bytes) => bytes.is_empty(),
            // Even a stream of size zero may hold an error or a byte too many: it has to be read to its end.
            Inner::Stream(_) | Inner::Sized { .. } => false,
            Inner::Http(body) => read(body, |body| body.is_end_stream()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Http(body) => read(body, |body| body.size_hint()),
            _ => match self.size() {
                Some(size) => SizeHint::with_exact(size),
                None => SizeHint::default(),
            },
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self {
            inner: Inner::Memory(bytes),
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.inner, self.size()) {
            (Inner::Memory(bytes), _) => write!(f, "Body({} bytes)", bytes.len()),
            (_, Some(size)) => write!(f, "Body(stream of {size} bytes)"),
            (_, None) => write!(f, "Body(stream)"),
        }
    }
}

#[cfg(test)]
mod tests;
