//! `KEY=VALUE` as people type it.

use wandb_api::Value;
use wandb_api::value::Map;

use crate::failure::{CommandResult, Failure};
use crate::json_text;

/// Splits at the first `=`. A dot in the key names a nested one; a dot that is part of a key is written `\.`. The value is
/// JSON where it can be read so (`0.1`, `true`, `[1, 2]`, `"0.1"`), else the text itself.
///
/// # Errors
/// Without a key or an `=`, and for JSON in which a key comes twice.
pub(crate) fn parse(option: &str, text: &str) -> CommandResult<(Vec<String>, Value)> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.trim().is_empty())
        .ok_or_else(|| {
            Failure::usage(format!("--{option} {text:?} is not KEY=VALUE"))
                .hint("for example lr=0.1 or name=resnet")
        })?;
    let key = key.trim();
    let value = match Value::parse(value) {
        Ok(json) => {
            json_text::check_keys(&format!("--{option} {key}"), value)?;
            json
        }
        Err(_) => Value::from(value),
    };
    Ok((path(key), value))
}

/// The parts of a key.
pub(crate) fn path(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = key.chars().peekable();
    while let Some(character) = characters.next() {
        let last = parts.last_mut().expect("there is always a part");
        match character {
            '\\' if characters.peek() == Some(&'.') => {
                characters.next();
                last.push('.');
            }
            '.' => parts.push(String::new()),
            other => last.push(other),
        }
    }
    parts
}

/// Several assignments as one object: `a.b=1` and `a.c=2` give `{"a": {"b": 1, "c": 2}}`. The last word counts.
///
/// # Errors
/// As [`parse`].
pub(crate) fn object(option: &str, texts: &[String]) -> CommandResult<Map> {
    let mut object = Map::new();
    for text in texts {
        let (path, value) = parse(option, text)?;
        put(&mut object, &path, value);
    }
    Ok(object)
}

fn put(object: &mut Map, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        object.insert(first.as_str(), value);
        return;
    }
    let mut inner = match object.remove(first) {
        Some(Value::Map(inner)) => inner,
        _ => Map::new(),
    };
    put(&mut inner, rest, value);
    object.insert(first.as_str(), Value::Map(inner));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_and_everything_else_is_text() {
        let read = |text: &str| parse("config", text).unwrap();
        assert_eq!(
            read("lr=0.1"),
            (vec!["lr".to_owned()], Value::parse("0.1").unwrap())
        );
        assert_eq!(read("a=[1, null]").1, Value::parse("[1, null]").unwrap());
        assert_eq!(read("name=resnet 50").1, Value::from("resnet 50"));
        assert_eq!(read("text=\"0.1\"").1, Value::from("0.1"));
        assert_eq!(read("empty=").1, Value::from(""));
        assert_eq!(read("equals=a=b").1, Value::from("a=b"));
        assert!(parse("config", "lr").is_err());
        assert!(parse("config", "=1").is_err());
        let twice = parse("config", r#"opt={"lr": 1, "lr": 2}"#).unwrap_err();
        assert_eq!(twice.to_string(), "--config opt has the key \"lr\" twice");
        // No JSON is text, whatever it looks like.
        assert_eq!(read(r#"a={"lr": 1, "lr""#).1, Value::from(r#"{"lr": 1, "lr""#));
    }

    #[test]
    fn several_assignments_make_one_object() {
        let texts = ["a.b=1", "a.c=2", "d=x", "d=y"].map(str::to_owned);
        let expected = Value::parse(r#"{"a": {"b": 1, "c": 2}, "d": "y"}"#).unwrap();
        assert_eq!(Value::Map(object("config", &texts).unwrap()), expected);
    }

    #[test]
    fn dots_nest_unless_they_are_escaped() {
        assert_eq!(path("a.b"), ["a", "b"]);
        assert_eq!(path(r"a\.b.c"), ["a.b", "c"]);
        assert_eq!(path("a"), ["a"]);
    }
}
