//! The server as a whole: keys, restarts, aborts, files over real HTTP, hostile requests.

mod support;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use support::{Caller, KEY, rows};
use wandb_local::{LocalServer, StartError};

#[tokio::test]
async fn every_request_needs_the_key() {
    let server = LocalServer::builder().start().await.unwrap();
    let caller = Caller::of(&server);
    assert_eq!(server.api_key().len(), 40);
    assert!(server.api_key().bytes().all(|byte| byte.is_ascii_hexdigit()));
    let body = r#"{"query":"{ viewer { entity } }"}"#;
    for path in ["/graphql", "/files/local/p/r/file_stream"] {
        let bare = Request::post(format!("{}{path}", server.url()))
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        let answer = caller.raw(bare).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.json()["errors"][0]["message"].is_string());
        let wrong = Caller {
            key: "f".repeat(40),
            ..caller.clone()
        };
        assert_eq!(
            wrong.send(Method::POST, path, body).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    // The official SDK looks for a telemetry endpoint without a key, and must hear that there is none.
    let bare = Request::post(format!("{}/sdk/otel/v1/metrics", server.url()))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(caller.raw(bare).await.status, StatusCode::NOT_FOUND);
    let bearer = Request::post(format!("{}/graphql", server.url()))
        .header("authorization", format!("Bearer {}", server.api_key()))
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap();
    let answer = caller.raw(bearer).await;
    assert_eq!(answer.json()["data"]["viewer"]["entity"], "local");
    assert!(answer.headers.contains_key("ratelimit-remaining"));
    assert!(answer.headers.contains_key("ratelimit-reset"));
    assert_eq!(
        caller.send(Method::GET, "/nowhere", "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn data_and_key_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let start = || LocalServer::builder().dir(dir.path()).start();
    let server = start().await.unwrap();
    let (caller, key) = (Caller::of(&server), server.api_key().to_owned());
    caller.start_run("p", "r").await;
    caller.log("p", "r", 0, &rows(0, 100)).await;
    assert!(matches!(start().await, Err(StartError::InUse { .. })));
    server.stop().await;
    let server = start().await.unwrap();
    assert_eq!(server.api_key(), key);
    assert_eq!(Caller::of(&server).rows("p", "r").await.len(), 100);
    drop(server);
    let local = LocalServer::builder()
        .dir(dir.path())
        .api_key(KEY)
        .open()
        .unwrap();
    assert_eq!(Caller::on(local).rows("p", "r").await.len(), 100);
}

/// What a killed process leaves is what its files hold at that moment: a copy of them, taken while it runs, must hold
/// every acknowledged line.
#[tokio::test]
async fn acknowledged_lines_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let server = LocalServer::builder()
        .dir(dir.path().join("live"))
        .start()
        .await
        .unwrap();
    let caller = Caller::of(&server);
    caller.start_run("p", "r").await;
    for round in 0..5_u64 {
        caller.log("p", "r", round * 20, &rows(round * 20, 20)).await;
        let copy = dir.path().join(format!("copy{round}"));
        std::fs::create_dir(&copy).unwrap();
        for name in ["wandb.sqlite3", "wandb.sqlite3-wal"] {
            std::fs::copy(dir.path().join("live").join(name), copy.join(name)).unwrap();
        }
        let after = Caller::on(LocalServer::builder().dir(&copy).api_key(KEY).open().unwrap());
        assert_eq!(after.rows("p", "r").await.len() as u64, (round + 1) * 20);
    }
}

const CREATE: &str = "mutation ($files: [String!]!) { createRunFiles(input: { entityName: \"local\", projectName: \"p\", runName: \"r\", files: $files }) {
    runID uploadHeaders files { id name uploadUrl } } }";
const FILES: &str = "fileCount files(first: 10) { edges { cursor node { id name url directUrl sizeBytes md5 mimetype updatedAt } } pageInfo { hasNextPage } }";

#[tokio::test]
async fn files_go_up_and_down_without_credentials() {
    let server = LocalServer::builder().start().await.unwrap();
    let caller = Caller::of(&server);
    caller.start_run("p", "r").await;
    let created = caller
        .data(CREATE, json!({ "files": ["media/a b.json", "empty"] }))
        .await["createRunFiles"]
        .clone();
    assert_eq!(
        caller.run("p", "r", FILES).await["fileCount"],
        0,
        "announced is not there yet"
    );
    for (index, content) in [r#"{"x":1}"#, ""].into_iter().enumerate() {
        let url = created["files"][index]["uploadUrl"].as_str().unwrap();
        assert!(url.starts_with(&server.url()));
        let put = Request::put(url)
            .body(Bytes::from_static(content.as_bytes()))
            .unwrap();
        assert_eq!(caller.raw(put).await.status, StatusCode::OK);
    }
    let files = caller.run("p", "r", FILES).await;
    assert_eq!(files["fileCount"], 2);
    assert_eq!(files["files"]["edges"][0]["node"]["sizeBytes"], 0);
    let file = &files["files"]["edges"][1]["node"];
    assert_eq!(file["name"], "media/a b.json");
    assert_eq!(file["sizeBytes"], 7);
    assert_eq!(file["mimetype"], "application/json");
    let url = file["directUrl"].as_str().unwrap();
    let get = caller.raw(Request::get(url).body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (get.status, get.body.as_ref()),
        (StatusCode::OK, br#"{"x":1}"#.as_slice())
    );
    let part = caller
        .raw(
            Request::get(url)
                .header("range", "bytes=1-3")
                .body(Bytes::new())
                .unwrap(),
        )
        .await;
    assert_eq!(
        (part.status, part.body.as_ref()),
        (StatusCode::PARTIAL_CONTENT, br#""x""#.as_slice())
    );

    // Names and patterns select; deleting takes the bytes along.
    let picked = caller
        .run(
            "p",
            "r",
            "fileCount(names: [\"empty\"]) files(pattern: \"media/%\") { edges { node { name } } }",
        )
        .await;
    assert_eq!(
        picked,
        json!({ "fileCount": 1, "files": { "edges": [{ "node": { "name": "media/a b.json" } }] } })
    );
    let delete = "mutation ($ids: [ID!]!) { deleteFiles(input: { files: $ids }) { success } }";
    caller.data(delete, json!({ "ids": [file["id"]] })).await;
    assert_eq!(caller.run("p", "r", FILES).await["fileCount"], 1);
    assert_eq!(
        caller
            .raw(Request::get(url).body(Bytes::new()).unwrap())
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    let marked = "mutation ($files: [String!]!) { markRunFilesUploaded(input: { entityName: \"local\", projectName: \"p\", runName: \"r\", files: $files }) { success } }";
    assert_eq!(
        caller.data(marked, json!({ "files": ["empty"] })).await["markRunFilesUploaded"]["success"],
        true
    );
    assert_eq!(
        caller.data(marked, json!({ "files": ["media/a b.json"] })).await["markRunFilesUploaded"]["success"],
        false
    );
}

#[tokio::test]
async fn signed_urls_expire_and_urls_follow_the_host() {
    let local = LocalServer::builder()
        .api_key(KEY)
        .url_validity(Duration::ZERO)
        .open()
        .unwrap();
    let caller = Caller {
        base: "http://some.host:123".to_owned(),
        ..Caller::on(local)
    };
    caller.start_run("p", "r").await;
    let created = caller.data(CREATE, json!({ "files": ["x"] })).await;
    let url = created["createRunFiles"]["files"][0]["uploadUrl"]
        .as_str()
        .unwrap();
    assert!(url.starts_with("http://some.host:123/up/"), "{url}");
    let put = Request::put(url).body(Bytes::from_static(b"late")).unwrap();
    assert_eq!(caller.raw(put).await.status, StatusCode::FORBIDDEN);
    assert!(
        caller
            .refusal(CREATE, json!({ "files": ["a\0b"] }))
            .await
            .contains("file name")
    );
}

#[tokio::test]
async fn requests_beyond_the_limit_are_told_to_wait() {
    let local = LocalServer::builder()
        .api_key(KEY)
        .rate_limit(2, Duration::from_secs(3600))
        .open()
        .unwrap();
    let caller = Caller::on(local);
    let viewer = r#"{"query":"{ viewer { id } }"}"#;
    for left in ["1", "0"] {
        let answer = caller.send(Method::POST, "/graphql", viewer).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["ratelimit-remaining"], left);
    }
    let answer = caller.send(Method::POST, "/graphql", viewer).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["retry-after"], answer.headers["ratelimit-reset"]);
}

#[tokio::test]
async fn hostile_and_odd_requests_get_an_answer() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    for (body, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("[]", StatusCode::BAD_REQUEST),
        ("{}", StatusCode::BAD_REQUEST),
        (r#"{"query":"query {"}"#, StatusCode::BAD_REQUEST),
        (
            r#"{"query":"{ viewer { id } }","variables":null,"operationName":null}"#,
            StatusCode::OK,
        ),
        (
            r#"{"query":"query A { viewer { id } }","variables":{"undeclared":1},"operationName":""}"#,
            StatusCode::OK,
        ),
    ] {
        let answer = caller.send(Method::POST, "/graphql", body).await;
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(
            answer.json().get("errors").is_some(),
            status != StatusCode::OK,
            "{body}"
        );
    }
    assert!(
        caller
            .refusal("query ($x: [Nope!] = [A]) { viewer { id } }", json!({}))
            .await
            .contains("Nope")
    );
    assert!(
        caller
            .refusal("{ viewer { nope } }", json!({}))
            .await
            .contains("nope")
    );
    // Lists of lists of lists, and depth without end.
    let list = |inner: &str| format!("edges {{ node {{ project {{ runs(first: 1000) {{ {inner} }} }} }} }}");
    let nested = list(&list("totalCount"));
    let wide = format!("{{ project(name: \"p\") {{ runs(first: 1000) {{ {nested} }} }} }}");
    assert!(
        caller
            .refusal(&wide, json!({}))
            .await
            .to_lowercase()
            .contains("complex")
    );
    let deep = format!(
        "{{ viewer {{ id }} project(name: \"p\") {}id{} }}",
        "{ entity { project(name: \"p\") ".repeat(40),
        " } }".repeat(40)
    );
    let answer = caller
        .send(Method::POST, "/graphql", json!({ "query": deep }).to_string())
        .await;
    assert!(answer.json()["errors"][0]["message"].is_string());
    let types = caller
        .data(
            "{ __type(name: \"Query\") { fields { name } } __schema { types { name } } }",
            json!({}),
        )
        .await;
    assert!(types["__type"]["fields"].as_array().unwrap().len() > 5);
}

#[tokio::test]
async fn alerts_charts_and_projects_are_taken() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let alert = "mutation { notifyScriptableRunAlert(input: { entityName: \"local\", projectName: \"p\", runName: \"r\", title: \"t\", text: \"x\", severity: WARN, waitDuration: 60000 }) { success } }";
    assert_eq!(
        caller.data(alert, json!({})).await["notifyScriptableRunAlert"]["success"],
        true
    );
    let chart = "mutation { createCustomChart(input: { entity: \"local\", name: \"c\", displayName: \"C\", type: \"vega2\", access: \"PRIVATE\", spec: \"{}\" }) { chart { id } } }";
    let first = caller.data(chart, json!({})).await;
    assert_eq!(
        first,
        caller.data(chart, json!({})).await,
        "the same chart again is the same chart"
    );
    let project = "mutation ($d: String) { upsertModel(input: { name: \"q\", entityName: \"local\", description: $d }) { inserted project { id name description } model { name } } }";
    let made = caller.data(project, json!({ "d": "one" })).await["upsertModel"].clone();
    assert_eq!(made["inserted"], true);
    let changed = caller.data(project, json!({})).await["upsertModel"].clone();
    assert_eq!(changed["inserted"], false);
    assert_eq!(changed["project"]["description"], "one");
    let bad = "mutation { upsertModel(input: { name: \"a/b\" }) { inserted } }";
    assert!(caller.refusal(bad, json!({})).await.contains("project name"));
}

#[tokio::test]
async fn what_is_not_held_yet_is_empty() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let query = "{ project(name: \"p\") { totalSweeps sweeps { edges { node { name } } } sweep(sweepName: \"s\") { id }
        allViews(viewType: \"runs\") { edges { node { spec } } } artifactTypes { edges { node { name } } }
        artifactCollectionMembership(name: \"a:v0\") { id artifact { id aliases { artifactCollection { __typename ... on ArtifactSequence { id } } } } }
        run(name: \"r\") { outputArtifacts { totalCount edges { node { id createdBy { __typename ... on Run { name } } } } } inputArtifacts { totalCount edges { usedAs } } } }
        artifact(id: \"x\") { id } view(id: \"x\") { id } clientIDMapping(clientID: \"x\") { serverID } }";
    let answer = caller.data(query, json!({})).await;
    assert_eq!(answer["project"]["totalSweeps"], 0);
    assert_eq!(
        answer["project"]["run"]["outputArtifacts"],
        json!({ "totalCount": 0, "edges": [] })
    );
    assert_eq!(answer["artifact"], Value::Null);
    let features = caller
        .data(
            "{ serverInfo { features { name isEnabled } cliVersionInfo } }",
            json!({}),
        )
        .await;
    assert!(
        features["serverInfo"]["features"]
            .as_array()
            .unwrap()
            .contains(&json!({ "name": "WB_EXACT_FILTERS", "isEnabled": true }))
    );
    assert!(
        features["serverInfo"]["features"]
            .as_array()
            .unwrap()
            .iter()
            .all(|feature| feature["isEnabled"] == true)
    );
}

#[tokio::test]
async fn options_that_cannot_work_are_refused() {
    let refused =
        |builder: wandb_local::LocalServerBuilder| builder.open().err().map(|error| error.to_string());
    assert!(
        refused(LocalServer::builder().entity("a/b"))
            .unwrap()
            .contains("entity")
    );
    let a39 = "a".repeat(39);
    for key in [
        "",
        "short",
        &a39,
        &format!("local-{a39}"),
        &format!("{a39} a"),
        &"é".repeat(40),
    ] {
        assert!(
            refused(LocalServer::builder().api_key(key))
                .unwrap()
                .contains("API key"),
            "{key}"
        );
    }
    for key in [&format!("{a39}_"), &format!("local-{a39}Z")] {
        assert_eq!(refused(LocalServer::builder().api_key(key)), None, "{key}");
    }
    assert!(
        refused(LocalServer::builder().heartbeat_timeout(Duration::ZERO))
            .unwrap()
            .contains("heartbeat")
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(
        refused(LocalServer::builder().dir(file.path()))
            .unwrap()
            .contains("data directory")
    );
    let server = LocalServer::builder().start().await.unwrap();
    let taken = LocalServer::builder().port(server.address().port()).start().await;
    assert!(matches!(taken, Err(StartError::Listen { .. })));
}
