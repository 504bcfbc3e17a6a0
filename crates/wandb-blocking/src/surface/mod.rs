//! The list of what there is: one module per resource, signatures only.

mod api;
mod artifact;
mod draft;
mod file;
mod history;
mod listing;
#[cfg(feature = "media")]
mod media;
mod people;
mod project;
mod report;
mod run;
mod run_write;
#[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
mod stores;
mod sweep;

pub use api::{Api, ApiBuilder};
pub use artifact::{
    Artifact, ArtifactCheckout, ArtifactCollection, ArtifactCollectionEdit, ArtifactCollections,
    ArtifactEdit, ArtifactFiles, ArtifactRuns, ArtifactType, ArtifactTypes, ArtifactVersions, Lineage,
    LinkedArtifacts, RunArtifacts, UsedArtifact, UsedArtifacts,
};
pub use draft::{ArtifactDraft, LoggedArtifact};
pub use file::{File, Files};
pub use history::{History, Scan, ScanStream};
pub use listing::Listing;
#[cfg(feature = "media")]
pub use media::{
    AnyTable, BoxLayer, ClassesFile, EntryReader, FileMedia, Image, JoinedTable, Mask, Media, MediaFile,
    PartitionedTable, SavedModel, Table, TableFile, TableReference, Video,
};
pub use people::{Team, Users};
pub use project::{Project, Projects};
pub use report::{NewReport, Report, ReportEdit, Reports};
pub use run::{Run, RunReference, Runs};
pub use run_write::{ConsoleLogs, NewRun, RunEdit, RunSummary};
pub use sweep::{AgentRuns, BestRun, CreatedSweep, Sweep, Sweeps};

use wandb_core::value::Map;

use crate::mirror::plain;

plain! {
    (), bool, i64, u64, Map, String,
}

/// Everything that is mirrored, for the check.
#[cfg(test)]
pub(crate) const MIRRORED: &[&[(&str, &[&str])]] = &[
    api::MIRRORED,
    artifact::MIRRORED,
    draft::MIRRORED,
    file::MIRRORED,
    history::MIRRORED,
    #[cfg(feature = "media")]
    media::MIRRORED,
    people::MIRRORED,
    project::MIRRORED,
    report::MIRRORED,
    run::MIRRORED,
    run_write::MIRRORED,
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    stores::MIRRORED,
    sweep::MIRRORED,
];

/// Types, and their methods and variants in lists.
#[cfg(test)]
type Written = &'static [(&'static str, &'static [&'static [&'static str]])];

/// What is mirrored by hand, for the check.
#[cfg(test)]
pub(crate) const WRITTEN: &[Written] = &[
    listing::WRITTEN,
    #[cfg(feature = "media")]
    media::WRITTEN,
];
