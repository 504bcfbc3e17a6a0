//! Runs whose config or summary is no JSON object: told in every format, and never shown as absent.

use serde_json::{Value, json};

use crate::bad_server::answering;

/// The answer to a listing of runs in which one has this config and this summary.
fn listing(config: &str, summary: &str) -> &'static [u8] {
    let node = json!({
        "id": "UnVuOjE=", "name": "alpha", "displayName": "alpha", "state": "finished", "sweepName": null,
        "group": null, "jobType": null, "commit": null, "host": null, "readOnly": false,
        "createdAt": "2025-01-01T00:00:00Z", "heartbeatAt": null, "updatedAt": null, "description": null,
        "notes": null, "tags": [], "historyLineCount": 0, "user": null,
        "config": config, "summaryMetrics": summary, "systemMetrics": null, "historyKeys": null,
    });
    let body = json!({"data": {"project": {
        "name": "vision", "entityName": "team", "runCount": 1, "run": node,
        "runs": {"edges": [{"node": node}], "pageInfo": {"endCursor": null, "hasNextPage": false}},
    }}});
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    // The server of a test lives as long as the process.
    Box::leak(
        format!("{head}{}\r\n\r\n{body}", body.len())
            .into_bytes()
            .into_boxed_slice(),
    )
}

const LIST: [&str; 3] = ["run", "list", "team/vision"];

#[test]
fn broken_parts_are_told_in_every_format() {
    for (config, summary, words) in [
        ("[1]", "{}", "config"),
        ("{\"lr\":", "{}", "config"),
        ("{}", "7", "summary"),
    ] {
        let user = answering(listing(config, summary));
        for format in ["csv", "jsonl"] {
            let mut arguments = LIST.to_vec();
            arguments.extend(["--output", format]);
            user.fails(&arguments, 1, &[words, "alpha"]);
        }
        let mut arguments = LIST.to_vec();
        arguments.extend(["--select", "config.lr,summary.acc"]);
        user.fails(&arguments, 1, &[words, "alpha"]);
        user.fails(
            &["run", "view", "team/vision/alpha", "-o", "csv"],
            1,
            &[words, "alpha"],
        );
    }
}

#[test]
fn whole_parts_and_absent_ones_are_shown() {
    let user = answering(listing(r#"{"lr": {"value": 0.5}}"#, "{}"));
    let runs: Value = user.json(&LIST);
    assert_eq!(runs[0]["config"], json!({"lr": 0.5}));
    // A table without columns for them does not ask for them, and reads nothing.
    assert!(user.ok(&LIST).contains("alpha"));
    let text = user.ok(&["run", "list", "team/vision", "--select", "config.lr"]);
    assert!(text.contains("0.5"), "{text}");
}
