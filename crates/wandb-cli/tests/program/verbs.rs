//! Sweeps, reports, artifacts and writes to runs: every verb once, and what it may not do.

use serde_json::Value;

use crate::support::{Server, User, files_below};

fn sample() -> (Server, User) {
    let dir = tempfile::tempdir().unwrap();
    User::new().ok(&["demo", "--quiet", "--dir", dir.path().to_str().unwrap()]);
    let server = Server::start_in(dir, &[]);
    let user = User::of(&server);
    (server, user)
}

fn texts<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    let items = list.as_array().unwrap();
    items.iter().map(|item| item[name].as_str().unwrap()).collect()
}

#[test]
fn sweeps_and_reports_are_read() {
    let (_server, user) = sample();
    let sweeps = user.json(&["sweep", "list", "sample"]);
    assert_eq!(texts(&sweeps, "id"), ["samplegr"]);
    let sweep = user.json(&["sweep", "view", "sample/samplegr"]);
    assert_eq!(sweep["order"], "+summary_metrics.val/loss");
    assert_eq!(sweep["config"]["method"], "grid");
    let runs = user.json(&[
        "sweep",
        "runs",
        "sample/samplegr",
        "--order",
        "+summary_metrics.val/loss",
    ]);
    assert_eq!(runs.as_array().unwrap().len(), 6);
    let best = user.json(&["sweep", "best", "sample/samplegr"]);
    assert_eq!(best["id"], runs[0]["id"]);
    let worst = user.json(&[
        "sweep",
        "best",
        "sample/samplegr",
        "--order",
        "-summary_metrics.val/loss",
    ]);
    assert_eq!(worst["id"], runs[5]["id"]);
    user.fails(&["sweep", "view", "sample/nosuch"], 3, &["nosuch"]);

    let reports = user.json(&["report", "list", "sample"]);
    let titles = texts(&reports, "display_name");
    assert_eq!(titles.len(), 2, "{titles:?}");
    for title in titles {
        let one = user.json(&["report", "view", "sample", "--name", title]);
        assert_eq!(one["display_name"], title);
        let all = user.json(&["report", "runs", "sample", "--name", title, "--all"]);
        let chosen = user.json(&["report", "runs", "sample", "--name", title]);
        let (all, chosen) = (texts(&all, "id"), texts(&chosen, "id"));
        assert!(!chosen.is_empty() && chosen.len() <= all.len(), "{title}");
        assert!(chosen.iter().all(|id| all.contains(id)), "{title}");
    }
    user.fails(&["report", "view", "sample", "--name", "nosuch"], 3, &["sample"]);
}

#[test]
fn runs_are_made_changed_and_deleted() {
    let server = Server::start(&[]);
    let user = User::of(&server);
    let made = user.json(&[
        "run",
        "create",
        "local/p/mine",
        "--config",
        "lr=0.1",
        "--config",
        "opt.name=adam",
        "--summary",
        "acc=1",
        "--tag",
        "a",
        "--notes",
        "n",
    ]);
    assert_eq!(made["id"], "mine");
    assert_eq!(made["config"]["opt"]["name"], "adam");
    user.fails(&["run", "create", "local/p/mine"], 7, &["mine"]);
    let changed = user.json(&[
        "run",
        "update",
        "p/mine",
        "--config",
        "lr=0.2",
        "--unset-summary",
        "acc",
        "--summary",
        "deep.score=0.5",
        "--tag",
        "b",
        "--untag",
        "a",
        "--name",
        "shown",
        "--group",
        "g",
        "--job-type",
        "j",
        "--if-unchanged",
    ]);
    assert_eq!(
        (&changed["config"]["lr"], &changed["config"]["opt"]["name"]),
        (&0.2.into(), &"adam".into())
    );
    assert_eq!(changed["summary"], serde_json::json!({"deep": {"score": 0.5}}));
    assert_eq!(changed["tags"], serde_json::json!(["b"]));
    assert_eq!(
        (&changed["name"], &changed["group"], &changed["job_type"]),
        (&"shown".into(), &"g".into(), &"j".into())
    );

    std::fs::create_dir(user.path("out")).unwrap();
    std::fs::write(user.path("out/a.txt"), "text").unwrap();
    let files = user.json(&["run", "upload", "p/mine", "out/a.txt", "--root", "out"]);
    assert_eq!(texts(&files, "name"), ["a.txt"]);
    user.ok(&["run", "download", "p/mine", "--root", "down"]);
    assert_eq!(files_below(&user.path("down")), ["a.txt"]);

    assert_eq!(user.run(&["run", "wait", "p/mine", "--timeout", "1s"]).code, 6);
    server.finish_run("p", "mine", 0);
    user.ok(&["run", "wait", "p/mine"]);
    user.ok(&["run", "delete", "p/mine", "--dry-run"]);
    user.ok(&["run", "view", "p/mine"]);
    // Nobody can be asked, so nothing is deleted.
    assert_eq!(user.run(&["run", "delete", "p/mine"]).code, 2);
    user.ok(&["run", "view", "p/mine"]);
    user.ok(&["run", "delete", "p/mine", "--yes"]);
    user.fails(&["run", "view", "p/mine"], 3, &["mine"]);
}

#[test]
fn artifacts_are_read_checked_and_changed() {
    let (_server, user) = sample();
    const NAME: &str = "sample/sample-model:best";
    let types = user.json(&["artifact", "types", "sample"]);
    assert_eq!(texts(&types, "name"), ["dataset", "model"]);
    let found = user.json(&["artifact", "collections", "sample", "--type", "model"]);
    assert_eq!(texts(&found, "name"), ["sample-model"]);
    let versions = user.json(&["artifact", "versions", "sample/sample-model"]);
    assert_eq!(texts(&versions, "name"), ["sample-model:v1", "sample-model:v0"]);
    let view = user.json(&["artifact", "view", NAME, "--lineage"]);
    assert_eq!(view["version"], "v1");
    let manifest = user.json(&["artifact", "manifest", NAME]);
    let files = user.json(&["artifact", "files", NAME]);
    assert_eq!(texts(&manifest, "path"), ["config.json", "weights/model.bin"]);
    assert_eq!(files.as_array().unwrap().len(), 2);

    let raw = user.ok(&["artifact", "manifest", NAME, "--raw"]);
    std::fs::write(user.path("manifest.json"), raw).unwrap();
    user.ok(&["artifact", "download", NAME, "--root", "model", "--dry-run"]);
    assert!(files_below(&user.path("model")).is_empty());
    user.ok(&["artifact", "download", NAME, "--root", "model"]);
    user.ok(&[
        "artifact",
        "verify",
        "--manifest",
        "manifest.json",
        "--root",
        "model",
    ]);
    std::fs::write(user.path("model/extra"), "x").unwrap();
    std::fs::write(user.path("model/config.json"), "changed").unwrap();
    let verified = user.run(&["artifact", "verify", NAME, "--root", "model"]);
    assert_eq!(verified.code, 5);
    assert!(verified.stdout.contains("extra") && verified.stdout.contains("config.json"));
    user.ok(&["artifact", "checkout", NAME, "--root", "model", "--dry-run"]);
    assert!(user.path("model/extra").exists());
    user.ok(&["artifact", "checkout", NAME, "--root", "model", "--yes"]);
    user.ok(&["artifact", "verify", NAME, "--root", "model"]);
    // The version was read, and its files are in the cache: no server is needed.
    user.ok(&[
        "artifact",
        "download",
        "local/sample/sample-model:v1",
        "--root",
        "again",
        "--offline",
    ]);
    assert_eq!(files_below(&user.path("again")), files_below(&user.path("model")));

    let edited = user.json(&[
        "artifact",
        "update",
        NAME,
        "--alias",
        "prod",
        "--unalias",
        "best",
        "--tag",
        "seen",
        "--description",
        "checked",
    ]);
    assert_eq!(edited["description"], "checked");
    let aliases: Vec<&str> = edited["aliases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        aliases.contains(&"prod") && !aliases.contains(&"best"),
        "{aliases:?}"
    );
    user.ok(&[
        "artifact",
        "link",
        "sample/sample-model:v0",
        "sample/shelf",
        "--alias",
        "live",
    ]);
    let shelf = user.json(&["artifact", "view", "sample/shelf:live"]);
    assert_eq!(shelf["collection"], "shelf");
    user.ok(&["artifact", "unlink", "sample/shelf:live", "--yes"]);
    user.fails(
        &["artifact", "delete", "sample/sample-model:v0", "--yes"],
        7,
        &["alias"],
    );
    user.ok(&[
        "artifact",
        "delete",
        "sample/sample-model:v0",
        "--with-aliases",
        "--yes",
    ]);
    user.fails(
        &["artifact", "view", "sample/sample-model:v0"],
        3,
        &["sample-model"],
    );

    let run = user.json(&["run", "create", "local/sample/user-of-it"]);
    assert_eq!(run["id"], "user-of-it");
    user.ok(&["run", "use-artifact", "sample/user-of-it", "sample-digits:latest"]);
    let used = user.json(&["run", "used-artifacts", "sample/user-of-it"]);
    assert_eq!(texts(&used, "name"), ["sample-digits:v0"]);
    user.ok(&[
        "run",
        "log-artifact",
        "sample/user-of-it",
        "sample-model:v1",
        "--alias",
        "again",
    ]);
    let logged = user.json(&["run", "logged-artifacts", "sample/user-of-it"]);
    assert_eq!(texts(&logged, "name"), ["sample-model:v1"]);

    let cache = user.path("cache");
    let cache = cache.to_str().unwrap();
    user.ok(&["artifact", "cache", "du", "--cache-dir", cache]);
    let home = user.json(&["artifact", "cache", "ls"]);
    assert!(!home.as_array().unwrap().is_empty());
    user.ok(&["artifact", "cache", "verify"]);
    user.ok(&["artifact", "cache", "gc", "--max", "0"]);
    let left = user.json(&["artifact", "cache", "ls"]);
    let left = left.as_array().unwrap();
    assert!(left.iter().all(|item| item["verified"].is_null()), "{left:?}");
}

#[test]
fn artifacts_are_logged_and_read_back() {
    let server = Server::start(&[]);
    let user = User::of(&server);
    server.start_run("p", "r", &serde_json::json!({}));
    std::fs::create_dir_all(user.path("model/deep")).unwrap();
    std::fs::write(user.path("model/config.json"), "{}").unwrap();
    std::fs::write(user.path("model/deep/w.bin"), [7; 5000]).unwrap();
    let put = ["artifact", "put", "model", "--name", "p/m", "--type", "model"];
    let with = |more: &[&'static str]| [&put[..], more].concat();
    user.ok(&with(&["--dry-run"]));
    user.fails(&["artifact", "view", "p/m"], 3, &["m"]);
    user.ok(&with(&["--alias", "best", "--run", "r"]));
    // The same again is the same version.
    user.ok(&with(&["--alias", "again"]));
    let versions = user.json(&["artifact", "versions", "p/m"]);
    assert_eq!(texts(&versions, "name"), ["m:v0"]);
    let logged = user.json(&["run", "logged-artifacts", "p/r"]);
    assert_eq!(texts(&logged, "collection"), ["m"]);
    user.ok(&["artifact", "download", "p/m:again", "--root", "back"]);
    assert_eq!(files_below(&user.path("back")), files_below(&user.path("model")));
    user.ok(&["artifact", "verify", "p/m:best", "--root", "model"]);
    let entry = user.ok(&["artifact", "get", "p/m:best", "config.json"]);
    let path = std::path::Path::new(entry.trim());
    assert_eq!(std::fs::read(user.home().join(path)).unwrap(), b"{}", "{entry}");
    user.fails(&["artifact", "get", "p/m:best", "nosuch"], 3, &["nosuch"]);
    user.fails(
        &["artifact", "put", "nosuch", "--name", "p/m", "--type", "model"],
        1,
        &["nosuch"],
    );
}
