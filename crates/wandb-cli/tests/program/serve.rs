//! `wb serve` itself.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Server, User, send};

#[test]
fn the_first_line_says_how_to_connect_and_data_survive() {
    let server = Server::start(&["--entity", "team"]);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    assert_eq!(server.entity, "team");
    server.start_run("p", "kept", &json!({}));
    let key = server.api_key.clone();
    let server = Server::start_in(server.kill(), &["--entity", "team"]);
    assert_eq!(server.api_key, key, "a key that was made once stays");
    assert!(server.dir().is_dir());
    let runs = User::of(&server).json(&["run", "list", "team/p"]);
    assert_eq!(runs[0]["id"], "kept");
}

#[test]
fn a_key_of_ones_own_is_checked() {
    let key = "0123456789abcdef0123456789abcdef01234567";
    let server = Server::start(&["--api-key", key]);
    assert_eq!(server.api_key, key);
    let body = br#"{"query":"{ viewer { username } }"}"#;
    let url = format!("{}/graphql", server.url);
    let response = send("POST", &url, &[("Content-Type", "application/json")], body);
    assert_eq!(response.status, 401);
}

#[test]
#[cfg(unix)]
fn it_ends_cleanly_when_told_to() {
    let user = User::new();
    let mut child = user
        .command(&["serve", "--dir", "data", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let terminated = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(terminated.success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), rest.as_str()),
        (Some(0), ""),
        "stdout has one line"
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("WANDB_BASE_URL=") && stderr.contains("data"),
        "{stderr}"
    );
    assert!(
        !stderr.contains(ready["api_key"].as_str().unwrap()),
        "the key is data, not talk: {stderr}"
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let user = User::new();
    std::fs::write(user.path("file"), "").unwrap();
    user.fails(&["serve", "--dir", "file", "--port", "0"], 1, &["file"]);
    for arguments in [
        &["serve", "--fault", "nonsense"][..],
        &["serve", "--host", "nowhere"],
        &["serve", "--port", "99999"],
    ] {
        assert_eq!(user.run(arguments).code, 2, "{arguments:?}");
    }
    for (option, value) in [
        ("--local", "data"),
        ("--base-url", "http://127.0.0.1:9"),
        ("--profile", "work"),
        ("--project", "vision"),
        ("--output", "csv"),
    ] {
        user.fails(
            &["serve", "--dir", "unused", "--port", "0", option, value],
            2,
            &[option],
        );
    }
    assert!(!user.path("unused").exists());
    let server = Server::start(&[]);
    let port = server.url.rsplit(':').next().unwrap();
    user.fails(&["serve", "--dir", "other", "--port", port], 1, &["--port 0"]);
    let dir = server.dir().to_str().unwrap();
    user.fails(&["--local", dir, "project", "list"], 1, &["in use", "--base-url"]);
}

#[test]
fn local_commands_that_start_together_take_turns() {
    let server = Server::start(&["--entity", "team"]);
    server.start_run("p", "r", &json!({}));
    let dir = server.kill();
    let user = User::new();
    let arguments = [
        "--local",
        dir.path().to_str().unwrap(),
        "run",
        "list",
        "team/p",
        "-o",
        "jsonl",
    ];
    let together: Vec<_> = (0..7)
        .map(|_| {
            let mut command = user.command(&arguments);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in together {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert_eq!(output.stdout.iter().filter(|&&byte| byte == b'\n').count(), 1);
    }
}
