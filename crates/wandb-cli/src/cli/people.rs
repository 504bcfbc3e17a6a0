//! `wb team …`, `wb user …` and `wb api-key …`.

use clap::{Args, Subcommand};

use super::Consent;

/// Verbs of teams.
#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// Show one team with its members.
    View(TeamViewArgs),
    /// Make a team.
    Create(TeamCreateArgs),
    /// Invite somebody to a team.
    Invite(TeamInviteArgs),
    /// Remove a member from a team, or take an invitation back.
    Remove(TeamRemoveArgs),
    /// Make an account for programs in a team, and print its API key.
    ServiceAccount(TeamServiceAccountArgs),
}

/// Options of `team view`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb team view my-team\n  wb team view my-team --output json")]
pub(crate) struct TeamViewArgs {
    /// The team.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Options of `team create`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb team create my-team\n  wb team create my-team --admin ada")]
pub(crate) struct TeamCreateArgs {
    /// The name of the new team.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Who administers it, by login name [default: the user behind the key].
    #[arg(long, value_name = "USER")]
    pub(crate) admin: Option<String>,
}

/// Options of `team invite`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb team invite my-team ada\n  wb team invite my-team ada@example.com --admin"
)]
pub(crate) struct TeamInviteArgs {
    /// The team.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Whom: a login name or an e-mail address.
    #[arg(value_name = "WHO")]
    pub(crate) who: String,

    /// As an administrator.
    #[arg(long)]
    pub(crate) admin: bool,
}

/// Options of `team remove`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb team remove my-team ada --dry-run\n  wb team remove my-team ada --yes"
)]
pub(crate) struct TeamRemoveArgs {
    /// The team.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Whom: the login name or e-mail address of a member or of somebody invited.
    #[arg(value_name = "WHO")]
    pub(crate) who: String,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Options of `team service-account`.
#[derive(Debug, Args)]
#[command(
    after_help = "The key is printed this one time.\n\nExamples:\n  wb team service-account my-team --description 'nightly export'"
)]
pub(crate) struct TeamServiceAccountArgs {
    /// The team.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: String,
}

/// Verbs of users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Show one user with the teams that are visible.
    View(UserViewArgs),
    /// List the users whose login name or e-mail address fits a text.
    #[command(visible_alias = "ls")]
    List(UserListArgs),
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

/// Options of `user list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb user list ada\n  wb user list example.com --output jsonl")]
pub(crate) struct UserListArgs {
    /// What the login name or e-mail address has to fit, as the server understands it.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,

    /// Stop after so many users.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Verbs of the API keys of the user behind the key.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// List one's own API keys by their labels, never the keys.
    #[command(
        visible_alias = "ls",
        after_help = "Examples:\n  wb api-key list\n  wb api-key list --output json"
    )]
    List,
    /// Make another API key, and print it.
    Create(ApiKeyCreateArgs),
    /// Take an API key away.
    #[command(visible_alias = "rm")]
    Delete(ApiKeyDeleteArgs),
}

/// Options of `api-key create`.
#[derive(Debug, Args)]
#[command(
    after_help = "The key is printed this one time.\n\nExamples:\n  wb api-key create --description laptop"
)]
pub(crate) struct ApiKeyCreateArgs {
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

/// Options of `api-key delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "The key in use is no exception.\n\nExamples:\n  wb api-key delete QXBpS2V5OjE= --dry-run\n  \
                  wb api-key delete QXBpS2V5OjE= --yes"
)]
pub(crate) struct ApiKeyDeleteArgs {
    /// The id, as `wb api-key list` shows it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}
