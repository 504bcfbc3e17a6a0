//! Names of things: entities, projects, runs, sweeps and reports as people write them, and file names as servers send
//! them.
//!
//! | item | what it is for |
//! |---|---|
//! | [`EntityName`], [`ProjectName`], [`RunId`], [`SweepId`], [`ReportId`] | checked parts of a path |
//! | [`ProjectPath`], [`RunPath`], [`SweepPath`], [`ReportPath`], [`AnyPath`] | checked whole paths, read and printed |
//! | [`ProjectPage`] | the web address of any page of a project |
//! | [`PathContext`] | what a short path leaves out: default entity and project, the configured server |
//! | [`safe_relative_path`], [`RelativePath`] | the one check of file names that came from a server |
//! | [`NameFault`], [`NamePolicy`], [`clash_key`] | names that are hostile, and those that not every system can hold |
//!
//! ```
//! use wandb_core::path::{EntityName, PathContext, RunPath};
//!
//! let context = PathContext::new().with_entity(EntityName::new("team")?);
//! let run = RunPath::parse("cats/1a2b3c", &context)?;
//! assert_eq!(run.to_string(), "team/cats/1a2b3c");
//! assert_eq!(RunPath::parse("https://wandb.ai/team/cats/runs/1a2b3c?nw=x", &context)?, run);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod file_name;
mod name;
mod object;
mod parse;
mod relative;
mod web;

pub use error::{ObjectKind, PathError, PathProblem};
pub use file_name::{HostileReason, NameFault, NamePolicy, UnportableReason, clash_key};
pub use name::{EntityName, NameError, NameProblem, ProjectName, ReportId, RunId, SweepId};
pub use object::{AnyPath, ProjectPath, ReportPath, RunPath, SweepPath};
pub use parse::PathContext;
pub use relative::{RefusedName, RelativePath, refuse_hostile, safe_relative_path};
pub use web::ProjectPage;

#[cfg(test)]
mod tests;
