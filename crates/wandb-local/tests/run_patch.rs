//! `wbPatchRun` and `Run.wbRevision`, over loopback HTTP.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use serde_json::{Value, json};
use support::{Caller, KEY};
use wandb_local::LocalServer;

const PATCH: &str = "mutation ($input: WbPatchRunInput!) { wbPatchRun(input: $input) { revision bucket {
    name config summaryMetrics tags notes displayName group jobType wbRevision } } }";

async fn server() -> (LocalServer, Caller) {
    let server = LocalServer::builder().api_key(KEY).start().await.unwrap();
    let caller = Caller::of(&server);
    (server, caller)
}

async fn patch(caller: &Caller, input: Value) -> Value {
    caller.data(PATCH, json!({ "input": input })).await["wbPatchRun"].clone()
}

#[tokio::test]
async fn what_is_not_named_stays_as_it_is() {
    let (_server, caller) = server().await;
    let config = r#"{"lr":{"value":0.10,"desc":"rate"},"model":{"value":{"depth":3,"width":64}},"_wandb":{"value":{"t":{"1":[2]}}}}"#;
    let run = caller
        .upsert(json!({ "modelName": "p", "name": "r", "config": config, "summaryMetrics": r#"{"a":{"b":1,"c":NaN},"z":1}"#,
                        "tags": ["x", "y"], "notes": "n" }))
        .await;
    let patched = patch(
        &caller,
        json!({
            "id": run["bucket"]["id"], "configPatch": r#"{"model":{"value":{"depth":4}},"lr":{"value":0.2}}"#,
            "summaryPatch": r#"{"a":{"b":Infinity},"n":12345678901234567890}"#,
            "removeSummaryKeys": ["z", "[\"a\",\"d\"]"], "addTags": ["y", "w"], "removeTags": ["x", "q"],
            "groupName": "g", "jobType": "eval", "displayName": "new",
        }),
    )
    .await;
    let bucket = &patched["bucket"];
    assert_eq!(
        bucket["config"],
        r#"{"lr":{"value":0.2,"desc":"rate"},"model":{"value":{"depth":4,"width":64}},"_wandb":{"value":{"t":{"1":[2]}}}}"#
    );
    assert_eq!(
        bucket["summaryMetrics"],
        r#"{"a":{"b":Infinity,"c":NaN},"n":12345678901234567890}"#
    );
    assert_eq!(bucket["tags"], json!(["y", "w"]));
    assert_eq!(
        (
            &bucket["notes"],
            &bucket["group"],
            &bucket["jobType"],
            &bucket["displayName"]
        ),
        (&json!("n"), &json!("g"), &json!("eval"), &json!("new"))
    );
    assert_eq!(bucket["wbRevision"], patched["revision"]);
    // Filters read the new values.
    let found = caller
        .data(
            "query ($f: JSONString) { project(name: \"p\") { runCount(filters: $f) } }",
            json!({ "f": r#"{"config.model.depth":4,"summary_metrics.a.b":"Infinity","tags":"w"}"# }),
        )
        .await;
    assert_eq!(found["project"]["runCount"], 1);
    let removed = patch(
        &caller,
        json!({ "id": run["bucket"]["id"], "removeConfigKeys": ["[\"model\",\"value\",\"width\"]", "lr"] }),
    )
    .await;
    assert_eq!(
        removed["bucket"]["config"],
        r#"{"model":{"value":{"depth":4}},"_wandb":{"value":{"t":{"1":[2]}}}}"#
    );
}

#[tokio::test]
async fn two_writers_of_different_members_both_survive() {
    let (_server, caller) = server().await;
    let run = caller.start_run("p", "r").await;
    let id = run["bucket"]["id"].as_str().unwrap();
    let writers = (0..24).map(|writer| {
        let caller = caller.clone();
        let input = json!({ "id": id, "summaryPatch": format!("{{\"nested\":{{\"k{writer}\":{writer}}}}}"),
                            "configPatch": format!("{{\"k{writer}\":{{\"value\":{writer}}}}}"), "addTags": [format!("t{writer}")] });
        tokio::spawn(async move { patch(&caller, input).await["revision"].clone() })
    });
    let mut revisions = std::collections::BTreeSet::new();
    for writer in writers.collect::<Vec<_>>() {
        revisions.insert(writer.await.unwrap().as_str().unwrap().to_owned());
    }
    assert_eq!(revisions.len(), 24, "every write has a revision of its own");
    let run = caller.run("p", "r", "config summaryMetrics tags").await;
    let count = |text: &Value, path: &str| -> usize {
        let value: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        value.pointer(path).unwrap().as_object().unwrap().len()
    };
    assert_eq!(count(&run["summaryMetrics"], "/nested"), 24);
    assert_eq!(count(&run["config"], ""), 24);
    assert_eq!(run["tags"].as_array().unwrap().len(), 24);
}

#[tokio::test]
async fn a_condition_that_no_longer_holds_is_a_conflict() {
    let (_server, caller) = server().await;
    let run = caller.start_run("p", "r").await;
    let id = run["bucket"]["id"].clone();
    let revision = || async { caller.run("p", "r", "wbRevision updatedAt").await };
    let read = revision().await;
    let mut known = std::collections::BTreeSet::from([read["wbRevision"].as_str().unwrap().to_owned()]);
    // Every writer of the official API changes it, the stream included; a mere heartbeat does not.
    for input in [
        json!({ "id": id, "notes": "x" }),
        json!({ "id": id, "tags": ["x"] }),
        json!({ "id": id, "config": "{}" }),
        json!({ "id": id, "summaryMetrics": "{}" }),
        json!({ "id": id, "groupName": "g" }),
        json!({ "id": id, "jobType": "j" }),
        json!({ "id": id, "displayName": "d" }),
    ] {
        caller.upsert(input.clone()).await;
        let now = revision().await["wbRevision"].as_str().unwrap().to_owned();
        assert!(known.insert(now), "{input}");
    }
    let summary = json!({ "files": { "wandb-summary.json": { "offset": 0, "content": ["{\"a\":1}"] } } });
    caller.stream("p", "r", summary).await;
    let before = revision().await;
    assert!(known.insert(before["wbRevision"].as_str().unwrap().to_owned()));
    caller.stream("p", "r", json!({})).await;
    assert_eq!(revision().await["wbRevision"], before["wbRevision"]);

    for condition in ["ifUnchangedToken", "ifUpdatedAt"] {
        let stale = if condition == "ifUpdatedAt" {
            &read["updatedAt"]
        } else {
            &read["wbRevision"]
        };
        let input = json!({ "id": id, "summaryPatch": "{\"lost\":1}", condition: stale });
        let answer = caller.graphql(PATCH, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "CONFLICT", "{answer}");
        assert!(answer["data"]["wbPatchRun"].is_null());
    }
    let now = revision().await;
    let input = json!({ "id": id, "summaryPatch": "{\"kept\":1}", "ifUnchangedToken": now["wbRevision"],
                        "ifUpdatedAt": now["updatedAt"] });
    let patched = patch(&caller, input).await;
    assert_eq!(patched["bucket"]["summaryMetrics"], "{\"a\":1,\"kept\":1}");
}

#[tokio::test]
async fn bad_patches_change_nothing() {
    let (_server, caller) = server().await;
    let run = caller.start_run("p", "r").await;
    let id = run["bucket"]["id"].clone();
    let before = caller
        .run("p", "r", "config summaryMetrics tags notes wbRevision updatedAt")
        .await;
    for (input, words) in [
        (
            json!({ "id": id, "notes": "x", "configPatch": "[1]" }),
            "config patch",
        ),
        (
            json!({ "id": id, "notes": "x", "summaryPatch": "{\"a\":}" }),
            "summary patch",
        ),
        (
            json!({ "id": id, "addTags": ["x"], "removeSummaryKeys": ["[]"] }),
            "path without keys",
        ),
        (json!({ "id": "UnVuOjk5OTk=", "notes": "x" }), "not found"),
        (json!({ "id": "nonsense", "notes": "x" }), "not found"),
    ] {
        let message = caller.refusal(PATCH, json!({ "input": input })).await;
        assert!(message.contains(words), "{message}");
    }
    let deep = "{\"a\":".repeat(5000) + "1" + &"}".repeat(5000);
    caller
        .refusal(PATCH, json!({ "input": { "id": id, "configPatch": deep } }))
        .await;
    assert_eq!(
        caller
            .run("p", "r", "config summaryMetrics tags notes wbRevision updatedAt")
            .await,
        before
    );
    let features = caller
        .data("{ serverInfo { features { name isEnabled } } }", json!({}))
        .await;
    assert!(
        features["serverInfo"]["features"]
            .as_array()
            .unwrap()
            .contains(&json!({ "name": "WB_RUN_PATCH", "isEnabled": true }))
    );
}
