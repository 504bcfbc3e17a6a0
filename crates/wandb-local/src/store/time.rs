//! Times as they are stored: microseconds since 1970, UTC.

use jiff::Timestamp;

/// Now.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// RFC 3339 with `Z`, which every client reads as UTC (protocol §2.2).
pub(crate) fn to_text(micros: i64) -> String {
    Timestamp::from_microsecond(micros)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// Reads RFC 3339, and the same without a zone, as UTC.
pub(crate) fn from_text(text: &str) -> Option<i64> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_microsecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let stamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(stamp.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_to_the_microsecond() {
        let micros = 1_714_567_890_123_456;
        assert_eq!(from_text(&to_text(micros)), Some(micros));
        assert_eq!(from_text("2024-05-01T12:51:30.123456"), Some(micros));
        assert_eq!(to_text(1_714_567_890_000_000), "2024-05-01T12:51:30Z");
        assert_eq!(from_text("yesterday"), None);
    }
}
