//! `wb local …`: the people of an embedded server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const HELP: &str = "\
Works on the data directory of `wb serve`, also while the server runs.

Examples:
  wb local user add ada
  wb local user list --dir ./my-server
  wb local team add research --member ada --member grace";

/// What to look after.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Users of an embedded server, each with an API key and an entity of their own.
    #[command(subcommand, arg_required_else_help = true)]
    User(LocalUserCommand),
    /// Teams of an embedded server: entities that several users share.
    #[command(subcommand, arg_required_else_help = true)]
    Team(LocalTeamCommand),
}

/// Verbs of users.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalUserCommand {
    /// Add a user and print the API key.
    Add(LocalUserAddArgs),
    /// List the users.
    #[command(visible_alias = "ls")]
    List(LocalPlace),
}

/// Verbs of teams.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalTeamCommand {
    /// Add a team, or members to it.
    Add(LocalTeamAddArgs),
    /// List the teams and their members.
    #[command(visible_alias = "ls")]
    List(LocalPlace),
}

/// Which server.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct LocalPlace {
    /// The server's data directory [default: --local, or that of `wb serve`].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Options of `local user add`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct LocalUserAddArgs {
    /// The login name, which is also the name of the user's own entity.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The key [default: a new random one].
    #[arg(
        long,
        value_name = "KEY",
        env = "WB_LOCAL_USER_API_KEY",
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,

    /// Which server.
    #[command(flatten)]
    pub(crate) place: LocalPlace,
}

/// Options of `local team add`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct LocalTeamAddArgs {
    /// The name of the team.
    #[arg(value_name = "TEAM")]
    pub(crate) team: String,

    /// A user who belongs to it; may be repeated.
    #[arg(long = "member", value_name = "NAME")]
    pub(crate) members: Vec<String>,

    /// Which server.
    #[command(flatten)]
    pub(crate) place: LocalPlace,
}
