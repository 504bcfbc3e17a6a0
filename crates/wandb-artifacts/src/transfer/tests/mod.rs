//! The engines over a network in memory, which misbehaves on request and records every request.

mod download;
mod faults;
mod references;
mod resume;
mod world;

use super::DownloadOptions;
