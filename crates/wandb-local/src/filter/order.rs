//! Order strings: `+created_at`, `-summary_metrics.loss`, several separated by commas (protocol §2.8).

use super::error::OrderError;
use super::field::{Document, Field, Subject};
use super::functions::SortKey;
use super::predicate::Place;
use super::sql::SqlFragment;

/// The longest order string.
const MAX_BYTES: usize = 1 << 16;
/// The most keys.
const MAX_KEYS: usize = 32;
/// Columns that always have a value; for these SQLite can walk an index instead of sorting.
const NEVER_NULL: [&str; 12] = [
    "r.name",
    "r.display_name",
    "r.state",
    "r.created_at",
    "r.updated_at",
    "r.heartbeat_at",
    "m.version_index",
    "a.created_at",
    "a.updated_at",
    "c.name",
    "c.created_at",
    "c.updated_at",
];

/// The terms of an `ORDER BY`; without a text, by creation time (versions of artifacts: newest first).
///
/// A key without a sign is ascending. Runs that lack the key come last in both directions. Values of a JSON key sort
/// numbers first, then strings (among them `"NaN"` and the infinities), booleans, and last lists and objects, again in
/// both directions; the direction applies within a type. Ties go by creation time, then by id, both ascending, so that
/// offsets into the list mean the same thing from one request to the next.
///
/// A comma belongs to the key before it when that key is a config or summary path and what follows is no order key.
///
/// # Errors
/// A key that does not exist, or too many of them.
pub(crate) fn compile_order(subject: Subject, text: Option<&str>) -> Result<SqlFragment, OrderError> {
    let text = text.unwrap_or_default();
    if text.len() > MAX_BYTES {
        return Err(OrderError::TooLarge {
            what: "bytes",
            limit: MAX_BYTES,
        });
    }
    let keys = split(subject, text);
    if keys.len() > MAX_KEYS {
        return Err(OrderError::TooLarge {
            what: "keys",
            limit: MAX_KEYS,
        });
    }
    let mut terms = Vec::new();
    let mut params = Vec::new();
    for key in keys {
        let (name, descending) = signed(key);
        let direction = if descending { "DESC" } else { "ASC" };
        let unknown = || OrderError::UnknownKey { key: name.to_owned() };
        match Field::parse(subject, name).ok_or_else(unknown)? {
            Field::Text { column: expression }
            | Field::Time { column: expression }
            | Field::Number { expression } => {
                let nulls = if NEVER_NULL.contains(&expression) {
                    ""
                } else {
                    " NULLS LAST"
                };
                terms.push(format!("{expression} {direction}{nulls}"));
            }
            Field::Json { document, path } => {
                let place = Place {
                    config: document == Document::Config,
                    path: path.to_owned(),
                };
                let spec = serde_json::to_string(&SortKey { place, descending }).map_err(|_| unknown())?;
                terms.push(format!("wandb_sort_key({}, ?) ASC", document.column()));
                params.push(spec.into());
            }
            Field::List(_) | Field::HistoryKey(_) => return Err(unknown()),
        }
    }
    terms.extend(
        match subject {
            Subject::Runs => ["r.created_at ASC", "r.id ASC"].as_slice(),
            Subject::Versions => &["m.version_index DESC"],
            Subject::Collections => &["c.created_at ASC", "c.id ASC"],
        }
        .iter()
        .map(|term| (*term).to_owned()),
    );
    Ok(SqlFragment {
        sql: terms.join(", "),
        params,
    })
}

/// The keys with their signs, as slices of the text.
fn split(subject: Subject, text: &str) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(',').chain([(text.len(), "")]) {
        let before = text[start..at].trim();
        let after = text
            .get(at + 1..)
            .map(|rest| rest.split(',').next().unwrap_or_default().trim());
        let in_path = matches!(Field::parse(subject, signed(before).0), Some(Field::Json { .. }));
        let goes_on = after.is_some_and(|after| {
            !after.is_empty() && !after.starts_with(['+', '-']) && Field::parse(subject, after).is_none()
        });
        if in_path && goes_on {
            continue;
        }
        if !before.is_empty() {
            keys.push(before);
        }
        start = (at + 1).min(text.len());
    }
    keys
}

/// The name of a key, and whether it is descending. Blanks may surround either.
fn signed(key: &str) -> (&str, bool) {
    let key = key.trim();
    match key.strip_prefix('-') {
        Some(name) => (name.trim(), true),
        None => (key.strip_prefix('+').unwrap_or(key).trim(), false),
    }
}
