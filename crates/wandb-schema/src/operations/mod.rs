//! The operations, one module per resource. Operation names are the official client's where it has the same query.

pub mod files;
pub mod history;
pub mod projects;
pub mod runs;
pub mod server;
pub mod shared;
pub mod viewer;
