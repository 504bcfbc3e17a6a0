//! `wb sweep …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Consent;

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
    /// Make a sweep from a YAML file.
    Create(SweepCreateArgs),
    /// Let a sweep suggest no runs until it is resumed.
    Pause(SweepChangeArgs),
    /// Let a paused sweep suggest runs again.
    Resume(SweepChangeArgs),
    /// End a sweep: it suggests no more, and what runs may go on to its end.
    Stop(SweepEndArgs),
    /// End a sweep, and stop what runs.
    Cancel(SweepEndArgs),
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

/// Options of `sweep create`.
#[derive(Debug, Args)]
#[command(
    after_help = "The file is the config as `wandb sweep` takes it: method, metric, parameters. What the server finds odd in \
                  it is told as a warning.\n\nExamples:\n  wb sweep create my-team/my-project sweep.yaml\n  \
                  wb sweep create my-team/my-project sweep.yaml --output json"
)]
pub(crate) struct SweepCreateArgs {
    /// entity/project, or project alone.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The config, a YAML file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Options of `sweep pause` and `sweep resume`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb sweep pause my-team/my-project/abc123\n  wb sweep resume my-team/my-project/abc123"
)]
pub(crate) struct SweepChangeArgs {
    /// entity/project/sweep, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
}

/// Options of `sweep stop` and `sweep cancel`.
#[derive(Debug, Args)]
#[command(
    after_help = "A canceled sweep stays canceled; `wb sweep pause` can be taken back.\n\nExamples:\n  \
                  wb sweep stop my-team/my-project/abc123 --dry-run\n  wb sweep cancel my-team/my-project/abc123 --yes"
)]
pub(crate) struct SweepEndArgs {
    /// entity/project/sweep, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}
