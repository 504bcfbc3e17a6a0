//! Artifacts over the network: download, upload, progress. Feature `transfer`.
//!
//! | item | what it is for |
//! |---|---|
//! | [`Download`] | a whole version, or the part of it below a prefix, into a directory |
//! | [`UrlSource`] | where its files are; asked in batches |
//! | [`ArtifactResolver`] | the versions behind `wandb-artifact://` references |
//! | [`Upload`], [`UploadTarget`] | the files of a new version, to where the server says |
//! | [`receive_file`] | one file, resumed over as many connections as it takes |
//! | [`Progress`] | who hears how far it is |
//!
//! Everything on the wire goes through a [`Client`](wandb_core::client::Client), so retries, rate limits, redirects and the
//! place of the credential are decided there.

mod address;
pub(crate) mod blocking;
mod cached;
mod checkout;
mod download;
mod early_flush;
mod engine;
mod fetch;
mod file_sink;
mod gate;
mod names;
mod options;
mod pace;
mod present;
mod progress;
mod publisher;
mod ranges;
mod receive;
mod references;
mod repeated;
mod report;
mod resolved;
mod resolver;
#[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
mod stored;
mod survey;
mod upload;
mod urls;

pub use address::{Address, AddressSource, FixedAddress};
pub use checkout::{Checkout, Removal};
pub use download::Download;
pub use file_sink::receive_file;
pub use options::DownloadOptions;
pub use progress::{NoProgress, Progress};
pub(crate) use receive::fetch_of;
pub use report::{DownloadedArtifact, TrackedReference};
pub use resolver::{ArtifactResolver, ResolvedArtifact};
pub use upload::{
    CompletedMultipart, LocalFile, LocalSource, MultipartSlot, PartDigest, Upload, UploadOptions,
    UploadRequest, UploadSlot, UploadTarget, Uploaded,
};
pub use urls::UrlSource;

#[cfg(test)]
mod tests;

/// A clock without time, for tests elsewhere in the crate.
#[cfg(test)]
pub(crate) use tests::test_clock;
