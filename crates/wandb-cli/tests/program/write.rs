//! Writes to runs and projects: what each verb does, what it prints, and that nothing is destroyed without a word.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::bad_server::is_complete;
use crate::support::{User, all, planned, send, served};

#[test]
fn a_project_is_made_once() {
    let (_server, user) = served();
    assert_eq!(user.ok(&["project", "create", "team/p"]), "team/p\n");
    let project = user.json(&["project", "create", "team/other"]);
    assert_eq!(
        (&project["name"], &project["entity"]),
        (&json!("other"), &json!("team"))
    );
    let listed = user.json(&["project", "list", "team"]);
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    user.fails(&["project", "create", "team/a:b"], 2, &["a:b"]);
}

#[test]
fn a_project_is_deleted_with_all_that_is_in_it() {
    let (_server, user) = served();
    user.ok(&["project", "create", "team/kept"]);
    user.ok(&["run", "create", "team/p/r1"]);
    std::fs::write(user.path("a.txt"), "alpha").unwrap();
    user.ok(&["artifact", "put", "a.txt", "--name", "team/p/data", "--type", "d"]);
    let delete = ["project", "delete", "team/p"];
    let plan = user.json(&[&delete[..], &["--dry-run"]].concat());
    // The put made a run of its own.
    assert_eq!(
        (&plan[0]["action"], &plan[0]["name"], &plan[0]["note"]),
        (&json!("delete"), &json!("team/p"), &json!("with 2 runs"))
    );
    user.fails(&delete, 2, &["2 runs", "--yes"]);
    assert_eq!(user.json(&["run", "view", "team/p/r1"])["id"], "r1");
    user.ok(&[&delete[..], &["--yes"]].concat());
    user.fails(&["run", "view", "team/p/r1"], 3, &["team/p"]);
    user.fails(&["artifact", "view", "team/p/data:v0"], 3, &["team/p"]);
    user.fails(&[&delete[..], &["--yes"]].concat(), 3, &["team/p"]);
    assert_eq!(all(&user.json(&["project", "list", "team"]), "name"), ["kept"]);
}

#[test]
fn the_id_of_a_new_run_is_chosen_by_name() {
    let (server, user) = served();
    assert_eq!(
        user.ok(&["run", "create", "team/p", "--id", "mine"]),
        "team/p/mine\n"
    );
    // The entity is the user's own, and then the project is that of the environment, too.
    assert_eq!(user.ok(&["run", "create", "p", "--id", "own"]), "team/p/own\n");
    let at_home = User::of(&server).with("WANDB_PROJECT", "p");
    assert_eq!(at_home.ok(&["run", "create", "--id", "home"]), "team/p/home\n");
    user.fails(&["run", "create", "team/p", "--id", "mine"], 7, &["mine"]);
    user.fails(&["run", "create", "team/p/one", "--id", "other"], 2, &["--id"]);
    user.fails(&["run", "create", "--id", "x"], 2, &["no project"]);
    // Two parts are entity/project: who means project/run is told how.
    user.fails(&["run", "create", "p/another"], 3, &["entity/project", "--id"]);
}

#[test]
fn an_update_of_nothing_is_a_mistake() {
    // Without a server, whatever asks fails with 1.
    let user = User::new()
        .with("WANDB_BASE_URL", "http://127.0.0.1:9")
        .with("WANDB_API_KEY", &"a".repeat(40));
    for (arguments, words) in [
        (
            &["run", "update", "team/p/r1"][..],
            &["--config", "--untag", "--unset-summary", "--notes"][..],
        ),
        (&["run", "update", "team/p/r1", "--if-unchanged"], &["--tag"]),
        (
            &["artifact", "update", "team/p/data:v0"],
            &["--alias", "--unalias", "--metadata", "--ttl"],
        ),
        (
            &["artifact", "update", "team/p/data:v0", "--if-unchanged"],
            &["--description"],
        ),
        (
            &["artifact", "collection", "update", "team/p/data"],
            &["--rename"],
        ),
        (
            &["report", "update", "team/p", "--name", "x"],
            &["--title", "--spec"],
        ),
        (&["report", "update", "team/p", "--if-unchanged"], &["--title"]),
    ] {
        user.fails(arguments, 2, words);
    }
}

#[test]
fn a_key_that_is_given_twice_is_refused() {
    let user = User::new()
        .with("WANDB_BASE_URL", "http://127.0.0.1:9")
        .with("WANDB_API_KEY", &"a".repeat(40));
    std::fs::write(
        user.path("spec.json"),
        r#"{"blocks": [{"type": "p", "type": "q"}]}"#,
    )
    .unwrap();
    std::fs::write(user.path("a.txt"), "alpha").unwrap();
    let twice = r#"{"a": {"rows": 1, "rows": 2}}"#;
    let setting = format!("opt={twice}");
    for (arguments, words) in [
        (
            &["run", "create", "team/p", "--config", &setting][..],
            &["--config opt", "\"a.rows\" twice"][..],
        ),
        (
            &[
                "run",
                "list",
                "team/p",
                "--filter",
                r#"{"state": "failed", "state": "crashed"}"#,
            ],
            &["\"state\" twice"],
        ),
        (
            &["artifact", "update", "team/p/data:v0", "--metadata", twice],
            &["--metadata", "\"a.rows\" twice"],
        ),
        (
            &[
                "report",
                "create",
                "team/p",
                "--title",
                "x",
                "--spec",
                "spec.json",
            ],
            &["spec.json", "\"blocks.type\" twice"],
        ),
        (
            &["report", "update", "team/p", "--spec", "spec.json"],
            &["spec.json", "\"blocks.type\" twice"],
        ),
    ] {
        user.fails(arguments, 2, words);
    }
}

#[test]
fn a_run_is_made_changed_and_deleted() {
    let (_server, user) = served();
    let made = user.json(&[
        "run",
        "create",
        "team/p/r1",
        "--name",
        "first",
        "--config",
        "lr=0.1",
        "--config",
        "model.depth=3",
        "--summary",
        "acc=0.5",
        "--tag",
        "draft",
    ]);
    assert_eq!(made["config"], json!({"lr": 0.1, "model": {"depth": 3}}));
    assert_eq!(
        (&made["name"], &made["tags"]),
        (&json!("first"), &json!(["draft"]))
    );
    let path = user.ok(&["run", "create", "team/p"]);
    assert!(
        path.starts_with("team/p/") && path.trim_end().len() > "team/p/".len(),
        "{path}"
    );

    let changed = user.json(&[
        "run",
        "update",
        "team/p/r1",
        "--unset-config",
        "lr",
        "--config",
        "model.depth=4",
        "--untag",
        "draft",
        "--tag",
        "best",
        "--summary",
        "acc=0.75",
        "--if-unchanged",
    ]);
    assert_eq!(changed["config"], json!({"model": {"depth": 4}}));
    assert_eq!(
        (&changed["tags"], &changed["summary"]["acc"]),
        (&json!(["best"]), &json!(0.75))
    );

    user.fails(&["run", "update", "team/p/none", "--tag", "x"], 3, &["none"]);
    assert_eq!(
        planned(&user, &["run", "delete", "team/p/r1"]),
        [["delete", "run", "team/p/r1"]]
    );
    user.fails(&["run", "delete", "team/p/r1"], 2, &["--yes"]);
    assert_eq!(user.json(&["run", "view", "team/p/r1"])["id"], "r1");
    let done = user.json(&["run", "delete", "team/p/r1", "--yes"]);
    assert_eq!(
        done,
        json!([{"action": "delete", "object": "run", "name": "team/p/r1", "size": null, "digest": null, "note": "first"}])
    );
    user.fails(&["run", "view", "team/p/r1"], 3, &["r1"]);
    user.fails(&["run", "delete", "team/p/r1", "--yes"], 3, &["r1"]);
}

#[test]
fn a_run_that_somebody_else_changed_is_a_conflict() {
    let (server, user) = served();
    user.ok(&["run", "create", "team/p/r1", "--config", "lr=0.1"]);
    let other = User::of(&server);
    // The first mutation comes after somebody else's.
    let url = interposed(server.url.clone(), "mutation", move || {
        other.ok(&["run", "update", "team/p/r1", "--config", "lr=0.2"]);
    });
    let late = User::new()
        .with("WANDB_BASE_URL", &url)
        .with("WANDB_API_KEY", &server.api_key);
    late.fails(
        &["run", "update", "team/p/r1", "--tag", "mine", "--if-unchanged"],
        7,
        &["r1"],
    );
    let run = user.json(&["run", "view", "team/p/r1"]);
    assert_eq!((&run["config"]["lr"], &run["tags"]), (&json!(0.2), &json!([])));
}

/// A server that passes everything on to another, and does something before the first request that has a word.
pub(crate) fn interposed(
    target: String,
    word: &'static str,
    first: impl FnOnce() + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut first = Some(first);
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            pass_on(stream, &target, word, &mut first);
        }
    });
    url
}

fn pass_on(mut stream: TcpStream, target: &str, word: &str, first: &mut Option<impl FnOnce()>) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_complete(&request) {
        match stream.read(&mut chunk) {
            Ok(size) if size > 0 => request.extend_from_slice(&chunk[..size]),
            _ => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let kept = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| ["authorization", "content-type"].contains(&name.to_ascii_lowercase().as_str()));
    if body.contains(word)
        && let Some(first) = first.take()
    {
        first();
    }
    let headers: Vec<_> = kept.collect();
    let answer = send(method, &format!("{target}{path}"), &headers, body.as_bytes());
    let head = format!(
        "HTTP/1.1 {} Passed on\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&answer.body);
}

#[test]
fn files_are_uploaded_and_deleted() {
    let (_server, user) = served();
    user.ok(&["run", "create", "team/p/r1"]);
    std::fs::create_dir_all(user.path("out/sub")).unwrap();
    std::fs::write(user.path("out/a.txt"), "alpha").unwrap();
    std::fs::write(user.path("out/sub/b.txt"), "beta").unwrap();
    let sent = user.json(&[
        "run",
        "upload",
        "team/p/r1",
        "out/a.txt",
        "out/sub/b.txt",
        "--root",
        "out",
    ]);
    assert_eq!(all(&sent, "name"), ["a.txt", "sub/b.txt"]);
    user.ok(&["run", "download", "team/p/r1", "--root", "back"]);
    assert_eq!(std::fs::read(user.path("back/sub/b.txt")).unwrap(), b"beta");
    user.fails(
        &["run", "upload", "team/p/r1", "missing.txt"],
        1,
        &["missing.txt"],
    );
    user.fails(&["run", "upload", "team/p/none", "out/a.txt"], 3, &["none"]);

    // A name that is not there saves the others.
    user.fails(
        &["run", "delete-files", "team/p/r1", "a.txt", "c.txt", "--yes"],
        3,
        &["c.txt"],
    );
    user.fails(&["run", "delete-files", "team/p/r1", "a.txt"], 2, &["--yes"]);
    assert_eq!(
        planned(&user, &["run", "rm-files", "team/p/r1", "a.txt"]),
        [["delete", "file", "a.txt"]]
    );
    assert_eq!(
        user.json(&["run", "files", "team/p/r1"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // What was done is the dry run's data, so that a program reads the same of both.
    let delete = ["run", "delete-files", "team/p/r1", "a.txt"];
    let plan = user.json(&[&delete[..], &["--dry-run"]].concat());
    assert_eq!(plan[0]["digest"], sent[0]["md5"]);
    assert!(plan[0]["digest"].is_string(), "{plan}");
    assert_eq!(user.json(&[&delete[..], &["--yes"]].concat()), plan);
    assert_eq!(
        all(&user.json(&["run", "files", "team/p/r1"]), "name"),
        ["sub/b.txt"]
    );
}

#[test]
fn the_console_is_shown_whole_and_from_its_end() {
    let (server, user) = served();
    server.start_run("p", "r1", &json!({}));
    server.print(
        "p",
        "r1",
        0,
        &[
            "2025-01-01T00:00:00.000000 epoch 1",
            "ERROR 2025-01-01T00:00:01.500000 [rank0] odd, \"loss\"",
        ],
    );
    assert_eq!(
        user.ok(&["run", "console", "team/p/r1"]),
        "epoch 1\nodd, \"loss\"\n"
    );
    assert_eq!(user.ok(&["run", "console", "team/p/r1", "-n", "1"]), "epoch 1\n");
    let last = user.json(&["run", "console", "team/p/r1", "--last", "1"]);
    assert_eq!(
        last,
        json!([{"number": 1, "timestamp": "2025-01-01T00:00:01.5Z", "level": "error", "label": "rank0",
                "content": "odd, \"loss\""}])
    );
    assert!(
        user.ok(&["run", "console", "team/p/r1", "-o", "csv"])
            .contains("\"odd, \"\"loss\"\"\"")
    );
    user.fails(&["run", "console", "team/p/none"], 3, &["none"]);
}

#[test]
fn a_run_is_asked_to_stop_only_with_consent() {
    let (server, user) = served();
    server.start_run("p", "r1", &json!({}));
    let tried = user.ok(&["run", "stop", "team/p/r1", "--dry-run", "-o", "csv"]);
    assert_eq!(
        tried,
        "action,object,name,size,digest,note\nstop,run,team/p/r1,,,state running\n"
    );
    user.fails(&["run", "stop", "team/p/r1"], 2, &["--yes"]);
    // People read what happened on stderr; programs get the step that was done.
    assert_eq!(user.ok(&["run", "stop", "team/p/r1", "--yes"]), "");
    assert_eq!(
        user.ok(&["run", "stop", "team/p/r1", "--yes", "-o", "csv"]),
        tried
    );
}

#[test]
fn a_run_without_a_process_gets_another_state() {
    let (server, user) = served();
    server.start_run("p", "r1", &json!({}));
    let set = ["run", "set-state", "team/p/r1", "failed"];
    assert_eq!(planned(&user, &set), [["set-state", "run", "team/p/r1"]]);
    user.fails(&set, 2, &["--yes"]);
    assert_eq!(user.json(&["run", "view", "team/p/r1"])["state"], "running");
    let changed = user.json(&[&set[..], &["--yes"]].concat());
    assert_eq!(changed["state"], "failed");
    assert_eq!(user.json(&["run", "view", "team/p/r1"])["state"], "failed");
    user.fails(
        &["run", "set-state", "team/p/none", "failed", "--yes"],
        3,
        &["none"],
    );
}

#[test]
fn metadata_is_the_file_of_the_run() {
    let (_server, user) = served();
    user.ok(&["run", "create", "team/p/r1"]);
    user.fails(&["run", "metadata", "team/p/r1"], 3, &["no metadata"]);
    let written = json!({"program": "train.py", "args": ["--lr", "0.1"], "gpu": null});
    std::fs::write(user.path("wandb-metadata.json"), written.to_string()).unwrap();
    user.ok(&["run", "upload", "team/p/r1", "wandb-metadata.json"]);
    assert_eq!(user.json(&["run", "metadata", "team/p/r1"]), written);
    let text = user.ok(&["run", "metadata", "team/p/r1"]);
    assert!(text.contains("train.py"), "{text}");
}
