//! Artifacts: put, changed, linked, deleted, and back again verified.

use serde_json::{Value, json};

use crate::bad_server::address_answering;
use crate::support::{all, files_below, planned, served};

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
    assert_eq!(
        planned(&user, &put),
        [["log", "artifact", "team/p/data"], ["add", "file", "a.txt"]]
    );
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
    let lineage = user.json(&["artifact", "view", "team/p/data:v0", "--lineage"]);
    let maker = lineage["logged_by"].as_str().unwrap();
    assert_eq!(user.json(&["run", "view", maker])["project"], "p", "{maker}");
    assert!(maker.starts_with("team/p/"), "{maker}");
    assert_eq!(lineage["used_by"], json!(["team/p/user"]));
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
    assert_eq!(
        planned(&user, &["artifact", "unlink", link]),
        [["unlink", "artifact", link]]
    );
    // What would be refused is refused in a dry run, too.
    user.fails(
        &["artifact", "unlink", "team/p/data:v0", "--dry-run"],
        2,
        &["not a link"],
    );
    // Whatever is given, the advice is what deletes it.
    for more in [&["--dry-run"][..], &["--with-aliases", "--dry-run"], &["--yes"]] {
        user.fails(
            &[&["artifact", "delete", link], more].concat(),
            2,
            &[
                "is a link to team/p/data:v0",
                &format!("wb artifact unlink {link}"),
                "wb artifact delete team/p/data:v0",
            ],
        );
    }
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
        planned(&user, &["artifact", "delete", "team/p/data:v0", "--with-aliases"]),
        [["delete", "artifact", "team/p/data:v0"]]
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
    assert_eq!((&done["unchecked"], &done["copied"]), (&json!([]), &json!(0)));
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
    let rows = user.run(&["artifact", "verify", name, "--root", "back", "-o", "csv"]);
    assert_eq!(rows.code, 5);
    let rows: Vec<&str> = rows.stdout.lines().collect();
    assert_eq!(rows[0], "path,fault,expected,actual");
    assert!(rows[1].starts_with("a.txt,changed,"), "{rows:?}");
    assert_eq!(rows[2..], ["extra.txt,extra,,file"]);

    let plan = user.json(&["artifact", "checkout", name, "--root", "back", "--dry-run"]);
    assert_eq!(
        (&plan["removed"], &plan["present"]),
        (&json!(["extra.txt"]), &json!(1))
    );
    user.fails(&["artifact", "checkout", name, "--root", "back"], 2, &["--yes"]);
    assert_eq!(std::fs::read(user.path("back/extra.txt")).unwrap(), b"mine");
    user.ok(&["artifact", "checkout", name, "--root", "back", "--yes"]);
    assert_eq!(files_below(&user.path("back")), ["a.txt", "b.txt"]);
    assert_eq!(std::fs::read(user.path("back/a.txt")).unwrap(), b"alpha");

    let before = user.json(&["artifact", "cache", "ls"]);
    assert!(before.as_array().unwrap().len() >= 2, "{before}");
    let last_use = before[0]["last_use"].as_str().unwrap();
    assert!(
        last_use.starts_with("20") && last_use.ends_with('Z'),
        "{last_use}"
    );
    user.ok(&["artifact", "cache", "verify"]);
    user.ok(&["artifact", "cache", "gc", "--max", "0", "--dry-run"]);
    assert_eq!(user.json(&["artifact", "cache", "ls"]), before);
    user.ok(&["artifact", "cache", "gc", "--max", "0"]);
    // Records of what was read stay; of the files nothing does.
    let left = user.json(&["artifact", "cache", "ls"]);
    let left = left.as_array().unwrap();
    assert!(left.iter().all(|item| item["verified"].is_null()), "{left:?}");
    assert!(user.ok(&["artifact", "cache", "du"]).contains("together"));
}

#[test]
fn a_collection_is_changed_and_deleted() {
    let (_server, user) = served();
    std::fs::write(user.path("a.txt"), "alpha").unwrap();
    let put = ["artifact", "put", "a.txt", "--type", "dataset", "--name"];
    user.ok(&[&put[..], &["team/p/data", "--alias", "first"]].concat());
    std::fs::write(user.path("a.txt"), "beta").unwrap();
    user.ok(&[&put[..], &["team/p/data"]].concat());

    let changed = user.json(&[
        "artifact",
        "collection",
        "update",
        "team/p/data",
        "--rename",
        "renamed",
        "--description",
        "words",
        "--tag",
        "x",
        "--tag",
        "y",
    ]);
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["tags"]),
        (&json!("renamed"), &json!("words"), &json!(["x", "y"]))
    );
    user.ok(&[
        "artifact",
        "collection",
        "update",
        "team/p/renamed",
        "--untag",
        "x",
    ]);
    let view = ["artifact", "collection", "view", "team/p/renamed"];
    let seen = user.json(&view);
    assert_eq!(
        (&seen["tags"], &seen["description"]),
        (&json!(["y"]), &json!("words"))
    );
    let mut aliases = seen["aliases"].as_array().unwrap().clone();
    aliases.sort_by_key(ToString::to_string);
    assert_eq!(aliases, [json!("first"), json!("latest")]);
    assert!(user.ok(&view).contains("sequence"));
    user.fails(&[&view[..], &["--type", "model"]].concat(), 3, &["dataset"]);
    user.fails(
        &["artifact", "collection", "update", "team/p/renamed"],
        2,
        &["--rename"],
    );

    let delete = ["artifact", "collection", "delete", "team/p/renamed"];
    let steps = planned(&user, &delete);
    assert_eq!(
        steps,
        [
            ["delete", "collection", "team/p/renamed"],
            ["delete", "artifact", "team/p/renamed:v1"],
            ["delete", "artifact", "team/p/renamed:v0"]
        ]
    );
    user.fails(&delete, 2, &["--yes"]);
    user.ok(&view);
    user.ok(&[&delete[..], &["--yes"]].concat());
    user.fails(&view, 3, &["renamed"]);
}

#[test]
fn a_wrong_file_of_the_cache_is_told_before_it_is_removed() {
    let (_server, user) = served();
    std::fs::write(user.path("a.txt"), "alpha").unwrap();
    user.ok(&["artifact", "put", "a.txt", "--name", "team/p/data", "--type", "d"]);
    user.ok(&["artifact", "download", "team/p/data:v0", "--root", "back"]);
    let cache = user.path("cache-of-its-own");
    let object = cache.join("artifacts/obj/md5/90/0150983cd24fb0d6963f7d28e17f72");
    std::fs::create_dir_all(object.parent().unwrap()).unwrap();
    std::fs::write(&object, "not abc").unwrap();
    let place = cache.to_str().unwrap();
    let verify = ["artifact", "cache", "verify", "--cache-dir", place];
    let tried = user.run(&[&verify[..], &["--dry-run", "-o", "json"]].concat());
    assert_eq!(tried.code, 5, "{}", tried.stderr);
    let found: Value = serde_json::from_str(&tried.stdout).unwrap();
    assert_eq!(found["wrong"].as_array().unwrap().len(), 1, "{found}");
    assert!(object.exists());
    assert_eq!(user.run(&verify).code, 5);
    assert!(!object.exists());
    user.ok(&verify);
}

#[test]
fn a_download_keeps_to_the_sizes_that_were_given() {
    let (_server, user) = served();
    std::fs::create_dir(user.path("data")).unwrap();
    for name in ["a", "b", "c"] {
        std::fs::write(user.path("data").join(name), name.repeat(1000)).unwrap();
    }
    let put = ["artifact", "put", "--type", "d", "--name"];
    user.ok(&[&put[..], &["team/p/data", "data"]].concat());
    let verified = |user: &crate::support::User| {
        let listed = user.json(&["artifact", "cache", "ls"]);
        let objects = listed.as_array().unwrap().iter();
        objects.filter(|object| object["verified"] == true).count()
    };
    user.ok(&["artifact", "cache", "gc", "--max", "0"]);
    let download = ["artifact", "download", "team/p/data:v0", "--root"];
    user.ok(&[&download[..], &["small", "--cache-budget", "1500"]].concat());
    assert_eq!(verified(&user), 1);
    user.ok(&[&download[..], &["large", "--cache-budget", "1GB"]].concat());
    assert_eq!(verified(&user), 3);
    let get = [
        "artifact",
        "get",
        "team/p/data:v0",
        "a",
        "--root",
        "got",
        "--cache-budget",
        "0",
    ];
    user.ok(&get);
    assert_eq!(verified(&user), 0);
    user.fails(
        &[&download[..], &["none", "--skip-cache", "--cache-budget", "1"]].concat(),
        2,
        &["--skip-cache"],
    );
    user.fails(
        &[&download[..], &["none", "--cache-budget", "much"]].concat(),
        2,
        &["much"],
    );

    // An object that does not say how long it is.
    let address = address_answering(
        b"HTTP/1.1 200 OK\r\nETag: \"tag\"\r\nConnection: close\r\n\r\nthirty bytes without a number..",
    );
    let reference = format!("x={address}/x");
    user.ok(&[&put[..], &["team/p/refs", "--reference", &reference]].concat());
    let refs = [
        "artifact",
        "download",
        "team/p/refs:v0",
        "--root",
        "refs",
        "--unsized-limit",
    ];
    let refused = user.run(&[&refs[..], &["20"]].concat());
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    assert!(refused.stderr.contains("20"), "{}", refused.stderr);
    assert!(files_below(&user.path("refs")).is_empty());
    user.ok(&[&refs[..], &["1kB"]].concat());
    assert_eq!(files_below(&user.path("refs")), ["x"]);
}
