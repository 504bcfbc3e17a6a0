//! `wb run …`.

mod clash;
mod download;
mod explain;
mod files;
mod history;
mod list;
mod record;
mod scan;
mod view;

use crate::cli::RunCommand;
use crate::context::Context;
use crate::failure::CommandResult;

pub(crate) use scan::scan_to_file;

/// Runs one verb.
pub(crate) async fn dispatch(context: &mut Context, command: RunCommand) -> CommandResult {
    match command {
        RunCommand::List(arguments) => list::list(context, &arguments).await,
        RunCommand::View(arguments) => view::view(context, &arguments).await,
        RunCommand::History(arguments) => history::history(context, &arguments).await,
        RunCommand::Scan(arguments) => scan::scan(context, &arguments).await,
        RunCommand::Files(arguments) => files::files(context, &arguments).await,
        RunCommand::Download(arguments) => download::download(context, &arguments).await,
    }
}
