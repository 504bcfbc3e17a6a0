//! Bytes to a URL that the server named.

use http::{HeaderMap, Method, Request};
use wandb_transport::Body;

use super::Client;
use crate::{Error, Result, graphql, redact::SafeUrl, retry::Repeat};

/// How much of an answer is read for the server's words, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What to put where. A signed upload URL is its own credential, so none goes along unless asked for (protocol §1.3), and
/// no redirect is followed: the body may not go where it was not signed for.
#[derive(Debug, Clone)]
#[must_use]
pub struct Put {
    url: SafeUrl,
    headers: HeaderMap,
    credential: bool,
    description: String,
}

impl Put {
    /// A `PUT` to a URL. `description` completes "failed to …".
    pub fn new(url: SafeUrl, description: impl Into<String>) -> Self {
        Self {
            url,
            headers: HeaderMap::new(),
            credential: false,
            description: description.into(),
        }
    }

    /// The headers that the server wants.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Sends the credential along if the URL is below the base URL, and to no other: what uploads through the public API
    /// do, as opposed to those of a run's process (protocol §1.3).
    pub fn with_credential(mut self) -> Self {
        self.credential = true;
        self
    }
}

impl Client {
    /// Puts bytes. `body` is called for each attempt: a put of the same bytes has the same effect once and twice, so it is
    /// retried like a read. Gives the answer's headers.
    ///
    /// A 308 that means "go on" is not spoken here; any redirect is an error.
    ///
    /// # Errors
    /// As [`graphql::error_of_answer`] for a status other than 2xx, or when the server cannot be reached.
    pub async fn put(&self, put: &Put, body: impl Fn() -> Body) -> Result<HeaderMap> {
        self.with_retries(Repeat::Always, &put.description, || self.put_once(put, body()))
            .await
    }

    async fn put_once(&self, put: &Put, body: Body) -> Result<HeaderMap> {
        let url = self.resolve(put.url.expose())?;
        let uri = url.to_uri().map_err(|error| {
            Error::protocol("the server named a URL that cannot be used").with_source(error)
        })?;
        let mut request = Request::new(body);
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = uri;
        *request.headers_mut() = put.headers.clone();
        if put.credential {
            self.add_headers(url.expose(), request.headers_mut());
        } else {
            self.add_user_agent(request.headers_mut());
        }
        let answer = self.inner.transport.send(request).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect(ANSWER_LIMIT).await;
        if !head.status.is_success() {
            self.note_rate_limit(&head.headers);
            let now = self.inner.runtime.unix_seconds();
            let body = body.unwrap_or_default();
            return Err(graphql::error_of_answer(head.status, &head.headers, &body, now));
        }
        Ok(head.headers)
    }
}
