//! The manifest of an artifact version: which files it has, with their digests and sizes (inventory §6.1, protocol §5.4).
//!
//! | item | what it is for |
//! |---|---|
//! | [`Manifest`] | the entries, sorted by path; its digest and size; read and written as version 1 |
//! | [`ManifestEntry`] | one file or reference |
//! | [`Limits`] | how much a manifest may hold before reading stops |
//! | [`ManifestError`] | what can be wrong with one |
//!
//! Reading is streaming: the JSON text is never whole in memory, and an entry takes about 80 bytes beside its path.

mod entry;
mod error;
mod limits;
mod model;
mod policy;
mod read;
mod split;
mod write;

pub use entry::ManifestEntry;
pub use error::{ManifestError, Place};
pub use limits::Limits;
pub use model::{DuplicatePath, Manifest};

#[cfg(test)]
mod tests;
