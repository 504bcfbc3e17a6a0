//! What every verb takes that destroys something.

use clap::Args;

/// Whether to try, to ask, or to do.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Consent {
    /// Write what would be done to stdout, in the output format, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do it without asking.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}
