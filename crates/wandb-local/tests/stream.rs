//! `file_stream`: offsets, retries, values, completion.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use std::io::Write as _;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Caller, KEY, rows};
use wandb_local::LocalServer;

#[tokio::test]
async fn a_retried_request_changes_nothing() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    caller.log("p", "r", 0, &rows(0, 10)).await;
    caller.log("p", "r", 0, &rows(0, 10)).await;
    // A retry that also carries lines which the first attempt had not.
    caller.log("p", "r", 5, &rows(5, 10)).await;
    let seen = caller.rows("p", "r").await;
    assert_eq!(seen.len(), 15);
    assert!(
        seen.iter()
            .enumerate()
            .all(|(step, row)| row["_step"] == step && row["loss"] == step * 2)
    );
    let run = caller.run("p", "r", "historyLineCount historyKeys").await;
    assert_eq!(run["historyLineCount"], 15);
    let loss = &run["historyKeys"]["keys"]["loss"]["typeCounts"];
    assert_eq!(loss, &json!([{ "type": "number", "count": 15 }]));
    assert_eq!(run["historyKeys"]["lastStep"], 14);
}

#[tokio::test]
async fn lines_that_change_and_gaps_are_taken() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    caller.log("p", "r", 0, &rows(0, 3)).await;
    caller.log("p", "r", 5, &rows(5, 2)).await;
    assert_eq!(caller.rows("p", "r").await.len(), 5);
    // Readers learn how many rows there are, a process that goes on where the next line goes.
    assert_eq!(line_counts(&caller).await, (5, 7));
    caller.log("p", "r", 3, &rows(3, 2)).await;
    assert_eq!(line_counts(&caller).await, (7, 7));
    let steps: Vec<Value> = caller
        .rows("p", "r")
        .await
        .iter()
        .map(|row| row["_step"].clone())
        .collect();
    assert_eq!(steps, [0, 1, 2, 3, 4, 5, 6]);
    caller
        .log("p", "r", 6, &[r#"{"_step":6,"acc":"text"}"#.to_owned()])
        .await;
    let keys = caller.run("p", "r", "historyKeys").await["historyKeys"]["keys"].clone();
    assert_eq!(keys["loss"]["typeCounts"][0]["count"], 6);
    assert_eq!(keys["acc"]["typeCounts"][0]["type"], "string");
}

async fn line_counts(caller: &Caller) -> (i64, i64) {
    let query = "{ project(name: \"p\") { run(name: \"r\") { historyLineCount } bucket(name: \"r\") { historyLineCount }
                   runs { edges { node { historyLineCount } } } } }";
    let project = caller.data(query, json!({})).await["project"].clone();
    assert_eq!(project["runs"]["edges"][0]["node"], project["run"]);
    let count = |field: &str| project[field]["historyLineCount"].as_i64().unwrap();
    (count("run"), count("bucket"))
}

#[tokio::test]
async fn rows_without_a_step_get_one() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let lines =
        |from: i64, to: i64| -> Vec<String> { (from..to).map(|x| format!("{{\"x\":{x}}}")).collect() };
    caller.log("p", "r", 0, &lines(0, 3)).await;
    // A retry finds its lines again, and what comes behind them is new.
    caller.log("p", "r", 0, &lines(0, 4)).await;
    caller
        .log("p", "r", 4, &[r#"{"_step":9,"x":4}"#.to_owned(), "{}".to_owned()])
        .await;
    let seen: Vec<(Value, Value)> = caller
        .rows("p", "r")
        .await
        .iter()
        .map(|row| (row["_step"].clone(), row["x"].clone()))
        .collect();
    let expected = [
        (0, json!(0)),
        (1, json!(1)),
        (2, json!(2)),
        (3, json!(3)),
        (9, json!(4)),
        (10, Value::Null),
    ];
    assert_eq!(seen, expected.map(|(step, x)| (json!(step), x)));
    let counts = |run: &Value| {
        let keys = &run["historyKeys"];
        (
            keys["lastStep"].as_i64().unwrap(),
            keys["keys"]["_step"]["typeCounts"][0]["count"].as_i64().unwrap(),
            run["historyLineCount"].as_i64().unwrap(),
        )
    };
    let run = caller.run("p", "r", "historyLineCount historyKeys").await;
    assert_eq!(counts(&run), (10, 6, 6));
    // A line that changes keeps its step; all is counted anew then.
    caller.log("p", "r", 1, &[r#"{"x":"new"}"#.to_owned()]).await;
    assert_eq!(caller.rows("p", "r").await[1], json!({ "_step": 1, "x": "new" }));
    let run = caller.run("p", "r", "historyLineCount historyKeys").await;
    assert_eq!(counts(&run), (10, 6, 6));
    let body =
        json!({ "files": { "wandb-history.jsonl": { "offset": 6, "content": ["{\"_step\":\"x\"}"] } } });
    assert_eq!(
        caller.stream("p", "r", body).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_step_that_no_page_could_give_is_refused() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    for step in ["-1", "9223372036854775807", "1.5", "\"3\""] {
        let row = format!("{{\"_step\":{step},\"loss\":1}}");
        let body = json!({ "files": { "wandb-history.jsonl": { "offset": 0, "content": [row] } } });
        let answer = caller.stream("p", "r", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{step}");
    }
    let (rows, _) = line_counts(&caller).await;
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn values_survive_as_they_were_written() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let row = r#"{"_step":0,"nan":NaN,"inf":[-Infinity,{"x":Infinity}],"big":1152921504606846976,"e":1.7954266659791746e+09,"null":null,"a.b/c":"ü","d":{"x":1}}"#;
    caller.log("p", "r", 0, &[row.to_owned()]).await;
    let summary = r#"{"best":Infinity,"_wandb":{"runtime":3}}"#;
    let body =
        json!({ "files": { "wandb-summary.json": { "offset": 0, "content": ["{\"old\":1}", summary] } } });
    assert_eq!(caller.stream("p", "r", body).await.status, StatusCode::OK);
    let run = caller
        .run(
            "p",
            "r",
            "history(samples: 10) summaryMetrics picked: summaryMetrics(keys: [\"best\"])",
        )
        .await;
    assert_eq!(run["history"][0], row);
    assert_eq!(run["summaryMetrics"], summary);
    assert_eq!(run["picked"], r#"{"best":Infinity}"#);
    let sampled = |keys: Value| {
        let spec = json!({ "keys": keys, "samples": 10 }).to_string();
        let caller = caller.clone();
        async move {
            let query = "query ($specs: [JSONString!]!) { project(name: \"p\") { run(name: \"r\") { sampledHistory(specs: $specs) } } }";
            caller.data(query, json!({ "specs": [spec] })).await["project"]["run"]["sampledHistory"][0]
                .clone()
        }
    };
    assert_eq!(
        sampled(json!(["_step", "nan"])).await,
        json!([{ "_step": 0, "nan": "NaN" }])
    );
    assert_eq!(
        sampled(json!(["inf"])).await,
        json!([{ "inf": ["-Infinity", { "x": "Infinity" }] }])
    );
    assert_eq!(
        sampled(json!(["big", "d.x", "a.b/c", "null"])).await,
        json!([{ "big": 1_152_921_504_606_846_976_i64, "d.x": 1, "a.b/c": "ü", "null": null }])
    );
    assert_eq!(sampled(json!(["_step", "absent"])).await, json!([]));
}

#[tokio::test]
async fn pages_by_step_lose_nothing() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    // Sparse steps, out of line order once, as a restarted process makes them.
    let steps: Vec<i64> = vec![0, 5, 6, 1_000, 1_000_000, 7, 8];
    let lines: Vec<String> = steps
        .iter()
        .map(|step| json!({ "_step": step, "v": step }).to_string())
        .collect();
    caller.log("p", "r", 0, &lines[..5]).await;
    caller.log("p", "r", 5, &lines[5..]).await;
    let query = "query ($min: Int64!, $max: Int64!, $samples: Int!, $spec: JSONString!) { project(name: \"p\") { run(name: \"r\") {
        history(minStep: $min, maxStep: $max, samples: $samples) sampledHistory(specs: [$spec]) } } }";
    for (min, max, expected) in [
        (0, 7, vec![0, 5, 6]),
        (7, 1_000, vec![7, 8]),
        (8, 1_000_001, vec![8, 1_000, 1_000_000]),
        (2_000_000, 3_000_000, vec![]),
    ] {
        let spec =
            json!({ "keys": ["_step", "v", "_step"], "minStep": min, "maxStep": max - 1, "samples": 1000 });
        let variables = json!({ "min": min, "max": max, "samples": 1000, "spec": spec.to_string() });
        let run = caller.data(query, variables).await["project"]["run"].clone();
        let history: Vec<i64> = run["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                serde_json::from_str::<Value>(row.as_str().unwrap()).unwrap()["v"]
                    .as_i64()
                    .unwrap()
            })
            .collect();
        assert_eq!(history, expected);
        let sampled: Vec<i64> = run["sampledHistory"][0]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["v"].as_i64().unwrap())
            .collect();
        assert_eq!(sampled, expected);
    }
}

#[tokio::test]
async fn thinning_is_even_and_honest_about_its_number() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    caller.log("p", "r", 0, &rows(0, 1000)).await;
    let spec = json!({ "keys": ["_step", "loss"], "samples": 11 }).to_string();
    let selection = format!(
        "history(samples: 11) sampledHistory(specs: [{}])",
        Value::from(spec)
    );
    let run = caller.run("p", "r", &selection).await;
    let steps: Vec<i64> = run["sampledHistory"][0]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["_step"].as_i64().unwrap())
        .collect();
    assert_eq!(steps.len(), 11);
    assert_eq!((steps[0], steps[10]), (0, 999));
    assert!(
        steps
            .windows(2)
            .all(|pair| (95..=105).contains(&(pair[1] - pair[0]))),
        "{steps:?}"
    );
    assert_eq!(run["history"].as_array().unwrap().len(), 11);
    let live = caller
        .run(
            "p",
            "r",
            "parquetHistory(liveKeys: [\"_step\"]) { parquetUrls liveData }",
        )
        .await;
    assert_eq!(live["parquetHistory"]["parquetUrls"], json!([]));
    assert_eq!(live["parquetHistory"]["liveData"].as_array().unwrap().len(), 1000);
    assert_eq!(live["parquetHistory"]["liveData"][999], json!({ "_step": 999 }));
}

#[tokio::test]
async fn console_lines_are_rewritten_in_place_and_taken_apart() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let post = |offset: u64, lines: Vec<&str>| {
        let body = json!({ "files": { "output.log": { "offset": offset, "content": lines } } });
        let caller = caller.clone();
        async move { assert_eq!(caller.stream("p", "r", body).await.status, StatusCode::OK) }
    };
    post(
        0,
        vec!["2024-05-01T12:51:30.123456 one", "2024-05-01T12:51:31.000000 10%"],
    )
    .await;
    post(
        1,
        vec![
            "2024-05-01T12:51:32.000000 100%",
            "ERROR 2024-05-01T12:51:33.000000 [rank1] bad",
        ],
    )
    .await;
    let selection = "logLineCount logLines(first: 2) { edges { cursor node { number timestamp level label line } } pageInfo { hasNextPage endCursor } }
        tail: logLines(last: 1) { edges { node { number level label line } } pageInfo { hasPreviousPage } }";
    let run = caller.run("p", "r", selection).await;
    assert_eq!(run["logLineCount"], 3);
    assert_eq!(
        run["logLines"]["edges"][0]["node"],
        json!({ "number": 0, "timestamp": "2024-05-01T12:51:30.123456Z", "level": null, "label": null, "line": "one" })
    );
    assert_eq!(run["logLines"]["edges"][1]["node"]["line"], "100%");
    assert_eq!(run["logLines"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(
        run["tail"]["edges"][0]["node"],
        json!({ "number": 2, "level": "error", "label": "rank1", "line": "bad" })
    );
    assert_eq!(run["tail"]["pageInfo"]["hasPreviousPage"], true);
    let after = run["logLines"]["pageInfo"]["endCursor"].as_str().unwrap();
    let rest = caller.run("p", "r", &format!("logLines(first: 5, after: \"{after}\") {{ edges {{ node {{ number }} }} pageInfo {{ hasNextPage }} }}")).await;
    assert_eq!(
        rest["logLines"],
        json!({ "edges": [{ "node": { "number": 2 } }], "pageInfo": { "hasNextPage": false } })
    );
}

#[tokio::test]
async fn completion_sets_the_state() {
    let caller = Caller::in_process();
    for (name, last, state) in [
        ("ok", json!({ "complete": true, "exitcode": 0 }), "finished"),
        ("bad", json!({ "complete": true, "exitcode": 3 }), "failed"),
        ("old", json!({ "complete": true }), "finished"),
        (
            "pre",
            json!({ "preempting": true, "complete": true, "exitcode": 1 }),
            "preempted",
        ),
    ] {
        caller.start_run("p", name).await;
        let reply = caller.stream("p", name, json!({})).await;
        assert_eq!(reply.json(), json!({ "exitcode": null, "limits": {} }));
        for _ in 0..2 {
            assert_eq!(
                caller.stream("p", name, last.clone()).await.status,
                StatusCode::OK
            );
        }
        let run = caller.run("p", name, "state exitcode").await;
        assert_eq!(run["state"], state, "{name}");
        assert_eq!(
            run["exitcode"],
            last.get("exitcode").cloned().unwrap_or(Value::Null)
        );
        caller.stream("p", name, json!({})).await;
        assert_eq!(
            caller.run("p", name, "state").await["state"],
            "running",
            "a later post revives"
        );
    }
}

#[tokio::test]
async fn the_last_event_is_the_system_metrics() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let lines = [
        r#"{"system.cpu":1,"_runtime":1}"#,
        r#"{"system.cpu":2,"_runtime":2}"#,
    ];
    for (offset, line) in lines.iter().enumerate() {
        let body = json!({ "files": { "wandb-events.jsonl": { "offset": offset, "content": [line] } } });
        caller.stream("p", "r", body).await;
    }
    let run = caller
        .run(
            "p",
            "r",
            "systemMetrics events(samples: 5) eventsLineCount eventsTail historyTail",
        )
        .await;
    assert_eq!(run["systemMetrics"], lines[1]);
    assert_eq!(run["events"], json!(lines));
    assert_eq!(run["eventsLineCount"], 2);
    assert_eq!(
        serde_json::from_str::<Value>(run["eventsTail"].as_str().unwrap()).unwrap(),
        json!(lines)
    );
    assert_eq!(run["historyTail"], "[]");
}

#[tokio::test]
async fn gzip_and_large_bodies_are_taken_and_broken_ones_refused() {
    let caller = Caller::in_process();
    caller.start_run("p", "r").await;
    let path = "/files/local/p/r/file_stream";
    let lines = vec!["x".repeat(1 << 20); 17];
    let body = json!({ "files": { "output.log": { "offset": 0, "content": lines } } }).to_string();
    assert!(body.len() > 16 << 20);
    assert_eq!(caller.send(Method::POST, path, body).await.status, StatusCode::OK);
    assert_eq!(caller.run("p", "r", "logLineCount").await["logLineCount"], 17);

    let body =
        json!({ "files": { "wandb-history.jsonl": { "offset": 0, "content": rows(0, 100) } } }).to_string();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let zipped = caller.clone().with_header("content-encoding", "gzip");
    assert_eq!(
        zipped.send(Method::POST, path, packed.clone()).await.status,
        StatusCode::OK
    );
    assert_eq!(caller.rows("p", "r").await.len(), 100);
    let cut = packed[..packed.len() / 2].to_vec();
    assert_eq!(
        zipped.send(Method::POST, path, cut).await.status,
        StatusCode::BAD_REQUEST
    );
    let odd = caller.clone().with_header("content-encoding", "br");
    assert_eq!(
        odd.send(Method::POST, path, packed).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    for bad in [
        "",
        "[]",
        r#"{"files":5}"#,
        r#"{"files":{"wandb-history.jsonl":{"offset":0,"content":["{\"a\":"]}}}"#,
        r#"{"files":{"wandb-history.jsonl":{"offset":0,"content":["[1]"]}}}"#,
        r#"{"files":{"wandb-history.jsonl":{"offset":99999999999,"content":["{}"]}}}"#,
    ] {
        assert_eq!(
            caller.send(Method::POST, path, bad).await.status,
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
    assert_eq!(caller.rows("p", "r").await.len(), 100);
}

#[tokio::test]
async fn several_writers_at_once_keep_their_rows_apart() {
    let server = LocalServer::builder().api_key(KEY).start().await.unwrap();
    let caller = Caller::of(&server);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_u64 {
        let caller = caller.clone();
        writers.spawn(async move {
            let run = format!("w{writer}");
            caller.start_run("p", &run).await;
            for chunk in 0..10 {
                caller.log("p", &run, chunk * 50, &rows(chunk * 50, 50)).await;
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    for writer in 0..4 {
        assert_eq!(caller.rows("p", &format!("w{writer}")).await.len(), 500);
    }
    server.stop().await;
}

#[tokio::test]
async fn processes_of_a_shared_run_do_not_overwrite_each_other() {
    let caller = Caller::in_process();
    let writer = |id: &str| {
        caller
            .clone()
            .with_header("x-wandb-use-async-filestream", "true")
            .with_header("x-wandb-async-client-id", id)
    };
    let (one, two) = (writer("one"), writer("two"));
    one.start_run("p", "r").await;
    two.start_run("p", "r").await;
    for round in 0..2 {
        for (writer, key) in [(&one, "a"), (&two, "b")] {
            let lines: Vec<String> = (0..5)
                .map(|step| format!("{{\"_step\":{step},\"{key}\":{step}}}"))
                .collect();
            // The second round repeats the first, as a retry does.
            writer.log("p", "r", 0, &lines).await;
            let summary = format!("{{\"{key}\":4}}");
            let last = json!({ "files": { "wandb-summary.json": { "offset": 0, "content": [summary] } }, "complete": key == "a" && round == 1, "exitcode": 0 });
            writer.stream("p", "r", last).await;
        }
    }
    let spec = |key: &str| json!({ "keys": ["_step", key], "samples": 100 }).to_string();
    let selection = format!(
        "state summaryMetrics historyLineCount sampledHistory(specs: [{}, {}]) history(minStep: 0, maxStep: 5, samples: 5)",
        Value::from(spec("a")),
        Value::from(spec("b"))
    );
    let run = caller.run("p", "r", &selection).await;
    assert_eq!(run["historyLineCount"], 10);
    for list in 0..2 {
        assert_eq!(run["sampledHistory"][list].as_array().unwrap().len(), 5);
    }
    assert_eq!(
        run["history"].as_array().unwrap().len(),
        10,
        "a page is never thinned"
    );
    assert_eq!(run["summaryMetrics"], r#"{"a":4,"b":4}"#);
    assert_eq!(
        run["state"], "finished",
        "late lines of another process do not revive the run"
    );
}

#[tokio::test]
async fn silent_runs_crash_and_come_back() {
    let caller = Caller::on(
        LocalServer::builder()
            .api_key(KEY)
            .heartbeat_timeout(Duration::from_millis(1))
            .open()
            .unwrap(),
    );
    caller.start_run("p", "r").await;
    caller.start_run("p", "done").await;
    caller
        .stream("p", "done", json!({ "complete": true, "exitcode": 0 }))
        .await;
    caller.start_run("p", "pre").await;
    caller.stream("p", "pre", json!({ "preempting": true })).await;
    // The clock decides, not a background task: there is none in the process.
    while caller.run("p", "r", "state").await["state"] != "crashed" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // One that had announced its preemption was preempted.
    while caller.run("p", "pre", "state").await["state"] != "preempted" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let filtered =
        "query { project(name: \"p\") { runCount(filters: \"{\\\"state\\\":\\\"crashed\\\"}\") } }";
    assert_eq!(caller.data(filtered, json!({})).await["project"]["runCount"], 1);
    assert_eq!(caller.run("p", "done", "state").await["state"], "finished");
}
