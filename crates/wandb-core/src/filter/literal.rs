//! The values that a filter compares with.

use std::fmt;

use serde_json::Value as Json;

use crate::timestamp::Timestamp;

/// How deep lists in lists may go.
pub(super) const MAX_LITERAL_DEPTH: usize = 16;

/// A finite number of a filter: an integer of up to 64 bits or a float.
///
/// `1` and `1.0` are different literals (they print differently) that match the same values.
#[derive(Clone, Copy, PartialEq)]
pub struct Number(Repr);

/// Invariants: `Unsigned` is above `i64::MAX`, so that each integer has one form; `Float` is finite.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Repr {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

impl Number {
    /// The number, unless it is `NaN` or infinite.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(Repr::Float(number)))
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Signed(number) => number as f64,
            Repr::Unsigned(number) => number as f64,
            Repr::Float(number) => number,
        }
    }

    /// The integer, if it was written as one and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Signed(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn repr(self) -> Repr {
        self.0
    }

    pub(super) fn to_json(self) -> Json {
        match self.0 {
            Repr::Signed(number) => Json::from(number),
            Repr::Unsigned(number) => Json::from(number),
            Repr::Float(number) => Json::from(number),
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(Repr::Signed(number))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(i64::try_from(number).map_or(Repr::Unsigned(number), Repr::Signed))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The JSON form: shortest text that reads back to the same number, and a float always looks like one.
        write!(formatter, "{}", self.to_json())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A value of the filter language.
///
/// `From` makes one of Rust's own types. A float that is not finite becomes the string `"NaN"`, `"Infinity"` or
/// `"-Infinity"`, which is how W&B stores it and what it must be compared with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// `null`: equal to a null and to a field that is missing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text; also a time, which is written as RFC 3339 text.
    String(String),
    /// A list, compared with a whole list.
    List(Vec<Literal>),
}

impl Literal {
    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Number(number) => number.to_json(),
            Self::String(text) => Json::String(text.clone()),
            Self::List(list) => Json::Array(list.iter().map(Self::to_json).collect()),
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Self::List(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}

impl fmt::Display for Literal {
    /// The form of the text grammar, which is JSON.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(list) => {
                formatter.write_str("[")?;
                for (place, item) in list.iter().enumerate() {
                    if place > 0 {
                        formatter.write_str(", ")?;
                    }
                    write!(formatter, "{item}")?;
                }
                formatter.write_str("]")
            }
            scalar => write!(formatter, "{}", scalar.to_json()),
        }
    }
}

/// A [`Literal`] that has an order: a boolean, a number or a string, never `null` and never a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar(Literal);

impl Scalar {
    /// The literal, if it is a boolean, a number or a string.
    #[must_use]
    pub fn new(literal: Literal) -> Option<Self> {
        match literal {
            Literal::Null | Literal::List(_) => None,
            scalar => Some(Self(scalar)),
        }
    }

    /// The literal.
    #[must_use]
    pub fn as_literal(&self) -> &Literal {
        &self.0
    }
}

impl From<Scalar> for Literal {
    fn from(scalar: Scalar) -> Self {
        scalar.0
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

macro_rules! literal_from {
    ($($type:ty => |$value:ident| $literal:expr;)*) => {$(
        impl From<$type> for Literal {
            fn from($value: $type) -> Self {
                $literal
            }
        }

        impl From<$type> for Scalar {
            fn from(value: $type) -> Self {
                Self(Literal::from(value))
            }
        }
    )*};
}

literal_from! {
    bool => |value| Self::Bool(value);
    i32 => |value| Self::Number(Number::from(i64::from(value)));
    u32 => |value| Self::Number(Number::from(i64::from(value)));
    i64 => |value| Self::Number(Number::from(value));
    u64 => |value| Self::Number(Number::from(value));
    f64 => |value| match Number::from_f64(value) {
        Some(number) => Self::Number(number),
        None if value.is_nan() => Self::String("NaN".to_owned()),
        None if value > 0.0 => Self::String("Infinity".to_owned()),
        None => Self::String("-Infinity".to_owned()),
    };
    f32 => |value| Self::from(f64::from(value));
    &str => |value| Self::String(value.to_owned());
    String => |value| Self::String(value);
    &String => |value| Self::String(value.clone());
    Timestamp => |value| Self::String(value.to_string());
}

impl<T: Into<Literal>> From<Vec<T>> for Literal {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Literal>> From<Option<T>> for Literal {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
