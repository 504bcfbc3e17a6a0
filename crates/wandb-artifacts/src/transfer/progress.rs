//! Who hears how far a transfer is.

use std::fmt;

/// Hears how far a transfer of one or many files is. The methods are called from several threads and must not block.
///
/// First comes [`total`](Self::total), where there is more than one file; then, for each file, `begin`, any number of
/// `advance` and `retract`, and `end`. Calls for different files mix. `end` does not come for a file that failed.
pub trait Progress: Send + Sync + fmt::Debug {
    /// So many files of so many bytes together are to be transferred; what is there already does not count.
    fn total(&self, _files: u64, _bytes: u64) {}
    /// A file of this many bytes begins; 0 when its size is not known.
    fn begin(&self, name: &str, size: u64);
    /// So many more bytes are there.
    fn advance(&self, bytes: u64);
    /// So many of the bytes that were told do not count: they were wrong, or the file changed on the server.
    fn retract(&self, _bytes: u64) {}
    /// The file is complete and verified.
    fn end(&self, _name: &str) {}
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
}
