//! JSON as W&B writes it.
//!
//! Config, summary and history travel as JSON *text* inside JSON strings (protocol §2.2), and that text may hold the bare
//! tokens `NaN`, `Infinity` and `-Infinity` (protocol §4.5), which `serde_json` refuses. [`Value`] keeps what was logged
//! apart: `null`, the three non-finite numbers, and integers of any size are different things and survive.
//!
//! [`Value::parse`] is total: any text gives a value or an error with an offset, nesting is limited to
//! [`MAX_DEPTH`] levels, and memory is linear in the text.

mod de;
mod map;
mod print;
mod scan;
mod serde_impl;

pub use de::{FitError, fit};
pub use map::Map;
pub use scan::{MAX_DEPTH, ParseValueError, Scanner};

/// One JSON value with W&B's non-finite numbers.
///
/// Equality is structural; `NaN` is unequal to itself, as in IEEE 754, so use [`Value::same_as`] to compare logged data.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `null`: logged as nothing, which is not the same as not logged.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer above `i64::MAX` that fits 64 bits.
    UInt(u64),
    /// An integer beyond 64 bits, as its digits.
    BigInt(Box<str>),
    /// Any other number, including `NaN` and the infinities.
    Float(f64),
    /// A text.
    String(String),
    /// An array.
    List(Vec<Value>),
    /// An object, its keys in the order of the text.
    Map(Map),
}

impl Value {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// When the text is not JSON (with the three bare tokens allowed), is nested deeper than [`MAX_DEPTH`], or goes on
    /// after the value.
    pub fn parse(text: &str) -> Result<Self, ParseValueError> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    /// The value as a float: integers are converted, other types give `None`.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::UInt(number) => Some(*number as f64),
            Self::BigInt(digits) => digits.parse().ok(),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as an integer, if it is one and fits. A float with an integral value counts.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            // 2^63 is the first float above every i64.
            Self::Float(number)
                if number.fract() == 0.0
                    && *number >= -9_223_372_036_854_775_808.0
                    && *number < 9_223_372_036_854_775_808.0 =>
            {
                Some(*number as i64)
            }
            _ => None,
        }
    }

    /// The text, if the value is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The object, if the value is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The object, to change it in place, if the value is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The array, if the value is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// Whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether two logged values are the same: like `==`, but `NaN` is the same as `NaN` and `1` the same as `1.0`.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(left), Self::List(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.same_as(right))
            }
            (Self::Map(left), Self::Map(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(key, value)| right.get(key).is_some_and(|other| value.same_as(other)))
            }
            (Self::Float(left), Self::Float(right)) if left.is_nan() && right.is_nan() => true,
            (left, right) if left == right => true,
            (left, right) => match (left.as_f64(), right.as_f64()) {
                // Two different exact integers never compare through floats.
                (Some(_), Some(_)) if !left.is_float() && !right.is_float() => false,
                (Some(left), Some(right)) => left == right,
                _ => false,
            },
        }
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::Float(_))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::Int(i64::from(value))
            }
        }
    )*};
}

from_integers!(i8, i16, i32, u8, u16, u32);

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::UInt(value), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

#[cfg(test)]
mod tests;
