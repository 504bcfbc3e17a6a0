//! `wb demo`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  wb demo
  wb demo --dir ./wb-demo
  wb demo --clean            do not keep the sample data";

/// Options of the tour.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Where the sample server keeps its data; it is kept, so that the commands shown can be repeated
    /// [default: a new directory in the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Use a fresh directory and remove it at the end.
    #[arg(long, conflicts_with = "dir")]
    pub(crate) clean: bool,
}
