//! The rules of the module header, on trees and in the plainest way.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Run;

pub(super) fn find<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    object.get(path).or_else(|| {
        path.match_indices('.')
            .find_map(|(at, _)| find(object.get(&path[..at])?.as_object()?, &path[at + 1..]))
    })
}

pub(super) fn field(run: &Run, name: &str) -> Option<Value> {
    match name {
        "name" | "display_name" => Some(run.name.clone().into()),
        "state" => Some(run.state.clone().into()),
        "group" => run.group.clone().map(Value::from),
        "createdAt" => Some(run.created_at.into()),
        "duration" => Some((run.heartbeat_at - run.created_at).into()),
        "tags" => Some(run.tags.clone().into()),
        _ if name.starts_with("keys_info.keys.") => run
            .keys
            .contains(&name["keys_info.keys.".len()..])
            .then_some(Value::Bool(true)),
        _ => {
            if let Some(path) = name.strip_prefix("summary_metrics.") {
                return find(&run.summary, path).cloned();
            }
            let path = name.strip_prefix("config.").unwrap();
            let stripped = || find(&run.config, path.strip_suffix(".value")?);
            find(&run.config, path).or_else(stripped).cloned()
        }
    }
}

pub(super) fn matches(run: &Run, filter: &Value) -> bool {
    let all = |list: &Value| list.as_array().unwrap().iter().all(|filter| matches(run, filter));
    let any = |list: &Value| list.as_array().unwrap().iter().any(|filter| matches(run, filter));
    filter
        .as_object()
        .unwrap()
        .iter()
        .all(|(key, value)| match key.as_str() {
            "$and" => all(value),
            "$or" => any(value),
            "$nor" => !any(value),
            "$not" => !matches(run, value),
            name => condition(name, field(run, name).as_ref(), value),
        })
}

fn condition(name: &str, found: Option<&Value>, condition: &Value) -> bool {
    let operators = condition
        .as_object()
        .filter(|members| members.keys().any(|key| key.starts_with('$')));
    let Some(operators) = operators else {
        return operator(name, found, "$eq", condition);
    };
    operators.iter().all(|(name_of, operand)| match name_of.as_str() {
        "$not" => !self::condition(name, found, operand),
        "$ne" => !operator(name, found, "$eq", operand),
        "$nin" => !operator(name, found, "$in", operand),
        other => operator(name, found, other, operand),
    })
}

fn operator(name: &str, found: Option<&Value>, operator: &str, operand: &Value) -> bool {
    if operator == "$exists" {
        return (name == "tags" || found.is_some()) == (operand == true);
    }
    if operator == "$in" {
        return operand
            .as_array()
            .unwrap()
            .iter()
            .any(|operand| self::operator(name, found, "$eq", operand));
    }
    let operand = if name == "createdAt" {
        seconds(operand)
    } else {
        operand.clone()
    };
    let Some(found) = found else {
        return operand.is_null() && ["$eq", "$gte", "$lte"].contains(&operator);
    };
    if name == "tags" && operand.is_array() {
        let set = |value: &Value| {
            value
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string)
                .collect::<BTreeSet<_>>()
        };
        return set(found) == set(&operand);
    }
    if operator == "$contains" {
        return match (found, operand.as_str()) {
            (Value::String(text), Some(part)) => text.contains(part),
            (Value::Array(values), _) => values.iter().any(|value| equal(value, &operand)),
            _ => false,
        };
    }
    let test = |value: &Value| match operator {
        "$eq" => equal(value, &operand),
        "$gt" => compare(value, &operand) == Some(Ordering::Greater),
        "$lt" => compare(value, &operand) == Some(Ordering::Less),
        "$gte" => compare(value, &operand).is_some_and(Ordering::is_ge),
        "$lte" => compare(value, &operand).is_some_and(Ordering::is_le),
        // The generated patterns are literal texts behind an anchor.
        "$regex" => value
            .as_str()
            .is_some_and(|text| text.starts_with(&operand.as_str().unwrap()[1..])),
        other => panic!("{other}"),
    };
    test(found) || found.as_array().is_some_and(|values| values.iter().any(test))
}

fn seconds(operand: &Value) -> Value {
    match operand.as_str() {
        Some(text) => text[17..19].parse::<i64>().unwrap().into(),
        None => operand.clone(),
    }
}

pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => compare(left, right) == Some(Ordering::Equal),
    }
}
