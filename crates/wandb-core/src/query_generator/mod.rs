//! Report filters and sort keys: the official `QueryGenerator`, with its faults mended (inventory §3.2).
//!
//! Reports keep their filters as trees of [`Key`]s. [`QueryGenerator`] turns such a tree ([`ReportFilter`]) into the
//! Mongo-style JSON of the server and back, keys into server paths and back, and sort keys into order texts and back.
//! Where the official class is right the results are the same; where it is not:
//!
//! | official | here |
//! |---|---|
//! | an inactive leaf stays in its group as `None`, which the server refuses | it is left out and listed in [`MongoFilter::ignored`] |
//! | a leaf without `value` is a `KeyError` | not filled in: left out and listed |
//! | an unknown operator is a `KeyError` | a typed error with the nearest name |
//! | `tags` leaves ignore their operator: `!=` and `NIN` mean `=` | they mean what they say; `>` and its like are errors |
//! | of `{"a": {"$gt": 1, "$lt": 2}}` and `{"a": 1, "b": 2}` only the first part is kept | an `AND` of all parts |
//! | `$nor` becomes a key named `$nor` | carried down to the leaves, or an error where they have no opposite |
//! | `$exists` is a `KeyError`, `$eq` too | `$eq` is `=`; what a report cannot say is a typed error |
//! | `order_to_keys` puts every key into the section `run` | into its own section |
//! | `order_to_keys` fails with a bare `Exception` without a sign | a typed error |
//! | `format_order_key` gives `None` for `createdAt`, `name`, … and takes `created_at` for a metric | both are columns |
//!
//! Round trips: `mongo_to_filter(filter_to_mongo(f)) == f` for trees without inactive leaves and `tags` leaves, and
//! `keys_to_order` and `order_to_keys` undo each other.
//!
//! [`Filter::from_report`](crate::filter::Filter::from_report) reads a tree into the filter language itself.

mod error;
mod key;
mod mongo;
mod order;
mod tree;

pub use error::QueryGeneratorError;
pub use key::{Key, Section, SortKey, SortKeys};
pub use mongo::{IgnoreReason, IgnoredFilter, MongoFilter};
pub use tree::{GroupOperator, Leaf, LeafOperator, ReportFilter};

use crate::timestamp::Timestamp;

/// Converts between report filters, server filters and order texts. See the [module](self).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueryGenerator {
    now: Option<Timestamp>,
}

impl QueryGenerator {
    /// A generator without a clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time that `WITHINSECONDS` leaves count back from.
    #[must_use]
    pub fn with_now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}

#[cfg(test)]
mod tests;
