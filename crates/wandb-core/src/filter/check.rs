//! What a filter must satisfy beyond its types.

use serde_json::Value as Json;

use super::{
    ast::{Condition, Filter, MAX_DEPTH, Node, Predicate},
    error::{FilterError, FilterErrorKind},
    field::FieldPath,
    literal::{Literal, MAX_LITERAL_DEPTH},
    pattern::compile,
};
use crate::timestamp::Timestamp;

/// Checks a whole filter; see [`Filter::check`].
pub(super) fn filter(filter: &Filter) -> Result<(), FilterError> {
    walk(filter, 0)
}

fn walk(filter: &Filter, depth: usize) -> Result<(), FilterError> {
    if depth > MAX_DEPTH {
        return Err(FilterError::too_deep());
    }
    match filter.node() {
        Node::And(members) | Node::Or(members) => {
            members.iter().try_for_each(|member| walk(member, depth + 1))
        }
        Node::Not(inner) => walk(inner, depth + 1),
        Node::Condition(found) => condition(found),
        Node::Raw(json) => raw(json),
    }
}

/// Checks one condition.
pub(super) fn condition(condition: &Condition) -> Result<(), FilterError> {
    let Condition { field, predicate } = condition;
    if let FieldPath::Config(key) | FieldPath::Summary(key) | FieldPath::KeysInfo(key) = field
        && key.as_str().is_empty()
    {
        return Err(FilterError::new(
            FilterErrorKind::UnknownField,
            "the key of a field is empty",
        ));
    }
    let literals: &[Literal] = match predicate {
        Predicate::Eq(value) | Predicate::Ne(value) => std::slice::from_ref(value),
        Predicate::Gt(value) | Predicate::Gte(value) | Predicate::Lt(value) | Predicate::Lte(value) => {
            std::slice::from_ref(value.as_literal())
        }
        Predicate::In(values) | Predicate::NotIn(values) => values,
        Predicate::Exists(_) | Predicate::Contains(_) => &[],
        Predicate::Regex(pattern) => return regex(pattern),
    };
    for value in literals {
        if value.depth() > MAX_LITERAL_DEPTH {
            return Err(FilterError::too_deep());
        }
        if field.is_time() && !value.is_null() {
            time(field, value)?;
        }
    }
    Ok(())
}

/// A time field must be compared with a time: a number makes the real server fail with HTTP 500 (users P10).
fn time(field: &FieldPath, value: &Literal) -> Result<(), FilterError> {
    if value.as_str().is_some_and(|text| Timestamp::parse(text).is_ok()) {
        return Ok(());
    }
    Err(FilterError::new(
        FilterErrorKind::InvalidTime,
        format!("{field} is a time and {value} is not"),
    )
    .with_hint("write a time as \"2024-01-31\" or \"2024-01-31T12:00:00Z\""))
}

fn regex(pattern: &str) -> Result<(), FilterError> {
    // RE2 on the server knows two escapes that the engine here does not. They are its business.
    if pattern.contains(r"\Q") || pattern.contains(r"\C") {
        return Ok(());
    }
    match compile(pattern) {
        Ok(_) => Ok(()),
        // Too large for this side is not wrong for the other one.
        Err(regex::Error::CompiledTooBig(_)) => Ok(()),
        Err(error) => Err(FilterError::new(
            FilterErrorKind::InvalidRegex,
            format!("{} is not a regular expression", Literal::from(pattern)),
        )
        .with_hint("patterns have RE2 syntax; text that is meant literally needs a backslash before . * + ? ( ) [ ] { }")
        .with_source(error)),
    }
}

/// Checks that raw JSON is an object and not nested too deep.
pub(super) fn raw(json: &Json) -> Result<(), FilterError> {
    if !json.is_object() {
        return Err(FilterError::new(
            FilterErrorKind::WrongValue,
            "a filter in JSON must be an object",
        ));
    }
    // A loop with its own stack: the depth of a value made by a program is not bounded.
    let mut pending = vec![(json, 0)];
    while let Some((value, depth)) = pending.pop() {
        if depth > MAX_DEPTH {
            return Err(FilterError::too_deep());
        }
        match value {
            Json::Array(items) => pending.extend(items.iter().map(|item| (item, depth + 1))),
            Json::Object(members) => pending.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}
