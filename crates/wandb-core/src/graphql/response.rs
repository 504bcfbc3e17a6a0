//! Reading answers: one typed error out of every shape that servers and gateways use (protocol §6.1, §6.2).

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result, redact::redact_text, retry};

/// How much of a server's words an error shows, in characters.
const EXCERPT: usize = 400;

/// How much of an incomplete answer an error keeps, in bytes: more than a page of versions or runs with their texts. Of a
/// longer one nothing is kept, as half a document is none.
const PARTIAL: usize = 4 << 20;

/// One entry of `errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlError {
    /// The server's words.
    pub message: String,
    /// Where in the answer, joined by dots; empty when not said.
    pub path: String,
    /// `extensions.code`, when sent.
    pub code: Option<String>,
}

impl<'de> Deserialize<'de> for GraphqlError {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // Total over anything that is JSON: entries are objects, or plain texts (protocol §6.1).
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let path = value.get("path").and_then(serde_json::Value::as_array);
        Ok(Self {
            message: clean(&value.get("message").map_or_else(|| text(&value), text)),
            path: path
                .map(|parts| clean(&parts.iter().map(text).collect::<Vec<_>>().join(".")))
                .unwrap_or_default(),
            code: value.pointer("/extensions/code").map(text),
        })
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Answer<T> {
    #[serde(default = "Option::default")]
    data: Option<T>,
    #[serde(default)]
    errors: Option<Vec<GraphqlError>>,
}

/// Reads the body of a GraphQL answer.
///
/// An answer with `errors` is an error even when it has some `data`: a partial result is never given as a whole one. What
/// came of it can be had from [`Error::partial_data`].
///
/// # Errors
/// - the kind that the status means, or the entry of `errors` that speaks of the whole;
/// - [`Protocol`](ErrorKind::Protocol) for a 404 or 410 without the `errors` of GraphQL: nothing is served at that address;
/// - [`Incomplete`](ErrorKind::Incomplete) when the entries speak of single items of a list;
/// - [`Protocol`](ErrorKind::Protocol) for a body that is not the JSON that was asked for.
pub fn read_answer<T: DeserializeOwned>(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    unix_seconds: i64,
) -> Result<T> {
    if !status.is_success() {
        let error = error_of_answer(status, headers, body, unix_seconds);
        return Err(match error.kind() {
            ErrorKind::NotFound if !has_entries(body) => no_endpoint(status, &error),
            _ => error,
        });
    }
    let answer: Answer<T> = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) => {
            // Data that does not fit may stand beside errors that say why.
            if let Ok(Answer {
                errors: Some(errors), ..
            }) = serde_json::from_slice::<Answer<serde::de::IgnoredAny>>(body)
                && let Some(error) = error_of_entries(&errors)
            {
                return Err(with_partial(error, body).with_status(status.as_u16()));
            }
            return Err(not_the_protocol(status, headers, body).with_source(error));
        }
    };
    if let Some(error) = answer.errors.as_deref().and_then(error_of_entries) {
        return Err(with_partial(error, body).with_status(status.as_u16()));
    }
    answer.data.ok_or_else(|| {
        Error::protocol("the server's answer has neither data nor errors").with_status(status.as_u16())
    })
}

/// The error that an answer other than 2xx means, for GraphQL and for every other endpoint.
#[must_use]
pub fn error_of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8], unix_seconds: i64) -> Error {
    let said = server_words(body);
    let kind = match status.as_u16() {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::NotVisible,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        400 | 422 => said.as_ref().map_or(ErrorKind::Server, kind_of_entry),
        501 => ErrorKind::Unsupported,
        300..=399 => ErrorKind::Protocol,
        _ => ErrorKind::Server,
    };
    let mut error = Error::new(kind, format!("the server answered with status {status}"))
        .with_status(status.as_u16())
        .with_retry_after(retry::retry_after(headers, unix_seconds));
    error = match said {
        Some(entry) => error.with_server_message(entry.message),
        None if is_html(headers, body) => {
            error.with_hint("the answer is a web page: is this the address of a W&B API?")
        }
        None => error,
    };
    match kind {
        ErrorKind::Authentication => {
            error.with_hint("the API key was refused: check that it belongs to this host, or log in again")
        }
        ErrorKind::Protocol => {
            error.with_hint("the server redirects: use the address that it redirects to as the base URL")
        }
        _ => error,
    }
}

/// Adds the `data` that came beside the errors.
fn with_partial(error: Error, body: &[u8]) -> Error {
    #[derive(Deserialize)]
    struct Partial<'a> {
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    match serde_json::from_slice(body) {
        Ok(Partial { data: Some(data) }) if data.get().len() <= PARTIAL => {
            error.with_partial_data(data.get())
        }
        _ => error,
    }
}

impl GraphqlError {
    /// Whether it speaks of one item of a list, and not of the whole: a place in the list is part of its path. A field's name
    /// does not begin with a digit.
    fn is_of_an_item(&self) -> bool {
        let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        self.path.split('.').any(is_index)
    }
}

fn error_of_entries(errors: &[GraphqlError]) -> Option<Error> {
    let first = errors
        .iter()
        .find(|entry| !entry.is_of_an_item())
        .or_else(|| errors.first())?;
    let kind = match kind_of_entry(first) {
        // One node that is missing or hidden does not make the whole list so.
        ErrorKind::NotFound | ErrorKind::NotVisible | ErrorKind::Conflict | ErrorKind::InvalidInput
            if first.is_of_an_item() =>
        {
            ErrorKind::Incomplete
        }
        kind => kind,
    };
    let place = if first.path.is_empty() {
        String::new()
    } else {
        format!(" at {:?}", first.path)
    };
    let more = if errors.len() > 1 {
        format!(" (and {} more)", errors.len() - 1)
    } else {
        String::new()
    };
    let mut error = Error::new(
        kind,
        format!("the server reported{place}: {}{more}", first.message),
    )
    .with_server_message(first.message.clone());
    if kind == ErrorKind::Unsupported {
        error = error.with_hint("the server is older or smaller than this client expects");
    }
    Some(error)
}

/// The kind that an entry's words mean. Texts are free, so only the few that are known to be stable count
/// (protocol §2.4, §6.2).
fn kind_of_entry(entry: &GraphqlError) -> ErrorKind {
    let words = entry.message.to_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if entry.code.as_deref() == Some("PERMISSION_ERROR") || has(&["permission denied", "forbidden"]) {
        ErrorKind::NotVisible
    } else if entry.code.as_deref() == Some("CONFLICT") {
        // The embedded server's word for a write that a condition forbade.
        ErrorKind::Conflict
    } else if has(&[
        "cannot query field",
        "unknown argument",
        "unknown field",
        "unknown type",
    ]) {
        ErrorKind::Unsupported
    } else if has(&["not found", "could not find"]) {
        ErrorKind::NotFound
    } else if has(&["rate limit"]) {
        ErrorKind::RateLimited
    } else if has(&["unauthorized", "not logged in", "invalid api key"]) {
        ErrorKind::Authentication
    } else if has(&[
        "invalid filter",
        "invalid order",
        "invalid argument",
        "unknown operator",
    ]) {
        ErrorKind::InvalidInput
    } else {
        ErrorKind::Server
    }
}

/// What the server said, out of the shapes of protocol §6.1.
fn server_words(body: &[u8]) -> Option<GraphqlError> {
    #[derive(Deserialize)]
    struct Shapes {
        #[serde(default)]
        errors: Option<Vec<GraphqlError>>,
        #[serde(default)]
        error: Option<GraphqlError>,
        #[serde(default)]
        message: Option<GraphqlError>,
    }
    let shapes: Shapes = serde_json::from_slice(body).ok()?;
    shapes
        .errors
        .and_then(|errors| errors.into_iter().next())
        .or(shapes.error)
        .or(shapes.message)
}

/// Whether a body has the `errors` of a GraphQL answer. A server that finds no project may say so with 404, and then in these
/// words (protocol §2.4); without them it is the endpoint itself that was not found.
fn has_entries(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Entries {
        errors: Vec<serde::de::IgnoredAny>,
    }
    serde_json::from_slice(body).is_ok_and(|Entries { errors }| !errors.is_empty())
}

/// A wrong base URL: a missing object is something else, and programs go on without one.
fn no_endpoint(status: StatusCode, said: &Error) -> Error {
    let text = format!("there is no GraphQL endpoint below the base URL (status {status})");
    let error = Error::protocol(text).with_status(status.as_u16()).with_hint(
        "the base URL is the address of the W&B API without /graphql, for example https://api.wandb.ai",
    );
    match said.server_message() {
        Some(words) => error.with_server_message(words),
        None => error,
    }
}

fn not_the_protocol(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let error = if is_html(headers, body) {
        Error::protocol("the server answered with a web page instead of JSON")
            .with_hint("is this the address of a W&B API? a login page or a proxy may stand in between")
    } else if body.is_empty() {
        Error::protocol("the server answered with an empty body")
    } else if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
        Error::protocol("the server's answer is not complete JSON")
    } else {
        Error::protocol("the server's answer does not have the promised shape")
    };
    error.with_status(status.as_u16())
}

fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let declared = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("html"));
    declared || body.trim_ascii_start().first() == Some(&b'<')
}

/// A server's words as an error may show them: one line, not too long, with URLs and credentials masked. A server may
/// repeat what it was sent.
fn clean(text: &str) -> String {
    // Masking needs whole words, so there is a margin; the rest of a hostile text is not even looked at.
    let start: String = text.chars().take(EXCERPT * 4).collect();
    let masked = redact_text(&start);
    let mut line: String = masked
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(EXCERPT)
        .collect();
    if line.len() < masked.len() || start.len() < text.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(status: u16, body: &str) -> Result<serde_json::Value> {
        read_answer(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            body.as_bytes(),
            0,
        )
    }

    fn kind(status: u16, body: &str) -> ErrorKind {
        read(status, body).unwrap_err().kind()
    }

    #[test]
    fn data_is_given_only_when_nothing_failed() {
        assert_eq!(read(200, r#"{"data":{"a":1}}"#).unwrap()["a"], 1);
        assert_eq!(read(200, r#"{"data":{"a":1},"errors":[]}"#).unwrap()["a"], 1);
        let error = read(
            200,
            r#"{"data":{"a":1},"errors":[{"message":"boom","path":["a",0]}]}"#,
        )
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.to_string(), "the server reported at \"a.0\": boom");
        assert_eq!(error.partial_data(), Some(r#"{"a":1}"#));
        assert_eq!(kind(200, r#"{"data":null}"#), ErrorKind::Protocol);
        assert_eq!(kind(200, r#"{}"#), ErrorKind::Protocol);
    }

    #[test]
    fn one_item_that_failed_is_not_the_whole_and_the_others_stay_in_reach() {
        let data = r#"{ "project": {"artifacts": {"edges": [{"node": {"id": "A"}}, {"node": null}]}} }"#;
        let errors = r#"{"message":"artifact not found","path":["project","artifacts","edges",1,"node"]}"#;
        let body = format!(r#"{{"data":{data},"errors":[{errors}]}}"#);
        let error = read(200, &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.to_string().contains("edges.1.node"), "{error}");
        let kept: serde_json::Value = serde_json::from_str(error.partial_data().unwrap()).unwrap();
        assert_eq!(kept["project"]["artifacts"]["edges"][0]["node"]["id"], "A");
        // It is for programs, and no part of a text: it may hold what nobody should read in a log.
        assert!(!format!("{error} {error:?}").contains("\"id\""), "{error:?}");
        // An entry that speaks of the whole decides, wherever it stands.
        let whole = r#"{"message":"could not find project p","path":["project"]}"#;
        for both in [format!("{errors},{whole}"), format!("{whole},{errors}")] {
            assert_eq!(
                kind(200, &format!(r#"{{"data":{data},"errors":[{both}]}}"#)),
                ErrorKind::NotFound
            );
        }
        for path in ["[]", "null", r#"["project"]"#, r#"["project","run2"]"#] {
            let body = format!(r#"{{"data":null,"errors":[{{"message":"run not found","path":{path}}}]}}"#);
            let error = read(200, &body).unwrap_err();
            assert_eq!(
                (error.kind(), error.partial_data()),
                (ErrorKind::NotFound, None),
                "{path}"
            );
        }
        // What has no such meaning keeps its kind: the whole request is worth another try, or another key.
        for (words, expected) in [
            ("boom", ErrorKind::Server),
            ("rate limit exceeded", ErrorKind::RateLimited),
        ] {
            let body = format!(r#"{{"data":{data},"errors":[{{"message":"{words}","path":["a",0]}}]}}"#);
            assert_eq!(kind(200, &body), expected);
        }
    }

    #[test]
    fn what_is_kept_of_an_answer_has_an_end() {
        let body = |length: usize| {
            format!(
                r#"{{"data":{{"a":"{}"}},"errors":[{{"message":"boom"}}]}}"#,
                "x".repeat(length)
            )
        };
        let kept = |length| read(200, &body(length)).unwrap_err().partial_data().map(str::len);
        assert_eq!(kept(PARTIAL - 8), Some(PARTIAL));
        assert_eq!(kept(PARTIAL - 7), None);
        // Data that is not what was asked for is kept, too.
        let other = read_answer::<Vec<u8>>(
            StatusCode::OK,
            &HeaderMap::new(),
            br#"{"errors":["boom"],"data":{"a":1}}"#,
            0,
        );
        assert_eq!(other.unwrap_err().partial_data(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn every_error_shape_is_understood() {
        for body in [
            r#"{"errors":["too bad"]}"#,
            r#"{"errors":[{"message":"too bad"}]}"#,
            r#"{"error":"too bad"}"#,
            r#"{"error":{"message":"too bad"}}"#,
        ] {
            let error = read(500, body).unwrap_err();
            assert_eq!(error.server_message(), Some("too bad"), "{body}");
            assert_eq!(error.status(), Some(500));
        }
    }

    #[test]
    fn kinds_follow_status_and_words() {
        assert_eq!(kind(401, ""), ErrorKind::Authentication);
        assert_eq!(kind(403, ""), ErrorKind::NotVisible);
        assert_eq!(kind(409, ""), ErrorKind::Conflict);
        assert_eq!(kind(429, ""), ErrorKind::RateLimited);
        assert_eq!(kind(503, "<html>"), ErrorKind::Server);
        assert_eq!(kind(302, ""), ErrorKind::Protocol);
        assert_eq!(
            kind(200, r#"{"errors":[{"message":"permission denied"}]}"#),
            ErrorKind::NotVisible
        );
        assert_eq!(
            kind(
                400,
                r#"{"errors":[{"message":"Cannot query field \"x\" on type \"Run\""}]}"#
            ),
            ErrorKind::Unsupported
        );
        assert_eq!(
            kind(
                200,
                r#"{"errors":[{"message":"could not find project p"}],"data":{"project":null}}"#
            ),
            ErrorKind::NotFound
        );
    }

    #[test]
    fn an_address_without_an_endpoint_is_no_missing_object() {
        for status in [404, 410] {
            for body in [
                "",
                "404 page not found",
                "<html>Not Found</html>",
                "{}",
                r#"{"errors":[]}"#,
                r#"{"error":"no such endpoint"}"#,
            ] {
                let error = read(status, body).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Protocol, "{status} {body}");
                assert_eq!(error.status(), Some(status));
                assert!(error.hints()[0].contains("without /graphql"), "{error:?}");
            }
            let missing = r#"{"errors":[{"message":"could not find project p"}]}"#;
            assert_eq!(kind(status, missing), ErrorKind::NotFound);
        }
        // Of any other address a 404 is what it always is.
        let gone = error_of_answer(StatusCode::NOT_FOUND, &HeaderMap::new(), b"", 0);
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_a_server_repeats_holds_no_secret_and_has_an_end() {
        let long = "x".repeat(100_000);
        let message = format!(
            "refused https://s.example/o?X-Amz-Signature=abcdef0123456789 sent with Authorization: Basic YXBpOmFhYWFhYWFhYWFhYWFh {long}"
        );
        for (status, body) in [
            (
                200,
                serde_json::json!({"errors": [{"message": message, "path": [message.as_str()]}]}),
            ),
            (500, serde_json::json!({"error": message})),
        ] {
            let error = read(status, &body.to_string()).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("abcdef0123456789") && !text.contains("YXBpOmFh"),
                "{text}"
            );
            assert!(text.len() < 4_000, "{}", text.len());
        }
    }

    #[test]
    fn web_pages_and_half_bodies_are_named() {
        let page = read(200, "<!doctype html><title>Sign in</title>").unwrap_err();
        assert_eq!(page.kind(), ErrorKind::Protocol);
        assert!(page.to_string().contains("web page") && !page.hints().is_empty());
        assert!(
            read(200, r#"{"data":{"a""#)
                .unwrap_err()
                .to_string()
                .contains("not complete JSON")
        );
        assert!(read(200, "").unwrap_err().to_string().contains("empty body"));
    }

    proptest! {
        #[test]
        fn any_body_is_data_or_an_error(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let answer: Result<serde_json::Value> =
                read_answer(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &body, 0);
            if let Err(error) = answer {
                prop_assert!(!error.to_string().is_empty());
            }
        }

        #[test]
        fn any_json_in_the_places_of_errors_is_survived(entry in "[\\[\\]{}:,\"a-z0-9]{0,30}") {
            for body in [format!("{{\"errors\":{entry}}}"), format!("{{\"error\":{entry}}}"), format!("{{\"errors\":[{entry}]}}")] {
                prop_assert!(read(500, &body).is_err());
                let _ = read(200, &body);
            }
        }
    }
}
