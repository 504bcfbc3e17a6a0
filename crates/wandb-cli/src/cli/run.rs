//! `wb run …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::run_write::{
    LogArtifactArgs, RunArtifactsArgs, RunCreateArgs, RunDeleteArgs, RunDeleteFilesArgs, RunSetStateArgs,
    RunStopArgs, RunUpdateArgs, RunUploadArgs, RunWaitArgs, UseArtifactArgs,
};
use super::{KeyList, NamesChoice};

/// Verbs of runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// List the runs of a project, filtered and sorted by the server.
    #[command(visible_alias = "ls")]
    List(RunListArgs),
    /// Show one run: state, config, summary, and its loss curve.
    View(RunViewArgs),
    /// Read a sample of a run's history, for a quick look; `scan` reads every row.
    History(HistoryArgs),
    /// Read every row of a run's history, in order, each once.
    Scan(ScanArgs),
    /// List the files of a run.
    Files(FilesArgs),
    /// Download files of a run; every byte is checked before a file gets its name.
    Download(DownloadArgs),
    /// Read what the run's process wrote to its console.
    Console(RunConsoleArgs),
    /// Show what the run's process noted about itself: program, arguments, git commit, machine.
    Metadata(RunMetadataArgs),
    /// Upload files to a run.
    Upload(RunUploadArgs),
    /// Delete files of a run.
    #[command(visible_alias = "rm-files")]
    DeleteFiles(RunDeleteFilesArgs),
    /// Make a run.
    Create(RunCreateArgs),
    /// Change config, summary, tags, notes or names of a run; what is not given stays.
    Update(RunUpdateArgs),
    /// Delete a run.
    #[command(visible_alias = "rm")]
    Delete(RunDeleteArgs),
    /// Ask a running process to stop.
    Stop(RunStopArgs),
    /// Put a run that has no process any more into another state.
    SetState(RunSetStateArgs),
    /// Wait until a run has ended.
    Wait(RunWaitArgs),
    /// List the artifact versions that a run logged.
    LoggedArtifacts(RunArtifactsArgs),
    /// List the artifact versions that a run used.
    UsedArtifacts(RunArtifactsArgs),
    /// Record that a run used an artifact version.
    UseArtifact(UseArtifactArgs),
    /// Record that a run made an artifact version.
    LogArtifact(LogArtifactArgs),
}

impl RunCommand {
    /// The path of the run that it is about; `None` for those that take a project's.
    pub(crate) fn run_path(&self) -> Option<&str> {
        let path = match self {
            Self::List(_) | Self::Create(_) => return None,
            Self::View(arguments) => &arguments.path,
            Self::History(arguments) => &arguments.path,
            Self::Scan(arguments) => &arguments.path,
            Self::Files(arguments) => &arguments.path,
            Self::Download(arguments) => &arguments.path,
            Self::Console(arguments) => &arguments.path,
            Self::Metadata(arguments) => &arguments.path,
            Self::Upload(arguments) => &arguments.path,
            Self::DeleteFiles(arguments) => &arguments.path,
            Self::Update(arguments) => &arguments.path,
            Self::Delete(arguments) => &arguments.path,
            Self::Stop(arguments) => &arguments.path,
            Self::SetState(arguments) => &arguments.path,
            Self::Wait(arguments) => &arguments.path,
            Self::LoggedArtifacts(arguments) => &arguments.path,
            Self::UsedArtifacts(arguments) => &arguments.path,
            Self::UseArtifact(arguments) => &arguments.path,
            Self::LogArtifact(arguments) => &arguments.path,
        };
        Some(path)
    }
}

const LIST_HELP: &str = "\
Filters: conditions such as state = \"finished\" and config.lr > 0.01, or the server's own Mongo-style JSON. Keys: \
state, name, display_name, username, tags, group, job_type, created_at, config.KEY, summary.KEY and more; a wrong one is \
told with the nearest right one. --explain shows what would be sent.

Orders: +created_at, -created_at, +summary_metrics.KEY, -config.KEY and so on; + is ascending.

Examples:
  wb run list my-team/my-project
  wb run list my-team/my-project --filter 'state = \"finished\" and config.lr > 0.01'
  wb run list my-team/my-project --filter '{\"tags\": {\"$in\": [\"baseline\"]}}' --count
  wb run list my-team/my-project --order -summary_metrics.acc --limit 10
  wb run list my-team/my-project --select config.lr,summary.acc --output csv
  wb run list my-team/my-project --output jsonl > runs.jsonl";

/// Options of `run list`.
#[derive(Debug, Args)]
#[command(after_help = LIST_HELP)]
pub(crate) struct RunListArgs {
    /// entity/project, or project alone [default: --entity and --project].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// Only runs that match: conditions, or a Mongo-style JSON object.
    #[arg(long, short = 'f', value_name = "FILTER")]
    pub(crate) filter: Option<String>,

    /// Sort by this key, for example -created_at or +summary_metrics.loss [default: +created_at].
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub(crate) order: Option<String>,

    /// Stop after so many runs.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,

    /// Ask for so many runs at a time [default: 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page_size: Option<u32>,

    /// Read and show only these keys: config.KEY, summary.KEY, or KEY for either.
    #[arg(long, value_name = "KEYS", value_parser = KeyList::parse)]
    pub(crate) select: Vec<KeyList>,

    /// Print only how many runs match.
    #[arg(long, conflicts_with_all = ["limit", "select", "explain", "order", "page_size"])]
    pub(crate) count: bool,

    /// Print what would be asked of the server, and ask nothing.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Options of `run view`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb run view my-team/my-project/abc123\n  \
                        wb run view https://wandb.ai/my-team/my-project/runs/abc123 --output json\n  \
                        wb run view my-team/my-project/abc123 --plot val/acc")]
pub(crate) struct RunViewArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Draw this metric [default: the first one that is named like a loss].
    #[arg(long, value_name = "KEY")]
    pub(crate) plot: Option<String>,
}

/// The two series that a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum HistoryStreamChoice {
    /// What the run logged.
    #[default]
    Default,
    /// What the machine did: CPU, memory, GPU.
    System,
}

const HISTORY_HELP: &str = "\
The server samples: with more rows than --samples, some are left out. `wb run scan` leaves out none.

Examples:
  wb run history my-team/my-project/abc123 --keys loss,acc --samples 100
  wb run history my-team/my-project/abc123 --stream system --output csv";

/// Options of `run history`.
#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub(crate) struct HistoryArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Only rows that have all of these keys, and only these keys.
    #[arg(long, value_name = "KEYS", value_parser = KeyList::parse)]
    pub(crate) keys: Vec<KeyList>,

    /// How many rows the server should choose at most [default: 500].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: Option<u32>,

    /// The key that orders the rows [default: _step].
    #[arg(long, value_name = "KEY", requires = "keys")]
    pub(crate) x_axis: Option<String>,

    /// Which series.
    #[arg(long, value_name = "STREAM", value_enum, default_value_t)]
    pub(crate) stream: HistoryStreamChoice,
}

const SCAN_HELP: &str = "\
Without --keys or --any-keys every logged key is read. CSV on a run without named keys is written at the end of the \
scan, when all columns are known; it passes through a temporary file, not through memory.

Examples:
  wb run scan my-team/my-project/abc123 --output jsonl > history.jsonl
  wb run scan my-team/my-project/abc123 --keys loss --min-step 1000 --max-step 2000
  wb run scan my-team/my-project/abc123 --any-keys train/loss,val/loss --out curves.parquet";

/// Options of `run scan`.
#[derive(Debug, Args)]
#[command(after_help = SCAN_HELP)]
pub(crate) struct ScanArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Only rows that have all of these keys, and only these keys.
    #[arg(long, value_name = "KEYS", value_parser = KeyList::parse, conflicts_with = "any_keys")]
    pub(crate) keys: Vec<KeyList>,

    /// Rows that have any of these keys, and only these keys.
    #[arg(long, value_name = "KEYS", value_parser = KeyList::parse)]
    pub(crate) any_keys: Vec<KeyList>,

    /// From this step on [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) min_step: Option<u64>,

    /// Up to but without this step [default: the end].
    #[arg(long, value_name = "N")]
    pub(crate) max_step: Option<u64>,

    /// Ask for about so many rows at a time [default: 1000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page_size: Option<u32>,

    /// Write to this file instead of stdout; its ending says how: .parquet, .arrow, .csv, .jsonl or .json. The file
    /// appears when it is whole.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Replace the file of --out if it exists.
    #[arg(long, requires = "out")]
    pub(crate) replace: bool,
}

/// Options of `run files`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb run files my-team/my-project/abc123\n  \
                        wb run files my-team/my-project/abc123 --pattern 'media/%' --output csv")]
pub(crate) struct FilesArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Only the file of this name; may be repeated.
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Only files whose name matches: % is any text, _ is any character (SQL LIKE).
    #[arg(long, value_name = "PATTERN", conflicts_with = "names")]
    pub(crate) pattern: Option<String>,
}

const DOWNLOAD_HELP: &str = "\
A file that is there already is an error and stays as it is, unless --replace is given; then what already has the right \
size and digest is not fetched again.

Examples:
  wb run download my-team/my-project/abc123 model.pt
  wb run download my-team/my-project/abc123 --root ./abc123";

/// Options of `run download`.
#[derive(Debug, Args)]
#[command(after_help = DOWNLOAD_HELP)]
pub(crate) struct DownloadArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The files [default: all of the run].
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// The directory to write to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,

    /// Replace files that exist and differ.
    #[arg(long)]
    pub(crate) replace: bool,

    /// Which file names are taken; of those that not every system can hold there is a warning. Names that lead elsewhere
    /// (../x) are never taken.
    #[arg(long = "names", value_name = "WHICH", value_enum, default_value_t = NamesChoice::System)]
    pub(crate) name_policy: NamesChoice,
}

/// Options of `run metadata`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb run metadata my-team/my-project/abc123 --output json")]
pub(crate) struct RunMetadataArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
}

/// Options of `run console`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb run console my-team/my-project/abc123\n  \
                        wb run console my-team/my-project/abc123 --last 50\n  \
                        wb run console my-team/my-project/abc123 --output jsonl > console.jsonl")]
pub(crate) struct RunConsoleArgs {
    /// entity/project/run, or a web address.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// Only so many lines of the end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) last: Option<u32>,

    /// Only so many lines of the beginning.
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "last", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}
