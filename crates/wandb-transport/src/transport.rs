//! The seam itself: one request in, one answer out.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Body, TransportError};

/// Sends one HTTP request and gives back the answer's head with its body still streaming.
///
/// GraphQL calls, file bodies and signed storage URLs all go through this one method, so whoever implements it sees,
/// replaces, records or delays everything that the client does on the network.
///
/// # Contract
///
/// - **One call, one request.** An implementation never retries; the retry policy lives above the seam and cannot count
///   what it does not see. The only exception is a connection from a pool that turns out to be closed before the first
///   byte of the request was written to it.
/// - **No redirects.** A 3xx answer is given back as it is. Whether a credential may follow is a decision for above.
/// - **No credential is added**, and no header is removed. Proxy credentials for the transport's own proxy are its own
///   affair.
/// - **Every answer is an answer**, whatever its status. An error means that no complete head came back; the
///   [kind](TransportError::kind) says whether the server can have seen the request.
/// - **Streaming both ways.** The request's body is pulled as the peer takes it; the future resolves when the head of the
///   answer is there. Errors later on come out of the body, once, and then the body is over. A body that ends before its
///   announced length is an error and never a short success.
/// - **Dropping cancels.** Dropping the future or the answer's body stops the transfer and frees the connection. Nothing
///   goes on in the background on behalf of a dropped call.
/// - **The URI is absolute**: scheme, authority and path.
///
/// The trait is object safe; the client holds it as `Arc<dyn Transport>`.
#[async_trait]
pub trait Transport: Send + Sync + Debug {
    /// Sends the request and waits for the head of the answer.
    ///
    /// # Errors
    ///
    /// When no complete head came back. See [`TransportErrorKind`](crate::TransportErrorKind) for what each kind says
    /// about a repeat.
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        (**self).send(request).await
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Box<T> {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        (**self).send(request).await
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for &T {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        (**self).send(request).await
    }
}
