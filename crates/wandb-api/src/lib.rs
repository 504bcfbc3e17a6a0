//! Weights & Biases data client: what people trained and logged, back as typed data.
//!
//! This is the API that Python users know as `wandb.Api()`, for Rust: runs with their config and summary, every point of
//! every curve, files and artifacts with their digests checked, sweeps and reports; read and written. It is **exact** (nothing is dropped, sampled or stale without the type
//! saying so), **verified** (no byte is trusted before its digest matches), **async**, and **usable offline** against the
//! embedded server of the `wandb-local` crate, into which the official Python SDK can log.
//!
//! It is independent of Weights & Biases.
//!
//! # From zero to a curve
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use wandb_api::{Api, filter};
//!
//! # async fn example() -> wandb_api::Result<()> {
//! // Key, host, entity and project as the official client finds them: environment, netrc, settings files.
//! let api = Api::from_env()?;
//!
//! // The five best finished runs. One page is one request, whatever is selected.
//! let mut best = api
//!     .runs("my-team/my-project")
//!     .filter(filter::state().eq("finished") & filter::config("lr").lt(0.01))
//!     .order("+summary_metrics.loss".parse()?)
//!     .limit(5)
//!     .stream();
//! while let Some(run) = best.try_next().await? {
//!     println!("{} {:?}", run.name, run.summary()?.get("loss"));
//!
//!     // Every row in step order, each once: also of a run with gaps of a million steps.
//!     let mut rows = run.scan_history().any_keys(["loss", "val_loss"]).rows();
//!     while let Some(row) = rows.try_next().await? {
//!         println!("{} {:?} {:?}", row.step(), row.get("loss"), row.get("val_loss"));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | connect | [`Api::from_env`], [`Api::builder`], [`settings`] |
//! | list and filter runs | [`Api::runs`], [`Runs`], [`Selection`], [`filter`], [`order`] |
//! | read one run | [`Api::run`], [`Run`], [`RunData`] |
//! | get every history row | [`Run::scan_history`], [`Scan`] |
//! | get a sample for a plot | [`Run::history`], [`History`] |
//! | download files | [`Run::files`], [`Run::file`], [`File::download`] |
//! | change a run, upload its files | [`Run::edit`], [`RunEdit`], [`RunSummary`] |
//! | download and check artifacts | [`Api::artifact`], [`Artifact::download`], [`ArtifactDownloadOptions`], [`artifacts`] |
//! | log a version, change one | [`ArtifactDraft::log`], [`Artifact::edit`] |
//! | follow where data came from | [`Artifact::lineage`], [`Lineage`] |
//! | search over settings | [`Api::sweep`], [`Sweep`], [`SweepConfig`], [`Sweep::best_run`] |
//! | read and write reports | [`Api::reports`], [`Report`], [`NewReport`] |
//! | people and keys | [`Api::user`], [`Api::team`], [`Team`] |
//! | handle failures | [`Error`], [`ErrorKind`] |
//! | plug in another HTTP stack, or a test | [`transport`] |
//!
//! # Where a name is
//!
//! - **At the root**: whatever is reached from [`Api`]. Every handle ([`Run`], [`Artifact`]), its data ([`RunData`]), its
//!   listings ([`Runs`]), changes ([`RunEdit`]) and options ([`FileDownloadOptions`], [`ArtifactDownloadOptions`]), and what
//!   comes out ([`DownloadedFile`], [`DownloadedArtifact`]): each has one path, and a name that says whose it is.
//! - **In a module**: what is of use without an `Api`. Languages ([`filter`], [`order`], [`path`], [`value`]), the content of
//!   artifacts ([`artifacts`]: manifests, digests, names, drafts, the cache, media), the network ([`transport`], [`retry`]),
//!   the configuration ([`settings`]).
//!
//! # What it promises
//!
//! - **Nothing is swallowed.** A missing thing is [`ErrorKind::NotFound`], a 403 is [`ErrorKind::NotVisible`], an answer
//!   that is only a part is an error.
//! - **Five different things stay different** in config, summary and history: `NaN`, `+Infinity`, `-Infinity`, `null`
//!   and "not logged". See [`Value`].
//! - **Retries are safe and bounded.** Only what may be repeated is; `Retry-After` is obeyed; a budget of attempts and
//!   time ends every call. See [`retry`].
//! - **The key stays home.** It goes to the configured scheme, host, port and path, and never across a redirect or to a
//!   signed URL; it shows in no `Debug`, error or log.
//! - **Nothing is read behind your back.** No environment variable and no file but in [`Api::from_env`] and
//!   [`Environment::read`]; no telemetry; no admin header.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `hyper` (default) | the real transport over hyper and rustls, and [`Api::from_env`] |
//! | `webpki-roots` | compiles Mozilla's roots in, for machines without a certificate store (small containers) |
//! | `arrow` | `arrow`: history as Arrow record batches, and as Parquet and Arrow files |
//! | `media` | typed media of artifacts: tables, images with boxes and masks, and the others, by `Artifact::get` |
//! | `s3`, `gs`, `azure` | references into object stores: downloaded, and looked at when they are added |
//! | `blocking` | `blocking`: the same handles and methods without async, safe to call inside of any runtime |
//! | `record` | `record`: transports that record a session and replay it, for tests of your own code |
//! | `scripted` | [`transport::ScriptedTransport`], for tests of your own code |

#[doc(inline)]
pub use wandb_artifacts::{Manifest, ManifestEntry, Placement, Verification, plan::PlanSummary};
#[doc(inline)]
pub use wandb_core::{Client, Error, ErrorKind, Result, Value};
#[doc(inline)]
pub use wandb_core::{
    base_url, client, filter, graphql, order, page, path, redact, retry, secret, settings, timestamp, value,
};
#[doc(inline)]
pub use wandb_models::{
    AddOptions, AgentRuns, Api, ApiBuilder, ApiKeyLabel, Artifact, ArtifactCheckout, ArtifactCollection,
    ArtifactCollectionData, ArtifactCollectionEdit, ArtifactCollections, ArtifactData,
    ArtifactDigestAlgorithm, ArtifactDownloadOptions, ArtifactDraft, ArtifactEdit, ArtifactFile,
    ArtifactFiles, ArtifactRuns, ArtifactState, ArtifactType, ArtifactTypes, ArtifactVersions, BestRun,
    BestRunBasis, ConsoleLogLine, ConsoleLogs, CreatedSweep, DownloadedArtifact, DownloadedFile, Environment,
    File, FileData, FileDownloadOptions, Files, History, HistoryRow, HistoryStream, Lineage, LineageArtifact,
    LineageEdge, LineageEdgeKind, LineageGap, LineageGraph, LineageRun, LinkedArtifacts, Listing,
    ListingQuery, ListingReport, LoggedArtifact, NewApiKey, NewReport, NewRun, NoProgress, Progress, Project,
    Projects, ReferenceOptions, Removal, Report, ReportData, ReportEdit, ReportForm, ReportSection,
    ReportSpec, ReportUser, Reports, RowBatch, Run, RunArtifacts, RunData, RunEdit, RunReference, RunSet,
    RunSetQuery, RunState, RunSummary, RunUser, Runs, SampledHistory, Scan, ScanReport, ScanStream,
    Selection, Sweep, SweepAgent, SweepConfig, SweepData, SweepGoal, SweepMetric, SweepState, Sweeps, Team,
    TeamData, TeamMember, TimeToLive, TokioRuntime, UpdatableState, UploadOptions, Uploaded, UsedArtifact,
    UsedArtifacts, User, Users, Viewer, WaitOptions,
};

/// Artifacts without a server: manifests, digests, names, verification of a folder, the content cache. The same crate as
/// [`wandb_artifacts`](https://docs.rs/wandb-artifacts), which is usable alone.
pub mod artifacts {
    #[doc(inline)]
    pub use wandb_artifacts::*;
}

/// The seam to the network: the [`Transport`](transport::Transport) trait and its implementations.
pub mod transport {
    #[doc(inline)]
    pub use wandb_transport::*;
}

/// Keys and filters of reports, translated to the server's language and back.
pub mod query_generator {
    #[doc(inline)]
    pub use wandb_core::query_generator::*;
}

/// History as Arrow record batches, and as Parquet and Arrow files.
#[cfg(feature = "arrow")]
pub mod arrow {
    #[doc(inline)]
    pub use wandb_arrow::*;
}

/// Transports that record a session's traffic into a folder, without its secrets, and replay it.
#[cfg(feature = "record")]
pub mod record {
    #[doc(inline)]
    pub use wandb_record::*;
}

/// The same client without async.
#[cfg(feature = "blocking")]
pub mod blocking {
    #[doc(inline)]
    pub use wandb_blocking::*;
}
