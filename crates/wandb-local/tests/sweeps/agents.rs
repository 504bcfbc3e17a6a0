//! What agents are told to run, and when they are told to stop.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wandb_local::LocalServer;

use crate::support::{Caller, KEY};
use crate::{GRID, agent, heartbeat, read, run_it, server, state, sweep};

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
