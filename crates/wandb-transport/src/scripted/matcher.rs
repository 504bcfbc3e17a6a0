//! What a step of a script asks of a request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Method};
use serde_json::Value;

use super::request::RecordedRequest;

type Predicate = Arc<dyn Fn(&RecordedRequest) -> bool + Send + Sync>;

/// One condition. `Display` says it as the end of "expected a request with …".
#[derive(Clone)]
pub(super) enum Matcher {
    Method(Method),
    /// The whole URI.
    Uri(String),
    /// Host, with the port if the URI has one.
    Host(String),
    /// Path, with the query if it has one.
    Path(String),
    Query(String, String),
    Header(HeaderName, String),
    HeaderPresent(HeaderName),
    HeaderAbsent(HeaderName),
    Body(Bytes),
    Json(Value),
    Operation(String),
    Variables(Value),
    When(String, Predicate),
}

impl Matcher {
    /// Whether the request meets it; if not, in which way.
    pub(super) fn check(&self, request: &RecordedRequest) -> Result<(), String> {
        let uri = request.uri();
        let fits = match self {
            Self::Method(method) => request.method() == method,
            Self::Uri(expected) => uri == expected.as_str(),
            Self::Host(expected) => uri.authority().is_some_and(|host| host == expected.as_str()),
            Self::Path(expected) if expected.contains('?') => {
                uri.path_and_query().is_some_and(|path| path == expected.as_str())
            }
            Self::Path(expected) => uri.path() == expected,
            Self::Query(name, value) => request.query(name).as_ref() == Some(value),
            Self::Header(name, value) => request
                .headers()
                .get_all(name)
                .iter()
                .any(|found| found.as_bytes() == value.as_bytes()),
            Self::HeaderPresent(name) => request.headers().contains_key(name),
            Self::HeaderAbsent(name) => !request.headers().contains_key(name),
            Self::Body(expected) => request.body() == expected,
            Self::Json(expected) => {
                let json = request.json().ok_or("the body is not JSON")?;
                return contains(json, expected, "body");
            }
            Self::Operation(name) => request.operation() == Some(name),
            Self::Variables(expected) => {
                return contains(request.variables().unwrap_or(&Value::Null), expected, "variables");
            }
            Self::When(_, predicate) => predicate(request),
        };
        if fits {
            Ok(())
        } else {
            Err(format!("it does not have {self}"))
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => write!(f, "method {method}"),
            // A signed URL in a script is still a secret-shaped thing; what is before its query says enough.
            Self::Uri(uri) => write!(
                f,
                "URI {}",
                uri.split_once('?').map_or(uri.as_str(), |(before, _)| before)
            ),
            Self::Host(host) => write!(f, "host {host}"),
            Self::Path(path) => write!(
                f,
                "path {}",
                path.split_once('?').map_or(path.as_str(), |(before, _)| before)
            ),
            Self::Query(name, _) => write!(f, "the expected query parameter {name}"),
            Self::Header(name, value) if is_secret(name) => {
                write!(f, "header {name} of {} bytes", value.len())
            }
            Self::Header(name, value) => write!(f, "header {name}: {value}"),
            Self::HeaderPresent(name) => write!(f, "a header {name}"),
            Self::HeaderAbsent(name) => write!(f, "no header {name}"),
            Self::Body(bytes) => write!(f, "a body of {} certain bytes", bytes.len()),
            Self::Json(value) => write!(f, "a JSON body with {value}"),
            Self::Operation(name) => write!(f, "operation {name}"),
            Self::Variables(value) => write!(f, "variables with {value}"),
            Self::When(what, _) => f.write_str(what),
        }
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.contains("authorization")
        || name.contains("cookie")
        || name.contains("token")
        || name.contains("key")
}

/// Whether `found` has everything that `expected` has: of objects the named members, of arrays all items in order, else
/// the same value.
fn contains(found: &Value, expected: &Value, at: &str) -> Result<(), String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (name, value) in expected {
                let at = format!("{at}.{name}");
                let found = found.get(name).ok_or_else(|| format!("{at} is missing"))?;
                contains(found, value, &at)?;
            }
            Ok(())
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let mut pairs = found.iter().zip(expected).enumerate();
            pairs.try_for_each(|(index, (found, expected))| {
                contains(found, expected, &format!("{at}[{index}]"))
            })
        }
        _ if found == expected => Ok(()),
        _ => Err(format!("{at} is {found}, not {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_contained_or_the_place_is_named() {
        let found = json!({"a": {"b": [1, {"c": 2, "d": 3}], "e": null}});
        for expected in [
            json!({}),
            json!({"a": {"e": null}}),
            json!({"a": {"b": [1, {"c": 2}]}}),
            found.clone(),
        ] {
            assert_eq!(contains(&found, &expected, "body"), Ok(()), "{expected}");
        }
        for (expected, message) in [
            (json!({"x": null}), "body.x is missing"),
            (json!({"a": {"b": [1, {"c": 4}]}}), "body.a.b[1].c is 2, not 4"),
            (
                json!({"a": {"b": [1]}}),
                "body.a.b is [1,{\"c\":2,\"d\":3}], not [1]",
            ),
            (
                json!([]),
                "body is {\"a\":{\"b\":[1,{\"c\":2,\"d\":3}],\"e\":null}}, not []",
            ),
        ] {
            assert_eq!(contains(&found, &expected, "body"), Err(message.to_owned()));
        }
    }
}
