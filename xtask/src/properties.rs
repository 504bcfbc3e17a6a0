//! The random tests, with other random cases than every run has.
//!
//! Tests of a landing use one seed (`.cargo/config.toml`), so that they say the same each time. What they would find elsewhere,
//! this task finds: round after round with a new seed, until one fails or all have passed.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::{Failure, Result};
use crate::process::{cargo, succeed};

const HELP: &str = "\
Run the random tests again and again, each time with another seed.

Usage: cargo xtask properties [OPTIONS]

Options:
      --rounds <N>       How many seeds [default: 10]
      --seed <SEED>      The first seed; each round adds 1 [default: from the clock]
      --package <NAME>   Only the tests of this package; may be repeated [default: all]
      --cases <N>        Cases of those properties that do not say how many, and of the end-to-end
                         properties [default: theirs]
  -h, --help             Print help

Ends at the first round that fails, and says how to repeat it.";

#[derive(Debug)]
struct Options {
    rounds: u64,
    seed: u64,
    cases: Option<u64>,
    packages: Vec<String>,
}

/// Runs the task.
///
/// # Errors
/// When an option cannot be read, or a test fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = read(arguments)? else {
        println!("{HELP}");
        return Ok(());
    };
    for round in 0..options.rounds {
        let seed = options.seed.wrapping_add(round);
        println!("round {} of {}: seed {seed}", round + 1, options.rounds);
        tests(&options, seed).map_err(|failure| {
            Failure::about(
                format!("seed {seed} (repeat: cargo xtask properties --rounds 1 --seed {seed})"),
                failure,
            )
        })?;
    }
    println!("{} rounds passed, from seed {}", options.rounds, options.seed);
    Ok(())
}

/// One round: unit tests, where most properties are, and the end-to-end properties.
fn tests(options: &Options, seed: u64) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--quiet", "--lib", "--bins", "--tests"]);
    if options.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.packages {
        command.args(["--package", package]);
    }
    let seed = seed.to_string();
    command.env("PROPTEST_RNG_SEED", &seed).env("WB_TEST_SEED", &seed);
    if let Some(cases) = options.cases {
        let cases = cases.to_string();
        command.env("PROPTEST_CASES", &cases).env("WB_TEST_CASES", &cases);
    }
    succeed(&mut command)
}

/// `None` when help is asked for.
fn read(arguments: &[String]) -> Result<Option<Options>> {
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut options = Options {
        rounds: 10,
        seed: clock,
        cases: None,
        packages: Vec::new(),
    };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if matches!(name.as_str(), "-h" | "--help") {
            return Ok(None);
        }
        let value = rest
            .next()
            .ok_or_else(|| Failure::new(format!("{name} is unknown or has no value\n\n{HELP}")))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|cause| Failure::about(format!("{name} {value:?}"), cause))
        };
        match name.as_str() {
            "--rounds" => options.rounds = number()?,
            "--seed" => options.seed = number()?,
            "--cases" => options.cases = Some(number()?),
            "--package" => options.packages.push(value.clone()),
            _ => return Err(Failure::new(format!("unknown option {name:?}\n\n{HELP}"))),
        }
    }
    Ok(Some(options))
}
