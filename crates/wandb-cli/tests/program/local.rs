//! `wb local …`: users and teams of an embedded server, while it runs and while it does not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Server, User};

const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap();
    let name = |item: &Value| item[field].as_str().unwrap().to_owned();
    items.iter().map(name).collect()
}

/// Somebody with this key on a server.
fn user_with(server: &Server, key: &str) -> User {
    User::new()
        .with("WANDB_BASE_URL", &server.url)
        .with("WANDB_API_KEY", key)
}

#[test]
fn a_second_users_key_works_at_once_and_sees_their_own_projects() {
    let server = Server::start(&[]);
    server.start_run("owners", "r", &json!({}));
    let dir = server.dir().to_str().unwrap();
    let owner = User::of(&server);

    let ada = owner.json(&["local", "user", "add", "ada", "--dir", dir]);
    assert_eq!((&ada["username"], &ada["entity"]), (&json!("ada"), &json!("ada")));
    let ada = user_with(&server, ada["api_key"].as_str().unwrap());
    assert_eq!(ada.json(&["project", "list"]), json!([]));
    let grace = owner.run(&["local", "user", "add", "grace", "--dir", dir, "--api-key", KEY]);
    assert_eq!(grace.code, 0, "{}", grace.stderr);
    assert_eq!(grace.stdout, format!("{KEY}\n"), "stdout is the key");
    assert!(
        grace.stderr.contains("grace") && !grace.stderr.contains(KEY),
        "{}",
        grace.stderr
    );
    let grace = user_with(&server, KEY);

    // What the owner has is not there for others; the owner sees everything.
    ada.fails(&["project", "list", &server.entity], 3, &[]);
    ada.fails(&["run", "view", &format!("{}/owners/r", server.entity)], 3, &[]);
    ada.ok(&["run", "create", "ada/cats/r1"]);
    grace.ok(&["run", "create", "grace/dogs/r1"]);
    assert_eq!(names(&ada.json(&["project", "list"]), "name"), ["cats"]);
    assert_eq!(names(&grace.json(&["project", "list"]), "name"), ["dogs"]);
    assert_eq!(names(&owner.json(&["project", "list", "ada"]), "name"), ["cats"]);
    grace.fails(&["run", "view", "ada/cats/r1"], 3, &[]);

    // A team's projects are there for its members from then on.
    let team = owner.json(&["local", "team", "add", "lab", "--member", "ada", "--dir", dir]);
    assert_eq!(team, json!({ "name": "lab", "members": ["ada"] }));
    ada.ok(&["run", "create", "lab/shared/r1"]);
    grace.fails(&["run", "view", "lab/shared/r1"], 3, &[]);
    let team = owner.json(&["local", "team", "add", "lab", "--member", "grace", "--dir", dir]);
    assert_eq!(team["members"], json!(["ada", "grace"]));
    assert_eq!(grace.json(&["run", "view", "lab/shared/r1"])["id"], "r1");
}

#[test]
fn users_and_teams_are_listed_and_stay() {
    let server = Server::start(&[]);
    let entity = server.entity.clone();
    let dir = server.kill();
    let path = dir.path().to_str().unwrap();
    let user = User::new();
    for name in ["grace", "ada"] {
        user.ok(&["local", "user", "add", name, "--dir", path]);
    }
    // The data directory may also be named as every other command names it.
    let added = user.run(&[
        "--local", path, "local", "team", "add", "lab", "--member", "grace", "--member", "ada",
    ]);
    assert_eq!((added.code, added.stdout.as_str()), (0, ""), "{}", added.stderr);
    assert!(added.stderr.contains("lab"), "{}", added.stderr);
    user.ok(&["local", "team", "add", "empty", "--dir", path]);

    let users = user.json(&["local", "user", "list", "--dir", path]);
    let mut expected = vec!["ada".to_owned(), "grace".to_owned(), entity];
    expected.sort();
    assert_eq!(names(&users, "username"), expected);
    for user in users.as_array().unwrap() {
        let own = !["ada", "grace"].contains(&user["username"].as_str().unwrap());
        assert_eq!(user["admin"], own, "the server's own user is the admin: {user}");
        assert_eq!(user["service"], false);
        assert_eq!(user["teams"], if own { json!([]) } else { json!(["lab"]) });
        assert!(user.get("api_key").is_none(), "keys are shown once: {user}");
    }
    let teams = user.json(&["local", "team", "list", "--dir", path]);
    assert_eq!(names(&teams, "name"), ["empty", "lab"]);
    assert_eq!(teams[0]["members"], json!([]));
    let members: BTreeSet<_> = teams[1]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_str)
        .collect();
    assert_eq!(members, BTreeSet::from([Some("ada"), Some("grace")]));
    let table = user.ok(&["local", "user", "ls", "--dir", path, "--output", "table"]);
    for word in ["USER", "ROLE", "admin", "ada", "lab"] {
        assert!(table.contains(word), "{word}:\n{table}");
    }
}

#[test]
fn what_cannot_be_added_is_refused() {
    let server = Server::start(&[]);
    let dir = server.dir().to_str().unwrap();
    let user = User::new();
    user.ok(&["local", "user", "add", "ada", "--dir", dir, "--api-key", KEY]);
    user.ok(&["local", "team", "add", "lab", "--dir", dir]);
    let before = user.json(&["local", "user", "list", "--dir", dir]);
    let own = server.entity.as_str();
    for (name, code, words) in [
        ("ada", 7, &["ada", "taken"][..]),
        (own, 7, &[own, "taken"]),
        ("lab", 7, &["lab", "taken"]),
        ("a/b", 2, &["invalid user name"]),
        ("", 2, &["invalid user name"]),
        ("..", 2, &["invalid user name"]),
    ] {
        user.fails(&["local", "user", "add", name, "--dir", dir], code, words);
    }
    // A key is neither shared nor so short that clients would not send it; a refusal does not show it.
    for (key, code) in [(KEY, 7), ("short", 2)] {
        let refused = user.fails(
            &["local", "user", "add", "bob", "--dir", dir, "--api-key", key],
            code,
            &["key"],
        );
        assert!(!refused.stderr.contains(key), "{}", refused.stderr);
    }
    user.fails(&["local", "team", "add", "ada", "--dir", dir], 7, &["ada"]);
    user.fails(
        &["local", "team", "add", "a b", "--dir", dir],
        2,
        &["invalid team name"],
    );
    user.fails(
        &["local", "team", "add", "new", "--member", "nobody", "--dir", dir],
        3,
        &["nobody"],
    );
    assert_eq!(user.json(&["local", "user", "list", "--dir", dir]), before);
    let teams = user.json(&["local", "team", "list", "--dir", dir]);
    assert_eq!(
        names(&teams, "name"),
        ["lab"],
        "what could not be filled was not made"
    );

    let missing = user.path("nothing");
    user.fails(
        &["local", "user", "list", "--dir", missing.to_str().unwrap()],
        3,
        &["nothing", "wb serve"],
    );
    assert!(!missing.exists());
    for (option, value) in [
        ("--base-url", server.url.as_str()),
        ("--profile", "work"),
        ("--local", dir),
    ] {
        user.fails(
            &["local", "team", "list", "--dir", dir, option, value],
            2,
            &[option],
        );
    }
    assert_eq!(user.run(&["local", "user", "add", "--dir", dir]).code, 2);
    assert_eq!(user.run(&["local", "nonsense"]).code, 2);
}
