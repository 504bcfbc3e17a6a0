//! `wb sweep …`.

use clap::{Args, Subcommand};

/// Verbs of sweeps.
#[derive(Debug, Subcommand)]
pub(crate) enum SweepCommand {
    /// List the sweeps of a project.
    #[command(visible_alias = "ls")]
    List(SweepListArgs),
    /// Show one sweep: state, method, parameters, progress.
    View(SweepViewArgs),
    /// List the runs of a sweep.
    Runs(SweepRunsArgs),
    /// Show the best run of a sweep, by its metric or by another order.
    Best(SweepBestArgs),
}

/// Options of `sweep list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb sweep list my-team/my-project")]
pub(crate) struct SweepListArgs {
    /// entity/project, or project alone [default: --entity and --project].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// Stop after so many sweeps.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Options of `sweep view`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb sweep view my-team/my-project/abc123 --output json")]
pub(crate) struct SweepViewArgs {
    /// entity/project/sweep, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
}

/// Options of `sweep runs`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb sweep runs my-team/my-project/abc123\n  \
                        wb sweep runs my-team/my-project/abc123 --order +summary_metrics.loss --limit 3")]
pub(crate) struct SweepRunsArgs {
    /// entity/project/sweep, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Sort by this key [default: +created_at].
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub(crate) order: Option<String>,

    /// Stop after so many runs.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Options of `sweep best`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --order the sweep's own metric and goal decide; a sweep without a metric gives its newest run, and \
                  says so.\n\nExamples:\n  wb sweep best my-team/my-project/abc123\n  \
                  wb sweep best my-team/my-project/abc123 --order -summary_metrics.accuracy --output json"
)]
pub(crate) struct SweepBestArgs {
    /// entity/project/sweep, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The order whose first run is the best, for example +summary_metrics.loss.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub(crate) order: Option<String>,
}
