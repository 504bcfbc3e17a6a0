//! From what the parser makes of a text to what PyYAML would make of it.
//!
//! The parser follows YAML 1.2 and says for each node where it stands. A scalar without quotes and tags is looked at again
//! as it is written; everything else (quotes, blocks, tags, collections, aliases) is the parser's.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

use crate::{Yaml, plain};

/// A value as the parser reads it, with the places of what is in it.
#[derive(Debug)]
pub(crate) enum Node {
    Scalar(Yaml),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

/// The value of a node of this text. As deep as the text, which the budget bounds.
pub(crate) fn value(node: Spanned<Node>, text: &str) -> Yaml {
    match node.value {
        Node::List(items) => Yaml::List(items.into_iter().map(|item| value(item, text)).collect()),
        Node::Map(entries) => Yaml::Map(
            entries
                .into_iter()
                .map(|(key, entry)| (key, value(entry, text)))
                .collect(),
        ),
        Node::Scalar(read) => match written(text, &node.defined) {
            Some(written) => plain::resolve(written),
            None => read,
        },
    }
}

/// A scalar as it stands in the text, if nothing but its letters says what it is: no quotes, no block, no tag. One of
/// several lines is a text anyway.
fn written<'t>(text: &'t str, place: &Location) -> Option<&'t str> {
    let span = place.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let written = text.get(start..start.checked_add(length)?)?.trim();
    let marked = written.starts_with(['\'', '"', '|', '>', '!', '&', '*']) || written.contains('\n');
    (!marked && !is_marked(text.get(..start)?)).then_some(written)
}

/// Whether the text before a scalar says what it is.
///
/// A tag does, an anchor after it or not; no other word that can stand right before a scalar begins with `!`. So does the
/// head of a block, which is on the line before: any line with such a letter is taken for one, as the parser's reading
/// differs from PyYAML's in rare spellings only.
fn is_marked(before: &str) -> bool {
    let ends_a_word = |letter: char| letter.is_whitespace() || matches!(letter, '[' | '{' | ',');
    let mut rest = before.trim_end();
    let gap = &before[rest.len()..];
    let last_line = rest.rsplit('\n').next().unwrap_or_default();
    if gap.contains('\n') && last_line.contains(['|', '>']) {
        return true;
    }
    loop {
        let word = rest.rsplit(ends_a_word).next().unwrap_or_default();
        if !word.starts_with('&') {
            return word.starts_with('!');
        }
        rest = rest[..rest.len() - word.len()].trim_end();
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Yaml::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Yaml::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(Yaml::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(match i64::try_from(value) {
            Ok(value) => Yaml::Int(value),
            Err(_) => Yaml::BigInt(value.to_string()),
        }))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(Yaml::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Yaml::Text(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Scalar(Yaml::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}
