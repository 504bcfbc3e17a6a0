//! `wb report …`.

use clap::{Args, Subcommand};

/// Verbs of reports.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// List the reports of a project.
    #[command(visible_alias = "ls")]
    List(ReportListArgs),
    /// Show one report: title, description, sections, address.
    View(ReportViewArgs),
    /// List the runs that a section of a report shows.
    Runs(ReportRunsArgs),
}

/// Options of `report list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb report list my-team/my-project\n  wb report list my-team/my-project --name 'Weekly results'"
)]
pub(crate) struct ReportListArgs {
    /// entity/project, or project alone [default: --entity and --project].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// Only reports of this name or title.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Stop after so many reports.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Options of `report view`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb report view my-team/my-project --name 'Weekly results' --output json"
)]
pub(crate) struct ReportViewArgs {
    /// entity/project, or the web address of a report.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The name or title of the report; not with a report's own address.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// Options of `report runs`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb report runs my-team/my-project --name 'Weekly results' --section 0")]
pub(crate) struct ReportRunsArgs {
    /// entity/project, or the web address of a report.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The name or title of the report; not with a report's own address.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The section, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) section: usize,

    /// All runs that the section's filters let pass, not only those that are selected in it.
    #[arg(long)]
    pub(crate) all: bool,
}
