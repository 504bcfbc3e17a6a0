//! Places in a JSON document, such as `$.config.lr.$gtt`.

use std::fmt;

/// A place, as a chain of borrowed steps: nothing is allocated unless an error prints it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonPath<'path> {
    /// The document.
    Root,
    /// A member of an object.
    Key(&'path JsonPath<'path>, &'path str),
    /// An item of a list.
    Index(&'path JsonPath<'path>, usize),
}

impl<'path> JsonPath<'path> {
    pub(crate) fn key(&'path self, key: &'path str) -> Self {
        Self::Key(self, key)
    }

    pub(crate) fn index(&'path self, index: usize) -> Self {
        Self::Index(self, index)
    }
}

impl fmt::Display for JsonPath<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => formatter.write_str("$"),
            Self::Key(parent, key) => {
                let plain = !key.is_empty()
                    && key.chars().all(|character| {
                        character.is_alphanumeric() || matches!(character, '_' | '$' | '.' | '-' | '/')
                    });
                if plain {
                    write!(formatter, "{parent}.{key}")
                } else {
                    write!(formatter, "{parent}[{}]", serde_json::Value::from(*key))
                }
            }
            Self::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}
