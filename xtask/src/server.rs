//! An embedded server for one task: `wb serve` as a child process that ends with the task.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Failure, Result};

/// How long a server may take until it accepts requests; far more than it needs on a slow machine.
const START: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) api_key: String,
    pub(crate) entity: String,
}

impl Server {
    /// Starts `program serve` on a free port, with its data in `folder` and its messages in `log`.
    ///
    /// # Errors
    /// When it does not start, or its first line is not the promised JSON object.
    pub(crate) fn start(program: &Path, folder: &Path, log: &Path, options: &[&str]) -> Result<Self> {
        let messages = File::create(log)
            .map_err(|cause| Failure::about(format!("cannot write {}", log.display()), cause))?;
        let mut command = Command::new(program);
        crate::python::isolate(&mut command, folder.parent().unwrap_or(folder));
        let mut child = command
            .args(["serve", "--port", "0", "--dir"])
            .arg(folder)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(messages)
            .spawn()
            .map_err(|cause| Failure::about(format!("cannot run {}", program.display()), cause))?;
        let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
        let mut server = Self {
            child,
            url: String::new(),
            api_key: String::new(),
            entity: String::new(),
        };
        let line = first_line(stdout).ok_or_else(|| {
            Failure::new(format!(
                "wb serve did not say its address; its messages are in {}",
                log.display()
            ))
        })?;
        let (url, api_key, entity) =
            address(&line).ok_or_else(|| Failure::new("the first line of wb serve is not as promised"))?;
        (server.url, server.api_key, server.entity) = (url, api_key, entity);
        Ok(server)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Points a command at this server.
    pub(crate) fn address<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("WANDB_BASE_URL", &self.url)
            .env("WANDB_API_KEY", &self.api_key)
            .env("WANDB_ENTITY", &self.entity)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line, or nothing when the server ends or the time is over. The thread stays to keep the pipe open, as a
/// server whose stdout is closed might end.
fn first_line(stdout: std::process::ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|length| length > 0) {
            let _ = sender.send(line);
        }
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    });
    receiver.recv_timeout(START).ok()
}

/// `{"url":…,"api_key":…,"entity":…}`
fn address(line: &str) -> Option<(String, String, String)> {
    let parsed: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| parsed[key].as_str().map(str::to_owned);
    Some((text("url")?, text("api_key")?, text("entity")?))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_first_line_names_url_key_and_entity() {
        let line = "{\"url\":\"http://127.0.0.1:1\",\"api_key\":\"k\",\"entity\":\"e\",\"more\":1}\n";
        assert_eq!(
            address(line),
            Some(("http://127.0.0.1:1".into(), "k".into(), "e".into()))
        );
        assert_eq!(address("listening on 8080"), None);
        assert_eq!(address("{\"url\":\"http://127.0.0.1:1\"}"), None);
    }
}
