//! `wb completions SHELL`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::CommandResult;

/// Prints the script.
pub(crate) fn completions(shell: Shell) -> CommandResult {
    // `generate` panics when it cannot write, and stdout may be a closed pipe, so it writes to memory first.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wb", &mut script);
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&script)?;
    Ok(stdout.flush()?)
}
