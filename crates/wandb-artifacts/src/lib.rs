//! Artifacts of Weights & Biases, usable alone and offline.
//!
//! An artifact version is a set of files that a manifest names, each with its digest. This crate reads and writes
//! manifests, computes the digests that W&B computes, and understands the names that W&B gives.
//!
//! | module | what it is for |
//! |---|---|
//! | [`manifest`] | the files of a version: read and written, streaming and bounded |
//! | [`digest`] | MD5 and XXH128 of bytes, of an artifact, keys of referenced objects |
//! | [`name`] | names, versions, aliases, tags, types, `wandb-artifact://` addresses |
//! | [`layout`] | where a server keeps the files |

pub mod digest;
pub mod layout;
pub mod manifest;
pub mod name;

pub use digest::{Algorithm, ArtifactDigest, ContentDigest, EntryDigest};
pub use manifest::{Limits, Manifest, ManifestEntry, ManifestError};
pub use name::{ArtifactName, ArtifactPath};
