//! `wb artifact …`.

mod cache;
mod collection;
mod collections;
mod download;
mod edit;
mod files;
mod get;
mod linked;
mod manifest;
mod put;
pub(crate) mod record;
mod types;
mod verify;
mod versions;
mod view;

use crate::cli::ArtifactCommand;
use crate::context::Context;
use crate::failure::CommandResult;

/// Runs one verb.
pub(crate) async fn dispatch(context: &mut Context, command: ArtifactCommand) -> CommandResult {
    match command {
        ArtifactCommand::Types(arguments) => types::types(context, &arguments).await,
        ArtifactCommand::Collections(arguments) => collections::collections(context, &arguments).await,
        ArtifactCommand::Collection(command) => collection::dispatch(context, command).await,
        ArtifactCommand::Versions(arguments) => versions::versions(context, &arguments).await,
        ArtifactCommand::View(arguments) => view::view(context, &arguments).await,
        ArtifactCommand::Manifest(arguments) => manifest::manifest(context, &arguments).await,
        ArtifactCommand::Files(arguments) => files::files(context, &arguments).await,
        ArtifactCommand::Download(arguments) => download::download(context, &arguments).await,
        ArtifactCommand::Checkout(arguments) => download::checkout(context, &arguments).await,
        ArtifactCommand::Verify(arguments) => verify::verify(context, &arguments).await,
        ArtifactCommand::Cache(command) => cache::dispatch(context, command).await,
        ArtifactCommand::Put(arguments) => put::put(context, &arguments).await,
        ArtifactCommand::Get(arguments) => get::get(context, &arguments).await,
        ArtifactCommand::Update(arguments) => edit::update(context, &arguments).await,
        ArtifactCommand::Delete(arguments) => edit::delete(context, &arguments).await,
        ArtifactCommand::Link(arguments) => edit::link(context, &arguments).await,
        ArtifactCommand::Unlink(arguments) => edit::unlink(context, &arguments).await,
        ArtifactCommand::Linked(arguments) => linked::linked(context, &arguments).await,
    }
}
