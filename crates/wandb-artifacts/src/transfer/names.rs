//! Which names a download takes.

use std::sync::Arc;

use wandb_core::{
    Result,
    path::{NameFault, refuse_hostile},
};

use super::{Download, DownloadOptions, blocking::blocking};
use crate::{
    filenames::PathReport,
    manifest::{Manifest, ManifestEntry},
};

/// Checks the names in scope. Those of the other entries do not matter: nothing of them is touched, and somebody wants the rest.
pub(super) fn admit<'a>(manifest: &'a Manifest, options: &DownloadOptions) -> Result<PathReport<'a>> {
    let report = manifest.path_report(&options.prefix);
    report.admit(options.names)?;
    Ok(report)
}

/// The same, and whether the disk tells them apart; says what is passed over.
pub(super) fn admit_on_disk(manifest: &Manifest, options: &DownloadOptions) -> Result<()> {
    admit(manifest, options)?.check_disk(&options.root)?;
    warn_of_others(manifest, &options.prefix);
    Ok(())
}

/// A hostile name outside of the scope is no accident that anybody would want to miss.
fn warn_of_others(manifest: &Manifest, prefix: &str) {
    if prefix.is_empty() {
        return;
    }
    let is_hostile = |entry: &&ManifestEntry| {
        !entry.path().starts_with(prefix)
            && matches!(NameFault::of(entry.path()), Some(NameFault::Hostile(_)))
    };
    let mut others = manifest.iter().filter(is_hostile);
    if let Some(Err(first)) = others.next().map(|entry| refuse_hostile(entry.path())) {
        let more = others.count();
        tracing::warn!(%first, more, "the manifest has hostile paths outside of what is downloaded");
    }
}

impl Download {
    /// Checks the names before anything else is done on the disk.
    pub(super) async fn check_names(&self) -> Result<()> {
        let (manifest, options) = (Arc::clone(&self.manifest), self.options.clone());
        blocking(move || admit_on_disk(&manifest, &options)).await
    }
}
