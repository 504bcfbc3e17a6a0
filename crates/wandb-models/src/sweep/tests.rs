//! Sweeps over a script.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::{ErrorKind, order::Order};
use wandb_transport::{ScriptedResponse, ScriptedTransport};

use super::*;
use crate::testing::api;

fn sweep(id: &str, config: &str) -> Json {
    json!({"id": format!("storage-{id}"), "name": id, "displayName": null, "method": "grid", "state": "RUNNING",
        "description": null, "config": config, "bestLoss": 0.25, "createdAt": "2024-05-01T12:34:56", "updatedAt": null,
        "runCount": 3, "runCountExpected": null, "newer": {"unknown": true}})
}

fn one(sweep: Json) -> Json {
    json!({"project": {"name": "p", "entityName": "e", "sweep": sweep}})
}

fn run(id: &str, summary: &str) -> Json {
    json!({"id": format!("storage-{id}"), "name": id, "displayName": null, "state": "finished", "sweepName": "s",
        "group": null, "jobType": null, "commit": null, "host": null, "readOnly": null,
        "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null, "updatedAt": null, "description": null, "notes": null,
        "tags": [], "historyLineCount": 0, "user": null, "config": "{}", "summaryMetrics": summary,
        "systemMetrics": null})
}

fn runs(nodes: Vec<Json>) -> Json {
    let edges: Vec<Json> = nodes.into_iter().map(|node| json!({"node": node})).collect();
    json!({"project": {"name": "p", "entityName": "e", "runs":
        {"edges": edges, "pageInfo": {"hasNextPage": false, "endCursor": null}}}})
}

#[tokio::test]
async fn a_sweep_has_the_official_names() {
    let script = ScriptedTransport::ordered();
    let config = "method: grid\nname: from config\nmetric: {name: loss, goal: minimize}\n";
    script
        .graphql("GetSweep")
        .variables(json!({"project": "p", "entity": "e", "name": "s"}))
        .respond_data(one(sweep("s", config)));
    let sweep = api(&script).sweep("p/s").await.unwrap();
    assert_eq!(sweep.name, "from config");
    let json = serde_json::to_value(sweep.data()).unwrap();
    for (name, value) in [
        ("id", json!("s")),
        ("path", json!(["e", "p", "s"])),
        // The deprecated other name of the entity.
        ("username", json!(null)),
        ("name", json!("from config")),
        ("storage_id", json!("storage-s")),
        ("entity", json!("e")),
        ("project", json!("p")),
        ("state", json!("RUNNING")),
        ("order", json!("+summary_metrics.loss")),
        ("expected_run_count", json!(null)),
        ("best_loss", json!(0.25)),
        ("url", json!("https://app.example/e/p/sweeps/s")),
        ("created_at", json!("2024-05-01T12:34:56Z")),
    ] {
        assert_eq!(json[name], value, "{name}");
    }
    assert_eq!(json["config"]["metric"]["name"], "loss");
    script.finish();
}

#[tokio::test]
async fn a_page_of_sweeps_is_one_query() {
    let script = ScriptedTransport::ordered();
    let page = |ids: [&str; 2], more: bool, cursor: &str| {
        let edges: Vec<Json> = ids.iter().map(|id| json!({"node": sweep(id, "")})).collect();
        json!({"project": {"name": "p", "entityName": "e", "totalSweeps": 4, "sweeps":
            {"edges": edges, "pageInfo": {"hasNextPage": more, "endCursor": cursor}}}})
    };
    script
        .graphql("GetSweeps")
        .respond_data(page(["a", "b"], true, "x"));
    script
        .graphql("GetSweeps")
        .variables(json!({"cursor": "x"}))
        .respond_data(page(["c", "d"], false, "y"));
    let sweeps: Vec<Sweep> = api(&script)
        .sweeps("p")
        .page_size(2)
        .stream()
        .try_collect()
        .await
        .unwrap();
    let ids: Vec<&str> = sweeps.iter().map(|sweep| sweep.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    script.finish();
}

#[tokio::test]
async fn the_best_run_says_by_what() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("GetSweep")
        .respond_data(one(sweep("s", "metric: {name: acc, goal: maximize}")));
    script
        .graphql("Runs")
        .variables(json!({"order": "-summary_metrics.acc", "perPage": 1}))
        .when("a filter by sweep", |request| {
            request.variables().unwrap()["filters"]
                .as_str()
                .unwrap()
                .contains("\"sweep\"")
        })
        .respond_data(runs(vec![run("r", r#"{"acc": 0.5}"#)]));
    let api = api(&script);
    let with_metric = api.sweep("p/s").await.unwrap();
    let best = with_metric.best_run().await.unwrap();
    assert_eq!(best.run.as_ref().unwrap().id, "r");
    assert_eq!(best.value().unwrap().as_f64(), Some(0.5));
    assert_eq!(best.hint(), None);

    // The run that comes first has no such metric.
    script.graphql("Runs").respond_data(runs(vec![run("r", "{}")]));
    let best = with_metric.best_run().await.unwrap();
    assert!(best.value().is_none() && best.hint().is_some());

    // Without a metric: the newest, and said.
    script
        .graphql("GetSweep")
        .respond_data(one(sweep("s", "method: random")));
    script
        .graphql("Runs")
        .variables(json!({"order": "-created_at"}))
        .respond_data(runs(vec![run("new", "{}")]));
    let without = api.sweep("p/s").await.unwrap();
    assert_eq!(without.order().unwrap(), None);
    let best = without.best_run().await.unwrap();
    assert_eq!(best.basis, BestRunBasis::NewestWithoutMetric);
    assert!(best.hint().unwrap().contains("newest"));

    // An order of the caller's; no runs.
    script
        .graphql("Runs")
        .variables(json!({"order": "+created_at"}))
        .respond_data(runs(vec![]));
    let best = without.best_run_by(Order::oldest_first()).await.unwrap();
    assert!(best.run.is_none());
    script.finish();
}

#[tokio::test]
async fn an_old_server_is_asked_in_the_old_way_and_no_other_failure_is_hidden() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("GetSweep")
        .respond_graphql_error("Cannot query field \"runCountExpected\" on type \"Sweep\".");
    script.graphql("GetSweepLegacy").respond_data(one(
        json!({"id": "1", "name": "s", "state": "FINISHED", "bestLoss": null, "config": "method: bayes\n"}),
    ));
    let api = api(&script);
    let sweep = api.sweep("p/s").await.unwrap();
    assert_eq!((sweep.created_at, sweep.method.as_deref()), (None, Some("bayes")));
    assert!(sweep.is_over());

    script
        .graphql("GetSweep")
        .respond_graphql_error("permission denied");
    assert_eq!(api.sweep("p/s").await.unwrap_err().kind(), ErrorKind::NotVisible);
    script.graphql("GetSweep").respond_data(one(json!(null)));
    assert_eq!(api.sweep("p/s").await.unwrap_err().kind(), ErrorKind::NotFound);
    script.graphql("GetSweep").respond_data(json!({"project": null}));
    assert_eq!(api.sweep("p/s").await.unwrap_err().kind(), ErrorKind::NotFound);
    script.finish();
}

#[tokio::test]
async fn bad_answers_are_typed() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let mut unknown = sweep("s", "{method: [");
    unknown["state"] = json!("HIBERNATING");
    script.graphql("GetSweep").respond_data(one(unknown));
    let odd = api.sweep("p/s").await.unwrap();
    assert_eq!((odd.state.as_str(), odd.name.as_str()), ("HIBERNATING", "s"));
    assert!(!odd.is_over());
    assert_eq!(odd.order().unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(odd.config.text(), "{method: [");
    assert_eq!(serde_json::to_value(odd.data()).unwrap()["config"], "{method: [");

    let wrong = |member: &str, value: Json| {
        let mut sweep = sweep("s", "");
        sweep[member] = value;
        one(sweep)
    };
    for (what, data) in [
        ("a number for a name", wrong("name", json!(5))),
        ("a null id", wrong("id", json!(null))),
        ("a text for a count", wrong("runCount", json!("3"))),
        ("no time", wrong("createdAt", json!("yesterday"))),
        ("a slash in the id", wrong("name", json!("a/b"))),
        ("a list for the sweep", one(json!([]))),
    ] {
        script.graphql("GetSweep").respond_data(data);
        let error = api.sweep("p/s").await.expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error:?}");
        assert!(
            error.to_string().contains("read sweep \"e/p/sweeps/s\""),
            "{what}: {error}"
        );
    }
    // Data beside errors is not a whole answer.
    let both = json!({"data": one(sweep("s", "")), "errors": [{"message": "half of it failed"}]});
    script
        .graphql("GetSweep")
        .respond(ScriptedResponse::new(200).json(both));
    assert_eq!(api.sweep("p/s").await.unwrap_err().kind(), ErrorKind::Server);
    script.finish();
}

#[tokio::test]
async fn agents_and_their_runs() {
    let script = ScriptedTransport::ordered();
    script.graphql("GetSweep").respond_data(one(sweep("s", "")));
    script.graphql("GetSweepAgents").respond_data(one(json!({"agents": {"edges": [{"node":
        {"id": "a1", "name": "agent", "host": "h", "state": "RUNNING", "totalRuns": 2, "createdAt": "2024-05-01T12:34:56Z",
         "heartbeatAt": null}}]}})));
    script
        .graphql("GetAgentRuns")
        .variables(json!({"sweep": "s", "agent": "agent"}))
        .respond_data(one(
            json!({"agent": {"runs": {"edges": [{"node": run("r", "{}")}],
            "pageInfo": {"hasNextPage": false, "endCursor": null}}}}),
        ));
    let sweep = api(&script).sweep("p/s").await.unwrap();
    let agents = sweep.agents().await.unwrap();
    assert_eq!((agents[0].name.as_str(), agents[0].total_runs), ("agent", 2));
    let runs: Vec<Run> = sweep.agent_runs("agent").stream().try_collect().await.unwrap();
    assert_eq!(runs[0].id, "r");
    script.finish();
}

#[tokio::test]
async fn a_sweep_is_created_and_paused() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("UpsertSweep")
        .variables(json!({"input": {"config": "method: grid", "entityName": "e", "projectName": "p"}}))
        .respond_data(json!({"upsertSweep": {"sweep": {"name": "s"}, "configValidationWarnings": ["odd"]}}));
    script
        .graphql("GetSweep")
        .respond_data(one(sweep("s", "method: grid")));
    let created = api(&script).create_sweep("p", "method: grid").await.unwrap();
    assert_eq!(created.warnings, ["odd"]);
    script
        .graphql("UpsertSweep")
        .when("an id and a state, no more", |request| {
            request.variables().unwrap()["input"] == json!({"id": "storage-s", "state": "PAUSED"})
        })
        .respond_data(json!({"upsertSweep": {"sweep": {"name": "s"}, "configValidationWarnings": []}}));
    script
        .graphql("GetSweep")
        .respond_data(one(sweep("s", "method: grid")));
    created.sweep.set_state(SweepState::Paused).await.unwrap();
    script.finish();
}

#[tokio::test]
async fn a_run_leads_to_its_sweep() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    script.graphql("Runs").respond_data(runs(vec![run("r", "{}"), {
        let mut other = run("alone", "{}");
        other["sweepName"] = json!(null);
        other
    }]));
    let found: Vec<Run> = api.runs("p").stream().try_collect().await.unwrap();
    script
        .graphql("GetSweep")
        .variables(json!({"name": "s"}))
        .respond_data(one(sweep("s", "")));
    assert_eq!(found[0].sweep().await.unwrap().unwrap().id, "s");
    assert!(found[1].sweep().await.unwrap().is_none());
    script.finish();
}
