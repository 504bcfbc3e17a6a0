//! Local files of the client: the one way in which bytes from a server reach the disk.
//!
//! A [`Directory`] is a handle to a target directory. A file is written as a [`PendingFile`] beside its final place, is
//! hashed while it is written, and appears under its final name only by [`PendingFile::publish`] (or, for many at once, by
//! [`PendingFile::verify`] and [`publish_many`]), after size and digest match what was [`Expected`]. So, at any moment:
//!
//! - a file under its final name is complete and verified;
//! - an unverified file has a name that ends in [`PART_SUFFIX`], is locked by the process that writes it, and is continued or
//!   removed when that process is gone;
//! - no name and no symbolic link leads out of the directory: paths are checked by
//!   [`RelativePath`](wandb_core::path::RelativePath) and opened through the directory's handle (`cap-std`).
//!
//! Everything here blocks; async callers use their runtime's blocking pool.

pub mod digest;
mod directory;
mod error;
mod expected;
mod journal;
mod names;
mod open;
mod part;
mod pending;
mod place;
mod publish;
mod stat;
mod tree;
mod whole;

pub use digest::{Algorithm, ContentDigest, Hasher};
pub use directory::{Directory, FileFacts};
pub use error::StorageError;
pub use expected::{Expected, Mismatch};
pub use journal::RangeJournal;
pub use names::NameProbe;
pub use open::open_ordinary;
pub use part::{PART_SUFFIX, is_part};
pub use pending::{Existing, PartWriter, PendingFile};
pub use place::Placement;
pub use publish::{Publication, Published, VerifiedFile, publish_many};
pub use stat::{FileStat, Found};
pub use tree::{EntryKind, Walked};
pub use whole::HashedBytes;

#[cfg(test)]
mod tests;
