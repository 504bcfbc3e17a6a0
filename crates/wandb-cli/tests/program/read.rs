//! Every reading verb, in every output, on runs that were logged over HTTP.

use serde_json::{Value, json};

use crate::support::{Server, User, files_below};

pub(crate) const PROJECT: &str = "vision";

/// Three runs: a finished one with awkward values and files, a failed one, and a running one without history.
pub(crate) fn filled() -> Server {
    let server = Server::start(&["--entity", "team"]);
    let config = |lr: f64| {
        json!({"lr": {"value": lr}, "model": {"value": {"depth": 3, "name": "r,es\"net"}}, "_wandb": {"value": {}}}).to_string()
    };
    server.start_run(
        PROJECT,
        "alpha",
        &json!({"displayName": "first, \"best\"", "config": config(0.1), "tags": ["baseline", "paper"], "groupName": "cnn",
                "notes": "two\nlines", "jobType": "train",
                "summaryMetrics": r#"{"loss": 0.25, "best": NaN, "top": Infinity, "nested": {"deep": 7}}"#}),
    );
    let line = |step: i64, rest: &str| format!("{{\"_step\":{step},\"_runtime\":{step}.5{rest}}}");
    let lines = [
        line(0, r#","loss":1.0,"acc":0.5"#),
        line(1, r#","loss":NaN"#),
        line(2, r#","loss":Infinity,"note":"a,b""#),
        line(3, r#","loss":null,"acc":-Infinity"#),
        line(
            1_000_000_007,
            r#","loss":0.25,"hist":{"values":[1,2],"bins":[0,1,2]}"#,
        ),
    ];
    server.log(PROJECT, "alpha", 0, &lines);
    server.upload(PROJECT, "alpha", "config.yaml", b"lr: 0.1\n");
    server.upload(PROJECT, "alpha", "media/plots/loss.bin", &[7; 100_000]);
    server.finish_run(PROJECT, "alpha", 0);
    server.start_run(
        PROJECT,
        "beta",
        &json!({"displayName": "second", "config": config(0.01), "summaryMetrics": r#"{"loss": 0.5}"#}),
    );
    server.finish_run(PROJECT, "beta", 1);
    server.start_run(
        PROJECT,
        "gamma",
        &json!({"displayName": "third", "config": config(0.001)}),
    );
    server
}

pub(crate) fn names(document: &Value, field: &str) -> Vec<String> {
    let items = document.as_array().unwrap().iter();
    items
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn runs_are_listed_filtered_sorted_counted_and_selected() {
    let server = filled();
    let user = User::of(&server);

    let all = user.json(&["run", "list", "team/vision", "--page-size", "2"]);
    assert_eq!(names(&all, "id"), ["alpha", "beta", "gamma"]);
    let alpha = &all[0];
    assert_eq!(alpha["name"], "first, \"best\"");
    assert_eq!(alpha["entity"], "team");
    assert_eq!(alpha["path"], json!(["team", "vision", "alpha"]));
    assert_eq!(alpha["state"], "finished");
    assert_eq!(alpha["tags"], json!(["baseline", "paper"]));
    assert_eq!(alpha["group"], "cnn");
    assert_eq!(alpha["job_type"], "train");
    assert_eq!(alpha["notes"], "two\nlines");
    assert_eq!(
        alpha["config"],
        json!({"lr": 0.1, "model": {"depth": 3, "name": "r,es\"net"}})
    );
    assert_eq!(alpha["summary"]["best"], "NaN");
    assert_eq!(alpha["summary"]["top"], "Infinity");
    assert_eq!(alpha["history_line_count"], 5);
    let fields: Vec<&str> = alpha.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = vec![
        "id",
        "name",
        "storage_id",
        "entity",
        "project",
        "path",
        "url",
        "state",
        "tags",
        "notes",
        "description",
        "group",
        "job_type",
        "commit",
        "created_at",
        "heartbeat_at",
        "read_only",
        "user",
        "sweep_name",
        "config",
        "summary",
        "system_metrics",
        "history_line_count",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);

    let filtered = user.json(&["run", "list", "team/vision", "--filter", r#"{"state": "failed"}"#]);
    assert_eq!(names(&filtered, "id"), ["beta"]);
    let filtered = user.json(&[
        "run",
        "list",
        "team/vision",
        "--filter",
        "config.lr < 0.05",
        "--order",
        "+config.lr",
    ]);
    assert_eq!(names(&filtered, "id"), ["gamma", "beta"]);
    let limited = user.json(&[
        "run",
        "list",
        "team/vision",
        "--order=-created_at",
        "--limit",
        "1",
    ]);
    assert_eq!(names(&limited, "id"), ["gamma"]);

    assert_eq!(user.ok(&["run", "list", "team/vision", "--count"]), "3\n");
    assert_eq!(
        user.ok(&[
            "run",
            "list",
            "team/vision",
            "--count",
            "--filter",
            "state = \"finished\"",
            "-o",
            "json"
        ]),
        "{\"count\":1}\n"
    );

    let selected = [
        "run",
        "list",
        "team/vision",
        "--select",
        "config.model.depth,summary.loss,lr",
    ];
    let csv = user.ok(&[&selected[..], &["-o", "csv"]].concat());
    let csv = lines(&csv).join("\n");
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .ends_with("history_line_count,config.model.depth,summary.loss,lr"),
        "{csv}"
    );
    assert!(csv.contains("\"first, \"\"best\"\"\""), "{csv}");
    assert!(csv.lines().any(|line| line.ends_with(",3,0.25,0.1")), "{csv}");
    let table = user.ok(&selected);
    assert!(
        lines(&table)[0].contains("config.model.depth") && lines(&table).len() == 4,
        "{table}"
    );

    let objects = user.ok(&["run", "list", "team/vision", "-o", "jsonl"]);
    let objects: Vec<Value> = objects
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 3);

    assert_eq!(
        user.json(&[
            "run",
            "list",
            "team/vision",
            "--filter",
            r#"{"state": "pending"}"#
        ]),
        json!([])
    );
    assert_eq!(
        user.ok(&[
            "run",
            "list",
            "team/vision",
            "--filter",
            r#"{"state": "pending"}"#
        ]),
        ""
    );

    // The project of the options; quiet says nothing on stderr.
    let quiet = user.run(&[
        "--entity",
        "team",
        "--project",
        "vision",
        "--quiet",
        "run",
        "list",
        "-o",
        "jsonl",
    ]);
    assert_eq!(
        (quiet.code, quiet.stdout.lines().count(), quiet.stderr.as_str()),
        (0, 3, "")
    );
    // The id is called `name` on the wire; whoever filters by the name that they see is told.
    let empty = user.run(&[
        "run",
        "list",
        "team/vision",
        "--filter",
        "name = \"no such\"",
        "-o",
        "jsonl",
    ]);
    assert_eq!((empty.code, empty.stdout.as_str()), (0, ""));
    assert!(empty.stderr.contains("display_name"), "{}", empty.stderr);
}

#[test]
fn a_filter_is_explained_without_a_request() {
    // No server at all: a request would fail.
    let user = User::new()
        .with("WANDB_BASE_URL", "http://127.0.0.1:9")
        .with("WANDB_API_KEY", &"a".repeat(40));
    let text = user.ok(&[
        "run",
        "list",
        "team/vision",
        "--filter",
        "config.lr > 0.1",
        "--order",
        "-created_at",
        "--explain",
    ]);
    assert!(
        text.contains("config.lr > 0.1") && text.contains("$gt") && text.contains("order: -created_at"),
        "{text}"
    );
    let document = user.json(&[
        "run",
        "list",
        "x/y",
        "--filter",
        r#"{"state": "failed"}"#,
        "--explain",
    ]);
    assert_eq!(document["sent"], r#"{"state":"failed"}"#);
}

#[test]
fn one_run_is_viewed_with_its_curve() {
    let server = filled();
    let user = User::of(&server);
    let run = user.json(&["run", "view", "team/vision/alpha"]);
    assert_eq!(run["id"], "alpha");
    assert_eq!(run["summary"]["nested"]["deep"], 7);
    assert_eq!(run["system_metrics"], json!({}));
    let text = user.ok(&["run", "view", "team/vision/alpha"]);
    for part in [
        "team/vision/alpha",
        "finished",
        "config",
        "lr",
        "summary",
        "NaN",
        "two⏎lines",
        "loss",
        "┤",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("not drawn"), "NaN and infinity are told: {text}");
    let accuracy = user.ok(&["run", "view", "team/vision/alpha", "--plot", "acc"]);
    assert!(accuracy.contains("\n  acc\n"), "{accuracy}");
    user.fails(
        &["run", "view", "team/vision/alpha", "--plot", "nothing"],
        3,
        &["nothing", "hint: it has logged"],
    );
    // A run that has logged nothing has no curve, and that is no error.
    assert!(user.ok(&["run", "view", "team/vision/gamma"]).contains("third"));
    let csv = user.ok(&["run", "view", "team/vision/alpha", "-o", "csv"]);
    assert!(csv.starts_with("id,name,storage_id,"), "{csv}");
}

#[test]
fn files_are_listed_and_downloaded() {
    let server = filled();
    let user = User::of(&server);
    let files = user.json(&["run", "files", "team/vision/alpha"]);
    let mut found = names(&files, "name");
    found.sort();
    assert_eq!(found, ["config.yaml", "media/plots/loss.bin"]);
    let config = files
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["name"] == "config.yaml")
        .unwrap();
    assert_eq!(config["size"], 8);
    assert!(config["md5"].is_string() && config["url"].is_string() && config["updated_at"].is_string());
    let matching = user.json(&["run", "files", "team/vision/alpha", "--pattern", "media/%"]);
    assert_eq!(names(&matching, "name"), ["media/plots/loss.bin"]);
    let named = user.ok(&[
        "run",
        "files",
        "team/vision/alpha",
        "--name",
        "config.yaml",
        "-o",
        "csv",
    ]);
    assert_eq!(named.lines().count(), 2, "{named}");

    let downloaded = user.json(&["run", "download", "team/vision/alpha", "--root", "down"]);
    assert_eq!(downloaded.as_array().unwrap().len(), 2);
    assert!(
        downloaded
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["md5_verified"] == true)
    );
    assert_eq!(
        files_below(&user.path("down")),
        ["config.yaml", "media/plots/loss.bin"]
    );
    assert_eq!(
        std::fs::read(user.path("down/media/plots/loss.bin")).unwrap(),
        [7; 100_000]
    );

    // What is there stays unless it may be replaced, and then only what differs is fetched.
    user.fails(
        &[
            "run",
            "download",
            "team/vision/alpha",
            "config.yaml",
            "--root",
            "down",
        ],
        7,
        &["config.yaml", "--replace"],
    );
    std::fs::write(user.path("down/config.yaml"), "changed").unwrap();
    let again = user.json(&[
        "run",
        "download",
        "team/vision/alpha",
        "--root",
        "down",
        "--replace",
    ]);
    let transferred = |name: &str| {
        let file = again
            .as_array()
            .unwrap()
            .iter()
            .find(|file| file["name"] == name)
            .unwrap()
            .clone();
        file["transferred"].as_u64().unwrap()
    };
    assert_eq!(
        (transferred("config.yaml"), transferred("media/plots/loss.bin")),
        (8, 0)
    );
    assert_eq!(
        std::fs::read(user.path("down/config.yaml")).unwrap(),
        b"lr: 0.1\n"
    );
}

#[test]
fn projects_and_the_user_are_shown() {
    let server = filled();
    let user = User::of(&server);
    let projects = user.json(&["project", "list"]);
    assert_eq!(names(&projects, "name"), ["vision"]);
    let fields: Vec<&String> = projects[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["created_at", "entity", "id", "name", "path", "url"]);
    assert_eq!(projects[0]["path"], json!(["team", "vision"]));
    assert_eq!(user.json(&["project", "view", "team/vision"])["name"], "vision");
    assert!(user.ok(&["project", "view", "vision"]).contains("runs"));
    assert!(user.ok(&["project", "list", "team"]).contains("vision"));
    assert!(
        user.ok(&["project", "list", "-o", "csv"])
            .starts_with("id,name,entity,path,url,created_at\n")
    );

    let identity = user.json(&["whoami"]);
    assert_eq!(identity["base_url"], server.url.as_str());
    assert_eq!(identity["entity"], "team");
    assert_eq!(identity["key_source"], "the environment variable WANDB_API_KEY");
    let text = user.ok(&["whoami"]);
    assert!(
        text.contains("WANDB_API_KEY") && !text.contains(&server.api_key),
        "{text}"
    );
}

#[test]
fn a_directory_is_read_without_a_server() {
    let server = filled();
    let online = User::of(&server);
    let commands: [&[&str]; 4] = [
        &["run", "list", "team/vision", "-o", "csv", "--select", "lr"],
        &["run", "scan", "team/vision/alpha", "-o", "jsonl"],
        &["run", "files", "team/vision/alpha", "--name", "config.yaml"],
        &["project", "list", "team"],
    ];
    let expected: Vec<String> = commands.iter().map(|command| online.ok(command)).collect();
    let url = server.url.clone();
    let dir = server.kill();
    let offline = User::new();
    let local = ["--local", dir.path().to_str().unwrap()];
    for (command, expected) in commands.iter().zip(expected) {
        let text = offline.ok(&[&local[..], command].concat());
        assert_eq!(text.replace("http://wandb.local", &url), expected, "{command:?}");
    }
    let arguments = [
        "run",
        "download",
        "team/vision/alpha",
        "config.yaml",
        "--root",
        "down",
    ];
    offline.ok(&[&local[..], &arguments].concat());
    assert_eq!(
        std::fs::read(offline.path("down/config.yaml")).unwrap(),
        b"lr: 0.1\n"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::io::Read;
    use std::process::Stdio;

    let server = Server::start(&[]);
    server.start_run("p", "long", &json!({}));
    let rows: Vec<String> = (0..30_000)
        .map(|step| format!("{{\"_step\":{step},\"text\":\"{}\"}}", "x".repeat(40)))
        .collect();
    server.log("p", "long", 0, &rows);
    let user = User::of(&server);
    let mut child = user
        .command(&["run", "scan", "p/long", "-o", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn files_and_history_do_not_read_the_whole_run() {
    // Config, summary and history keys of a run can be megabytes; its reading fails here.
    let server = Server::start(&["--entity", "team", "--fault", "403,op=Run"]);
    server.start_run("p", "r", &json!({}));
    server.log("p", "r", 0, &[r#"{"_step":0,"loss":1}"#.to_owned()]);
    server.upload("p", "r", "a.txt", b"content");
    let user = User::of(&server);
    user.fails(&["run", "view", "team/p/r"], 4, &["team/p/r"]);
    for arguments in [
        &["run", "files", "team/p/r"][..],
        &["run", "history", "team/p/r"],
        &["run", "scan", "team/p/r"],
        &["run", "scan", "team/p/r", "--out", "rows.parquet"],
        &["run", "download", "team/p/r"],
    ] {
        user.ok(arguments);
    }
}
