//! `wb artifact cache …`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use wandb_api::settings::parse_size;

use crate::duration::parse_duration;

/// Verbs of the cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Tell how much is in the cache: verified files, files of other programs, leftovers.
    Du(CacheArgs),
    /// List the files in the cache, least recently used first.
    Ls(CacheArgs),
    /// Read every file in the cache and compare it with its digest; wrong ones are removed.
    Verify(CacheVerifyArgs),
    /// Remove the least recently used files until the rest fits, leftovers of killed processes, and old records of wb.
    Gc(CacheGcArgs),
}

/// Where the cache is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wb artifact cache du\n  wb artifact cache ls --output jsonl")]
pub(crate) struct CacheArgs {
    /// The cache's directory [default: WANDB_CACHE_DIR, or wandb in the user's cache directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Options of `artifact cache verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with exit code 5 when a file is wrong. It is only a copy: it is fetched again when it is needed.\n\n\
                  Examples:\n  wb artifact cache verify\n  wb artifact cache verify --dry-run --output json"
)]
pub(crate) struct CacheVerifyArgs {
    /// Where it is.
    #[command(flatten)]
    pub(crate) place: CacheArgs,

    /// Tell what is wrong, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Options of `artifact cache gc`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wb artifact cache gc --max 10GB --dry-run\n  wb artifact cache gc --max 0\n  wb artifact cache gc --max 50GB --record-age 30d"
)]
pub(crate) struct CacheGcArgs {
    /// Where it is.
    #[command(flatten)]
    pub(crate) place: CacheArgs,

    /// How much may stay, for example 500MB, 10GB or 2GiB.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max: u64,

    /// Remove manifests, versions and records of verified folders that were not used for so long, for example 30d. Records of
    /// folders that are gone go at once, those of uploads after a week.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "90d")]
    pub(crate) record_age: Duration,

    /// Tell what would be removed, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
