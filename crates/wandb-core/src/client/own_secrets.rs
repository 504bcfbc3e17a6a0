//! The secrets that a client sends itself, to be masked where they come back.
//!
//! The shape of a text does not tell a classic API key, which is 40 hexadecimal digits as a digest can be; but the client
//! knows its own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue};

use crate::{
    redact::redact_header,
    secret::{MASK, Secret},
};

/// Shorter texts are words that may stand anywhere.
const SHORTEST: usize = 8;

/// The credential of a client in every form in which it is sent, and the values of extra headers that are not known to be
/// harmless.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnSecrets(Vec<Secret>);

impl OwnSecrets {
    pub(super) fn of(authorization: Option<&HeaderValue>, extra_headers: &HeaderMap) -> Self {
        let mut secrets = Vec::new();
        let credential = authorization.and_then(|value| value.to_str().ok());
        if let Some(credential) = credential {
            let sent = credential
                .split_once(' ')
                .map_or(credential, |(_, sent)| sent.trim());
            secrets.push(Secret::from(sent));
            let pair = STANDARD
                .decode(sent)
                .ok()
                .and_then(|pair| String::from_utf8(pair).ok());
            if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                secrets.push(Secret::from(password));
            }
        }
        for (name, value) in extra_headers {
            if let Ok(text) = value.to_str()
                && redact_header(name, value) != text
            {
                secrets.push(Secret::from(text));
            }
        }
        secrets.retain(|secret| secret.expose().len() >= SHORTEST);
        // Of two of which one holds the other, the longer first.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self(secrets)
    }

    /// The text without them; `None` when it holds none.
    pub(super) fn mask(&self, text: &str) -> Option<String> {
        let mut masked: Option<String> = None;
        for secret in &self.0 {
            let now = masked.as_deref().unwrap_or(text);
            if now.contains(secret.expose()) {
                masked = Some(now.replace(secret.expose(), MASK));
            }
        }
        masked
    }
}
