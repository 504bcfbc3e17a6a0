//! The one error type of the client.
//!
//! An [`Error`] says *what kind* of failure it is (for programs), *which operation on which object* failed (for people),
//! how often it was tried and for how long, what the server said, and keeps the cause as its [`source`]. Advice lives in
//! [`Error::hints`], apart from the text, so that a library never prints it and `wb` can. No secret is ever part of it:
//! what is put in here has passed through the redacting types.
//!
//! [`source`]: std::error::Error::source

mod convert;

use std::{fmt, sync::Arc, time::Duration};

use wandb_transport::{TransportError, TransportErrorKind};

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn std::error::Error + Send + Sync + 'static>;

/// What kind of failure an [`Error`] is.
///
/// The kinds are by meaning, not by mechanism: a GraphQL `null` where an object was asked for, an HTTP 404 and an
/// `errors` entry that says so are all [`NotFound`](ErrorKind::NotFound).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The object does not exist, or the server hides it (W&B answers the same for both).
    NotFound,
    /// The object may exist but this key may not see or change it (HTTP 403, "permission denied").
    NotVisible,
    /// The key is missing, malformed, or was refused (HTTP 401).
    Authentication,
    /// The server asks to slow down and the retry budget is spent (HTTP 429).
    RateLimited,
    /// A deadline or a timeout passed.
    Timeout,
    /// The caller cancelled.
    Cancelled,
    /// The server failed (5xx, or `errors` in its answer) or could not be reached.
    Server,
    /// The answer is not what the protocol promises (HTML, half a body, a missing field, a repeated cursor).
    Protocol,
    /// Bytes do not match their digest or size.
    Integrity,
    /// The object changed since it was read, or exists already.
    Conflict,
    /// What the caller gave cannot be right: a path, a filter, a page size, a setting.
    InvalidInput,
    /// This server does not know the operation (an older or a partial one).
    Unsupported,
    /// The local disk or another local resource failed.
    Io,
    /// The result is only a part of what was asked for, and the call promised all of it.
    Incomplete,
}

impl ErrorKind {
    /// The kind as two or three lower-case words, for example `not found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::NotVisible => "not visible",
            Self::Authentication => "authentication failed",
            Self::RateLimited => "rate limited",
            Self::Timeout => "timed out",
            Self::Cancelled => "cancelled",
            Self::Server => "server error",
            Self::Protocol => "protocol error",
            Self::Integrity => "integrity error",
            Self::Conflict => "conflict",
            Self::InvalidInput => "invalid input",
            Self::Unsupported => "unsupported by this server",
            Self::Io => "i/o error",
            Self::Incomplete => "incomplete",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A failed call. See the [module](self) for what it holds.
#[derive(Clone)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: String,
    message: String,
    status: Option<u16>,
    server_message: Option<String>,
    attempts: u32,
    elapsed: Option<Duration>,
    retry_after: Option<Duration>,
    /// Shared by the clones: it may be long.
    partial_data: Option<Arc<str>>,
    hints: Vec<String>,
    source: Option<Source>,
}

impl Error {
    /// An error of a kind; `message` is a lower-case fragment that names the object.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                operation: String::new(),
                message: message.into(),
                status: None,
                server_message: None,
                attempts: 0,
                elapsed: None,
                retry_after: None,
                partial_data: None,
                hints: Vec::new(),
                source: None,
            }),
        }
    }

    /// Something the caller gave cannot be right.
    #[must_use]
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// The object does not exist or is hidden; `what` names it, for example `run "e/p/r"`.
    #[must_use]
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, format!("{what} was not found"))
    }

    /// The answer is not what the protocol promises.
    #[must_use]
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    /// A failure of the local disk; `what` says what was done to which path.
    #[must_use]
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, what).with_source(source)
    }

    /// Names the operation, for example `list runs of "e/p"`. The innermost name stays.
    #[must_use]
    pub fn in_operation(mut self, operation: impl Into<String>) -> Self {
        if self.inner.operation.is_empty() {
            self.inner.operation = operation.into();
        }
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// Adds one sentence of advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hints.push(hint.into());
        self
    }

    /// Records the HTTP status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.inner.status = Some(status);
        self
    }

    /// Records the server's own words.
    #[must_use]
    pub fn with_server_message(mut self, message: impl Into<String>) -> Self {
        self.inner.server_message = Some(message.into());
        self
    }

    /// Records how long the server asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.inner.retry_after = delay;
        self
    }

    /// Keeps what came of an answer that is not whole, as JSON.
    #[must_use]
    pub fn with_partial_data(mut self, json: impl Into<Arc<str>>) -> Self {
        self.inner.partial_data = Some(json.into());
        self
    }

    /// The same error with its texts, also the server's own, put through `mask`. Sources stay as they are: they are of this side.
    pub(crate) fn with_masked_texts(mut self, mask: &dyn Fn(&str) -> Option<String>) -> Self {
        let inner = &mut *self.inner;
        let texts = [&mut inner.message].into_iter().chain(&mut inner.server_message);
        for text in texts.chain(&mut inner.hints) {
            if let Some(masked) = mask(text) {
                *text = masked;
            }
        }
        if let Some(masked) = inner.partial_data.as_deref().and_then(mask) {
            inner.partial_data = Some(masked.into());
        }
        self
    }

    /// Records how often and for how long it was tried.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.inner.attempts = attempts;
        self.inner.elapsed = Some(elapsed);
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The operation that failed, or an empty text.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.inner.operation
    }

    /// The HTTP status of the last answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// What the server said, if it said something.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.inner.server_message.as_deref()
    }

    /// How many requests were sent for this call; 0 when none was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// How long the call took, when it was measured.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.inner.elapsed
    }

    /// How long the server asked to wait before the next try (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// What the server sent beside its errors: the member `data` of the GraphQL answer, as the JSON that it is, up to 4 MiB.
    /// It is not whole, so no call gives it as a result; who can do with a part reads it here, in the shape of the wire. It is
    /// in no text of the error.
    #[must_use]
    pub fn partial_data(&self) -> Option<&str> {
        self.inner.partial_data.as_deref()
    }

    /// Advice on what to do next, one sentence each. Not part of the error's text.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.inner.hints
    }

    /// Whether the object does not exist or is hidden.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        if !inner.operation.is_empty() {
            write!(formatter, "failed to {}: ", inner.operation)?;
        }
        formatter.write_str(&inner.message)?;
        if let Some(said) = &inner.server_message
            && !inner.message.contains(said.as_str())
        {
            write!(formatter, " (the server said: {said})")?;
        }
        if inner.attempts > 1 {
            write!(formatter, " after {} attempts", inner.attempts)?;
            if let Some(elapsed) = inner.elapsed {
                write!(formatter, " in {:.1} s", elapsed.as_secs_f64())?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        formatter
            .debug_struct("Error")
            .field("kind", &inner.kind)
            .field("operation", &inner.operation)
            .field("message", &inner.message)
            .field("status", &inner.status)
            .field("server_message", &inner.server_message)
            .field("attempts", &inner.attempts)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        let (kind, message) = match error.kind() {
            TransportErrorKind::Timeout => (ErrorKind::Timeout, "the server did not answer in time"),
            TransportErrorKind::Connect => (ErrorKind::Server, "the server could not be reached"),
            TransportErrorKind::Tls => (
                ErrorKind::Server,
                "no secure connection to the server could be made",
            ),
            TransportErrorKind::InvalidRequest => (ErrorKind::InvalidInput, "the request could not be built"),
            TransportErrorKind::BodyTooLarge => (ErrorKind::Protocol, "the answer is larger than allowed"),
            TransportErrorKind::Decode => (ErrorKind::Protocol, "the answer could not be decoded"),
            _ => (
                ErrorKind::Server,
                "the connection was lost before the answer was complete",
            ),
        };
        let mut converted = Self::new(kind, message).with_source(error);
        if kind == ErrorKind::Server {
            converted = converted.with_hint("check the base URL, the network and the proxy settings");
        }
        converted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_operation_server_words_and_attempts_once() {
        let error = Error::new(ErrorKind::Server, "the server failed with status 503")
            .with_server_message("try later")
            .in_operation("read run \"e/p/r\"")
            .in_operation("an outer name that must not win")
            .with_attempts(4, Duration::from_millis(2_340));
        assert_eq!(
            error.to_string(),
            "failed to read run \"e/p/r\": the server failed with status 503 (the server said: try later) after 4 attempts in 2.3 s"
        );
        assert_eq!(error.attempts(), 4);
    }

    #[test]
    fn source_is_kept_and_not_repeated() {
        let error = Error::io("write \"x\"", std::io::Error::other("disk full"));
        assert_eq!(error.to_string(), "write \"x\"");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("disk full"));
    }
}
