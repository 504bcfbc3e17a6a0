//! `wb artifact put --incremental`: what is added, and that nothing of the version before is lost.

use serde_json::Value;

use crate::support::{Server, User};

const PUT: [&str; 6] = ["artifact", "put", "--name", "team/p/data", "--type", "dataset"];

/// Logs files of these names, each with its name as its content.
fn put(user: &User, files: &[&str], options: &[&str]) -> Value {
    for file in files {
        std::fs::write(user.path(file), file).unwrap();
    }
    user.json(&[&PUT[..], files, options].concat())
}

/// The paths of a version's manifest.
fn entries(user: &User, name: &str) -> Vec<String> {
    let manifest = user.json(&["artifact", "manifest", name]);
    let entries = manifest.as_array().unwrap().iter();
    let mut paths: Vec<_> = entries
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect();
    paths.sort();
    paths
}

#[test]
fn files_are_added_to_the_newest_version() {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    user.ok(&["project", "create", "team/p"]);

    std::fs::write(user.path("a.txt"), "a.txt").unwrap();
    let first = user.run(&[&PUT[..], &["a.txt", "--incremental"]].concat());
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(first.stderr.contains("no version yet"), "{}", first.stderr);

    assert_eq!(put(&user, &["b.txt"], &["--incremental"])["version"], "v1");
    assert_eq!(entries(&user, "team/p/data:latest"), ["a.txt", "b.txt"]);
    // A file of the same name is replaced.
    std::fs::write(user.path("a.txt"), "changed").unwrap();
    user.ok(&[&PUT[..], &["a.txt", "--incremental"]].concat());
    assert_eq!(entries(&user, "team/p/data:v2"), ["a.txt", "b.txt"]);
    user.ok(&["artifact", "download", "team/p/data", "--root", "back"]);
    assert_eq!(std::fs::read(user.path("back/a.txt")).unwrap(), b"changed");

    // Where no version is `latest`, the newest one is meant; it is not "no version yet".
    user.ok(&["artifact", "update", "team/p/data:v2", "--unalias", "latest"]);
    user.fails(&["artifact", "view", "team/p/data"], 3, &["data"]);
    assert_eq!(put(&user, &["c.txt"], &["--incremental"])["version"], "v3");
    assert_eq!(entries(&user, "team/p/data:v3"), ["a.txt", "b.txt", "c.txt"]);

    // A page of the collection names it, too; the page of a version does not name a new one.

    let page = format!("{}/team/p/artifacts/dataset/data/v3", server.url);
    assert_eq!(entries(&user, &page), ["a.txt", "b.txt", "c.txt"]);
    user.fails(
        &["artifact", "put", "a.txt", "--name", &page, "--type", "dataset"],
        2,
        &["no alias"],
    );
    user.fails(
        &[
            "artifact",
            "view",
            "https://wandb.ai/team/p/artifacts/dataset/data/v3",
        ],
        2,
        &["wandb.ai", "--base-url"],
    );

    // Without the option a version has what is given.
    assert_eq!(put(&user, &["d.txt"], &[])["version"], "v4");
    assert_eq!(entries(&user, "team/p/data:v4"), ["d.txt"]);

    // The plan is made of the same version.
    std::fs::write(user.path("e.txt"), "e.txt").unwrap();
    let plan = user.run(&[&PUT[..], &["e.txt", "--incremental", "--dry-run"]].concat());
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let told = format!("{}{}", plan.stdout, plan.stderr);
    assert!(
        told.contains("2 files") && !told.contains("no version yet"),
        "{told}"
    );
}

#[test]
fn a_cache_that_cannot_be_opened_is_no_reason_not_to_download() {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    let cache = user.path("blocked/cache");
    let user = user.with("WANDB_CACHE_DIR", cache.to_str().unwrap());
    // Nothing can be made below a file, whoever the user is.
    std::fs::write(user.path("blocked"), "").unwrap();
    user.ok(&["project", "create", "team/p"]);
    std::fs::write(user.path("a.txt"), "a.txt").unwrap();
    user.ok(&[&PUT[..], &["a.txt"]].concat());

    let get = ["artifact", "download", "team/p/data", "--root"];
    let warned = user.run(&[&get[..], &["one"]].concat());
    assert_eq!(warned.code, 0, "{}", warned.stderr);
    let warnings: Vec<_> = warned
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", warned.stderr);
    assert!(
        warnings[0].contains("artifact cache") && warnings[0].contains("blocked"),
        "{warnings:?}"
    );
    let skipped = user.run(&[&get[..], &["two", "--skip-cache"]].concat());
    assert_eq!(skipped.code, 0, "{}", skipped.stderr);
    assert!(!skipped.stderr.contains("warning"), "{}", skipped.stderr);
    for root in ["one", "two"] {
        assert_eq!(std::fs::read(user.path(root).join("a.txt")).unwrap(), b"a.txt");
        user.ok(&["artifact", "verify", "team/p/data", "--root", root]);
    }
    // Offline there is nothing else.
    user.fails(
        &[
            "artifact",
            "download",
            "team/p/data:v0",
            "--root",
            "three",
            "--offline",
        ],
        1,
        &["artifact cache", "WANDB_CACHE_DIR"],
    );
}

#[test]
fn nothing_is_added_to_a_collection_of_another_type() {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    user.ok(&["project", "create", "team/p"]);
    put(&user, &["a.txt"], &[]);
    let other = [
        "artifact",
        "put",
        "a.txt",
        "--name",
        "team/p/data",
        "--type",
        "model",
        "--incremental",
    ];
    user.fails(&other, 7, &["dataset", "one type"]);
    // A collection that lost its `latest` is told apart from one that never was, too.
    user.ok(&["artifact", "update", "team/p/data:v0", "--unalias", "latest"]);
    user.fails(&other, 7, &["dataset", "one type"]);
    assert_eq!(entries(&user, "team/p/data:v0"), ["a.txt"]);
}
