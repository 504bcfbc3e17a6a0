//! Writing runs over a script.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::{ScriptedResponse, ScriptedTransport, TransportErrorKind};

use crate::{Api, ConsoleLogLine, Run, UpdatableState, WaitOptions, testing::api};

const CONFIG: &str = r#"{"lr":{"value":0.1,"desc":"the rate"},"_wandb":{"value":{"t":{"1":[1]}}},"model":{"value":{"depth":3}}}"#;

fn node(config: &str, summary: &str, tags: Json, notes: Json) -> Json {
    json!({"id": "storage", "name": "r", "displayName": "first", "state": "finished", "sweepName": null,
        "group": null, "jobType": null, "commit": null, "host": null, "readOnly": null,
        "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null, "updatedAt": null, "description": null,
        "notes": notes, "tags": tags, "historyLineCount": 0, "user": null, "config": config,
        "summaryMetrics": summary, "systemMetrics": null, "historyKeys": null, "wbRevision": "7"})
}

fn plain() -> Json {
    node(CONFIG, r#"{"acc":0.5}"#, json!(["a"]), json!(null))
}

fn one(run: Json) -> Json {
    json!({"project": {"name": "p", "entityName": "e", "run": run}})
}

fn features(script: &ScriptedTransport, names: &[&str]) {
    let features: Vec<Json> = names
        .iter()
        .map(|name| json!({"name": name, "isEnabled": true}))
        .collect();
    script
        .graphql("ServerFeaturesQuery")
        .any_number_of_times()
        .respond_data(json!({"serverInfo": {"features": features}}));
}

async fn read(script: &ScriptedTransport, api: &Api) -> Run {
    script.graphql("Run").respond_data(one(plain()));
    api.run("p/r").await.unwrap()
}

fn patched() -> Json {
    json!({"wbPatchRun": {"revision": "8"}})
}

fn upserted() -> Json {
    json!({"upsertBucket": {"bucket": {"name": "r", "project": {"name": "p", "entityName": "e"}}, "inserted": false}})
}

#[tokio::test]
async fn a_patch_holds_only_what_was_touched() {
    let script = ScriptedTransport::ordered();
    features(&script, &["WB_RUN_PATCH"]);
    let api = api(&script);
    let run = read(&script, &api).await;

    script.graphql("RunRevision").respond_data(one(plain()));
    script
        .graphql("WbPatchRun")
        .when("the changes and no more", |request| {
            let input = &request.variables().unwrap()["input"];
            *input
                == json!({"id": "storage", "configPatch": r#"{"lr":{"value":0.2},"model":{"value":{"depth":4}}}"#,
                    "summaryPatch": r#"{"best":NaN}"#, "removeSummaryKeys": [r#"["acc"]"#], "addTags": ["b"],
                    "removeTags": ["a"], "notes": "n"})
        })
        .respond_data(patched());
    script.graphql("Run").respond_data(one(plain()));
    let edit = run
        .edit()
        .config("lr", 0.2)
        .config_path(["model", "depth"], 4)
        .summary("best", f64::NAN)
        .remove_summary(["acc"])
        .add_tag("b")
        .remove_tag("a")
        .notes("n");
    edit.save().await.unwrap();

    // Attributes alone need no reading before.
    script
        .graphql("WbPatchRun")
        .when("one name", |request| {
            request.variables().unwrap()["input"]
                == json!({"id": "storage", "displayName": "x", "groupName": "g", "jobType": "j"})
        })
        .respond_data(patched());
    script.graphql("Run").respond_data(one(plain()));
    run.edit()
        .display_name("x")
        .group("g")
        .job_type("j")
        .save()
        .await
        .unwrap();

    // Nothing to do.
    run.edit().save().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_sent() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let run = read(&script, &api).await;
    let long = "x".repeat(65);
    for edit in [
        run.edit().config("_wandb", 1),
        run.edit().config_path(["wandb_version"], 1),
        run.edit().config_path(Vec::<String>::new(), 1),
        run.edit().add_tag(""),
        run.edit().add_tag(&*long),
        run.edit().tags(["ok", ""]),
        run.edit().config("a", 1).config_path(["a", "b"], 2),
    ] {
        assert_eq!(edit.save().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    script.finish();
}

#[tokio::test]
async fn a_condition_is_checked_with_the_revision() {
    let script = ScriptedTransport::ordered();
    features(&script, &["WB_RUN_PATCH"]);
    let api = api(&script);
    let run = read(&script, &api).await;

    // Unchanged when looked at, and the revision makes sure.
    script.graphql("RunRevision").respond_data(one(plain()));
    script
        .graphql("WbPatchRun")
        .variables(json!({"input": {"ifUnchangedToken": "7"}}))
        .respond_json(200, json!({"data": null, "errors": [{"message": "the run has changed", "extensions": {"code": "CONFLICT"}}]}));
    let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert!(!error.hints().is_empty());

    // Changed already: nothing is sent.
    for (changed, what) in [
        (
            node(CONFIG, r#"{"acc":0.6}"#, json!(["a"]), json!(null)),
            "summary.acc",
        ),
        (
            node("{}", r#"{"acc":0.5}"#, json!(["a"]), json!(null)),
            "config.lr",
        ),
        (
            node(CONFIG, r#"{"acc":0.5}"#, json!(["a", "b"]), json!(null)),
            "tags",
        ),
        (node(CONFIG, r#"{"acc":0.5}"#, json!(["a"]), json!("x")), "notes"),
    ] {
        script.graphql("RunRevision").respond_data(one(changed));
        let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{what}");
        assert!(error.to_string().contains(what), "{error}");
    }
    script.finish();
}

#[tokio::test]
async fn elsewhere_the_whole_document_goes_and_keeps_what_was_not_touched() {
    let script = ScriptedTransport::ordered();
    features(&script, &[]);
    let api = api(&script);
    let run = read(&script, &api).await;

    // Another writer set `wd` since the run was read: it stays.
    let other = CONFIG.replacen('{', r#"{"wd":{"value":1},"#, 1);
    let after = other.replace("0.1", "0.2");
    script.graphql("RunForUpdate").respond_data(one(node(
        &other,
        r#"{"acc":0.5}"#,
        json!(["a"]),
        json!(null),
    )));
    let expected = after.clone();
    script
        .graphql("UpsertBucket")
        .when("the config and nothing else", move |request| {
            request.variables().unwrap()["input"] == json!({"id": "storage", "config": expected})
        })
        .respond_data(upserted());
    script
        .graphql("Run")
        .respond_data(one(node(&after, r#"{"acc":0.5}"#, json!(["a"]), json!(null))));
    let run = run.edit().config("lr", 0.2).save().await.unwrap();
    assert!(run.raw_config().unwrap().contains("the rate"));
    script.finish();
}

#[tokio::test]
async fn what_others_overwrite_is_written_again_and_not_for_ever() {
    let script = ScriptedTransport::ordered();
    features(&script, &[]);
    let api = api(&script);
    let run = read(&script, &api).await;
    let tagged = node(CONFIG, r#"{"acc":0.5}"#, json!(["a", "b"]), json!(null));
    for after in [plain(), tagged] {
        script.graphql("RunForUpdate").respond_data(one(plain()));
        script
            .graphql("UpsertBucket")
            .variables(json!({"input": {"tags": ["a", "b"]}}))
            .respond_data(upserted());
        script.graphql("Run").respond_data(one(after));
    }
    run.edit().add_tag("b").save().await.unwrap();
    for _ in 0..4 {
        script.graphql("RunForUpdate").respond_data(one(plain()));
        script.graphql("UpsertBucket").respond_data(upserted());
        script.graphql("Run").respond_data(one(plain()));
    }
    assert_eq!(
        run.edit().add_tag("b").save().await.unwrap_err().kind(),
        ErrorKind::Conflict
    );

    // Under a condition, what others wrote in between is told.
    script.graphql("RunForUpdate").respond_data(one(plain()));
    script.graphql("UpsertBucket").respond_data(upserted());
    script
        .graphql("Run")
        .respond_data(one(node(CONFIG, r#"{"acc":0.9}"#, json!(["a"]), json!("n"))));
    let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("summary.acc"), "{error}");
    script.finish();
}

#[tokio::test]
async fn the_summary_is_a_map() {
    let script = ScriptedTransport::ordered();
    features(&script, &["WB_RUN_PATCH"]);
    let api = api(&script);
    let run = read(&script, &api).await;
    let mut summary = run.edit_summary().unwrap();
    assert_eq!(summary.get("acc").unwrap().as_f64(), Some(0.5));
    summary.set("best", 1);
    summary.set_path(["test", "loss"], 0.1).unwrap();
    summary.update([("acc", 9), ("new", 2)], false);
    assert!(summary.set_path(["acc", "x"], 1).is_err());
    summary.remove("gone");
    assert_eq!(summary.get_path("test.loss").unwrap().as_f64(), Some(0.1));
    assert!(summary.has_changes());
    script.graphql("RunRevision").respond_data(one(plain()));
    script
        .graphql("WbPatchRun")
        .when("the touched keys", |request| {
            request.variables().unwrap()["input"]
                == json!({"id": "storage", "summaryPatch": r#"{"best":1,"test":{"loss":0.1},"new":2}"#,
                    "removeSummaryKeys": [r#"["gone"]"#]})
        })
        .respond_data(patched());
    script.graphql("Run").respond_data(one(node(
        CONFIG,
        r#"{"acc":0.7,"best":1}"#,
        json!([]),
        json!(null),
    )));
    summary.commit().await.unwrap();
    assert_eq!(summary.get("acc").unwrap().as_f64(), Some(0.7));
    assert!(!summary.has_changes());
    summary.commit().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn runs_are_created_once() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    script.graphql("RunState").respond_data(json!({"project": null}));
    script
        .graphql("UpsertBucket")
        .when("a new run", |request| {
            let input = &request.variables().unwrap()["input"];
            input["name"].as_str().is_some_and(|name| name.len() == 8)
                && input["modelName"] == "p"
                && input["entityName"] == "e"
                && input["state"] == "running"
                && input["config"] == r#"{"lr":{"value":0.1}}"#
                && input["tags"] == json!(["t"])
                && input.get("summaryMetrics").is_none()
        })
        .respond_data(upserted());
    script.graphql("Run").respond_data(one(plain()));
    let run = api
        .create_run("p")
        .config("lr", 0.1)
        .tag("t")
        .create()
        .await
        .unwrap();
    assert_eq!(run.id, "r");

    // An id that is taken.
    script
        .graphql("RunState")
        .respond_data(one(json!({"state": "finished", "heartbeatAt": null})));
    assert_eq!(
        api.create_run("p").id("r").create().await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    for (project, id) in [("p", "a:b"), ("p", "a/b"), ("p", " a"), ("p%q", "a")] {
        let error = api.create_run(project).id(id).create().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{project} {id}");
    }

    // No project: uncategorized.
    script.graphql("RunState").respond_data(json!({"project": null}));
    script
        .graphql("UpsertBucket")
        .variables(json!({"input": {"modelName": "uncategorized", "state": "pending", "sweep": "s"}}))
        .respond_data(upserted());
    script.graphql("Run").respond_data(one(plain()));
    api.create_run("").pending().sweep("s").create().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn runs_are_deleted_stopped_and_set() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let run = read(&script, &api).await;
    script
        .graphql("DeleteRun")
        .when("no word of artifacts", |request| {
            request.variables().unwrap()["input"] == json!({"id": "storage"})
        })
        .respond_data(json!({"deleteRun": {"clientMutationId": null}}));
    run.delete(false).await.unwrap();
    // The first attempt did it and its answer was lost.
    script.graphql("DeleteRun").fail(TransportErrorKind::Interrupted);
    script
        .graphql("DeleteRun")
        .variables(json!({"input": {"deleteArtifacts": true}}))
        .respond_graphql_error("run not found");
    run.delete(true).await.unwrap();
    script.graphql("DeleteRun").respond_graphql_error("run not found");
    assert_eq!(run.delete(true).await.unwrap_err().kind(), ErrorKind::NotFound);

    script
        .graphql("StopRun")
        .respond_data(json!({"stopRun": {"success": true}}));
    run.stop().await.unwrap();
    script
        .graphql("StopRun")
        .respond_data(json!({"stopRun": {"success": false}}));
    assert_eq!(run.stop().await.unwrap_err().kind(), ErrorKind::NotVisible);

    script
        .graphql("UpdateRunState")
        .variables(json!({"input": {"id": "storage", "state": "failed"}}))
        .respond_data(json!({"updateRunState": {"success": true}}));
    script.graphql("Run").respond_data(one(plain()));
    run.update_state(UpdatableState::Failed).await.unwrap();
    script
        .graphql("UpdateRunState")
        .respond_data(json!({"updateRunState": {"success": false}}));
    let error = run.update_state(UpdatableState::Pending).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    script.finish();
}

fn state(state: Json) -> Json {
    one(json!({"state": state, "heartbeatAt": null}))
}

#[tokio::test]
async fn waiting_ends_with_every_end() {
    for end in ["finished", "failed", "crashed", "killed", "preempted"] {
        let script = ScriptedTransport::ordered();
        let api = api(&script);
        let run = read(&script, &api).await;
        for word in ["pending", "running", "preempting"] {
            script.graphql("RunState").respond_data(state(json!(word)));
        }
        // A failure that passes, beyond the retries of one request.
        script.graphql("RunState").times(6).respond_status(503);
        script.graphql("RunState").respond_data(state(json!(end)));
        script.graphql("Run").respond_data(one(plain()));
        run.wait_until_finished(&WaitOptions::default()).await.unwrap();
        script.finish();
    }
}

#[tokio::test]
async fn waiting_ends_without_an_end() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let run = read(&script, &api).await;
    script
        .graphql("RunState")
        .times(4)
        .respond_data(state(json!("running")));
    let options = WaitOptions::default()
        .timeout(Duration::from_secs(12))
        .poll(Duration::from_secs(5));
    let error = run.wait_until_finished(&options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");

    script
        .graphql("RunState")
        .times(2)
        .respond_data(state(json!("hibernating")));
    let error = run
        .wait_until_finished(&WaitOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    script
        .graphql("RunState")
        .respond_data(state(json!("hibernating")));
    script.graphql("Run").respond_data(one(plain()));
    run.wait_until_finished(&WaitOptions::default().also_over("hibernating"))
        .await
        .unwrap();
    script
        .graphql("RunState")
        .times(2)
        .respond_data(state(json!(null)));
    assert_eq!(
        run.wait_until_finished(&WaitOptions::default())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Unsupported
    );

    script.graphql("RunState").respond_data(one(json!(null)));
    assert_eq!(
        run.wait_until_finished(&WaitOptions::default())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
    script.finish();
}

#[tokio::test]
async fn console_lines_come_page_by_page_or_from_the_end() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let line = |number: Json, text: Json| json!({"node": {"number": number, "timestamp": "2024-05-01T12:34:56", "level": "error", "label": "", "line": text}});
    let page = |lines: Vec<Json>, cursor: Option<&str>| {
        one(
            json!({"logLines": {"edges": lines, "pageInfo": {"hasNextPage": cursor.is_some(), "endCursor": cursor}}}),
        )
    };
    script
        .graphql("RunConsoleLogPage")
        .variables(json!({"first": 1000, "after": null}))
        .respond_data(page(vec![line(json!(0), json!("a"))], Some("c")));
    script
        .graphql("RunConsoleLogPage")
        .variables(json!({"after": "c"}))
        .respond_data(page(vec![line(json!(null), json!(null))], None));
    let run = api.run_reference("p/r").await.unwrap();
    let lines: Vec<ConsoleLogLine> = run.console_logs().stream().try_collect().await.unwrap();
    assert_eq!(
        (
            lines[0].number,
            lines[0].content.as_str(),
            lines[0].label.as_deref()
        ),
        (Some(0), "a", None)
    );
    assert_eq!((lines[1].number, lines[1].content.as_str()), (None, ""));
    script
        .graphql("RunConsoleLogTail")
        .variables(json!({"last": 2}))
        .respond_data(page(
            vec![line(json!(8), json!("y")), line(json!(9), json!("z"))],
            None,
        ));
    let lines: Vec<ConsoleLogLine> = run.console_logs().last(2).stream().try_collect().await.unwrap();
    assert_eq!(serde_json::to_value(&lines[1]).unwrap()["content"], "z");
    script.graphql("RunConsoleLogTail").respond_data(one(json!(null)));
    let error = run.console_logs().last(2).stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    script.finish();
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
    let uploaded = run.upload_files(&paths, directory.path()).await.unwrap();
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

#[tokio::test]
async fn a_run_of_a_partial_listing_cannot_be_compared() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let mut partial = plain();
    partial.as_object_mut().unwrap().remove("summaryMetrics");
    script
        .graphql("Runs")
        .respond_data(json!({"project": {"name": "p", "entityName": "e", "runs":
        {"edges": [{"node": partial}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}));
    let run = api
        .runs("p")
        .select(crate::Selection::attributes().config("lr"))
        .stream()
        .try_next()
        .await
        .unwrap()
        .unwrap();
    let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
    script.finish();
}
