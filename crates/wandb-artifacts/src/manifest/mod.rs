//! The manifest of an artifact version: which files it has, with their digests and sizes (inventory §6.1, protocol §5.4).
//!
//! | item | what it is for |
//! |---|---|
//! | [`Manifest`] | the entries, sorted by path; its digest and size; read and written as version 1 |
//! | [`ManifestEntry`] | one file or reference |
//! | [`Limits`] | how much a manifest may hold before reading stops |
//! | [`ManifestError`] | what can be wrong with one |
//! | [`PathFaults`] | what can be wrong with its paths: names that leave the directory, clashes |
//!
//! Reading is streaming: the JSON text is never whole in memory, and an entry takes about 80 bytes beside its path.

mod entry;
mod error;
mod limits;
mod model;
mod paths;
mod policy;
mod read;
mod split;
mod write;

pub use entry::ManifestEntry;
pub use error::{ManifestError, Place};
pub use limits::Limits;
pub use model::{DuplicatePath, Manifest};
pub use paths::{PathFault, PathFaults};

#[cfg(test)]
mod tests;
