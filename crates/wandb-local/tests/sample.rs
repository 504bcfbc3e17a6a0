//! The sweep and the reports of the sample project, as a client reads them.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use serde_json::{Value, json};
use support::{Caller, KEY};
use wandb_local::LocalServer;

#[tokio::test]
async fn the_sample_has_a_sweep_and_two_reports() {
    let server = LocalServer::builder().api_key(KEY).start().await.unwrap();
    // Twice: what is there is replaced, not doubled.
    for _ in 0..2 {
        server.fill_sample("demo").await.unwrap();
    }
    let caller = Caller::of(&server);
    let project = caller
        .data(
            "{ project(name: \"demo\") { runCount totalSweeps sweeps { edges { node { name method state displayName bestLoss runCount
                 runCountExpected agents { edges { node { totalRuns } } }
                 runs(order: \"+summary_metrics.val/loss\") { totalCount edges { node { name config sweepName summaryMetrics } } } } } }
               allViews(viewType: \"runs\") { totalCount edges { node { displayName spec } } } } }",
            json!({}),
        )
        .await["project"]
        .clone();
    assert_eq!(
        (&project["runCount"], &project["totalSweeps"]),
        (&json!(60), &json!(1))
    );
    let sweep = &project["sweeps"]["edges"][0]["node"];
    assert_eq!(
        (&sweep["method"], &sweep["state"]),
        (&json!("grid"), &json!("FINISHED"))
    );
    assert_eq!(
        (&sweep["runCount"], &sweep["runCountExpected"]),
        (&json!(6), &json!(6))
    );
    assert_eq!(sweep["agents"]["edges"][0]["node"]["totalRuns"], 6);
    let best = &sweep["runs"]["edges"][0]["node"];
    let summary: Value = serde_json::from_str(best["summaryMetrics"].as_str().unwrap()).unwrap();
    assert_eq!(summary["val/loss"], sweep["bestLoss"]);
    assert_eq!(best["sweepName"], sweep["name"]);
    assert_eq!(project["allViews"]["totalCount"], 2);
    let specs: Vec<Value> = project["allViews"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| serde_json::from_str(edge["node"]["spec"].as_str().unwrap()).unwrap())
        .collect();
    let grid = &specs[0]["blocks"][2]["metadata"]["runSets"][0];
    assert_eq!(
        grid["filters"]["filters"][0]["filters"][0]["value"],
        sweep["name"]
    );
    let set = &specs[1]["panelGroups"][0]["runSets"][0];
    let selected = set["selections"]["tree"].as_array().unwrap();
    assert_eq!(selected.len(), 3);
    let filter = json!({ "name": { "$in": selected }, "state": "finished" }).to_string();
    let found = caller
        .data(
            "query ($f: JSONString) { project(name: \"demo\") { runCount(filters: $f) } }",
            json!({ "f": filter }),
        )
        .await;
    assert_eq!(
        found["project"]["runCount"], 3,
        "the runs that are switched on are there"
    );
}
