//! What the verbs do.

mod artifact;
mod cells;
pub(crate) mod completions;
mod demo;
mod details;
mod local;
mod login;
mod names;
mod people;
mod plan;
mod project;
mod report;
mod run;
pub(crate) mod serve;
mod stream;
mod sweep;
mod whoami;

use crate::cli::{Command, GlobalOptions, ProjectCommand};
use crate::context::Context;
use crate::failure::{CommandResult, Failure};

/// Runs every command that talks to a server as a client.
pub(crate) async fn dispatch(context: &mut Context, command: Command) -> CommandResult {
    match command {
        Command::Demo(arguments) => demo::demo(context, arguments).await,
        Command::Login(arguments) => login::login(context, &arguments).await,
        Command::Whoami => whoami::whoami(context).await,
        Command::Project(ProjectCommand::List(arguments)) => project::list(context, &arguments).await,
        Command::Project(ProjectCommand::View(arguments)) => project::view(context, &arguments).await,
        Command::Project(ProjectCommand::Create(arguments)) => project::create(context, &arguments).await,
        Command::Project(ProjectCommand::Delete(arguments)) => project::delete(context, &arguments).await,
        Command::Team(command) => people::team(context, command).await,
        Command::User(command) => people::user(context, command).await,
        Command::ApiKey(command) => people::api_key(context, command).await,
        Command::Run(command) => run::dispatch(context, command).await,
        Command::Sweep(command) => sweep::dispatch(context, command).await,
        Command::Report(command) => report::dispatch(context, command).await,
        Command::Artifact(command) => artifact::dispatch(context, command).await,
        Command::Local(command) => local::dispatch(context, command),
        Command::Serve(arguments) => serve::serve(context, arguments).await,
        Command::Completions { shell } => completions::completions(shell),
    }
}

/// Refuses what says where to read from, for a command that is a server itself: an option that is parsed and ignored
/// would let its user believe that it counted. `more` are further options, each with whether it was given.
fn refuse_sources(command: &str, global: &GlobalOptions, more: &[(&str, bool)]) -> CommandResult {
    let sources = [
        ("--local", global.local.is_some()),
        ("--base-url", global.base_url.is_some()),
        ("--profile", global.profile.is_some()),
        ("--project", global.project.is_some()),
    ];
    let given: Vec<&str> = sources
        .iter()
        .chain(more)
        .filter_map(|&(name, given)| given.then_some(name))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    let what = format!("`wb {command}` has no use for {}", given.join(", "));
    Err(Failure::usage(what).hint("it is a server of its own; --dir says where its data are kept"))
}

/// Ends when the process is asked to stop: Ctrl-C or, on Unix, SIGTERM. Listening begins with the call, not with the first
/// poll, so that a signal that comes right after is not the default action's. Must be called inside the runtime.
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let heard = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok())
    };
    async move {
        #[cfg(unix)]
        if let [Some(mut interrupt), Some(mut terminate)] = heard {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        // Without a way to hear signals there is nothing to wait for; the default action ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
