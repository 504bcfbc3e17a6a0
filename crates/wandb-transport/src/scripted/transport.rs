//! The scripted transport itself: keeps the steps, records what is sent.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{Method, Request, Response};

use super::expectation::Expectation;
use super::matcher::Matcher;
use super::request::RecordedRequest;
use super::response::ScriptedResponse;
use crate::{Body, Transport, TransportError, TransportErrorKind};

/// The largest body of a request that is recorded, in bytes.
const LARGEST_BODY: usize = 256 << 20;

/// A transport without a network: it answers as its script says, and checks that it is asked what the script expects.
///
/// A request that does not fit gets an error of kind [`InvalidRequest`](TransportErrorKind::InvalidRequest), which no
/// retry policy repeats, and which says what was expected. Because the code under test may swallow it, the mistake also
/// counts at the end: [`finish`](Self::finish) panics, as does dropping the last clone of a script that was neither
/// finished nor [verified](Self::verify), unless the thread panics already.
///
/// Clones share the script.
///
/// ```
/// use serde_json::json;
/// use wandb_transport::{Body, ScriptedTransport, Transport};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let script = ScriptedTransport::ordered();
/// script.graphql("Viewer").header_present("authorization").respond_data(json!({ "viewer": { "username": "ada" } }));
///
/// let request = http::Request::post("https://api.wandb.ai/graphql")
///     .header("authorization", "Basic …")
///     .body(Body::from(r#"{"operationName": "Viewer", "query": "query Viewer { viewer { username } }"}"#))?;
/// let answer = script.send(request).await?;
///
/// assert_eq!(answer.into_body().collect(1000).await?, r#"{"data":{"viewer":{"username":"ada"}}}"#);
/// assert_eq!(script.requests()[0].operation(), Some("Viewer"));
/// script.finish();
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ScriptedTransport {
    script: Arc<Script>,
}

/// The script, shared by the transport's clones and the expectations that are being written.
pub(super) struct Script {
    ordered: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    requests: Vec<RecordedRequest>,
    /// One text for each request that did not fit.
    unexpected: Vec<String>,
    /// Whether somebody has looked at the outcome.
    checked: bool,
}

/// One expected request.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) matchers: Vec<Matcher>,
    /// How often it is still expected; `None` is any number of times.
    pub(super) left: Option<usize>,
    pub(super) reply: Reply,
}

/// What happens to a request that fits.
#[derive(Clone)]
pub(super) enum Reply {
    Response(ScriptedResponse),
    Made(Arc<dyn Fn(&RecordedRequest) -> ScriptedResponse + Send + Sync>),
    Fail(TransportErrorKind),
    Hang,
}

impl ScriptedTransport {
    /// A script whose steps are expected in the order in which they were added.
    pub fn ordered() -> Self {
        Self::new(true)
    }

    /// A script whose steps are expected in any order: a request takes the first step that fits and is still open. For
    /// code that sends several requests at once.
    pub fn unordered() -> Self {
        Self::new(false)
    }

    fn new(ordered: bool) -> Self {
        Self {
            script: Arc::new(Script {
                ordered,
                state: Mutex::default(),
            }),
        }
    }

    /// A step that, so far, takes every request.
    pub fn expect(&self) -> Expectation {
        Expectation::new(Arc::clone(&self.script))
    }

    /// A GET of this [target](Expectation::target).
    pub fn get(&self, target: &str) -> Expectation {
        self.expect().method(Method::GET).target(target)
    }

    /// A POST to this [target](Expectation::target).
    pub fn post(&self, target: &str) -> Expectation {
        self.expect().method(Method::POST).target(target)
    }

    /// A PUT to this [target](Expectation::target).
    pub fn put(&self, target: &str) -> Expectation {
        self.expect().method(Method::PUT).target(target)
    }

    /// A GraphQL operation of this name: a POST to `/graphql` under any prefix.
    pub fn graphql(&self, operation: &str) -> Expectation {
        self.expect()
            .method(Method::POST)
            .when("a path that ends in /graphql", |request| {
                request.uri().path().ends_with("/graphql")
            })
            .operation(operation)
    }

    /// Everything that was sent so far, expected or not, in the order in which the bodies were complete. A request whose
    /// own body failed is not there.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.script.state().requests.clone()
    }

    /// Checks that everything went as the script says: no step is left and no request was unexpected. After that, dropping
    /// the transport checks nothing more.
    ///
    /// # Errors
    ///
    /// The text that [`finish`](Self::finish) panics with.
    pub fn verify(&self) -> Result<(), String> {
        let mut state = self.script.state();
        state.checked = true;
        state.verify()
    }

    /// The same check for the end of a test.
    ///
    /// # Panics
    ///
    /// When a step is left or a request was unexpected.
    #[track_caller]
    pub fn finish(&self) {
        if let Err(message) = self.verify() {
            panic!("{message}");
        }
    }
}

impl Script {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, step: Step) {
        let mut state = self.state();
        state.checked = false;
        state.steps.push(step);
    }

    /// Records the request and takes the step that fits it.
    fn take(&self, request: &RecordedRequest) -> Result<Reply, TransportError> {
        let mut state = self.state();
        state.requests.push(request.clone());
        let number = state.requests.len();

        let open = |step: &Step| step.left.is_some_and(|left| left > 0);
        let mut candidates: Vec<_> = state
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| open(step))
            .collect();
        if self.ordered {
            candidates.truncate(1);
        }
        let background = state
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.left.is_none());
        let fitting = candidates
            .iter()
            .copied()
            .chain(background)
            .find(|(_, step)| step.check(request).is_ok());
        if let Some((index, _)) = fitting {
            let step = &mut state.steps[index];
            step.left = step.left.map(|left| left - 1);
            return Ok(step.reply.clone());
        }

        let expected: Vec<String> = candidates
            .iter()
            .map(|(_, step)| {
                let reason = step.check(request).err().unwrap_or_default();
                format!("expected a request with {step}, but {reason}")
            })
            .collect();
        let expected = if expected.is_empty() {
            "nothing more is expected".to_owned()
        } else {
            expected.join("; or ")
        };
        let message = format!("unexpected request {number}, {}: {expected}", request.summary());
        state.unexpected.push(message.clone());
        Err(TransportError::new(TransportErrorKind::InvalidRequest, message))
    }
}

impl State {
    fn verify(&self) -> Result<(), String> {
        let left = self.steps.iter().filter_map(|step| match step.left {
            Some(0) | None => None,
            Some(1) => Some(format!("never sent: a request with {step}")),
            Some(left) => Some(format!("never sent, {left} times: a request with {step}")),
        });
        let faults: Vec<String> = self.unexpected.iter().cloned().chain(left).collect();
        if faults.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the script was not followed ({} requests were sent)\n- {}",
            self.requests.len(),
            faults.join("\n- ")
        ))
    }
}

impl Step {
    fn check(&self, request: &RecordedRequest) -> Result<(), String> {
        self.matchers
            .iter()
            .try_for_each(|matcher| matcher.check(request))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.matchers.is_empty() {
            return f.write_str("anything in it");
        }
        for (index, matcher) in self.matchers.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{matcher}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => response.fmt(f),
            Self::Made(_) => f.write_str("Made(..)"),
            Self::Fail(kind) => write!(f, "Fail({kind:?})"),
            Self::Hang => f.write_str("Hang"),
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("ordered", &self.ordered)
            .field("state", &*self.state())
            .finish()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A second panic would abort the test program and hide the first.
        if state.checked || std::thread::panicking() {
            return;
        }
        if let Err(message) = state.verify() {
            panic!("{message}");
        }
    }
}

#[async_trait]
impl Transport for ScriptedTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let request = RecordedRequest::new(parts, body.collect(LARGEST_BODY).await?);
        match self.script.take(&request)? {
            Reply::Response(response) => Ok(response.into_response()),
            Reply::Made(make) => Ok(make(&request).into_response()),
            Reply::Fail(kind) => Err(TransportError::new(
                kind,
                "the request fails here, as the script says",
            )),
            Reply::Hang => std::future::pending().await,
        }
    }
}
