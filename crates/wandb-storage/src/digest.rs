//! Digests of bytes: the two algorithms that W&B names content by.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use twox_hash::XxHash3_128;

/// How bytes are hashed (inventory §6.2).
///
/// Neither resists an attacker who can make collisions; they prove that nothing was damaged, cut or swapped by accident.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5: every artifact before 2026, and the default since.
    #[default]
    Md5,
    /// XXH3 with 128 bits, which W&B calls `XXH128`.
    Xxh128,
}

/// The digest of some bytes, with its algorithm. It is written in Base64, as the wire has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest {
    algorithm: Algorithm,
    bytes: [u8; 16],
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no digest: {form} of 16 bytes was expected")]
pub struct DigestError {
    text: String,
    form: &'static str,
}

/// Hashes bytes as they come.
#[derive(Clone)]
pub struct Hasher {
    state: State,
}

#[derive(Clone)]
enum State {
    Md5(Md5),
    // Large: its secret and its buffer are some hundred bytes.
    Xxh128(Box<XxHash3_128>),
}

impl Algorithm {
    /// Both algorithms.
    pub const ALL: [Self; 2] = [Self::Md5, Self::Xxh128];

    /// The name in a manifest entry's `extra.alg`: `MD5` or `XXH128`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Xxh128 => "XXH128",
        }
    }

    /// Reads [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name in the API's `digestAlgorithm`: `MANIFEST_MD5` or `MANIFEST_XXH128`.
    #[must_use]
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Md5 => "MANIFEST_MD5",
            Self::Xxh128 => "MANIFEST_XXH128",
        }
    }

    /// The name of its folder in the official cache: `md5` or `xxh128` (inventory §6.4).
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Xxh128 => "xxh128",
        }
    }

    /// Hashes bytes in memory.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> ContentDigest {
        let bytes = match self {
            Self::Md5 => Md5::digest(bytes).into(),
            Self::Xxh128 => XxHash3_128::oneshot(bytes).to_be_bytes(),
        };
        ContentDigest {
            algorithm: self,
            bytes,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl ContentDigest {
    /// A digest that was computed elsewhere.
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: [u8; 16]) -> Self {
        Self { algorithm, bytes }
    }

    /// Reads Base64 in its one canonical form, so that [`Display`](fmt::Display) gives the same text back.
    ///
    /// # Errors
    /// When it is not the Base64 of 16 bytes.
    pub fn parse(algorithm: Algorithm, text: &str) -> Result<Self, DigestError> {
        // A text of another length is not even decoded: it may be very long.
        let decoded = if text.len() == 24 {
            STANDARD.decode(text).ok()
        } else {
            None
        };
        match decoded.and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => Ok(Self { algorithm, bytes }),
            None => Err(DigestError::new(text, "the Base64")),
        }
    }

    /// Reads 32 hexadecimal digits of either case.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_hex(algorithm: Algorithm, text: &str) -> Result<Self, DigestError> {
        let error = || DigestError::new(text, "the hexadecimal form");
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return Err(error());
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16);
            let (Some(high), Some(low)) = (value(pair[0]), value(pair[1])) else {
                return Err(error());
            };
            *byte = (high << 4 | low) as u8;
        }
        Ok(Self { algorithm, bytes })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// Its 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(32);
        for byte in self.bytes {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 24];
        let length = STANDARD
            .encode_slice(self.bytes, &mut text)
            .expect("16 bytes are 24 characters of Base64");
        formatter.pad(std::str::from_utf8(&text[..length]).expect("Base64 is ASCII"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm, self.hex())
    }
}

impl DigestError {
    fn new(text: &str, form: &'static str) -> Self {
        Self {
            text: text.chars().take(64).collect(),
            form,
        }
    }
}

impl Hasher {
    /// Begins.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Md5 => State::Md5(Md5::new()),
            Algorithm::Xxh128 => State::Xxh128(Box::new(XxHash3_128::new())),
        };
        Self { state }
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.state {
            State::Md5(_) => Algorithm::Md5,
            State::Xxh128(_) => Algorithm::Xxh128,
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Md5(state) => state.update(bytes),
            State::Xxh128(state) => state.write(bytes),
        }
    }

    /// The digest of all bytes.
    #[must_use]
    pub fn finish(self) -> ContentDigest {
        let algorithm = self.algorithm();
        let bytes = match self.state {
            State::Md5(state) => state.finalize().into(),
            State::Xxh128(state) => state.finish_128().to_be_bytes(),
        };
        ContentDigest { algorithm, bytes }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hasher")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text, MD5 and XXH128 in Base64, as the official client (0.31.0) computes them.
    const VECTORS: &[(&str, &str, &str)] = &[
        ("", "1B2M2Y8AsgTpgAmY7PhCfg==", "maoG0wFHmNhgAcMkRo1Jfw=="),
        ("abc", "kAFQmDzST7DWlj99KOF/cg==", "BrBatnM6YYV4r1+UiS85UA=="),
        (
            "héllo wörld\n",
            "5RoNq9NlpbFTPT9LDgl/sw==",
            "u4DxpLNq2KdlvXAPBuCK2w==",
        ),
    ];

    #[test]
    fn digests_are_those_of_the_official_client() {
        for (text, md5, xxh128) in VECTORS {
            assert_eq!(Algorithm::Md5.hash(text.as_bytes()).to_string(), *md5);
            assert_eq!(Algorithm::Xxh128.hash(text.as_bytes()).to_string(), *xxh128);
        }
        let long = "x".repeat(1_000);
        assert_eq!(
            Algorithm::Xxh128.hash(long.as_bytes()).to_string(),
            "UKGvWl8tzwHApId7liy6gg=="
        );
        assert_eq!(
            Algorithm::Xxh128.hash(b"abc").hex(),
            "06b05ab6733a618578af5f94892f3950"
        );
    }

    #[test]
    fn other_texts_are_no_digests() {
        for text in [
            "",
            "1B2M2Y8AsgTpgAmY7PhCfg",
            "1B2M2Y8AsgTpgAmY7PhCfh==",
            " 1B2M2Y8AsgTpgAmY7PhCfg==",
            "9a0364b9e99bb480dd25e1f0284c8555",
            "9a0364b9e99bb480dd25e1f0",
        ] {
            let error = ContentDigest::parse(Algorithm::Md5, text).unwrap_err();
            assert!(error.to_string().contains("Base64"), "{error}");
        }
        for text in [
            "",
            "9a0364b9e99bb480dd25e1f0284c855",
            "9a0364b9e99bb480dd25e1f0284c855é",
        ] {
            assert!(ContentDigest::from_hex(Algorithm::Md5, text).is_err());
        }
    }

    proptest! {
        #[test]
        fn texts_survive(bytes: [u8; 16], xxh128: bool) {
            let algorithm = Algorithm::ALL[usize::from(xxh128)];
            let digest = ContentDigest::new(algorithm, bytes);
            prop_assert_eq!(ContentDigest::parse(algorithm, &digest.to_string()), Ok(digest));
            prop_assert_eq!(ContentDigest::from_hex(algorithm, &digest.hex()), Ok(digest));
            prop_assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }

        #[test]
        fn pieces_hash_as_the_whole(
            bytes in prop::collection::vec(any::<u8>(), 0..2_000),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            for algorithm in Algorithm::ALL {
                let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
                cuts.sort_unstable();
                let mut hasher = Hasher::new(algorithm);
                let mut from = 0;
                for cut in cuts.into_iter().chain([bytes.len()]) {
                    hasher.update(&bytes[from..cut]);
                    from = cut;
                }
                prop_assert_eq!(hasher.finish(), algorithm.hash(&bytes));
            }
        }
    }
}
