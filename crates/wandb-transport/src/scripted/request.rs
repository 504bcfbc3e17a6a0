//! A request as the scripted transport got it.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request that was sent, with its whole body.
///
/// `Debug` shows the method, the URI without its query, the operation, the names of the headers and the size of the body:
/// it may land in a log, and headers and queries hold credentials.
#[derive(Clone)]
pub struct RecordedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    json: Option<Value>,
}

impl RecordedRequest {
    pub(super) fn new(parts: http::request::Parts, body: Bytes) -> Self {
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            json: serde_json::from_slice(&body).ok(),
            body,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URI as it was given to the transport.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The value of the first query parameter of this name, percent-decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        self.uri.query()?.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of the first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// The name of the GraphQL operation: `operationName` of the body, or else the name in the text of the query.
    pub fn operation(&self) -> Option<&str> {
        let json = self.json()?;
        json["operationName"]
            .as_str()
            .or_else(|| named_in(json["query"].as_str()?))
    }

    /// The GraphQL variables of the body.
    pub fn variables(&self) -> Option<&Value> {
        self.json()?.get("variables")
    }

    /// The request in one line without anything secret.
    pub(super) fn summary(&self) -> String {
        let uri = &self.uri;
        let scheme = uri
            .scheme_str()
            .map(|scheme| format!("{scheme}://"))
            .unwrap_or_default();
        let host = uri
            .authority()
            .map(|authority| match authority.as_str().rsplit_once('@') {
                Some((_, host)) => host,
                None => authority.as_str(),
            });
        let query = if uri.query().is_some() { "?…" } else { "" };
        let operation = self
            .operation()
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        format!(
            "{} {scheme}{}{}{query}{operation}",
            self.method,
            host.unwrap_or_default(),
            uri.path()
        )
    }
}

/// The name of the first operation in a GraphQL document that starts with it: `query Name`, `mutation Name`.
fn named_in(document: &str) -> Option<&str> {
    let document = document.trim_start();
    let rest = document
        .strip_prefix("query")
        .or_else(|| document.strip_prefix("mutation"))?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().map(|name| name.as_str()).collect();
        write!(
            f,
            "{}, headers {headers:?}, {} bytes",
            self.summary(),
            self.body.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_found_in_its_text() {
        for (document, name) in [
            ("query Runs($a: Int) { x }", Some("Runs")),
            ("\n  mutation\n DeleteRun{ x }", Some("DeleteRun")),
            ("query { x }", None),
            ("{ x }", None),
            ("queryRuns", None),
            ("", None),
        ] {
            assert_eq!(named_in(document), name, "{document:?}");
        }
    }
}
