//! What metadata may hold (inventory 2.5; protocol §6.5), and what the server holds of it.

use std::sync::OnceLock;

use serde::{Serialize, Serializer};
use wandb_core::{Error, Result, Value, value::Map};

/// The metadata as the server sent it, read when it is first asked for: what is no JSON object is an error only then.
#[derive(Debug, Clone, Default)]
pub(super) struct StoredMetadata {
    text: Option<Box<str>>,
    read: OnceLock<Result<Map>>,
}

impl StoredMetadata {
    pub(super) fn new(text: Option<String>) -> Self {
        Self {
            text: text.map(String::into_boxed_str),
            read: OnceLock::new(),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(super) fn map(&self) -> Result<&Map> {
        let read = self
            .read
            .get_or_init(|| match self.text().map(Value::parse).transpose() {
                Ok(None | Some(Value::Null)) => Ok(Map::new()),
                Ok(Some(Value::Map(map))) => Ok(map),
                Ok(Some(_)) => Err(Error::protocol("the metadata is not a JSON object")),
                Err(error) => Err(Error::protocol("the metadata is not JSON").with_source(error)),
            });
        read.as_ref().map_err(Clone::clone)
    }

    /// Whether both say the same, however it is written.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        match (self.map(), other.map()) {
            (Ok(one), Ok(two)) => Value::Map(one.clone()).same_as(&Value::Map(two.clone())),
            _ => self.text == other.text,
        }
    }
}

impl PartialEq for StoredMetadata {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for StoredMetadata {
    /// The object; the text where it is none.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.map() {
            Ok(map) => map.serialize(serializer),
            Err(_) => self.text.serialize(serializer),
        }
    }
}

/// How many keys the metadata of a version may have at the top.
pub(super) const MAXIMUM_KEYS: usize = 100;

/// The metadata as the wire takes it: `NaN` becomes `null`, as in the official client; infinities are refused.
///
/// # Errors
/// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) with the place of what cannot be.
pub(super) fn to_wire(metadata: &Map) -> Result<String> {
    if metadata.len() > MAXIMUM_KEYS {
        return Err(Error::invalid_input(format!(
            "metadata has {MAXIMUM_KEYS} keys at most, and these are {}",
            metadata.len()
        )));
    }
    let value = Value::Map(clean_map(metadata, "metadata")?);
    Ok(value.to_json())
}

fn clean_map(map: &Map, place: &str) -> Result<Map> {
    let entries: Result<Vec<_>> = map
        .iter()
        .map(|(key, value)| Ok((key.into(), clean(value, &format!("{place}.{key}"))?)))
        .collect();
    Ok(Map::from_entries(entries?))
}

fn clean(value: &Value, place: &str) -> Result<Value> {
    Ok(match value {
        Value::Float(number) if number.is_nan() => Value::Null,
        Value::Float(number) if number.is_infinite() => {
            return Err(Error::invalid_input(format!(
                "{place} is infinite, which metadata cannot hold"
            )));
        }
        Value::Map(map) => Value::Map(clean_map(map, place)?),
        Value::List(list) => Value::List(
            list.iter()
                .enumerate()
                .map(|(index, value)| clean(value, &format!("{place}[{index}]")))
                .collect::<Result<_>>()?,
        ),
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> Result<String> {
        match Value::parse(text).unwrap() {
            Value::Map(map) => to_wire(&map),
            _ => panic!("an object was given"),
        }
    }

    #[test]
    fn nan_is_null_and_infinities_are_refused() {
        assert_eq!(
            wire(r#"{"a":NaN,"b":[1,{"c":NaN}],"d":12345678901234567890123}"#).unwrap(),
            r#"{"a":null,"b":[1,{"c":null}],"d":12345678901234567890123}"#
        );
        let error = wire(r#"{"a":[{"b":-Infinity}]}"#).unwrap_err();
        assert!(error.to_string().contains("metadata.a[0].b"), "{error}");
    }

    #[test]
    fn a_hundred_keys_and_no_more() {
        let keys = |count: usize| -> Map { (0..count).map(|key| (key.to_string(), Value::Null)).collect() };
        assert!(to_wire(&keys(100)).is_ok());
        assert!(to_wire(&keys(101)).is_err());
    }
}
