//! Running other programs, and where things are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};

/// The root of the workspace: the folder above this crate's.
///
/// `cargo run` says at run time where the crate is: two checkouts that share a target folder share this program, too, and
/// each must check itself. The folder that it was compiled in is for a program that is run by hand.
pub(crate) fn workspace_root() -> PathBuf {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&folder)
        .parent()
        .expect("the crate is a folder of the workspace")
        .to_path_buf()
}

/// The cargo that runs this task, so that a chosen toolchain stays chosen.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(workspace_root());
    command
}

/// Cargo's target folder, which is also where the tasks write.
///
/// # Errors
/// When `cargo metadata` fails.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = metadata()?;
    match metadata["target_directory"].as_str() {
        Some(path) => Ok(PathBuf::from(path)),
        None => Err(Failure::new("cargo metadata names no target directory")),
    }
}

/// `cargo metadata --no-deps`, parsed.
///
/// # Errors
/// When cargo fails or prints something else.
pub(crate) fn metadata() -> Result<serde_json::Value> {
    let text = stdout_of(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    serde_json::from_str(&text).map_err(|cause| Failure::about("cannot read cargo metadata", cause))
}

/// Runs a program and returns what it wrote to stdout; its stderr is shown as it comes.
///
/// # Errors
/// When it cannot be started, ends with another code than 0, or writes something that is not UTF-8.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let name = describe(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| Failure::about(format!("cannot run {name}"), cause))?;
    if !output.status.success() {
        return Err(Failure::about(name, output.status));
    }
    String::from_utf8(output.stdout).map_err(|cause| Failure::about(format!("output of {name}"), cause))
}

/// Runs a program that writes to this terminal.
///
/// # Errors
/// When it cannot be started or ends with another code than 0.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|cause| Failure::about(format!("cannot run {name}"), cause))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::about(name, status))
    }
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args().take(4).map(OsStr::to_string_lossy) {
        text.push(' ');
        text.push_str(&argument);
    }
    text
}
