//! Creating, changing, listing and deleting runs.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use http::StatusCode;
use serde_json::{Value, json};
use support::{Caller, rows};

const LIST: &str = "query Runs($filters: JSONString, $order: String, $first: Int, $after: String, $last: Int, $before: String) {
    project(name: \"p\", entityName: \"local\") { runCount(filters: $filters)
      runs(filters: $filters, order: $order, first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { name state group tags } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";

fn names(list: &Value) -> Vec<&str> {
    let edges = list["project"]["runs"]["edges"].as_array().unwrap();
    edges
        .iter()
        .map(|edge| edge["node"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_new_run_gets_names_and_keeps_what_it_was_given() {
    let caller = Caller::in_process();
    let config = r#"{"lr":{"value":0.1},"big":{"value":1152921504606846976},"_wandb":{"value":{"t":{"1":[2]},"m":[]}}}"#;
    let first = caller
        .upsert(json!({
            "entityName": "", "modelName": "p", "host": "h", "jobProgram": "x.py", "groupName": "g",
            "jobType": "train", "notes": "n", "tags": ["b", "a"], "config": config, "commit": "c0ffee",
            "jobRepo": "https://git/x"
        }))
        .await;
    assert_eq!(first["inserted"], true);
    let name = first["bucket"]["name"].as_str().unwrap();
    assert_eq!(name.len(), 8);
    assert_eq!(
        first["bucket"]["displayName"]
            .as_str()
            .unwrap()
            .split('-')
            .count(),
        3
    );
    assert_eq!(
        first["bucket"]["project"],
        json!({ "name": "p", "entity": { "name": "local" } })
    );
    let run = caller
        .run(
            "p",
            name,
            "state group jobType notes tags commit host config wandbConfig(keys: [\"t\"]) picked: config(keys: [\"big\"])
             user { username } projectId readOnly historyLineCount runInfo { program git { remote commit } }",
        )
        .await;
    assert_eq!(run["state"], "running");
    assert_eq!(run["tags"], json!(["b", "a"]));
    // The text comes back as it was sent: no number passes through a float.
    assert_eq!(run["config"], config);
    assert_eq!(run["wandbConfig"], r#"{"t":{"1":[2]}}"#);
    assert_eq!(run["picked"], r#"{"big":{"value":1152921504606846976}}"#);
    assert_eq!(run["runInfo"]["git"]["commit"], "c0ffee");
    assert!(run["projectId"].is_i64());
}

#[tokio::test]
async fn null_leaves_alone_and_edits_do_not_restart() {
    let caller = Caller::in_process();
    let run = caller.start_run("p", "r").await;
    caller
        .stream("p", "r", json!({ "complete": true, "exitcode": 0 }))
        .await;
    let id = &run["bucket"]["id"];
    caller
        .upsert(json!({ "id": id, "notes": "kept", "tags": ["x"], "summaryMetrics": "{\"a\":1}" }))
        .await;
    caller
        .upsert(json!({ "id": id, "notes": null, "tags": null, "displayName": "new" }))
        .await;
    let seen = caller
        .run("p", "r", "state notes tags displayName summaryMetrics")
        .await;
    assert_eq!(
        seen,
        json!({ "state": "finished", "notes": "kept", "tags": ["x"], "displayName": "new", "summaryMetrics": "{\"a\":1}" })
    );
    assert!(
        caller
            .refusal(
                "mutation ($input: UpsertBucketInput!) { upsertBucket(input: $input) { inserted } }",
                json!({ "input": { "id": "UnVuOjk5OTk=" } }),
            )
            .await
            .contains("not found")
    );
}

#[tokio::test]
async fn the_same_name_again_overwrites_unless_resumed_or_shared() {
    let caller = Caller::in_process();
    let first = caller.start_run("p", "r").await;
    caller.log("p", "r", 0, &rows(0, 5)).await;
    // Resume: by id, with the number of lines to go on from.
    let resumed = caller
        .upsert(json!({ "id": first["bucket"]["id"], "host": "h", "jobProgram": "x" }))
        .await;
    assert_eq!(resumed["bucket"]["historyLineCount"], 5);
    // A debounced config upsert has a name and no host.
    caller
        .upsert(json!({ "modelName": "p", "name": "r", "config": "{}" }))
        .await;
    assert_eq!(caller.rows("p", "r").await.len(), 5);
    // Another process of a shared run.
    let shared = caller.clone().with_header("x-wandb-use-async-filestream", "true");
    assert_eq!(shared.start_run("p", "r").await["bucket"]["historyLineCount"], 5);
    // A new process without resume.
    let again = caller.start_run("p", "r").await;
    assert_eq!(again["inserted"], false);
    assert_eq!(again["bucket"]["historyLineCount"], 0);
    assert!(caller.rows("p", "r").await.is_empty());
    assert_eq!(
        caller.run("p", "r", "historyKeys").await["historyKeys"],
        Value::Null
    );
}

#[tokio::test]
async fn a_fork_copies_and_a_rewind_truncates() {
    let caller = Caller::in_process();
    caller.start_run("p", "base").await;
    caller.log("p", "base", 0, &rows(0, 10)).await;
    let config = r#"{"_wandb":{"value":{"branch_point":{"run_id":"base","step":4}}}}"#;
    let fork = caller
        .upsert(json!({ "modelName": "p", "name": "fork", "host": "h", "jobProgram": "x", "config": config }))
        .await;
    assert_eq!(fork["bucket"]["historyLineCount"], 5);
    caller.log("p", "fork", 5, &rows(5, 1)).await;
    assert_eq!(caller.rows("p", "fork").await.len(), 6);
    assert_eq!(
        caller.run("p", "fork", "historyKeys").await["historyKeys"]["lastStep"],
        5
    );

    let rewind = "mutation ($value: Float!) { rewindRun(input: { runName: \"base\", projectName: \"p\", entityName: \"local\",
        metricName: \"_step\", metricValue: $value }) { rewoundRun { name historyLineCount } } }";
    let rewound = caller.data(rewind, json!({ "value": 3 })).await;
    assert_eq!(
        rewound["rewindRun"]["rewoundRun"],
        json!({ "name": "base", "historyLineCount": 4 })
    );
    assert_eq!(caller.rows("p", "base").await.len(), 4);
    assert!(
        caller
            .refusal(rewind, json!({ "value": 3.5 }))
            .await
            .contains("not an integer")
    );
}

#[tokio::test]
async fn pages_follow_offsets_in_both_directions() {
    let caller = Caller::in_process();
    for index in 0..25 {
        caller
            .upsert(json!({ "modelName": "p", "name": format!("r{index:02}") }))
            .await;
    }
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = caller
            .data(LIST, json!({ "order": "+name", "first": 10, "after": after }))
            .await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        assert_eq!(page["project"]["runs"]["totalCount"], 25);
        let info = &page["project"]["runs"]["pageInfo"];
        let last = page["project"]["runs"]["edges"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()["cursor"]
            .clone();
        assert_eq!(info["endCursor"], last);
        if info["hasNextPage"] == false {
            break;
        }
        after = info["endCursor"].clone();
    }
    assert_eq!(
        seen,
        (0..25).map(|index| format!("r{index:02}")).collect::<Vec<_>>()
    );
    assert_eq!(after, "YXJyYXljb25uZWN0aW9uOjE5");

    let tail = caller.data(LIST, json!({ "order": "+name", "last": 3 })).await;
    assert_eq!(names(&tail), ["r22", "r23", "r24"]);
    let before = tail["project"]["runs"]["pageInfo"]["startCursor"].clone();
    let earlier = caller
        .data(LIST, json!({ "order": "+name", "last": 3, "before": before }))
        .await;
    assert_eq!(names(&earlier), ["r19", "r20", "r21"]);

    let query = "query ($after: String, $first: Int) { project(name: \"p\") { runs(after: $after, first: $first) { edges { cursor } } } }";
    assert!(
        caller
            .refusal(query, json!({ "after": "nonsense" }))
            .await
            .contains("cursor")
    );
    assert!(
        caller
            .refusal(query, json!({ "first": -1 }))
            .await
            .contains("negative")
    );
    assert_eq!(
        caller.data(query, json!({ "first": 0 })).await["project"]["runs"]["edges"],
        json!([])
    );
}

#[tokio::test]
async fn filters_and_orders_reach_sql() {
    let caller = Caller::in_process();
    for (name, lr, loss, group) in [
        ("a", 0.1, "0.5", "x"),
        ("b", 0.01, "NaN", "x"),
        ("c", 0.2, "0.1", "y"),
    ] {
        caller
            .upsert(json!({
                "modelName": "p", "name": name, "groupName": group, "tags": [group],
                "config": json!({ "lr": { "value": lr } }).to_string(), "summaryMetrics": format!("{{\"loss\":{loss}}}")
            }))
            .await;
    }
    for (filters, expected) in [
        (r#"{"config.lr":{"$gt":0.05}}"#, vec!["a", "c"]),
        (r#"{"config.lr.value":0.01}"#, vec!["b"]),
        (
            r#"{"$and":[{"group":"x"},{"summary_metrics.loss":{"$lt":1}}]}"#,
            vec!["a"],
        ),
        (r#"{"tags":{"$in":["y"]}}"#, vec!["c"]),
        ("{}", vec!["a", "b", "c"]),
        (r#"{"state":"finished"}"#, vec![]),
    ] {
        let page = caller
            .data(LIST, json!({ "filters": filters, "order": "+name" }))
            .await;
        assert_eq!(names(&page), expected, "{filters}");
        assert_eq!(page["project"]["runCount"], expected.len(), "{filters}");
    }
    let ordered = caller
        .data(LIST, json!({ "order": "-summary_metrics.loss" }))
        .await;
    assert_eq!(names(&ordered)[..2], ["a", "c"]);
    for bad in ["[", "5", r#"{"$bad":1}"#] {
        assert!(
            caller
                .refusal(LIST, json!({ "filters": bad }))
                .await
                .contains("invalid filter"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_null() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let query =
        "query ($name: String, $entity: String) { project(name: $name, entityName: $entity) { name } }";
    assert_eq!(
        caller.data(query, json!({ "name": "nope" })).await["project"],
        Value::Null
    );
    assert_eq!(
        caller
            .data(query, json!({ "name": "p", "entity": "nobody" }))
            .await["project"],
        Value::Null
    );
    assert_eq!(
        caller.data(query, json!({ "name": "p", "entity": "" })).await["project"]["name"],
        "p"
    );
    assert_eq!(
        caller.data(query, json!({ "name": "p" })).await["project"]["name"],
        "p"
    );
    assert_eq!(caller.run("p", "nope", "id").await, Value::Null);
    let models =
        "query ($entity: String) { models(entityName: $entity) { edges { node { name internalId } } } }";
    assert_eq!(
        caller.data(models, json!({ "entity": "nobody" })).await["models"]["edges"],
        json!([])
    );
    let all = caller.data(models, json!({ "entity": "local" })).await;
    assert_eq!(
        all["models"]["edges"][0]["node"],
        json!({ "name": "p", "internalId": "UHJvamVjdEludGVybmFsSWQ6MQ==" })
    );
    let resume = "query { model(name: \"p\") { bucket(name: \"nope\", missingOk: true) { id } } entity(name: \"x\") { id } }";
    assert_eq!(
        caller.data(resume, json!({})).await,
        json!({ "model": { "bucket": null }, "entity": null })
    );
}

#[tokio::test]
async fn deleting_a_run_takes_everything_along() {
    let caller = Caller::in_process();
    let run = caller.start_run("p", "r").await;
    caller.log("p", "r", 0, &rows(0, 3)).await;
    let delete =
        "mutation ($id: ID!) { deleteRun(input: { id: $id, clientMutationId: \"m\" }) { clientMutationId } }";
    let variables = json!({ "id": run["bucket"]["id"], "deleteArtifacts": false });
    let answer = caller.data(delete, variables.clone()).await;
    assert_eq!(answer["deleteRun"]["clientMutationId"], "m");
    assert_eq!(caller.run("p", "r", "id").await, Value::Null);
    assert_eq!(
        caller.stream("p", "r", json!({})).await.status,
        StatusCode::NOT_FOUND
    );
    // A retry of the request is no error, and the name can be used again, with nothing left from before.
    caller.data(delete, variables).await;
    assert_eq!(caller.start_run("p", "r").await["inserted"], true);
    assert!(caller.rows("p", "r").await.is_empty());
}

#[tokio::test]
async fn states_change_within_the_rules() {
    let caller = Caller::in_process();
    let run = caller
        .upsert(json!({ "modelName": "p", "name": "r", "state": "pending" }))
        .await;
    let id = run["bucket"]["id"].clone();
    assert_eq!(caller.run("p", "r", "state").await["state"], "pending");
    let change = "mutation ($id: ID!, $state: String!) { updateRunState(input: { id: $id, state: $state }) { success } }";
    caller.data(change, json!({ "id": id, "state": "failed" })).await;
    assert_eq!(caller.run("p", "r", "state").await["state"], "failed");
    assert!(
        caller
            .refusal(change, json!({ "id": id, "state": "finished" }))
            .await
            .contains("finished")
    );
    caller.data(change, json!({ "id": id, "state": "pending" })).await;
    caller.start_run("p", "r").await;
    let stop = "mutation ($id: ID!) { stopRun(input: { id: $id }) { success } }";
    assert_eq!(
        caller.data(stop, json!({ "id": id })).await["stopRun"]["success"],
        true
    );
    assert_eq!(caller.stream("p", "r", json!({})).await.json()["stopped"], true);
    assert_eq!(caller.run("p", "r", "stopped").await["stopped"], true);
}
