//! JSON as the official SDK writes it (protocol §4.5).

use wandb_api::Value;

/// One value as text. Non-finite numbers are bare tokens.
pub fn encode(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::BigInt(digits) => digits.to_string(),
        Value::Float(number) if number.is_nan() => "NaN".to_owned(),
        Value::Float(number) if number.is_infinite() && *number > 0.0 => "Infinity".to_owned(),
        Value::Float(number) if number.is_infinite() => "-Infinity".to_owned(),
        Value::Float(number) => serde_json::Value::from(*number).to_string(),
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(encode).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) => encode_row(map.iter()),
        other => unreachable!("a value of a kind that is newer than these tests: {other:?}"),
    }
}

/// Keys and values as the text of one object.
pub fn encode_row<'a>(entries: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let members: Vec<String> = entries
        .into_iter()
        .map(|(key, value)| format!("{}:{}", serde_json::Value::from(key), encode(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}
