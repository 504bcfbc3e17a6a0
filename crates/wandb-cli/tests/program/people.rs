//! Users, teams and API keys.

use serde_json::json;

use crate::support::{User, all, planned, served};

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
fn a_team_is_made_filled_and_emptied() {
    let (server, user) = served();
    let dir = server.dir().to_str().unwrap().to_owned();
    user.ok(&["local", "user", "add", "ada", "--dir", &dir]);
    let team = user.json(&["team", "create", "research"]);
    assert_eq!(team["name"], "research");
    user.fails(&["team", "create", "research"], 7, &["research"]);
    let invited = user.json(&["team", "invite", "research", "ada"]);
    assert!(all(&invited["members"], "username").contains(&"ada"), "{invited}");
    assert_eq!(all(&user.json(&["user", "list", "ada"]), "username"), ["ada"]);
    assert_eq!(user.json(&["user", "list", "nobody-is-called-so"]), json!([]));

    let made = user.json(&["team", "service-account", "research", "--description", "nightly"]);
    let key = made["api_key"].as_str().unwrap();
    let robot = User::new()
        .with("WANDB_BASE_URL", &server.url)
        .with("WANDB_API_KEY", key);
    robot.ok(&["project", "create", "research/by-robot"]);
    let seen = user.ok(&["team", "view", "research", "--output", "json"]);
    assert!(!seen.contains(key), "a key is shown once");

    let remove = ["team", "remove", "research", "ada"];
    assert_eq!(planned(&user, &remove), [["remove", "member", "ada"]]);
    user.fails(&remove, 2, &["--yes"]);
    user.ok(&[&remove[..], &["--yes"]].concat());
    let left = user.json(&["team", "view", "research"]);
    assert!(!all(&left["members"], "username").contains(&"ada"), "{left}");
    user.fails(&[&remove[..], &["--yes"]].concat(), 3, &["ada"]);
}

#[test]
fn an_api_key_is_made_used_and_deleted() {
    let (server, user) = served();
    let made = user.json(&["api-key", "create", "--description", "laptop"]);
    let (id, key) = (made["id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    let second = User::new()
        .with("WANDB_BASE_URL", &server.url)
        .with("WANDB_API_KEY", key);
    second.ok(&["whoami"]);
    let listed = user.ok(&["api-key", "list", "--output", "json"]);
    assert!(
        listed.contains("laptop") && listed.contains(id) && !listed.contains(key),
        "{listed}"
    );
    let delete = ["api-key", "delete", id];
    assert_eq!(planned(&user, &delete), [["delete", "api-key", id]]);
    user.fails(&delete, 2, &["--yes"]);
    second.ok(&["whoami"]);
    user.ok(&[&delete[..], &["--yes"]].concat());
    second.fails(&["whoami"], 4, &["key"]);
    user.fails(&[&delete[..], &["--yes"]].concat(), 3, &[id]);
}
