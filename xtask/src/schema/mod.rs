//! `cargo xtask schema`: the contract `schema/wandb.graphql` against itself and against other schemas.

mod cover;
mod introspection;
mod model;
mod operations;
mod sdl;
mod sound;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process;
use model::Schema;

const HELP: &str = "\
Checks the schema that the client is written against, and compares it with others.

Usage: cargo xtask schema check
       cargo xtask schema diff URL_OR_FILE

check   schema/wandb.graphql is sound (every named type exists and is reachable, interfaces are kept), the
        embedded server's own schema covers it, and every operation of wandb-schema is valid in both.
diff    what of schema/wandb.graphql another schema does not cover: an SDL file, or a live server, which is
        asked by introspection at URL/graphql with the key in WANDB_API_KEY (none is sent when it is not set).
        Ends with a non-zero code if something is missing or incompatible.";

const CONTRACT: &str = "schema/wandb.graphql";

/// Runs the task.
///
/// # Errors
/// When something is broken or missing (each thing is printed), or cannot be read.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["check"] => check(),
        ["diff", other] => diff(other),
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(Failure::new(format!("unexpected arguments\n\n{HELP}"))),
    }
}

fn check() -> Result<()> {
    let contract = contract()?;
    let mut broken = Vec::new();
    report("sound", &contract.size(), sound::check(&contract), &mut broken);

    let examples = examples()?;
    let text = process::stdout_of(&mut Command::new(examples.join("sdl")))?;
    let server = sdl::read(&text).map_err(|cause| Failure::about("the embedded server's schema", cause))?;
    report(
        "covered",
        &format!("by the server's {}", server.size()),
        server.lacks(&contract),
        &mut broken,
    );

    let text = process::stdout_of(&mut Command::new(examples.join("operations")))?;
    let operations = operations::read(&text)?;
    let declared = declared_operations()?;
    let found = if declared == operations.count() {
        Vec::new()
    } else {
        vec![format!(
            "crates/wandb-schema/examples/operations.rs prints {} of them",
            operations.count()
        )]
    };
    report("printed", &format!("{declared} operations"), found, &mut broken);
    for (name, schema) in [("contract", &contract), ("server", &server)] {
        let what = format!("{} against the {name}", operations.count());
        report("operations", &what, operations.check(schema), &mut broken);
    }
    conclude(&broken)
}

fn diff(other: &str) -> Result<()> {
    let contract = contract()?;
    let schema = if other.starts_with("http://") || other.starts_with("https://") {
        introspection::ask(other)?
    } else {
        read_file(Path::new(other))?
    };
    let mut broken = Vec::new();
    report(
        "covered",
        &format!("by {other}: {}", schema.size()),
        schema.lacks(&contract),
        &mut broken,
    );
    conclude(&broken)
}

/// Builds the two examples that print what is checked, and returns their folder.
///
/// They are built with the features of the whole workspace, as `cargo test --workspace` builds them: after that nothing
/// is left to do, where `cargo run --package` would compile the server's dependencies a second time.
fn examples() -> Result<PathBuf> {
    process::succeed(process::cargo().args([
        "build",
        "--quiet",
        "--workspace",
        "--example",
        "sdl",
        "--example",
        "operations",
    ]))?;
    Ok(process::target_directory()?.join("debug/examples"))
}

/// How many operations wandb-schema has: its fragments on a root type.
fn declared_operations() -> Result<usize> {
    let folder = process::workspace_root().join("crates/wandb-schema/src/operations");
    let cannot_read = |cause| Failure::about(format!("cannot read {}", folder.display()), cause);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).map_err(cannot_read)? {
        let text = std::fs::read_to_string(entry.map_err(cannot_read)?.path()).map_err(cannot_read)?;
        count += operations::count_declared(&text);
    }
    Ok(count)
}

fn contract() -> Result<Schema> {
    read_file(&process::workspace_root().join(CONTRACT))
}

fn read_file(path: &Path) -> Result<Schema> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Failure::about(format!("cannot read {}", path.display()), cause))?;
    sdl::read(&text).map_err(|cause| Failure::about(path.display(), cause))
}

fn report(rule: &str, what: &str, found: Vec<String>, broken: &mut Vec<String>) {
    let verdict = if found.is_empty() { "ok" } else { "BROKEN" };
    println!("{rule:<12} {verdict:<7} {what}");
    broken.extend(found.into_iter().map(|line| format!("{rule}: {line}")));
}

fn conclude(broken: &[String]) -> Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    for line in broken {
        eprintln!("  {line}");
    }
    Err(Failure::new(format!("{} faults of the schema", broken.len())))
}
