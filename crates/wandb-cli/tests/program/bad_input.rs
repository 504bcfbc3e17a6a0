//! What cannot be: each gives one clear line, its exit code, nothing on stdout and nothing on the disk.

use serde_json::json;

use crate::support::{Server, User, files_below};

fn small() -> Server {
    let server = Server::start(&["--entity", "team"]);
    server.start_run("vision", "alpha", &json!({}));
    server.log("vision", "alpha", 0, &[r#"{"_step":0,"loss":1}"#.to_owned()]);
    server.upload("vision", "alpha", "a.txt", b"content");
    server
}

#[test]
fn what_does_not_exist_is_not_found() {
    let server = small();
    let user = User::of(&server);
    for (arguments, words) in [
        (&["project", "view", "team/nothing"][..], &["team/nothing"][..]),
        (&["project", "list", "nobody"], &["nobody"]),
        (&["project", "list", "nobody", "-o", "json"], &["nobody"]),
        (&["--entity", "nobody", "project", "list"], &["nobody"]),
        (&["run", "list", "team/nothing"], &["team/nothing"]),
        (&["run", "list", "team/nothing", "--count"], &["team/nothing"]),
        (&["run", "list", "nobody/vision"], &["nobody/vision"]),
        (&["run", "view", "team/vision/nothing"], &["team/vision/nothing"]),
        (&["run", "view", "nobody/vision/alpha"], &["nobody/vision"]),
        (&["run", "scan", "team/vision/nothing"], &["team/vision/nothing"]),
        (
            &["run", "scan", "team/vision/nothing", "--out", "rows.csv"],
            &["team/vision/nothing"],
        ),
        (
            &["run", "history", "team/vision/nothing"],
            &["team/vision/nothing"],
        ),
        (&["run", "files", "team/vision/nothing"], &["team/vision/nothing"]),
        (
            &["run", "files", "team/vision/alpha", "--name", "b.txt"],
            &["b.txt"],
        ),
        (&["run", "download", "team/vision/alpha", "b.txt"], &["b.txt"]),
        (
            &["run", "download", "team/vision/alpha", "a.txt", "b.txt"],
            &["b.txt"],
        ),
        (&["--local", "no-such-dir", "project", "list"], &["no-such-dir"]),
        // A project where a run is wanted.
        (
            &["run", "view", "team/vision"],
            &["\"team/vision\" was read as project/run"],
        ),
        (
            &["run", "scan", "team/vision"],
            &["\"team/vision\" was read as project/run"],
        ),
    ] {
        user.fails(arguments, 3, words);
    }
    assert!(
        files_below(user.home()).is_empty(),
        "{:?}",
        files_below(user.home())
    );
}

#[test]
fn a_wrong_key_is_told_and_never_shown() {
    let server = small();
    let wrong = "f".repeat(40);
    let user = User::of(&server).with("WANDB_API_KEY", &wrong);
    for arguments in [
        &["whoami"][..],
        &["project", "list", "team"],
        &["run", "list", "team/vision"],
        &["run", "view", "team/vision/alpha"],
        &["run", "scan", "team/vision/alpha", "--out", "rows.jsonl"],
        &["run", "download", "team/vision/alpha"],
    ] {
        let finished = user.fails(arguments, 4, &["hint: "]);
        assert!(!finished.stderr.contains(&wrong), "{}", finished.stderr);
    }
    let elsewhere = User::of(&server).with("WANDB_ENTITY", "nobody");
    elsewhere.fails(&["project", "list"], 3, &["nobody"]);
    let none = User::new().with("WANDB_BASE_URL", &server.url);
    none.fails(&["run", "list", "team/vision"], 4, &["hint: "]);
    let short = User::of(&server).with("WANDB_API_KEY", "too-short");
    let finished = short.fails(&["run", "list", "team/vision"], 4, &["WANDB_API_KEY"]);
    assert!(!finished.stderr.contains("too-short"), "{}", finished.stderr);
    assert!(files_below(user.home()).is_empty());
}

#[test]
fn a_wrong_host_is_a_failure_that_names_it() {
    // Port 9 of loopback: nothing listens there in any sane test environment.
    let user = User::new()
        .with("WANDB_BASE_URL", "http://127.0.0.1:9")
        .with("WANDB_API_KEY", &"a".repeat(40));
    user.fails(
        &["run", "view", "team/vision/alpha"],
        1,
        &["team/vision/alpha", "could not be reached", "hint: "],
    );
    user.fails(
        &["--base-url", "ftp://example.com", "whoami"],
        2,
        &["ftp://example.com"],
    );
    user.fails(&["--base-url", "not a url", "whoami"], 2, &["base"]);
    user.fails(&["--profile", "nobody", "whoami"], 2, &["nobody"]);
}

#[test]
fn filters_orders_paths_and_sizes_are_checked_before_anything_is_asked() {
    // Without a server, whatever asks fails with 1.
    let user = User::new()
        .with("WANDB_BASE_URL", "http://127.0.0.1:9")
        .with("WANDB_API_KEY", &"a".repeat(40));
    for (arguments, words) in [
        (
            &["run", "list", "team/vision", "--filter", "{not json"][..],
            &["JSON"][..],
        ),
        (
            &[
                "run",
                "list",
                "team/vision",
                "--filter",
                r#"{"state": {"$like": "x"}}"#,
            ],
            &["$like"],
        ),
        (&["run", "list", "team/vision", "--filter", r#"["state"]"#], &[]),
        (
            &["run", "list", "team/vision", "--filter", "stat = \"finished\""],
            &["stat"],
        ),
        (
            &["run", "list", "team/vision", "--order", "+nothing_known"],
            &["nothing_known"],
        ),
        (&["run", "list", "a/b/c/d/e"], &["a/b/c/d/e"]),
        (&["run", "list"], &["project"]),
        (
            &["run", "list", "team/vision", "--page-size", "100000000"],
            &["page size"],
        ),
        (&["run", "view", "///"], &[]),
        (&["run", "view", "a/b/c/d/e/f"], &["a/b/c/d/e/f"]),
        (
            &["run", "scan", "team/vision/alpha", "--out", "rows.xlsx"],
            &["rows.xlsx"],
        ),
        (&["run", "scan", "team/vision/alpha", "--out", "."], &[]),
    ] {
        user.fails(arguments, 2, words);
    }
    for arguments in [
        &["run", "list", "team/vision", "--page-size", "0"][..],
        &["run", "list", "team/vision", "--limit", "x"],
        &[
            "run",
            "scan",
            "team/vision/alpha",
            "--keys",
            "a",
            "--any-keys",
            "b",
        ],
        &["run", "scan", "team/vision/alpha", "--page-size", "0"],
        &["no", "such", "verb"],
        &[],
    ] {
        let finished = user.run(arguments);
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (2, ""),
            "{arguments:?}"
        );
        assert!(!finished.stderr.is_empty());
    }
    assert!(files_below(user.home()).is_empty());
}

#[test]
fn targets_that_cannot_be_written_leave_nothing() {
    let server = small();
    let user = User::of(&server);
    std::fs::write(user.path("taken"), "mine").unwrap();
    user.fails(
        &["run", "scan", "team/vision/alpha", "--out", "missing/rows.csv"],
        1,
        &["missing"],
    );
    user.fails(
        &["run", "scan", "team/vision/alpha", "--out", "taken/rows.csv"],
        1,
        &["taken"],
    );
    user.fails(
        &["run", "download", "team/vision/alpha", "--root", "taken"],
        1,
        &["\"taken\" is a file", "nothing can be downloaded"],
    );
    // It is told before anything is asked: there is no such run.
    for root in ["taken", "taken/below"] {
        user.fails(
            &["run", "download", "team/vision/none", "--root", root],
            1,
            &["\"taken\" is a file"],
        );
    }
    std::fs::write(user.path("a.txt"), "mine").unwrap();
    user.fails(
        &["run", "download", "team/vision/alpha"],
        7,
        &["a.txt", "--replace"],
    );
    assert_eq!(std::fs::read(user.path("a.txt")).unwrap(), b"mine");
    assert_eq!(files_below(user.home()), ["a.txt", "taken"]);
}

#[test]
fn a_selected_key_that_no_run_has_is_told() {
    let server = small();
    let user = User::of(&server);
    let selected = [
        "run",
        "list",
        "team/vision",
        "--select",
        "bogus.y,config.lr",
        "-o",
        "csv",
    ];
    let finished = user.run(&selected);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    for key in ["\"bogus.y\"", "\"config.lr\""] {
        let told = format!("none of these runs has {key}");
        assert!(finished.stderr.contains(&told), "{}", finished.stderr);
    }
    assert_eq!(
        finished.stderr.matches("config.KEY").count(),
        1,
        "{}",
        finished.stderr
    );
    user.ok(&["run", "update", "team/vision/alpha", "--config", "lr=1"]);
    let finished = user.run(&selected);
    assert!(!finished.stderr.contains("config.lr"), "{}", finished.stderr);
    assert!(finished.stderr.contains("bogus.y"), "{}", finished.stderr);
}

#[test]
fn files_in_each_others_way_are_refused_before_the_first_byte() {
    let server = small();
    server.upload("vision", "alpha", "A.txt", b"other");
    let user = User::of(&server);
    std::fs::write(user.path("case"), "").unwrap();
    let folds = user.path("CASE").exists();
    std::fs::remove_file(user.path("case")).unwrap();
    let download = [
        "run",
        "download",
        "team/vision/alpha",
        "--root",
        "down",
        "--replace",
    ];
    if folds {
        user.fails(&download, 7, &["A.txt", "a.txt", "--root"]);
        assert!(files_below(user.home()).is_empty());
    } else {
        let finished = user.run(&download);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(files_below(user.home()), ["down/A.txt", "down/a.txt"]);
        let warned = finished.stderr.starts_with("warning: ") && finished.stderr.contains("one file on some");
        assert!(warned, "{}", finished.stderr);
    }
    // On no disk can a directory have the name of a file.
    server.start_run("vision", "beta", &json!({}));
    server.upload("vision", "beta", "b", b"a file");
    server.upload("vision", "beta", "b/c", b"in a directory");
    user.fails(
        &["run", "download", "team/vision/beta", "--root", "beta"],
        1,
        &["\"b\"", "\"b/c\"", "nothing was written"],
    );
    assert!(!user.path("beta").exists());
    assert!(
        user.ok(&["run", "download", "team/vision/beta", "b/c", "--root", "beta"])
            .contains("verified")
    );
}

#[test]
fn each_file_that_fails_is_named() {
    let server = small();
    server.upload("vision", "alpha", "b.txt", b"other");
    server.upload("vision", "alpha", "c.txt", b"third");
    let user = User::of(&server);
    std::fs::write(user.path("a.txt"), "mine").unwrap();
    std::fs::write(user.path("b.txt"), "mine").unwrap();
    let finished = user.run(&["run", "download", "team/vision/alpha"]);
    assert_eq!(finished.code, 7, "{}", finished.stderr);
    let errors: Vec<&str> = finished
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert!(
        matches!(errors[..], [first, second] if first.contains("a.txt") && second.contains("b.txt")),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("2 of 3 files"), "{}", finished.stderr);
    assert!(finished.stdout.contains("c.txt"), "{}", finished.stdout);
    assert_eq!(std::fs::read(user.path("c.txt")).unwrap(), b"third");
    assert_eq!(std::fs::read(user.path("b.txt")).unwrap(), b"mine");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let server = small();
    let user = User::of(&server);
    let output = user
        .command(&["run", "scan", "team/vision/alpha", "-o", "jsonl"])
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: write to stdout: "), "{stderr}");
}
