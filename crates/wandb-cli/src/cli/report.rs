//! `wb report …`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Consent;

/// Verbs of reports.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// List the reports of a project.
    #[command(visible_alias = "ls")]
    List(ReportListArgs),
    /// Show one report: title, description, sections, address.
    View(ReportViewArgs),
    /// List the sections of a report, with their run sets.
    Sections(ReportViewArgs),
    /// List the runs that a section of a report shows.
    Runs(ReportRunsArgs),
    /// Make a report.
    Create(ReportCreateArgs),
    /// Change the title, the description or the content of a report.
    Update(ReportUpdateArgs),
    /// Delete a report, with its drafts.
    #[command(visible_alias = "rm")]
    Delete(ReportDeleteArgs),
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

/// Options of `report view` and `report sections`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb report view my-team/my-project --name 'Weekly results' --output json\n  \
                  wb report sections my-team/my-project --name 'Weekly results'"
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

    /// The run set of the section, counted from 0 [default: the one that is open in it].
    #[arg(long, value_name = "N")]
    pub(crate) run_set: Option<usize>,

    /// All runs that the run set's filters let pass, not only those that are selected in it.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Options of `report create`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --spec the report is an empty page. The spec of another report is in `wb report view --output json`.\n\n\
                  Examples:\n  wb report create my-team/my-project --title 'Weekly results'\n  \
                  wb report create my-team/my-project --title 'Weekly results' --spec spec.json --draft"
)]
pub(crate) struct ReportCreateArgs {
    /// entity/project, or project alone.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The title.
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: String,

    /// The description.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// The content: a file with a JSON object.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Option<PathBuf>,

    /// Keep it a draft.
    #[arg(long)]
    pub(crate) draft: bool,
}

/// Options of `report update`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("change").required(true).multiple(true),
    after_help = "Only what is given changes; the content is replaced as a whole.\n\n\
                  Examples:\n  wb report update my-team/my-project --name 'Weekly results' --title 'Results of May'\n  \
                  wb report update my-team/my-project --name 'Weekly results' --spec spec.json"
)]
pub(crate) struct ReportUpdateArgs {
    /// entity/project, or the web address of a report.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The name or title of the report; not with a report's own address.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The new title.
    #[arg(long, value_name = "TITLE", group = "change")]
    pub(crate) title: Option<String>,

    /// The new description.
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(crate) description: Option<String>,

    /// The new content: a file with a JSON object.
    #[arg(long, value_name = "FILE", group = "change")]
    pub(crate) spec: Option<PathBuf>,

    /// Fail with exit code 7 if somebody changed the report since it was read.
    #[arg(long)]
    pub(crate) if_unchanged: bool,
}

/// Options of `report delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb report delete my-team/my-project --name 'Weekly results' --dry-run\n  \
                  wb report delete my-team/my-project --name 'Weekly results' --yes"
)]
pub(crate) struct ReportDeleteArgs {
    /// entity/project, or the web address of a report.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The name or title of the report; not with a report's own address.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}
