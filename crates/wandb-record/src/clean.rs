//! Secrets out of texts, each replaced by the same placeholder wherever it stands.
//!
//! What is a secret is decided by `wandb_core::redact`, as for logs and errors; here are added the credentials that were
//! seen in headers, the values of JSON members with telling names, and what the user names. Two kinds of placeholders:
//!
//! - `REDACTED-7` stands for a secret that came in an **answer**, a signature for example. The replayed answer holds the
//!   placeholder, the client sends it back, and the request is recognised.
//! - `REDACTED` stands for a secret that the **caller** had. When the session is replayed any secret of the caller's is
//!   taken for it, so a test needs no real key.
//!
//! No secret is kept in memory but the credentials; of the rest a keyed hash is enough to know it again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, LOCATION, PROXY_AUTHORIZATION};
use serde::de::IgnoredAny;
use wandb_core::redact::{redact_header, redact_text_with, redact_url_with};
use wandb_core::secret::MASK;
use wandb_core::value::Value;
use zeroize::Zeroizing;

use crate::format::Side;

/// What stands for a secret, followed by a number for one that came in an answer.
const PLACEHOLDER: &str = "REDACTED";

/// Shorter credentials are not searched for in texts: they would be found everywhere.
const SHORTEST_CREDENTIAL: usize = 8;

/// How deep JSON texts inside of JSON strings are followed: config in an answer is one such text.
const LARGEST_NESTING: usize = 3;

/// Members of JSON objects whose texts are secrets, in lower case and without `_` and `-`. What is below such a member is
/// secret, too.
const SECRET_MEMBERS: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "apikeys",
    "authorization",
    "clientsecret",
    "cookie",
    "idtoken",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessiontoken",
    "signature",
    "token",
];

/// Headers of the connection and not of the message.
const HOP_HEADERS: &[&str] = &["connection", "host", "transfer-encoding"];

/// Who asks for a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Secrets of answers are numbered.
    Record,
    /// Every secret that is no placeholder is the caller's.
    Replay,
}

/// Replaces secrets, and knows them again.
pub(crate) struct Cleaner {
    mode: Mode,
    credentials: Vec<Zeroizing<String>>,
    hashers: [RandomState; 2],
    /// The number of each secret that was seen; `None` for one that the caller had first.
    seen: HashMap<[u64; 2], Option<u32>>,
    given: u32,
}

impl Cleaner {
    pub(crate) fn for_recording() -> Self {
        Self::new(Mode::Record)
    }

    pub(crate) fn for_replay() -> Self {
        Self::new(Mode::Replay)
    }

    fn new(mode: Mode) -> Self {
        Self {
            mode,
            credentials: Vec::new(),
            hashers: [RandomState::new(), RandomState::new()],
            seen: HashMap::new(),
            given: 0,
        }
    }

    /// A text that is a secret wherever it stands, whatever is around it.
    pub(crate) fn add_credential(&mut self, secret: &str) {
        let known = self.credentials.iter().any(|known| known.as_str() == secret);
        if known || secret.len() < SHORTEST_CREDENTIAL {
            return;
        }
        self.credentials.push(Zeroizing::new(secret.to_owned()));
        // A credential that holds another one goes first, else a piece of it would stay.
        self.credentials.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// Learns the credentials that a request carries.
    pub(crate) fn learn(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            let is_authorization = *name == AUTHORIZATION || *name == PROXY_AUTHORIZATION;
            let is_secret = is_authorization || value.is_sensitive() || name.as_str().contains("cookie");
            let Some(text) = value.to_str().ok().filter(|_| is_secret) else {
                continue;
            };
            let credential = text.split_once(' ').map_or(text, |(_, rest)| rest).trim();
            self.add_credential(credential);
            if let Ok(decoded) = STANDARD.decode(credential)
                && let Ok(pair) = String::from_utf8(decoded)
            {
                let pair = Zeroizing::new(pair);
                self.add_credential(pair.split_once(':').map_or("", |(_, password)| password));
            }
        }
    }

    /// The credentials, to search bytes for.
    pub(crate) fn credentials(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let bytes = |text: &Zeroizing<String>| Zeroizing::new(text.as_bytes().to_vec());
        self.credentials.iter().map(bytes).collect()
    }

    /// The harmless headers, for a recording.
    pub(crate) fn headers(&mut self, headers: &HeaderMap, side: Side) -> Vec<(String, String)> {
        let keep = |name: &HeaderName| !HOP_HEADERS.contains(&name.as_str());
        let mut kept = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| keep(name)) {
            let text = if *name == LOCATION {
                let text = value.to_str().unwrap_or_default();
                self.url(text, side)
            } else {
                match redact_header(name, value) {
                    shown if shown == MASK => continue,
                    shown => self.without_credentials(&shown).into_owned(),
                }
            };
            kept.push((name.as_str().to_owned(), text));
        }
        kept
    }

    /// A URL.
    pub(crate) fn url(&mut self, text: &str, side: Side) -> String {
        let text = self.without_credentials(text).into_owned();
        redact_url_with(&text, &mut |secret| self.placeholder(secret, side))
    }

    /// The body of a call: JSON, or any other text.
    pub(crate) fn body(&mut self, text: &str, side: Side) -> String {
        self.json_or_text(text, side, LARGEST_NESTING)
    }

    /// A form (`name=value&…`), as a token endpoint takes it.
    pub(crate) fn form(&mut self, text: &str, side: Side) -> String {
        let url = self.url(&format!("?{text}"), side);
        url.get(1..).unwrap_or_default().to_owned()
    }

    /// Any text.
    pub(crate) fn text(&mut self, text: &str, side: Side) -> String {
        let text = self.without_credentials(text).into_owned();
        redact_text_with(&text, &mut |secret| self.placeholder(secret, side)).into_owned()
    }

    fn without_credentials<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for credential in &self.credentials {
            if text.contains(credential.as_str()) {
                text = Cow::Owned(text.replace(credential.as_str(), PLACEHOLDER));
            }
        }
        text
    }

    fn json_or_text(&mut self, text: &str, side: Side, nesting: usize) -> String {
        if !text.trim_start().starts_with(['{', '[']) {
            return self.text(text, side);
        }
        let is_whole = serde_json::from_str::<IgnoredAny>(text).is_ok() || Value::parse(text).is_ok();
        let cleaned = self.json(text, side, nesting);
        if is_whole {
            return cleaned;
        }
        // JSON that broke off, or only looks like it: what stands outside of strings is text.
        self.text(&cleaned, side)
    }

    /// Replaces inside of the strings of a JSON text, and leaves every other character as it is: numbers keep their digits,
    /// objects their order, and W&B's bare `NaN` stays.
    fn json(&mut self, text: &str, side: Side, nesting: usize) -> String {
        let mut output = String::with_capacity(text.len());
        let mut depth = 0_usize;
        // The depth at which a secret member began, while inside of one.
        let mut secret_since: Option<usize> = None;
        let mut rest = text;
        while let Some(at) = rest.find(['"', '{', '[', '}', ']', ',']) {
            let (before, from) = rest.split_at(at);
            output.push_str(before);
            let Some(token) = string_token(from) else {
                if let Some(cut) = from.strip_prefix('"') {
                    // The text broke off inside of this string.
                    output.push('"');
                    output.push_str(&match secret_since {
                        Some(_) => self.placeholder(cut, side),
                        None => self.text(cut, side),
                    });
                    return output;
                }
                match from.as_bytes().first() {
                    Some(b'{' | b'[') => depth += 1,
                    Some(b'}' | b']') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                // A member ends with the comma behind it, or with what is around it.
                let ends = from.starts_with([',', '}', ']']);
                if ends && secret_since.is_some_and(|since| depth <= since) {
                    secret_since = None;
                }
                output.push_str(&from[..1]);
                rest = &from[1..];
                continue;
            };
            rest = &from[token.len()..];
            let is_name = rest.trim_start().starts_with(':');
            let decoded: String =
                serde_json::from_str(token).unwrap_or_else(|_| token.trim_matches('"').to_owned());
            let cleaned = if is_name {
                self.text(&decoded, side)
            } else if secret_since.is_some() {
                self.placeholder(&decoded, side)
            } else if nesting > 0 && decoded.starts_with(['{', '[']) {
                self.json_or_text(&decoded, side, nesting - 1)
            } else {
                self.text(&decoded, side)
            };
            if is_name && secret_since.is_none() && is_secret_member(&decoded) {
                secret_since = Some(depth);
            }
            if cleaned == decoded {
                output.push_str(token);
            } else {
                output.push_str(&serde_json::Value::String(cleaned).to_string());
            }
        }
        output.push_str(rest);
        output
    }

    /// What stands for a secret.
    fn placeholder(&mut self, secret: &str, side: Side) -> String {
        if secret.is_empty() || is_placeholder(secret) {
            return secret.to_owned();
        }
        if self.mode == Mode::Replay {
            return PLACEHOLDER.to_owned();
        }
        let key = [0, 1].map(|index: usize| self.hashers[index].hash_one(secret));
        let given = &mut self.given;
        let number = *self.seen.entry(key).or_insert_with(|| match side {
            Side::Request => None,
            Side::Answer => {
                *given += 1;
                Some(*given)
            }
        });
        match number {
            Some(number) => format!("{PLACEHOLDER}-{number}"),
            None => PLACEHOLDER.to_owned(),
        }
    }
}

impl std::fmt::Debug for Cleaner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Cleaner")
            .field("mode", &self.mode)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

fn is_placeholder(text: &str) -> bool {
    text.strip_prefix(PLACEHOLDER).is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|digits| {
                (1..=10).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
            })
    })
}

fn is_secret_member(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    SECRET_MEMBERS.contains(&plain.as_str())
}

/// The JSON string at the beginning of a text, with its quotes.
fn string_token(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    for (index, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return text.get(..index + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_has_one_placeholder_and_a_placeholder_is_none() {
        let mut cleaner = Cleaner::for_recording();
        let signed = |signature: &str| format!("https://s.example/f?X-Sig={signature}&alt=media");
        assert_eq!(cleaner.url(&signed("abc"), Side::Answer), signed("REDACTED-1"));
        assert_eq!(cleaner.url(&signed("def"), Side::Answer), signed("REDACTED-2"));
        assert_eq!(cleaner.url(&signed("abc"), Side::Request), signed("REDACTED-1"));
        assert_eq!(cleaner.url(&signed("mine"), Side::Request), signed("REDACTED"));
        assert_eq!(cleaner.url(&signed("mine"), Side::Answer), signed("REDACTED"));
        assert_eq!(
            cleaner.url(&signed("REDACTED-7"), Side::Answer),
            signed("REDACTED-7")
        );
        let mut replay = Cleaner::for_replay();
        assert_eq!(replay.url(&signed("other"), Side::Request), signed("REDACTED"));
        assert_eq!(
            replay.url(&signed("REDACTED-1"), Side::Request),
            signed("REDACTED-1")
        );
    }

    #[test]
    fn json_keeps_every_other_character() {
        let mut cleaner = Cleaner::for_recording();
        let text = r#"{"z": 1.0e5, "a": NaN, "url":"https:\/\/h\/f?sig=x", "big": 123456789012345678901234567890,
            "apiKeys": {"edges": [{"node": {"name": "k1"}}], "n": 3}, "after": "k1", "token": 7, "plain": "é\u00e9"}"#;
        let expected = r#"{"z": 1.0e5, "a": NaN, "url":"https://h/f?sig=REDACTED-1", "big": 123456789012345678901234567890,
            "apiKeys": {"edges": [{"node": {"name": "REDACTED-2"}}], "n": 3}, "after": "k1", "token": 7, "plain": "é\u00e9"}"#;
        assert_eq!(cleaner.body(text, Side::Answer), expected);
        let nested = r#"{"config":"{\"api_key\":{\"desc\":null,\"value\":\"sk\"},\"lr\":0.10}"}"#;
        let cleaned = r#"{"config":"{\"api_key\":{\"desc\":null,\"value\":\"REDACTED-3\"},\"lr\":0.10}"}"#;
        assert_eq!(cleaner.body(nested, Side::Answer), cleaned);
        assert_eq!(
            cleaner.body(r#"{"password":"p","other":["https://u:p2@h/"]}"#, Side::Answer),
            r#"{"password":"REDACTED-4","other":["https://REDACTED-5@h/"]}"#
        );
    }

    #[test]
    fn json_that_broke_off_is_cleaned() {
        for (text, expected) in [
            (r#"{"a":"b","token":"abc"#, r#"{"a":"b","token":"REDACTED-1"#),
            (r#"{"token":["abc","de"#, r#"{"token":["REDACTED-1","REDACTED-2"#),
            (
                r#"{"url":"https://h/f?sig=ab"#,
                r#"{"url":"https://h/f?sig=REDACTED-1"#,
            ),
            ("{x https://h/f?sig=ab", "{x https://h/f?sig=REDACTED-1"),
        ] {
            assert_eq!(Cleaner::for_recording().body(text, Side::Answer), expected);
        }
    }

    #[test]
    fn credentials_of_headers_are_known_everywhere() {
        let mut cleaner = Cleaner::for_recording();
        let mut headers = HeaderMap::new();
        let encoded = STANDARD.encode("api:0123456789abcdef");
        headers.insert(
            AUTHORIZATION,
            format!("Basic {encoded}").parse().expect("a header"),
        );
        headers.insert("accept", "a/b".parse().expect("a header"));
        headers.insert("x-tenant", "t".parse().expect("a header"));
        cleaner.learn(&headers);
        let text = format!("<p>key 0123456789abcdef of {encoded}</p>");
        assert_eq!(
            cleaner.body(&text, Side::Answer),
            "<p>key REDACTED of REDACTED</p>"
        );
        let kept = cleaner.headers(&headers, Side::Request);
        assert_eq!(kept, [("accept".to_owned(), "a/b".to_owned())]);
        assert_eq!(
            cleaner.form("grant=x&assertion=y", Side::Request),
            "grant=REDACTED&assertion=REDACTED"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_text_is_answered_and_cleaning_is_done_once(text in any::<String>(), quoted in any::<String>()) {
            for text in [text, serde_json::json!({"a": quoted, "token": [quoted]}).to_string()] {
                let mut cleaner = Cleaner::for_recording();
                let once = cleaner.body(&text, Side::Answer);
                if serde_json::from_str::<IgnoredAny>(&text).is_ok() {
                    prop_assert!(serde_json::from_str::<IgnoredAny>(&once).is_ok(), "{once}");
                }
                prop_assert_eq!(Cleaner::for_replay().body(&once, Side::Request), once);
            }
        }
    }
}
