//! Tests over what the official client (0.31.0) wrote, and over hostile variants of it.
//!
//! The folders in `fixtures/media` are what `artifact.add(…)` staged for the manifest beside them.

mod hostile;
mod official;
mod random;
mod runs;

use std::{path::PathBuf, sync::Arc};

use futures_util::FutureExt;

use super::*;
use crate::Manifest;

/// Runs a future of a reader that never waits.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("these readers never wait")
}

pub(super) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/media")
        .join(name)
}

/// The artifact in a folder of `fixtures/media`; its files are verified against the manifest when they are read.
pub(super) fn fixture(name: &str) -> Arc<dyn EntryReader> {
    let root = folder(name);
    let manifest = Manifest::from_json(&std::fs::read(root.join("MANIFEST.json")).unwrap()).unwrap();
    Arc::new(DirectoryReader::new(name, root, manifest))
}

pub(super) fn read(reader: &Arc<dyn EntryReader>, name: &str) -> Result<Option<Media>, MediaError> {
    now(Media::read(reader, name))
}

pub(super) fn table(reader: &Arc<dyn EntryReader>, name: &str) -> Table {
    let media = read(reader, name).unwrap().expect("the table is there");
    media.into_table().expect("it is a table")
}

/// One entry in memory.
pub(super) fn memory(path: &str, text: impl Into<String>) -> Arc<dyn EntryReader> {
    Arc::new(MemoryReader::new("memory").with(path, text.into()))
}
