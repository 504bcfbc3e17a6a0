//! `wb artifact …`: what is written.

use std::time::Duration;

use clap::{ArgGroup, Args};

use super::Consent;
use crate::duration::parse_duration;

const UPDATE_HELP: &str = "\
Only what is given changes.

Examples:
  wb artifact update my-team/my-project/model:v3 --alias production --unalias candidate
  wb artifact update my-team/my-project/model:v3 --description 'after review' --ttl 30d";

/// Options of `artifact update`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true), after_help = UPDATE_HELP)]
pub(crate) struct ArtifactUpdateArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Add this alias; another version of the collection loses it. May be repeated.
    #[arg(long = "alias", short = 'a', value_name = "ALIAS", group = "change")]
    pub(crate) aliases: Vec<String>,

    /// Take this alias away; may be repeated.
    #[arg(long = "unalias", value_name = "ALIAS", group = "change")]
    pub(crate) unaliases: Vec<String>,

    /// Add this tag; may be repeated.
    #[arg(long = "tag", value_name = "TAG", group = "change")]
    pub(crate) tags: Vec<String>,

    /// Take this tag away; may be repeated.
    #[arg(long = "untag", value_name = "TAG", group = "change")]
    pub(crate) untags: Vec<String>,

    /// The new description.
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(crate) description: Option<String>,

    /// The new metadata, as a JSON object; all of it is replaced.
    #[arg(long, value_name = "JSON", group = "change")]
    pub(crate) metadata: Option<String>,

    /// Time to live, for example 30d; `never`, or `inherit` from the collection.
    #[arg(long, value_name = "DURATION", value_parser = TtlChoice::parse, group = "change")]
    pub(crate) ttl: Option<TtlChoice>,

    /// Fail with exit code 7 if somebody changed the version since it was read.
    #[arg(long)]
    pub(crate) if_unchanged: bool,
}

/// A value of `--ttl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TtlChoice {
    /// Kept for so long.
    For(Duration),
    /// Kept for ever.
    Never,
    /// As the collection says.
    Inherit,
}

impl TtlChoice {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            "inherit" => Ok(Self::Inherit),
            other => parse_duration(other)
                .map(Self::For)
                .map_err(|error| format!("{error}, or never, or inherit")),
        }
    }
}

/// Options of `artifact delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact delete my-team/my-project/model:v3 --dry-run\n  \
                        wb artifact delete my-team/my-project/model:v3 --with-aliases --yes"
)]
pub(crate) struct ArtifactDeleteArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Also if it has aliases; without this, a version with aliases is refused.
    #[arg(long)]
    pub(crate) with_aliases: bool,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Options of `artifact link`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact link my-team/my-project/model:v3 my-team/my-project/released --alias production"
)]
pub(crate) struct ArtifactLinkArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The portfolio: [entity/[project/]]collection; made if it is not there.
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,

    /// An alias in the portfolio; may be repeated.
    #[arg(long = "alias", short = 'a', value_name = "ALIAS")]
    pub(crate) aliases: Vec<String>,
}

/// Options of `artifact unlink`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb artifact unlink my-team/my-project/released:v0 --yes")]
pub(crate) struct ArtifactUnlinkArgs {
    /// The version under its name in the portfolio.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Whether to try, to ask, or to do.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Options of `artifact linked`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact linked my-team/my-project/model:v3\n  \
                  wb artifact linked my-team/my-project/model:v3 --output jsonl"
)]
pub(crate) struct ArtifactLinkedArgs {
    /// The version.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
