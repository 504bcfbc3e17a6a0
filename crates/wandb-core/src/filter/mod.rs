//! The filter language: which runs are wanted.

mod ast;
mod build;
mod check;
mod document;
mod error;
mod field;
pub(crate) mod json_path;
mod literal;
mod mongo;
pub(crate) mod nearest;
mod pattern;
pub(crate) mod time;

pub use ast::{Condition, Filter, MAX_DEPTH, Node, Operator, Predicate};
pub use build::{
    Field, attribute, config, created_at, display_name, duration, group, heartbeat_at, host, id, job_type,
    metric, state, summary, sweep, tags, updated_at, username,
};
pub use error::{FilterError, FilterErrorKind};
pub use field::{FieldPath, KeyPath, RunAttribute};
pub use literal::{Literal, Number, Scalar};

#[cfg(test)]
pub(crate) mod strategies;
#[cfg(test)]
mod tests;
