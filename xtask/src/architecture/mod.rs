//! `cargo xtask architecture`: the rules of the tree that a compiler does not know.

mod decisions;
mod edges;
mod isolation;
mod parity;
mod sources;

use crate::failure::{Failure, Result};
use crate::process;

const HELP: &str = "\
Checks the rules of the tree that a compiler does not know.

Usage: cargo xtask architecture

  edges       every dependency between our crates, and every crate of the network, stands in a table
              (xtask/src/architecture/edges.rs)
  isolation   the bases of the network-free crates pull in no HTTP and no TLS crate (cargo tree)
  sources     every .rs file starts with a //! header and keeps to its size budget; crate folders are named
              as their crates and take the workspace's lints
  decisions   docs/decisions/NNNN-title.md is numbered without a gap
  parity      every row of docs/parity.md names a test, and the test exists";

/// Runs the task.
///
/// # Errors
/// When a rule is broken (each one is printed), or cargo or a file cannot be read.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => {}
        [flag] if flag == "--help" || flag == "-h" => {
            println!("{HELP}");
            return Ok(());
        }
        [other, ..] => return Err(Failure::new(format!("unexpected argument {other:?}\n\n{HELP}"))),
    }
    let root = process::workspace_root();
    let packages = edges::packages(&process::metadata()?)?;
    let mut broken = Vec::new();

    let found = edges::check(&packages);
    report("edges", &format!("{} crates", packages.len()), found, &mut broken);

    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let (checked, found) = isolation::check(&names)?;
    report("isolation", &checked.join(", "), found, &mut broken);

    let files = sources::read(&root)?;
    let mut found = sources::check(&files);
    found.extend(sources::check_manifests(&packages, &root)?);
    report("sources", &format!("{} files", files.len()), found, &mut broken);

    let names = decisions::names(&root)?;
    report(
        "decisions",
        &format!("{} records", names.len()),
        decisions::check(&names),
        &mut broken,
    );

    let rows = parity::read(&root)?;
    let found = parity::check(&rows, |file| std::fs::read_to_string(root.join(file)).ok());
    report("parity", &format!("{} rows", rows.len()), found, &mut broken);

    if broken.is_empty() {
        return Ok(());
    }
    for line in &broken {
        eprintln!("  {line}");
    }
    Err(Failure::new(format!(
        "{} broken rules of architecture",
        broken.len()
    )))
}

fn report(rule: &str, what: &str, found: Vec<String>, broken: &mut Vec<String>) {
    let verdict = if found.is_empty() { "ok" } else { "BROKEN" };
    println!("{rule:<12} {verdict:<7} {what}");
    broken.extend(found.into_iter().map(|line| format!("{rule}: {line}")));
}
