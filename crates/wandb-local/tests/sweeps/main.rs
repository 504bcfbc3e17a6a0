//! Sweeps and their agents, over loopback HTTP.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod agents;
mod reading;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use http::StatusCode;
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
