//! `wb serve` as a process, and what a training script does to it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{User, send};

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    dir: TempDir,
    _user: User,
    pub(crate) url: String,
    pub(crate) api_key: String,
    pub(crate) entity: String,
}

const UPSERT: &str = "mutation UpsertBucket($name: String, $project: String, $entity: String, $displayName: String, \
    $config: JSONString, $tags: [String!], $groupName: String, $notes: String, $jobType: String, $summaryMetrics: JSONString) { \
    upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, displayName: $displayName, config: $config, \
    tags: $tags, groupName: $groupName, notes: $notes, jobType: $jobType, summaryMetrics: $summaryMetrics}) \
    { bucket { id name project { name entity { name } } } inserted } }";

const CREATE_FILES: &str = "mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) { \
    createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) \
    { runID uploadHeaders files { name uploadUrl } } }";

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    pub(crate) fn start_in(dir: TempDir, arguments: &[&str]) -> Self {
        let user = User::new();
        let mut all = vec![
            "serve",
            "--quiet",
            "--port",
            "0",
            "--dir",
            dir.path().to_str().unwrap(),
        ];
        all.extend(arguments);
        let mut child = user
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let text = |name: &str| {
            ready[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}: {line}"))
                .to_owned()
        };
        Self {
            child,
            dir,
            _user: user,
            url: text("url"),
            api_key: text("api_key"),
            entity: text("entity"),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ends it without warning and gives the directory back.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap())
    }

    fn authorization(&self) -> String {
        let token = base64::engine::general_purpose::STANDARD.encode(format!("api:{}", self.api_key));
        format!("Basic {token}")
    }

    pub(crate) fn graphql(&self, query: &str, variables: &Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string();
        let authorization = self.authorization();
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        let response = send(
            "POST",
            &format!("{}/graphql", self.url),
            &headers,
            body.as_bytes(),
        );
        assert_eq!(
            response.status,
            200,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    /// Starts a run; `fields` are variables of `UpsertBucket` beyond name and project.
    pub(crate) fn start_run(&self, project: &str, run: &str, fields: &Value) {
        let mut variables = json!({"name": run, "project": project, "entity": self.entity});
        for (name, value) in fields.as_object().unwrap() {
            variables[name] = value.clone();
        }
        self.graphql(UPSERT, &variables);
    }

    /// Sends history lines (the text of each, so that bare NaN is possible) from an offset.
    pub(crate) fn log(&self, project: &str, run: &str, offset: usize, lines: &[String]) {
        let body = json!({"files": {"wandb-history.jsonl": {"offset": offset, "content": lines}}});
        self.file_stream(project, run, &body);
    }

    /// Sends console lines from an offset.
    pub(crate) fn print(&self, project: &str, run: &str, offset: usize, lines: &[&str]) {
        let body = json!({"files": {"output.log": {"offset": offset, "content": lines}}});
        self.file_stream(project, run, &body);
    }

    pub(crate) fn finish_run(&self, project: &str, run: &str, exit_code: i32) {
        self.file_stream(project, run, &json!({"complete": true, "exitcode": exit_code}));
    }

    fn file_stream(&self, project: &str, run: &str, body: &Value) {
        let url = format!("{}/files/{}/{project}/{run}/file_stream", self.url, self.entity);
        let authorization = self.authorization();
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        let response = send("POST", &url, &headers, body.to_string().as_bytes());
        assert_eq!(
            response.status,
            200,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
    }

    pub(crate) fn upload(&self, project: &str, run: &str, name: &str, bytes: &[u8]) {
        let variables = json!({"entity": self.entity, "project": project, "run": run, "files": [name]});
        let data = self.graphql(CREATE_FILES, &variables);
        let url = data["createRunFiles"]["files"][0]["uploadUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        let response = send("PUT", &url, &[], bytes);
        assert!((200..300).contains(&response.status), "{response:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
