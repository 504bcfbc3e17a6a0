//! What makes a recorded and a replayed request the same: method, URL, range and body, without secrets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RANGE};
use http::{HeaderMap, Method, Uri};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clean::Cleaner;
use crate::format::{BodyRecord, FileRecord, RequestRecord, Side};

/// The largest body of a call, and the largest text of an answer, that is read to look for secrets, in bytes: what the
/// client takes for an answer at most.
pub(crate) const LARGEST_TEXT: usize = 512 << 20;

/// How much of a differing value an explanation shows, in characters.
const LONGEST_SHOWN: usize = 120;

/// Whether a request is a call (GraphQL and the like), whose body is text that may hold secrets. The others move files,
/// whose bytes are kept as they are: an altered byte would not pass the digest.
pub(crate) fn is_call(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::PUT)
}

/// A request as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) range: Option<String>,
    pub(crate) body: KeyBody,
}

/// A body as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum KeyBody {
    Empty,
    /// JSON with sorted members and without white space.
    Json(String),
    Text(String),
    /// Bytes, by size and SHA-256.
    Bytes(u64, String),
    /// Bytes that were not read to their end when they were recorded: anything is taken for them.
    Partial,
}

/// The body of a call without secrets, and the credentials in its headers learnt.
pub(crate) fn clean_call(cleaner: &mut Cleaner, headers: &HeaderMap, body: &Bytes) -> BodyRecord {
    let Ok(text) = std::str::from_utf8(body) else {
        return BodyRecord::File(file_record(body));
    };
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    BodyRecord::of_text(if is_form {
        cleaner.form(text, Side::Request)
    } else {
        cleaner.body(text, Side::Request)
    })
}

/// Size and digest of bytes in memory.
pub(crate) fn file_record(bytes: &[u8]) -> FileRecord {
    FileRecord {
        size: bytes.len() as u64,
        sha256: hexadecimal(&Sha256::digest(bytes)),
        complete: true,
        withheld: None,
    }
}

pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

/// The request without its body, for a recording.
pub(crate) fn head(cleaner: &mut Cleaner, method: &Method, uri: &Uri, headers: &HeaderMap) -> RequestRecord {
    RequestRecord {
        method: method.as_str().to_owned(),
        url: cleaner.url(&uri.to_string(), Side::Request),
        operation: None,
        headers: cleaner.headers(headers, Side::Request),
        body: BodyRecord::Empty,
    }
}

/// Scheme, host and port.
pub(crate) fn origin(uri: &Uri) -> Option<String> {
    let host = uri.authority()?.as_str().rsplit('@').next()?.to_owned();
    Some(format!("{}://{host}", uri.scheme_str()?))
}

impl RequestRecord {
    /// How the request is compared.
    pub(crate) fn key(&self) -> Key {
        let body = match &self.body {
            BodyRecord::Empty => KeyBody::Empty,
            BodyRecord::Json(raw) => match canonical_text(raw.get()) {
                Some(text) => KeyBody::Json(text),
                None => KeyBody::Text(raw.get().to_owned()),
            },
            BodyRecord::Text(text) => KeyBody::Text(text.clone()),
            BodyRecord::File(file) if file.complete => KeyBody::Bytes(file.size, file.sha256.clone()),
            BodyRecord::File(_) => KeyBody::Partial,
        };
        let range = self.headers.iter().find(|(name, _)| name == RANGE.as_str());
        Key {
            method: self.method.clone(),
            url: self.url.clone(),
            range: range.map(|(_, value)| value.clone()),
            body,
        }
    }

    /// Finds the name of the GraphQL operation in the body.
    pub(crate) fn name_operation(&mut self) {
        if let BodyRecord::Json(raw) = &self.body {
            self.operation = operation(raw.get());
        }
    }
}

fn operation(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "operationName")]
        name: Option<String>,
    }
    serde_json::from_str::<Named>(json).ok()?.name
}

/// JSON with sorted members: two texts that mean the same become one. `None` for what is no JSON, or nested too deep.
fn canonical_text(text: &str) -> Option<String> {
    serde_json::from_str::<Value>(text)
        .ok()
        .map(|value| sorted(value).to_string())
}

/// The depth is bounded by the parser. The sorting is explicit because another crate can make `serde_json` keep the order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

impl Key {
    /// Whether a request with the key `actual` may have the recorded answer of this one.
    pub(crate) fn takes(&self, actual: &Self) -> bool {
        let same_head = self.method == actual.method && self.url == actual.url && self.range == actual.range;
        same_head && (self.body == KeyBody::Partial || self.body == actual.body)
    }

    /// The request in a few words.
    pub(crate) fn summary(&self) -> String {
        let operation = match &self.body {
            KeyBody::Json(text) => operation(text).map(|name| format!(" ({name})")),
            _ => None,
        };
        format!("{} {}{}", self.method, self.url, operation.unwrap_or_default())
    }

    /// How like this request another one is: the larger, the more alike.
    pub(crate) fn likeness(&self, other: &Self) -> u8 {
        let operation_of = |key: &Self| match &key.body {
            KeyBody::Json(text) => operation(text),
            _ => None,
        };
        let same_url = self.method == other.method && self.url == other.url;
        u8::from(self.method == other.method)
            + 2 * u8::from(same_url)
            + 4 * u8::from(same_url && operation_of(self) == operation_of(other))
    }

    /// In what `actual` is another request than this recorded one.
    pub(crate) fn difference(&self, actual: &Self) -> String {
        if self.method != actual.method {
            return format!("the method is {}, recorded was {}", actual.method, self.method);
        }
        if self.url != actual.url {
            return format!("the URL is {}, recorded was {}", actual.url, self.url);
        }
        if self.range != actual.range {
            let shown = |range: &Option<String>| range.clone().unwrap_or_else(|| "none".to_owned());
            return format!(
                "the range is {}, recorded was {}",
                shown(&actual.range),
                shown(&self.range)
            );
        }
        match (&self.body, &actual.body) {
            (KeyBody::Json(recorded), KeyBody::Json(actual)) => {
                let parse = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
                json_difference("", &parse(recorded), &parse(actual))
                    .unwrap_or_else(|| "nothing, but its answer was given already".to_owned())
            }
            (recorded, actual) if recorded == actual => {
                "nothing, but its answer was given already".to_owned()
            }
            (recorded, actual) => format!(
                "the body is {}, recorded was {}",
                actual.shown(),
                recorded.shown()
            ),
        }
    }
}

impl KeyBody {
    fn shown(&self) -> String {
        match self {
            Self::Empty => "empty".to_owned(),
            Self::Json(text) | Self::Text(text) => shorten(text),
            Self::Bytes(size, digest) => {
                format!(
                    "{size} bytes with SHA-256 {}…",
                    digest.get(..12).unwrap_or(digest)
                )
            }
            Self::Partial => "anything".to_owned(),
        }
    }
}

/// The first place where two JSON values differ. The depth is bounded by the parser.
fn json_difference(place: &str, recorded: &Value, actual: &Value) -> Option<String> {
    let below = |name: &str| {
        if place.is_empty() {
            name.to_owned()
        } else {
            format!("{place}.{name}")
        }
    };
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            let names: std::collections::BTreeSet<&String> = recorded.keys().chain(actual.keys()).collect();
            names
                .into_iter()
                .find_map(|name| match (recorded.get(name), actual.get(name)) {
                    (Some(recorded), Some(actual)) => json_difference(&below(name), recorded, actual),
                    (Some(recorded), None) => {
                        let recorded = shorten(&recorded.to_string());
                        Some(format!("{} is missing, recorded was {recorded}", below(name)))
                    }
                    (None, Some(actual)) => {
                        let actual = shorten(&actual.to_string());
                        Some(format!("{} is {actual}, recorded was nothing", below(name)))
                    }
                    (None, None) => None,
                })
        }
        (Value::Array(recorded), Value::Array(actual)) if recorded.len() == actual.len() => recorded
            .iter()
            .zip(actual)
            .enumerate()
            .find_map(|(index, (recorded, actual))| {
                json_difference(&below(&index.to_string()), recorded, actual)
            }),
        (recorded, actual) if recorded == actual => None,
        // Two documents are long and differ somewhere inside: their beginnings would say nothing.
        (Value::String(recorded), Value::String(actual))
            if recorded.len() > LONGEST_SHOWN && actual.len() > LONGEST_SHOWN =>
        {
            let same = recorded
                .chars()
                .zip(actual.chars())
                .take_while(|(a, b)| a == b)
                .count();
            let from = |text: &str| shorten(&text.chars().skip(same).take(LONGEST_SHOWN).collect::<String>());
            Some(format!(
                "{place} goes on with {:?} after {same} characters, recorded was {:?}",
                from(actual),
                from(recorded)
            ))
        }
        (recorded, actual) => Some(format!(
            "{place} is {}, recorded was {}",
            shorten(&actual.to_string()),
            shorten(&recorded.to_string())
        )),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
