//! Artifacts of Weights & Biases, usable alone and offline.
//!
//! An artifact version is a set of files that a manifest names, each with its digest. This crate reads and writes
//! manifests, computes the digests that W&B computes, understands the names that W&B gives, and checks folders.
//!
//! A program that must not serve a damaged model checks it at start-up, without any network:
//!
//! ```
//! use std::{error::Error, fs::File};
//! use wandb_artifacts::{Limits, Manifest, VerifyOptions, verify};
//!
//! fn check(folder: &str, manifest: &str) -> Result<(), Box<dyn Error>> {
//!     let manifest = Manifest::read(File::open(manifest)?, &Limits::default())?;
//!     let verification = verify(folder, &manifest, &VerifyOptions::default())?;
//!     println!("{verification}");
//!     verification.into_result()?;
//!     Ok(())
//! }
//! # let root = tempfile::tempdir()?;
//! # let path = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
//! # std::fs::create_dir(path("model"))?;
//! # std::fs::write(path("model/a"), "abc")?;
//! # let digest = wandb_artifacts::Algorithm::Md5.hash(b"abc");
//! # let entries = vec![wandb_artifacts::ManifestEntry::file("a", digest, 3)];
//! # std::fs::write(path("m.json"), Manifest::new().with_entries(entries)?.to_json())?;
//! # check(&path("model"), &path("m.json"))?;
//! # std::fs::write(path("model/a"), "abd")?;
//! # assert!(check(&path("model"), &path("m.json")).is_err());
//! # Ok::<(), Box<dyn Error>>(())
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | [`manifest`] | the files of a version: read and written, streaming and bounded |
//! | [`filenames`] | which paths may become files: hostile ones, and those that not every system can hold |
//! | [`digest`] | MD5 and XXH128 of bytes, of an artifact, keys of referenced objects |
//! | [`name`] | names, versions, aliases, tags, types, `wandb-artifact://` addresses |
//! | [`layout`] | where a server keeps the files |
//! | [`verify`](mod@verify) | a directory against a manifest: everything that is missing, extra or changed |
//! | [`plan`] | what a download has to do: present, cached, to fetch |
//! | [`cache`] | the content cache, shared with the official client: proven objects only |
//! | [`reference`](mod@reference) | references: schemes, entity tags |
//! | `transfer`, `draft` | download, upload, a version that is put together; feature `transfer` |
//! | `stores` | S3, Google Cloud Storage, Azure; features `s3`, `gs`, `azure` |
//! | `media` | typed media: tables, images, …; feature `media` |

pub mod cache;
pub mod digest;
#[cfg(feature = "transfer")]
pub mod draft;
pub mod filenames;
pub mod layout;
pub mod manifest;
#[cfg(feature = "media")]
pub mod media;
pub mod name;
mod parallel;
pub mod plan;
pub mod reference;
#[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
pub mod stores;
#[cfg(feature = "transfer")]
pub mod transfer;
pub mod verify;

pub use cache::Cache;
pub use digest::{Algorithm, ArtifactDigest, ContentDigest, EntryDigest};
pub use filenames::NamePolicy;
pub use manifest::{Limits, Manifest, ManifestEntry, ManifestError};
pub use name::{ArtifactName, ArtifactPath};
pub use plan::DownloadPlan;
pub use verify::{Verification, VerifyOptions, verify};
pub use wandb_storage::Placement;
