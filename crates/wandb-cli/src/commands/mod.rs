//! What the verbs do.

mod cells;
pub(crate) mod completions;
mod demo;
mod details;
mod login;
mod project;
mod run;
pub(crate) mod serve;
mod stream;
mod whoami;

use crate::cli::{Command, ProjectCommand};
use crate::context::Context;
use crate::failure::CommandResult;

/// Runs every command that talks to a server as a client.
pub(crate) async fn dispatch(context: &mut Context, command: Command) -> CommandResult {
    match command {
        Command::Demo(arguments) => demo::demo(context, arguments).await,
        Command::Login(arguments) => login::login(context, &arguments).await,
        Command::Whoami => whoami::whoami(context).await,
        Command::Project(ProjectCommand::List(arguments)) => project::list(context, &arguments).await,
        Command::Project(ProjectCommand::View(arguments)) => project::view(context, &arguments).await,
        Command::Run(command) => run::dispatch(context, command).await,
        Command::Serve(arguments) => serve::serve(context, arguments).await,
        Command::Completions { shell } => completions::completions(shell),
    }
}

/// Waits until the process is asked to stop: Ctrl-C or, on Unix, SIGTERM.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a way to hear signals there is nothing to wait for; the default action ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
