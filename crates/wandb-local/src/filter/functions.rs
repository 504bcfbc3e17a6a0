//! The SQL functions that compiled filters and orders call.
//!
//! | function | gives |
//! |---|---|
//! | `wandb_matches(document, condition)` | 1 if a JSON document meets a condition |
//! | `wandb_sort_key(document, spec)` | bytes that sort as the value at a path does |
//! | `wandb_regexp(pattern, text)` | 1 if the text contains a match |
//!
//! The condition, the spec and the pattern are constant in a statement, so SQLite keeps their decoded form from row to
//! row. None of the functions builds a tree of the document.

use regex::{Regex, RegexBuilder};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use serde::{Deserialize, Serialize};

use super::predicate::{Number, Place, Prepared, string};
use crate::lenient::Kind;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the functions known to a connection. Every connection that runs compiled filters or orders needs it.
///
/// # Errors
/// SQLite refused, which it does only for a connection in the middle of a statement.
pub(crate) fn register_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("wandb_matches", 2, flags, |context| {
        let condition = context.get_or_create_aux(1, |value| Prepared::new(value.as_str()?))?;
        Ok(condition.holds(document(context)?))
    })?;
    connection.create_scalar_function("wandb_sort_key", 2, flags, |context| {
        let key = context.get_or_create_aux(1, |value| {
            Ok::<SortKey, BoxError>(serde_json::from_str(value.as_str()?)?)
        })?;
        Ok(key.encode(document(context)?))
    })?;
    connection.create_scalar_function("wandb_regexp", 2, flags, |context| {
        let regex =
            context.get_or_create_aux(0, |value| Ok::<_, BoxError>(compile_regex(value.as_str()?)?))?;
        let text = context.get_raw(1).as_str_or_null()?;
        Ok(text.is_some_and(|text| regex.is_match(text)))
    })
}

/// The document argument; a null column is an empty document.
fn document<'a>(context: &'a Context<'_>) -> rusqlite::Result<&'a str> {
    Ok(context.get_raw(0).as_str_or_null()?.unwrap_or("{}"))
}

/// Compiles a pattern that came from a client: matching is linear in the text whatever it is, and its size is bounded.
pub(super) fn compile_regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .nest_limit(100)
        .build()
}

/// What to sort by, as a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SortKey {
    #[serde(rename = "a")]
    pub(super) place: Place,
    #[serde(rename = "d")]
    pub(super) descending: bool,
}

impl SortKey {
    /// Bytes whose ascending order is: numbers, strings, booleans, lists and objects, null or missing. Only the order
    /// *within* the first three depends on the direction, so that runs without the value come last either way, and
    /// `"NaN"` does not win a descending sort of numbers.
    pub(super) fn encode(&self, document: &str) -> Vec<u8> {
        let Some(value) = self.place.find(document) else {
            return vec![4];
        };
        match value.kind {
            Kind::Number => {
                let Some(number) = Number::parse(value.text) else {
                    return vec![4];
                };
                let mut key = vec![0];
                // Integers that share a float are told apart by their own digits.
                let float = number.as_f64() + 0.0;
                let exact = match number {
                    Number::Integer(value) => value,
                    Number::Float(value) => value as i128,
                };
                let bits = float.to_bits();
                let float = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
                key.extend(float.to_be_bytes());
                key.extend((exact as u128 ^ (1 << 127)).to_be_bytes());
                if self.descending {
                    key.iter_mut().skip(1).for_each(|byte| *byte = !*byte);
                }
                key
            }
            Kind::String | Kind::NonFinite => {
                let text = string(value).unwrap_or_default();
                let mut key = vec![1];
                if self.descending {
                    // No byte of UTF-8 is above 0xF4, so this neither wraps nor reaches the end mark, which makes a
                    // text come after those that it is the beginning of.
                    key.extend(text.bytes().map(|byte| 0xFE - byte));
                    key.push(0xFF);
                } else {
                    key.extend(text.bytes());
                }
                key
            }
            Kind::Bool => vec![2, u8::from((value.text == "true") != self.descending)],
            Kind::Array | Kind::Object => vec![3],
            Kind::Null => vec![4],
        }
    }
}
