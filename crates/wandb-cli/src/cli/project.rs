//! `wb project …`.

use clap::{Args, Subcommand};

use super::Consent;

/// Verbs of projects.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// List the projects of an entity.
    #[command(visible_alias = "ls")]
    List(ProjectListArgs),
    /// Show one project.
    View(ProjectViewArgs),
    /// Make a project; one that exists stays as it is.
    Create(ProjectCreateArgs),
    /// Delete a project with its runs, sweeps, reports and artifacts.
    #[command(visible_alias = "rm")]
    Delete(ProjectDeleteArgs),
}

/// Options of `project list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb project list\n  wb project list my-team --output jsonl")]
pub(crate) struct ProjectListArgs {
    /// The user or team [default: --entity, WANDB_ENTITY, or the user's own].
    #[arg(value_name = "ENTITY", id = "entity_name")]
    pub(crate) entity: Option<String>,

    /// Stop after so many projects.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,

    /// Ask for so many projects at a time [default: 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page_size: Option<u32>,
}

/// Options of `project view`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb project view my-team/my-project\n  wb project view my-project --output json"
)]
pub(crate) struct ProjectViewArgs {
    /// entity/project, or project alone.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
}

/// Options of `project create`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb project create my-team/my-project\n  wb project create my-project")]
pub(crate) struct ProjectCreateArgs {
    /// entity/project, or project alone.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
}

/// Options of `project delete`.
#[derive(Debug, Args)]
#[command(after_help = "Everything in it goes with it, and cannot be brought back.\n\n\
                  Examples:\n  wb project delete my-team/my-project --dry-run\n  \
                  wb project delete my-team/my-project --yes")]
pub(crate) struct ProjectDeleteArgs {
    /// entity/project, or project alone.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}
