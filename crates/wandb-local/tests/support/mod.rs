//! Speaking to a server in tests: in the process and over loopback HTTP.
// Each test file uses its part; what fails here fails the test.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::large_enum_variant)]

use base64::Engine as _;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use wandb_local::{LocalServer, LocalTransport};
use wandb_transport::{Body, Transport as _};

/// A key long enough for the official client.
pub const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// One way to reach a server.
#[derive(Debug, Clone)]
pub enum Route {
    Local(LocalTransport),
    Http(Client<HttpConnector, Full<Bytes>>),
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

/// A caller with a key.
#[derive(Debug, Clone)]
pub struct Caller {
    pub route: Route,
    pub base: String,
    pub key: String,
    pub headers: Vec<(&'static str, String)>,
}

impl Caller {
    /// A server that exists only in this process, on a temporary directory.
    pub fn in_process() -> Self {
        Self::on(LocalServer::builder().api_key(KEY).open().unwrap())
    }

    pub fn on(transport: LocalTransport) -> Self {
        let base = transport.url().to_owned();
        Self {
            route: Route::Local(transport),
            base,
            key: KEY.to_owned(),
            headers: Vec::new(),
        }
    }

    /// Over loopback HTTP.
    pub fn of(server: &LocalServer) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            route: Route::Http(client),
            base: server.url(),
            key: server.api_key().to_owned(),
            headers: Vec::new(),
        }
    }

    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends a request with the key.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("api:{}", self.key));
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Basic {credentials}"))
            .header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        self.raw(request.body(body.into()).unwrap()).await
    }

    /// Sends a request as it is.
    pub async fn raw(&self, request: Request<Bytes>) -> Answer {
        match &self.route {
            Route::Local(transport) => {
                let response = transport.send(request.map(Body::from)).await.unwrap();
                let (parts, body) = response.into_parts();
                let body = body.collect(usize::MAX).await.unwrap();
                Answer {
                    status: parts.status,
                    headers: parts.headers,
                    body,
                }
            }
            Route::Http(client) => {
                let response = client.request(request.map(Full::new)).await.unwrap();
                let (parts, body) = response.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                Answer {
                    status: parts.status,
                    headers: parts.headers,
                    body,
                }
            }
        }
    }

    /// Runs a document; the whole answer.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables, "operationName": "" }).to_string();
        let answer = self.send(Method::POST, "/graphql", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json()
    }

    /// Runs a document that must succeed; its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Runs a document that must fail; the first message.
    pub async fn refusal(&self, query: &str, variables: Value) -> String {
        let answer = self.graphql(query, variables).await;
        answer["errors"][0]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    /// Creates or changes a run; the payload.
    pub async fn upsert(&self, input: Value) -> Value {
        let query = "mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) {
            bucket { id name displayName config historyLineCount project { name entity { name } } } inserted } }";
        self.data(query, json!({ "input": input })).await["upsertBucket"].clone()
    }

    /// Creates a running run, as a process does.
    pub async fn start_run(&self, project: &str, run: &str) -> Value {
        self.upsert(json!({ "modelName": project, "name": run, "host": "here", "jobProgram": "train.py" }))
            .await
    }

    /// Posts to `file_stream`.
    pub async fn stream(&self, project: &str, run: &str, body: Value) -> Answer {
        let path = format!("/files/local/{project}/{run}/file_stream");
        self.send(Method::POST, &path, body.to_string()).await
    }

    /// Posts history lines that must be taken.
    pub async fn log(&self, project: &str, run: &str, offset: u64, rows: &[String]) {
        let body = json!({ "files": { "wandb-history.jsonl": { "offset": offset, "content": rows } } });
        let answer = self.stream(project, run, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    }

    /// One run, with the given selection.
    pub async fn run(&self, project: &str, run: &str, selection: &str) -> Value {
        let query = format!(
            "query Run($project: String!, $run: String!) {{ project(name: $project) {{ run(name: $run) {{ {selection} }} }} }}"
        );
        self.data(&query, json!({ "project": project, "run": run })).await["project"]["run"].clone()
    }

    /// The rows of a run by `history`, parsed.
    pub async fn rows(&self, project: &str, run: &str) -> Vec<Value> {
        let run = self
            .run(
                project,
                run,
                "history(minStep: 0, maxStep: 9007199254740993, samples: 1000000)",
            )
            .await;
        run["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| serde_json::from_str(row.as_str().unwrap()).unwrap())
            .collect()
    }
}

/// `count` rows of one metric from step `from` on.
pub fn rows(from: u64, count: u64) -> Vec<String> {
    (from..from + count)
        .map(|step| {
            json!({ "_step": step, "_runtime": step, "_timestamp": 1.5, "loss": step * 2 }).to_string()
        })
        .collect()
}
