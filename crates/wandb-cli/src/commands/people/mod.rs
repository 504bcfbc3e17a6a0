//! `wb team …`, `wb user …` and `wb api-key …`.

mod keys;
mod team;
mod user;
mod view;

use crate::cli::{ApiKeyCommand, TeamCommand, UserCommand};
use crate::context::Context;
use crate::failure::CommandResult;

/// Runs one verb of teams.
pub(super) async fn team(context: &mut Context, command: TeamCommand) -> CommandResult {
    match command {
        TeamCommand::View(arguments) => view::team(context, &arguments.name).await,
        TeamCommand::Create(arguments) => team::create(context, &arguments).await,
        TeamCommand::Invite(arguments) => team::invite(context, &arguments).await,
        TeamCommand::Remove(arguments) => team::remove(context, &arguments).await,
        TeamCommand::ServiceAccount(arguments) => team::service_account(context, &arguments).await,
    }
}

/// Runs one verb of users.
pub(super) async fn user(context: &mut Context, command: UserCommand) -> CommandResult {
    match command {
        UserCommand::View(arguments) => view::user(context, &arguments.name).await,
        UserCommand::List(arguments) => user::list(context, &arguments).await,
    }
}

/// Runs one verb of API keys.
pub(super) async fn api_key(context: &mut Context, command: ApiKeyCommand) -> CommandResult {
    match command {
        ApiKeyCommand::List => keys::list(context).await,
        ApiKeyCommand::Create(arguments) => keys::create(context, &arguments).await,
        ApiKeyCommand::Delete(arguments) => keys::delete(context, &arguments).await,
    }
}
