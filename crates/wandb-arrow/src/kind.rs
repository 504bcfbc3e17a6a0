//! The kinds of logged values, what was seen of a column, and the Arrow type that follows from it.

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use wandb_core::Value;

/// The kind of one logged value, by itself. A value has the same kind in whatever batch it arrives, so the final type
/// of a column does not depend on how a scan was cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A logged `null`.
    Null,
    Bool,
    Int,
    /// An integer above `i64::MAX`.
    UInt,
    /// An integer beyond 64 bits, as its digits.
    BigInt,
    Float,
    Text,
    /// A list of integers and nulls; also the empty list.
    IntList,
    /// A list of numbers and nulls with at least one float, whose integers are floats without loss.
    FloatList,
    /// Everything else, as JSON text.
    Json,
}

impl Kind {
    const ALL: [(Self, char); 10] = [
        (Self::Null, 'n'),
        (Self::Bool, 'b'),
        (Self::Int, 'i'),
        (Self::UInt, 'u'),
        (Self::BigInt, 'd'),
        (Self::Float, 'f'),
        (Self::Text, 't'),
        (Self::IntList, 'I'),
        (Self::FloatList, 'F'),
        (Self::Json, 'j'),
    ];

    /// The letter that stands for the kind in a spill file.
    pub(crate) fn letter(self) -> char {
        Self::ALL[self as usize].1
    }

    pub(crate) fn from_letter(letter: char) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, other)| *other == letter)
            .map(|(kind, _)| *kind)
    }

    /// The kind of a list.
    pub(crate) fn of_list(items: &[Value]) -> Self {
        let (mut floats, mut inexact) = (false, false);
        for item in items {
            match item {
                Value::Null => {}
                Value::Int(number) => inexact |= !int_is_float(*number),
                Value::Float(_) => floats = true,
                _ => return Self::Json,
            }
        }
        match (floats, inexact) {
            (false, _) => Self::IntList,
            (true, false) => Self::FloatList,
            (true, true) => Self::Json,
        }
    }
}

/// What was seen of a column so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// One bit for each [`Kind`] that occurred.
    kinds: u16,
    /// A negative integer occurred.
    pub(crate) negative: bool,
    /// An integer occurred that no float stands for.
    pub(crate) inexact: bool,
    /// Rows with a value, `null` not counted.
    pub(crate) values: u64,
    /// Rows with a logged `null`.
    pub(crate) nulls: u64,
}

impl Facts {
    pub(crate) fn saw(&mut self, kind: Kind) {
        if kind == Kind::Null {
            self.nulls += 1;
        } else {
            self.values += 1;
            self.kinds |= 1 << kind as u16;
        }
    }

    /// Takes a value into account, and tells its kind.
    pub(crate) fn observe(&mut self, value: &Value) -> Kind {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Int(number) => {
                self.negative |= *number < 0;
                self.inexact |= !int_is_float(*number);
                Kind::Int
            }
            Value::UInt(number) => {
                self.inexact |= !uint_is_float(*number);
                Kind::UInt
            }
            Value::BigInt(digits) => {
                self.inexact |= !digits_are_float(digits);
                Kind::BigInt
            }
            Value::Float(_) => Kind::Float,
            Value::String(_) => Kind::Text,
            Value::List(items) => {
                let kind = Kind::of_list(items);
                if kind == Kind::IntList {
                    self.inexact |= items
                        .iter()
                        .any(|item| matches!(item, Value::Int(number) if !int_is_float(*number)));
                }
                kind
            }
            _ => Kind::Json,
        };
        self.saw(kind);
        kind
    }

    /// The type that holds every value that occurred without loss.
    pub(crate) fn column_type(&self) -> ColumnType {
        let only = |allowed: &[Kind]| {
            let mask = allowed.iter().fold(0, |mask, kind| mask | 1 << *kind as u16);
            self.kinds & !mask == 0
        };
        let has = |kind: Kind| self.kinds & (1 << kind as u16) != 0;
        if self.kinds == 0 {
            ColumnType::Null
        } else if only(&[Kind::Int]) {
            ColumnType::Int64
        } else if only(&[Kind::Int, Kind::UInt]) && !self.negative {
            ColumnType::UInt64
        } else if has(Kind::Float)
            && only(&[Kind::Float, Kind::Int, Kind::UInt, Kind::BigInt])
            && !self.inexact
        {
            ColumnType::Float64
        } else if only(&[Kind::Bool]) {
            ColumnType::Boolean
        } else if only(&[Kind::Text]) {
            ColumnType::Utf8
        } else if only(&[Kind::IntList]) {
            ColumnType::Int64List
        } else if only(&[Kind::IntList, Kind::FloatList]) && !self.inexact {
            ColumnType::Float64List
        } else {
            ColumnType::Json
        }
    }
}

/// The type of a column of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Null,
    Boolean,
    Int64,
    UInt64,
    Float64,
    Utf8,
    Int64List,
    Float64List,
    Json,
}

impl ColumnType {
    pub(crate) fn arrow(self) -> DataType {
        // The item's name and nullability are those of arrow's list builders.
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::UInt64 => DataType::UInt64,
            Self::Float64 => DataType::Float64,
            Self::Utf8 | Self::Json => DataType::Utf8,
            Self::Int64List => list(DataType::Int64),
            Self::Float64List => list(DataType::Float64),
        }
    }
}

/// Up to here every integer is a float.
const EXACT: u64 = 1 << 53;

/// Whether a float stands for the integer: it is equal, or it is the float whose shortest decimal form has these digits.
///
/// The second is for floats that were logged: JSON writers print large ones without a point (Go does below 1e21), and
/// pad the shortest digits with zeros, so that the digits on the wire are not the float's exact value.
pub(crate) fn int_is_float(number: i64) -> bool {
    number.unsigned_abs() <= EXACT || {
        let float = number as f64;
        float as i128 == i128::from(number) || float.to_string() == number.to_string()
    }
}

/// The same for integers above `i64::MAX`.
pub(crate) fn uint_is_float(number: u64) -> bool {
    number <= EXACT || {
        let float = number as f64;
        float as u128 == u128::from(number) || float.to_string() == number.to_string()
    }
}

/// The same for the digits of an integer beyond 64 bits.
pub(crate) fn digits_are_float(digits: &str) -> bool {
    // The largest float has 309 digits; longer texts need not be parsed.
    digits.len() <= 310
        && digits.parse::<f64>().is_ok_and(|float| {
            float.is_finite() && (float.to_string() == digits || format!("{float:.0}") == digits)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_of_one_kind_each() {
        for (place, (kind, letter)) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
            assert_eq!(Kind::from_letter(letter), Some(kind));
            assert_eq!(kind.letter(), letter);
        }
        assert_eq!(Kind::from_letter('x'), None);
    }

    #[test]
    fn integers_become_floats_only_without_loss() {
        assert!(int_is_float(-(1 << 53)) && !int_is_float((1 << 53) + 1));
        assert!(int_is_float(i64::MIN) && !int_is_float(i64::MAX));
        // 1.2345678901234567e18 as Go prints it; its exact value is another one.
        assert!(int_is_float(1_234_567_890_123_456_800) || int_is_float(1_234_567_890_123_456_770));
        assert!(!int_is_float(1_234_567_890_123_456_789));
        assert!(uint_is_float(1 << 63) && !uint_is_float(u64::MAX));
        assert!(digits_are_float("100000000000000000000"));
        assert!(digits_are_float("-36893488147419103232"));
        assert!(!digits_are_float("100000000000000000001"));
        assert!(!digits_are_float(&"9".repeat(309)) && !digits_are_float(&"1".repeat(100_000)));
    }

    #[test]
    fn the_type_is_the_narrowest_that_loses_nothing() {
        let of = |kinds: &[Kind], negative, inexact| {
            let mut facts = Facts {
                negative,
                inexact,
                ..Facts::default()
            };
            for kind in kinds {
                facts.saw(*kind);
            }
            facts.column_type()
        };
        use ColumnType as Type;
        assert_eq!(of(&[Kind::Null], false, false), Type::Null);
        assert_eq!(of(&[Kind::Int, Kind::Null], true, true), Type::Int64);
        assert_eq!(of(&[Kind::Int, Kind::UInt], false, true), Type::UInt64);
        assert_eq!(of(&[Kind::Int, Kind::UInt], true, false), Type::Json);
        assert_eq!(of(&[Kind::Float, Kind::Int], true, false), Type::Float64);
        assert_eq!(of(&[Kind::Float, Kind::Int], true, true), Type::Json);
        assert_eq!(of(&[Kind::BigInt], false, false), Type::Json);
        assert_eq!(of(&[Kind::BigInt, Kind::Float], false, false), Type::Float64);
        assert_eq!(of(&[Kind::Bool, Kind::Int], false, false), Type::Json);
        assert_eq!(
            of(&[Kind::IntList, Kind::FloatList], false, false),
            Type::Float64List
        );
        assert_eq!(of(&[Kind::IntList, Kind::FloatList], false, true), Type::Json);
        assert_eq!(of(&[Kind::IntList, Kind::Int], false, false), Type::Json);
    }
}
