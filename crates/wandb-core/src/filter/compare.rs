//! Comparing the values of a run with the values of a filter.
//!
//! Comparison is bracketed by type, as in Mongo: a number is never less than, equal to or greater than a string. Numbers
//! are compared exactly, also an integer of any size with a float.

use std::cmp::Ordering;

use super::literal::{Literal, Number, Repr};
use crate::value::Value;

/// How W&B stores a float that is not finite; such a value is compared as this text.
fn stored_name(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number == f64::INFINITY {
        Some("Infinity")
    } else if number == f64::NEG_INFINITY {
        Some("-Infinity")
    } else {
        None
    }
}

/// The text of a value: a string, or the stored name of a number that is not finite.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Float(number) => stored_name(*number),
        _ => None,
    }
}

/// The order of a value and a literal, if they are of one type that has an order.
pub(super) fn compare(value: &Value, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Null | Literal::List(_) => None,
        Literal::Bool(truth) => value.as_bool().map(|found| found.cmp(truth)),
        Literal::String(wanted) => text(value).map(|found| found.cmp(wanted.as_str())),
        Literal::Number(number) => compare_number(value, *number),
    }
}

/// Whether a value equals a literal as a whole; looking into lists is the caller's part.
pub(super) fn equals(value: &Value, literal: &Literal) -> bool {
    match literal {
        Literal::Null => value.is_null(),
        Literal::List(wanted) => value.as_list().is_some_and(|found| {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| equals(found, wanted))
        }),
        _ => compare(value, literal) == Some(Ordering::Equal),
    }
}

fn compare_number(value: &Value, literal: Number) -> Option<Ordering> {
    let found = match value {
        Value::Int(number) => i128::from(*number),
        Value::UInt(number) => i128::from(*number),
        Value::BigInt(digits) => return Some(compare_digits(digits, literal)),
        Value::Float(number) if number.is_finite() => {
            return Some(match literal.repr() {
                Repr::Float(wanted) => number.partial_cmp(&wanted)?,
                Repr::Signed(wanted) => compare_integer(i128::from(wanted), *number).reverse(),
                Repr::Unsigned(wanted) => compare_integer(i128::from(wanted), *number).reverse(),
            });
        }
        _ => return None,
    };
    Some(match literal.repr() {
        Repr::Signed(wanted) => found.cmp(&i128::from(wanted)),
        Repr::Unsigned(wanted) => found.cmp(&i128::from(wanted)),
        Repr::Float(wanted) => compare_integer(found, wanted),
    })
}

/// Compares an integer of at most 65 bits with a finite float, exactly.
fn compare_integer(integer: i128, float: f64) -> Ordering {
    /// 2^65, above every integer that comes here.
    const BOUND: f64 = 36_893_488_147_419_103_232.0;
    if float >= BOUND {
        return Ordering::Less;
    }
    if float <= -BOUND {
        return Ordering::Greater;
    }
    // Within the bound the whole part fits an i128 exactly.
    integer
        .cmp(&(float.trunc() as i128))
        .then_with(|| 0.0_f64.total_cmp(&(float.fract() + 0.0)))
}

/// Compares an integer beyond 64 bits, given as digits, with a literal.
fn compare_digits(digits: &str, literal: Number) -> Ordering {
    let (negative, magnitude) = match digits.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, digits),
    };
    let Repr::Float(wanted) = literal.repr() else {
        // Every 64-bit integer is nearer to zero.
        return if negative {
            Ordering::Less
        } else {
            Ordering::Greater
        };
    };
    let nearest: f64 = digits.parse().unwrap_or(f64::INFINITY);
    match nearest.partial_cmp(&wanted) {
        // Rounding keeps the order, so only a tie needs the digits. A float of this size is an integer and prints whole.
        Some(Ordering::Equal) | None => {
            let wanted = format!("{:.0}", wanted.abs());
            let order = magnitude
                .len()
                .cmp(&wanted.len())
                .then_with(|| magnitude.cmp(wanted.as_str()));
            if negative { order.reverse() } else { order }
        }
        Some(order) => order,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use proptest::prelude::*;

    use super::{compare, equals};
    use crate::{filter::Literal, value::Value};

    #[test]
    fn types_do_not_mix() {
        for (value, literal) in [
            (Value::from("1"), Literal::from(1)),
            (Value::from(1_i64), Literal::from("1")),
            (Value::from(true), Literal::from(1)),
            (Value::Null, Literal::from(0)),
            (Value::from(f64::INFINITY), Literal::from(1)),
            (Value::Map(Default::default()), Literal::from("")),
        ] {
            assert_eq!(compare(&value, &literal), None, "{value:?} {literal:?}");
        }
        assert!(equals(&Value::from(f64::NAN), &Literal::from(f64::NAN)));
        assert!(equals(&Value::from("NaN"), &Literal::from(f64::NAN)));
        assert!(equals(&Value::Null, &Literal::Null));
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let big = |digits: &str| Value::BigInt(digits.into());
        for (value, literal, order) in [
            (Value::Int(1), Literal::from(1.0), Equal),
            (
                Value::Int(9_007_199_254_740_993),
                Literal::from(9_007_199_254_740_992.0),
                Greater,
            ),
            (
                Value::Float(9_007_199_254_740_992.0),
                Literal::from(9_007_199_254_740_993_i64),
                Less,
            ),
            (
                Value::Int(i64::MAX),
                Literal::from(9_223_372_036_854_775_808.0),
                Less,
            ),
            (Value::UInt(u64::MAX), Literal::from(i64::MAX), Greater),
            (Value::Int(-1), Literal::from(-0.5), Less),
            (Value::Int(0), Literal::from(-0.0), Equal),
            (Value::Int(0), Literal::from(-0.5), Greater),
            (Value::Int(0), Literal::from(1e-300), Less),
            (Value::Float(1e300), Literal::from(u64::MAX), Greater),
            (
                big("123456789012345678901234567890"),
                Literal::from(u64::MAX),
                Greater,
            ),
            (
                big("-123456789012345678901234567890"),
                Literal::from(i64::MIN),
                Less,
            ),
            (big("100000000000000000000001"), Literal::from(1e23), Greater),
            (big("99999999999999991611392"), Literal::from(1e23), Equal),
            (big("-99999999999999991611393"), Literal::from(-1e23), Less),
            (big("123456789012345678901234567890"), Literal::from(1e300), Less),
        ] {
            assert_eq!(compare(&value, &literal), Some(order), "{value:?} {literal:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn floats_and_integers_agree_with_their_distance(integer in any::<i64>(), offset in -2000_i64..2000) {
            // A float near the integer, so that rounding matters; its exact value is an i128.
            let float = integer.saturating_add(offset) as f64;
            let expected = i128::from(integer).cmp(&(float as i128));
            prop_assert_eq!(compare(&Value::Int(integer), &Literal::from(float)), Some(expected));
            prop_assert_eq!(compare(&Value::Float(float), &Literal::from(integer)), Some(expected.reverse()));
        }
    }
}
