//! How much a manifest may hold.

/// Bounds that are enforced while a manifest is read, so that no manifest can take all memory.
///
/// The defaults hold any manifest that the service accepts, many times over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries in all. 2,000,000 by default.
    pub entries: usize,
    /// Bytes of JSON in all. 512 MiB by default.
    pub bytes: u64,
    /// Bytes of one path. 4,096 by default.
    pub path: usize,
    /// Bytes of JSON of one entry, or of one other member of the manifest. 256 KiB by default.
    pub entry: usize,
    /// Levels of nesting within an entry, for example of its `extra`. 64 by default.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            bytes: 512 * 1024 * 1024,
            path: 4_096,
            entry: 256 * 1024,
            depth: 64,
        }
    }
}
