//! `wb serve`: the embedded server as a program.

use std::io::Write;
use std::path::{Path, PathBuf};

use wandb_local::{FaultPlan, LocalServer, LocalServerBuilder, StartError};

use super::{refuse_sources, stop_signal};
use crate::cli::ServeArgs;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::field::{Field, write_object};
use crate::output::style::Paint;

/// Serves until it is told to stop.
pub(crate) async fn serve(context: &mut Context, arguments: ServeArgs) -> CommandResult {
    // The one line of data is JSON in every format but CSV.
    let csv = context.format() == Format::Csv;
    refuse_sources("serve", &context.global, &[("--output csv", csv)])?;
    let dir = match &arguments.dir {
        Some(dir) => dir.clone(),
        None => default_dir()?,
    };
    let server = builder(context, &arguments, &dir)?
        .start()
        .await
        .map_err(start_failure)?;
    // Both kinds of listening begin before this line, so whoever reads it can connect, or stop it, at once.
    let stop = stop_signal();
    announce(context, &server)?;
    explain(context, &server, &dir);
    if !arguments.host.is_loopback() {
        context.ui.warn(&format!(
            "other machines can connect to {}; the API key travels without encryption",
            server.address()
        ));
    }
    stop.await;
    context.ui.aside("stopping");
    server.stop().await;
    Ok(())
}

fn builder(context: &Context, arguments: &ServeArgs, dir: &Path) -> CommandResult<LocalServerBuilder> {
    let mut builder = LocalServer::builder()
        .dir(dir)
        .host(arguments.host.to_string())
        .port(arguments.port);
    if let Some(key) = &arguments.api_key {
        builder = builder.api_key(key);
    }
    if let Some(entity) = &context.global.entity {
        builder = builder.entity(entity);
    }
    if let Some(timeout) = arguments.heartbeat_timeout {
        builder = builder.heartbeat_timeout(timeout);
    }
    if !arguments.faults.is_empty() {
        let plan = arguments
            .faults
            .iter()
            .cloned()
            .fold(FaultPlan::default(), FaultPlan::with);
        builder = builder.faults(plan);
    }
    Ok(builder)
}

/// A server that could not start: an option that cannot be is wrong usage, everything else a failure.
pub(crate) fn start_failure(error: StartError) -> Failure {
    let (status, hint) = match &error {
        StartError::Option(_) => (ExitStatus::Usage, None),
        StartError::Listen { .. } => (
            ExitStatus::Failed,
            Some("another program may use the port; --port 0 picks a free one"),
        ),
        StartError::InUse { .. } => (
            ExitStatus::Failed,
            Some("use that server: give its url as --base-url and its api_key as WANDB_API_KEY; or stop it"),
        ),
        _ => (ExitStatus::Failed, None),
    };
    let failure = Failure::new(status, "the embedded server cannot start").with_source(error);
    hint.into_iter().fold(failure, Failure::hint)
}

/// The one line of data that this command has.
fn announce(context: &mut Context, server: &LocalServer) -> CommandResult {
    let mut line = Vec::new();
    let url = server.url();
    let fields = [
        ("url", Field::text(&url)),
        ("api_key", Field::text(server.api_key())),
        ("entity", Field::text(server.entity())),
    ];
    write_object(&mut line, &fields);
    line.push(b'\n');
    context.out.write_all(&line)?;
    Ok(context.out.flush()?)
}

fn explain(context: &Context, server: &LocalServer, dir: &Path) {
    let style = context.ui.style();
    let command = |text: &str| style.paint(Paint::Cyan, text);
    let shown = dir.display();
    context.note(&format!(
        "serving {shown} as entity {:?}; Ctrl-C ends it, the data stay",
        server.entity()
    ));
    context.note("to use it from another terminal, with wb or the official Python SDK:");
    context.note(&format!(
        "  {}",
        command(&format!("export WANDB_BASE_URL={}", server.url()))
    ));
    context.note(&format!(
        "  {}",
        command("export WANDB_API_KEY=<the api_key above>")
    ));
}

/// `$XDG_DATA_HOME/wb/server`, or the system's equivalent.
pub(super) fn default_dir() -> CommandResult<PathBuf> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = variable("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| {
            if cfg!(windows) {
                variable("LOCALAPPDATA")
            } else if cfg!(target_os = "macos") {
                variable("HOME").map(|home| home.join("Library/Application Support"))
            } else {
                variable("HOME").map(|home| home.join(".local/share"))
            }
        });
    base.map(|base| base.join("wb").join("server")).ok_or_else(|| {
        Failure::usage("there is no home directory to keep the data in").hint("give --dir DIR")
    })
}
