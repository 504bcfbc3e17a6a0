//! From the errors of hyper, rustls and the operating system to ours.
//!
//! What matters is the kind: whether a repeat is safe hangs on it. So an error is called *unsent* only where hyper hands
//! the request back untouched or where no connection came about, and everything unknown counts as an interruption.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use http::Uri;

use crate::error::BoxError;
use crate::{TransportError, TransportErrorKind};

/// Why there is no connection. Hyper lends out its sources but never gives them back, so this one can be cloned.
#[derive(Debug, Clone)]
pub(super) struct ConnectFailure {
    kind: TransportErrorKind,
    message: String,
    cause: Option<Cause>,
}

/// A cause that more than one error can own.
#[derive(Clone)]
struct Cause(Arc<dyn Error + Send + Sync>);

impl ConnectFailure {
    pub(super) fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
        }
    }

    pub(super) fn with_cause(mut self, cause: impl Into<BoxError>) -> Self {
        self.cause = Some(Cause(Arc::from(cause.into())));
        self
    }

    /// A failed TLS handshake: of kind `Tls` if TLS itself objected, of kind `Connect` if the connection was lost on the
    /// way. In both cases nothing of the request was sent.
    pub(super) fn handshake(peer: &str, cause: BoxError) -> Self {
        let kind = match find::<rustls::Error>(&*cause) {
            Some(_) => TransportErrorKind::Tls,
            None => TransportErrorKind::Connect,
        };
        Self::new(kind, format!("the TLS handshake with {peer} failed")).with_cause(cause)
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ConnectFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| &*cause.0 as _)
    }
}

impl From<ConnectFailure> for TransportError {
    fn from(failure: ConnectFailure) -> Self {
        let error = Self::new(failure.kind, failure.message);
        match failure.cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// The part of a URI that may be shown: scheme, host and port.
pub(super) fn peer(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("?");
    let host = uri.host().unwrap_or("?");
    match uri.port() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// A request that got no head of an answer.
pub(super) fn of_request(error: hyper_util::client::legacy::Error, peer: &str) -> TransportError {
    if let Some(failure) = find::<ConnectFailure>(&error) {
        return failure.clone().into();
    }
    let cause = find::<hyper::Error>(&error);
    // Hyper says so only when it gives the request back, or never took it.
    let unsent = error.is_connect() || cause.is_some_and(|cause| cause.is_canceled() || cause.is_closed());
    let (kind, message) = match cause {
        _ if unsent => (
            TransportErrorKind::Connect,
            format!("the connection to {peer} closed before the request was sent"),
        ),
        Some(cause) if cause.is_timeout() => (
            TransportErrorKind::Timeout,
            format!("{peer} did not answer a keep-alive probe"),
        ),
        Some(cause) if cause.is_parse() => (
            TransportErrorKind::Decode,
            format!("{peer} did not answer with valid HTTP"),
        ),
        Some(cause) if cause.is_user() => (
            TransportErrorKind::InvalidRequest,
            format!("the request to {peer} cannot be sent as it is"),
        ),
        Some(_) => (
            TransportErrorKind::Interrupted,
            format!("the connection to {peer} was lost before its answer"),
        ),
        // The client itself refuses: a version or a method that it does not know.
        None => (
            TransportErrorKind::InvalidRequest,
            format!("the request to {peer} cannot be sent as it is"),
        ),
    };
    TransportError::new(kind, message).with_source(error)
}

/// An answer whose body broke off.
pub(super) fn of_body(error: hyper::Error, peer: &str) -> TransportError {
    let malformed = find::<io::Error>(&error).is_some_and(|cause| {
        matches!(
            cause.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        ) && find::<rustls::Error>(cause).is_none()
    });
    let (kind, message) = if error.is_timeout() {
        (
            TransportErrorKind::Timeout,
            format!("{peer} did not answer a keep-alive probe"),
        )
    } else if error.is_parse() || malformed {
        (
            TransportErrorKind::Decode,
            format!("the body of the answer of {peer} is not valid HTTP"),
        )
    } else {
        (
            TransportErrorKind::Interrupted,
            format!("the answer of {peer} broke off"),
        )
    };
    TransportError::new(kind, message).with_source(error)
}

/// No byte moved for `limit`.
pub(super) fn idle(peer: &str, during: &str, limit: std::time::Duration) -> TransportError {
    TransportError::new(
        TransportErrorKind::Timeout,
        format!("no byte moved for {limit:?} {during} {peer}"),
    )
}

/// The first error of a type in a chain of sources. An I/O error that wraps another error is looked into, which its
/// `source` does not do: it gives the wrapped error's source.
fn find<'a, T: Error + 'static>(start: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(start);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
