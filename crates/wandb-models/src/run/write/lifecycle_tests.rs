//! Runs are created, stopped, waited for and deleted over a script; their console is read.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::{ScriptedTransport, TransportErrorKind};

use super::tests::{one, plain, read, upserted};
use crate::{ConsoleLogLine, UpdatableState, WaitOptions, testing::api};

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
