//! Running `wb`, and writing runs into a server the way the official client does: over HTTP, by hand.

mod http;
mod proxy;
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use http::send;
pub(crate) use proxy::Proxy;
pub(crate) use server::Server;

/// A user with a home directory of their own, and none of the tester's environment.
pub(crate) struct User {
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// What a finished `wb` left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl User {
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        }
    }

    /// A user whose environment points to the server.
    pub(crate) fn of(server: &Server) -> Self {
        Self::new()
            .with("WANDB_BASE_URL", &server.url)
            .with("WANDB_API_KEY", &server.api_key)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A command for `wb`, run in the home directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wb"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path());
        // The loader and the temporary directory are the machine's business.
        for name in ["PATH", "TMPDIR", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        Finished::from(self.command(arguments).output().unwrap())
    }

    /// Runs and expects success; gives stdout.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!(finished.code, 0, "{arguments:?}\n{}", finished.stderr);
        finished.stdout
    }

    /// Runs and expects success and one JSON document.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--output", "json"]);
        let text = self.ok(&arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{text}"))
    }

    /// Runs and expects a failure: this exit code, nothing on stdout, one `error:` line that holds each of the words.
    pub(crate) fn fails(&self, arguments: &[&str], code: i32, words: &[&str]) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(finished.code, code, "{arguments:?}\n{}", finished.stderr);
        assert_eq!(finished.stdout, "", "{arguments:?}");
        let errors: Vec<&str> = finished
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{arguments:?}\n{}", finished.stderr);
        for word in words {
            assert!(
                finished.stderr.contains(word),
                "{arguments:?} does not say {word:?}:\n{}",
                finished.stderr
            );
        }
        finished
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The names in a directory and below, without the directories themselves.
pub(crate) fn files_below(root: &Path) -> Vec<String> {
    fn visit(dir: &Path, root: &Path, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, root, names);
            } else {
                names.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut names = Vec::new();
    if root.exists() {
        visit(root, root, &mut names);
    }
    names.sort();
    names
}

/// A server with the project `team/p`, and its user.
pub(crate) fn served() -> (Server, User) {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    user.ok(&["project", "create", "team/p"]);
    (server, user)
}

/// The values of one field of a JSON list.
pub(crate) fn all<'a>(document: &'a Value, field: &str) -> Vec<&'a str> {
    let items = document.as_array().unwrap().iter();
    items.map(|item| item[field].as_str().unwrap()).collect()
}

/// The plan of a dry run: action, object and name of each step.
pub(crate) fn planned(user: &User, arguments: &[&str]) -> Vec<[String; 3]> {
    let plan = user.json(&[arguments, &["--dry-run"]].concat());
    let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    let steps = plan.as_array().unwrap().iter();
    steps
        .map(|step| ["action", "object", "name"].map(|name| text(step, name)))
        .collect()
}
