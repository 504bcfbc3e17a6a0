//! Reports, drafts and saved views; changing and deleting projects. Over loopback HTTP.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use serde_json::{Value, json};
use support::{Caller, KEY, rows};
use wandb_local::LocalServer;

const UPSERT: &str =
    "mutation upsertView($input: UpsertViewInput!) { upsertView(input: $input) { inserted view {
    id type name displayName description spec updatedAt createdUsing project { id name entityName } } } }";
const LIST: &str =
    "query ProjectViews($viewType: String = \"runs\", $viewName: String, $limit: Int!, $cursor: String) {
    project(name: \"p\", entityName: \"local\") { allViews(viewType: $viewType, viewName: $viewName, first: $limit, after: $cursor) {
      totalCount edges { cursor node { id name displayName description user { username photoUrl email } spec updatedAt createdAt } }
      pageInfo { endCursor hasNextPage } } } }";
const DELETE: &str =
    "mutation ($id: ID, $drafts: Boolean) { deleteView(input: { id: $id, deleteDrafts: $drafts }) {
    success pendingDrafts } }";

async fn server() -> (LocalServer, Caller) {
    let server = LocalServer::builder().api_key(KEY).start().await.unwrap();
    let caller = Caller::of(&server);
    caller.start_run("p", "r").await;
    (server, caller)
}

async fn upsert(caller: &Caller, input: Value) -> Value {
    caller.data(UPSERT, json!({ "input": input })).await["upsertView"].clone()
}

fn report(title: &str) -> Value {
    json!({ "entityName": "local", "projectName": "p", "type": "runs", "displayName": title, "spec": "{\"blocks\":[ ]}",
            "createdUsing": "WANDB_SDK" })
}

async fn titles(caller: &Caller, variables: Value) -> Vec<String> {
    let found = caller.data(LIST, variables).await;
    let edges = found["project"]["allViews"]["edges"].as_array().unwrap().clone();
    edges
        .iter()
        .map(|edge| edge["node"]["displayName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_report_is_kept_as_it_was_written() {
    let (_server, caller) = server().await;
    let mut input = report("A title");
    input["name"] = json!("k3x9");
    // Opaque: not even JSON is asked for.
    input["spec"] = json!("{\"panelGroups\": [NaN], not json");
    let first = upsert(&caller, input.clone()).await;
    assert_eq!(first["inserted"], true);
    let view = &first["view"];
    assert_eq!(view["spec"], input["spec"]);
    assert_eq!(
        (&view["type"], &view["createdUsing"]),
        (&json!("runs"), &json!("WANDB_SDK"))
    );
    assert_eq!(view["project"]["name"], "p");
    let id = view["id"].as_str().unwrap();
    // The same request again, as after a lost answer.
    let again = upsert(&caller, input).await;
    assert_eq!(
        (&again["inserted"], &again["view"]["id"]),
        (&json!(false), &json!(id))
    );
    let edited = upsert(
        &caller,
        json!({ "id": id, "description": "d", "displayName": "B" }),
    )
    .await;
    assert_eq!(edited["view"]["spec"], first["view"]["spec"], "null leaves alone");
    // URLs of reports carry the id without its padding.
    for id in [id, id.trim_end_matches('=')] {
        let read = caller
            .data(
                "query ($id: ID!) { view(id: $id) { displayName description viewCount locked spec user { username } } }",
                json!({ "id": id }),
            )
            .await;
        assert_eq!(read["view"]["displayName"], "B");
        assert_eq!(read["view"]["description"], "d");
        assert_eq!(read["view"]["user"]["username"], "local");
    }
    for id in ["", "nonsense", "VmlldzoxMjM0NQ=="] {
        let read = caller
            .data("query ($id: ID!) { view(id: $id) { id } }", json!({ "id": id }))
            .await;
        assert!(read["view"].is_null());
    }
    for (input, words) in [
        (json!({ "displayName": "x" }), "needs a project"),
        (json!({ "projectName": "none", "displayName": "x" }), "not found"),
        (
            json!({ "id": "VmlldzoxMjM0NQ==", "displayName": "x" }),
            "not found",
        ),
    ] {
        let message = caller.refusal(UPSERT, json!({ "input": input })).await;
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn views_are_listed_by_type_and_by_name_or_title() {
    let (_server, caller) = server().await;
    for index in 0..5 {
        upsert(&caller, report(&format!("Report {index}"))).await;
    }
    upsert(
        &caller,
        json!({ "projectName": "p", "type": "project-view", "name": "nw-1", "displayName": "workspace" }),
    )
    .await;
    assert_eq!(
        titles(&caller, json!({ "limit": 50 })).await,
        ["Report 4", "Report 3", "Report 2", "Report 1", "Report 0"]
    );
    assert_eq!(
        titles(&caller, json!({ "limit": 50, "viewName": "Report 2" })).await,
        ["Report 2"]
    );
    assert_eq!(
        titles(
            &caller,
            json!({ "limit": 50, "viewType": "project-view", "viewName": "nw-1" })
        )
        .await,
        ["workspace"]
    );
    assert_eq!(
        titles(&caller, json!({ "limit": 50, "viewType": null }))
            .await
            .len(),
        6
    );
    // From the last edge's cursor as well as from the page's.
    let mut cursor = Value::Null;
    let mut seen = Vec::new();
    loop {
        let page =
            caller.data(LIST, json!({ "limit": 2, "cursor": cursor })).await["project"]["allViews"].clone();
        let edges = page["edges"].as_array().unwrap();
        seen.extend(edges.iter().map(|edge| edge["node"]["displayName"].clone()));
        assert_eq!(page["totalCount"], 5);
        assert_eq!(edges.last().unwrap()["cursor"], page["pageInfo"]["endCursor"]);
        cursor = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn drafts_keep_their_report_unless_they_go_along() {
    let (_server, caller) = server().await;
    let published = upsert(&caller, report("R")).await;
    let id = published["view"]["id"].clone();
    let mut draft = report("R, edited");
    draft["type"] = json!("runs/draft");
    draft["parentId"] = id.clone();
    let draft = upsert(&caller, draft).await;
    assert_eq!(draft["view"]["type"], "runs/draft");
    assert_eq!(
        titles(&caller, json!({ "limit": 9 })).await,
        ["R"],
        "drafts are no reports"
    );
    let refused = caller.data(DELETE, json!({ "id": id })).await["deleteView"].clone();
    assert_eq!(refused, json!({ "success": false, "pendingDrafts": true }));
    let deleted = caller.data(DELETE, json!({ "id": id, "drafts": true })).await["deleteView"].clone();
    assert_eq!(deleted, json!({ "success": true, "pendingDrafts": false }));
    assert!(
        titles(&caller, json!({ "limit": 9, "viewType": null }))
            .await
            .is_empty()
    );
    // A retry.
    let again = caller.data(DELETE, json!({ "id": id })).await["deleteView"].clone();
    assert_eq!(again["success"], true);
    assert!(
        caller
            .refusal(DELETE, json!({ "id": "x" }))
            .await
            .contains("not found")
    );
}

#[tokio::test]
async fn projects_are_renamed_and_deleted_with_all_that_is_in_them() {
    let (_server, caller) = server().await;
    caller.log("p", "r", 0, &rows(0, 3)).await;
    upsert(&caller, report("R")).await;
    caller.start_run("q", "r").await;
    let rename = "mutation ($old: String!, $new: String!) { renameProject(input: { entityName: \"local\", oldProjectName: $old,
        newProjectName: $new }) { inserted project { id name } } }";
    assert!(
        caller
            .refusal(rename, json!({ "old": "p", "new": "q" }))
            .await
            .contains("exists")
    );
    assert!(
        caller
            .refusal(rename, json!({ "old": "p", "new": "a/b" }))
            .await
            .contains("invalid")
    );
    assert!(
        caller
            .refusal(rename, json!({ "old": "none", "new": "x" }))
            .await
            .contains("not found")
    );
    for _ in 0..2 {
        let renamed = caller.data(rename, json!({ "old": "p", "new": "n" })).await;
        assert_eq!(renamed["renameProject"]["project"]["name"], "n");
    }
    assert_eq!(caller.rows("n", "r").await.len(), 3);
    let upsert = "mutation ($input: UpsertModelInput!) { upsertModel(input: $input) { inserted model { id name description } } }";
    let id = caller.data("{ project(name: \"n\") { id } }", json!({})).await["project"]["id"].clone();
    let edited = caller
        .data(
            upsert,
            json!({ "input": { "id": id, "name": "m", "description": "d" } }),
        )
        .await;
    assert_eq!(
        edited["upsertModel"]["model"],
        json!({ "id": id, "name": "m", "description": "d" })
    );
    let delete = "mutation ($id: String!) { deleteModel(input: { id: $id }) { success } }";
    assert_eq!(
        caller.data(delete, json!({ "id": id })).await["deleteModel"]["success"],
        true
    );
    assert_eq!(
        caller.data(delete, json!({ "id": id })).await["deleteModel"]["success"],
        false
    );
    let left = caller
        .data(
            "{ m: project(name: \"m\") { id } q: project(name: \"q\") { runCount } }",
            json!({}),
        )
        .await;
    assert_eq!(left, json!({ "m": null, "q": { "runCount": 1 } }));
    // The run of the same name elsewhere is another one.
    caller.log("q", "r", 0, &rows(0, 2)).await;
    assert_eq!(caller.rows("q", "r").await.len(), 2);
}
