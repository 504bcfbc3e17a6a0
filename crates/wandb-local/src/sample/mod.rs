//! The sample project of `wb demo`: sixty runs of two kinds of model, with curves, configs, files, and a few accidents.
//!
//! Nothing was trained. The data is made by formulas and a seeded generator, is the same every time but for its dates,
//! and says of itself that it is sample data: in a tag, in the notes, and in every log.
//!
//! | module | what it holds |
//! |---|---|
//! | `random` | a small deterministic generator |
//! | `model` | what a run of given settings would look like |
//! | `generate` | the runs, as plain structs |
//! | `picture` | a loss curve as a PNG |
//! | `sweep` | a grid over some of the runs |
//! | `reports` | two reports on them |
//! | `artifacts` | a data set, and a model in two versions |
//! | `write` | all of it into the store |

mod artifacts;
mod generate;
mod model;
mod picture;
mod random;
mod reports;
mod sweep;
mod write;

pub(crate) use random::Random;
pub(crate) use write::fill;
pub use write::{SampleError, SampleSummary};
