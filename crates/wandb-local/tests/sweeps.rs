//! Sweeps and their agents, over loopback HTTP.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Caller, KEY};
use wandb_local::LocalServer;

const FRAGMENT: &str = "id name displayName method state description bestLoss config createdAt updatedAt runCount runCountExpected";

async fn server() -> (LocalServer, Caller) {
    let server = LocalServer::builder().api_key(KEY).start().await.unwrap();
    let caller = Caller::of(&server);
    (server, caller)
}

/// Creates a sweep by the newest of the official documents; its name and opaque id, and the warnings.
async fn sweep(caller: &Caller, config: &str) -> (String, String, Value) {
    let query = "mutation UpsertSweep($id: ID, $config: String, $description: String, $entityName: String,
        $projectName: String, $controller: JSONString, $launchScheduler: JSONString, $templateVariableValues: JSONString,
        $scheduler: JSONString, $state: String, $priorRunsFilters: JSONString, $displayName: String) {
        upsertSweep(input: { id: $id, config: $config, description: $description, entityName: $entityName,
          projectName: $projectName, controller: $controller, launchScheduler: $launchScheduler,
          templateVariableValues: $templateVariableValues, scheduler: $scheduler, state: $state,
          priorRunsFilters: $priorRunsFilters, displayName: $displayName }) {
          sweep { id name project { id name entity { id name } } } configValidationWarnings } }";
    let made = caller
        .data(query, json!({ "config": config, "projectName": "p", "entityName": "local", "templateVariableValues": "null" }))
        .await["upsertSweep"]
        .clone();
    let text = |key: &str| made["sweep"][key].as_str().unwrap().to_owned();
    (text("name"), text("id"), made["configValidationWarnings"].clone())
}

async fn state(caller: &Caller, id: &str, state: &str) -> Value {
    let query = "mutation ($id: ID!, $state: String!) { upsertSweep(input: { id: $id, state: $state }) { sweep { state } } }";
    caller.graphql(query, json!({ "id": id, "state": state })).await
}

async fn read(caller: &Caller, name: &str) -> Value {
    let query = format!(
        "query GetSweep($name: String!) {{ project(name: \"p\") {{ sweep(sweepName: $name) {{ {FRAGMENT} }} }} }}"
    );
    caller.data(&query, json!({ "name": name })).await["project"]["sweep"].clone()
}

async fn agent(caller: &Caller, sweep: &str) -> String {
    let query = "mutation CreateAgent($host: String!, $projectName: String, $entityName: String, $sweep: String!) {
        createAgent(input: { host: $host, projectName: $projectName, entityName: $entityName, sweep: $sweep }) { agent { id } } }";
    let made = caller
        .data(
            query,
            json!({ "host": "h", "projectName": "p", "entityName": "local", "sweep": sweep }),
        )
        .await;
    made["createAgent"]["agent"]["id"].as_str().unwrap().to_owned()
}

const HEARTBEAT: &str = "mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) {
    agentHeartbeat(input: { id: $id, metrics: $metrics, runState: $runState }) { agent { id } commands } }";

/// One heartbeat with these runs alive; the commands.
async fn heartbeat(caller: &Caller, agent: &str, alive: &[&str]) -> Vec<Value> {
    let runs: BTreeMap<&str, bool> = alive.iter().map(|run| (*run, true)).collect();
    let variables = json!({ "id": agent, "metrics": "{}", "runState": json!(runs).to_string() });
    let answer = caller.data(HEARTBEAT, variables).await["agentHeartbeat"].clone();
    serde_json::from_str(answer["commands"].as_str().unwrap()).unwrap()
}

/// Starts a handed-out run as the SDK does, and ends it with a summary.
async fn run_it(caller: &Caller, sweep: &str, command: &Value, summary: Value) {
    let run = command["run_id"].as_str().unwrap();
    let started = caller
        .upsert(
            json!({ "modelName": "p", "name": run, "host": "h", "jobProgram": "t.py", "sweep": sweep,
                        "config": command["args"].to_string() }),
        )
        .await;
    assert_eq!(started["inserted"], false, "the server made the run");
    let body = json!({ "files": { "wandb-summary.json": { "offset": 0, "content": [summary.to_string()] } },
                       "complete": true, "exitcode": 0 });
    assert_eq!(caller.stream("p", run, body).await.status, StatusCode::OK);
}

const GRID: &str = "method: grid\nname: my grid\nprogram: train.py\nmetric: {name: loss, goal: minimize}\nparameters:\n\
    \x20 lr: {values: [0.1, 0.01]}\n  layers: {distribution: int_uniform, min: 1, max: 3}\n\
    \x20 optimizer: {parameters: {kind: {values: [a, b]}, beta: {value: 0.9}}}\n";

#[tokio::test]
async fn a_grid_is_gone_through_once_by_many_agents_and_across_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let open = || LocalServer::builder().api_key(KEY).dir(directory.path());
    let server = open().start().await.unwrap();
    let caller = Caller::of(&server);
    let (name, _, warnings) = sweep(&caller, GRID).await;
    assert_eq!(warnings, json!([]));
    let before = read(&caller, &name).await;
    assert_eq!(
        (&before["state"], &before["method"], &before["displayName"]),
        (&json!("PENDING"), &json!("grid"), &json!("my grid"))
    );
    assert_eq!(
        (&before["runCount"], &before["runCountExpected"]),
        (&json!(0), &json!(12))
    );
    assert_eq!(before["config"], GRID, "the text comes back as it was sent");
    let mut agents = Vec::new();
    for _ in 0..3 {
        agents.push(agent(&caller, &name).await);
    }
    let mut points = BTreeSet::new();
    let mut runs = BTreeSet::new();
    let mut take = |command: &Value| {
        assert_eq!(command["type"], "run");
        assert_eq!(command["program"], "train.py");
        assert_eq!(command["args"]["optimizer"]["value"]["beta"], 0.9);
        assert!(points.insert(command["args"].to_string()), "{command} came twice");
        assert!(runs.insert(command["run_id"].as_str().unwrap().to_owned()));
    };
    // Two rounds in which all ask at the same moment.
    for _ in 0..2 {
        let asked = agents.iter().map(|agent| {
            let (caller, agent) = (caller.clone(), agent.clone());
            tokio::spawn(async move { heartbeat(&caller, &agent, &[]).await })
        });
        for answer in asked.collect::<Vec<_>>() {
            let commands = answer.await.unwrap();
            assert_eq!(commands.len(), 1);
            take(&commands[0]);
            run_it(&caller, &name, &commands[0], json!({ "loss": 1 })).await;
        }
    }
    assert_eq!(read(&caller, &name).await["state"], "RUNNING");
    server.stop().await;
    let server = open().start().await.unwrap();
    let caller = Caller::of(&server);
    for turn in 0..6 {
        let commands = heartbeat(&caller, &agents[turn % 3], &[]).await;
        take(&commands[0]);
        let held = commands[0]["run_id"].as_str().unwrap();
        // An agent that runs something is given nothing.
        assert_eq!(
            heartbeat(&caller, &agents[turn % 3], &[held]).await,
            Vec::<Value>::new()
        );
        if turn == 5 {
            // All is proposed, but one run still goes: others leave, the sweep is not finished.
            assert_eq!(
                heartbeat(&caller, &agents[0], &[]).await,
                [json!({ "type": "exit" })]
            );
            assert_eq!(read(&caller, &name).await["state"], "RUNNING");
        }
        run_it(
            &caller,
            &name,
            &commands[0],
            json!({ "loss": 0.5 - turn as f64 / 10.0 }),
        )
        .await;
    }
    assert_eq!((points.len(), runs.len()), (12, 12));
    let after = read(&caller, &name).await;
    assert_eq!(
        (&after["state"], &after["runCount"]),
        (&json!("FINISHED"), &json!(12))
    );
    assert_eq!(after["bestLoss"], 0.0);
    assert_eq!(
        heartbeat(&caller, &agents[1], &[]).await,
        [json!({ "type": "exit" })]
    );
    // As documented for grids: delete a run, go on, and only its point is tried again.
    let (deleted, id) = {
        let name = runs.iter().next().unwrap().clone();
        let run = caller.run("p", &name, "id config").await;
        (run["config"].clone(), run["id"].clone())
    };
    caller
        .data(
            "mutation ($id: ID!) { deleteRun(input: { id: $id }) { clientMutationId } }",
            json!({ "id": id }),
        )
        .await;
    let sweep_id = after["id"].as_str().unwrap();
    assert!(state(&caller, sweep_id, "RUNNING").await.get("errors").is_none());
    let again = heartbeat(&caller, &agents[1], &[]).await;
    let config: Value = serde_json::from_str(deleted.as_str().unwrap()).unwrap();
    assert_eq!(again[0]["args"], config);
    assert_eq!(heartbeat(&caller, &agents[2], &[]).await[0]["type"], "exit");
}

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
async fn pausing_stopping_and_canceling() {
    let (_server, caller) = server().await;
    let config = "method: random\nparameters: {lr: {min: 0.0, max: 1.0}}";
    let (name, id, _) = sweep(&caller, config).await;
    let (one, two) = (agent(&caller, &name).await, agent(&caller, &name).await);
    let first = heartbeat(&caller, &one, &[]).await[0]["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    caller.start_run("p", &first).await;
    assert_eq!(
        state(&caller, &id, "PAUSED").await["data"]["upsertSweep"]["sweep"]["state"],
        "PAUSED"
    );
    assert!(
        heartbeat(&caller, &one, &[&first]).await.is_empty(),
        "what runs goes on"
    );
    assert!(
        heartbeat(&caller, &two, &[]).await.is_empty(),
        "nothing is handed out"
    );
    state(&caller, &id, "RUNNING").await;
    // A run that is asked to stop is stopped by its agent, again and again until it has gone.
    let second = heartbeat(&caller, &two, &[]).await[0]["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let started = caller.start_run("p", &second).await;
    caller
        .data(
            "mutation ($id: ID!) { stopRun(input: { id: $id }) { success } }",
            json!({ "id": started["bucket"]["id"] }),
        )
        .await;
    for _ in 0..2 {
        assert_eq!(
            heartbeat(&caller, &two, &[&second]).await,
            [json!({ "type": "stop", "run_id": second })]
        );
    }
    caller
        .stream("p", &second, json!({ "complete": true, "exitcode": 1 }))
        .await;
    assert_eq!(caller.run("p", &second, "state").await["state"], "killed");
    let third = heartbeat(&caller, &two, &[]).await[0]["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Canceled: what runs is stopped, what waits will not be run.
    state(&caller, &id, "CANCELED").await;
    assert_eq!(caller.run("p", &first, "stopped").await["stopped"], true);
    assert_eq!(
        caller.stream("p", &first, json!({})).await.json()["stopped"],
        true
    );
    assert_eq!(caller.run("p", &third, "state").await["state"], "killed");
    assert_eq!(
        heartbeat(&caller, &one, &[&first]).await,
        [json!({ "type": "stop", "run_id": first })]
    );
    caller.start_run("p", &third).await;
    assert_eq!(
        caller.stream("p", &third, json!({})).await.json()["stopped"],
        true,
        "it had been taken before"
    );
    assert_eq!(heartbeat(&caller, &one, &[]).await, [json!({ "type": "exit" })]);
    for (to, words) in [
        ("RUNNING", "CANCELED to RUNNING"),
        ("PAUSED", "cannot go"),
        ("ASLEEP", "unknown state"),
    ] {
        let answer = state(&caller, &id, to).await;
        assert!(
            answer["errors"][0]["message"].as_str().unwrap().contains(words),
            "{answer}"
        );
    }
    // Finished by hand: what runs ends by itself, then its agent leaves.
    let (name, id, _) = sweep(&caller, config).await;
    let worker = agent(&caller, &name).await;
    let run = heartbeat(&caller, &worker, &[]).await[0]["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    state(&caller, &id, "FINISHED").await;
    assert!(heartbeat(&caller, &worker, &[&run]).await.is_empty());
    assert_eq!(
        heartbeat(&caller, &worker, &[]).await,
        [json!({ "type": "exit" })]
    );
    state(&caller, &id, "RUNNING").await;
    assert_eq!(
        heartbeat(&caller, &worker, &[]).await[0]["type"],
        "run",
        "and may be gone on with"
    );
}

#[tokio::test]
async fn a_silent_agent_loses_its_run_and_a_preempted_one_goes_on() {
    let server = LocalServer::builder()
        .api_key(KEY)
        .heartbeat_timeout(std::time::Duration::from_nanos(1))
        .start()
        .await
        .unwrap();
    let caller = Caller::of(&server);
    let (name, _, _) = sweep(&caller, "method: grid\nparameters: {a: {values: [1, 2]}}").await;
    let worker = agent(&caller, &name).await;
    let commands = heartbeat(&caller, &worker, &[]).await;
    let run = commands[0]["run_id"].as_str().unwrap();
    assert_eq!(caller.run("p", run, "state").await["state"], "crashed");
    // Preempted: announced, then silent.
    let second = heartbeat(&caller, &worker, &[]).await;
    let run = second[0]["run_id"].as_str().unwrap();
    caller.stream("p", run, json!({ "preempting": true })).await;
    assert_eq!(caller.run("p", run, "state").await["state"], "preempted");
    assert_eq!(read(&caller, &name).await["state"], "RUNNING");
    let resumed = heartbeat(&caller, &worker, &[]).await;
    assert_eq!(
        resumed,
        [json!({ "type": "resume", "run_id": run, "args": { "a": { "value": 2 } }, "program": null })]
    );
    assert_eq!(
        heartbeat(&caller, &worker, &[]).await,
        [json!({ "type": "exit" })]
    );
}

#[tokio::test]
async fn hyperband_stops_the_worse_runs_at_their_band() {
    let (_server, caller) = server().await;
    let config = "method: random\nmetric: {name: loss, goal: minimize}\nearly_terminate: {type: hyperband, min_iter: 3, eta: 2}\n\
                  parameters: {lr: {min: 0.0, max: 1.0}}";
    let (name, _, warnings) = sweep(&caller, config).await;
    assert_eq!(warnings, json!([]));
    let mut workers = Vec::new();
    for _ in 0..4 {
        let worker = agent(&caller, &name).await;
        let run = heartbeat(&caller, &worker, &[]).await[0]["run_id"]
            .as_str()
            .unwrap()
            .to_owned();
        caller.start_run("p", &run).await;
        workers.push((worker, run));
    }
    let log = |run: String, from: u64, loss: f64, count: u64| {
        let caller = caller.clone();
        async move {
            // Rows without the metric are no iterations.
            let rows: Vec<String> = (from..from + count)
                .map(|step| match step % 2 {
                    0 => json!({ "_step": step, "loss": loss }).to_string(),
                    _ => json!({ "_step": step, "lr": 1 }).to_string(),
                })
                .collect();
            caller.log("p", &run, from, &rows).await;
        }
    };
    // Two values each: nobody has come to the band of three.
    for (index, (worker, run)) in workers.iter().enumerate() {
        log(run.clone(), 0, index as f64, 4).await;
        assert!(heartbeat(&caller, worker, &[run]).await.is_empty());
    }
    for (index, (_, run)) in workers.iter().enumerate() {
        log(run.clone(), 4, index as f64, 2).await;
    }
    let mut stopped = Vec::new();
    for (worker, run) in &workers {
        let commands = heartbeat(&caller, worker, &[run]).await;
        stopped.push(commands == [json!({ "type": "stop", "run_id": run })]);
    }
    assert_eq!(stopped, [false, false, true, true], "the better half goes on");
    assert_eq!(
        caller.stream("p", &workers[3].1, json!({})).await.json()["stopped"],
        true
    );
}

#[tokio::test]
async fn bayes_goes_by_what_the_runs_came_to() {
    let (_server, caller) = server().await;
    let config = "method: bayes\nmetric: {name: loss, goal: minimize}\nparameters: {x: {min: 0.0, max: 1.0}}";
    let (name, _, _) = sweep(&caller, config).await;
    let worker = agent(&caller, &name).await;
    let mut late = Vec::new();
    for turn in 0..36 {
        let commands = heartbeat(&caller, &worker, &[]).await;
        let x = commands[0]["args"]["x"]["value"].as_f64().unwrap();
        run_it(&caller, &name, &commands[0], json!({ "loss": (x - 0.8).abs() })).await;
        if turn >= 18 {
            late.push((x - 0.8).abs());
        }
    }
    late.sort_by(f64::total_cmp);
    // By chance the median of the distance would be 0.3.
    assert!(late[late.len() / 2] < 0.15, "{late:?}");
}

#[tokio::test]
async fn prior_runs_enqueued_runs_and_targets() {
    let (_server, caller) = server().await;
    for run in ["old1", "old2", "other"] {
        caller.upsert(json!({ "modelName": "p", "name": run, "config": "{\"a\":{\"value\":1}}", "summaryMetrics": "{\"loss\":3}" })).await;
    }
    let query = "mutation ($config: String, $prior: JSONString) { upsertSweep(input: { projectName: \"p\", config: $config,
        priorRunsFilters: $prior, displayName: \"given\" }) { sweep { id name displayName runCount bestLoss } inserted } }";
    let config =
        "method: random\nname: written\nmetric: {name: loss, target: 0.5}\nparameters: {a: {min: 0, max: 9}}";
    let prior = json!({ "$or": [{ "name": "old1" }, { "name": "old2" }] }).to_string();
    let made = caller
        .data(query, json!({ "config": config, "prior": prior }))
        .await["upsertSweep"]
        .clone();
    let sweep = &made["sweep"];
    assert_eq!(
        (
            &made["inserted"],
            &sweep["displayName"],
            &sweep["runCount"],
            &sweep["bestLoss"]
        ),
        (&json!(true), &json!("given"), &json!(2), &json!(3.0))
    );
    let name = sweep["name"].as_str().unwrap();
    assert_eq!(
        caller.run("p", "other", "sweepName").await["sweepName"],
        Value::Null
    );
    let queue = "mutation ($id: ID!, $config: JSONString!) { enqueueSweepRun(input: { id: $id, config: $config, displayName: \"mine\" }) { id runQueueItemId } }";
    let queued = caller
        .data(
            queue,
            json!({ "id": sweep["id"], "config": "{\"a\":7,\"b\":{\"value\":[1]}}" }),
        )
        .await["enqueueSweepRun"]["id"]
        .clone();
    let worker = agent(&caller, name).await;
    let commands = heartbeat(&caller, &worker, &[]).await;
    assert_eq!(commands[0]["run_id"], queued);
    assert_eq!(
        commands[0]["args"],
        json!({ "a": { "value": 7 }, "b": { "value": [1] } })
    );
    assert_eq!(
        caller.run("p", queued.as_str().unwrap(), "displayName").await["displayName"],
        "mine"
    );
    run_it(&caller, name, &commands[0], json!({ "loss": 0.5 })).await;
    assert_eq!(
        heartbeat(&caller, &worker, &[]).await,
        [json!({ "type": "exit" })],
        "the target is reached"
    );
    assert!(
        caller
            .refusal(queue, json!({ "id": "x", "config": "{}" }))
            .await
            .contains("not found")
    );
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
