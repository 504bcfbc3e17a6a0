//! What can be typed: clap definitions only, one file per noun.

mod artifact;
mod artifact_cache;
mod artifact_collection;
mod artifact_put;
mod artifact_write;
mod consent;
mod demo;
mod global;
mod list;
mod local;
mod login;
mod names;
mod people;
mod project;
mod report;
mod run;
mod run_write;
mod serve;
mod sweep;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use artifact::{
    ArtifactCommand, ArtifactDownloadArgs, ArtifactFilesArgs, ArtifactGetArgs, ArtifactTypesArgs,
    ArtifactViewArgs, CheckoutArgs, CollectionsArgs, Limits, LinkChoice, ManifestArgs, VerifyArgs,
    VersionsArgs,
};
pub(crate) use artifact_cache::{CacheArgs, CacheCommand, CacheGcArgs, CacheVerifyArgs};
pub(crate) use artifact_collection::{
    CollectionCommand, CollectionDeleteArgs, CollectionName, CollectionUpdateArgs, CollectionViewArgs,
};
pub(crate) use artifact_put::{ArtifactPutArgs, DigestChoice};
pub(crate) use artifact_write::{
    ArtifactDeleteArgs, ArtifactLinkArgs, ArtifactLinkedArgs, ArtifactUnlinkArgs, ArtifactUpdateArgs,
    TtlChoice,
};
pub(crate) use consent::Consent;
pub(crate) use demo::DemoArgs;
pub(crate) use global::GlobalOptions;
pub(crate) use list::KeyList;
pub(crate) use local::{
    LocalCommand, LocalPlace, LocalTeamAddArgs, LocalTeamCommand, LocalUserAddArgs, LocalUserCommand,
};
pub(crate) use login::LoginArgs;
pub(crate) use names::{Names, NamesChoice};
pub(crate) use people::{
    ApiKeyCommand, ApiKeyCreateArgs, ApiKeyDeleteArgs, TeamCommand, TeamCreateArgs, TeamInviteArgs,
    TeamRemoveArgs, TeamServiceAccountArgs, UserCommand, UserListArgs,
};
pub(crate) use project::{
    ProjectCommand, ProjectCreateArgs, ProjectDeleteArgs, ProjectListArgs, ProjectViewArgs,
};
pub(crate) use report::{
    ReportCommand, ReportCreateArgs, ReportDeleteArgs, ReportListArgs, ReportRunsArgs, ReportUpdateArgs,
    ReportViewArgs,
};
pub(crate) use run::{
    DownloadArgs, FilesArgs, HistoryArgs, HistoryStreamChoice, RunCommand, RunConsoleArgs, RunListArgs,
    RunMetadataArgs, RunViewArgs, ScanArgs,
};
pub(crate) use run_write::{
    LogArtifactArgs, RunArtifactsArgs, RunCreateArgs, RunDeleteArgs, RunDeleteFilesArgs, RunSetStateArgs,
    RunStopArgs, RunUpdateArgs, RunUploadArgs, RunWaitArgs, StateChoice, UseArtifactArgs,
};
pub(crate) use serve::ServeArgs;
pub(crate) use sweep::{
    SweepBestArgs, SweepChangeArgs, SweepCommand, SweepCreateArgs, SweepEndArgs, SweepListArgs,
    SweepRunsArgs, SweepViewArgs,
};

const ABOUT: &str = "Query, read, download and write Weights & Biases runs and artifacts";

const LONG_ABOUT: &str = "\
Query, read, download and write Weights & Biases runs and artifacts: every row, every byte verified, and usable offline.

stdout carries data only; everything else goes to stderr. Exit codes: 0 done, 1 failed, 2 usage, 3 not found, \
4 authentication, 5 integrity, 6 incomplete, 7 conflict.";

const AFTER_HELP: &str = "\
Start here:
  wb demo                              a tour with a sample project, nothing to set up
  wb login                             store an API key
  wb run list my-team/my-project       list runs
  wb run view my-team/my-project/abc   one run with its loss curve
  wb artifact download my-team/my-project/model:latest

Paths: entity/project, entity/project/run, or a web address such as https://wandb.ai/e/p/runs/r. Artifacts: \
entity/project/collection:alias, or the web address of a version.

Environment: WANDB_API_KEY, WANDB_BASE_URL, WANDB_ENTITY, WANDB_PROJECT, WANDB_CONFIG_DIR, WANDB_CACHE_DIR, \
WANDB_CACHE_BUDGET, WANDB_ARTIFACT_DIR, NETRC, WANDB_HTTP_PROXY, \
WANDB_HTTPS_PROXY, NO_COLOR.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "wb",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: GlobalOptions,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The nouns, and the verbs that need none.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take the tour: embedded server, sample project, queries, a verified download.
    Demo(DemoArgs),
    /// Run a server on this machine that the official SDK and wb can use.
    Serve(ServeArgs),
    /// Store an API key for a server, after checking it.
    Login(LoginArgs),
    /// Show the server, where the key comes from, and the user that it belongs to.
    #[command(after_help = "Examples:\n  wb whoami\n  wb whoami --output json")]
    Whoami,
    /// List, view, make and delete projects.
    #[command(subcommand, arg_required_else_help = true)]
    Project(ProjectCommand),
    /// List, view, read and write runs.
    #[command(subcommand, arg_required_else_help = true)]
    Run(RunCommand),
    /// List, view, make, pause and end sweeps, and find their best runs.
    #[command(subcommand, arg_required_else_help = true)]
    Sweep(SweepCommand),
    /// List, view, make, change and delete reports, and list the runs that they show.
    #[command(subcommand, arg_required_else_help = true)]
    Report(ReportCommand),
    /// List, download, verify and log artifacts.
    #[command(subcommand, arg_required_else_help = true)]
    Artifact(ArtifactCommand),
    /// Show and make teams, invite and remove members.
    #[command(subcommand, arg_required_else_help = true)]
    Team(TeamCommand),
    /// Show and find users.
    #[command(subcommand, arg_required_else_help = true)]
    User(UserCommand),
    /// List, make and delete one's own API keys.
    #[command(subcommand, arg_required_else_help = true)]
    ApiKey(ApiKeyCommand),
    /// Look after the users and teams of an embedded server.
    #[command(subcommand, arg_required_else_help = true)]
    Local(LocalCommand),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Examples:\n  wb completions bash > ~/.local/share/bash-completion/completions/wb\n  \
                            wb completions zsh > ~/.zfunc/_wb\n  \
                            wb completions fish > ~/.config/fish/completions/wb.fish"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[cfg(test)]
mod tests;
