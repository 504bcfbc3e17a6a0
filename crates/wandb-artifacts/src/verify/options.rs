//! How a directory is checked.

use std::{fmt, num::NonZeroUsize};

use wandb_core::path::NamePolicy;

/// How a directory is checked. The default checks everything, refuses extra files and uses all processors.
#[derive(Clone, Copy, Default)]
pub struct VerifyOptions<'a> {
    /// Whether files that are not in the manifest are fine; they are not told then. `false` by default.
    pub allow_extra: bool,
    /// Checks only the entries, and tells only the extra files, whose paths begin with this text. Empty by default.
    pub prefix: &'a str,
    /// Which names of files are fine; those of every system by default. Others are told as faults. Hostile names always are.
    pub names: NamePolicy,
    /// How many files are read at once; by default as many as there are processors.
    pub threads: Option<NonZeroUsize>,
    /// Who hears of the progress and may cancel.
    pub observer: Option<&'a dyn VerifyObserver>,
}

/// Hears how far a check is. Calls come from several threads and must not block.
pub trait VerifyObserver: Sync {
    /// So many files, with so many bytes, are going to be read.
    fn begin(&self, files: usize, bytes: u64) {
        let _ = (files, bytes);
    }

    /// So many more bytes were read.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Whether to stop. Asked often.
    fn is_cancelled(&self) -> bool {
        false
    }
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifyOptions")
            .field("allow_extra", &self.allow_extra)
            .field("prefix", &self.prefix)
            .field("names", &self.names)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
