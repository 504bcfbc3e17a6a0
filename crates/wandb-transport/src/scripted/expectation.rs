//! The builder of one step of a script.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Method};
use serde_json::{Value, json};

use super::matcher::Matcher;
use super::request::RecordedRequest;
use super::response::ScriptedResponse;
use super::transport::{Reply, Script, Step};
use crate::TransportErrorKind;

/// A request that a script expects, and what happens to it.
///
/// Conditions add up. A step joins the script only with its ending: one of the `respond…` methods, [`fail`](Self::fail) or
/// [`hang`](Self::hang).
#[derive(Debug)]
#[must_use = "a step joins the script with its ending: respond…, fail or hang"]
pub struct Expectation {
    script: Arc<Script>,
    matchers: Vec<Matcher>,
    /// How often; `None` is any number of times, none included.
    times: Option<usize>,
}

impl Expectation {
    pub(super) fn new(script: Arc<Script>) -> Self {
        Self {
            script,
            matchers: Vec::new(),
            times: Some(1),
        }
    }

    fn with(mut self, matcher: Matcher) -> Self {
        self.matchers.push(matcher);
        self
    }

    /// The method.
    pub fn method(self, method: Method) -> Self {
        self.with(Matcher::Method(method))
    }

    /// The target: a path (`/graphql`), a path with its query (`/x?a=1`), or a whole URI.
    pub fn target(self, target: &str) -> Self {
        if target.starts_with('/') {
            self.with(Matcher::Path(target.to_owned()))
        } else {
            self.with(Matcher::Uri(target.to_owned()))
        }
    }

    /// The host, with its port if the URI has one: `api.wandb.ai`, `localhost:8080`.
    pub fn host(self, host: &str) -> Self {
        self.with(Matcher::Host(host.to_owned()))
    }

    /// A query parameter with this value, compared after decoding.
    pub fn query(self, name: &str, value: &str) -> Self {
        self.with(Matcher::Query(name.to_owned(), value.to_owned()))
    }

    /// A header with this value.
    ///
    /// # Panics
    ///
    /// When HTTP does not allow the name; so do the two methods that follow.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(Matcher::Header(header_name(name), value.to_owned()))
    }

    /// A header of this name, whatever its value.
    pub fn header_present(self, name: &str) -> Self {
        self.with(Matcher::HeaderPresent(header_name(name)))
    }

    /// No header of this name.
    pub fn header_absent(self, name: &str) -> Self {
        self.with(Matcher::HeaderAbsent(header_name(name)))
    }

    /// Exactly this body.
    pub fn body(self, bytes: impl Into<Bytes>) -> Self {
        self.with(Matcher::Body(bytes.into()))
    }

    /// A JSON body that has at least these members; arrays are compared whole.
    pub fn json(self, subset: Value) -> Self {
        self.with(Matcher::Json(subset))
    }

    /// GraphQL variables that are at least these, compared as by [`json`](Self::json).
    pub fn variables(self, subset: Value) -> Self {
        self.with(Matcher::Variables(subset))
    }

    /// A condition of one's own; `what` completes "expected a request with …".
    pub fn when(
        self,
        what: &str,
        condition: impl Fn(&RecordedRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(Matcher::When(what.to_owned(), Arc::new(condition)))
    }

    pub(super) fn operation(self, name: &str) -> Self {
        self.with(Matcher::Operation(name.to_owned()))
    }

    /// Expects the request this many times (in an ordered script: in a row). Default: once.
    pub fn times(mut self, count: usize) -> Self {
        self.times = Some(count);
        self
    }

    /// Answers every such request that no other step takes, in ordered scripts too; none is also fine.
    pub fn any_number_of_times(mut self) -> Self {
        self.times = None;
        self
    }

    /// Answers.
    pub fn respond(self, response: ScriptedResponse) {
        self.end(Reply::Response(response));
    }

    /// Answers with what a function makes of the request.
    pub fn respond_with(self, make: impl Fn(&RecordedRequest) -> ScriptedResponse + Send + Sync + 'static) {
        self.end(Reply::Made(Arc::new(make)));
    }

    /// Answers with this status and no body.
    pub fn respond_status(self, status: u16) {
        self.respond(ScriptedResponse::new(status));
    }

    /// Answers with this status and JSON body.
    pub fn respond_json(self, status: u16, body: Value) {
        self.respond(ScriptedResponse::new(status).json(body));
    }

    /// Answers as a GraphQL server does: status 200 and `{"data": …}`.
    pub fn respond_data(self, data: Value) {
        let body = serde_json::Map::from_iter([("data".to_owned(), data)]);
        self.respond_json(200, Value::Object(body));
    }

    /// Answers as a GraphQL server does that refuses: status 200, no data, one error with this message.
    pub fn respond_graphql_error(self, message: &str) {
        self.respond_json(200, json!({ "data": null, "errors": [{ "message": message }] }));
    }

    /// Lets the request fail before any answer.
    pub fn fail(self, kind: TransportErrorKind) {
        self.end(Reply::Fail(kind));
    }

    /// Never answers; the request stays open until the caller drops it.
    pub fn hang(self) {
        self.end(Reply::Hang);
    }

    fn end(self, reply: Reply) {
        self.script.add(Step {
            matchers: self.matchers,
            left: self.times,
            reply,
        });
    }
}

fn header_name(name: &str) -> HeaderName {
    name.parse().expect("a script has valid header names")
}
