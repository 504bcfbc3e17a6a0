//! `wb artifact put`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What digests are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum DigestChoice {
    /// MD5, which every server knows.
    #[default]
    Md5,
    /// XXH3-128, where the server has it.
    Xxh128,
}

const PUT_HELP: &str = "\
What the server has already is not sent again, and the same command resumes a put that was killed. The same \
content as the newest version gives that version again, with the aliases moved to it.

Examples:
  wb artifact put ./model --name my-team/my-project/model --type model --alias best
  wb artifact put data.csv --name data --type dataset --metadata '{\"rows\": 1000}'
  wb artifact put ./more --name my-team/my-project/data --type dataset --incremental
  wb artifact put --reference s3://bucket/data --name data --type dataset";

/// Options of `artifact put`.
#[derive(Debug, Args)]
#[command(after_help = PUT_HELP)]
pub(crate) struct ArtifactPutArgs {
    /// Files and directories; of a directory, its content.
    #[arg(value_name = "PATH", required_unless_present = "references")]
    pub(crate) paths: Vec<PathBuf>,

    /// [entity/[project/]]collection.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,

    /// The type of the collection.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_name: String,

    /// An alias of the new version; may be repeated. `latest` is always added.
    #[arg(long = "alias", short = 'a', value_name = "ALIAS")]
    pub(crate) aliases: Vec<String>,

    /// A tag; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// A description.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// Metadata, as a JSON object.
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,

    /// Add a reference to an object that stays where it is; may be repeated. NAME=URI says the path in the artifact.
    #[arg(long = "reference", value_name = "URI")]
    pub(crate) references: Vec<String>,

    /// The files below this prefix of the artifact.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,

    /// Add to and replace in the newest version, instead of describing all of the new one.
    #[arg(long)]
    pub(crate) incremental: bool,

    /// The run that logs it, in the same project [default: a run is made for it].
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,

    /// What digests are made with.
    #[arg(long, value_name = "ALGORITHM", value_enum, default_value_t)]
    pub(crate) digest: DigestChoice,

    /// Show what would be logged, and log nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
