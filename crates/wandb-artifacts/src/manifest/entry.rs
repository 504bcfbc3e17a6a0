//! One file or reference of a manifest.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeStruct};
use wandb_core::{
    Value,
    path::{RefusedName, RelativePath, safe_relative_path},
    value::{Map, Scanner},
};

use crate::digest::{Algorithm, ContentDigest, EntryDigest};

/// One entry of a manifest: a file that the server keeps, or a reference to something elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct ManifestEntry {
    path: Box<str>,
    digest: EntryDigest,
    size: Option<u64>,
    // Many entries share one.
    birth_artifact_id: Option<Arc<str>>,
    rest: Option<Box<Rest>>,
}

/// What few entries have.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) reference: Option<Box<str>>,
    /// The JSON text of `extra`, checked. Kept as text: values would take up to ten times as much.
    pub(super) extra: Option<Box<str>>,
    /// Members that this client does not know, each with its JSON text.
    pub(super) unknown: Vec<(Box<str>, Box<str>)>,
}

/// `extra` of an XXH128 file, as the official client writes it.
pub(super) const XXH128_EXTRA: &str = r#"{"alg":"XXH128"}"#;

impl ManifestEntry {
    /// A file. The path has `/` between its segments; whether it may become a file is
    /// told by [`path_report`](crate::manifest::Manifest::path_report).
    #[must_use]
    pub fn file(path: impl Into<Box<str>>, digest: ContentDigest, size: u64) -> Self {
        Self {
            path: path.into(),
            digest: EntryDigest::Content(digest),
            size: Some(size),
            birth_artifact_id: None,
            rest: None,
        }
        .with_algorithm_noted()
    }

    /// A reference, its digest as a text: an `ETag`, or the Base64 of an MD5 for `file` and `wandb-artifact` addresses.
    #[must_use]
    pub fn reference(
        path: impl Into<Box<str>>,
        address: impl Into<Box<str>>,
        digest: impl Into<Box<str>>,
    ) -> Self {
        let address = address.into();
        let digest = reference_digest(&address, Algorithm::Md5, digest.into());
        Self {
            path: path.into(),
            digest,
            size: None,
            birth_artifact_id: None,
            rest: Some(Box::new(Rest {
                reference: Some(address),
                ..Rest::default()
            })),
        }
    }

    pub(super) fn from_parts(
        path: Box<str>,
        digest: EntryDigest,
        size: Option<u64>,
        birth_artifact_id: Option<Arc<str>>,
        rest: Rest,
    ) -> Self {
        let rest = if rest == Rest::default() {
            None
        } else {
            Some(Box::new(rest))
        };
        Self {
            path,
            digest,
            size,
            birth_artifact_id,
            rest,
        }
        .with_algorithm_noted()
    }

    /// Sets the size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// Sets the id of the version in which the bytes first appeared.
    #[must_use]
    pub fn with_birth_artifact_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.birth_artifact_id = Some(id.into());
        self
    }

    /// Sets `extra`. The member `alg` of a file follows from its digest, whatever is given.
    #[must_use]
    pub fn with_extra(mut self, extra: Map) -> Self {
        let text = if extra.is_empty() {
            None
        } else {
            Some(Value::Map(extra).to_wire().into_boxed_str())
        };
        self.rest.get_or_insert_default().extra = text;
        self.with_algorithm_noted()
    }

    /// Sets the path.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<Box<str>>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the address of a reference, for example once a draft's address became that of a logged version.
    #[must_use]
    pub fn with_reference(mut self, address: impl Into<Box<str>>) -> Self {
        self.rest.get_or_insert_default().reference = Some(address.into());
        self
    }

    /// Brings `extra.alg` in line with the digest, and drops what needs no room.
    fn with_algorithm_noted(mut self) -> Self {
        let Some(digest) = self.digest.content() else {
            return self;
        };
        let text = self.rest.as_ref().and_then(|rest| rest.extra.as_deref());
        if text == Some(XXH128_EXTRA) && digest.algorithm() == Algorithm::Xxh128 {
            // It follows from the digest.
            self.rest.get_or_insert_default().extra = None;
        } else if let Some(text) = text {
            let noted = algorithm_name(text);
            let wanted = digest.algorithm();
            let agrees = match noted.as_deref() {
                None => wanted == Algorithm::Md5,
                Some(name) => name == wanted.name(),
            };
            if !agrees {
                let mut extra = parse_map(text);
                extra.insert("alg", wanted.name());
                self.rest.get_or_insert_default().extra = Some(Value::Map(extra).to_wire().into_boxed_str());
            }
        }
        if self.rest.as_deref() == Some(&Rest::default()) {
            self.rest = None;
        }
        self
    }

    /// The path in the artifact, as the manifest has it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path as one that stays under whatever directory it is joined to, and that this system can hold. Whether others can,
    /// too, is told by [`path_report`](crate::manifest::Manifest::path_report).
    ///
    /// # Errors
    /// When it does not, or this system cannot.
    pub fn relative_path(&self) -> Result<RelativePath, RefusedName> {
        safe_relative_path(self.path())
    }

    /// What the manifest says the bytes are.
    #[must_use]
    pub fn digest(&self) -> &EntryDigest {
        &self.digest
    }

    /// The digest of the bytes. Every file has one; a reference may.
    #[must_use]
    pub fn content_digest(&self) -> Option<ContentDigest> {
        self.digest.content()
    }

    /// The size in bytes, if it was recorded. References to another artifact record zero, whatever they refer to.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The address, of a reference.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.rest.as_ref()?.reference.as_deref()
    }

    /// Whether it is a reference: the server keeps no bytes of it.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        self.address().is_some()
    }

    /// Whether it is a reference that was made without looking at the bytes (`checksum=False`): its digest is that of the
    /// address, or the address itself.
    #[must_use]
    pub fn is_unchecked_reference(&self) -> bool {
        match (self.address(), &self.digest) {
            (None, _) => false,
            (Some(address), EntryDigest::Opaque(text)) => **text == *address,
            (Some(address), EntryDigest::Content(digest)) => {
                digest.algorithm().hash(address.as_bytes()) == *digest
            }
        }
    }

    /// The id of the version in which the bytes first appeared.
    #[must_use]
    pub fn birth_artifact_id(&self) -> Option<&str> {
        self.birth_artifact_id.as_deref()
    }

    /// Further facts, such as `etag`, `versionID` and `alg`. Parsed anew at each call.
    #[must_use]
    pub fn extra(&self) -> Map {
        self.extra_text().map(parse_map).unwrap_or_default()
    }

    /// The JSON text of [`extra`](Self::extra), with bare non-finite numbers as W&B writes them.
    #[must_use]
    pub fn extra_text(&self) -> Option<&str> {
        let noted = self.rest.as_ref().and_then(|rest| rest.extra.as_deref());
        noted.or_else(|| match self.digest.content()?.algorithm() {
            Algorithm::Md5 => None,
            Algorithm::Xxh128 => Some(XXH128_EXTRA),
        })
    }

    /// Members that this client does not know, each with its JSON text.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rest
            .iter()
            .flat_map(|rest| &rest.unknown)
            .map(|(name, text)| (&**name, &**text))
    }
}

/// The digest of a reference: of bytes where the scheme has such, else what its server calls the object.
pub(super) fn reference_digest(address: &str, algorithm: Algorithm, text: Box<str>) -> EntryDigest {
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    let of_bytes = matches!(scheme, "file" | "wandb-artifact" | "wandb-client-artifact");
    match ContentDigest::parse(algorithm, &text) {
        Ok(digest) if of_bytes => EntryDigest::Content(digest),
        _ => EntryDigest::Opaque(text),
    }
}

/// The text of `alg` of an `extra`, if it is a text; the last one counts, as in Python.
pub(super) fn algorithm_name(extra: &str) -> Option<String> {
    let mut found = None;
    let walked = Scanner::new(extra).object(|scanner, key| {
        if key == "alg" {
            found = match scanner.value()? {
                Value::String(text) => Some(text),
                other => Some(other.to_wire()),
            };
        } else {
            scanner.skip()?;
        }
        Ok(())
    });
    walked.ok().and(found)
}

fn parse_map(text: &str) -> Map {
    match Value::parse(text) {
        Ok(Value::Map(map)) => map,
        // Every text was checked when it came in.
        _ => Map::default(),
    }
}

impl std::fmt::Debug for ManifestEntry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ManifestEntry")
            .field("path", &self.path)
            .field("digest", &self.digest)
            .field("size", &self.size)
            // Without its query, which may be a signature.
            .field(
                "address",
                &self.address().and_then(|address| address.split('?').next()),
            )
            .finish_non_exhaustive()
    }
}

/// For people and programs: `path, digest, size, ref, birth_artifact_id, extra`. The manifest's own form is written by
/// [`Manifest::write`](crate::manifest::Manifest::write).
impl Serialize for ManifestEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ManifestEntry", 6)?;
        fields.serialize_field("path", self.path())?;
        fields.serialize_field("digest", &self.digest.to_string())?;
        fields.serialize_field("size", &self.size)?;
        fields.serialize_field("ref", &self.address())?;
        fields.serialize_field("birth_artifact_id", &self.birth_artifact_id())?;
        fields.serialize_field("extra", &self.extra())?;
        fields.end()
    }
}
