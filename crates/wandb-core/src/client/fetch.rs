//! Bytes from a URL that the server named.

use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header::LOCATION};
use wandb_transport::Body;

use super::Client;
use crate::{Error, Result, graphql, redact::SafeUrl, retry::Repeat};

/// How many redirects are followed (protocol §1.6).
const MAX_REDIRECTS: usize = 10;

/// How much of an error's body is read for the server's words.
const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// What to fetch.
#[derive(Debug, Clone)]
#[must_use]
pub struct Fetch {
    url: SafeUrl,
    headers: HeaderMap,
    anonymous: bool,
    description: String,
}

impl Fetch {
    /// A `GET` of a URL, absolute or beginning with `/` (then below the base URL; protocol §1.6). `description`
    /// completes "failed to …".
    pub fn get(url: SafeUrl, description: impl Into<String>) -> Self {
        Self {
            url,
            headers: HeaderMap::new(),
            anonymous: false,
            description: description.into(),
        }
    }

    /// Sends neither the credential nor the configured extra headers, wherever the URL leads: for signed URLs, which
    /// are their own credential (protocol §1.3), and for references, which are other people's.
    pub fn without_credential(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Adds a header, for example `Range`.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// The answer to a [`Fetch`]: status 200 or 206, headers, and the body still streaming.
#[derive(Debug)]
pub struct Fetched {
    /// 200, or 206 for a part.
    pub status: StatusCode,
    /// The headers of the last hop.
    pub headers: HeaderMap,
    /// The bytes. They are not verified here.
    pub body: Body,
    /// How many requests it took, 1 when the first was answered; more tell that the server is at its limit.
    pub attempts: u32,
}

impl Client {
    /// Fetches bytes. The head is retried like a read; what breaks off in the body is the caller's to resume.
    ///
    /// Redirects are followed up to ten times. At each hop the credential goes along only if the URL is under the base
    /// URL, so it never reaches a signed storage URL.
    ///
    /// # Errors
    /// As [`graphql::error_of_answer`] for a status other than 2xx, or when the server cannot be reached.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Fetched> {
        let attempts = AtomicU32::new(0);
        let mut fetched = self
            .with_retries(Repeat::Always, &fetch.description, || {
                attempts.fetch_add(1, Ordering::Relaxed);
                self.fetch_once(fetch)
            })
            .await?;
        fetched.attempts = attempts.into_inner();
        Ok(fetched)
    }

    async fn fetch_once(&self, fetch: &Fetch) -> Result<Fetched> {
        let mut url = self.resolve(fetch.url.expose())?;
        for _ in 0..=MAX_REDIRECTS {
            let answer = self
                .inner
                .transport
                .send(self.fetch_request(fetch, &url)?)
                .await?;
            let (head, body) = answer.into_parts();
            if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
                url = self.redirect(&url, &head.headers, head.status)?;
                continue;
            }
            if !head.status.is_success() {
                self.note_rate_limit(&head.headers);
                let body = body.collect(ERROR_BODY_LIMIT).await.unwrap_or_default();
                let now = self.inner.runtime.unix_seconds();
                return Err(graphql::error_of_answer(head.status, &head.headers, &body, now));
            }
            return Ok(Fetched {
                status: head.status,
                headers: head.headers,
                body,
                attempts: 1,
            });
        }
        Err(Error::protocol(format!(
            "more than {MAX_REDIRECTS} redirects, the last to {url}"
        )))
    }

    pub(super) fn resolve(&self, url: &str) -> Result<SafeUrl> {
        self.inner
            .base_url
            .resolve(url)
            .map_err(|error| Error::protocol("the server named a URL that cannot be used").with_source(error))
    }

    fn fetch_request(&self, fetch: &Fetch, url: &SafeUrl) -> Result<Request<Body>> {
        let uri = url.to_uri().map_err(|error| {
            Error::protocol("the server named a URL that cannot be used").with_source(error)
        })?;
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri;
        *request.headers_mut() = fetch.headers.clone();
        if fetch.anonymous {
            self.add_user_agent(request.headers_mut());
        } else {
            self.add_headers(url.expose(), request.headers_mut());
        }
        Ok(request)
    }

    fn redirect(&self, from: &SafeUrl, headers: &HeaderMap, status: StatusCode) -> Result<SafeUrl> {
        let location = headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| Error::protocol(format!("the server answered {status} without a Location")))?;
        let joined = url::Url::parse(from.expose()).and_then(|base| base.join(location));
        match joined {
            Ok(url) if matches!(url.scheme(), "http" | "https") => self.resolve(url.as_str()),
            _ => Err(Error::protocol(format!(
                "the server answered {status} with a Location that cannot be followed"
            ))),
        }
    }
}
