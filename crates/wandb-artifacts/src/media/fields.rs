//! Members of a JSON object by name, with errors that say where they are.

use wandb_core::{Value, path::refuse_hostile, value::Map};

use super::MediaError;

/// An object inside of an entry.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    path: &'a str,
    at: String,
    map: &'a Map,
}

impl<'a> Fields<'a> {
    /// The object at a place (`boxes.truth[3]`; empty for the whole entry) of an entry.
    pub(super) fn new(path: &'a str, at: impl Into<String>, value: &'a Value) -> Result<Self, MediaError> {
        let at = at.into();
        match value.as_map() {
            Some(map) => Ok(Self { path, at, map }),
            None if at.is_empty() => Err(MediaError::shape(path, "the whole is not an object")),
            None => Err(MediaError::shape(path, format!("{at} is not an object"))),
        }
    }

    pub(super) fn map(&self) -> &'a Map {
        self.map
    }

    /// The place of a member, of bounded length: it is made for every member, and only errors show it.
    pub(super) fn place(&self, key: &str) -> String {
        let key = key.char_indices().nth(64).map_or(key, |(end, _)| &key[..end]);
        if self.at.is_empty() {
            key.to_owned()
        } else if self.at.len() > 256 {
            self.at.clone()
        } else {
            format!("{}.{key}", self.at)
        }
    }

    pub(super) fn wrong(&self, key: &str, expected: &str) -> MediaError {
        MediaError::shape(self.path, format!("{} is not {expected}", self.place(key)))
    }

    /// A member; `null` counts as absent, as the official client writes it for what was not given.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn need<T>(&self, key: &str, member: Option<T>) -> Result<T, MediaError> {
        member.ok_or_else(|| self.missing(key))
    }

    pub(super) fn missing(&self, key: &str) -> MediaError {
        MediaError::shape(self.path, format!("{} is missing", self.place(key)))
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, MediaError> {
        self.get(key)
            .map(|value| convert(value).ok_or_else(|| self.wrong(key, expected)))
            .transpose()
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, MediaError> {
        self.typed(key, "a text", Value::as_str)
    }

    pub(super) fn count(&self, key: &str) -> Result<Option<u64>, MediaError> {
        self.typed(key, "a number of things", |value| {
            value.as_i64().and_then(|number| u64::try_from(number).ok())
        })
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, MediaError> {
        self.typed(key, "a number", Value::as_f64)
    }

    pub(super) fn list(&self, key: &str) -> Result<Option<&'a [Value]>, MediaError> {
        self.typed(key, "a list", Value::as_list)
    }

    /// A list of numbers.
    pub(super) fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, MediaError> {
        self.typed(key, "a list of numbers", |value| {
            value.as_list()?.iter().map(Value::as_f64).collect()
        })
    }

    /// An object inside of this one.
    pub(super) fn object(&self, key: &str) -> Result<Option<Fields<'a>>, MediaError> {
        self.get(key)
            .map(|value| Fields::new(self.path, self.place(key), value))
            .transpose()
    }

    /// A path of an entry, checked not to lead anywhere else.
    pub(super) fn path(&self, key: &str) -> Result<Option<&'a str>, MediaError> {
        let Some(name) = self.text(key)? else {
            return Ok(None);
        };
        check_path(self.path, name)?;
        Ok(Some(name))
    }
}

/// Checks a path that an entry names.
pub(super) fn check_path(origin: &str, name: &str) -> Result<(), MediaError> {
    refuse_hostile(name).map_err(|source| MediaError::UnsafePath {
        path: origin.to_owned(),
        source,
    })
}
