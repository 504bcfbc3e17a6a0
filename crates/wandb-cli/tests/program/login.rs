//! `wb login`: what it stores, and where.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Finished, Server, User, files_below};

fn login(user: &User, arguments: &[&str], key: &str) -> Finished {
    let mut all = vec!["login", "--with-key-stdin"];
    all.extend(arguments);
    let mut child = user
        .command(&all)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(key.as_bytes()).unwrap();
    let finished = Finished::from(child.wait_with_output().unwrap());
    assert!(
        !finished.stderr.contains(key.trim()) && finished.stdout.is_empty(),
        "{finished:?}"
    );
    finished
}

#[test]
fn the_key_goes_to_netrc_and_the_address_to_the_settings() {
    let server = Server::start(&[]);
    let user = User::new();
    let netrc = user.path(".netrc");
    std::fs::write(
        &netrc,
        "machine github.com login me password secret # mine\ndefault login x password y\n",
    )
    .unwrap();
    let finished = login(
        &user,
        &["--base-url", &server.url],
        &format!("{}\n", server.api_key),
    );
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let host = server.url.strip_prefix("http://").unwrap();
    let text = std::fs::read_to_string(&netrc).unwrap();
    assert!(
        text.starts_with("machine github.com login me password secret # mine\n"),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "machine {host}\n  login user\n  password {}\n",
            server.api_key
        )),
        "{text}"
    );
    assert!(text.ends_with("default login x password y\n"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&netrc).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let settings = std::fs::read_to_string(user.path(".config/wandb/settings")).unwrap();
    assert!(
        settings.contains(&format!("base_url = {}", server.url)),
        "{settings}"
    );

    // And from now on nothing has to be said.
    let identity = user.json(&["whoami"]);
    assert_eq!(identity["base_url"], server.url.as_str());
    assert!(
        identity["key_source"].as_str().unwrap().contains(".netrc"),
        "{identity}"
    );
    user.ok(&["project", "list"]);

    // Once more: nothing is doubled.
    assert_eq!(login(&user, &[], &server.api_key).code, 0);
    assert_eq!(std::fs::read_to_string(&netrc).unwrap(), text);
    assert_eq!(files_below(user.home()), [".config/wandb/settings", ".netrc"]);
}

#[test]
fn a_key_that_the_server_refuses_is_not_stored() {
    let server = Server::start(&[]);
    let user = User::new();
    assert_eq!(
        login(&user, &["--base-url", &server.url], &"b".repeat(40)).code,
        4
    );
    assert_eq!(login(&user, &["--base-url", &server.url], "short").code, 4);
    assert_eq!(
        login(&user, &["--base-url", "http://127.0.0.1:9"], &"b".repeat(40)).code,
        1
    );
    assert!(files_below(user.home()).is_empty());
    // Nobody to ask.
    user.fails(&["login", "--base-url", &server.url], 2, &["--with-key-stdin"]);
}

#[test]
fn profiles_keep_their_own_key_and_address() {
    let (first, second) = (
        Server::start(&["--entity", "one"]),
        Server::start(&["--entity", "two"]),
    );
    let user = User::new();
    assert_eq!(
        login(
            &user,
            &["--profile", "one", "--base-url", &first.url],
            &first.api_key
        )
        .code,
        0
    );
    let finished = login(
        &user,
        &["--profile", "two", "--base-url", &second.url, "--entity", "two"],
        &second.api_key,
    );
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(
        user.json(&["--profile", "one", "whoami"])["base_url"],
        first.url.as_str()
    );
    let identity = user.json(&["--profile", "two", "whoami"]);
    assert_eq!(
        (identity["base_url"].as_str(), identity["entity"].as_str()),
        (Some(second.url.as_str()), Some("two"))
    );
    // A profile that is named counts for more than the environment.
    let elsewhere = user
        .with("WANDB_BASE_URL", &second.url)
        .with("WANDB_API_KEY", &second.api_key);
    assert_eq!(
        elsewhere.json(&["--profile", "one", "whoami"])["base_url"],
        first.url.as_str()
    );
    elsewhere.fails(&["--profile", "three", "whoami"], 2, &["three"]);
}
