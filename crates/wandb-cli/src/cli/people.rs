//! `wb team …` and `wb user …`.

use clap::{Args, Subcommand};

/// Verbs of teams.
#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// Show one team with its members.
    View(TeamViewArgs),
}

/// Options of `team view`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb team view my-team\n  wb team view my-team --output json")]
pub(crate) struct TeamViewArgs {
    /// The team.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Verbs of users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Show one user with the teams that are visible.
    View(UserViewArgs),
}

/// Options of `user view`.
#[derive(Debug, Args)]
#[command(
    after_help = "`wb whoami` shows the user behind the key.\n\nExamples:\n  wb user view ada\n  \
                  wb user view ada@example.com --output json"
)]
pub(crate) struct UserViewArgs {
    /// The login name or e-mail address.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
