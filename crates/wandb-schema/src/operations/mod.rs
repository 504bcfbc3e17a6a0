//! The operations, one module per resource. Operation names are the official client's where it has the same query.

pub mod artifact_collection_writes;
pub mod artifact_collections;
pub mod artifact_files;
pub mod artifact_lineage;
pub mod artifact_types;
pub mod artifact_uploads;
pub mod artifact_writes;
pub mod artifacts;
pub mod console;
pub mod file_writes;
pub mod files;
pub mod history;
pub mod people;
pub mod projects;
pub mod reports;
pub mod run_writes;
pub mod runs;
pub mod server;
pub mod shared;
pub mod sweeps;
pub mod viewer;
