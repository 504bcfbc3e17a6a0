//! YAML as PyYAML reads it, within budgets.
//!
//! The config of a sweep is YAML that the official client wrote with PyYAML and reads with it again (protocol §2.12).
//! PyYAML follows YAML 1.1 with rules of its own: `y` and `1e3` are texts to it, `yes` is a boolean, `017` is fifteen.
//! A reader with other rules changes what people search over, so these rules are the ones that count, for whoever reads
//! a config. They stand here once and are judged by PyYAML itself: the tables in the tests are its answers.
//!
//! The text is somebody else's. It is read with budgets on size, depth, nodes and on what aliases repeat, so that no text
//! can fill memory or the stack.
//!
//! ```
//! use wandb_yaml::{Limits, Yaml};
//!
//! let config = wandb_yaml::read("values: [y, 1e3, 1.0e3, 8]", &Limits::default())?;
//! let Yaml::Map(entries) = config else { unreachable!() };
//! let Yaml::List(values) = &entries[0].1 else { unreachable!() };
//! assert_eq!(values[0], Yaml::Text("y".into()));
//! assert_eq!(values[1], Yaml::Text("1e3".into()));
//! assert_eq!(values[2], Yaml::Text("1.0e3".into()), "an exponent needs a sign");
//! assert_eq!(values[3], Yaml::Int(8));
//! # Ok::<(), wandb_yaml::ReadError>(())
//! ```

mod node;
mod plain;
mod words;

use serde_saphyr::{
    Options, Spanned,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};
use thiserror::Error;

use node::Node;
use words::Words;

/// What a text says.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// Another integer, as its decimal digits with a `-` if it is negative.
    BigInt(String),
    /// Any other number; `.nan` and `.inf` are such.
    Float(f64),
    /// A text, and whatever else a scalar is: dates and binary data stay as they were written.
    Text(String),
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping in the order of the text, each key once: of repeated keys the last counts, as in Python.
    Map(Vec<(String, Yaml)>),
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, in bytes; 1 MiB unless set. Real configs have a few kilobytes.
    pub bytes: usize,
    /// The most values, those that aliases repeat included; 100,000 unless set.
    pub values: usize,
    /// The deepest nesting; 64 unless set.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            values: 100_000,
            depth: 64,
        }
    }
}

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is longer than [`Limits::bytes`].
    #[error("it has {found} bytes; at most {limit} are read")]
    TooLong {
        /// How long it is.
        found: usize,
        /// How long it may be.
        limit: usize,
    },
    /// It is not YAML, or goes beyond another limit. The message is one line and quotes at most a part of the text.
    #[error("{0}")]
    Invalid(String),
}

/// Reads the one document of a text.
///
/// # Errors
/// [`ReadError`] when it is too long, no YAML, more than one document, or beyond a limit.
pub fn read(text: &str, limits: &Limits) -> Result<Yaml, ReadError> {
    if text.len() > limits.bytes {
        return Err(ReadError::TooLong {
            found: text.len(),
            limit: limits.bytes,
        });
    }
    serde_saphyr::from_str_with_options::<Spanned<Node>>(text, options(limits))
        .map(|node| node::value(node, text))
        .map_err(|error| ReadError::Invalid(short(&error.render_with_formatter(&Words))))
}

fn options(limits: &Limits) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: limits.values.saturating_mul(4),
            max_nodes: limits.values,
            max_depth: limits.depth,
            flow_nesting_limit: limits.depth,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: limits.values,
            max_recorded_anchor_bytes: limits.bytes.saturating_mul(4),
            max_documents: 1,
            max_total_scalar_bytes: limits.bytes.saturating_mul(2),
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: limits.values,
            max_replay_stack_depth: limits.depth,
        },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// The first line of a message, and not the whole of a hostile key in it.
fn short(message: &str) -> String {
    message
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests;
