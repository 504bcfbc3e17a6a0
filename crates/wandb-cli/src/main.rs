//! `wb`: query, read, download and write Weights & Biases runs and artifacts from a terminal.
//!
//! The way of a command: [`cli`] says what can be typed, [`program`] parses it and gives the exit code,
//! [`commands`] do the work over the library, [`output`] renders data to stdout, [`ui`] and [`failure`] speak on stderr.
//! Nothing but this crate prints or exits.
#![allow(
    rustdoc::bare_urls,
    reason = "the documentation of an option is its help text, where a URL stands as it is"
)]

mod assignment;
mod cli;
mod commands;
mod confirm;
mod connection;
mod context;
mod duration;
mod exit;
mod failure;
mod json_text;
mod log;
mod output;
mod private_file;
mod program;
mod shell;
mod ui;

fn main() -> std::process::ExitCode {
    program::run(std::env::args_os()).into()
}
