//! Tokens in the URLs of file bytes.
//!
//! Such URLs are fetched without credentials (protocol §0.5), so that the token is the permission: it names one object
//! and one action, expires, and is signed with HMAC-SHA256. Nothing about a token is stored.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

/// How long a token is valid unless set otherwise: longer than any upload of a run takes, as clients do not renew them.
pub(crate) const DEFAULT_VALIDITY: Duration = Duration::from_secs(24 * 60 * 60);

/// The bytes of a token before the object: the action and the expiry.
const HEAD: usize = 9;
/// The bytes of the signature.
const SIGNATURE: usize = 32;
/// The longest token that is looked at. Objects are short.
const MAX_TOKEN: usize = 2_048;

/// What a token permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Upload,
    Download,
}

impl Action {
    fn byte(self) -> u8 {
        match self {
            Self::Upload => b'u',
            Self::Download => b'd',
        }
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    /// Not signed by this server, changed, or for the other action. (One answer for all: it tells a forger nothing.)
    #[error("the URL is not valid")]
    Invalid,
    #[error("the URL has expired")]
    Expired,
}

/// Makes and checks tokens.
#[derive(Clone)]
pub(crate) struct UrlSigner {
    mac: Hmac<Sha256>,
    validity: Duration,
}

impl fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlSigner")
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

impl UrlSigner {
    /// A signer with a secret key, which must stay the same for URLs to outlive the process.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let mac = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self {
            mac,
            validity: DEFAULT_VALIDITY,
        }
    }

    /// Sets how long tokens are valid from their making.
    #[must_use]
    pub(crate) fn with_validity(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    /// A token for an action on an object, a short text that means something to the caller. `now` is in microseconds
    /// since 1970.
    pub(crate) fn sign(&self, action: Action, object: &str, now: i64) -> String {
        let validity = i64::try_from(self.validity.as_micros()).unwrap_or(i64::MAX);
        let mut token = Vec::with_capacity(HEAD + object.len() + SIGNATURE);
        token.push(action.byte());
        token.extend(now.saturating_add(validity).to_be_bytes());
        token.extend(object.as_bytes());
        let signature = self.mac.clone().chain_update(&token).finalize().into_bytes();
        token.extend(signature);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The object of a token that permits the action now. The signature is compared in constant time, and before
    /// anything else of the token is believed.
    ///
    /// # Errors
    /// The token is not valid, or not any more.
    pub(crate) fn verify(&self, action: Action, token: &str, now: i64) -> Result<String, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Invalid)?;
        let (signed, signature) = token.split_last_chunk::<SIGNATURE>().ok_or(TokenError::Invalid)?;
        self.mac
            .clone()
            .chain_update(signed)
            .verify_slice(signature)
            .map_err(|_| TokenError::Invalid)?;
        let (head, object) = signed.split_first_chunk::<HEAD>().ok_or(TokenError::Invalid)?;
        let [kind, expiry @ ..] = head;
        if *kind != action.byte() {
            return Err(TokenError::Invalid);
        }
        if now >= i64::from_be_bytes(*expiry) {
            return Err(TokenError::Expired);
        }
        String::from_utf8(object.to_vec()).map_err(|_| TokenError::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_700_000_000_000_000;

    fn signer() -> UrlSigner {
        UrlSigner::new(&[7; 32]).with_validity(Duration::from_secs(60))
    }

    #[test]
    fn a_token_permits_one_action_for_a_time() {
        let token = signer().sign(Action::Download, "file 17", NOW);
        assert!(
            token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
            "{token}"
        );
        assert_eq!(signer().verify(Action::Download, &token, NOW).unwrap(), "file 17");
        assert_eq!(
            signer()
                .verify(Action::Download, &token, NOW + 59_999_999)
                .unwrap(),
            "file 17"
        );
        assert_eq!(
            signer().verify(Action::Download, &token, NOW + 60_000_000),
            Err(TokenError::Expired)
        );
        assert_eq!(
            signer().verify(Action::Upload, &token, NOW),
            Err(TokenError::Invalid)
        );
        assert_eq!(
            UrlSigner::new(&[8; 32]).verify(Action::Download, &token, NOW),
            Err(TokenError::Invalid)
        );
        let forever = signer()
            .with_validity(Duration::MAX)
            .sign(Action::Upload, "x", NOW);
        assert_eq!(
            signer().verify(Action::Upload, &forever, i64::MAX - 1).unwrap(),
            "x"
        );
    }

    #[test]
    fn the_key_does_not_show() {
        let shown = format!("{:?}", UrlSigner::new(&[0x5A; 32]));
        assert!(
            !shown.contains("90") && !shown.to_lowercase().contains("5a"),
            "{shown}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn a_changed_token_is_refused(at in any::<proptest::sample::Index>(), bit in 0..8_u32, object in "\\PC{0,12}") {
            let token = signer().sign(Action::Upload, &object, NOW);
            prop_assert_eq!(&signer().verify(Action::Upload, &token, NOW).unwrap(), &object);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(signer().verify(Action::Upload, &changed, NOW), Err(TokenError::Invalid));
        }

        #[test]
        fn any_text_is_refused(text in "\\PC{0,80}") {
            prop_assert_eq!(signer().verify(Action::Upload, &text, NOW), Err(TokenError::Invalid));
        }
    }
}
