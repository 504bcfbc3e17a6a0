//! The real `wb`, run as a process, against `wb serve` on loopback and against servers that misbehave.

#![expect(
    clippy::unwrap_used,
    reason = "every file here is test code, helpers included"
)]

mod support;

mod artifact_kill;
mod artifacts;
mod bad_input;
mod bad_server;
mod broken;
mod demo;
mod history;
mod incremental;
mod local;
mod login;
mod media;
#[cfg(target_os = "linux")]
mod names;
mod people;
mod read;
mod recipe_2020;
mod reports;
mod serve;
#[cfg(target_os = "linux")]
mod signals;
mod stores;
mod sweeps;
mod verbs;
mod write;
