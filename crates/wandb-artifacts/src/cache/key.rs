//! The names of cached objects.

use std::fmt;

use serde::{Serialize, Serializer};
use wandb_core::path::{RelativePath, safe_relative_path};

use crate::digest::{Algorithm, ContentDigest, etag_key};

/// What an object of the cache is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKey {
    /// By the digest of its bytes.
    Content(ContentDigest),
    /// By the address that it was fetched from and its `ETag` there; a name that says nothing of the bytes.
    Etag([u8; 32]),
}

impl ObjectKey {
    /// The key of a referenced object.
    #[must_use]
    pub fn etag(address: &str, etag: &str) -> Self {
        let hex = etag_key(address, etag);
        Self::Etag(from_hex(&hex).expect("the key is 64 hexadecimal digits"))
    }

    /// The digest of the bytes, if the key is one.
    #[must_use]
    pub fn content(&self) -> Option<ContentDigest> {
        match self {
            Self::Content(digest) => Some(*digest),
            Self::Etag(_) => None,
        }
    }

    /// The folder of its kind below `artifacts/obj`: `md5`, `xxh128` or `etag`.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        match self {
            Self::Content(digest) => digest.algorithm().folder(),
            Self::Etag(_) => "etag",
        }
    }

    /// Its hexadecimal digits: 32 of a digest, 64 of an address.
    #[must_use]
    pub fn hex(&self) -> String {
        match self {
            Self::Content(digest) => digest.hex(),
            Self::Etag(bytes) => bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
                use fmt::Write;
                write!(text, "{byte:02x}").expect("writing to memory does not fail");
                text
            }),
        }
    }

    /// Where the object lies below `artifacts/obj`.
    #[must_use]
    pub fn path(&self) -> RelativePath {
        let hex = self.hex();
        safe_relative_path(&format!("{}/{}/{}", self.folder(), &hex[..2], &hex[2..]))
            .expect("folders and hexadecimal digits are safe")
    }

    /// Reads [`path`](Self::path).
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let (folder, rest) = path.split_once('/')?;
        let (start, end) = rest.split_once('/')?;
        if start.len() != 2 || path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let hex = format!("{start}{end}");
        if folder == "etag" {
            return from_hex(&hex).map(Self::Etag);
        }
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.folder() == folder)?;
        ContentDigest::from_hex(algorithm, &hex).ok().map(Self::Content)
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = (value(pair[0])? << 4 | value(pair[1])?) as u8;
    }
    Some(bytes)
}

impl From<ContentDigest> for ObjectKey {
    fn from(digest: ContentDigest) -> Self {
        Self::Content(digest)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.folder(), self.hex())
    }
}

impl Serialize for ObjectKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_lie_where_the_official_client_looks() {
        let md5 = ObjectKey::from(Algorithm::Md5.hash(b"abc"));
        let xxh128 = ObjectKey::from(Algorithm::Xxh128.hash(b"abc"));
        let etag = ObjectKey::etag("https://example.com/a b", "\"abc\"");
        for (key, path) in [
            (md5, "md5/90/0150983cd24fb0d6963f7d28e17f72"),
            (xxh128, "xxh128/06/b05ab6733a618578af5f94892f3950"),
            (
                etag,
                "etag/2b/7fe2611dbe6433c7050f05a9767e7e0226087462decfb89abc3772369489bf",
            ),
        ] {
            assert_eq!(key.path().as_str(), path);
            assert_eq!(ObjectKey::from_path(path), Some(key));
        }
        for other in [
            "md5/90/0150983cd24fb0d6963f7d28e17f7",
            "md5/900150983cd24fb0d6963f7d28e17f72",
            "md5/900/150983cd24fb0d6963f7d28e17f72",
            "md5/90/0150983CD24FB0D6963F7D28E17F72",
            "sha/90/0150983cd24fb0d6963f7d28e17f72",
            "etag/90/0150983cd24fb0d6963f7d28e17f72",
            "md5/é/0150983cd24fb0d6963f7d28e17f72",
            "md5",
        ] {
            assert_eq!(ObjectKey::from_path(other), None, "{other}");
        }
    }
}
