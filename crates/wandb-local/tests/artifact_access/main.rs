//! Artifacts of several users and teams: who sees what, who may change what, and whose bytes are whose.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod contents;
mod rights;
#[path = "../support/mod.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use support::{Answer, Caller};
use wandb_local::LocalServer;

/// A server with ada and grace in the team `research`, and eve in none. The team's projects: `cats` for both, `secret` for
/// ada alone, `open` for all to read. Each user has a run: `r`, in `cats`, `secret`, `open` ada's, and in their own `own`.
struct World {
    server: LocalServer,
    dir: tempfile::TempDir,
    ada: Caller,
    grace: Caller,
    eve: Caller,
}

async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let server = LocalServer::builder().dir(dir.path()).start().await.unwrap();
    let people = server.people();
    let caller = |name: &str| Caller {
        key: people.add_user(name, None).unwrap().api_key,
        ..Caller::of(&server)
    };
    let (ada, grace, eve) = (caller("ada"), caller("grace"), caller("eve"));
    people.add_team("research", ["ada", "grace"]).unwrap();
    for project in ["cats", "secret", "open"] {
        run(&ada, "research", project).await;
    }
    access(&ada, "secret", "PRIVATE").await;
    access(&ada, "open", "USER_READ").await;
    for (caller, name) in [(&ada, "ada"), (&grace, "grace"), (&eve, "eve")] {
        run(caller, name, "own").await;
    }
    World {
        server,
        dir,
        ada,
        grace,
        eve,
    }
}

async fn run(caller: &Caller, entity: &str, project: &str) -> Value {
    let input = json!({ "entityName": entity, "modelName": project, "name": "r", "host": "here" });
    caller.upsert(input).await["bucket"]["id"].clone()
}

async fn access(caller: &Caller, project: &str, access: &str) {
    let input = json!({ "entityName": "research", "name": project, "access": access });
    mutate(caller, "upsertModel", input).await;
}

fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A mutation that asks for nothing but that it happens.
fn document(name: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation ($input: {input}!) {{ {name}(input: $input) {{ __typename }} }}")
}

async fn mutate(caller: &Caller, name: &str, input: Value) {
    caller.data(&document(name), json!({ "input": input })).await;
}

async fn create(caller: &Caller, entity: &str, project: &str, client: Option<&str>) -> Value {
    let query = "mutation ($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact {
        id artifactSequence { id } } } }";
    let input = json!({ "entityName": entity, "projectName": project, "runName": "r", "artifactTypeName": "dataset",
        "artifactCollectionName": "ds", "digest": "", "digestAlgorithm": "MANIFEST_MD5", "clientID": client });
    caller.data(query, json!({ "input": input })).await["createArtifact"]["artifact"].clone()
}

async fn announce(caller: &Caller, artifact: &Value, bytes: &[u8]) -> Value {
    let query = "mutation ($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) { files { edges { node {
        uploadUrl directUrl artifact { id } } } } } }";
    let file = json!({ "artifactID": artifact, "name": "a.txt", "md5": md5(bytes) });
    let answer = caller
        .data(query, json!({ "input": { "artifactFiles": [file] } }))
        .await;
    answer["createArtifactFiles"]["files"]["edges"][0]["node"].clone()
}

async fn put(caller: &Caller, url: &Value, bytes: &[u8]) -> StatusCode {
    let request = Request::put(url.as_str().unwrap());
    let request = request.body(Bytes::copy_from_slice(bytes)).unwrap();
    caller.raw(request).await.status
}

/// Announces and sends a manifest of one file `a.txt`; its id.
async fn send_manifest(caller: &Caller, artifact: &Value, bytes: &[u8], birth: &Value) -> Value {
    let mut entry = json!({ "digest": md5(bytes), "size": bytes.len() });
    if !birth.is_null() {
        entry["birthArtifactID"] = birth.clone();
    }
    let text = json!({ "version": 1, "storagePolicy": "wandb-storage-policy-v1",
        "storagePolicyConfig": { "storageLayout": "V2" }, "contents": { "a.txt": entry } })
    .to_string();
    let query = "mutation ($input: CreateArtifactManifestInput!) { createArtifactManifest(input: $input) {
        artifactManifest { id file { uploadUrl } } } }";
    let input = json!({ "artifactID": artifact, "name": "wandb_manifest.json", "digest": md5(text.as_bytes()),
        "entityName": "", "projectName": "", "runName": "", "type": "FULL" });
    let answer = caller.data(query, json!({ "input": input })).await;
    let manifest = &answer["createArtifactManifest"]["artifactManifest"];
    let status = put(caller, &manifest["file"]["uploadUrl"], text.as_bytes()).await;
    assert_eq!(status, StatusCode::OK);
    manifest["id"].clone()
}

/// Logs a version of `ds` with the file `a.txt`; its id.
async fn log(caller: &Caller, entity: &str, project: &str, bytes: &[u8]) -> Value {
    let artifact = create(caller, entity, project, None).await["id"].clone();
    let node = announce(caller, &artifact, bytes).await;
    if !node["uploadUrl"].is_null() {
        assert_eq!(put(caller, &node["uploadUrl"], bytes).await, StatusCode::OK);
    }
    send_manifest(caller, &artifact, bytes, &Value::Null).await;
    mutate(caller, "commitArtifact", json!({ "artifactID": artifact })).await;
    artifact
}

/// Links a version into the portfolio `pf` of a project, as `prod`; the portfolio's id.
async fn link(caller: &Caller, artifact: &Value, entity: &str, project: &str) -> Value {
    let query = "mutation ($input: LinkArtifactInput!) { linkArtifact(input: $input) { artifactMembership {
        artifactCollection { id } } } }";
    let input = json!({ "artifactID": artifact, "artifactPortfolioName": "pf", "entityName": entity,
        "projectName": project, "aliases": [{ "artifactCollectionName": "pf", "alias": "prod" }] });
    let answer = caller.data(query, json!({ "input": input })).await;
    answer["linkArtifact"]["artifactMembership"]["artifactCollection"]["id"].clone()
}

async fn by_key(caller: &Caller, path: &str) -> Answer {
    caller.send(Method::GET, path, "").await
}

/// What there is to be changed in a project: a committed version and one that is being made, and where they are.
struct Target {
    project: &'static str,
    bytes: Vec<u8>,
    version: Value,
    pending: Value,
    manifest: Value,
    sequence: Value,
    portfolio: Value,
}

async fn target(ada: &Caller, project: &'static str) -> Target {
    let bytes = format!("bytes of {project}").into_bytes();
    let version = log(ada, "research", project, &bytes).await;
    let client = format!("client-{project}");
    let pending = create(ada, "research", project, Some(&client)).await;
    let manifest = send_manifest(ada, &pending["id"], &bytes, &Value::Null).await;
    Target {
        portfolio: link(ada, &version, "research", project).await,
        project,
        bytes,
        version,
        pending: pending["id"].clone(),
        manifest,
        sequence: pending["artifactSequence"]["id"].clone(),
    }
}

impl Target {
    /// Every mutation that would change something of the target; the flag tells those that name it by an id alone.
    fn changes(&self) -> Vec<(&'static str, bool, Value)> {
        let Self {
            project,
            bytes,
            version,
            pending,
            manifest,
            sequence,
            portfolio,
        } = self;
        let alias = json!([{ "entityName": "research", "projectName": project, "artifactCollectionName": "ds", "alias": "mine" }]);
        let tags = json!({ "entityName": "research", "projectName": project, "artifactCollectionName": "ds",
            "tags": [{ "tagName": "mine" }] });
        let new = json!({ "entityName": "research", "projectName": project, "artifactTypeName": "dataset",
            "artifactCollectionName": "ds", "digest": "", "digestAlgorithm": "MANIFEST_MD5" });
        vec![
            (
                "updateArtifact",
                true,
                json!({ "artifactID": version, "description": "mine" }),
            ),
            (
                "deleteArtifact",
                true,
                json!({ "artifactID": version, "deleteAliases": true }),
            ),
            (
                "addAliases",
                false,
                json!({ "artifactID": version, "aliases": alias }),
            ),
            (
                "deleteAliases",
                false,
                json!({ "artifactID": version, "aliases": alias }),
            ),
            (
                "linkArtifact",
                true,
                json!({ "artifactID": version, "artifactPortfolioID": portfolio }),
            ),
            (
                "unlinkArtifact",
                true,
                json!({ "artifactID": version, "artifactPortfolioID": portfolio }),
            ),
            (
                "updateArtifactSequence",
                true,
                json!({ "artifactSequenceID": sequence, "name": "mine" }),
            ),
            (
                "moveArtifactSequence",
                true,
                json!({ "artifactSequenceID": sequence, "destinationArtifactTypeName": "m" }),
            ),
            (
                "deleteArtifactSequence",
                true,
                json!({ "artifactSequenceID": sequence }),
            ),
            (
                "updateArtifactPortfolio",
                true,
                json!({ "artifactPortfolioID": portfolio, "name": "mine" }),
            ),
            (
                "deleteArtifactPortfolio",
                true,
                json!({ "artifactPortfolioID": portfolio }),
            ),
            ("createArtifactCollectionTagAssignments", false, tags.clone()),
            ("deleteArtifactCollectionTagAssignments", false, tags),
            ("createArtifact", false, new),
            (
                "createArtifactType",
                false,
                json!({ "entityName": "research", "projectName": project, "name": "mine" }),
            ),
            (
                "createArtifactManifest",
                true,
                json!({ "artifactID": pending, "name": "m", "digest": "", "entityName": "",
                "projectName": "", "runName": "" }),
            ),
            (
                "updateArtifactManifest",
                true,
                json!({ "artifactManifestID": manifest, "digest": md5(b"mine") }),
            ),
            (
                "createArtifactFiles",
                true,
                json!({ "artifactFiles": [{ "artifactID": pending, "name": "b", "md5": md5(bytes) }] }),
            ),
            (
                "completeMultipartUploadArtifact",
                true,
                json!({ "artifactID": pending, "completeMultipartAction": "Complete",
                "completedParts": [], "storagePath": "x", "uploadID": "x" }),
            ),
            ("commitArtifact", true, json!({ "artifactID": pending })),
        ]
    }

    /// What the target looks like to somebody.
    async fn look(&self, caller: &Caller) -> Value {
        let query = "query ($id: ID!, $pending: ID!, $sequence: ID!, $portfolio: ID!, $client: ID!, $project: String!) {
            artifact(id: $id) { state description updatedAt aliases { alias } artifactMemberships { totalCount }
              tags { name } currentManifest { digest } files { edges { node { name directUrl } } } }
            pending: artifact(id: $pending) { state fileCount }
            sequence: artifactCollection(id: $sequence) { name tags { edges { node { name } } } defaultArtifactType { name }
              artifactMemberships { totalCount } }
            portfolio: artifactCollection(id: $portfolio) { name artifactMemberships { totalCount } }
            clientIDMapping(clientID: $client) { serverID }
            project(name: $project, entityName: \"research\") { artifactTypes { edges { node { name } } }
              artifact(name: \"ds:v0\") { id } artifactCollectionMembership(name: \"ds:latest\") { id } } }";
        let answer = caller
            .data(
                query,
                json!({ "id": self.version, "pending": self.pending, "sequence": self.sequence,
                    "portfolio": self.portfolio, "client": format!("client-{}", self.project), "project": self.project }),
            )
            .await;
        // Where bytes are is signed anew each time.
        let mut answer = answer;
        if let Some(node) = answer.pointer_mut("/artifact/files/edges/0/node") {
            assert!(node["directUrl"].as_str().unwrap().contains("/dl/"));
            node["directUrl"] = Value::Null;
        }
        answer
    }

    fn paths(&self) -> [String; 2] {
        let digest = md5_hex(&self.bytes);
        [
            format!("/artifacts/research/{digest}"),
            format!(
                "/artifactsV2/default/research/{}/ds/{}/{digest}/a.txt",
                self.project,
                self.version.as_str().unwrap()
            ),
        ]
    }
}
