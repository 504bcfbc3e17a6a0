//! `wb run …`: what is written.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::Consent;
use crate::duration::parse_duration;

const VALUES: &str = "\
Values are JSON where they can be read so, else text: lr=0.1, name=resnet, layers='[64, 32]'. A dot in a key names a \
nested one: optimizer.lr=0.1.";

const CREATE: &str = "\
PATH names where the run is made, as in `wb run list`: two parts are entity/project, while the run itself is not there yet. \
To choose its id give --id, or all three parts.";

/// Options of `run create`.
#[derive(Debug, Args)]
#[command(after_help = format!("{CREATE}\n\n{VALUES}\n\nExamples:\n  \
                        wb run create my-team/my-project --name baseline --config lr=0.1\n  \
                        wb run create my-project --id abc123\n  \
                        wb run create my-team/my-project/abc123"))]
pub(crate) struct RunCreateArgs {
    /// entity/project, or project alone [default: --entity and --project]; or entity/project/run.
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// The id [default: a new one].
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// What the run says about itself.
    #[command(flatten)]
    pub(crate) values: RunValues,
}

/// What is written to a run.
#[derive(Debug, Args)]
pub(crate) struct RunValues {
    /// Set this config key; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,

    /// Set this summary key; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) summary: Vec<String>,

    /// Add this tag; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// The notes.
    #[arg(long, value_name = "TEXT")]
    pub(crate) notes: Option<String>,

    /// The name that is shown.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The group.
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,

    /// The job type.
    #[arg(long, value_name = "TYPE")]
    pub(crate) job_type: Option<String>,
}

/// The arguments of `run update` that change something, by their ids: without one of them there is nothing to do.
const CHANGES: [&str; 10] = [
    "config",
    "summary",
    "tags",
    "notes",
    "name",
    "group",
    "job_type",
    "untags",
    "unset_config",
    "unset_summary",
];

/// Options of `run update`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("change").required(true).multiple(true).args(CHANGES),
    after_help = format!("Only what is given changes; somebody else's changes to other keys stay.\n\n{VALUES}\n\nExamples:\n  \
                        wb run update my-team/my-project/abc123 --tag best --summary score=0.93\n  \
                        wb run update my-team/my-project/abc123 --untag draft --unset-config old_key --if-unchanged")
)]
pub(crate) struct RunUpdateArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// What to set.
    #[command(flatten)]
    pub(crate) values: RunValues,

    /// Take this tag away; may be repeated.
    #[arg(long = "untag", value_name = "TAG")]
    pub(crate) untags: Vec<String>,

    /// Remove this config key; may be repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) unset_config: Vec<String>,

    /// Remove this summary key; may be repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) unset_summary: Vec<String>,

    /// Fail with exit code 7 if somebody changed the run since it was read.
    #[arg(long)]
    pub(crate) if_unchanged: bool,
}

/// Options of `run upload`.
#[derive(Debug, Args)]
#[command(
    after_help = "A file's name in the run is its path below --root.\n\nExamples:\n  \
                  wb run upload my-team/my-project/abc123 results.csv\n  \
                  wb run upload my-team/my-project/abc123 out/a.txt out/b.txt --root out"
)]
pub(crate) struct RunUploadArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The files.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The directory that names are relative to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,
}

/// Options of `run delete-files`.
#[derive(Debug, Args)]
#[command(
    after_help = "A name that the run does not have ends the command before anything is deleted.\n\nExamples:\n  \
                  wb run delete-files my-team/my-project/abc123 old.ckpt --dry-run\n  \
                  wb run delete-files my-team/my-project/abc123 a.txt media/b.png --yes"
)]
pub(crate) struct RunDeleteFilesArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The exact names of the files.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Options of `run delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb run delete my-team/my-project/abc123 --dry-run\n  \
                        wb run delete my-team/my-project/abc123 --with-artifacts --yes"
)]
pub(crate) struct RunDeleteArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Also the artifact versions that it logged.
    #[arg(long)]
    pub(crate) with_artifacts: bool,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Options of `run stop`.
#[derive(Debug, Args)]
#[command(
    after_help = "Asks the process to end; it does so at its next sign of life.\n\nExamples:\n  wb run stop my-team/my-project/abc123 --yes"
)]
pub(crate) struct RunStopArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// A state that `run set-state` can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateChoice {
    /// To be run again; from running, failed, crashed or preempted.
    Pending,
    /// Ended without success; from pending or running.
    Failed,
}

/// Options of `run set-state`.
#[derive(Debug, Args)]
#[command(
    after_help = "The process of the run is not told; `wb run stop` asks it to end.\n\nExamples:\n  \
                  wb run set-state my-team/my-project/abc123 failed --dry-run\n  \
                  wb run set-state my-team/my-project/abc123 failed --yes"
)]
pub(crate) struct RunSetStateArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The state.
    #[arg(value_name = "STATE", value_enum)]
    pub(crate) state: StateChoice,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Options of `run wait`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 0 when the run finished, with 1 when it ended in another way, with 6 at the timeout.\n\nExamples:\n  \
                  wb run wait my-team/my-project/abc123 --timeout 2h"
)]
pub(crate) struct RunWaitArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Give up after so long [default: never].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Ask so often.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    pub(crate) every: Duration,
}

/// Options of `run logged-artifacts` and `run used-artifacts`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb run logged-artifacts my-team/my-project/abc123\n  wb run used-artifacts my-team/my-project/abc123 --output jsonl"
)]
pub(crate) struct RunArtifactsArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
}

/// Options of `run use-artifact`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb run use-artifact my-team/my-project/abc123 data:v3")]
pub(crate) struct UseArtifactArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The version that the run used: [entity/[project/]]collection[:ALIAS or :vN].
    #[arg(value_name = "ARTIFACT")]
    pub(crate) artifact: String,
}

/// Options of `run log-artifact`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb run log-artifact my-team/my-project/abc123 model:v3 --alias best")]
pub(crate) struct LogArtifactArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// A version of the same project that the run made: collection[:ALIAS or :vN].
    #[arg(value_name = "ARTIFACT")]
    pub(crate) artifact: String,

    /// An alias for it; may be repeated.
    #[arg(long = "alias", short = 'a', value_name = "ALIAS")]
    pub(crate) aliases: Vec<String>,
}
