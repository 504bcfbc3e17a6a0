//! Sweeps are found, listed and refused.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use wandb_local::LocalServer;

use crate::support::{Caller, KEY};
use crate::{GRID, HEARTBEAT, agent, heartbeat, read, run_it, server, state, sweep};

#[tokio::test]
async fn runs_of_a_sweep_are_found_from_every_side() {
    let (_server, caller) = server().await;
    let config = "method: random\nrun_cap: 3\nmetric: {name: val/acc, goal: maximize}\nparameters: {lr: {min: 0.0, max: 1.0}}";
    let (name, _, _) = sweep(&caller, config).await;
    let worker = agent(&caller, &name).await;
    let mut names = Vec::new();
    for turn in 0..3 {
        let commands = heartbeat(&caller, &worker, &[]).await;
        let lr = commands[0]["args"]["lr"]["value"].as_f64().unwrap();
        assert!((0.0..1.0).contains(&lr));
        let run = commands[0]["run_id"].as_str().unwrap().to_owned();
        let pending = caller
            .run("p", &run, "state sweepName sweep { name } config")
            .await;
        assert_eq!(
            (&pending["state"], &pending["sweepName"]),
            (&json!("pending"), &json!(name))
        );
        assert_eq!(pending["sweep"]["name"], json!(name));
        // A summary rule makes an object of the metric.
        let summary =
            json!({ "val/acc": if turn == 1 { json!({ "max": 0.9, "min": 0.1 }) } else { json!(0.3) } });
        run_it(&caller, &name, &commands[0], summary).await;
        names.push(run);
    }
    assert_eq!(
        heartbeat(&caller, &worker, &[]).await,
        [json!({ "type": "exit" })],
        "the cap is reached"
    );
    let found = caller
        .data(
            "query ($sweep: String!, $f: JSONString) { project(name: \"p\") {
               runs(filters: $f, order: \"-summary_metrics.val/acc.max\", first: 1) { totalCount edges { node { name } } }
               sweep(sweepName: $sweep) { bestLoss runCount runCountExpected
                 runs(order: \"-created_at\", first: 2) { totalCount pageInfo { hasNextPage endCursor }
                   edges { cursor node { name state config exitcode shouldStop failed stopped running summaryMetrics } } }
                 agents { edges { node { id name host state totalRuns createdAt heartbeatAt } } } } } }",
            json!({ "sweep": name, "f": json!({ "$and": [{ "sweep": name }] }).to_string() }),
        )
        .await["project"]
        .clone();
    assert_eq!(found["runs"]["totalCount"], 3);
    assert_eq!(found["runs"]["edges"][0]["node"]["name"], json!(names[1]));
    let sweep = &found["sweep"];
    assert_eq!(
        (&sweep["bestLoss"], &sweep["runCount"], &sweep["runCountExpected"]),
        (&json!(0.9), &json!(3), &json!(3))
    );
    assert_eq!(sweep["runs"]["edges"][0]["node"]["name"], json!(names[2]));
    assert_eq!(
        (
            &sweep["runs"]["totalCount"],
            &sweep["runs"]["pageInfo"]["hasNextPage"]
        ),
        (&json!(3), &json!(true))
    );
    let listed = &sweep["agents"]["edges"][0]["node"];
    assert_eq!(
        (&listed["id"], &listed["totalRuns"], &listed["state"]),
        (&json!(worker), &json!(3), &json!("FINISHED"))
    );
    let of_agent = caller
        .data(
            "query ($sweep: String!, $agent: String!) { project(name: \"p\") { sweep(sweepName: $sweep) {
               agent(agentName: $agent) { runs(order: \"+created_at\", first: 50) { totalCount edges { node { name } } } }
               none: agent(agentName: \"none\") { id } } } }",
            json!({ "sweep": name, "agent": listed["name"] }),
        )
        .await["project"]["sweep"]
        .clone();
    assert_eq!(of_agent["agent"]["runs"]["totalCount"], 3);
    assert_eq!(
        of_agent["agent"]["runs"]["edges"][0]["node"]["name"],
        json!(names[0])
    );
    assert!(of_agent["none"].is_null());
}

#[tokio::test]
async fn sweeps_are_listed_filtered_and_paged() {
    let (_server, caller) = server().await;
    let mut names = Vec::new();
    for index in 0..3 {
        let config = format!("method: random\nname: sweep {index}\nparameters: {{a: {{min: 0, max: 9}}}}");
        let (name, id, _) = sweep(&caller, &config).await;
        if index == 1 {
            state(&caller, &id, "PAUSED").await;
        }
        names.push(name);
    }
    let query = "query GetSweeps($filters: JSONString, $first: Int, $after: String) { project(name: \"p\") { totalSweeps
        sweeps(filters: $filters, first: $first, after: $after) { edges { cursor node { name displayName } } pageInfo { endCursor hasNextPage } } } }";
    let list = |variables: Value| {
        let caller = caller.clone();
        async move {
            let project = caller.data(query, variables).await["project"].clone();
            assert_eq!(project["totalSweeps"], 3);
            project["sweeps"].clone()
        }
    };
    let found = |page: &Value| -> Vec<String> {
        let edges = page["edges"].as_array().unwrap();
        edges
            .iter()
            .map(|edge| edge["node"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = list(json!({ "first": 2, "filters": "{}" })).await;
    assert_eq!(found(&first), [names[2].clone(), names[1].clone()]);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let rest = list(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(
        (found(&rest), &rest["pageInfo"]["hasNextPage"]),
        (vec![names[0].clone()], &json!(false))
    );
    for (filter, wanted) in [
        (json!({ "state": "PAUSED" }), vec![1]),
        (json!({ "display_name": { "$regex": "sweep [02]" } }), vec![2, 0]),
        (json!({ "name": names[0] }), vec![0]),
        (json!({ "tags": "x" }), vec![]),
        (
            json!({ "createdAt": { "$gt": "2020-01-01" }, "config.lr": { "$exists": false } }),
            vec![2, 1, 0],
        ),
    ] {
        let page = list(json!({ "filters": filter.to_string() })).await;
        let wanted: Vec<String> = wanted
            .into_iter()
            .map(|index: usize| names[index].clone())
            .collect();
        assert_eq!(found(&page), wanted, "{filter}");
    }
    let faulty = caller.refusal(query, json!({ "filters": "{\"nope\":1}" })).await;
    assert!(faulty.contains("nope"), "{faulty}");
    let unknown = caller
        .data(
            "{ project(name: \"p\") { sweep(sweepName: \"none\") { id } } }",
            json!({}),
        )
        .await;
    assert!(unknown["project"]["sweep"].is_null());
}

#[tokio::test]
async fn faults_are_told() {
    let (_server, caller) = server().await;
    // The oldest of the official documents.
    let old = "mutation UpsertSweep($id: ID, $config: String, $description: String, $entityName: String, $projectName: String,
        $controller: JSONString, $scheduler: JSONString) { upsertSweep(input: { id: $id, config: $config, description: $description,
          entityName: $entityName, projectName: $projectName, controller: $controller, scheduler: $scheduler }) { sweep { name } } }";
    let made = caller
        .data(
            old,
            json!({ "config": GRID, "projectName": "p", "description": "d" }),
        )
        .await;
    let name = made["upsertSweep"]["sweep"]["name"].as_str().unwrap();
    assert_eq!(read(&caller, name).await["description"], "d");
    for (variables, words) in [
        (json!({ "projectName": "p" }), "needs a config"),
        (json!({ "projectName": "p", "config": "a: &a [*a" }), "not YAML"),
        (
            json!({ "projectName": "p", "config": "method: grid\nparameters: {a: {min: 0.1, max: 0.2}}" }),
            "cannot go through",
        ),
        (json!({ "id": "nope", "projectName": "p" }), "sweep not found"),
        (json!({ "entityName": "nobody", "config": GRID }), "nobody"),
    ] {
        let message = caller.refusal(old, variables).await;
        assert!(message.contains(words), "{message}");
    }
    let launch = "mutation { upsertSweep(input: { projectName: \"p\", config: \"x\", launchScheduler: \"{\\\"queue\\\":1}\" }) { inserted } }";
    assert!(caller.refusal(launch, json!({})).await.contains("launch"));
    let (_, _, warnings) = sweep(&caller, "method: bayes\njob: x\nparameters: {a: {values: [1]}}").await;
    assert_eq!(warnings.as_array().unwrap().len(), 2, "{warnings}");
    let query = "mutation { createAgent(input: { host: \"h\", projectName: \"p\", sweep: \"none\" }) { agent { id } } }";
    assert!(caller.refusal(query, json!({})).await.contains("not found"));
    // An agent whose sweep is gone is told by the status: the official one stops only then.
    let (name, _, _) = sweep(&caller, GRID).await;
    let worker = agent(&caller, &name).await;
    assert!(
        caller
            .refusal(HEARTBEAT, json!({ "id": worker, "runState": "[1]" }))
            .await
            .contains("runState")
    );
    let project = caller.data("{ project(name: \"p\") { id } }", json!({})).await["project"]["id"].clone();
    caller
        .data(
            "mutation ($id: String!) { deleteModel(input: { id: $id }) { success } }",
            json!({ "id": project }),
        )
        .await;
    for id in [worker.as_str(), "nonsense"] {
        let body = json!({ "query": HEARTBEAT, "variables": { "id": id, "runState": "{}" } }).to_string();
        let answer = caller.send(Method::POST, "/graphql", body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_teams_sweep_is_for_its_members() {
    let server = LocalServer::builder().api_key(KEY).start().await.unwrap();
    let people = server.people();
    let owner = Caller::of(&server);
    let caller = |name: &str| Caller {
        key: people.add_user(name, None).unwrap().api_key,
        ..owner.clone()
    };
    let (ada, grace, eve) = (caller("ada"), caller("grace"), caller("eve"));
    people.add_team("research", ["ada", "grace"]).unwrap();
    let create = "mutation ($config: String) { upsertSweep(input: { entityName: \"research\", projectName: \"p\", config: $config }) {
        sweep { id name } } }";
    let made = ada.data(create, json!({ "config": GRID })).await["upsertSweep"]["sweep"].clone();
    let register = "mutation ($sweep: String!) { createAgent(input: { host: \"h\", entityName: \"research\", projectName: \"p\", sweep: $sweep }) {
        agent { id } } }";
    let worker =
        grace.data(register, json!({ "sweep": made["name"] })).await["createAgent"]["agent"]["id"].clone();
    let worker = worker.as_str().unwrap();
    let commands = heartbeat(&grace, worker, &[]).await;
    let run = "query ($run: String!) { project(name: \"p\", entityName: \"research\") { run(name: $run) { user { username } } } }";
    let seen = ada.data(run, json!({ "run": commands[0]["run_id"] })).await;
    assert_eq!(
        seen["project"]["run"]["user"]["username"], "grace",
        "a run is the user's whose agent it is"
    );
    // Others neither see it nor can do anything about it.
    assert!(
        eve.refusal(create, json!({ "config": GRID }))
            .await
            .contains("not found")
    );
    assert!(
        eve.refusal(register, json!({ "sweep": made["name"] }))
            .await
            .contains("not found")
    );
    assert!(
        eve.refusal(HEARTBEAT, json!({ "id": worker, "runState": "{}" }))
            .await
            .contains("not found")
    );
    for (query, input) in [
        (
            "mutation ($id: ID!) { upsertSweep(input: { id: $id, state: \"CANCELED\" }) { inserted } }",
            &made["id"],
        ),
        (
            "mutation ($id: ID!) { enqueueSweepRun(input: { id: $id, config: \"{}\" }) { id } }",
            &made["id"],
        ),
    ] {
        assert!(
            eve.refusal(query, json!({ "id": input }))
                .await
                .contains("not found"),
            "{query}"
        );
    }
    assert_eq!(
        heartbeat(&grace, worker, &[]).await[0]["type"],
        "run",
        "nothing of it happened"
    );
}
