//! The body of an answer as it comes in: ends in a timeout when no byte comes for too long.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::failure;
use super::upload::UploadWatch;
use crate::TransportError;

/// An answer's body with the connection behind it.
#[derive(Debug)]
pub(super) struct Download {
    body: Incoming,
    idle: Option<Duration>,
    /// Kept from one wait to the next; making a timer is dearer than setting one.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the timer runs: only while a reader waits. A reader that stays away is not the server's fault.
    waiting: bool,
    peer: Arc<str>,
    /// A body of the request that fails late takes the answer with it, and is the better explanation.
    upload: UploadWatch,
}

impl Download {
    pub(super) fn new(body: Incoming, idle: Option<Duration>, peer: Arc<str>, upload: UploadWatch) -> Self {
        Self {
            body,
            idle,
            timer: None,
            waiting: false,
            peer,
            upload,
        }
    }

    /// Called when the connection has nothing: starts the timer or looks at it.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let Some(idle) = self.idle else {
            return Poll::Pending;
        };
        if !self.waiting {
            let Some(deadline) = Instant::now().checked_add(idle) else {
                return Poll::Pending;
            };
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(deadline),
                None => self.timer = Some(Box::pin(tokio::time::sleep_until(deadline))),
            }
            self.waiting = true;
        }
        match &mut self.timer {
            Some(timer) => timer
                .as_mut()
                .poll(cx)
                .map(|()| failure::idle(&self.peer, "in the answer of", idle)),
            None => Poll::Pending,
        }
    }
}

impl http_body::Body for Download {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.waiting = false;
                Poll::Ready(frame.map(|frame| {
                    frame.map_err(|error| {
                        let late = this.upload.take_error();
                        late.unwrap_or_else(|| failure::of_body(error, &this.peer))
                    })
                }))
            }
            Poll::Pending => this.poll_idle(cx).map(|error| Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
