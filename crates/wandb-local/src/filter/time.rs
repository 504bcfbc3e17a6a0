//! Times as filters write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Microseconds since 1970, from ISO 8601 text or Unix seconds. Text without a zone is UTC, as everywhere in the
/// protocol (§2.2); text without a time of day is midnight.
pub(super) fn microseconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => parse(text.trim()),
        Value::Number(number) => {
            let seconds = number.as_f64()?;
            // The range of years 0 to 9999, and well within what i64 microseconds hold.
            let whole = number.as_i64().map(|seconds| seconds.checked_mul(1_000_000));
            (seconds.abs() < 1e12)
                .then(|| whole.unwrap_or_else(|| Some((seconds * 1e6).round() as i64)))
                .flatten()
        }
        _ => None,
    }
}

fn parse(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_microsecond());
    }
    let civil = match text.parse::<DateTime>() {
        Ok(time) => time,
        Err(_) => text.parse::<Date>().ok()?.at(0, 0, 0, 0),
    };
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_every_spelling_of_one_instant() {
        let expected = 1_714_566_896_500_000;
        for value in [
            json!("2024-05-01T12:34:56.5Z"),
            json!("2024-05-01T12:34:56.5"),
            json!("2024-05-01 12:34:56.500000"),
            json!(" 2024-05-01T14:34:56.5+02:00 "),
            json!("2024-05-01T12:34:56.5000001+00:00"),
            json!(1_714_566_896.5),
        ] {
            assert_eq!(microseconds(&value), Some(expected), "{value}");
        }
        assert_eq!(
            microseconds(&json!("2024-05-01")),
            microseconds(&json!("2024-05-01T00:00:00Z"))
        );
        assert_eq!(microseconds(&json!(1)), Some(1_000_000));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for value in [
            json!("yesterday"),
            json!(""),
            json!("2024-13-01"),
            json!(1e300),
            json!(i64::MAX),
            json!(true),
        ] {
            assert_eq!(microseconds(&value), None, "{value}");
        }
    }
}
