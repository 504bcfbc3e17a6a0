//! The end by a signal, also of what cannot be given up.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::User;

/// `O_NONBLOCK` of Linux: opening a pipe for writing fails while nobody reads it.
const NONBLOCK: i32 = 0o4000;

fn writer_of(pipe: &Path) -> std::fs::File {
    loop {
        if let Ok(writer) = OpenOptions::new().write(true).custom_flags(NONBLOCK).open(pipe) {
            return writer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_signal_ends_what_waits_for_a_pipe() {
    let user = User::new();
    let pipe = user.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = user
        .command(&[
            "artifact",
            "verify",
            "--manifest",
            pipe.to_str().unwrap(),
            "--root",
            ".",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It has the pipe open now and waits for bytes that never come, on the thread that runs the command.
    let writer = writer_of(&pipe);
    let signalled = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(signalled.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(writer);
}
