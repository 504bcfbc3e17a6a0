//! Secrets as types: an API key, an access token, or any other string that must not be shown.
//!
//! Each of these prints itself as `***`, in `Debug` and in `Display`, so that no log line, error or recording can hold
//! one by accident. The text is reached through an `expose` method only, and the memory is wiped on drop.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

/// What stands in place of a secret wherever one would have been printed.
pub const MASK: &str = "***";

/// The shortest secret part of an API key that the server issues (official: `check_api_key`).
const MINIMUM_KEY_LENGTH: usize = 40;

/// A string that never shows itself.
///
/// `Debug` and `Display` print [`MASK`]; the memory is overwritten on drop. There is no `Serialize` on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a string.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Do not print or log what this returns.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty, which is no secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// An API key in a valid form, sent as HTTP Basic with the user `api` (protocol §1.3).
///
/// A valid key is one of
/// - a JWT: three non-empty dot-separated parts of letters, digits, `_` and `-`;
/// - an optional prefix up to the first dash (`local-…`), then at least 40 letters, digits, `_` or `-`.
///
/// "Letters" are those of Unicode, as the official check has them. Unlike the official check, white space and control
/// characters are refused in the prefix too: no server issues such a key, and a pasted line break is a common mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Secret);

/// Why a text is not an API key. No variant holds any part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The text is empty.
    #[error("API key is empty")]
    Empty,
    /// The text begins or ends with white space, or holds a space, a line break or a control character.
    #[error("API key holds white space or a control character (character {position})")]
    WhiteSpace {
        /// Which character it is, counted from 1.
        position: usize,
    },
    /// A character that no API key has.
    #[error(
        "API key may hold only letters, digits, \"_\" and \"-\" (character {position} is something else)"
    )]
    InvalidCharacter {
        /// Which character it is, counted from 1.
        position: usize,
    },
    /// The part after the prefix is too short.
    #[error("API key must have {MINIMUM_KEY_LENGTH} or more characters after its prefix, has {length}")]
    TooShort {
        /// How many characters there are after the first dash, or in all when there is no dash.
        length: usize,
    },
}

impl ApiKeyError {
    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        let first = match self {
            Self::Empty => "set an API key with `wb login` or in WANDB_API_KEY",
            Self::WhiteSpace { .. } => "remove the spaces or line breaks around the key; quote nothing",
            Self::InvalidCharacter { .. } | Self::TooShort { .. } => {
                "copy the whole key again; it is shown once, on the settings page of your account"
            }
        };
        vec![first.to_owned()]
    }
}

impl ApiKey {
    /// Checks the form of a key.
    ///
    /// # Errors
    /// When the text is not in one of the forms that a server issues; see [`ApiKey`]. Whether a server knows the key is
    /// not checked here.
    pub fn parse(text: impl Into<Secret>) -> Result<Self, ApiKeyError> {
        let secret = text.into();
        check_key(secret.expose())?;
        Ok(Self(secret))
    }

    /// The key itself. Do not print or log what this returns.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What stands before the first dash (`local` for a self-hosted server's key), if the key has a prefix.
    pub fn prefix(&self) -> Option<&str> {
        let key = self.expose();
        if is_jwt(key) {
            None
        } else {
            key.split_once('-').map(|(prefix, _)| prefix)
        }
    }

    /// Whether the key has the form of a JWT. Such a key is sent through Basic too (protocol §1.3).
    pub fn is_jwt(&self) -> bool {
        is_jwt(self.expose())
    }

    /// The value of the `Authorization` header, marked sensitive so that `http` does not print it.
    pub fn basic_authorization(&self) -> HeaderValue {
        let pair = Zeroizing::new(format!("api:{}", self.expose()));
        sensitive("Basic", &STANDARD.encode(pair.as_bytes()))
            .expect("base64 holds only characters that a header value may hold")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKey({MASK})")
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// An access token from `POST /oidc/token`, sent as Bearer (protocol §1.3).
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Secret);

/// Why a text is not an access token. No variant holds any part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessTokenError {
    /// The text is empty.
    #[error("access token is empty")]
    Empty,
    /// A character that a Bearer token cannot hold (RFC 6750: letters, digits and `-._~+/=`).
    #[error("access token holds a character that is not allowed (character {position})")]
    InvalidCharacter {
        /// Which character it is, counted from 1.
        position: usize,
    },
}

impl AccessToken {
    /// Checks that the text can be sent as a Bearer token.
    ///
    /// # Errors
    /// When it is empty or holds a character outside of RFC 6750's `b64token`.
    pub fn parse(text: impl Into<Secret>) -> Result<Self, AccessTokenError> {
        let secret = text.into();
        if secret.is_empty() {
            return Err(AccessTokenError::Empty);
        }
        let allowed = |character: char| character.is_ascii_alphanumeric() || "-._~+/=".contains(character);
        match secret.expose().chars().position(|character| !allowed(character)) {
            Some(index) => Err(AccessTokenError::InvalidCharacter { position: index + 1 }),
            None => Ok(Self(secret)),
        }
    }

    /// The token itself. Do not print or log what this returns.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The value of the `Authorization` header, marked sensitive so that `http` does not print it.
    pub fn bearer_authorization(&self) -> HeaderValue {
        sensitive("Bearer", self.expose()).expect("parse admits only characters that a header value may hold")
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AccessToken({MASK})")
    }
}

impl fmt::Display for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

fn sensitive(scheme: &str, credentials: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let text = Zeroizing::new(format!("{scheme} {credentials}"));
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn check_key(key: &str) -> Result<(), ApiKeyError> {
    if key.is_empty() {
        return Err(ApiKeyError::Empty);
    }
    let is_space = |character: char| character.is_whitespace() || character.is_control();
    if let Some(index) = key.chars().position(is_space) {
        return Err(ApiKeyError::WhiteSpace { position: index + 1 });
    }
    if is_jwt(key) {
        return Ok(());
    }
    let secret = key.split_once('-').map_or(key, |(_, secret)| secret);
    if let Some(index) = secret.chars().position(|character| !is_key_character(character)) {
        let prefix_length = key.chars().count() - secret.chars().count();
        return Err(ApiKeyError::InvalidCharacter {
            position: prefix_length + index + 1,
        });
    }
    let length = secret.chars().count();
    if length < MINIMUM_KEY_LENGTH {
        return Err(ApiKeyError::TooShort { length });
    }
    Ok(())
}

pub(crate) fn is_jwt(key: &str) -> bool {
    let mut parts = 0;
    for part in key.split('.') {
        parts += 1;
        if parts > 3 || part.is_empty() || !part.chars().all(is_key_character) {
            return false;
        }
    }
    parts == 3
}

fn is_key_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(key: &str) -> Result<(), ApiKeyError> {
        ApiKey::parse(key).map(|_| ())
    }

    /// The verdicts of the official `check_api_key` (wandb 0.31.0), run on the same keys.
    #[test]
    fn agrees_with_the_official_check() {
        let a39 = "a".repeat(39);
        let a40 = "a".repeat(40);
        assert_eq!(check(""), Err(ApiKeyError::Empty));
        assert_eq!(check(&a39), Err(ApiKeyError::TooShort { length: 39 }));
        assert_eq!(check(&a40), Ok(()));
        assert_eq!(check(&format!("local-{a40}")), Ok(()));
        assert_eq!(
            check(&format!("local-{a39}")),
            Err(ApiKeyError::TooShort { length: 39 })
        );
        assert_eq!(
            check(&format!("a-b-{}", "c".repeat(36))),
            Err(ApiKeyError::TooShort { length: 38 })
        );
        assert_eq!(check(&format!("a-b-{}", "c".repeat(38))), Ok(()));
        assert_eq!(check("a.b.c"), Ok(()));
        assert_eq!(check(&"é".repeat(40)), Ok(()));
        assert_eq!(
            check(&format!("{a39} ")),
            Err(ApiKeyError::WhiteSpace { position: 40 })
        );
        assert_eq!(
            check(&format!("{a40}\n")),
            Err(ApiKeyError::WhiteSpace { position: 41 })
        );
        assert_eq!(check("a..c"), Err(ApiKeyError::InvalidCharacter { position: 2 }));
        assert_eq!(check(&format!("wandb_v1_{a40}")), Ok(()));
        assert_eq!(check(&format!("-{a40}")), Ok(()));
        assert_eq!(
            check(&format!("{a39}!")),
            Err(ApiKeyError::InvalidCharacter { position: 40 })
        );
        assert_eq!(
            check(&format!("x-{a39}!")),
            Err(ApiKeyError::InvalidCharacter { position: 42 })
        );
        // The official check lets this pass; see the type's documentation.
        assert_eq!(
            check(&format!("a b-{a40}")),
            Err(ApiKeyError::WhiteSpace { position: 2 })
        );
    }

    #[test]
    fn header_is_basic_with_user_api_and_sensitive() {
        let key = ApiKey::parse(format!("local-{}", "a".repeat(40))).unwrap();
        let header = key.basic_authorization();
        assert!(header.is_sensitive());
        let encoded = header
            .to_str()
            .unwrap()
            .strip_prefix("Basic ")
            .unwrap()
            .to_owned();
        assert_eq!(
            STANDARD.decode(encoded).unwrap(),
            format!("api:local-{}", "a".repeat(40)).into_bytes()
        );
        assert_eq!(key.prefix(), Some("local"));
        assert!(!key.is_jwt());
    }

    #[test]
    fn access_token_is_bearer() {
        let token = AccessToken::parse("ab.c-d_e~f+/=").unwrap();
        assert_eq!(
            token.bearer_authorization().to_str().unwrap(),
            "Bearer ab.c-d_e~f+/="
        );
        assert!(token.bearer_authorization().is_sensitive());
        assert_eq!(AccessToken::parse(""), Err(AccessTokenError::Empty));
        assert_eq!(
            AccessToken::parse("a\nb"),
            Err(AccessTokenError::InvalidCharacter { position: 2 })
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn nothing_printed_holds_the_key(key in "[a-z0-9]{40,60}", bad in "[a-z0-9]{10,39}[ !.]?") {
            let api_key = ApiKey::parse(key.as_str()).unwrap();
            let header = api_key.basic_authorization();
            let printed = format!(
                "{api_key} {api_key:?} {:?} {} {header:?}", Secret::new(key.as_str()), Secret::new(key.as_str()),
            );
            prop_assert!(!printed.contains(&key));
            let encoded = STANDARD.encode(format!("api:{key}"));
            prop_assert!(!printed.contains(&encoded));
            let error = ApiKey::parse(bad.as_str()).unwrap_err();
            let printed = format!("{error} {error:?} {:?}", error.hints());
            prop_assert!(!printed.contains(&bad));
        }

        #[test]
        fn any_text_is_answered_without_panic(text in any::<String>()) {
            if let Ok(key) = ApiKey::parse(text.as_str()) {
                prop_assert!(key.basic_authorization().is_sensitive());
            }
            if let Ok(token) = AccessToken::parse(text.as_str()) {
                prop_assert!(token.bearer_authorization().is_sensitive());
            }
        }
    }
}
