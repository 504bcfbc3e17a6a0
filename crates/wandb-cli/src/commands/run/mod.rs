//! `wb run …`.

mod artifacts;
mod console;
mod download;
mod explain;
mod files;
mod history;
mod list;
mod metadata;
pub(crate) mod record;
mod root;
mod scan;
mod view;
mod write;

use crate::cli::RunCommand;
use crate::context::Context;
use crate::failure::CommandResult;

pub(crate) use scan::scan_to_file;

/// Runs one verb.
pub(crate) async fn dispatch(context: &mut Context, command: RunCommand) -> CommandResult {
    let path = command.run_path().map(str::to_owned);
    let result = match command {
        RunCommand::List(arguments) => list::list(context, &arguments).await,
        RunCommand::View(arguments) => view::view(context, &arguments).await,
        RunCommand::History(arguments) => history::history(context, &arguments).await,
        RunCommand::Scan(arguments) => scan::scan(context, &arguments).await,
        RunCommand::Files(arguments) => files::files(context, &arguments).await,
        RunCommand::Download(arguments) => download::download(context, &arguments).await,
        RunCommand::Console(arguments) => console::console(context, &arguments).await,
        RunCommand::Metadata(arguments) => metadata::metadata(context, &arguments).await,
        RunCommand::Upload(arguments) => write::upload(context, &arguments).await,
        RunCommand::DeleteFiles(arguments) => files::delete(context, &arguments).await,
        RunCommand::Create(arguments) => write::create(context, &arguments).await,
        RunCommand::Update(arguments) => write::update(context, &arguments).await,
        RunCommand::Delete(arguments) => write::delete(context, &arguments).await,
        RunCommand::Stop(arguments) => write::stop(context, &arguments).await,
        RunCommand::SetState(arguments) => write::set_state(context, &arguments).await,
        RunCommand::Wait(arguments) => write::wait(context, &arguments).await,
        RunCommand::LoggedArtifacts(arguments) => artifacts::logged(context, &arguments).await,
        RunCommand::UsedArtifacts(arguments) => artifacts::used(context, &arguments).await,
        RunCommand::UseArtifact(arguments) => artifacts::use_artifact(context, &arguments).await,
        RunCommand::LogArtifact(arguments) => artifacts::log_artifact(context, &arguments).await,
    };
    result.map_err(|failure| match &path {
        Some(path) => failure.read_as(path, "run"),
        None => failure,
    })
}
