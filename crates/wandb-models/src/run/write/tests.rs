//! Writing runs over a script: files and metadata, and what the tests of changes and of the life of runs share.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use std::sync::Arc;

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::{ScriptedResponse, ScriptedTransport};

use crate::{Api, Run, testing::api};

pub(super) const CONFIG: &str = r#"{"lr":{"value":0.1,"desc":"the rate"},"_wandb":{"value":{"t":{"1":[1]}}},"model":{"value":{"depth":3}}}"#;

pub(super) fn node(config: &str, summary: &str, tags: Json, notes: Json) -> Json {
    json!({"id": "storage", "name": "r", "displayName": "first", "state": "finished", "sweepName": null,
        "group": null, "jobType": null, "commit": null, "host": null, "readOnly": null,
        "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null, "updatedAt": null, "description": null,
        "notes": notes, "tags": tags, "historyLineCount": 0, "user": null, "config": config,
        "summaryMetrics": summary, "systemMetrics": null, "historyKeys": null, "wbRevision": "7"})
}

pub(super) fn plain() -> Json {
    node(CONFIG, r#"{"acc":0.5}"#, json!(["a"]), json!(null))
}

pub(super) fn one(run: Json) -> Json {
    json!({"project": {"name": "p", "entityName": "e", "run": run}})
}

pub(super) fn features(script: &ScriptedTransport, names: &[&str]) {
    let features: Vec<Json> = names
        .iter()
        .map(|name| json!({"name": name, "isEnabled": true}))
        .collect();
    script
        .graphql("ServerFeaturesQuery")
        .any_number_of_times()
        .respond_data(json!({"serverInfo": {"features": features}}));
}

pub(super) async fn read(script: &ScriptedTransport, api: &Api) -> Run {
    script.graphql("Run").respond_data(one(plain()));
    api.run("p/r").await.unwrap()
}

pub(super) fn patched() -> Json {
    json!({"wbPatchRun": {"revision": "8"}})
}

pub(super) fn upserted() -> Json {
    json!({"upsertBucket": {"bucket": {"name": "r", "project": {"name": "p", "entityName": "e"}}, "inserted": false}})
}

fn file(name: &str, md5: Json, size: usize) -> Json {
    json!({"node": {"id": format!("id-{name}"), "name": name, "url": format!("https://api.example/dl/{name}"),
        "directUrl": "https://storage.example/x", "sizeBytes": size, "mimetype": null, "md5": md5, "updatedAt": null}})
}

fn files(edges: Vec<Json>) -> Json {
    one(json!({"files": {"edges": edges, "pageInfo": {"hasNextPage": false, "endCursor": null}}}))
}

/// Base64 of the MD5 of "hello".
const HELLO: &str = "XUFAKrxLKna5cZ2REBfFkg==";

fn created(name: &str, url: Json) -> Json {
    json!({"createRunFiles": {"runID": "storage", "uploadHeaders": ["x-token: t"],
        "files": [{"name": name, "uploadUrl": url}]}})
}

#[tokio::test]
async fn a_file_is_sent_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let path = directory.path().join("x.txt");
    std::fs::write(&path, "hello").unwrap();
    let script = ScriptedTransport::ordered();
    features(&script, &["MARK_RUN_FILES_UPLOADED"]);
    let api = api(&script);
    let run = api.run_reference("p/r").await.unwrap();

    // Outside of the root: the name is made safe, and the file is found under it.
    script
        .graphql("CreateRunFiles")
        .variables(
            json!({"input": {"entityName": "e", "projectName": "p", "runName": "r", "files": ["__/x.txt"]}}),
        )
        .respond_data(created("__/x.txt", json!("https://storage.example/put?sig=1")));
    script
        .put("https://storage.example/put?sig=1")
        .header("x-token", "t")
        .header_absent("authorization")
        .respond_status(503);
    script
        .put("https://storage.example/put?sig=1")
        .body("hello")
        .respond_status(200);
    script
        .graphql("MarkRunFilesUploaded")
        .variables(json!({"input": {"files": ["__/x.txt"]}}))
        .respond_data(json!({"markRunFilesUploaded": {"success": true}}));
    // The server takes a moment.
    script.graphql("RunFiles").respond_data(files(vec![]));
    script
        .graphql("RunFiles")
        .respond_data(files(vec![file("__/x.txt", json!(null), 0)]));
    script
        .graphql("RunFiles")
        .variables(json!({"fileNames": ["__/x.txt"]}))
        .respond_data(files(vec![file("__/x.txt", json!(HELLO), 5)]));
    let uploaded = run.upload_file(&path, &root).await.unwrap();
    assert_eq!(uploaded.name, "__/x.txt");

    // An address of the API host, relative, gets the credential.
    script
        .graphql("CreateRunFiles")
        .respond_data(created("x.txt", json!("/up/1")));
    script
        .put("https://api.example/up/1")
        .header_present("authorization")
        .respond_status(200);
    script
        .graphql("MarkRunFilesUploaded")
        .respond_data(json!({"markRunFilesUploaded": {"success": true}}));
    script
        .graphql("RunFiles")
        .respond_data(files(vec![file("x.txt", json!(HELLO), 5)]));
    run.upload_file(&path, directory.path()).await.unwrap();
    script.finish();
}

#[tokio::test]
async fn an_upload_that_is_not_what_was_sent_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.txt");
    std::fs::write(&path, "hello").unwrap();
    let script = ScriptedTransport::ordered();
    features(&script, &[]);
    let api = api(&script);
    let run = api.run_reference("p/r").await.unwrap();
    for (listed, kind) in [
        (
            vec![file("x.txt", json!("1B2M2Y8AsgTpgAmY7PhCfg=="), 5)],
            ErrorKind::Integrity,
        ),
        (vec![file("x.txt", json!(HELLO), 4)], ErrorKind::Integrity),
        (vec![file("other", json!(HELLO), 5)], ErrorKind::Incomplete),
        (vec![file("x.txt", json!(null), 0)], ErrorKind::Incomplete),
    ] {
        script
            .graphql("CreateRunFiles")
            .respond_data(created("x.txt", json!("https://s.example/p")));
        script.put("https://s.example/p").respond_status(200);
        script.graphql("RunFiles").times(6).respond_data(files(listed));
        let error = run.upload_file(&path, directory.path()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
    }
    // Refusals of every step.
    script
        .graphql("CreateRunFiles")
        .respond_data(created("x.txt", json!(null)));
    assert_eq!(
        run.upload_file(&path, directory.path()).await.unwrap_err().kind(),
        ErrorKind::Protocol
    );
    script
        .graphql("CreateRunFiles")
        .respond_data(json!({"createRunFiles": {"runID": "", "uploadHeaders": [], "files": []}}));
    assert_eq!(
        run.upload_file(&path, directory.path()).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    script
        .graphql("CreateRunFiles")
        .respond_data(created("x.txt", json!("https://s.example/p")));
    script.put("https://s.example/p").respond_status(403);
    assert_eq!(
        run.upload_file(&path, directory.path()).await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );
    assert_eq!(
        run.upload_file(directory.path().join("no"), "/")
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Io
    );
    assert_eq!(
        run.upload_file(directory.path(), "/").await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    let twice = run
        .upload_files([&path, &path], directory.path())
        .await
        .unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::InvalidInput);
    script.finish();
}

/// How many bytes were promised and are there, and how many files ended.
#[derive(Debug, Default)]
struct Counted(std::sync::Mutex<(u64, u64, u64)>);

impl crate::Progress for Counted {
    fn total(&self, _: u64, bytes: u64) {
        self.0.lock().unwrap().0 = bytes;
    }

    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, bytes: u64) {
        self.0.lock().unwrap().1 += bytes;
    }

    fn retract(&self, bytes: u64) {
        self.0.lock().unwrap().1 -= bytes;
    }

    fn end(&self, _: &str) {
        self.0.lock().unwrap().2 += 1;
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.txt");
    let script = ScriptedTransport::ordered();
    features(&script, &[]);
    let run = api(&script).run_reference("p/r").await.unwrap();
    // Of the same size, shorter, gone.
    for (changed, kind) in [
        (Some("hellO"), ErrorKind::Conflict),
        (Some("hell"), ErrorKind::Conflict),
        (None, ErrorKind::Io),
    ] {
        std::fs::write(&path, "hello").unwrap();
        let target = path.clone();
        script.graphql("CreateRunFiles").respond_with(move |_| {
            match changed {
                Some(text) => std::fs::write(&target, text).unwrap(),
                None => std::fs::remove_file(&target).unwrap(),
            }
            ScriptedResponse::new(200).json(json!({"data": created("x.txt", json!("https://s.example/p"))}))
        });
        // The body breaks off before it is whole, so the script sees no request, and nothing is looked for afterwards.
        let progress = Arc::new(Counted::default());
        let error = run
            .upload_files_with_progress([&path], directory.path(), progress.clone())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(*progress.0.lock().unwrap(), (5, 0, 0));
    }
    script.finish();
}

#[tokio::test]
async fn many_files_are_announced_together() {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..150)
        .map(|number| {
            let path = directory.path().join(format!("{number:03}"));
            std::fs::write(&path, "hello").unwrap();
            path
        })
        .collect();
    let script = ScriptedTransport::unordered();
    features(&script, &[]);
    let names = |request: &wandb_transport::RecordedRequest, pointer: &str| -> Vec<String> {
        serde_json::from_value(request.variables().unwrap().pointer(pointer).unwrap().clone()).unwrap()
    };
    script
        .graphql("CreateRunFiles")
        .times(2)
        .respond_with(move |request| {
            let files: Vec<Json> = names(request, "/input/files")
                .into_iter()
                .map(|name| json!({"name": name, "uploadUrl": format!("https://s.example/{name}")}))
                .collect();
            ScriptedResponse::new(200).json(
                json!({"data": {"createRunFiles": {"runID": "x", "uploadHeaders": [], "files": files}}}),
            )
        });
    script
        .expect()
        .method(http::Method::PUT)
        .times(150)
        .respond_status(200);
    script.graphql("RunFiles").times(2).respond_with(move |request| {
        let edges = names(request, "/fileNames")
            .iter()
            .map(|name| file(name, json!(HELLO), 5))
            .collect();
        ScriptedResponse::new(200).json(json!({"data": files(edges)}))
    });
    let run = api(&script).run_reference("p/r").await.unwrap();
    let progress = Arc::new(Counted::default());
    let uploaded = run
        .upload_files_with_progress(&paths, directory.path(), progress.clone())
        .await
        .unwrap();
    assert_eq!(*progress.0.lock().unwrap(), (750, 750, 150));
    let found: Vec<&str> = uploaded.iter().map(|file| file.name.as_str()).collect();
    let expected: Vec<String> = (0..150).map(|number| format!("{number:03}")).collect();
    assert_eq!(found, expected);
    script.finish();
}

#[tokio::test]
async fn files_are_deleted_in_batches() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let run = read(&script, &api).await;
    script.graphql("RunFiles").respond_data(files(vec![
        file("a", json!(HELLO), 5),
        file("b", json!(HELLO), 5),
    ]));
    let both: Vec<crate::File> = run.files().stream().try_collect().await.unwrap();
    let project = json!({"project": {"internalId": "UHJvamVjdEludGVybmFsSWQ6NDI="}});
    script.graphql("ProjectInternalId").respond_data(project.clone());
    script
        .graphql("DeleteFiles")
        .variables(json!({"input": {"files": ["id-a", "id-b"], "projectId": 42}}))
        .respond_data(json!({"deleteFiles": {"success": true}}));
    run.delete_files(&both).await.unwrap();
    script.graphql("ProjectInternalId").respond_data(project);
    script
        .graphql("DeleteFiles")
        .respond_data(json!({"deleteFiles": {"success": false}}));
    assert_eq!(both[0].delete().await.unwrap_err().kind(), ErrorKind::NotVisible);
    script.finish();
}

#[tokio::test]
async fn no_metadata_is_none_and_other_failures_are_failures() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let run = api.run_reference("p/r").await.unwrap();
    script.graphql("RunFiles").respond_data(files(vec![]));
    assert_eq!(run.metadata().await.unwrap(), None);
    script.graphql("RunFiles").respond_data(one(json!(null)));
    assert_eq!(run.metadata().await.unwrap_err().kind(), ErrorKind::NotFound);
    script
        .graphql("RunFiles")
        .respond_graphql_error("permission denied");
    assert_eq!(run.metadata().await.unwrap_err().kind(), ErrorKind::NotVisible);
    let name = "wandb-metadata.json";
    script
        .graphql("RunFiles")
        .respond_data(files(vec![file(name, json!(HELLO), 5)]));
    script
        .get("/dl/wandb-metadata.json")
        .respond(ScriptedResponse::new(200).bytes("HELLO"));
    assert_eq!(run.metadata().await.unwrap_err().kind(), ErrorKind::Integrity);
    script
        .graphql("RunFiles")
        .respond_data(files(vec![file(name, json!(HELLO), 5)]));
    script
        .get("/dl/wandb-metadata.json")
        .respond(ScriptedResponse::new(200).bytes("hello"));
    assert_eq!(run.metadata().await.unwrap_err().kind(), ErrorKind::Protocol);
    let text = r#"{"os": "Linux"}"#;
    script
        .graphql("RunFiles")
        .respond_data(files(vec![file(name, json!(null), text.len())]));
    script
        .get("/dl/wandb-metadata.json")
        .respond(ScriptedResponse::new(200).bytes(text));
    let metadata = run.metadata().await.unwrap().unwrap();
    assert_eq!(metadata.get("os").unwrap().as_str(), Some("Linux"));
    script.finish();
}
