//! JSON as the SDK writes it, kept as text.
//!
//! The SDK's encoder emits the bare tokens `NaN`, `Infinity` and `-Infinity` (protocol §4.5), which strict parsers
//! refuse, and integers of up to 64 bits, which must not pass through a float. The server therefore never builds a tree
//! of such documents. It scans them, keeps the text, and cuts the parts it needs out of it.
//!
//! Every function here is total: it takes any text, recurses only within a fixed depth (`scan::MAX_DEPTH`), and allocates no more than a
//! small multiple of its input. *Strict* output always parses with `serde_json`: the three tokens become the strings
//! `"NaN"`, `"Infinity"` and `"-Infinity"`, a number beyond the range of a double becomes the infinity that Python reads
//! it as, and an unpaired surrogate escape becomes U+FFFD. Everything else, digits included, is copied as it is.
//!
//! A key that occurs twice in one object: the first one counts. (No known client writes such objects.)

mod document;
mod find;
mod patch;
mod project;
mod scan;
mod strict;
#[cfg(test)]
mod tests;

pub(crate) use document::{select_keys, unwrap_config};
pub(crate) use find::{find, find_config};
pub(crate) use patch::{merge, remove};
pub(crate) use project::{Projection, push_quoted, step_of};
pub(crate) use scan::{Kind, LenientError, Raw, elements, members, unescape};
pub(crate) use strict::strict;
