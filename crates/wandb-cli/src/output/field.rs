//! One field of an output object, and how it is written as JSON, CSV and text.

use std::borrow::Cow;

use wandb_api::{Value, value::Map};

use super::text;

/// The value of one field of a run, a file, a project.
#[derive(Debug, Clone)]
pub(crate) enum Field<'a> {
    /// Unknown or not set.
    Null,
    /// Yes or no.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A size or count.
    UInt(u64),
    /// A number; a non-finite one is written as its name.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// An object as it was logged.
    Map(&'a Map),
    /// Any logged value.
    Value(&'a Value),
    /// A list of texts: tags, path segments.
    Texts(Vec<Cow<'a, str>>),
    /// A small object of our own.
    Object(Vec<(&'static str, Field<'a>)>),
}

impl<'a> Field<'a> {
    /// A text, or null.
    pub(crate) fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }

    /// A list of texts.
    pub(crate) fn texts(texts: &'a [String]) -> Self {
        Self::Texts(texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect())
    }

    /// A borrowed text.
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A text that was made for the output.
    pub(crate) fn owned(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// Appends the field as strict JSON (design §4: non-finite numbers as strings).
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Self::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::UInt(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Float(number) => Value::from(*number).write_json(out),
            Self::Text(text) => write_string(out, text),
            Self::Map(map) => write_entries(out, map.iter()),
            Self::Value(value) => value.write_json(out),
            Self::Texts(texts) => {
                out.push(b'[');
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_string(out, text);
                }
                out.push(b']');
            }
            Self::Object(fields) => write_object(out, fields),
        }
    }

    /// The field as the content of a CSV cell: plain text for scalars, JSON for what is nested, nothing for null.
    pub(crate) fn csv_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Value(value) => csv_value(value),
            nested => {
                let mut json = Vec::new();
                nested.write_json(&mut json);
                Cow::Owned(utf8(json))
            }
        }
    }
}

/// Appends `{…}` of our own fields.
pub(crate) fn write_object(out: &mut Vec<u8>, fields: &[(&'static str, Field<'_>)]) {
    out.push(b'{');
    for (index, (name, field)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        field.write_json(out);
    }
    out.push(b'}');
}

/// Appends logged keys and values as an object.
pub(crate) fn write_entries<'a>(out: &mut Vec<u8>, entries: impl Iterator<Item = (&'a str, &'a Value)>) {
    out.push(b'{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        value.write_json(out);
    }
    out.push(b'}');
}

/// Appends a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    // Most keys and names need no escape, and copying them whole is several times faster.
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    serde_json::to_writer(out, text).expect("writing a text into memory cannot fail");
}

/// A logged value as the content of a CSV cell. `null` is written as `null`, so that it differs from *not logged*.
pub(crate) fn csv_value(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Float(number) if number.is_nan() => Cow::Borrowed("NaN"),
        Value::Float(number) if number.is_infinite() => {
            Cow::Borrowed(if *number > 0.0 { "Infinity" } else { "-Infinity" })
        }
        other => Cow::Owned(other.to_json()),
    }
}

/// A logged value for people: short numbers, texts without quotes, JSON for what is nested.
pub(crate) fn display_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => text::number(*number),
        other => other.to_json(),
    }
}

fn utf8(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("JSON is written from whole texts")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(field: &Field<'_>) -> String {
        let mut out = Vec::new();
        field.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn non_finite_numbers_become_the_three_strings() {
        let value = Value::parse(r#"{"a":NaN,"b":[Infinity,-Infinity],"c":null,"d":1.0,"e":7}"#).unwrap();
        assert_eq!(
            json(&Field::Value(&value)),
            r#"{"a":"NaN","b":["Infinity","-Infinity"],"c":null,"d":1.0,"e":7}"#
        );
        let map = value.as_map().unwrap();
        assert_eq!(json(&Field::Map(map)), value.to_json());
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(
            json(&Field::text("a\"b\\c\n\u{1}ü")),
            "\"a\\\"b\\\\c\\n\\u0001ü\""
        );
        assert_eq!(
            json(&Field::Texts(vec!["x".into(), "y\"".into()])),
            r#"["x","y\""]"#
        );
        assert_eq!(
            json(&Field::Object(vec![("a", Field::Null), ("b", Field::Bool(true))])),
            r#"{"a":null,"b":true}"#
        );
    }

    #[test]
    fn csv_tells_null_from_not_logged_and_keeps_nested_json() {
        assert_eq!(csv_value(&Value::Null), "null");
        assert_eq!(csv_value(&Value::Float(f64::NAN)), "NaN");
        assert_eq!(csv_value(&Value::Float(0.5)), "0.5");
        assert_eq!(csv_value(&Value::parse("[1,2]").unwrap()), "[1,2]");
        assert_eq!(Field::Null.csv_text(), "");
    }
}
