//! An answer in a script.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::{Body, TransportError, TransportErrorKind};

/// An answer to give: status, headers, and a body that may be whole, cut, or stuck.
///
/// A whole body gets a `Content-Length`, unless there is one already.
///
/// ```
/// use wandb_transport::{ScriptedResponse, TransportErrorKind};
///
/// // Five of ten bytes, then the connection is lost.
/// let cut = ScriptedResponse::new(200)
///     .chunks(["ab", "cde"])
///     .announcing(10)
///     .then_failing(TransportErrorKind::Interrupted);
/// # drop(cut);
/// ```
///
/// `Debug` shows the status, the names of the headers and sizes, as that of a recorded request does.
#[derive(Clone)]
#[must_use = "an answer has to be given to an expectation"]
pub struct ScriptedResponse {
    status: StatusCode,
    headers: HeaderMap,
    chunks: Vec<Bytes>,
    announced: Option<u64>,
    end: End,
}

/// What comes after the last chunk.
#[derive(Debug, Clone, Copy)]
enum End {
    Complete,
    Fails(TransportErrorKind),
    Stalls,
}

impl ScriptedResponse {
    /// An answer with this status and no body.
    ///
    /// # Panics
    ///
    /// When the number is no HTTP status.
    pub fn new(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a script has valid statuses"),
            headers: HeaderMap::new(),
            chunks: Vec::new(),
            announced: None,
            end: End::Complete,
        }
    }

    /// Adds a header.
    ///
    /// # Panics
    ///
    /// When the name or the value is not one that HTTP allows.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a script has valid header names");
        let value: HeaderValue = value.parse().expect("a script has valid header values");
        self.headers.append(name, value);
        self
    }

    /// The body, in one chunk.
    pub fn bytes(self, bytes: impl Into<Bytes>) -> Self {
        self.chunks([bytes])
    }

    /// The body, in these chunks.
    pub fn chunks<I>(mut self, chunks: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Bytes>,
    {
        self.chunks = chunks.into_iter().map(Into::into).collect();
        self
    }

    /// The body, a JSON document, with its `Content-Type`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a script is written with json! in the place of the argument"
    )]
    pub fn json(mut self, value: Value) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.bytes(value.to_string())
    }

    /// Announces a length other than that of the chunks.
    pub fn announcing(mut self, length: u64) -> Self {
        self.announced = Some(length);
        self
    }

    /// Ends the body in an error of this kind after its chunks.
    pub fn then_failing(mut self, kind: TransportErrorKind) -> Self {
        self.end = End::Fails(kind);
        self
    }

    /// Lets the body stop after its chunks without ever ending, until the reader gives up.
    pub fn then_stalling(mut self) -> Self {
        self.end = End::Stalls;
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut headers = self.headers;
        let length = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let complete = matches!(self.end, End::Complete);
        let announced = self.announced.or(complete.then_some(length));
        if let Some(announced) = announced {
            headers.entry(CONTENT_LENGTH).or_insert_with(|| announced.into());
        }
        let mut chunks: VecDeque<_> = self.chunks.into();
        let body = match chunks.len() {
            0 | 1 if complete && announced == Some(length) => {
                Body::from(chunks.pop_front().unwrap_or_default())
            }
            _ => {
                let end = match self.end {
                    // As if the server had closed the connection in the middle.
                    End::Complete if announced != Some(length) => End::Fails(TransportErrorKind::Interrupted),
                    end => end,
                };
                Body::from_stream(Script { chunks, end }, announced)
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }
}

impl fmt::Debug for ScriptedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        let sizes: Vec<_> = self.chunks.iter().map(Bytes::len).collect();
        write!(
            f,
            "{}, headers {headers:?}, chunks of {sizes:?} bytes, {:?}",
            self.status, self.end
        )
    }
}

/// The chunks that are left, and the end.
struct Script {
    chunks: VecDeque<Bytes>,
    end: End,
}

impl Stream for Script {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match (self.chunks.pop_front(), self.end) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(chunk))),
            (None, End::Complete) => Poll::Ready(None),
            (None, End::Fails(kind)) => {
                self.end = End::Complete;
                Poll::Ready(Some(Err(TransportError::new(
                    kind,
                    "the body fails here, as the script says",
                ))))
            }
            (None, End::Stalls) => Poll::Pending,
        }
    }
}
