//! Cells that several tables have.

use wandb_api::timestamp::Timestamp;

use crate::output::style::Paint;
use crate::output::table::Cell;
use crate::output::time::ago;

/// A time: its age for people at a terminal, RFC 3339 for whoever reads a pipe.
pub(crate) fn time(time: Option<Timestamp>, now: Timestamp, relative: bool) -> Cell {
    match time {
        None => Cell::empty(),
        Some(time) if relative => Cell::new(ago(seconds_between(time, now))).painted(Paint::Dim),
        Some(time) => Cell::new(time.to_string()),
    }
}

/// Whole seconds from one time to a later one.
pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.unix_microseconds().saturating_sub(from.unix_microseconds()) / 1_000_000
}

/// A time for a view: its age and the time itself.
pub(crate) fn both_times(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({time})", ago(seconds_between(time, now)))
}

/// A span for people: `1h 02m 03s`, `2m 05s`, `7s`.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m {rest:02}s"),
        _ => format!("{hours}h {minutes:02}m {rest:02}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_units_they_need() {
        assert_eq!(span(7), "7s");
        assert_eq!(span(125), "2m 05s");
        assert_eq!(span(3_723), "1h 02m 03s");
        assert_eq!(span(-1), "0s");
    }

    #[test]
    fn times_are_relative_only_for_people() {
        let now = Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
        let then = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        assert_eq!(
            time(Some(then), now, true),
            Cell::new("1 day ago").painted(Paint::Dim)
        );
        assert_eq!(time(Some(then), now, false), Cell::new("2026-01-01T00:00:00Z"));
        assert_eq!(both_times(then, now), "1 day ago (2026-01-01T00:00:00Z)");
    }
}
