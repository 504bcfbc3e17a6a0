//! Digests of artifacts: of one file, of an entry, of a whole manifest (inventory §6.2, protocol §5.1).

use std::{
    fmt,
    io::{self, Read},
    path::Path,
    str::FromStr,
};

use sha2::{Digest, Sha256};
pub use wandb_storage::digest::{Algorithm, ContentDigest, DigestError, Hasher};

/// Buffer of whole-file reads, in bytes.
const BUFFER: usize = 256 * 1024;

/// What a manifest says an entry's bytes are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum EntryDigest {
    /// A digest of the bytes: any copy of them can be checked.
    Content(ContentDigest),
    /// The `ETag` of an object store, or the address itself where nothing was checked. Only whoever serves the address
    /// can tell what it means.
    Opaque(Box<str>),
}

impl EntryDigest {
    /// The digest of the bytes, if it is one.
    #[must_use]
    pub fn content(&self) -> Option<ContentDigest> {
        match self {
            Self::Content(digest) => Some(*digest),
            Self::Opaque(_) => None,
        }
    }
}

impl fmt::Display for EntryDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(digest) => digest.fmt(formatter),
            Self::Opaque(text) => formatter.pad(text),
        }
    }
}

impl fmt::Debug for EntryDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(digest) => digest.fmt(formatter),
            // It may be an address with a signature in its query.
            Self::Opaque(text) => fmt::Debug::fmt(text.split('?').next().unwrap_or_default(), formatter),
        }
    }
}

impl From<ContentDigest> for EntryDigest {
    fn from(digest: ContentDigest) -> Self {
        Self::Content(digest)
    }
}

/// The digest of an artifact version: of its manifest's paths and entry digests. It is written in hexadecimal.
///
/// It says nothing of sizes, references, `extra`, name, type or metadata: versions that differ only there are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactDigest(ContentDigest);

impl ArtifactDigest {
    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// Reads 32 hexadecimal digits, as the API's `digest` has them.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(algorithm: Algorithm, text: &str) -> Result<Self, DigestError> {
        ContentDigest::from_hex(algorithm, text).map(Self)
    }

    /// The digest of `path:digest` lines, which must come sorted by the bytes of their paths.
    pub(crate) fn of_sorted<'a>(
        algorithm: Algorithm,
        entries: impl Iterator<Item = (&'a str, &'a EntryDigest)>,
    ) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(b"wandb-artifact-manifest-v1\n");
        let mut line = String::new();
        for (path, digest) in entries {
            use fmt::Write;
            line.clear();
            writeln!(line, "{path}:{digest}").expect("writing to memory does not fail");
            hasher.update(line.as_bytes());
        }
        Self(hasher.finish())
    }
}

impl fmt::Display for ArtifactDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0.hex())
    }
}

impl fmt::Debug for ArtifactDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for ArtifactDigest {
    type Err = DigestError;

    /// Reads an MD5, the algorithm of every version that does not say another.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::parse(Algorithm::Md5, text)
    }
}

/// Hashes what is read, to its end; gives the digest and the number of bytes.
///
/// # Errors
/// Those of the reader.
pub fn hash_reader(algorithm: Algorithm, mut reader: impl Read) -> io::Result<(ContentDigest, u64)> {
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; BUFFER];
    let mut size = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of several files as one: of their contents joined in the order of their sorted paths (official:
/// `md5_file_b64(*paths)`).
///
/// # Errors
/// When one of them cannot be read.
pub fn hash_files(algorithm: Algorithm, paths: &[impl AsRef<Path>]) -> io::Result<ContentDigest> {
    let mut paths: Vec<_> = paths.iter().map(AsRef::as_ref).collect();
    // By their bytes, not by their components: the official client sorts texts.
    paths.sort_unstable_by(|left, right| left.as_os_str().cmp(right.as_os_str()));
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; BUFFER];
    for path in paths {
        let mut file = std::fs::File::open(path)?;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
    }
    Ok(hasher.finish())
}

/// The key of a referenced object in the official cache: 64 hexadecimal digits made of its address and its `ETag`, which
/// is not a digest of its bytes (inventory §6.4).
#[must_use]
pub fn etag_key(address: &str, etag: &str) -> String {
    use fmt::Write;
    let mut both = Sha256::new();
    both.update(Sha256::digest(address.as_bytes()));
    both.update(Sha256::digest(etag.as_bytes()));
    both.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to memory does not fail");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_files_hash_as_the_official_client_does() {
        let root = tempfile::tempdir().unwrap();
        let paths = [("b", "second"), ("a", "first"), ("é", "third")].map(|(name, text)| {
            let path = root.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        let of = |algorithm| hash_files(algorithm, &paths).unwrap().to_string();
        assert_eq!(of(Algorithm::Md5), "Jyv6MU6ik8NX3Z9FupeaFg==");
        assert_eq!(of(Algorithm::Xxh128), "qA1e40R4zl7BlgVLRwrScg==");
    }

    #[test]
    fn keys_of_referenced_objects_are_the_official_ones() {
        assert_eq!(
            etag_key("https://example.com/a b", "\"abc\""),
            "2b7fe2611dbe6433c7050f05a9767e7e0226087462decfb89abc3772369489bf"
        );
    }

    #[test]
    fn an_artifact_digest_reads_what_it_prints() {
        let text = "64e7c61456b10382e2f3b571ac24b659";
        assert_eq!(text.parse::<ArtifactDigest>().unwrap().to_string(), text);
        assert!("64e7".parse::<ArtifactDigest>().is_err());
    }
}
