//! Digests of content and their two spellings: hexadecimal in file names and ETags, base64 on the wire.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Declares a digest of sixteen bytes.
macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name([u8; 16]);

        impl $name {
            pub(crate) fn new(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Exactly 32 lower-case hexadecimal digits, the only spelling that names a file.
            pub(crate) fn from_hex(text: &str) -> Option<Self> {
                from_hex(text).map(Self)
            }

            /// The spelling of `Content-MD5`, of manifests, and of the schema's `md5` and `digest`.
            pub(crate) fn to_base64(self) -> String {
                STANDARD.encode(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

digest! {
    /// An MD5 digest. Displays as lower-case hexadecimal.
    Md5Digest
}
digest! {
    /// An XXH3-128 digest, the artifacts' other algorithm. Displays as lower-case hexadecimal.
    Xxh128Digest
}

impl Md5Digest {
    /// The digest that is spelled so on the wire.
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text).ok()?.try_into().ok()?))
    }
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
