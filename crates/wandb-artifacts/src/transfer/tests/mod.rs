//! The engines over a network in memory, which misbehaves on request and records every request.

mod cache;
mod checkout;
mod download;
mod faults;
#[cfg(feature = "s3")]
mod objects;
mod references;
mod resume;
mod upload;
mod world;

use super::DownloadOptions;
pub(crate) use world::clock as test_clock;

/// An artifact without files has no addresses.
pub(super) fn no_urls() -> std::sync::Arc<dyn super::UrlSource> {
    std::sync::Arc::new(world::Urls::default())
}
