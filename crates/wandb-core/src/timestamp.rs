//! Points in time as W&B writes them.
//!
//! The server sends UTC with or without the `Z`, with a `T` or a space, with up to nine digits of a second's fraction.
//! All are read; one form is written: RFC 3339 with `Z`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest text that can be a time; longer ones are refused before they are looked at.
const MAXIMUM_LENGTH: usize = 64;

/// A point in time. Ordered; printed and serialised as RFC 3339 in UTC with `Z`, for example
/// `2024-05-01T12:30:00.123456Z`. The fraction is kept as it was read and printed without trailing zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

/// A text that is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time")]
pub struct TimestampError {
    text: String,
}

impl TimestampError {
    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        vec!["write a time as 2024-05-01T12:30:00Z; without a zone it is taken as UTC".to_owned()]
    }
}

impl Timestamp {
    /// Reads a time: RFC 3339 with `Z` or an offset, or the same without a zone, which means UTC. A space may stand for
    /// the `T`, and a date alone is its midnight.
    ///
    /// # Errors
    /// When the text is none of these, or outside of the years -9999 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let error = || TimestampError {
            text: text.chars().take(MAXIMUM_LENGTH).collect(),
        };
        if text.len() > MAXIMUM_LENGTH {
            return Err(error());
        }
        let trimmed = text.trim();
        if let Ok(timestamp) = trimmed.parse::<jiff::Timestamp>() {
            return Ok(Self(timestamp));
        }
        // A named zone needs a zone database, which is not there; reading the time as UTC would be wrong.
        if trimmed.contains('[') {
            return Err(error());
        }
        let civil: DateTime = trimmed.parse().map_err(|_| error())?;
        let timestamp = TimeZone::UTC.to_timestamp(civil).map_err(|_| error())?;
        Ok(Self(timestamp))
    }

    /// The time so many microseconds after 1970-01-01T00:00:00Z, or `None` outside of the years -9999 to 9999.
    pub fn from_unix_microseconds(microseconds: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(microseconds).ok().map(Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z, cut towards zero.
    pub fn unix_microseconds(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The time so many seconds after 1970-01-01T00:00:00Z, as the `_timestamp` column of a history has it, to the
    /// microsecond. `None` when it is not finite or outside of the years -9999 to 9999.
    pub fn from_unix_seconds(seconds: f64) -> Option<Self> {
        let microseconds = (seconds * 1e6).round();
        // The bound is far inside of i64, where a cast would saturate, and far outside of year 9999.
        if microseconds.is_finite() && microseconds.abs() < 1e18 {
            Self::from_unix_microseconds(microseconds as i64)
        } else {
            None
        }
    }

    /// The time as `jiff` has it.
    pub fn as_jiff(self) -> jiff::Timestamp {
        self.0
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::parse(text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_read_and_one_is_written() {
        for (text, expected) in [
            ("2024-05-01T12:30:00Z", "2024-05-01T12:30:00Z"),
            ("2024-05-01T12:30:00", "2024-05-01T12:30:00Z"),
            ("2024-05-01 12:30:00", "2024-05-01T12:30:00Z"),
            ("2024-05-01T12:30:00.123456", "2024-05-01T12:30:00.123456Z"),
            ("2024-05-01T12:30:00.123456Z", "2024-05-01T12:30:00.123456Z"),
            ("2024-05-01T12:30:00.5Z", "2024-05-01T12:30:00.5Z"),
            ("2024-05-01T12:30:00.123456789Z", "2024-05-01T12:30:00.123456789Z"),
            ("2024-05-01T14:30:00+02:00", "2024-05-01T12:30:00Z"),
            ("2024-05-01T12:30:00+00:00", "2024-05-01T12:30:00Z"),
            ("2024-05-01", "2024-05-01T00:00:00Z"),
            ("1969-12-31T23:59:59.9", "1969-12-31T23:59:59.9Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "now",
            "2024-13-01T00:00:00Z",
            "12:30:00",
            "1714566600",
            "2024-05-01T12:30:00[Europe/Paris]",
        ] {
            let error = Timestamp::parse(text).unwrap_err();
            assert!(error.to_string().contains("is not a time") && !error.hints().is_empty());
        }
        assert!(
            Timestamp::parse(&"9".repeat(1 << 20))
                .unwrap_err()
                .to_string()
                .len()
                < 100
        );
    }

    #[test]
    fn serde_is_a_string() {
        let timestamp = Timestamp::parse("2024-05-01T12:30:00.25").unwrap();
        let json = serde_json::to_string(&timestamp).unwrap();
        assert_eq!(json, "\"2024-05-01T12:30:00.25Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), timestamp);
        assert!(serde_json::from_str::<Timestamp>("\"soon\"").is_err());
    }

    #[test]
    fn seconds_with_a_fraction() {
        assert_eq!(
            Timestamp::from_unix_seconds(0.25).unwrap().to_string(),
            "1970-01-01T00:00:00.25Z"
        );
        assert_eq!(
            Timestamp::from_unix_seconds(1714566600.123456)
                .unwrap()
                .unix_microseconds(),
            1714566600123456
        );
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e14] {
            assert_eq!(Timestamp::from_unix_seconds(seconds), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_is_printed_is_read_back(microseconds in -60_000_000_000_000_000i64..200_000_000_000_000_000, other in any::<i32>()) {
            let timestamp = Timestamp::from_unix_microseconds(microseconds).unwrap();
            let text = timestamp.to_string();
            prop_assert_eq!(Timestamp::parse(&text).unwrap(), timestamp);
            prop_assert_eq!(Timestamp::parse(text.trim_end_matches('Z')).unwrap(), timestamp);
            prop_assert_eq!(timestamp.unix_microseconds(), microseconds);
            let other = Timestamp::from_unix_microseconds(microseconds + i64::from(other)).unwrap();
            prop_assert_eq!(timestamp.cmp(&other), timestamp.unix_microseconds().cmp(&other.unix_microseconds()));
        }

        #[test]
        fn any_text_is_answered_without_panic(text in any::<String>(), like in "[0-9T:. +Z-]{0,40}") {
            let _ = Timestamp::parse(&text);
            if let Ok(timestamp) = Timestamp::parse(&like) {
                prop_assert_eq!(Timestamp::parse(&timestamp.to_string()).unwrap(), timestamp);
            }
        }
    }
}
