//! End-to-end tests of the library: over the embedded server, and over scripts where a server would have to misbehave.
//!
//! One binary, because each one links everything.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test ends where something is not as it should be, and json! stands in the place of arguments"
)]

mod artifact_faults;
mod artifact_flow;
mod artifact_hostile;
mod artifact_names;
mod artifact_secrets;
mod artifact_twice;
mod attributes;
mod blocking;
mod blocking_writes;
mod downloads;
mod faults;
mod filters;
mod history;
mod listing;
mod object_stores;
mod people;
mod record_replay;
mod reports;
mod restart;
mod robustness;
mod run_write;
mod script_2020;
mod secrets;
mod sweeps;

use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Runs a property on so many cases: the same ones each time, so that a run in CI says the same as the one before it. Set
/// `WB_TEST_SEED` to a number to look elsewhere, and `WB_TEST_CASES` to look longer.
fn runner(cases: u32) -> TestRunner {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("WB_TEST_CASES").map_or(cases, |cases| u32::try_from(cases).unwrap_or(u32::MAX));
    let seed = number("WB_TEST_SEED").unwrap_or(0);
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    TestRunner::new(config)
}

/// A runtime for properties, which are no asynchronous tests.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime starts")
}
