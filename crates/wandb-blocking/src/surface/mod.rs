//! The list of what there is: one module per resource, signatures only.

mod api;
mod artifact;
mod file;
mod history;
mod project;
mod report;
mod run;
mod sweep;

pub use api::{Api, ApiBuilder};
pub use artifact::{
    Artifact, ArtifactCollection, ArtifactCollections, ArtifactEdit, ArtifactRuns, ArtifactType,
    ArtifactTypes, ArtifactVersions, CollectionEdit, LinkedArtifacts, RunArtifacts, UsedArtifact,
    UsedArtifacts,
};
pub use file::{File, Files};
pub use history::{History, Scan, ScanStream};
pub use project::{Project, Projects};
pub use report::{NewReport, Report, ReportEdit, Reports};
pub use run::{Run, RunReference, Runs};
pub use sweep::{AgentRuns, BestRun, CreatedSweep, Sweep, Sweeps};

use crate::mirror::plain;

plain! {
    (), bool, i64, u64, String,
}

/// Everything that is mirrored, for the check.
#[cfg(test)]
pub(crate) const MIRRORED: &[&[(&str, &[&str])]] = &[
    api::MIRRORED,
    artifact::MIRRORED,
    file::MIRRORED,
    history::MIRRORED,
    project::MIRRORED,
    report::MIRRORED,
    run::MIRRORED,
    sweep::MIRRORED,
];
