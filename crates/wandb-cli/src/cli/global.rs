//! Options that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::output::{Format, style::ColorChoice};

/// Where to ask, as whom, and how to answer.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// The server [default: WANDB_BASE_URL, the settings file, or https://api.wandb.ai].
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// The entity (user or team) of paths that do not name one [default: WANDB_ENTITY, or the user's own].
    #[arg(long, global = true, value_name = "ENTITY")]
    pub(crate) entity: Option<String>,

    /// The project of paths that do not name one [default: WANDB_PROJECT].
    #[arg(long, global = true, value_name = "PROJECT")]
    pub(crate) project: Option<String>,

    /// Use an embedded server on this directory instead of a host; the directory of `wb serve` or `wb demo`.
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["base_url", "profile"])]
    pub(crate) local: Option<PathBuf>,

    /// Use this section of the profiles file (`profiles`, beside the user's settings); see `wb login --profile`.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// How to write the result.
    #[arg(
        long,
        short = 'o',
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub(crate) output: Format,

    /// No notes and no progress on stderr; errors only.
    #[arg(long, short = 'q', global = true)]
    pub(crate) quiet: bool,

    /// Say more on stderr: requests and retries; twice for details.
    #[arg(long, short = 'v', global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: ColorChoice,

    /// The size of the artifact cache, which only some verbs take; they set it before they connect.
    #[arg(skip)]
    pub(crate) cache_budget: Option<u64>,
}
