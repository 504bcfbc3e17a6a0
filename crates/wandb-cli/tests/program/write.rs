//! Every writing verb: what it does, what it prints, and that nothing is destroyed without a word.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::bad_server::{answering, is_complete};
use crate::support::{Server, User, files_below, send};

fn served() -> (Server, User) {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    user.ok(&["project", "create", "team/p"]);
    (server, user)
}

/// The values of one field of a JSON list.
fn all<'a>(document: &'a Value, field: &str) -> Vec<&'a str> {
    let items = document.as_array().unwrap().iter();
    items.map(|item| item[field].as_str().unwrap()).collect()
}

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
    user.ok(&["run", "delete", "team/p/r1", "--dry-run"]);
    user.fails(&["run", "delete", "team/p/r1"], 2, &["--yes"]);
    assert_eq!(user.json(&["run", "view", "team/p/r1"])["id"], "r1");
    user.ok(&["run", "delete", "team/p/r1", "--yes"]);
    user.fails(&["run", "view", "team/p/r1"], 3, &["r1"]);
    user.fails(&["run", "delete", "team/p/r1", "--yes"], 3, &["r1"]);
}

#[test]
fn a_run_that_somebody_else_changed_is_a_conflict() {
    let (server, user) = served();
    user.ok(&["run", "create", "team/p/r1", "--config", "lr=0.1"]);
    let other = User::of(&server);
    // The first mutation comes after somebody else's.
    let url = interposed(server.url.clone(), move || {
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

/// A server that passes everything on to another, and does something before the first mutation.
fn interposed(target: String, first: impl FnOnce() + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut first = Some(first);
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            pass_on(stream, &target, &mut first);
        }
    });
    url
}

fn pass_on(mut stream: TcpStream, target: &str, first: &mut Option<impl FnOnce()>) {
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
    if body.contains("mutation")
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
    let tried = user.run(&["run", "rm-files", "team/p/r1", "a.txt", "--dry-run"]);
    assert_eq!((tried.code, tried.stdout.as_str()), (0, ""), "{}", tried.stderr);
    assert!(tried.stderr.contains("would delete 1 file"), "{}", tried.stderr);
    assert_eq!(
        user.json(&["run", "files", "team/p/r1"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    user.ok(&["run", "delete-files", "team/p/r1", "a.txt", "--yes"]);
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
    let tried = user.run(&["run", "stop", "team/p/r1", "--dry-run"]);
    assert_eq!(tried.code, 0, "{}", tried.stderr);
    assert!(
        tried.stderr.contains("would stop") && tried.stderr.contains("running"),
        "{}",
        tried.stderr
    );
    user.fails(&["run", "stop", "team/p/r1"], 2, &["--yes"]);
    user.ok(&["run", "stop", "team/p/r1", "--yes"]);
}

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
        let tried = user.run(&["sweep", verb, path, "--dry-run"]);
        assert_eq!((tried.code, tried.stdout.as_str()), (0, ""), "{}", tried.stderr);
        assert!(
            tried.stderr.contains(&format!("would {verb}")),
            "{}",
            tried.stderr
        );
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

#[test]
fn a_report_is_made_and_deleted() {
    let (_server, user) = served();
    user.ok(&["run", "create", "team/p/r1", "--name", "first"]);
    let spec =
        json!({"version": 5, "blocks": [{"type": "panel-grid", "metadata": {"runSets": [{"name": "all"}]}}]});
    std::fs::write(user.path("spec.json"), spec.to_string()).unwrap();
    let made = user.json(&[
        "report",
        "create",
        "team/p",
        "--title",
        "Weekly",
        "--description",
        "each week",
        "--spec",
        "spec.json",
    ]);
    assert_eq!(
        (&made["display_name"], &made["description"]),
        (&json!("Weekly"), &json!("each week"))
    );
    let address = user.ok(&["report", "create", "team/p", "--title", "Empty"]);
    assert!(address.contains("/reports/"), "{address}");
    assert_eq!(
        user.json(&["report", "list", "team/p"]).as_array().unwrap().len(),
        2
    );
    assert_eq!(
        user.json(&["report", "view", address.trim_end()])["display_name"],
        "Empty"
    );
    let text = user.ok(&["report", "view", "team/p", "--name", "Weekly"]);
    assert!(text.contains("1 run set"), "{text}");
    let runs = user.json(&["report", "runs", "team/p", "--name", "Weekly", "--all"]);
    assert_eq!(all(&runs, "id"), ["r1"]);

    let delete = ["report", "delete", "team/p", "--name", "Weekly"];
    user.fails(&delete, 2, &["--yes"]);
    user.ok(&[&delete[..], &["--dry-run"]].concat());
    assert_eq!(
        user.json(&["report", "list", "team/p"]).as_array().unwrap().len(),
        2
    );
    user.ok(&[&delete[..], &["--yes"]].concat());
    user.fails(&[&delete[..], &["--yes"]].concat(), 3, &["team/p"]);
    assert_eq!(
        all(&user.json(&["report", "list", "team/p"]), "display_name"),
        ["Empty"]
    );
    std::fs::write(user.path("list.json"), "[1]").unwrap();
    user.fails(
        &[
            "report",
            "create",
            "team/p",
            "--title",
            "x",
            "--spec",
            "list.json",
        ],
        2,
        &["JSON object"],
    );
}

#[test]
fn users_are_shown_without_their_keys() {
    let (server, user) = served();
    let me = user.json(&["whoami"]);
    let name = me["username"].as_str().unwrap();
    let shown = user.json(&["user", "view", name]);
    assert_eq!(shown["username"], name);
    assert!(user.ok(&["user", "view", name]).contains(name));
    for noun in ["team", "user"] {
        user.fails(
            &[noun, "view", "nobody-of-this-name"],
            3,
            &["nobody-of-this-name"],
        );
    }
    for team in me["teams"].as_array().unwrap() {
        let team = team.as_str().unwrap();
        let shown = user.json(&["team", "view", team]);
        assert!(shown["members"].is_array(), "{shown}");
        assert!(!shown.to_string().contains(&server.api_key));
        assert!(user.ok(&["team", "view", team]).starts_with(team));
    }
}

#[test]
fn an_artifact_is_put_changed_linked_and_deleted() {
    let (_server, user) = served();
    std::fs::create_dir(user.path("data")).unwrap();
    std::fs::write(user.path("data/a.txt"), "alpha").unwrap();
    let put = [
        "artifact",
        "put",
        "data",
        "--name",
        "team/p/data",
        "--type",
        "dataset",
    ];
    let tried = user.run(&[&put[..], &["--dry-run"]].concat());
    assert_eq!((tried.code, tried.stdout.as_str()), (0, ""), "{}", tried.stderr);
    user.fails(&["artifact", "view", "team/p/data:v0"], 3, &["data"]);
    let first = user.json(&[&put[..], &["--alias", "good", "--metadata", r#"{"rows": 3}"#]].concat());
    assert_eq!(
        (&first["version"], &first["metadata"]["rows"]),
        (&json!("v0"), &json!(3))
    );
    std::fs::write(user.path("data/b.txt"), "beta").unwrap();
    assert_eq!(user.ok(&put), "team/p/data:v1\n");

    let changed = user.json(&[
        "artifact",
        "update",
        "team/p/data:v0",
        "--alias",
        "best",
        "--unalias",
        "good",
        "--tag",
        "checked",
        "--description",
        "after review",
    ]);
    assert_eq!(
        (&changed["aliases"], &changed["tags"]),
        (&json!(["best"]), &json!(["checked"]))
    );

    user.ok(&["run", "create", "team/p/user"]);
    let used = user.json(&["run", "use-artifact", "team/p/user", "team/p/data:v0"]);
    assert_eq!(used["digest"], first["digest"]);
    assert_eq!(
        all(&user.json(&["run", "used-artifacts", "team/p/user"]), "version"),
        ["v0"]
    );
    let logged = user.json(&[
        "run",
        "log-artifact",
        "team/p/user",
        "team/p/data:v1",
        "--alias",
        "made",
    ]);
    assert!(
        logged["aliases"].as_array().unwrap().contains(&json!("made")),
        "{logged}"
    );

    assert_eq!(user.json(&["artifact", "linked", "team/p/data:v0"]), json!([]));
    let link = user.ok(&[
        "artifact",
        "link",
        "team/p/data:v0",
        "team/p/released",
        "--alias",
        "prod",
    ]);
    let link = link.trim_end();
    assert_eq!(link, "team/p/released:v0");
    let linked = user.json(&["artifact", "linked", "team/p/data:v0"]);
    assert_eq!(all(&linked, "collection"), ["released"]);
    user.fails(&["artifact", "unlink", link], 2, &["--yes"]);
    user.ok(&["artifact", "unlink", link, "--dry-run"]);
    assert_eq!(user.json(&["artifact", "view", link])["collection"], "released");
    user.ok(&["artifact", "unlink", link, "--yes"]);
    assert_eq!(user.json(&["artifact", "linked", "team/p/data:v0"]), json!([]));

    user.fails(
        &["artifact", "delete", "team/p/data:v0", "--yes"],
        7,
        &["best", "--with-aliases"],
    );
    user.fails(
        &["artifact", "delete", "team/p/data:v0", "--with-aliases"],
        2,
        &["--yes"],
    );
    assert_eq!(
        user.json(&["artifact", "view", "team/p/data:v0"])["version"],
        "v0"
    );
    user.ok(&["artifact", "delete", "team/p/data:v0", "--with-aliases", "--yes"]);
    user.fails(&["artifact", "view", "team/p/data:v0"], 3, &["data"]);
}

#[test]
fn an_artifact_comes_back_verified() {
    let (_server, user) = served();
    std::fs::create_dir(user.path("data")).unwrap();
    std::fs::write(user.path("data/a.txt"), "alpha").unwrap();
    std::fs::write(user.path("data/b.txt"), "beta").unwrap();
    user.ok(&[
        "artifact",
        "put",
        "data",
        "--name",
        "team/p/data",
        "--type",
        "dataset",
    ]);
    let name = "team/p/data:v0";
    let got = user.json(&["artifact", "get", name, "a.txt"]);
    assert_eq!(
        std::fs::read(user.path(got["path"].as_str().unwrap())).unwrap(),
        b"alpha"
    );
    user.fails(&["artifact", "get", name, "none.txt"], 3, &["none.txt"]);
    let done = user.json(&["artifact", "download", name, "--root", "back"]);
    assert_eq!(done["missing_references"], json!([]));
    assert_eq!(files_below(&user.path("back")), ["a.txt", "b.txt"]);
    user.ok(&["artifact", "verify", name, "--root", "back"]);

    std::fs::write(user.path("back/a.txt"), "alphA").unwrap();
    std::fs::write(user.path("back/extra.txt"), "mine").unwrap();
    let wrong = user.run(&["artifact", "verify", name, "--root", "back"]);
    assert_eq!(wrong.code, 5, "{}", wrong.stderr);
    assert!(
        wrong.stdout.contains("a.txt") && wrong.stdout.contains("extra.txt"),
        "{}",
        wrong.stdout
    );

    user.ok(&["artifact", "checkout", name, "--root", "back", "--dry-run"]);
    user.fails(&["artifact", "checkout", name, "--root", "back"], 2, &["--yes"]);
    assert_eq!(std::fs::read(user.path("back/extra.txt")).unwrap(), b"mine");
    user.ok(&["artifact", "checkout", name, "--root", "back", "--yes"]);
    assert_eq!(files_below(&user.path("back")), ["a.txt", "b.txt"]);
    assert_eq!(std::fs::read(user.path("back/a.txt")).unwrap(), b"alpha");

    let before = user.json(&["artifact", "cache", "ls"]);
    assert!(before.as_array().unwrap().len() >= 2, "{before}");
    user.ok(&["artifact", "cache", "verify"]);
    user.ok(&["artifact", "cache", "gc", "--max", "0", "--dry-run"]);
    assert_eq!(user.json(&["artifact", "cache", "ls"]), before);
    user.ok(&["artifact", "cache", "gc", "--max", "0"]);
    assert_eq!(user.json(&["artifact", "cache", "ls"]), json!([]));
    assert!(user.ok(&["artifact", "cache", "du"]).contains("together"));
}
