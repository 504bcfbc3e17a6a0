//! Whether many names may become files beside each other: those of a manifest, or the files of a run.
//!
//! | item | what it is for |
//! |---|---|
//! | [`NamePolicy`] | which names are taken: those of every system, or those of this one |
//! | [`PathReport`] | everything that is wrong with a set of names, told apart: hostile, or not portable |
//! | [`PathFault`], [`PathFaults`] | what is wrong with one; all of it, as an error |
//!
//! The rules of single names are in [`wandb_core::path`]. Here are those of many: a file where another name needs a directory is
//! hostile; names that differ only in case, or in how their characters are composed, are one file on some systems. What the
//! disk at hand does with such names is tried before it matters ([`PathReport::check_disk`]).

mod faults;
mod report;

pub use faults::{PathFault, PathFaults};
pub use report::PathReport;
pub use wandb_core::path::{HostileReason, NamePolicy, UnportableReason};

#[cfg(test)]
mod tests;
