//! Unwrapping the config (protocol §2.10).
//!
//! On the wire each key holds `{"value": …}` or `{"value": …, "desc": …}`; old writers stored plain values. A user's own
//! value may look like a wrapper, so only the outermost one is taken off, and only if it holds nothing else.

use wandb_core::{Value, value::Map};

/// W&B's own keys.
pub(super) fn is_internal(key: &str) -> bool {
    matches!(key, "_wandb" | "wandb_version")
}

/// The user's config out of the wire's.
pub(super) fn unwrap(wrapped: Map) -> Map {
    let entries = wrapped
        .into_iter()
        .filter(|(key, _)| !is_internal(key))
        .map(|(key, value)| (key, unwrap_value(value)))
        .collect();
    Map::from_entries(entries)
}

fn unwrap_value(value: Value) -> Value {
    match value {
        Value::Map(mut map) if is_wrapper(&map) => map.remove("value").unwrap_or(Value::Null),
        value => value,
    }
}

pub(super) fn is_wrapper(map: &Map) -> bool {
    map.get("value").is_some() && map.keys().all(|key| matches!(key, "value" | "desc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(text: &str) -> String {
        match Value::parse(text).unwrap() {
            Value::Map(map) => Value::Map(unwrap(map)).to_wire(),
            _ => panic!("an object was given"),
        }
    }

    #[test]
    fn one_wrapper_is_taken_off_and_no_more() {
        let text = r#"{"lr":{"value":0.1,"desc":null},"model":{"value":{"value":3,"other":4}},"twice":{"value":{"value":1}},
            "plain":5,"dict":{"value":1,"other":2},"a.b":{"value":NaN},"_wandb":{"value":{"t":{}}},"wandb_version":1}"#;
        assert_eq!(
            unwrapped(text),
            r#"{"lr":0.1,"model":{"value":3,"other":4},"twice":{"value":1},"plain":5,"dict":{"value":1,"other":2},"a.b":NaN}"#
        );
    }
}
