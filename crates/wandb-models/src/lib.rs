//! Handles and plain data of the Weights & Biases data client.
//!
//! A *handle* ([`Api`], [`Run`], [`RunReference`], [`File`]) knows its server and can ask for more; *plain data* ([`RunData`],
//! [`FileData`], [`Project`], [`Viewer`]) is what the server said, under the official snake_case names. Listings are
//! builders ([`Runs`], [`Files`], [`Projects`]) that give a stream of items and a stream of pages.
//!
//! | module | what it holds |
//! |---|---|
//! | [`api`] | the entry point, its builder, and `from_env` (feature `hyper`) |
//! | [`run`] | one run, listings of runs, config and summary |
//! | [`history`] | sampled history and exact scans |
//! | [`report`] | reports: listings, content, the runs of a section, writing |
//! | [`sweep`] | sweeps: listings, runs, agents, the best run |
//! | [`artifact`] | versions, collections and types of artifacts, their changes and lineage |
//! | [`mod@file`] | files of a run and their verified download |
//! | [`people`] | users, teams, API keys |
//! | [`project`], [`viewer`] | projects, and the user behind the key |
//!
//! Every public type is also at the crate's root, under one name that says whose it is; a test compares the lists.
//!
//! *Invariant: no public type shows a schema type.* The wire is converted by hand, in one `convert` module per resource.

pub mod api;
pub mod artifact;
pub mod file;
pub mod history;
mod ids;
mod listing;
pub mod people;
pub mod project;
pub mod report;
pub mod run;
mod runtime;
pub mod sweep;
#[cfg(test)]
mod testing;
pub mod viewer;
mod words;

pub use api::{Api, ApiBuilder, Environment};
pub use artifact::{
    AddOptions, Artifact, ArtifactCheckout, ArtifactCollection, ArtifactCollectionData,
    ArtifactCollectionEdit, ArtifactCollections, ArtifactData, ArtifactDigestAlgorithm,
    ArtifactDownloadOptions, ArtifactDraft, ArtifactEdit, ArtifactFile, ArtifactFiles, ArtifactRuns,
    ArtifactState, ArtifactType, ArtifactTypes, ArtifactVersions, DownloadedArtifact, Lineage,
    LineageArtifact, LineageEdge, LineageEdgeKind, LineageGap, LineageGraph, LineageRun, LinkedArtifacts,
    LoggedArtifact, ReferenceOptions, Removal, RunArtifacts, TimeToLive, UploadOptions, Uploaded,
    UsedArtifact, UsedArtifacts,
};
pub use file::{DownloadedFile, File, FileData, FileDownloadOptions, Files, NoProgress, Progress};
pub use history::{
    History, HistoryRow, HistoryStream, RowBatch, SampledHistory, Scan, ScanReport, ScanStream,
};
pub use listing::{Listing, ListingQuery};
pub use people::{ApiKeyLabel, NewApiKey, Team, TeamData, TeamMember, User, Users};
pub use project::{Project, Projects};
pub use report::{
    NewReport, Report, ReportData, ReportEdit, ReportForm, ReportSection, ReportSpec, ReportUser, Reports,
    RunSet, RunSetQuery,
};
pub use run::{
    ConsoleLogLine, ConsoleLogs, ListingReport, NewRun, Run, RunData, RunEdit, RunReference, RunState,
    RunSummary, RunUser, Runs, Selection, UpdatableState, WaitOptions,
};
pub use runtime::TokioRuntime;
pub use sweep::{
    AgentRuns, BestRun, BestRunBasis, CreatedSweep, Sweep, SweepAgent, SweepConfig, SweepData, SweepGoal,
    SweepMetric, SweepState, Sweeps,
};
pub use viewer::Viewer;
