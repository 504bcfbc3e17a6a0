//! The error of a transport: why no answer, or only a part of one, came back.
//!
//! An answer with a status other than 2xx is not an error here. What the kinds tell apart is what a retry policy has to
//! know: whether the server can have seen the request.

use std::error::Error;
use std::fmt;

/// A boxed source of an error.
pub(crate) type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// Why a request got no answer, or why a body broke off.
///
/// `Display` gives a message in lower case that names the peer: scheme, host and port. It never contains a query string, a
/// header or a credential, for signed URLs are secrets; only the scripted transport, in a test, names paths. The cause, if
/// there is one, is behind [`source`](Error::source) and is not repeated in the message.
pub struct TransportError {
    inner: Box<Inner>,
}

struct Inner {
    kind: TransportErrorKind,
    message: String,
    source: Option<BoxError>,
}

/// What went wrong, seen by someone who has to decide whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection came about: name not resolved, refused, unreachable, connect timeout, or a proxy said no.
    ///
    /// Nothing of the request reached the server. A repeat is safe for every request.
    Connect,
    /// No byte moved for longer than the transport allows, after the connection was there.
    ///
    /// The server may have acted on the request. A repeat is safe only for idempotent requests.
    Timeout,
    /// The connection was lost after sending may have begun, or a body ended before its announced length.
    ///
    /// The server may have acted on the request. A repeat is safe only for idempotent requests.
    Interrupted,
    /// The TLS handshake failed: unknown issuer, wrong host name, expired certificate, no common version.
    ///
    /// Nothing of the request reached the server. A repeat is harmless, but will fail in the same way until the trust
    /// settings or the server change.
    Tls,
    /// The request cannot be sent as it is: no host in the URI, an unsupported scheme, a body that does not have its
    /// declared size.
    ///
    /// A repeat of the same request fails in the same way.
    InvalidRequest,
    /// The body is larger than the limit that the reader gave.
    ///
    /// The server has answered; a repeat gives the same body.
    BodyTooLarge,
    /// The answer is not what its headers say: broken HTTP, or a body that is not the gzip data it claims to be.
    ///
    /// The server may have acted on the request. A repeat is safe only for idempotent requests, and helps only if the
    /// damage was done on the way.
    Decode,
    /// Anything else.
    ///
    /// Nothing is known about what the server saw. A repeat is safe only for idempotent requests.
    Other,
}

impl TransportErrorKind {
    /// Whether it is certain that the server has seen nothing of the request, so that even a request that is not
    /// idempotent may be repeated.
    pub fn is_unsent(self) -> bool {
        matches!(self, Self::Connect | Self::Tls)
    }

    /// Whether a repeat of the same request has a chance of another outcome.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Connect | Self::Timeout | Self::Interrupted)
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::Timeout => "timeout",
            Self::Interrupted => "connection lost",
            Self::Tls => "TLS failure",
            Self::InvalidRequest => "invalid request",
            Self::BodyTooLarge => "body too large",
            Self::Decode => "malformed answer",
            Self::Other => "transport failure",
        })
    }
}

impl TransportError {
    /// An error of this kind with a message: lower case, no full stop, without path, query string or credential.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                source: None,
            }),
        }
    }

    /// The same error with its cause. The cause must not print secrets either.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// What went wrong, for a program.
    pub fn kind(&self) -> TransportErrorKind {
        self.inner.kind
    }

    /// What went wrong, for a person; the same text as `Display`.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Takes an error that a foreign body gave: a [`TransportError`] passes through, one further down gives the kind and
    /// the message, anything else is a body that broke off.
    pub(crate) fn from_body_error(error: impl Into<BoxError>) -> Self {
        let error = match error.into().downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        let mut next: Option<&(dyn Error + 'static)> = error.source();
        while let Some(inner) = next {
            if let Some(ours) = inner.downcast_ref::<Self>() {
                return Self::new(ours.kind(), ours.message()).with_source(error);
            }
            next = inner.source();
        }
        Self::new(TransportErrorKind::Interrupted, "the body broke off").with_source(error)
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("TransportError");
        out.field("kind", &self.inner.kind)
            .field("message", &self.inner.message);
        if let Some(source) = &self.inner.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_source_apart_from_the_message() {
        let error = TransportError::new(TransportErrorKind::Connect, "no connection to localhost:1")
            .with_source(std::io::Error::other("refused"));
        assert_eq!(error.to_string(), "no connection to localhost:1");
        assert_eq!(error.source().unwrap().to_string(), "refused");
        assert_eq!(error.kind(), TransportErrorKind::Connect);
    }

    #[test]
    fn a_foreign_body_error_is_an_interruption_and_our_own_passes_through() {
        let ours = TransportError::new(TransportErrorKind::Timeout, "slow");
        assert_eq!(
            TransportError::from_body_error(ours).kind(),
            TransportErrorKind::Timeout
        );
        let foreign = TransportError::from_body_error(std::io::Error::other("reset"));
        assert_eq!(foreign.kind(), TransportErrorKind::Interrupted);
        assert_eq!(foreign.source().unwrap().to_string(), "reset");

        #[derive(Debug, thiserror::Error)]
        #[error("wrapped by a framework")]
        struct Wrapped(#[source] TransportError);
        let wrapped = Wrapped(TransportError::new(TransportErrorKind::Timeout, "slow"));
        let wrapped = TransportError::from_body_error(wrapped);
        assert_eq!(
            (wrapped.kind(), wrapped.message()),
            (TransportErrorKind::Timeout, "slow")
        );
    }

    #[test]
    fn only_kinds_from_before_the_first_byte_are_unsent() {
        assert!(TransportErrorKind::Connect.is_unsent() && TransportErrorKind::Tls.is_unsent());
        for kind in [
            TransportErrorKind::Timeout,
            TransportErrorKind::Interrupted,
            TransportErrorKind::Other,
        ] {
            assert!(!kind.is_unsent(), "{kind:?}");
        }
    }
}
