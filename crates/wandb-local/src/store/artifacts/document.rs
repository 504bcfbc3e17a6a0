//! The JSON of manifests (protocol §5.4), read as a stream and within limits.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;
use std::io::Read;

use base64::Engine as _;
use md5::{Digest as _, Md5};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use twox_hash::XxHash3_128;

use super::Algorithm;

/// Most files of a version.
const MAX_ENTRIES: usize = 1_000_000;
/// Longest manifest, in bytes.
pub(crate) const MAX_BYTES: u64 = 1 << 30;
/// What the digest of a version begins with.
const DIGEST_HEAD: &[u8] = b"wandb-artifact-manifest-v1\n";
const VERSION: i64 = 1;
const POLICY: &str = "wandb-storage-policy-v1";

/// A manifest.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// `storagePolicyConfig`, as it came.
    pub(crate) policy_config: Option<Box<RawValue>>,
    /// By path, in the order of bytes.
    pub(crate) entries: BTreeMap<String, Entry>,
}

/// What a manifest says of one file.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) digest: String,
    #[serde(rename = "birthArtifactID", default, skip_serializing_if = "Option::is_none")]
    pub(crate) birth: Option<String>,
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extra: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) skip_cache: Option<bool>,
}

impl Entry {
    /// True when the entry says that its digest is an XXH128.
    pub(crate) fn is_xxh128(&self) -> bool {
        #[derive(Deserialize)]
        struct Extra {
            #[serde(default)]
            alg: Option<String>,
        }
        self.extra
            .as_ref()
            .and_then(|extra| serde_json::from_str::<Extra>(extra.get()).ok())
            .and_then(|extra| extra.alg)
            .is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("xxh128"))
    }
}

/// Reads a manifest.
///
/// # Errors
/// It is no manifest of version 1 with the only storage policy there is, names a file twice, or has too many.
pub(crate) fn read(reader: impl Read) -> Result<Document, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let document = Whole.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(document)
}

struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest of an artifact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut document = Document::default();
        let (mut version, mut policy, mut contents) = (None, None, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => version = Some(map.next_value::<i64>()?),
                "storagePolicy" => policy = Some(map.next_value::<String>()?),
                "storagePolicyConfig" => document.policy_config = map.next_value()?,
                "contents" => {
                    map.next_value_seed(Contents(&mut document.entries))?;
                    contents = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match version {
            Some(VERSION) => {}
            Some(other) => return Err(A::Error::custom(format!("version {other} is not known"))),
            None => return Err(A::Error::missing_field("version")),
        }
        match policy.as_deref() {
            Some(POLICY) => {}
            Some(other) => {
                return Err(A::Error::custom(format!("storage policy {other:?} is not known")));
            }
            None => return Err(A::Error::missing_field("storagePolicy")),
        }
        if !contents {
            return Err(A::Error::missing_field("contents"));
        }
        Ok(document)
    }
}

struct Contents<'a>(&'a mut BTreeMap<String, Entry>);

impl<'de> DeserializeSeed<'de> for Contents<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Contents<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the files of an artifact by their paths")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((path, entry)) = map.next_entry::<String, Entry>()? {
            if self.0.len() >= MAX_ENTRIES {
                return Err(A::Error::custom(format!("more than {MAX_ENTRIES} files")));
            }
            match self.0.entry(path) {
                Slot::Occupied(slot) => {
                    return Err(A::Error::custom(format!("{:?} is there twice", slot.key())));
                }
                Slot::Vacant(slot) => {
                    slot.insert(entry);
                }
            }
        }
        Ok(())
    }
}

/// Writes a manifest.
///
/// # Errors
/// Never, in memory.
pub(crate) fn write(document: &Document) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        version: i64,
        storage_policy: &'static str,
        storage_policy_config: PolicyConfig<'a>,
        contents: &'a BTreeMap<String, Entry>,
    }
    /// Clients read an object here: one that nobody wrote is that of this server's own layout.
    #[derive(Serialize)]
    #[serde(untagged)]
    enum PolicyConfig<'a> {
        Given(&'a RawValue),
        #[serde(rename_all = "camelCase")]
        Own {
            storage_layout: &'static str,
        },
    }
    serde_json::to_vec(&Wire {
        version: VERSION,
        storage_policy: POLICY,
        storage_policy_config: match document.policy_config.as_deref() {
            Some(given) if given.get() != "null" => PolicyConfig::Given(given),
            _ => PolicyConfig::Own { storage_layout: "V2" },
        },
        contents: &document.entries,
    })
}

/// The digest of a version: of its paths and their digests, in the order of bytes (protocol §5.1).
pub(crate) fn digest(algorithm: Algorithm, entries: &BTreeMap<String, Entry>) -> String {
    fn feed(entries: &BTreeMap<String, Entry>, mut update: impl FnMut(&[u8])) {
        update(DIGEST_HEAD);
        for (path, entry) in entries {
            for part in [path.as_str(), ":", &entry.digest, "\n"] {
                update(part.as_bytes());
            }
        }
    }
    match algorithm {
        Algorithm::Md5 => {
            let mut hasher = Md5::new();
            feed(entries, |bytes| hasher.update(bytes));
            crate::store::names::hex(&hasher.finalize())
        }
        Algorithm::Xxh128 => {
            let mut hasher = XxHash3_128::new();
            feed(entries, |bytes| hasher.write(bytes));
            crate::store::names::hex(&hasher.finish_128().to_be_bytes())
        }
    }
}

/// A digest of sixteen bytes in base64, as hexadecimal digits.
pub(crate) fn hex_of_base64(text: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    (bytes.len() == 16).then(|| crate::store::names::hex(&bytes))
}

/// A digest of sixteen bytes in hexadecimal digits, as base64.
pub(crate) fn base64_of_hex(text: &str) -> Option<String> {
    crate::blobs::Md5Digest::from_hex(text).map(crate::blobs::Md5Digest::to_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1",
        "storagePolicyConfig":{"storageLayout":"V2"},"unknown":[1],
        "contents":{"b.txt":{"digest":"XUFAKrxLKna5cZ2REBfFkg==","size":5,"local_path":"/home/x","extra":{"alg":"XXH128"}},
                    "a":{"digest":"s3://x","ref":"s3://x","size":0}}}"#;

    #[test]
    fn manifests_are_read_and_written() {
        let document = read(SAMPLE.as_bytes()).unwrap();
        assert_eq!(document.entries.keys().collect::<Vec<_>>(), ["a", "b.txt"]);
        assert!(document.entries["b.txt"].is_xxh128() && !document.entries["a"].is_xxh128());
        let text = String::from_utf8(write(&document).unwrap()).unwrap();
        assert!(
            !text.contains("local_path"),
            "where the file lay is nobody's business: {text}"
        );
        let again = read(text.as_bytes()).unwrap();
        assert_eq!(write(&again).unwrap(), text.as_bytes());
        assert_eq!(again.policy_config.unwrap().get(), r#"{"storageLayout":"V2"}"#);
    }

    #[test]
    fn digests_are_those_of_the_official_client() {
        let document = read(SAMPLE.as_bytes()).unwrap();
        // Python: hashlib.md5 and xxhash.xxh128 of "wandb-artifact-manifest-v1\na:s3://x\nb.txt:XUFAKrxLKna5cZ2REBfFkg==\n".
        assert_eq!(
            digest(Algorithm::Md5, &document.entries),
            "826d71c3267789c9e43a6168cf60e5a9"
        );
        assert_eq!(
            digest(Algorithm::Xxh128, &document.entries),
            "0c9b751a24ed40e31b714b8c793ef451"
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for (text, problem) in [
            ("[]", "invalid type"),
            ("{}", "version"),
            (
                r#"{"version":2,"storagePolicy":"wandb-storage-policy-v1","contents":{}}"#,
                "version 2",
            ),
            (r#"{"version":1,"storagePolicy":"other","contents":{}}"#, "other"),
            (
                r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1"}"#,
                "contents",
            ),
            (
                r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1","contents":{"a":{"digest":"x"},"a":{"digest":"x"}}}"#,
                "twice",
            ),
            (
                r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1","contents":{}} x"#,
                "trailing",
            ),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn a_manifest_that_nobody_sent_has_the_layout_of_this_server() {
        let text = String::from_utf8(write(&Document::default()).unwrap()).unwrap();
        assert!(
            text.contains(r#""storagePolicyConfig":{"storageLayout":"V2"}"#),
            "{text}"
        );
    }
}
