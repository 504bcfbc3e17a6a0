//! The operations, one module per resource. Operation names are the official client's where it has the same query.

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
