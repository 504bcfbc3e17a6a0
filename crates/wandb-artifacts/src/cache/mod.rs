//! The content cache, shared with the official client on the same machine (inventory §6.4).
//!
//! | item | what it is for |
//! |---|---|
//! | [`Cache`] | look up, insert, place; list, count, verify, collect |
//! | [`ObjectKey`] | the name of an object: a digest of its bytes, or an address with its `ETag` |
//! | [`CachedObject`] | an object whose bytes are proven |
//! | [`Usage`], [`ListedObject`], [`CacheVerification`] | what is there |
//! | [`GcPolicy`], [`GcPlan`], [`Collected`] | what to remove to stay within a size |
//! | [`Cache::with_budget`] | a size that the cache keeps by itself |
//! | [`RecordKind`], [`RecordFile`] | our own records beside the index |
//!
//! Objects lie where the official client looks for them: `artifacts/obj/md5/ab/cdef…`, `xxh128`, `etag`. That client trusts
//! whatever has the right size; this one trusts an object only with a proof that its bytes were verified. Proofs are kept in
//! an index of our own, `artifacts/wb/index`: size, times and inode of the object at the moment at which its digest was
//! right. An object without a proof, or that changed since, is read and then trusted or removed.
//!
//! The index only grows, by records of one length with a check sum of their own, under a file lock; so it survives `kill -9` at
//! any moment and serves several processes at once. Losing it costs reading, never safety.

mod budget;
mod collect;
mod error;
mod index;
mod insert;
mod key;
mod listing;
mod lock;
mod own_records;
mod record;
mod store;

pub use collect::{Collected, GcPlan, GcPolicy};
pub use error::CacheError;
pub use key::ObjectKey;
pub use listing::{CacheVerification, Count, ListedObject, TemporaryFile, Usage, WrongObject};
pub use lock::CacheGuard;
#[cfg(feature = "transfer")]
pub(crate) use own_records::folder_line;
pub use own_records::{RecordFile, RecordKind};
pub use store::{Cache, CachedObject, Wanted};

#[cfg(test)]
mod collect_tests;
#[cfg(test)]
mod tests;
