//! What can be typed: clap definitions only, one file per noun.

mod demo;
mod global;
mod list;
mod login;
mod project;
mod run;
mod serve;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use demo::DemoArgs;
pub(crate) use global::GlobalOptions;
pub(crate) use list::KeyList;
pub(crate) use login::LoginArgs;
pub(crate) use project::{ProjectCommand, ProjectListArgs, ProjectViewArgs};
pub(crate) use run::{
    DownloadArgs, FilesArgs, HistoryArgs, HistoryStreamChoice, RunCommand, RunListArgs, RunViewArgs, ScanArgs,
};
pub(crate) use serve::ServeArgs;

const ABOUT: &str = "Query, read and download Weights & Biases runs";

const LONG_ABOUT: &str = "\
Query, read and download Weights & Biases runs: every row, every byte verified, and usable offline.

stdout carries data only; everything else goes to stderr. Exit codes: 0 done, 1 failed, 2 usage, 3 not found, \
4 authentication, 5 integrity, 6 incomplete, 7 conflict.";

const AFTER_HELP: &str = "\
Start here:
  wb demo                              a tour with a sample project, nothing to set up
  wb login                             store an API key
  wb run list my-team/my-project       list runs
  wb run view my-team/my-project/abc   one run with its loss curve

Paths: entity/project, entity/project/run, or a web address such as https://wandb.ai/e/p/runs/r.

Environment: WANDB_API_KEY, WANDB_BASE_URL, WANDB_ENTITY, WANDB_PROJECT, WANDB_CONFIG_DIR, NETRC, WANDB_HTTP_PROXY, \
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
    /// List and view projects.
    #[command(subcommand, arg_required_else_help = true)]
    Project(ProjectCommand),
    /// List, view and read runs.
    #[command(subcommand, arg_required_else_help = true)]
    Run(RunCommand),
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
