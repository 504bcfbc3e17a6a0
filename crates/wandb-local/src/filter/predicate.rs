//! Conditions on values inside a JSON column, evaluated on the stored text.
//!
//! A condition travels to SQLite as one text parameter and is decoded once per statement, see
//! [`functions`](super::functions).

use std::borrow::Cow;
use std::cmp::Ordering;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::functions::compile_regex;
use crate::lenient::{Kind, Raw, elements, find, find_config, members, unescape};

/// How a place in a document is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The document is an unwrapped config, whose wrappers a path may still name.
    #[serde(rename = "c")]
    pub(super) config: bool,
    #[serde(rename = "p")]
    pub(super) path: String,
}

impl Place {
    /// The value there. A document that is not JSON has none; the store writes only checked ones.
    pub(super) fn find<'a>(&self, document: &'a str) -> Option<Raw<'a>> {
        let found = if self.config {
            find_config(document, &self.path)
        } else {
            find(document, &self.path)
        };
        found.ok().flatten()
    }
}

/// A test of one value, in the form in which it is a parameter. Negative operators are negated in SQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Test {
    Equal(Value),
    Below(Value),
    BelowOrEqual(Value),
    Above(Value),
    AboveOrEqual(Value),
    In(Vec<Value>),
    Exists,
    Matches(String),
    Contains(Value),
}

/// A whole condition as a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Condition {
    #[serde(rename = "a")]
    pub(super) place: Place,
    #[serde(rename = "t")]
    pub(super) test: Test,
}

/// A condition made ready to run.
#[derive(Debug)]
pub(super) struct Prepared {
    condition: Condition,
    regex: Option<Regex>,
}

impl Prepared {
    pub(super) fn new(parameter: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let condition: Condition = serde_json::from_str(parameter)?;
        let regex = match &condition.test {
            Test::Matches(pattern) => Some(compile_regex(pattern)?),
            _ => None,
        };
        Ok(Self { condition, regex })
    }

    pub(super) fn holds(&self, document: &str) -> bool {
        let found = self.condition.place.find(document);
        match &self.condition.test {
            Test::Exists => found.is_some(),
            Test::Equal(operand) => equals_null(found, operand) || some(found, |value| equal(value, operand)),
            Test::In(operands) => operands
                .iter()
                .any(|operand| equals_null(found, operand) || some(found, |value| equal(value, operand))),
            Test::Below(operand) => ordered(found, operand, Ordering::is_lt),
            Test::BelowOrEqual(operand) => ordered(found, operand, Ordering::is_le),
            Test::Above(operand) => ordered(found, operand, Ordering::is_gt),
            Test::AboveOrEqual(operand) => ordered(found, operand, Ordering::is_ge),
            Test::Matches(_) => self.regex.as_ref().is_some_and(|regex| {
                some(found, |value| {
                    string(value).is_some_and(|text| regex.is_match(&text))
                })
            }),
            Test::Contains(part) => found.is_some_and(|value| contains(value, part)),
        }
    }
}

/// Whether a text has a part, or a list an element.
fn contains(value: Raw<'_>, part: &Value) -> bool {
    match (string(value), part) {
        (Some(text), Value::String(part)) => text.contains(part.as_str()),
        _ => value.kind == Kind::Array && elements(value.text).any(|element| equal(element, part)),
    }
}

/// A missing value equals null.
fn equals_null(found: Option<Raw<'_>>, operand: &Value) -> bool {
    found.is_none() && operand.is_null()
}

/// Whether the test holds for the value or, if it is a list, for one of its elements.
fn some(found: Option<Raw<'_>>, test: impl Fn(Raw<'_>) -> bool) -> bool {
    found.is_some_and(|value| test(value) || (value.kind == Kind::Array && elements(value.text).any(test)))
}

/// Order within one type. Null is only ever equal to itself.
fn ordered(found: Option<Raw<'_>>, operand: &Value, accept: impl Fn(Ordering) -> bool) -> bool {
    if equals_null(found, operand) {
        return accept(Ordering::Equal);
    }
    some(found, |value| compare(value, operand).is_some_and(&accept))
}

/// `None` across types, and for lists and objects.
fn compare(value: Raw<'_>, operand: &Value) -> Option<Ordering> {
    match (value.kind, operand) {
        (Kind::Null, Value::Null) => Some(Ordering::Equal),
        (Kind::Bool, Value::Bool(operand)) => Some((value.text == "true").cmp(operand)),
        (Kind::Number, Value::Number(operand)) => {
            Some(Number::parse(value.text)?.compare(Number::parse(&operand.to_string())?))
        }
        (Kind::String | Kind::NonFinite, Value::String(operand)) => {
            Some(string(value)?.as_ref().cmp(operand.as_str()))
        }
        _ => None,
    }
}

fn equal(value: Raw<'_>, operand: &Value) -> bool {
    match operand {
        // Lists and objects are compared as trees: they are rare here, and 1 and 1.0 must be equal inside, too.
        Value::Array(operands) if value.kind == Kind::Array => {
            let mut values = elements(value.text);
            operands
                .iter()
                .all(|operand| values.next().is_some_and(|value| equal(value, operand)))
                && values.next().is_none()
        }
        Value::Object(operands) if value.kind == Kind::Object => {
            let Ok(values) = members(value.text) else {
                return false;
            };
            let mut count = 0;
            values.flatten().all(|(key, value)| {
                count += 1;
                operands
                    .get(&*unescape(key))
                    .is_some_and(|operand| equal(value, operand))
            }) && count == operands.len()
        }
        _ => compare(value, operand) == Some(Ordering::Equal),
    }
}

/// The text of a string value. A bare token, which the query columns do not hold, reads as its strict form.
pub(super) fn string(value: Raw<'_>) -> Option<Cow<'_, str>> {
    match value.kind {
        Kind::String => Some(unescape(&value.text[1..value.text.len() - 1])),
        Kind::NonFinite => Some(value.text.into()),
        _ => None,
    }
}

/// A number of which no digit is lost to conversion before it is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse()
            .map(Self::Integer)
            .or_else(|_| text.parse().map(Self::Float))
            .ok()
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Exact, also between integers and floats. JSON has no NaN.
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
            (Self::Integer(left), Self::Float(right)) => compare_mixed(left, right),
            (Self::Float(left), Self::Integer(right)) => compare_mixed(right, left).reverse(),
        }
    }
}

/// The cast saturates beyond the range of the integer, where the float's own size decides.
fn compare_mixed(integer: i128, float: f64) -> Ordering {
    let whole = float.trunc();
    integer
        .cmp(&(whole as i128))
        .then_with(|| 0.0_f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal))
}
