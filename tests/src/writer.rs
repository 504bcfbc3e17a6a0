//! Logging a run over the wire (protocol §2.7.1, §2.11, §4), independently of the client under test.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value as Json, json};
use wandb_api::secret::ApiKey;
use wandb_transport::{Body, Transport};

use crate::KEY;

/// The write operations, as one document each.
const UPSERT: &str = "mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) \
    { bucket { id name displayName project { name entity { name } } historyLineCount } inserted } }";
const CREATE_FILES: &str = "mutation CreateRunFiles($input: CreateRunFilesInput!) { createRunFiles(input: $input) \
    { runID uploadHeaders files { name uploadUrl } } }";
const REWIND_RUN: &str = "mutation RewindRun($input: RewindRunInput!) { rewindRun(input: $input) { rewoundRun { id historyLineCount } } }";
const DELETE_RUN: &str =
    "mutation DeleteRun($input: DeleteRunInput!) { deleteRun(input: $input) { clientMutationId } }";

/// What a run begins with: fields of `UpsertBucketInput` by their wire names, but `config` and `summaryMetrics` as text.
#[derive(Debug, Clone)]
pub struct NewRun(Json);

impl NewRun {
    /// A run with an id and nothing else.
    pub fn named(name: &str) -> Self {
        Self(json!({ "name": name, "host": "test-host", "jobProgram": "train.py" }))
    }

    /// Sets a field of the input.
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<Json>) -> Self {
        self.0[field] = value.into();
        self
    }

    /// Sets the config: plain values, which are wrapped here as the SDK does.
    #[must_use]
    pub fn config<'a>(self, values: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        let wrapped: serde_json::Map<_, _> = values
            .into_iter()
            .map(|(key, value)| (key.to_owned(), json!({ "value": value })))
            .collect();
        self.set("config", Json::Object(wrapped).to_string())
    }

    /// Sets the summary.
    #[must_use]
    pub fn summary(self, text: &str) -> Self {
        self.set("summaryMetrics", text)
    }
}

/// Writes one run, as a process of the SDK does.
#[derive(Debug)]
pub struct Writer {
    transport: Arc<dyn Transport>,
    base: String,
    /// The entity that the server named.
    pub entity: String,
    /// The project that the server named.
    pub project: String,
    /// The run id.
    pub name: String,
    /// The opaque id.
    pub storage_id: String,
    lines: usize,
    events: usize,
}

impl Writer {
    pub(crate) async fn create(
        transport: Arc<dyn Transport>,
        base: &str,
        project: &str,
        run: NewRun,
    ) -> Self {
        let input = run.set("modelName", project).0;
        let answer = graphql(&*transport, base, "UpsertBucket", UPSERT, input).await;
        let bucket = &answer["upsertBucket"]["bucket"];
        let text = |value: &Json| value.as_str().expect("the server names it").to_owned();
        Self {
            entity: text(&bucket["project"]["entity"]["name"]),
            project: text(&bucket["project"]["name"]),
            name: text(&bucket["name"]),
            storage_id: text(&bucket["id"]),
            lines: usize::try_from(bucket["historyLineCount"].as_u64().unwrap_or(0))
                .expect("a test logs few lines"),
            base: base.to_owned(),
            transport,
            events: 0,
        }
    }

    /// `entity/project/run`.
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.entity, self.project, self.name)
    }

    /// Appends history rows, each the text of one object with `_step`.
    pub async fn history<S: AsRef<str>>(&mut self, rows: impl IntoIterator<Item = S>) {
        let rows: Vec<String> = rows.into_iter().map(|row| row.as_ref().to_owned()).collect();
        let offset = self.lines;
        self.lines += rows.len();
        self.stream(json!({ "files": { "wandb-history.jsonl": { "offset": offset, "content": rows } } }))
            .await;
    }

    /// Appends rows of system metrics.
    pub async fn events(&mut self, rows: &[&str]) {
        let offset = self.events;
        self.events += rows.len();
        self.stream(json!({ "files": { "wandb-events.jsonl": { "offset": offset, "content": rows } } }))
            .await;
    }

    /// Replaces the summary.
    pub async fn summary(&self, text: &str) {
        self.stream(json!({ "files": { "wandb-summary.json": { "offset": 0, "content": [text] } } }))
            .await;
    }

    /// Ends the run.
    pub async fn finish(&self, exit_code: i64) {
        self.stream(json!({ "complete": true, "exitcode": exit_code }))
            .await;
    }

    /// Sends one `file_stream` request.
    pub async fn stream(&self, body: Json) {
        let url = format!(
            "{}/files/{}/{}/{}/file_stream",
            self.base, self.entity, self.project, self.name
        );
        let request = authorized(Method::POST, &url)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("the request is sound");
        send(&*self.transport, request).await;
    }

    /// Uploads one file.
    pub async fn upload(&self, name: &str, bytes: impl Into<Bytes>) {
        let input = json!({
            "entityName": self.entity, "projectName": self.project, "runName": self.name, "files": [name],
        });
        let answer = graphql(
            &*self.transport,
            &self.base,
            "CreateRunFiles",
            CREATE_FILES,
            input,
        )
        .await;
        let url = answer["createRunFiles"]["files"][0]["uploadUrl"]
            .as_str()
            .expect("the server says where the bytes go");
        let request = Request::put(url)
            .body(Body::from(bytes.into()))
            .expect("the request is sound");
        send(&*self.transport, request).await;
        self.stream(json!({ "uploaded": [name] })).await;
    }

    /// Changes fields of the run.
    pub async fn update(&self, fields: Json) {
        let mut input = json!({ "name": self.name, "modelName": self.project, "entityName": self.entity });
        for (field, value) in fields.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        graphql(&*self.transport, &self.base, "UpsertBucket", UPSERT, input).await;
    }

    /// Cuts the history behind a step.
    pub async fn rewind(&self, step: i64) {
        let input = json!({
            "runName": self.name, "entityName": self.entity, "projectName": self.project,
            "metricName": "_step", "metricValue": step,
        });
        graphql(&*self.transport, &self.base, "RewindRun", REWIND_RUN, input).await;
    }

    /// Deletes the run.
    pub async fn delete(self) {
        let input = json!({ "id": self.storage_id });
        graphql(&*self.transport, &self.base, "DeleteRun", DELETE_RUN, input).await;
    }
}

fn authorized(method: Method, url: &str) -> http::request::Builder {
    let key = ApiKey::parse(KEY).expect("the key of the tests is one");
    Request::builder()
        .method(method)
        .uri(url)
        .header(AUTHORIZATION, key.basic_authorization())
}

async fn graphql(transport: &dyn Transport, base: &str, name: &str, query: &str, input: Json) -> Json {
    let body = json!({ "operationName": name, "query": query, "variables": { "input": input } });
    let request = authorized(Method::POST, &format!("{base}/graphql"))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .expect("the request is sound");
    let answer = send(transport, request).await;
    let mut answer: Json = serde_json::from_slice(&answer).expect("the server answers JSON");
    assert!(answer["errors"].is_null(), "{name}: {answer}");
    answer["data"].take()
}

/// Sends a request that must succeed.
async fn send(transport: &dyn Transport, request: Request<Body>) -> Bytes {
    let what = format!("{} {}", request.method(), request.uri().path());
    let answer = transport.send(request).await.expect("the server answers");
    let status = answer.status();
    let body = answer.into_body().collect(64 << 20).await.expect("a whole body");
    assert!(
        status.is_success(),
        "{what}: {status} {}",
        String::from_utf8_lossy(&body)
    );
    body
}
