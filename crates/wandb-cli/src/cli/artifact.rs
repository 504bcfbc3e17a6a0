//! `wb artifact …`: what is read, and what is checked on the disk.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use wandb_api::settings::parse_size;

use super::artifact_cache::CacheCommand;
use super::artifact_collection::CollectionCommand;
use super::artifact_put::ArtifactPutArgs;
use super::artifact_write::{
    ArtifactDeleteArgs, ArtifactLinkArgs, ArtifactLinkedArgs, ArtifactUnlinkArgs, ArtifactUpdateArgs,
};
use super::{Consent, Names};

/// Verbs of artifacts.
#[derive(Debug, Subcommand)]
pub(crate) enum ArtifactCommand {
    /// List the artifact types of a project.
    Types(ArtifactTypesArgs),
    /// List the collections of one type: sequences of versions, and portfolios that versions are linked into.
    Collections(CollectionsArgs),
    /// Show, change and delete one collection.
    #[command(subcommand, arg_required_else_help = true)]
    Collection(CollectionCommand),
    /// List the versions of a collection.
    #[command(visible_alias = "ls")]
    Versions(VersionsArgs),
    /// Show one version.
    View(ArtifactViewArgs),
    /// List the entries of a version's manifest: path, digest, size, reference.
    Manifest(ManifestArgs),
    /// List the files of a version as the server lists them.
    Files(ArtifactFilesArgs),
    /// Download a version; every byte is checked before a file gets its name, and an interrupted download is resumed.
    Download(ArtifactDownloadArgs),
    /// Make a directory equal to a version: download what is missing, remove what is no member.
    Checkout(CheckoutArgs),
    /// Compare a directory with a version's manifest, and list every difference.
    Verify(VerifyArgs),
    /// Log a file or a directory as a new version; what the server has already is not sent again.
    Put(ArtifactPutArgs),
    /// Show one entry: a table as rows, other media as an object with the path of the verified file, any file as its path.
    Get(ArtifactGetArgs),
    /// Change aliases, tags, description, metadata or time to live of a version.
    Update(ArtifactUpdateArgs),
    /// Delete a version.
    #[command(visible_alias = "rm")]
    Delete(ArtifactDeleteArgs),
    /// Link a version into a portfolio.
    Link(ArtifactLinkArgs),
    /// Take a version out of a portfolio.
    Unlink(ArtifactUnlinkArgs),
    /// List the portfolios that a version is linked into.
    Linked(ArtifactLinkedArgs),
    /// Look at and clean up the cache of verified files.
    #[command(subcommand, arg_required_else_help = true)]
    Cache(CacheCommand),
}

/// Options of `artifact types`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb artifact types my-team/my-project")]
pub(crate) struct ArtifactTypesArgs {
    /// entity/project, or project alone [default: --entity and --project].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
}

/// Options of `artifact collections`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact collections my-team/my-project --type model\n  \
                        wb artifact collections my-team/my-project --type model --order -updated_at"
)]
pub(crate) struct CollectionsArgs {
    /// entity/project, or project alone [default: --entity and --project].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// The type of the collections.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_name: String,

    /// Also tell the aliases in use: one more request for each collection, as the protocol has it, several at a time.
    #[arg(long)]
    pub(crate) aliases: bool,

    /// Sort by this key: name, created_at or updated_at with + or -.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub(crate) order: Option<String>,

    /// Stop after so many collections.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Options of `artifact versions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb artifact versions my-team/my-project/model\n  \
                        wb artifact versions my-team/my-project/model --tag released --output jsonl")]
pub(crate) struct VersionsArgs {
    /// [entity/[project/]]collection.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The type of the collection [default: asked of the server].
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_name: Option<String>,

    /// Only versions with this tag; may be repeated, then a version must have all of them.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// Sort by this key, for example +created_at [default: newest first].
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub(crate) order: Option<String>,

    /// Stop after so many versions.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

const NAME_HELP: &str = "\
Names: [entity/[project/]]collection[:ALIAS or :vN]; without the last part, latest. A digest, an id or a web address \
(https://wandb.ai/e/p/artifacts/TYPE/COLLECTION/v3) names a version, too.";

/// Options of `artifact view`.
#[derive(Debug, Args)]
#[command(after_help = format!("{NAME_HELP}\n\nExamples:\n  wb artifact view my-team/my-project/model:v3\n  \
                        wb artifact view model --lineage --output json"))]
pub(crate) struct ArtifactViewArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Also tell which run logged it and which runs used it.
    #[arg(long)]
    pub(crate) lineage: bool,
}

/// Options of `artifact manifest`.
#[derive(Debug, Args)]
#[command(after_help = format!("{NAME_HELP}\n\nExamples:\n  wb artifact manifest my-team/my-project/model:v3 --output jsonl\n  \
                        wb artifact manifest my-team/my-project/model:v3 --raw > wandb_manifest.json"))]
pub(crate) struct ManifestArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Only entries whose path begins so.
    #[arg(long, value_name = "PREFIX", conflicts_with = "raw")]
    pub(crate) prefix: Option<String>,

    /// The manifest as it is stored, for `wb artifact verify --manifest`.
    #[arg(long)]
    pub(crate) raw: bool,

    /// Ask no server: the manifest of a version that was read before.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Options of `artifact files`.
#[derive(Debug, Args)]
#[command(after_help = format!("{NAME_HELP}\n\nExamples:\n  wb artifact files my-team/my-project/model:v3"))]
pub(crate) struct ArtifactFilesArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Only the file of this path; may be repeated.
    #[arg(long = "name", value_name = "PATH")]
    pub(crate) names: Vec<String>,
}

/// How a file comes out of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LinkChoice {
    /// A copy, that shares its blocks with the cache where the file system can.
    #[default]
    Copy,
    /// A hard link: no time and no space, but changing the file changes the cache's (which is noticed, and fetched again).
    Hard,
}

/// What a download may take.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Limits {
    /// Refuse an object whose size nobody recorded when it is longer than this, for example 500MB [default: 16 GiB].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) unsized_limit: Option<u64>,

    /// Keep the cache within this size: at the end the files go that were not used for the longest time [default:
    /// WANDB_CACHE_BUDGET, or no limit].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) cache_budget: Option<u64>,
}

const DOWNLOAD_HELP: &str = "\
What is present and verified costs nothing: a second download asks for the version and fetches no file. A file that is \
there and differs is replaced, after the right bytes have arrived and were checked. Files that are no members stay; see \
`wb artifact checkout`.

Names: [entity/[project/]]collection[:ALIAS or :vN]; without the last part, latest.

Examples:
  wb artifact download my-team/my-project/model:v3
  wb artifact download my-team/my-project/data --root ./data --prefix train/
  wb artifact download my-team/my-project/data:v7 --dry-run
  wb artifact download my-team/my-project/model:v3 --offline";

/// Options of `artifact download`.
#[derive(Debug, Args)]
#[command(after_help = DOWNLOAD_HELP)]
pub(crate) struct ArtifactDownloadArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The directory to write to [default: WANDB_ARTIFACT_DIR or ./artifacts, then COLLECTION:vN].
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Only entries whose path begins so.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,

    /// Which file names are taken.
    #[command(flatten)]
    pub(crate) names: Names,

    /// Neither read nor fill the cache.
    #[arg(long, conflicts_with_all = ["link", "offline", "cache_budget"])]
    pub(crate) skip_cache: bool,

    /// How files come out of the cache.
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub(crate) link: LinkChoice,

    /// A reference whose object is gone is told, and no error.
    #[arg(long)]
    pub(crate) allow_missing_references: bool,

    /// What it may take.
    #[command(flatten)]
    pub(crate) limits: Limits,

    /// Ask no server: a version that was downloaded before, from the verified cache.
    #[arg(long)]
    pub(crate) offline: bool,

    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Options of `artifact checkout`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact checkout my-team/my-project/data:v7 --root ./data --dry-run\n  \
                        wb artifact checkout my-team/my-project/data:v7 --root ./data --yes"
)]
pub(crate) struct CheckoutArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The directory to make equal [default: as for download].
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Which file names are taken.
    #[command(flatten)]
    pub(crate) names: Names,

    /// What it may take.
    #[command(flatten)]
    pub(crate) limits: Limits,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

const VERIFY_HELP: &str = "\
Ends with exit code 5 when anything differs. Every missing, extra and changed file is listed. With --manifest no server \
is asked: the file is a manifest as the server stores it, for example by `wb artifact manifest NAME --raw`.

Examples:
  wb artifact verify my-team/my-project/model:v3 --root ./model
  wb artifact verify --manifest wandb_manifest.json --root ./model";

/// Options of `artifact verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct VerifyArgs {
    /// The version.
    #[arg(
        value_name = "NAME",
        required_unless_present = "manifest",
        conflicts_with = "manifest"
    )]
    pub(crate) name: Option<String>,

    /// Compare with this manifest file, and ask no server.
    #[arg(long, value_name = "FILE", requires = "root")]
    pub(crate) manifest: Option<PathBuf>,

    /// The directory [default: as for download].
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Files that are no members are no difference.
    #[arg(long)]
    pub(crate) allow_extra: bool,

    /// Which file names are taken.
    #[command(flatten)]
    pub(crate) names: Names,

    /// References that were not downloaded are no difference.
    #[arg(long)]
    pub(crate) allow_missing_references: bool,

    /// Ask no server: the manifest of a version that was downloaded before.
    #[arg(long)]
    pub(crate) offline: bool,
}

const GET_HELP: &str = "\
A table is rows: of one table, of one in parts, or of two that were joined (every row of both; where one has no partner, its \
columns are empty). Columns that share a name get .1, .2 behind it. Any other medium is an object: its file is downloaded and \
verified, and its place told; boxes, classes, histograms and lists are values. A file that is no medium is its path.

Examples:
  wb artifact get my-team/my-project/results:latest predictions --output csv
  wb artifact get my-team/my-project/results:latest predictions --out predictions.parquet
  wb artifact get my-team/my-project/results:latest photo --root ./media --output json
  wb artifact get my-team/my-project/model:v3 config.json";

/// Options of `artifact get`.
#[derive(Debug, Args)]
#[command(after_help = GET_HELP)]
pub(crate) struct ArtifactGetArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The entry: the name of a table or another medium, or the path of a file.
    #[arg(value_name = "ENTRY")]
    pub(crate) entry: String,

    /// The directory for files [default: as for download].
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Which file names are taken.
    #[command(flatten)]
    pub(crate) names: Names,

    /// What it may take.
    #[command(flatten)]
    pub(crate) limits: Limits,

    /// Write a table to this file instead of stdout; its ending says how: .parquet, .arrow, .csv, .jsonl or .json. The
    /// file appears when it is whole.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Replace the file of --out if it exists.
    #[arg(long, requires = "out")]
    pub(crate) replace: bool,
}
