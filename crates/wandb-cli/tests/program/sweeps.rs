//! Sweeps as `wb` makes, ends and shows them.

use serde_json::{Value, json};

use crate::bad_server::answering;
use crate::support::{planned, served};

const SWEEP: &str =
    "method: grid\nmetric:\n  name: loss\n  goal: minimize\nparameters:\n  lr:\n    values: [0.1, 0.2]\n";

#[test]
fn a_sweep_is_made_paused_and_ended() {
    let (_server, user) = served();
    std::fs::write(user.path("sweep.yaml"), SWEEP).unwrap();
    let made = user.ok(&["sweep", "create", "team/p", "sweep.yaml"]);
    let path = made.trim_end();
    assert!(
        path.starts_with("team/p/") && path.split('/').count() == 3,
        "{path}"
    );
    let sweep = user.json(&["sweep", "view", path]);
    assert_eq!(
        (&sweep["state"], &sweep["config"]["method"], &sweep["order"]),
        (&json!("PENDING"), &json!("grid"), &json!("+summary_metrics.loss"))
    );
    assert_eq!(user.json(&["sweep", "pause", path])["state"], "PAUSED");
    assert_eq!(user.ok(&["sweep", "resume", path]).trim_end(), path);
    for verb in ["stop", "cancel"] {
        user.fails(&["sweep", verb, path], 2, &["--yes"]);
        assert_eq!(planned(&user, &["sweep", verb, path]), [[verb, "sweep", path]]);
        assert_eq!(user.json(&["sweep", "view", path])["state"], "RUNNING");
    }
    assert_eq!(
        user.json(&["sweep", "cancel", path, "--yes"])["state"],
        "CANCELED"
    );
    let second = user.json(&["sweep", "create", "team/p", "sweep.yaml"]);
    let second = format!("team/p/{}", second["id"].as_str().unwrap());
    assert_eq!(
        user.json(&["sweep", "stop", &second, "--yes"])["state"],
        "FINISHED"
    );

    user.fails(
        &["sweep", "create", "team/p", "missing.yaml"],
        1,
        &["missing.yaml"],
    );
    std::fs::write(user.path("broken.yaml"), "method: [").unwrap();
    let broken = user.run(&["sweep", "create", "team/p", "broken.yaml"]);
    assert!(broken.code != 0 && broken.stdout.is_empty(), "{broken:?}");
    user.fails(&["sweep", "pause", "team/p/none"], 3, &["none"]);
    assert_eq!(
        user.json(&["sweep", "list", "team/p"]).as_array().unwrap().len(),
        2
    );
}

/// The answer to a question for a sweep, or for all, with a config that is no object, or one beyond all measure.
fn sweeps(config: &str) -> &'static [u8] {
    let node = json!({
        "id": "U3dlZXA6MQ==", "name": "s1", "displayName": "odd", "method": "grid", "state": "RUNNING", "description": null,
        "config": config, "bestLoss": null, "createdAt": "2025-01-01T00:00:00Z", "updatedAt": null, "runCount": 0,
        "runCountExpected": null,
    });
    let body = json!({"data": {"project": {
        "name": "p", "entityName": "team", "totalSweeps": 1, "sweep": node,
        "sweeps": {"edges": [{"node": node}], "pageInfo": {"endCursor": null, "hasNextPage": false}},
    }}})
    .to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    // The server of a test lives as long as the process.
    Box::leak(
        format!("{head}{}\r\n\r\n{body}", body.len())
            .into_bytes()
            .into_boxed_slice(),
    )
}

#[test]
fn a_sweep_with_a_broken_config_is_shown() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for config in ["method: [", "just text\u{1b}[2J", &deep] {
        let user = answering(sweeps(config));
        for arguments in [&["sweep", "list", "team/p"][..], &["sweep", "view", "team/p/s1"]] {
            let shown = user.json(arguments);
            let sweep = if shown.is_array() { &shown[0] } else { &shown };
            assert_eq!(
                (&sweep["config"], &sweep["order"]),
                (&json!(config), &Value::Null)
            );
            let warned = user.run(&[arguments, &["-o", "csv"]].concat());
            assert_eq!(warned.code, 0, "{}", warned.stderr);
            assert!(
                warned.stderr.starts_with("warning: ") && warned.stderr.contains("team/p/sweeps/s1"),
                "{}",
                warned.stderr
            );
        }
        let quiet = user.run(&["sweep", "list", "team/p"]);
        assert!(
            quiet.stdout.contains("s1") && !quiet.stderr.contains("warning"),
            "{quiet:?}"
        );
        let text = user.ok(&["sweep", "view", "team/p/s1"]);
        assert!(
            text.contains("config as text") && text.contains(&config[..9]),
            "{text}"
        );
        assert!(!text.contains('\u{1b}') && text.len() < 2_000, "{text}");
    }
}
