//! JSON of a filter with what `serde_json` would lose: repeated keys and the exact value of each number.

use serde_json::{Map as JsonMap, Number as JsonNumber, Value as Json};

use super::{
    ast::MAX_DEPTH,
    error::{FilterError, FilterErrorKind},
    literal::{Literal, MAX_LITERAL_DEPTH, Number},
};
use crate::value::{ParseValueError, Scanner, Value};

/// Levels of JSON that a filter may have: two for each level of the tree, then the condition and its value.
const MAX_JSON_DEPTH: usize = 2 * MAX_DEPTH + MAX_LITERAL_DEPTH + 8;

/// One JSON value; of an object every member in order, also those whose key came before.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Document {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Document>),
    Object(Vec<(String, Document)>),
}

impl Document {
    /// Reads a whole JSON text; the bare `NaN` and infinities that Python writes become strings, as W&B stores them.
    pub(super) fn parse(text: &str) -> Result<Self, FilterError> {
        let mut scanner = Scanner::new(text);
        let mut too_deep = false;
        let document = read(&mut scanner, 0, &mut too_deep).and_then(|document| {
            scanner.end()?;
            Ok(document)
        });
        document.map_err(|error| {
            if too_deep {
                return FilterError::too_deep();
            }
            FilterError::new(FilterErrorKind::Syntax, "the filter is not JSON")
                .at_text(text, error.offset())
                .with_source(error)
        })
    }

    /// Takes over a value that was read by `serde_json`.
    pub(super) fn from_json(json: &Json) -> Result<Self, FilterError> {
        convert(json, 0)
    }

    /// The value for `serde_json`. The caller has checked that no key is repeated.
    pub(super) fn into_json(self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(truth),
            Self::Number(number) => number.to_json(),
            Self::String(text) => Json::String(text),
            Self::Array(items) => Json::Array(items.into_iter().map(Self::into_json).collect()),
            Self::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(key, member)| (key, member.into_json()))
                    .collect::<JsonMap<_, _>>(),
            ),
        }
    }

    /// What kind of value it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The value as a literal, unless there is an object in it.
    pub(super) fn into_literal(self) -> Option<Literal> {
        Some(match self {
            Self::Null => Literal::Null,
            Self::Bool(truth) => Literal::Bool(truth),
            Self::Number(number) => Literal::Number(number),
            Self::String(text) => Literal::String(text),
            Self::Array(items) => {
                Literal::List(items.into_iter().map(Self::into_literal).collect::<Option<_>>()?)
            }
            Self::Object(_) => return None,
        })
    }
}

fn read(scanner: &mut Scanner<'_>, depth: usize, too_deep: &mut bool) -> Result<Document, ParseValueError> {
    match scanner.peek() {
        Some(b'{' | b'[') if depth >= MAX_JSON_DEPTH => {
            *too_deep = true;
            // A bracket is not the end of the text, so this gives the error with its place.
            scanner.end()?;
            Ok(Document::Null)
        }
        Some(b'{') => {
            let mut members = Vec::new();
            scanner.object(|scanner, key| {
                members.push((key.into_owned(), read(scanner, depth + 1, too_deep)?));
                Ok(())
            })?;
            Ok(Document::Object(members))
        }
        Some(b'[') => {
            let mut items = Vec::new();
            scanner.array(|scanner| {
                items.push(read(scanner, depth + 1, too_deep)?);
                Ok(())
            })?;
            Ok(Document::Array(items))
        }
        _ => Ok(match scanner.value()? {
            Value::Null => Document::Null,
            Value::Bool(truth) => Document::Bool(truth),
            Value::Int(number) => Document::Number(Number::from(number)),
            Value::UInt(number) => Document::Number(Number::from(number)),
            Value::String(text) => Document::String(text),
            // An integer beyond 64 bits is taken as the nearest float, as JSON readers of servers do.
            other => number_or_name(other.as_f64().unwrap_or(f64::NAN)),
        }),
    }
}

fn number_or_name(number: f64) -> Document {
    match Literal::from(number) {
        Literal::Number(number) => Document::Number(number),
        name => Document::String(name.as_str().unwrap_or_default().to_owned()),
    }
}

fn convert(json: &Json, depth: usize) -> Result<Document, FilterError> {
    if depth > MAX_JSON_DEPTH {
        return Err(FilterError::too_deep());
    }
    Ok(match json {
        Json::Null => Document::Null,
        Json::Bool(truth) => Document::Bool(*truth),
        Json::Number(number) => convert_number(number),
        Json::String(text) => Document::String(text.clone()),
        Json::Array(items) => Document::Array(
            items
                .iter()
                .map(|item| convert(item, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        Json::Object(members) => Document::Object(
            members
                .iter()
                .map(|(key, member)| Ok((key.clone(), convert(member, depth + 1)?)))
                .collect::<Result<_, FilterError>>()?,
        ),
    })
}

fn convert_number(number: &JsonNumber) -> Document {
    if let Some(integer) = number.as_i64() {
        return Document::Number(Number::from(integer));
    }
    if let Some(integer) = number.as_u64() {
        return Document::Number(Number::from(integer));
    }
    number_or_name(number.as_f64().unwrap_or(f64::NAN))
}
