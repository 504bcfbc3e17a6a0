//! Development tasks of this workspace: `cargo xtask TASK`.
//!
//! | task | what it does |
//! |---|---|
//! | `architecture` | dependency edges, network-free bases, file sizes, module headers, decision records |
//! | `schema` | the contract in `schema/wandb.graphql` against itself, the embedded server, or any other schema |
//! | `conformance` | the official Python client is the judge: it logs, both read, every value is compared |
//! | `bench` | `wb` against the official client, whole processes, medians and ratios |
//! | `properties` | the random tests, round after round with other seeds |
//!
//! A task prints what it checked and ends with a non-zero code when something is wrong.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the developer's terminal"
)]

mod architecture;
mod bench;
mod conformance;
mod failure;
mod process;
mod properties;
mod python;
mod schema;
mod server;

use std::process::ExitCode;

use failure::{Failure, Result};

const HELP: &str = "\
Development tasks of this workspace.

Usage: cargo xtask TASK [OPTIONS]

Tasks:
  architecture   check dependency edges, network-free bases, file sizes, headers and decision records
  schema         check schema/wandb.graphql; compare it with another schema
  conformance    log with the official SDK, read with both clients, compare every value
  bench          compare the speed and memory of wb with the official client
  properties     run the random tests round after round, with other seeds

`cargo xtask TASK --help` explains one task.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((task, rest)) = arguments.split_first() else {
        return Err(Failure::new(format!("no task named\n\n{HELP}")));
    };
    match task.as_str() {
        "architecture" => architecture::run(rest),
        "schema" => schema::run(rest),
        "conformance" => conformance::run(rest),
        "bench" => bench::run(rest),
        "properties" => properties::run(rest),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        unknown => Err(Failure::new(format!("unknown task {unknown:?}\n\n{HELP}"))),
    }
}
