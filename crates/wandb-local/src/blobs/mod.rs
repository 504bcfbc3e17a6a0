//! File bytes, stored once per content under the name of their MD5 digest.
//!
//! ```text
//! files/
//!   ab/cd/abcd…          complete files, never changed
//!   incoming/            uploads in progress; emptied when the store is opened
//! ```
//!
//! A file appears under its digest only when it is complete and its digest has been checked: it is written to
//! `incoming/`, synced, and renamed. `kill -9` at any moment leaves at most something in `incoming/`.
//!
//! Which digests are in use is the database's business. See [`BlobStore::delete`] for how the two are kept in step.

mod digest;
mod store;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use digest::{Md5Digest, Xxh128Digest};
pub(crate) use store::BlobStore;
pub(crate) use upload::{BlobError, Expected, Stored};
