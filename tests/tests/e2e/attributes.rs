//! What a run carries, after it was logged and as odd servers give it.

use serde_json::{Value as Json, json};
use wandb_api::transport::ScriptedTransport;
use wandb_api::{ErrorKind, Value};
use wandb_tests::{NewRun, TestServer, scripted_api};

#[tokio::test]
async fn every_attribute_comes_back() {
    let server = TestServer::open();
    let config = r#"{"lr":{"value":0.1,"desc":"rate"},"model":{"value":{"value":3,"desc":"kept"}},"a.b":{"value":"dotted"},
        "nan":{"value":NaN},"inf":{"value":[-Infinity,9007199254740993]},"größe":{"value":"✓"},"plain":5,
        "_wandb":{"value":{"t":{"1":[5]}}}}"#;
    let mut writer = server
        .log(
            "p",
            NewRun::named("r1")
                .set("displayName", "brave-tree-1")
                .set("notes", "line one\nline two")
                .set("description", "what it is")
                .set("groupName", "group 1")
                .set("jobType", "train")
                .set("commit", "abc123")
                .set("tags", json!(["b", "a", "größe ✓"]))
                .set("config", config),
        )
        .await;
    writer
        .history([
            r#"{"_step":0,"loss":1.5,"text":"x"}"#,
            r#"{"_step":5,"loss":NaN}"#,
        ])
        .await;
    writer
        .events(&[
            r#"{"_timestamp":1,"system.cpu":3}"#,
            r#"{"_timestamp":2,"system.cpu":4}"#,
        ])
        .await;
    let summary = r#"{"loss":NaN,"best":{"min":-Infinity},"_step":5,"text":"NaN"}"#;
    writer.summary(summary).await;

    let api = server.api();
    let run = api.run("local/p/r1").await.unwrap();
    assert_eq!((run.id.as_str(), run.name.as_str()), ("r1", "brave-tree-1"));
    assert_eq!(run.storage_id, writer.storage_id);
    assert_eq!((run.entity.as_str(), run.project.as_str()), ("local", "p"));
    assert_eq!(run.path, ["local", "p", "r1"]);
    assert_eq!(run.run_path().to_string(), "local/p/r1");
    assert!(run.url.ends_with("/local/p/runs/r1"), "{}", run.url);
    assert_eq!(run.state, "running");
    assert!(!run.is_over());
    let mut tags = run.tags.clone();
    tags.sort();
    assert_eq!(tags, ["a", "b", "größe ✓"]);
    assert_eq!(run.notes.as_deref(), Some("line one\nline two"));
    assert_eq!(run.description.as_deref(), Some("what it is"));
    assert_eq!(run.group.as_deref(), Some("group 1"));
    assert_eq!(run.job_type.as_deref(), Some("train"));
    assert_eq!(run.commit.as_deref(), Some("abc123"));
    assert_eq!(run.host.as_deref(), Some("test-host"));
    assert_eq!(run.sweep_name, None);
    assert_eq!(run.history_line_count, Some(2));
    assert!(!run.read_only);
    assert_eq!(run.username(), Some("local"));
    assert!(run.heartbeat_at.unwrap() >= run.created_at);
    assert!(run.duration_seconds().unwrap() >= 0.0);

    let read = run.config().unwrap();
    let mut keys: Vec<&str> = read.keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a.b", "größe", "inf", "lr", "model", "nan", "plain"]);
    assert_eq!(read.get("lr"), Some(&Value::Float(0.1)));
    assert_eq!(
        read.get_path("model.value"),
        Some(&Value::Int(3)),
        "one wrapper is taken off and no more"
    );
    assert_eq!(read.get("a.b").and_then(Value::as_str), Some("dotted"));
    assert!(read.get("nan").unwrap().as_f64().unwrap().is_nan());
    let list = read.get("inf").unwrap().as_list().unwrap();
    assert_eq!(
        list,
        [Value::Float(f64::NEG_INFINITY), Value::Int(9_007_199_254_740_993)]
    );
    #[derive(serde::Deserialize)]
    struct Config {
        lr: f64,
        model: std::collections::HashMap<String, Json>,
        #[serde(rename = "a.b")]
        dotted: String,
        absent: Option<u8>,
    }
    let typed: Config = run.config_as().unwrap();
    assert_eq!(
        (typed.lr, typed.dotted.as_str(), typed.absent),
        (0.1, "dotted", None)
    );
    assert_eq!(typed.model["value"], 3);
    let misfit = run
        .config_as::<std::collections::HashMap<String, u8>>()
        .unwrap_err();
    assert_eq!(misfit.kind(), ErrorKind::InvalidInput);
    assert!(misfit.to_string().contains("r1"), "{misfit}");
    let raw = Value::parse(run.raw_config().unwrap()).unwrap();
    assert!(
        raw.same_as(&Value::parse(config).unwrap()),
        "the raw config is what was sent"
    );

    let read = run.summary().unwrap();
    assert!(read.get("loss").unwrap().as_f64().unwrap().is_nan());
    assert_eq!(read.get_path("best.min"), Some(&Value::Float(f64::NEG_INFINITY)));
    assert_eq!(read.get("text"), Some(&Value::from("NaN")));
    assert!(
        Value::parse(run.raw_summary().unwrap())
            .unwrap()
            .same_as(&Value::parse(summary).unwrap())
    );
    assert_eq!(
        run.system_metrics().unwrap().get("system.cpu"),
        Some(&Value::Int(4))
    );
    let keys = run.history_keys().unwrap();
    assert_eq!(keys.get("lastStep"), Some(&Value::Int(5)));
    assert!(keys.get("keys").unwrap().as_map().unwrap().get("loss").is_some());
    assert_eq!(run.last_history_step().await.unwrap(), Some(5));

    let mut printed = Vec::new();
    run.write_json(&mut printed).unwrap();
    let printed: Json = serde_json::from_slice(&printed).unwrap();
    assert_eq!(printed["summary"]["loss"], "NaN");
    assert_eq!(
        printed["config"]["inf"],
        json!(["-Infinity", 9_007_199_254_740_993_i64])
    );
    assert_eq!(printed["created_at"], run.created_at.to_string());
    assert!(printed["config"]["_wandb"].is_null());

    writer.finish(0).await;
    let after = run.reload().await.unwrap();
    assert_eq!(after.state, "finished");
    assert!(after.is_over());
    assert_eq!(run.state, "running", "a handle is a snapshot");
    writer.update(json!({ "tags": ["z"], "notes": "new" })).await;
    let after = run.reload().await.unwrap();
    assert_eq!(
        (after.tags.as_slice(), after.notes.as_deref()),
        (["z".to_owned()].as_slice(), Some("new"))
    );
    assert_eq!(after.group.as_deref(), Some("group 1"), "what was not sent stays");
}

#[tokio::test]
async fn runs_end_in_the_states_that_their_exit_says() {
    let server = TestServer::open();
    let api = server.api();
    for (name, exit_code, state) in [
        ("ok", 0, "finished"),
        ("bad", 1, "failed"),
        ("odd", 255, "failed"),
    ] {
        let writer = server.log("p", NewRun::named(name)).await;
        let before = api.run(&format!("p/{name}")).await.unwrap();
        assert_eq!(before.current_state().await.unwrap(), "running");
        writer.finish(exit_code).await;
        assert_eq!(before.current_state().await.unwrap(), state);
        assert_eq!(before.state, "running", "a handle is a snapshot");
        assert_eq!(api.run(&format!("p/{name}")).await.unwrap().state, state);
    }
    let mut silent = server.log("p", NewRun::named("silent")).await;
    silent.history([r#"{"_step":0}"#]).await;
    assert_eq!(api.run("p/silent").await.unwrap().state, "running");
}

#[tokio::test]
async fn a_run_that_falls_silent_has_crashed() {
    let server = TestServer::with(|builder| builder.heartbeat_timeout(std::time::Duration::from_millis(1)));
    let mut writer = server.log("p", NewRun::named("r")).await;
    writer.history([r#"{"_step":0}"#]).await;
    let api = server.api();
    // However slow this machine is, the millisecond will have passed at some time.
    while api.run("p/r").await.unwrap().state == "running" {
        tokio::task::yield_now().await;
    }
    let run = api.run("p/r").await.unwrap();
    assert_eq!(run.state, "crashed");
    assert!(run.is_over());
}

fn full_run(changes: Json) -> Json {
    let mut run = json!({
        "id": "storage", "name": "r", "displayName": null, "state": null, "sweepName": null, "group": null, "jobType": null,
        "commit": null, "host": null, "readOnly": null, "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null,
        "updatedAt": null, "description": null, "notes": null, "tags": null, "historyLineCount": null, "user": null,
        "config": null, "summaryMetrics": null, "systemMetrics": null, "historyKeys": null, "newer": { "field": 1 },
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        run[key] = value.clone();
    }
    json!({ "project": { "name": "p", "entityName": "e", "run": run } })
}

#[tokio::test]
async fn a_run_of_nulls_is_read() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("Run")
        .variables(json!({ "entity": "e", "project": "p", "name": "r" }))
        .respond_data(full_run(json!({})));
    script.graphql("Run").respond_data(full_run(
        json!({ "state": "quantum", "config": "null", "summaryMetrics": "{}" }),
    ));
    let (api, _) = scripted_api(&script);
    let run = api.run("e/p/r").await.unwrap();
    assert_eq!(run.name, "r", "the id where the server has no name");
    assert_eq!(
        run.created_at.to_string(),
        "2024-05-01T12:34:56Z",
        "a time without a zone is UTC"
    );
    assert_eq!((run.user.clone(), run.username()), (None, None));
    assert!(run.tags.is_empty());
    assert!(run.config().unwrap().is_empty() && run.summary().unwrap().is_empty());
    assert!(run.system_metrics().unwrap().is_empty() && run.history_keys().unwrap().is_empty());
    assert_eq!(run.raw_config(), None);
    let run = run.reload().await.unwrap();
    assert_eq!(
        run.state, "quantum",
        "states that are newer than the client survive"
    );
    assert!(!run.is_over());
    assert!(run.config().unwrap().is_empty());
    script.finish();
}

#[tokio::test]
async fn broken_parts_are_errors_where_they_are_read() {
    let script = ScriptedTransport::ordered();
    script.graphql("Run").respond_data(full_run(json!({
        "config": "{\"a\": ", "summaryMetrics": "[1]", "systemMetrics": "{\"x\": 1}",
    })));
    let (api, _) = scripted_api(&script);
    let run = api.run("e/p/r").await.unwrap();
    assert_eq!(run.config().unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(run.summary().unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(run.system_metrics().unwrap().len(), 1);
    assert_eq!(
        run.write_json(&mut Vec::new()).unwrap_err().kind(),
        ErrorKind::Protocol
    );
    script.finish();

    for changes in [
        json!({ "createdAt": "yesterday" }),
        json!({ "createdAt": null }),
        json!({ "name": "a/b" }),
        json!({ "tags": "x" }),
    ] {
        let script = ScriptedTransport::ordered();
        script.graphql("Run").respond_data(full_run(changes.clone()));
        let (api, _) = scripted_api(&script);
        let error = api.run("e/p/r").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{changes}: {error:?}");
        script.finish();
    }
}
