//! Console lines: kept as they came, taken apart when they are read (protocol §4.3).

use rusqlite::{Connection, params};
use serde::Deserialize;

use super::{StoreResult, lines, time};

/// A line and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsoleLine {
    pub(crate) number: i64,
    /// Microseconds UTC.
    pub(crate) timestamp: Option<i64>,
    /// `error` for stderr.
    pub(crate) level: Option<String>,
    /// The process of a shared run.
    pub(crate) label: Option<String>,
    pub(crate) line: String,
}

/// Which lines are wanted: `limit` of those after `after`, or the last `limit` of those before `before`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Window {
    First { after: Option<i64>, limit: u64 },
    Last { before: Option<i64>, limit: u64 },
}

/// A page of lines, and whether others come before and after it.
#[derive(Debug, Default)]
pub(crate) struct ConsolePage {
    pub(crate) lines: Vec<ConsoleLine>,
    pub(crate) more_before: bool,
    pub(crate) more_after: bool,
}

/// Reads a page.
pub(crate) fn page(db: &Connection, run: i64, window: Window) -> StoreResult<ConsolePage> {
    let (start, end) = lines::range(run);
    let (from, to, limit, backwards) = match window {
        Window::First { after, limit } => (
            after.map_or(start, |line| {
                start.saturating_add(line).saturating_add(1).clamp(start, end)
            }),
            end,
            limit,
            false,
        ),
        Window::Last { before, limit } => (
            start,
            before.map_or(end, |line| start.saturating_add(line).clamp(start, end)),
            limit,
            true,
        ),
    };
    let direction = if backwards { "DESC" } else { "ASC" };
    let mut statement = db.prepare_cached(&format!(
        "SELECT position, text FROM console WHERE position >= ?1 AND position < ?2 ORDER BY position {direction} LIMIT ?3"
    ))?;
    let mut found = statement
        .query_map(params![from, to, limit.saturating_add(1) as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = found.len() as u64 > limit;
    found.truncate(limit as usize);
    if backwards {
        found.reverse();
    }
    let lines = found
        .into_iter()
        .map(|(position, text)| take_apart(lines::line_of(position), &text))
        .collect();
    Ok(ConsolePage {
        lines,
        more_before: if backwards { more } else { from > start },
        more_after: if backwards { to < end } else { more },
    })
}

/// The structured form of a line, which the feature `STRUCTURED_CONSOLE_LOGS` asks for.
#[derive(Deserialize)]
struct Structured {
    level: Option<String>,
    ts: String,
    label: Option<String>,
    content: String,
}

/// Splits `[ERROR ]<timestamp> [label] text`. A line without a timestamp is all text.
fn take_apart(number: i64, text: &str) -> ConsoleLine {
    if text.starts_with('{')
        && let Ok(parts) = serde_json::from_str::<Structured>(text)
    {
        return ConsoleLine {
            number,
            timestamp: time::from_text(&parts.ts),
            level: parts.level,
            label: parts.label,
            line: parts.content,
        };
    }
    let whole = || ConsoleLine {
        number,
        timestamp: None,
        level: None,
        label: None,
        line: text.to_owned(),
    };
    let (level, rest) = match text.strip_prefix("ERROR ") {
        Some(rest) => (Some("error".to_owned()), rest),
        None => (None, text),
    };
    let (stamp, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    // `time::from_text` also takes bare dates; a stamp always has its `T`.
    let Some(timestamp) = Some(stamp)
        .filter(|stamp| stamp.contains('T'))
        .and_then(time::from_text)
    else {
        return whole();
    };
    let labelled = rest.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let (label, line) = match labelled {
        Some((label, line)) if !label.is_empty() && !label.contains(char::is_whitespace) => {
            (Some(label.to_owned()), line)
        }
        _ => (None, rest),
    };
    ConsoleLine {
        number,
        timestamp: Some(timestamp),
        level,
        label,
        line: line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_split_off() {
        let line = take_apart(3, "2024-05-01T12:51:30.123456 hello [x] world");
        assert_eq!(line.timestamp, Some(1_714_567_890_123_456));
        assert_eq!(
            (line.level, line.label, line.line.as_str()),
            (None, None, "hello [x] world")
        );
        let line = take_apart(0, "ERROR 2024-05-01T12:51:30.123456 [rank0] boom");
        assert_eq!(line.level.as_deref(), Some("error"));
        assert_eq!(line.label.as_deref(), Some("rank0"));
        assert_eq!(line.line, "boom");
        assert_eq!(take_apart(0, "2024-05-01T12:51:30.123456 ").line, "");
    }

    #[test]
    fn text_without_a_prefix_stays_whole() {
        for text in ["plain", "ERROR plain", "", "{not json", "2024-05-01 is a date"] {
            let line = take_apart(0, text);
            assert_eq!(line.line, text);
            assert_eq!(line.timestamp, None);
        }
    }

    #[test]
    fn structured_lines_are_understood() {
        let line = take_apart(
            1,
            r#"{"level":"error","ts":"2024-05-01T12:51:30.5","content":"x"}"#,
        );
        assert_eq!(line.level.as_deref(), Some("error"));
        assert_eq!(line.line, "x");
        assert!(line.timestamp.is_some());
    }
}
