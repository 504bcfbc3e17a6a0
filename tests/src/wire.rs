//! A transport that says where the key goes, and answers for hosts that are not there.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use http::{HeaderMap, Request, Response, Uri};
use wandb_transport::{Body, Transport, TransportError};

use crate::KEY;

/// One request that passed.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The GraphQL operation, or the method for anything else.
    pub what: String,
    /// Where to.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// Whether the key is in it, in whatever form: in the address, in a header, or in a body that is no GraphQL.
    pub shows_key: bool,
}

/// Answers some requests itself; `None` for those that go on.
type Answer = dyn Fn(&Passed) -> Option<Response<Body>> + Send + Sync;

/// Notes every request and where the key is, and passes it on unless it has an answer of its own. Clones share the notes.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<dyn Transport>,
    answer: Arc<Answer>,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    /// Around another transport, with answers of its own.
    pub fn new(
        inner: Arc<dyn Transport>,
        answer: impl Fn(&Passed) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            answer: Arc::new(answer),
            passed: Arc::default(),
        }
    }

    /// Everything so far, in order.
    pub fn passed(&self) -> Vec<Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what there was.
    pub fn reset(&self) {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn shows_key(bytes: &[u8]) -> bool {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("api:{KEY}"));
    [KEY, basic.as_str()].iter().any(|secret| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    })
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let body = body.collect(64 << 20).await?;
        let operation = serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|json| json["operationName"].as_str().map(str::to_owned));
        let in_headers = parts.headers.values().any(|value| shows_key(value.as_bytes()));
        let passed = Passed {
            shows_key: in_headers || shows_key(parts.uri.to_string().as_bytes()) || shows_key(&body),
            what: operation.unwrap_or_else(|| parts.method.to_string()),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        };
        let answer = (self.answer)(&passed);
        self.passed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(passed);
        match answer {
            Some(answer) => Ok(answer),
            None => {
                self.inner
                    .send(Request::from_parts(parts, Body::from(body)))
                    .await
            }
        }
    }
}
