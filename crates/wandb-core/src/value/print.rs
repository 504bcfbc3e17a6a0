//! Writing values: strict JSON for people and programs, W&B's own form for the wire.

use std::fmt;

use serde_json::ser::{CompactFormatter, Formatter};

use super::{Map, Value};

impl Value {
    /// Appends strict JSON: non-finite numbers become the strings `"NaN"`, `"Infinity"`, `"-Infinity"`, as W&B itself
    /// writes them where JSON must be strict.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        self.write(out, true);
    }

    /// Strict JSON, see [`write_json`](Self::write_json).
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_text(true)
    }

    /// W&B's wire form: like JSON, with bare `NaN`, `Infinity` and `-Infinity` (protocol §4.5). [`Value::parse`] reads
    /// it back to the same value.
    #[must_use]
    pub fn to_wire(&self) -> String {
        self.to_text(false)
    }

    fn to_text(&self, strict: bool) -> String {
        let mut out = Vec::new();
        self.write(&mut out, strict);
        String::from_utf8(out).expect("only whole texts are written")
    }

    fn write(&self, out: &mut Vec<u8>, strict: bool) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Int(number) => infallible(CompactFormatter.write_i64(out, *number)),
            Self::UInt(number) => infallible(CompactFormatter.write_u64(out, *number)),
            Self::BigInt(digits) => out.extend_from_slice(digits.as_bytes()),
            Self::Float(number) if number.is_finite() => {
                infallible(CompactFormatter.write_f64(out, *number));
            }
            Self::Float(number) => {
                let token: &[u8] = if number.is_nan() {
                    b"NaN"
                } else if *number > 0.0 {
                    b"Infinity"
                } else {
                    b"-Infinity"
                };
                if strict {
                    out.push(b'"');
                }
                out.extend_from_slice(token);
                if strict {
                    out.push(b'"');
                }
            }
            Self::String(text) => write_string(out, text),
            Self::List(list) => {
                out.push(b'[');
                for (place, value) in list.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    value.write(out, strict);
                }
                out.push(b']');
            }
            Self::Map(map) => map.write(out, strict),
        }
    }
}

impl Map {
    fn write(&self, out: &mut Vec<u8>, strict: bool) {
        out.push(b'{');
        for (place, (key, value)) in self.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_string(out, key);
            out.push(b':');
            value.write(out, strict);
        }
        out.push(b'}');
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_json())
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text can always be written to memory");
}

fn infallible(result: std::io::Result<()>) {
    result.expect("writing to memory does not fail");
}
