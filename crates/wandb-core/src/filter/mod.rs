//! The filter language: which runs are wanted.
//!
//! A [`Filter`] is one syntax tree with several forms:
//!
//! | form | in | out |
//! |---|---|---|
//! | typed builder | `config("lr").gt(0.01) & state().eq("finished")` | |
//! | text | [`Filter::parse`] | `Display` |
//! | Mongo-style JSON, what the server takes | [`Filter::parse_mongo`], [`Filter::from_mongo`] | [`Filter::to_mongo`] |
//! | report filter tree | [`Filter::from_report`] | [`Filter::to_report`] |
//! | JSON that goes through untouched | [`Filter::raw_json`] | |
//!
//! Each form reads back what it printed to an equal filter. Unknown fields and operators are errors on this side, with
//! the place and the nearest name, because the server answers them with an empty list or an HTTP 500.
//!
//! [`Evaluator`] decides over a run on this side, [`Filter::explain`] says what is sent and what is left to check.
//!
//! ```
//! use wandb_core::filter::{Filter, config, state};
//!
//! let built = config("lr").gt(0.01) & state().eq("finished");
//! let parsed = Filter::parse_any(r#"config.lr > 0.01 and state = "finished""#)?;
//! assert_eq!(built, parsed);
//! assert_eq!(
//!     built.to_mongo().to_string(),
//!     r#"{"$and":[{"config.lr":{"$gt":0.01}},{"state":"finished"}]}"#
//! );
//! # Ok::<(), wandb_core::filter::FilterError>(())
//! ```
//!
//! # Fields
//!
//! | text | Mongo | what |
//! |---|---|---|
//! | `state`, `display_name`, `created_at`, … | `state`, `displayName`, `createdAt`, … | a [`RunAttribute`]; both cases are read in both forms. `name` (in text also `id`) is the run's id. |
//! | `config.lr` | `config.lr` | a config value; `config.lr.value` is the same, the form in which W&B stores the key |
//! | `summary.loss` | `summary_metrics.loss` | a summary value |
//! | `keys_info.keys.loss` | `keys_info.keys.loss` | with `exists`: the run logged the metric |
//!
//! # What the operators mean
//!
//! | text | Mongo | holds if |
//! |---|---|---|
//! | `a = 1` | `{"a": 1}`, `$eq` | the value is equal, or is a list with an equal element. `null` equals null and missing. |
//! | `a != 1` | `$ne` | exactly where `=` does not, so also where the field is missing |
//! | `a > 1`, `>=`, `<`, `<=` | `$gt`, `$gte`, `$lt`, `$lte` | the value, or an element of the list, is of the same type and in that order |
//! | `a in [1, 2]` | `$in` | one of them is equal, as with `=` |
//! | `a not in [1, 2]` | `$nin` | exactly where `in` does not |
//! | `a exists` | `$exists` | the field is there; for an attribute: and is not null |
//! | `a =~ "^x"` | `$regex` | the text, or an element of the list, has a match somewhere |
//! | `a contains "x"` | `$contains` | the text has this part, or the list has this element |
//! | `tags has "x"` | `{"tags": "x"}` | the same as `=` |
//! | `and`, `or`, `not` | `$and`, `$or`, `$nor`, `$not` | as in logic: a negation holds exactly where the inside does not |
//!
//! - Values of different types are never equal and have no order: `"1"` is not `1`, and neither is less than the other.
//! - Numbers are compared by value, exactly: `1` is `1.0`, and 2^53 + 1 is greater than 2^53 as a float.
//! - `NaN` and the infinities are the texts `"NaN"`, `"Infinity"`, `"-Infinity"`, as W&B stores them; they match no
//!   comparison with a number.
//! - Texts are compared by code point, `created_at`, `heartbeat_at` and `updated_at` as times; a date alone is its
//!   midnight in UTC.
//! - A dotted key is looked up literally first, then as a path into nested values. Lists are not entered by a path.
//! - A list equals a list with the same elements in the same order. Nothing equals an object.
//!
//! # The text grammar
//!
#![doc = include_str!("text/grammar.md")]

mod ast;
mod build;
mod check;
mod compare;
mod document;
mod error;
mod evaluate;
mod explain;
mod field;
pub(crate) mod json_path;
mod literal;
mod mongo;
pub(crate) mod nearest;
mod pattern;
mod report;
mod text;

pub use ast::{Condition, Filter, MAX_DEPTH, Node, Operator, Predicate};
pub use build::{
    Field, attribute, config, created_at, display_name, duration, group, heartbeat_at, host, id, job_type,
    metric, state, summary, sweep, tags, updated_at, username,
};
pub use error::{FilterError, FilterErrorKind};
pub use evaluate::{Evaluator, RunDocument};
pub use explain::{ExplainedCondition, Explanation, ServerRules};
pub use field::{FieldPath, KeyPath, RunAttribute};
pub use literal::{Literal, Number, Scalar};
pub use report::ReportReading;

#[cfg(test)]
pub(crate) mod strategies;
#[cfg(test)]
mod tests;
