//! Times in filters.

use jiff::{Timestamp, civil, tz::TimeZone};

/// Reads a time as people and the server write it: RFC 3339, or without a zone (UTC), or only a date (its midnight in
/// UTC).
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // jiff also takes a bracketed zone name; the server does not.
    if text.len() > 64 || text.contains('[') {
        return None;
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // A year at the start keeps out the looser forms that jiff knows.
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let local: civil::DateTime = text.parse().ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    #[test]
    fn reads_the_forms_in_use() {
        let noon = parse_time("2024-01-31T12:00:00Z").unwrap();
        for same in [
            "2024-01-31T12:00:00",
            "2024-01-31 12:00:00",
            "2024-01-31T12:00:00.000000",
            "2024-01-31T13:00:00+01:00",
            " 2024-01-31T12:00:00Z ",
        ] {
            assert_eq!(parse_time(same), Some(noon), "{same}");
        }
        assert_eq!(parse_time("2024-01-31"), parse_time("2024-01-31T00:00:00Z"));
        for wrong in [
            "",
            "yesterday",
            "2024",
            "1706702400",
            "2024-13-01",
            "2024-01-31T12:00:00[Europe/Paris]",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }
}
