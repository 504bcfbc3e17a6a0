//! Printing of URLs, headers and free text with what is secret in them masked.
//!
//! The rule is an allow list: what is not known to be harmless is masked. A signed URL is a credential (whoever has it
//! can read the bytes), and servers sign with parameters of many names, so an unknown parameter counts as a signature.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

use crate::secret::{MASK, is_jwt};

/// Query parameters whose values are shown. Compared without regard to case.
const SAFE_PARAMETERS: &[&str] = &[
    "alt",
    "expires",
    "first",
    "generation",
    "jupyter",
    "limit",
    "nw",
    "offset",
    "page",
    "per_page",
    "workspace",
];

/// Path segments after which a token follows: the embedded server's self-authenticating file URLs.
const TOKEN_SEGMENTS: &[&str] = &["dl", "up"];

/// A URL that may hold a credential: a signed file URL, a proxy with a password, anything that a server handed out.
///
/// `Display` and `Debug` mask user information, query values outside of a short safe list, fragments and token path
/// segments. The full text is reached through [`SafeUrl::expose`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SafeUrl(String);

impl SafeUrl {
    /// Wraps a URL, or any text that stands where one should: it is not checked.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The full text, credentials included. Do not print or log what this returns.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text as an [`http::Uri`], for a request.
    ///
    /// # Errors
    /// When the text is not a URI. The error of `http` names no part of the text.
    pub fn to_uri(&self) -> Result<http::Uri, http::uri::InvalidUri> {
        // A fragment is never sent, and `http` would keep one in the path.
        let without_fragment = self.0.split('#').next().unwrap_or_default();
        without_fragment.parse()
    }

    /// The host, with the port where one is given, for messages. `None` when the text has no `scheme://host`.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let authority = &rest[..rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len())];
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        (!host.is_empty()).then_some(host)
    }
}

impl From<String> for SafeUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for SafeUrl {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redact_url(&self.0))
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&redact_url(&self.0), formatter)
    }
}

impl<'de> serde::Deserialize<'de> for SafeUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// The URL with its credentials masked. Works on any text, a relative reference included.
pub fn redact_url(text: &str) -> String {
    redact_url_with(text, &mut |_| MASK.to_owned())
}

/// As [`redact_url`], with `mask` saying what stands in place of each secret: a recording tells one signature from
/// another and still holds none. What `mask` gives should be letters, digits and `-`, which every part of a URL may hold.
pub fn redact_url_with(text: &str, mask: &mut dyn FnMut(&str) -> String) -> String {
    let (text, fragment) = split_at_first(text, '#');
    let (text, query) = split_at_first(text, '?');
    let mut output = String::with_capacity(text.len() + 16);

    let path = match text
        .find("://")
        .map(|index| index + 3)
        .or_else(|| text.starts_with("//").then_some(2))
    {
        // A colon-slash-slash inside of a path is not an authority; a scheme is a word.
        Some(start) if text[..start].chars().all(is_scheme_character) => {
            output.push_str(&text[..start]);
            let rest = &text[start..];
            let end = rest.find(['/', '\\']).unwrap_or(rest.len());
            // The last "@" of the whole text counts when the password itself holds a slash, as a mistyped proxy URL can
            // have; such an "@" in a path is rare, and masking too much is the safe side.
            let at = rest[..end].rfind('@').or_else(|| password_with_slash(rest));
            match at {
                Some(at) => {
                    output.push_str(&mask(&rest[..at]));
                    output.push('@');
                    let host_and_path = &rest[at + 1..];
                    let end = host_and_path.find(['/', '\\']).unwrap_or(host_and_path.len());
                    output.push_str(&host_and_path[..end]);
                    &host_and_path[end..]
                }
                None => {
                    output.push_str(&rest[..end]);
                    &rest[end..]
                }
            }
        }
        _ => text,
    };
    redact_path(path, &mut output, mask);
    if let Some(query) = query {
        output.push('?');
        redact_query(query, &mut output, mask);
    }
    match fragment {
        Some("") => output.push('#'),
        Some(fragment) => {
            output.push('#');
            output.push_str(&mask(fragment));
        }
        None => {}
    }
    output
}

fn split_at_first(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_scheme_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.' | ':' | '/')
}

/// Where the "@" is in `user:pass/word@host`: the text before the first slash has a colon that starts no port number.
fn password_with_slash(rest: &str) -> Option<usize> {
    let end = rest.find(['/', '\\'])?;
    let (_, after_colon) = rest[..end].rsplit_once(':')?;
    if rest.starts_with('[') || after_colon.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    rest.rfind('@')
}

fn redact_path(path: &str, output: &mut String, mask: &mut dyn FnMut(&str) -> String) {
    let mut after_token_segment = false;
    for piece in path.split_inclusive(['/', '\\']) {
        let segment = piece.trim_end_matches(['/', '\\']);
        let separator = &piece[segment.len()..];
        if (after_token_segment && !segment.is_empty()) || looks_like_a_key(segment) {
            output.push_str(&mask(segment));
        } else {
            output.push_str(segment);
        }
        output.push_str(separator);
        if !segment.is_empty() {
            after_token_segment = TOKEN_SEGMENTS.contains(&segment);
        }
    }
}

/// Whether a word is an API key or a JWT by its shape. Plain hexadecimal is not taken for one: digests look the same.
fn looks_like_a_key(word: &str) -> bool {
    let long = |rest: &str| {
        rest.len() >= 40
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    (word.len() >= 60 && word.starts_with("eyJ") && is_jwt(word))
        || word.strip_prefix("local-").is_some_and(long)
        || word.strip_prefix("wandb_v").is_some_and(long)
}

fn redact_query(query: &str, output: &mut String, mask: &mut dyn FnMut(&str) -> String) {
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            output.push('&');
        }
        match pair.split_once('=') {
            None if pair.is_empty() => {}
            // A bare word may itself be the token.
            None => output.push_str(&mask(pair)),
            Some((name, value)) => {
                let is_name = name.len() <= 64
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.%".contains(&byte))
                    && !looks_like_a_key(name);
                if is_name {
                    output.push_str(name);
                } else {
                    output.push_str(&mask(name));
                }
                output.push('=');
                let is_safe = SAFE_PARAMETERS.iter().any(|safe| safe.eq_ignore_ascii_case(name));
                if value.is_empty() || (is_safe && value.len() <= 64 && !looks_like_a_key(value)) {
                    output.push_str(value);
                } else {
                    output.push_str(&mask(value));
                }
            }
        }
    }
}

/// Free text (a server's message, an error of another library) with URLs and credentials in it masked.
///
/// Finds `scheme://…` words, `Basic …` and `Bearer …` credentials, JWTs and prefixed API keys.
pub fn redact_text(text: &str) -> Cow<'_, str> {
    redact_text_with(text, &mut |_| MASK.to_owned())
}

/// As [`redact_text`], with `mask` saying what stands in place of each secret; see [`redact_url_with`].
pub fn redact_text_with<'a>(text: &'a str, mask: &mut dyn FnMut(&str) -> String) -> Cow<'a, str> {
    let mut output = String::new();
    let mut changed = false;
    let mut after_scheme = false;
    let is_boundary = |character: char| {
        character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '(' | ')' | ',' | '`')
    };
    for piece in text.split_inclusive(is_boundary) {
        let word = piece.trim_end_matches(is_boundary);
        let boundary = &piece[word.len()..];
        let masked = if after_scheme && word.len() >= 16 {
            Some(mask(word))
        } else if word.contains("://") {
            Some(redact_url_in_word(word, mask))
        } else if word.split(['=', ':', ';', '/']).any(looks_like_a_key) {
            Some(mask(word))
        } else {
            None
        };
        if !word.is_empty() {
            let last = word.rsplit([':', '=']).next().unwrap_or_default();
            after_scheme = last.eq_ignore_ascii_case("basic") || last.eq_ignore_ascii_case("bearer");
        }
        match masked {
            Some(masked) if masked != word => {
                changed = true;
                output.push_str(&masked);
            }
            _ => output.push_str(word),
        }
        output.push_str(boundary);
    }
    if changed {
        Cow::Owned(output)
    } else {
        Cow::Borrowed(text)
    }
}

/// Masks the URL in a word such as `url=https://…`; what stands before the scheme is kept.
fn redact_url_in_word(word: &str, mask: &mut dyn FnMut(&str) -> String) -> String {
    let separator = word.find("://").unwrap_or_default();
    let is_scheme =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
    let start = word[..separator]
        .rfind(|character| !is_scheme(character))
        .map_or(0, |index| {
            index + word[index..].chars().next().map_or(0, char::len_utf8)
        });
    format!("{}{}", &word[..start], redact_url_with(&word[start..], mask))
}

/// Headers with all values masked but those known to be harmless, for logs and recordings.
#[derive(Clone, Copy)]
pub struct RedactedHeaders<'a>(&'a HeaderMap);

/// Wraps headers for printing.
pub fn redact_headers(headers: &HeaderMap) -> RedactedHeaders<'_> {
    RedactedHeaders(headers)
}

impl<'a> RedactedHeaders<'a> {
    /// Names and printable values, in the map's order.
    pub fn iter(self) -> impl Iterator<Item = (&'a HeaderName, Cow<'a, str>)> {
        self.0
            .iter()
            .map(|(name, value)| (name, redact_header(name, value)))
    }
}

impl fmt::Debug for RedactedHeaders<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

/// One header's value for printing: [`MASK`] unless the header is known to be harmless.
pub fn redact_header<'a>(name: &HeaderName, value: &'a HeaderValue) -> Cow<'a, str> {
    const SAFE: &[HeaderName] = &[
        header::ACCEPT,
        header::ACCEPT_ENCODING,
        header::ACCEPT_RANGES,
        header::AGE,
        header::CACHE_CONTROL,
        header::CONNECTION,
        header::CONTENT_DISPOSITION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::DATE,
        header::ETAG,
        header::EXPIRES,
        header::HOST,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_RANGE,
        header::LAST_MODIFIED,
        header::RANGE,
        header::RETRY_AFTER,
        header::SERVER,
        header::TRANSFER_ENCODING,
        header::USER_AGENT,
        header::VARY,
    ];
    const SAFE_EXTENSIONS: &[&str] = &[
        "content-md5",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "x-request-id",
    ];
    if value.is_sensitive() {
        return Cow::Borrowed(MASK);
    }
    let Ok(text) = value.to_str() else {
        return Cow::Borrowed(MASK);
    };
    if *name == header::LOCATION {
        return Cow::Owned(redact_url(text));
    }
    if SAFE.contains(name) || SAFE_EXTENSIONS.contains(&name.as_str()) {
        Cow::Borrowed(text)
    } else {
        Cow::Borrowed(MASK)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_masked() {
        for (url, expected) in [
            ("https://api.wandb.ai/graphql", "https://api.wandb.ai/graphql"),
            ("https://user:secret@host:8080/a", "https://***@host:8080/a"),
            ("https://user@host", "https://***@host"),
            ("http://u:pa/ss@proxy:3128/", "http://***@proxy:3128/"),
            ("https://host:443/a@b", "https://host:443/a@b"),
            ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
            (
                "https://s3/b/k?X-Amz-Signature=abc&X-Amz-Date=2024&alt=media&limit=5",
                "https://s3/b/k?X-Amz-Signature=***&X-Amz-Date=***&alt=media&limit=5",
            ),
            (
                "https://h/f?sig=a&se=b&sp=c&sv=d&token=e",
                "https://h/f?sig=***&se=***&sp=***&sv=***&token=***",
            ),
            ("https://h/f?deadbeef", "https://h/f?***"),
            ("https://h/f?a=&=b", "https://h/f?a=&=***"),
            (
                "http://127.0.0.1:8080/dl/tok3n/model.bin",
                "http://127.0.0.1:8080/dl/***/model.bin",
            ),
            ("http://127.0.0.1:8080/up//tok3n", "http://127.0.0.1:8080/up//***"),
            ("/dl/tok3n", "/dl/***"),
            (
                "https://wandb.ai/e/p/runs/r?nw=abc&accessToken=xyz#frag",
                "https://wandb.ai/e/p/runs/r?nw=abc&accessToken=***#***",
            ),
            ("", ""),
            ("no url at all", "no url at all"),
        ] {
            assert_eq!(redact_url(url), expected, "{url}");
            assert_eq!(SafeUrl::new(url).to_string(), expected);
            assert_eq!(format!("{:?}", SafeUrl::new(url)), format!("{expected:?}"));
        }
    }

    #[test]
    fn text_is_masked() {
        let key = format!("local-{}", "a".repeat(40));
        for (text, expected) in [
            ("run not found".to_owned(), "run not found".to_owned()),
            (
                "GET (https://h/f?sig=abc) failed".to_owned(),
                "GET (https://h/f?sig=***) failed".to_owned(),
            ),
            (
                "url=https://u:p@h/x, twice".to_owned(),
                "url=https://***@h/x, twice".to_owned(),
            ),
            (
                "Authorization: Bearer abcdefghijklmnopqrst".to_owned(),
                "Authorization: Bearer ***".to_owned(),
            ),
            ("a bearer of news".to_owned(), "a bearer of news".to_owned()),
            (format!("bad key {key}!"), format!("bad key {key}!")),
            (format!("bad key {key}"), "bad key ***".to_owned()),
        ] {
            assert_eq!(redact_text(&text), expected);
        }
    }

    #[test]
    fn headers_are_masked_unless_known() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Basic c2VjcmV0"));
        headers.insert("x-custom", HeaderValue::from_static("secret"));
        headers.insert("set-cookie", HeaderValue::from_static("secret"));
        headers.insert("location", HeaderValue::from_static("https://h/f?sig=secret"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let printed = format!("{:?}", redact_headers(&headers));
        assert!(
            !printed.contains("secret") && !printed.contains("c2VjcmV0"),
            "{printed}"
        );
        assert!(
            printed.contains("application/json") && printed.contains("https://h/f?sig=***"),
            "{printed}"
        );
    }

    #[test]
    fn host_and_uri() {
        let url = SafeUrl::new("https://u:p@h:1/a?b#c");
        assert_eq!(url.host(), Some("h:1"));
        assert_eq!(SafeUrl::new("/x").host(), None);
        assert_eq!(
            SafeUrl::new("https://h/a?b=c#d").to_uri().unwrap().to_string(),
            "https://h/a?b=c"
        );
        assert!(SafeUrl::new("not a uri").to_uri().is_err());
    }

    #[test]
    fn each_secret_is_handed_to_the_mask() {
        let mut seen = Vec::new();
        let mut mask = |secret: &str| {
            seen.push(secret.to_owned());
            format!("S{}", seen.len())
        };
        assert_eq!(
            redact_url_with("https://u:p@h/dl/tok/f?X-Sig=abc&alt=media&bare#frag", &mut mask),
            "https://S1@h/dl/S2/f?X-Sig=S3&alt=media&S4#S5"
        );
        assert_eq!(
            redact_text_with("see https://h/f?sig=x, or not", &mut mask),
            "see https://h/f?sig=S6, or not"
        );
        assert_eq!(seen, ["u:p", "tok", "abc", "bare", "frag", "x"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_secret_in_any_secret_place_is_gone(
            secret in "[A-Z]{12,20}", name in "(X-Amz-[a-z]{3,8}|sig|Signature|token|[a-z]{12})", host in "[a-z]{3,8}",
        ) {
            for url in [
                format!("https://{host}/f?{name}={secret}&alt=media"),
                format!("https://{host}/f?alt=media&{name}={secret}"),
                format!("https://u:{secret}@{host}/f"),
                format!("https://{secret}@{host}/f"),
                format!("https://{host}/dl/{secret}/f.txt"),
                format!("https://{host}/f#{secret}"),
            ] {
                prop_assert!(!redact_url(&url).contains(&secret), "{}", redact_url(&url));
                let text = format!("cannot read {url}: closed");
                prop_assert!(!redact_text(&text).contains(&secret));
            }
        }

        #[test]
        fn any_text_is_answered_without_panic(text in any::<String>()) {
            let _ = redact_text(&text);
            let once = redact_url(&text);
            prop_assert_eq!(redact_url(&once), once);
        }
    }
}
