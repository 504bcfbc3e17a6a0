//! `cargo xtask conformance`: the official client is the judge.
//!
//! This file only brings the parties together. What is logged, read and compared is in `conformance/*.py`, in plain
//! Python with nothing but the official client and scikit-learn, so that a reader who knows only the official client
//! can audit it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::server::Server;
use crate::{process, python};

const HELP: &str = "\
Logs real runs, artifacts, sweeps and reports with the official SDK into an embedded server, reads them with
wandb.Api() and with wb, and compares every value; then wb writes, and wandb.Api() reads that.

Usage: cargo xtask conformance [OPTIONS]

Options:
  --part PART   only this part: runs, artifacts, sweeps, reports or written; may be repeated (default: all)
  --only NAME   only the part runs, and of it the scenarios whose name starts so (see conformance/log_runs.py)
  --wb PATH     use this wb instead of building one in release
  --keep        keep the server's data and all answers in target/conformance/work

Writes only under target/conformance. The differences that are meant are in conformance/differences.toml; any other
difference, and any entry of that file that nothing needed, is a failure.";

/// A run is called crashed when it was silent for so long. The SDK is never silent for more than 30 seconds.
const HEARTBEAT_TIMEOUT: &str = "45s";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    only: Option<String>,
    parts: Vec<Part>,
    program: Option<PathBuf>,
    keep: bool,
}

/// What is logged, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Runs, by the official SDK.
    Runs,
    /// Artifacts, by the official SDK.
    Artifacts,
    /// Sweeps, by the official agent.
    Sweeps,
    /// Reports, by the official reports library.
    Reports,
    /// Runs, artifacts, sweeps and reports, by `wb`.
    Written,
}

impl Part {
    const ALL: [(&'static str, Self); 5] = [
        ("runs", Self::Runs),
        ("artifacts", Self::Artifacts),
        ("sweeps", Self::Sweeps),
        ("reports", Self::Reports),
        ("written", Self::Written),
    ];
}

impl Options {
    fn has(&self, part: Part) -> bool {
        if self.only.is_some() {
            return part == Part::Runs;
        }
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// Whether something was left out, so that not every known difference can show.
    fn is_partial(&self) -> bool {
        self.only.is_some() || !self.parts.is_empty()
    }
}

/// Runs the task.
///
/// # Errors
/// When something cannot be built, started or installed, or a difference is not explained.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = parse(arguments)? else {
        println!("{HELP}");
        return Ok(());
    };
    let folder = process::target_directory()?.join("conformance");
    let work = fresh(&folder.join("work"))?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build()?,
    };
    let interpreter = python::environment(&folder)?;
    // First that the comparison itself works: it takes no time, and a comparison that finds nothing proves nothing.
    process::succeed(
        python::isolate(&mut Command::new(&interpreter), &work)
            .args(["-m", "unittest", "--quiet"])
            .current_dir(process::workspace_root().join("conformance")),
    )?;
    let server = Server::start(
        &program,
        &work.join("server"),
        &work.join("server.log"),
        &["--heartbeat-timeout", HEARTBEAT_TIMEOUT],
    )?;
    println!("server: {} (process {})", server.url, server.id());

    let script = |name: &str| {
        let mut command = Command::new(&interpreter);
        python::isolate(&mut command, &work);
        server.address(&mut command);
        // Numeric libraries would otherwise use every core in every process.
        command
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1");
        command
            .arg(process::workspace_root().join("conformance").join(name))
            .arg("--work")
            .arg(&work);
        command
    };
    // Whoever reads asks about what was logged, so a part that is left out is not asked about.
    std::fs::create_dir_all(work.join("truth"))
        .map_err(|cause| Failure::about(format!("cannot make {}", work.join("truth").display()), cause))?;
    if options.has(Part::Runs) {
        process::succeed(
            script("log_runs.py").args(options.only.iter().flat_map(|only| ["--only", only.as_str()])),
        )?;
    }
    if options.has(Part::Artifacts) {
        process::succeed(&mut script("log_artifacts.py"))?;
    }
    if options.has(Part::Sweeps) {
        process::succeed(&mut script("log_sweeps.py"))?;
    }
    if options.has(Part::Reports) {
        process::succeed(&mut script("log_reports.py"))?;
    }
    process::succeed(&mut script("read_official.py"))?;
    process::succeed(script("read_wb.py").arg("--wb").arg(&program))?;
    process::succeed(script("compare.py").args(options.is_partial().then_some("--partial")))?;
    if options.has(Part::Written) {
        process::succeed(script("write_wb.py").arg("--wb").arg(&program))?;
        process::succeed(&mut script("check_written.py"))?;
    }
    drop(server);
    if !options.keep {
        std::fs::remove_dir_all(&work)
            .map_err(|cause| Failure::about(format!("cannot remove {}", work.display()), cause))?;
    }
    Ok(())
}

/// Builds `wb` in release and says where it is.
///
/// # Errors
/// When it does not build.
pub(crate) fn build() -> Result<PathBuf> {
    process::succeed(process::cargo().args(["build", "--release", "--package", "wandb-cli", "--bin", "wb"]))?;
    Ok(process::target_directory()?.join("release/wb"))
}

/// An empty folder.
///
/// # Errors
/// When it cannot be emptied or made.
pub(crate) fn fresh(folder: &Path) -> Result<PathBuf> {
    let cannot_make = |cause| Failure::about(format!("cannot make {}", folder.display()), cause);
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(cannot_make)?;
    }
    std::fs::create_dir_all(folder).map_err(cannot_make)?;
    Ok(folder.to_path_buf())
}

fn parse(arguments: &[String]) -> Result<Option<Options>> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .ok_or_else(|| Failure::new(format!("{argument} needs a value")))
        };
        match argument.as_str() {
            "--only" => options.only = Some(value()?.clone()),
            "--part" => {
                let name = value()?;
                let (_, part) = Part::ALL
                    .into_iter()
                    .find(|(known, _)| known == name)
                    .ok_or_else(|| Failure::new(format!("{name:?} is no part\n\n{HELP}")))?;
                options.parts.push(part);
            }
            "--wb" => options.program = Some(absolute(value()?)?),
            "--keep" => options.keep = true,
            "--help" | "-h" => return Ok(None),
            other => return Err(Failure::new(format!("unexpected argument {other:?}\n\n{HELP}"))),
        }
    }
    Ok(Some(options))
}

/// A path that stays right in child processes.
///
/// # Errors
/// When nothing is there.
pub(crate) fn absolute(path: &str) -> Result<PathBuf> {
    std::fs::canonicalize(path).map_err(|cause| Failure::about(path, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Option<Options>> {
        parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_wrong_ones_refused() {
        assert_eq!(parse_words(&[]).unwrap(), Some(Options::default()));
        let options = parse_words(&["--keep", "--only", "sgd"]).unwrap().unwrap();
        assert_eq!(
            options,
            Options {
                only: Some("sgd".into()),
                parts: Vec::new(),
                program: None,
                keep: true
            }
        );
        assert_eq!(parse_words(&["--help"]).unwrap(), None);
        assert!(options.has(Part::Runs) && !options.has(Part::Artifacts) && options.is_partial());
        let parts = parse_words(&["--part", "artifacts", "--part", "written"])
            .unwrap()
            .unwrap();
        assert_eq!(parts.parts, [Part::Artifacts, Part::Written]);
        assert!(parts.has(Part::Written) && !parts.has(Part::Sweeps));
        assert!(parse_words(&["--part", "everything"]).is_err());
        assert!(parse_words(&["--only"]).is_err());
        assert!(parse_words(&["--wb", "/nowhere/at/all"]).is_err());
        assert!(parse_words(&["more"]).is_err());
    }
}
