//! `cargo xtask bench`: `wb` against the official client on one embedded server.
//!
//! As with the conformance run, this file only brings the parties together; what is measured is in
//! `conformance/bench.py`.

use std::path::PathBuf;
use std::process::Command;

use crate::conformance::{absolute, build, fresh};
use crate::failure::{Failure, Result};
use crate::server::Server;
use crate::{process, python};

const HELP: &str = "\
Measures wb against the official client: whole processes, medians of five, ratios, peak memory, the server's share.

Usage: cargo xtask bench [OPTIONS]

Options:
  --only NAME   runs, history, first, small, large or manifest (the last three are artifacts)
  --quick       a tenth of the data, medians of three
  --wb PATH     use this wb instead of building one in release
  --write       write the result to docs/benchmarks.md

Writes only under target/bench, and docs/benchmarks.md when asked.";

const PREFACE: &str = "\
# Benchmarks

Written by `cargo xtask bench --write`; anyone can run it. It starts `wb serve`, fills it, and lets the official Python
client and `wb` read the same data in turn. The official client builds Python objects and prints nothing; `wb` prints
every item as JSON lines.

";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    only: Option<String>,
    program: Option<PathBuf>,
    quick: bool,
    write: bool,
}

/// Runs the task.
///
/// # Errors
/// When something cannot be built, started, installed or measured.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = parse(arguments)? else {
        println!("{HELP}");
        return Ok(());
    };
    let target = process::target_directory()?;
    let work = fresh(&target.join("bench"))?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build()?,
    };
    let interpreter = python::environment(&target.join("conformance"))?;
    let server = Server::start(&program, &work.join("server"), &work.join("server.log"), &[])?;
    let mut command = Command::new(&interpreter);
    python::isolate(&mut command, &work);
    server.address(&mut command);
    command
        .arg(process::workspace_root().join("conformance/bench.py"))
        .arg("--work")
        .arg(&work);
    command
        .arg("--wb")
        .arg(&program)
        .arg("--server-process")
        .arg(server.id().to_string());
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    if options.quick {
        command.arg("--quick");
    }
    let measured = process::succeed(&mut command);
    drop(server);
    // Tens of gigabytes, also of a measurement that failed. The report and the server's log stay.
    for folder in ["artifacts", "server"] {
        let folder = work.join(folder);
        if let Err(cause) = std::fs::remove_dir_all(&folder)
            && cause.kind() != std::io::ErrorKind::NotFound
        {
            eprintln!("cannot remove {}: {cause}", folder.display());
        }
    }
    measured?;
    if options.write {
        let report = work.join("report.md");
        let text = std::fs::read_to_string(&report)
            .map_err(|cause| Failure::about(format!("cannot read {}", report.display()), cause))?;
        let page = process::workspace_root().join("docs/benchmarks.md");
        std::fs::write(&page, format!("{PREFACE}{text}"))
            .map_err(|cause| Failure::about(format!("cannot write {}", page.display()), cause))?;
        println!("written to {}", page.display());
    }
    Ok(())
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
            "--wb" => options.program = Some(absolute(value()?)?),
            "--quick" => options.quick = true,
            "--write" => options.write = true,
            "--help" | "-h" => return Ok(None),
            other => return Err(Failure::new(format!("unexpected argument {other:?}\n\n{HELP}"))),
        }
    }
    if options.write && (options.quick || options.only.is_some()) {
        return Err(Failure::new(
            "--write takes the whole measurement: not with --quick or --only",
        ));
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Option<Options>> {
        parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_wrong_ones_refused() {
        let options = parse_words(&["--quick", "--only", "runs"]).unwrap().unwrap();
        assert_eq!(
            options,
            Options {
                only: Some("runs".into()),
                quick: true,
                ..Options::default()
            }
        );
        assert!(parse_words(&["--write"]).unwrap().unwrap().write);
        assert!(parse_words(&["--write", "--quick"]).is_err());
        assert!(parse_words(&["--only"]).is_err());
        assert!(parse_words(&["fast"]).is_err());
    }
}
