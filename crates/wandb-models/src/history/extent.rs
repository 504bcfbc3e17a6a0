//! How far a run's history goes, and what it holds.

use std::collections::HashMap;

use cynic::QueryBuilder;
use wandb_core::{Error, ErrorKind, Result, Value, path::RunPath, value::Map};
use wandb_schema::operations::history as wire;

use crate::{Api, run};

/// The extent of a history at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extent {
    /// The largest step, `None` without rows.
    pub(crate) last_step: Option<i64>,
    /// How many rows the server counts, if it does.
    pub(crate) line_count: Option<u64>,
    /// Per key, how often which type was logged.
    pub(crate) types: HashMap<String, KeyTypes>,
}

/// How often a key was logged, by type.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyTypes {
    /// All times together.
    pub(crate) count: u64,
    /// Whether texts are among them.
    pub(crate) has_strings: bool,
    /// Whether lists, objects or media are among them.
    pub(crate) has_nested: bool,
}

impl Extent {
    /// The largest step, `None` for a run without rows.
    ///
    /// A server that counts rows without saying how far they go leaves nothing to ask for, and "no rows" would be wrong.
    pub(crate) fn checked_last_step(&self, path: &RunPath) -> Result<Option<i64>> {
        match (self.last_step, self.line_count) {
            (None, Some(count)) if count > 0 => Err(Error::new(
                ErrorKind::Incomplete,
                format!("the server counts {count} rows of run \"{path}\" but does not say up to which step"),
            )
            .with_hint("it may not have taken them all in yet: try again in a moment")),
            (step, _) => Ok(step),
        }
    }

    /// Whether a key, or something in it or around it, was ever logged, as far as the server says.
    pub(crate) fn has_logged(&self, key: &str) -> bool {
        let below = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        self.types
            .keys()
            .any(|other| other == key || below(key, other) || below(other, key))
    }

    /// Those of the keys that were never logged. None for a run whose keys the server does not list.
    pub(crate) fn never_logged<'key>(&self, keys: impl IntoIterator<Item = &'key str>) -> Vec<&'key str> {
        keys.into_iter()
            .filter(|key| !self.types.is_empty() && !self.has_logged(key))
            .collect()
    }

    /// Whether strict JSON tells every value of this key apart: all are numbers, truth values or null.
    ///
    /// A text may be `"NaN"`, and so may what stands in a list or an object. Objects are counted under the dotted names of
    /// what they hold, so a key that has such names below it held an object in some row.
    pub(crate) fn is_scalar(&self, key: &str) -> bool {
        let plain = |types: &KeyTypes| !types.has_strings && !types.has_nested;
        self.types.get(key).is_some_and(plain)
            && !self
                .types
                .keys()
                .any(|other| other.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
    }
}

pub(crate) async fn extent(api: &Api, path: &RunPath) -> Result<Extent> {
    let operation = wire::RunHistoryKeys::build(run::variables(path));
    let description = format!("read the history keys of run \"{path}\"");
    let answer: wire::RunHistoryKeys = api.execute(&operation, &description).await?;
    let run = answer
        .project
        .and_then(|project| project.run)
        .ok_or_else(|| Error::not_found(format!("run \"{path}\"")))?;
    let keys = match run.history_keys {
        Some(json) => Value::parse(json.0.get()).map_err(|error| {
            Error::protocol("the history keys are not JSON")
                .with_source(error)
                .in_operation(description)
        })?,
        None => Value::Null,
    };
    let line_count = run.history_line_count.and_then(|count| u64::try_from(count).ok());
    Ok(read(&keys, line_count))
}

fn read(keys: &Value, line_count: Option<u64>) -> Extent {
    let empty = Map::new();
    let map = keys.as_map().unwrap_or(&empty);
    // The server writes -1 for a run without rows.
    let last_step = map
        .get("lastStep")
        .and_then(Value::as_i64)
        .filter(|step| *step >= 0);
    let types = map.get("keys").and_then(Value::as_map).unwrap_or(&empty);
    Extent {
        last_step,
        line_count,
        types: types
            .iter()
            .map(|(key, facts)| (key.to_owned(), read_types(facts)))
            .collect(),
    }
}

fn read_types(facts: &Value) -> KeyTypes {
    let mut types = KeyTypes::default();
    let counts = facts
        .as_map()
        .and_then(|facts| facts.get("typeCounts"))
        .and_then(Value::as_list);
    for entry in counts.unwrap_or_default().iter().filter_map(Value::as_map) {
        let count = entry.get("count").and_then(Value::as_i64).unwrap_or(0);
        types.count = types.count.saturating_add(count.unsigned_abs());
        match entry.get("type").and_then(Value::as_str) {
            _ if count == 0 => {}
            Some("number" | "boolean" | "bool" | "nil") => {}
            Some("string") => types.has_strings = true,
            _ => types.has_nested = true,
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_shape_are_survived() {
        let text = r#"{"lastStep":41,"keys":{"loss":{"typeCounts":[{"type":"number","count":3},{"type":"string","count":1}]},
            "odd":7,"bare":{"typeCounts":null},"list":{"typeCounts":[{"type":"list","count":2}]},
            "x":{"typeCounts":[{"type":"nil","count":1},{"type":"number","count":1}]},
            "y":{"typeCounts":[{"type":"nil","count":1}]},"y.z":{"typeCounts":[{"type":"number","count":1}]}},"sets":[]}"#;
        let extent = read(&Value::parse(text).unwrap(), Some(4));
        assert_eq!(extent.last_step, Some(41));
        assert_eq!(
            (extent.types["loss"].count, extent.types["loss"].has_strings),
            (4, true)
        );
        assert_eq!(extent.types["odd"].count, 0);
        let scalar = ["loss", "list", "x", "y", "y.z", "absent"].map(|key| extent.is_scalar(key));
        assert_eq!(scalar, [false, false, true, false, true, false]);
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"lastStep":-1}"#,
            r#"{"lastStep":"x","keys":[1]}"#,
        ] {
            assert_eq!(read(&Value::parse(text).unwrap(), None).last_step, None, "{text}");
        }
    }
}
