//! The body of a request on its way out: tells how it goes, and keeps its error.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::{Body, TransportError, TransportErrorKind};

/// The largest piece that is handed to the connection at once, in bytes. A whole file given at once would show no
/// progress until its end, and a slow but steady upload would look like a stall.
const PIECE: usize = 64 * 1024;

/// A request's body as hyper pulls it.
#[derive(Debug)]
pub(super) struct Upload {
    body: Body,
    /// What is left of a chunk that is larger than a piece.
    rest: Bytes,
    watch: UploadWatch,
}

/// What the sender of a request can see of its body.
#[derive(Debug, Clone)]
pub(super) struct UploadWatch {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// When the connection last took a piece.
    moved: Instant,
    /// Whether the body itself is what everyone waits for.
    waits_for_source: bool,
    /// Why the body ended early. Over HTTP/2 hyper reports only that the stream was reset.
    error: Option<TransportError>,
}

impl Upload {
    pub(super) fn new(body: Body) -> (Self, UploadWatch) {
        let state = State {
            moved: Instant::now(),
            waits_for_source: false,
            error: None,
        };
        let watch = UploadWatch {
            state: Arc::new(Mutex::new(state)),
        };
        let upload = Self {
            body,
            rest: Bytes::new(),
            watch: watch.clone(),
        };
        (upload, watch)
    }
}

impl UploadWatch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts from now on: a connection is there.
    pub(super) fn start(&self) {
        self.state().moved = Instant::now();
    }

    /// When it has to be called a stall, unless a piece moves before; `None` is never. A source that takes its time is no
    /// stall of the connection.
    pub(super) fn deadline(&self, idle: Duration) -> Option<Instant> {
        let state = self.state();
        let since = if state.waits_for_source {
            Instant::now()
        } else {
            state.moved
        };
        since.checked_add(idle)
    }

    /// The error in which the body ended, once.
    pub(super) fn take_error(&self) -> Option<TransportError> {
        self.state().error.take()
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let polled = Pin::new(&mut this.body).poll_frame(cx);
            {
                let mut state = this.watch.state();
                state.waits_for_source = polled.is_pending();
                state.moved = Instant::now();
            }
            let frame = match ready!(polled) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    this.watch.state().error = Some(error);
                    let abort = TransportError::new(TransportErrorKind::Other, "the request's body failed");
                    return Poll::Ready(Some(Err(abort)));
                }
                None => return Poll::Ready(None),
            };
            match frame.into_data() {
                Ok(bytes) => this.rest = bytes,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        } else {
            this.watch.start();
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    async fn piece(upload: &mut Upload) -> Option<Result<Bytes, TransportError>> {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *upload).poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn each_piece_of_a_large_chunk_moves_the_deadline() {
        let data: Bytes = (0..200_000_u32).map(|n| n as u8).collect();
        let (mut upload, watch) = Upload::new(Body::from(data.clone()));
        let mut whole = Vec::new();
        while !upload.is_end_stream() {
            assert_eq!(
                upload.size_hint().exact(),
                Some((data.len() - whole.len()) as u64)
            );
            tokio::time::advance(Duration::from_secs(50)).await;
            let piece = piece(&mut upload).await.unwrap().unwrap();
            assert!(piece.len() <= PIECE);
            whole.extend_from_slice(&piece);
            assert_eq!(watch.deadline(IDLE), Some(Instant::now() + IDLE));
        }
        assert_eq!(whole, data);
        let last = Instant::now();
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(watch.deadline(IDLE), Some(last + IDLE));
        assert_eq!(watch.deadline(Duration::MAX), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_without_data_holds_the_deadline_off() {
        let (mut sender, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(1);
        let (mut upload, watch) = Upload::new(Body::wrap(body));
        let pending =
            std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut upload).poll_frame(cx).is_pending()));
        assert!(pending.await);
        tokio::time::advance(IDLE * 10).await;
        assert_eq!(watch.deadline(IDLE), Some(Instant::now() + IDLE));

        sender.send_data("x".into()).await.unwrap();
        assert_eq!(piece(&mut upload).await.unwrap().unwrap(), "x");
        let given = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(watch.deadline(IDLE), Some(given + IDLE));
    }

    #[tokio::test]
    async fn the_error_is_kept_for_the_sender() {
        let broken = TransportError::new(TransportErrorKind::BodyTooLarge, "too large");
        let failing = http_body_util::StreamBody::new(Failing(Some(broken)));
        let (mut upload, watch) = Upload::new(Body::wrap(failing));
        assert_eq!(
            piece(&mut upload).await.unwrap().unwrap_err().kind(),
            TransportErrorKind::Other
        );
        assert_eq!(
            watch.take_error().unwrap().kind(),
            TransportErrorKind::BodyTooLarge
        );
        assert!(watch.take_error().is_none());
    }

    /// A body that is nothing but an error.
    struct Failing(Option<TransportError>);

    impl futures_core::Stream for Failing {
        type Item = Result<Frame<Bytes>, TransportError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.take().map(Err))
        }
    }
}
