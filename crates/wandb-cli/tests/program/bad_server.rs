//! Servers that misbehave: an HTML page, half a body, nulls, wrong bytes, errors that pass.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use crate::support::{Server, User, files_below};

/// A user of a server that answers every request with these bytes.
pub(crate) fn answering(answer: &'static [u8]) -> User {
    User::new()
        .with("WANDB_BASE_URL", &address_answering(answer))
        .with("WANDB_API_KEY", &"a".repeat(40))
}

/// Answers every request with these bytes, on a port of its own, as long as the test runs; gives its address.
pub(crate) fn address_answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // The whole request is read first: closing a socket with unread bytes resets the connection.
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while let Ok(size) = stream.read(&mut chunk) {
                request.extend_from_slice(&chunk[..size]);
                if size == 0 || is_complete(&request) {
                    break;
                }
            }
            let _ = stream.write_all(answer);
        }
    });
    url
}

pub(crate) fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    body.len() >= length.unwrap_or(0)
}

const COMMANDS: [&[&str]; 4] = [
    &["run", "list", "team/vision", "-o", "jsonl"],
    &["run", "view", "team/vision/alpha"],
    &["run", "scan", "team/vision/alpha", "--out", "rows.jsonl"],
    &["run", "download", "team/vision/alpha", "a.txt"],
];

#[test]
fn a_page_for_people_is_not_taken_for_data() {
    let user = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 35\r\nConnection: close\r\n\r\n<html><body>Welcome!</body></html>\n",
    );
    for arguments in COMMANDS {
        user.fails(arguments, 1, &["web page", "hint: "]);
    }
    assert!(files_below(user.home()).is_empty());
}

#[test]
fn a_wrong_address_is_no_missing_object() {
    let server = Server::start(&["--entity", "team"]);
    let misled = |path: &str| {
        User::new()
            .with("WANDB_BASE_URL", &format!("{}{path}", server.url))
            .with("WANDB_API_KEY", &server.api_key)
    };
    let elsewhere = answering(
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 23\r\nConnection: close\r\n\r\n<html>Not here.</html>\n",
    );
    for user in [misled("/graphql"), misled("/somewhere"), elsewhere] {
        for arguments in COMMANDS {
            user.fails(arguments, 1, &["no GraphQL endpoint", "without /graphql"]);
        }
        user.fails(&["whoami"], 1, &["without /graphql"]);
        assert!(files_below(user.home()).is_empty());
    }
    User::of(&server).fails(&["run", "view", "team/vision/alpha"], 3, &["team/vision"]);
}

#[test]
fn half_a_body_is_not_taken_for_a_whole_one() {
    let user = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2700\r\nConnection: close\r\n\r\n{\"data\":{\"project\":",
    );
    // One command is enough here: each waits out the retries.
    user.fails(
        &["run", "scan", "team/vision/alpha", "--out", "rows.jsonl"],
        1,
        &["team/vision/alpha"],
    );
    assert!(files_below(user.home()).is_empty());
}

#[test]
fn nulls_where_a_project_should_be_are_not_found() {
    let user = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\nConnection: close\r\n\r\n{\"data\":{\"project\":  null}}",
    );
    for arguments in COMMANDS {
        user.fails(arguments, 3, &["team/vision"]);
    }
    assert!(files_below(user.home()).is_empty());
}

#[test]
fn wrong_bytes_get_no_name() {
    let server = Server::start(&["--fault", "flip=5,path=/dl/"]);
    server.start_run("p", "r", &json!({}));
    server.upload("p", "r", "model.bin", &[1; 5000]);
    let user = User::of(&server);
    user.fails(&["run", "download", "p/r", "--root", "down"], 5, &["model.bin"]);
    assert!(
        files_below(user.home()).is_empty(),
        "{:?}",
        files_below(user.home())
    );
}

#[test]
fn a_cut_body_is_gone_on_with() {
    let server = Server::start(&["--fault", "cut=1000,path=/dl/,limit=2"]);
    server.start_run("p", "r", &json!({}));
    let bytes: Vec<u8> = (0..50_000_u32).map(|number| (number % 251) as u8).collect();
    server.upload("p", "r", "model.bin", &bytes);
    let user = User::of(&server);
    user.ok(&["run", "download", "p/r", "--root", "down"]);
    assert_eq!(std::fs::read(user.path("down/model.bin")).unwrap(), bytes);
    assert_eq!(files_below(user.home()), ["down/model.bin"]);
}

#[test]
fn errors_that_pass_are_waited_out() {
    let server = Server::start(&["--fault", "503,op=Runs,limit=1"]);
    server.start_run("p", "r", &json!({}));
    let user = User::of(&server);
    // -v tells of the retry, and of no secret.
    let finished = user.run(&["-v", "run", "list", "p", "-o", "jsonl"]);
    assert_eq!(
        (finished.code, finished.stdout.lines().count()),
        (0, 1),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("503"), "{}", finished.stderr);
    assert!(!finished.stderr.contains(&server.api_key), "{}", finished.stderr);
}

#[test]
#[cfg(unix)]
fn an_interrupted_download_leaves_nothing() {
    use std::time::{Duration, Instant};

    let server = Server::start(&["--fault", "slow=20000,path=/dl/"]);
    server.start_run("p", "r", &json!({}));
    server.upload("p", "r", "model.bin", &[1; 2_000_000]);
    let user = User::of(&server);
    let mut child = user
        .command(&["run", "download", "p/r", "--root", "down"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It would take 100 seconds; the temporary file shows that it has begun.
    let patience = Instant::now() + Duration::from_secs(60);
    while files_below(user.home()).is_empty() {
        assert!(Instant::now() < patience, "the download did not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
    assert_eq!(stderr, "error: interrupted\n");
    assert!(
        files_below(user.home()).is_empty(),
        "{:?}",
        files_below(user.home())
    );
}
