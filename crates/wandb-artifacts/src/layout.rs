//! Where a server keeps the files of an artifact (inventory §6.3, protocol §5.6).

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::manifest::ManifestEntry;

/// What may stand in a segment of a URL as it is: RFC 3986 "unreserved".
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a manifest's files are addressed on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageLayout {
    /// By entity and digest only. A manifest that names no layout has this one.
    V1,
    /// By region, collection and the version in which the bytes first appeared.
    V2,
}

/// Which artifact an entry belongs to, for [`StorageLayout::fallback_path`].
#[derive(Debug, Clone, Copy)]
pub struct ArtifactLocation<'a> {
    /// Entity of the sequence that the version was logged to.
    pub entity: &'a str,
    /// Its project.
    pub project: &'a str,
    /// Its collection.
    pub collection: &'a str,
    /// The manifest's `storageRegion`; `None` is `default`.
    pub region: Option<&'a str>,
    /// The version's id, only for servers with the feature `ARTIFACT_V2_DOWNLOAD_HANDLER_SUPPORTS_ARTIFACT_ID`.
    pub artifact_id: Option<&'a str>,
}

impl StorageLayout {
    /// Its name in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
        }
    }

    /// Reads [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "V1" => Some(Self::V1),
            "V2" => Some(Self::V2),
            _ => None,
        }
    }

    /// The path of an entry's bytes below the API's base URL, without a leading slash: where to ask, with the credential,
    /// when the signed address fails. `None` for an entry without a content digest.
    ///
    /// Every segment is encoded in full, the file's name too: the official client leaves it as it is, so that a `#` in it
    /// cuts the URL.
    #[must_use]
    pub fn fallback_path(self, location: &ArtifactLocation<'_>, entry: &ManifestEntry) -> Option<String> {
        let hex = entry.content_digest()?.hex();
        let file_name = entry
            .path()
            .rsplit('/')
            .next()
            .expect("splitting gives at least one piece");
        let mut segments = Vec::with_capacity(9);
        match self {
            Self::V1 => segments.extend(["artifacts", location.entity, &hex]),
            Self::V2 => {
                segments.extend([
                    "artifactsV2",
                    location.region.unwrap_or("default"),
                    location.entity,
                    location.project,
                    location.collection,
                ]);
                segments.extend(location.artifact_id);
                segments.extend([entry.birth_artifact_id().unwrap_or_default(), &hex, file_name]);
            }
        }
        let encoded: Vec<_> = segments
            .into_iter()
            .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
            .collect();
        Some(encoded.join("/"))
    }
}

impl fmt::Display for StorageLayout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;

    #[test]
    fn every_segment_is_encoded() {
        let entry = ManifestEntry::file("data/b c#.txt", Algorithm::Md5.hash(b"abc"), 3)
            .with_birth_artifact_id("QXJ0aWZhY3Q6MQ==");
        let location = ArtifactLocation {
            entity: "my team",
            project: "p",
            collection: "col",
            region: None,
            artifact_id: None,
        };
        assert_eq!(
            StorageLayout::V1.fallback_path(&location, &entry).unwrap(),
            "artifacts/my%20team/900150983cd24fb0d6963f7d28e17f72"
        );
        assert_eq!(
            StorageLayout::V2.fallback_path(&location, &entry).unwrap(),
            "artifactsV2/default/my%20team/p/col/QXJ0aWZhY3Q6MQ%3D%3D/900150983cd24fb0d6963f7d28e17f72/b%20c%23.txt"
        );
        let location = ArtifactLocation {
            region: Some("eu"),
            artifact_id: Some("SUQ="),
            ..location
        };
        assert_eq!(
            StorageLayout::V2.fallback_path(&location, &entry).unwrap(),
            "artifactsV2/eu/my%20team/p/col/SUQ%3D/QXJ0aWZhY3Q6MQ%3D%3D/900150983cd24fb0d6963f7d28e17f72/b%20c%23.txt"
        );
        let reference = ManifestEntry::reference("r", "s3://b/k", "etag");
        assert_eq!(StorageLayout::V2.fallback_path(&location, &reference), None);
    }
}
