//! Filters and order strings, of runs and of artifacts, compiled to SQL (protocol §2.8).
//!
//! A filter never loads runs: it becomes a condition over the table alias `r` (`runs r`), in which attributes are plain
//! columns that SQLite can use indexes for, and config and summary values are reached by two functions that look into
//! the stored JSON text, [`register_functions`]. Everything that came from the client is a bound parameter.
//!
//! # Rules
//! They are MongoDB's, as far as they apply:
//! - Comparison stays within a type: a number never matches a string, nor `"NaN"` anything below 1.
//! - A missing value matches only `$ne`, `$nin`, `$exists: false` and equality with null.
//! - A condition on a list holds if it holds for one element (`$ne` and `$nin`: for none). Tags are a list.
//! - Several members of an object, and several operators on a field, must all hold.
//!
//! And where MongoDB says nothing:
//! - `config.a.b` is the key `"a.b"` if there is one, else `b` inside `a`; `config.a.value` also finds `a`.
//! - Times are ISO 8601 text (UTC unless it says otherwise) or Unix time in seconds.
//! - `duration` is the time from creation to the last heartbeat, in seconds.
//! - `$contains` looks for a part of a text or an element of a list; `$regex` is unanchored and has the syntax of the
//!   `regex` crate (near RE2).
//! - Non-finite numbers are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, in filters as well as in data.

mod compile;
mod error;
mod field;
mod functions;
mod order;
mod predicate;
mod sql;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use compile::compile_filter;
pub(crate) use error::explain;
pub(crate) use field::Subject;
pub(crate) use functions::register_functions;
pub(crate) use order::compile_order;
