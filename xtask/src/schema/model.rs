//! A GraphQL schema as plain data, whatever it was read from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Types by name. The root operations are the types `Query`, `Mutation` and `Subscription`.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) types: BTreeMap<String, Type>,
}

/// One named type.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) kind: Kind,
    /// Fields of an object or interface, or members of an input object.
    pub(super) fields: BTreeMap<String, Field>,
    /// Values of an enum.
    pub(super) values: BTreeSet<String>,
    /// Members of a union, or interfaces that an object implements.
    pub(super) links: BTreeSet<String>,
}

/// What a named type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

/// A field of an object, a member of an input object, or an argument of a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) type_ref: TypeRef,
    pub(super) arguments: BTreeMap<String, Field>,
    pub(super) has_default: bool,
}

/// A use of a type: `[Name!]!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypeRef {
    Named(String),
    List(Box<TypeRef>),
    NonNull(Box<TypeRef>),
}

/// Scalars that every schema has without declaring them.
pub(super) const BUILT_IN: &[&str] = &["ID", "Int", "Float", "String", "Boolean"];

impl Schema {
    /// `12 types, 80 fields, 40 arguments, 6 enum values`.
    pub(super) fn size(&self) -> String {
        let fields: usize = self.types.values().map(|kind| kind.fields.len()).sum();
        let arguments: usize = self
            .types
            .values()
            .flat_map(|kind| kind.fields.values())
            .map(|field| field.arguments.len())
            .sum();
        let values: usize = self.types.values().map(|kind| kind.values.len()).sum();
        format!(
            "{} types, {fields} fields, {arguments} arguments, {values} enum values",
            self.types.len()
        )
    }
}

impl Type {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            fields: BTreeMap::new(),
            values: BTreeSet::new(),
            links: BTreeSet::new(),
        }
    }
}

impl Field {
    /// Whether a caller must give it: no null and no default.
    pub(super) fn is_required(&self) -> bool {
        self.type_ref.is_non_null() && !self.has_default
    }
}

impl TypeRef {
    /// Reads `[Name!]!`. `None` for any other form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Wrappers are taken from the outside in, so that depth costs no recursion.
        let mut wrappers = Vec::new();
        let mut rest = text.trim();
        loop {
            if let Some(inner) = rest.strip_suffix('!') {
                rest = inner;
                wrappers.push(false);
            } else if let Some(inner) = rest.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                rest = inner;
                wrappers.push(true);
            } else {
                break;
            }
        }
        let is_name = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !is_name(rest) {
            return None;
        }
        let mut result = Self::Named(rest.to_owned());
        for is_list in wrappers.into_iter().rev() {
            result = if is_list {
                Self::List(Box::new(result))
            } else if result.is_non_null() {
                return None;
            } else {
                Self::NonNull(Box::new(result))
            };
        }
        Some(result)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }

    pub(super) fn is_non_null(&self) -> bool {
        matches!(self, Self::NonNull(_))
    }

    /// Whether every value of `self` is also a value of `wanted`: the same shape, with nulls in fewer places.
    pub(super) fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::NonNull(mine), Self::NonNull(theirs)) => mine.fits(theirs),
            (Self::NonNull(mine), theirs) => mine.fits(theirs),
            (Self::List(mine), Self::List(theirs)) => mine.fits(theirs),
            (Self::Named(mine), Self::Named(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => formatter.write_str(name),
            Self::List(inner) => write!(formatter, "[{inner}]"),
            Self::NonNull(inner) => write!(formatter, "{inner}!"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scalar => "scalar",
            Self::Object => "type",
            Self::Interface => "interface",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::InputObject => "input",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_uses_print_as_they_were_read() {
        for text in ["Run", "Run!", "[Run]", "[Run!]!", "[[JSON!]]!"] {
            assert_eq!(TypeRef::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "!", "Run!!", "[Run", "Run]", "[]", "a b", "1x"] {
            assert_eq!(TypeRef::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fewer_nulls_fit_where_nulls_are_expected_and_not_the_other_way() {
        let fits = |mine: &str, wanted: &str| {
            TypeRef::parse(mine)
                .unwrap()
                .fits(&TypeRef::parse(wanted).unwrap())
        };
        assert!(fits("Run!", "Run"));
        assert!(fits("[Run!]!", "[Run]"));
        assert!(!fits("Run", "Run!"));
        assert!(!fits("[Run]", "[Run!]"));
        assert!(!fits("Run", "[Run]"));
        assert!(!fits("Int", "Float"));
    }
}
