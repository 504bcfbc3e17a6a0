//! The virtual environment that holds the official client.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process;

/// Files of `conformance/` that say what is installed.
const REQUIREMENTS: &[&str] = &["requirements.txt", "constraints.txt"];

/// The Python of the environment under `folder`, which is made when it is missing or was made from other requirements.
///
/// # Errors
/// When Python 3 or its `venv` module is missing, or a package cannot be installed.
pub(crate) fn environment(folder: &Path) -> Result<PathBuf> {
    let source = process::workspace_root().join("conformance");
    let mut wanted = String::new();
    for name in REQUIREMENTS {
        let path = source.join(name);
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| Failure::about(format!("cannot read {}", path.display()), cause))?;
        wanted.push_str(&text);
    }
    let venv = folder.join("venv");
    let stamp = folder.join("venv.stamp");
    let python = venv.join("bin/python");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(python);
    }
    println!("making a virtual environment in {}", venv.display());
    if venv.exists() {
        // Half made, or made from other requirements.
        std::fs::remove_dir_all(&venv)
            .map_err(|cause| Failure::about(format!("cannot remove {}", venv.display()), cause))?;
    }
    process::succeed(Command::new("python3").arg("-m").arg("venv").arg(&venv)).map_err(|failure| {
        Failure::new(format!(
            "{failure} (python3 with its venv module is needed; Debian: python3-venv)"
        ))
    })?;
    process::succeed(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(source.join("requirements.txt")),
    )?;
    // The stamp comes last: an interrupted installation is made anew.
    std::fs::write(&stamp, wanted)
        .map_err(|cause| Failure::about(format!("cannot write {}", stamp.display()), cause))?;
    Ok(python)
}

/// Makes a command that sees the embedded server as the only W&B there is, and writes only under `scratch`.
pub(crate) fn isolate<'a>(command: &'a mut Command, scratch: &Path) -> &'a mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WANDB_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", scratch)
        .env("NETRC", scratch.join("netrc"))
        .env("TMPDIR", scratch)
        .env("WANDB_CACHE_DIR", scratch.join("cache"))
        .env("WANDB_CONFIG_DIR", scratch.join("config"))
        .env("WANDB_DATA_DIR", scratch.join("data"))
        .env("WANDB_ARTIFACT_DIR", scratch.join("artifacts"))
        .env("WANDB_DIR", scratch)
        .env("WANDB_ERROR_REPORTING", "false")
        .env("WANDB_SILENT", "true")
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
}
