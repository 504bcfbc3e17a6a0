//! An object with its keys in order.

use std::collections::HashMap;

use super::Value;

/// Up to this many entries a linear search beats hashing.
const LINEAR: usize = 24;

/// A JSON object: keys in the order of the text, each once (of repeated keys the last value counts, as in Python).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map {
    entries: Vec<(Box<str>, Value)>,
}

impl Map {
    /// An object without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an object of entries; of repeated keys the last value counts and the first place stays.
    #[must_use]
    pub fn from_entries(entries: Vec<(Box<str>, Value)>) -> Self {
        if entries.len() <= LINEAR {
            let mut map = Self {
                entries: Vec::with_capacity(entries.len()),
            };
            for (key, value) in entries {
                map.insert(key, value);
            }
            return map;
        }
        // Hashing keeps a hostile object with very many keys linear.
        let mut places: HashMap<Box<str>, usize> = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(Box<str>, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            if let Some(&place) = places.get(&key) {
                kept[place].1 = value;
            } else {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
        Self { entries: kept }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(name, _)| &**name == key)
            .map(|(_, value)| value)
    }

    /// The value of a key, to change it in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.entries
            .iter_mut()
            .find(|(name, _)| &**name == key)
            .map(|(_, value)| value)
    }

    /// The value at a dotted path: the literal key first, then a nested object (protocol §2.8, §4.5).
    ///
    /// `get_path("a.b.c")` finds the key `a.b.c`, else `a` → `b.c`, else `a.b` → `c`, and so on.
    #[must_use]
    pub fn get_path(&self, path: &str) -> Option<&Value> {
        if let Some(value) = self.get(path) {
            return Some(value);
        }
        path.match_indices('.')
            .find_map(|(dot, _)| match self.get(&path[..dot]) {
                Some(Value::Map(inner)) => inner.get_path(&path[dot + 1..]),
                _ => None,
            })
    }

    /// Sets a key, in its old place if it exists, else at the end.
    pub fn insert(&mut self, key: impl Into<Box<str>>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.entries.iter_mut().find(|(name, _)| *name == key) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key, value)),
        }
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.entries.iter().position(|(name, _)| &**name == key)?;
        Some(self.entries.remove(place).1)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(key, _)| &**key)
    }
}

impl FromIterator<(String, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Self::from_entries(
            entries
                .into_iter()
                .map(|(key, value)| (key.into_boxed_str(), value))
                .collect(),
        )
    }
}

impl IntoIterator for Map {
    type Item = (Box<str>, Value);
    type IntoIter = std::vec::IntoIter<(Box<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
