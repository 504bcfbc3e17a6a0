//! A transport that notes what passes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::{Request, Response};
use wandb_transport::{Body, Transport, TransportError};

/// One request that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The GraphQL operation, or the method for anything else.
    pub what: String,
    /// The path.
    pub path: String,
    /// The `Range` header.
    pub range: Option<String>,
}

/// Notes every request and passes it on. Clones share the notes.
#[derive(Debug, Clone)]
pub struct Counting {
    inner: Arc<dyn Transport>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Counting {
    /// Around another transport.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self {
            inner,
            seen: Arc::default(),
        }
    }

    /// Everything so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests of a GraphQL operation, or of a method, there were.
    pub fn count(&self, what: &str) -> usize {
        self.seen().iter().filter(|seen| seen.what == what).count()
    }

    /// Forgets what there was.
    pub fn reset(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let body = body.collect(64 << 20).await?;
        let operation = serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|json| json["operationName"].as_str().map(str::to_owned));
        let range = parts.headers.get(http::header::RANGE);
        let seen = Seen {
            what: operation.unwrap_or_else(|| parts.method.to_string()),
            path: parts.uri.path().to_owned(),
            range: range.and_then(|value| value.to_str().ok()).map(str::to_owned),
        };
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
        self.inner
            .send(Request::from_parts(parts, Body::from(body)))
            .await
    }
}
