//! How much a read may take.

/// Limits and choices of a read. The defaults fit what the official client writes (200,000 rows a table).
///
/// Everything that comes from an artifact counts as hostile: a limit that is passed is an error
/// ([`TooLarge`](super::MediaError::TooLarge)), never a part of the data.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    pub(super) json_bytes: u64,
    pub(super) table_bytes: u64,
    pub(super) array_bytes: u64,
    pub(super) file_bytes: u64,
    pub(super) parts: usize,
    pub(super) depth: u8,
    pub(super) concurrency: usize,
    pub(super) arrays: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            json_bytes: 32 << 20,
            table_bytes: 1 << 30,
            array_bytes: 1 << 30,
            file_bytes: 1 << 30,
            parts: 10_000,
            depth: 16,
            concurrency: 8,
            arrays: true,
        }
    }
}

impl ReadOptions {
    /// Most bytes of the JSON of one object that is not a table. By default 32 MiB.
    #[must_use]
    pub fn json_bytes(mut self, bytes: u64) -> Self {
        self.json_bytes = bytes;
        self
    }

    /// Most bytes of the JSON of one table, over all of its increments or parts. By default 1 GiB.
    ///
    /// A table takes about the size of its JSON in memory, and 8 bytes a row.
    #[must_use]
    pub fn table_bytes(mut self, bytes: u64) -> Self {
        self.table_bytes = bytes;
        self
    }

    /// Most bytes of the array columns of one table, packed and unpacked. By default 1 GiB.
    #[must_use]
    pub fn array_bytes(mut self, bytes: u64) -> Self {
        self.array_bytes = bytes;
        self
    }

    /// Most bytes of a media file that is read to memory. By default 1 GiB; files that are only located have no limit.
    #[must_use]
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = bytes;
        self
    }

    /// Most increments or parts of one table. By default 10,000.
    #[must_use]
    pub fn parts(mut self, parts: usize) -> Self {
        self.parts = parts;
        self
    }

    /// How many objects may refer to the next one in a row. By default 16.
    #[must_use]
    pub fn depth(mut self, depth: u8) -> Self {
        self.depth = depth;
        self
    }

    /// How many increments or parts of a table are fetched at once. By default 8; 0 counts as 1.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Whether array columns are read along with their table. By default they are; without them their cells are
    /// [`Cell::StoredArray`](super::Cell::StoredArray).
    #[must_use]
    pub fn arrays(mut self, arrays: bool) -> Self {
        self.arrays = arrays;
        self
    }
}
