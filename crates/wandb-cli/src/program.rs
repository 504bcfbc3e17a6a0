//! From the command line to the exit code.

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::{Cli, Command};
use crate::commands;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::log;
use crate::ui::print_failure;

/// Threads of the runtime: one decodes a page while the other receives the next. More only cost start-up time.
const WORKERS: usize = 2;

/// How long work that was abandoned may go on after the end of the command.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the program.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let color = cli.global.color;
    match execute(cli) {
        Ok(()) => ExitStatus::Done,
        Err(failure) => {
            print_failure(&failure, color);
            failure.status()
        }
    }
}

/// Help and version go to stdout and are no errors; everything else is wrong usage.
fn refuse(error: &clap::Error) -> ExitStatus {
    // A closed pipe while help is printed is nobody's problem.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitStatus::Done,
        _ => ExitStatus::Usage,
    }
}

fn execute(cli: Cli) -> CommandResult {
    // No runtime is started for what needs none.
    if let Command::Completions { shell } = cli.command {
        return commands::completions::completions(shell);
    }
    log::install(cli.global.verbose, cli.global.color);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Failure::io("start the runtime", error))?;
    if !matches!(cli.command, Command::Serve(_)) {
        runtime.spawn(end_anyway());
    }
    let mut context = Context::new(cli.global);
    let result = runtime.block_on(async {
        // `serve` ends by these signals and does so in its own way.
        if let Command::Serve(arguments) = cli.command {
            return commands::serve::serve(&mut context, arguments).await;
        }
        tokio::select! {
            biased;
            signal = interrupted() => Err(signal),
            result = commands::dispatch(&mut context, cli.command) => result,
        }
    });
    // What was read before a failure is data, too.
    let flushed = context.out.flush();
    // Blocking work of an abandoned command gets the time to remove its temporary files, but a stuck disk must not hold
    // up the end of the program for ever.
    runtime.shutdown_timeout(PATIENCE);
    result?;
    Ok(flushed?)
}

/// Ends the process when a signal did not: opening a pipe that nobody writes to, for one, cannot be given up, and neither
/// can a read of a stuck disk. It lives on a thread of its own, so that nothing that blocks a command blocks it.
#[expect(clippy::exit, reason = "what blocks cannot be asked to return")]
async fn end_anyway() {
    commands::stop_signal().await;
    tokio::time::sleep(PATIENCE * 2).await;
    std::process::exit(ExitStatus::Interrupted.code().into());
}

/// Waits for Ctrl-C or SIGTERM. The command's future is dropped then, and with it its temporary files.
async fn interrupted() -> Failure {
    commands::stop_signal().await;
    Failure::new(ExitStatus::Interrupted, "interrupted")
}
