//! What is remembered of versions whose manifests were read, in the artifact cache: enough to work without a network.
//!
//! Two folders beside the cache's own records, `artifacts/wb`: `manifests` holds manifests by the artifact's digest, `versions`
//! what the server said of a version, by its exact name. A manifest is trusted only after the digest formula gives its name
//! again, so damage costs a request, never safety. Versions never change their digest; what of them can change (aliases,
//! tags, description, metadata) is marked as remembered. What was not used for long is collected with the cache.

use std::{io::Read, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use wandb_artifacts::{Algorithm, ArtifactDigest, Limits, Manifest, cache::RecordKind, name::Version};
use wandb_core::{
    Error, Result,
    path::{RelativePath, safe_relative_path},
    timestamp::Timestamp,
};
use wandb_storage::{Directory, Existing, Expected};

use super::{ArtifactData, ArtifactDigestAlgorithm, metadata::StoredMetadata};

/// The largest record of a version that is read, in bytes. Metadata is what is large in it.
const RECORD_LIMIT: u64 = 64 << 20;

/// The shape of the records; another one is not read.
const RECORD_VERSION: u32 = 1;

/// The two folders.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    manifests: Directory,
    versions: Directory,
}

/// A version as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    record: u32,
    server: String,
    id: String,
    artifact_type: String,
    entity: String,
    project: String,
    collection: String,
    collection_id: String,
    version: Option<u64>,
    aliases: Vec<String>,
    tags: Vec<String>,
    digest: String,
    digest_algorithm: Option<String>,
    state: String,
    size: Option<u64>,
    file_count: Option<u64>,
    description: Option<String>,
    /// As the server sent it.
    metadata: Option<String>,
    ttl: Option<u64>,
    ttl_is_inherited: bool,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    history_step: Option<u64>,
    commit_hash: Option<String>,
    is_link: bool,
    source_entity: String,
    source_project: String,
    source_collection: String,
    source_version: Option<u64>,
}

impl Memory {
    /// Opens the folders below the official client's cache directory, making what is not there. Blocks.
    pub(crate) fn open(cache_directory: &Path) -> Result<Self> {
        let name = |text| safe_relative_path(text).expect("a plain name is safe");
        let records = Directory::create(cache_directory.join("artifacts"))?.subdirectory(&name("wb"))?;
        Ok(Self {
            manifests: records.subdirectory(&name(RecordKind::Manifest.folder()))?,
            versions: records.subdirectory(&name(RecordKind::Version.folder()))?,
        })
    }

    /// The manifest of a digest, if it is there and right. Blocks.
    pub(super) fn manifest(&self, digest: ArtifactDigest) -> Option<Manifest> {
        let file = self.manifests.open(&manifest_name(digest)).ok()??;
        let manifest = Manifest::read(std::io::BufReader::new(file), &Limits::default()).ok()?;
        (manifest.digest_by(digest.algorithm()) == digest).then_some(manifest)
    }

    /// Keeps a manifest whose digest was checked. Blocks.
    pub(super) fn keep_manifest(&self, digest: ArtifactDigest, manifest: &Manifest) -> Result<()> {
        write(&self.manifests, &manifest_name(digest), &manifest.to_json())
    }

    /// What is known of the version with this exact name, or with this digest, in a place (see [`key`]). Blocks.
    pub(super) fn version(&self, server: &str, place: &str) -> Option<ArtifactData> {
        let file = self.versions.open(&record_name(server, place)).ok()??;
        let mut text = Vec::new();
        file.take(RECORD_LIMIT).read_to_end(&mut text).ok()?;
        let record: Record = serde_json::from_slice(&text).ok()?;
        if record.record != RECORD_VERSION || record.server != server {
            return None;
        }
        // A name is hashed, so what is found is compared with what was asked for.
        let data = record.into_data();
        let is_meant = places(&data).any(|known| known == place);
        is_meant.then_some(data)
    }

    /// Keeps what the server said of a version. Blocks.
    pub(super) fn keep_version(&self, server: &str, data: &ArtifactData) -> Result<()> {
        let record = Record::new(server, data);
        let text = serde_json::to_vec(&record)
            .map_err(|error| Error::protocol("the version cannot be recorded").with_source(error))?;
        for place in places(data) {
            write(&self.versions, &record_name(server, &place), &text)?;
        }
        Ok(())
    }
}

/// The exact names under which a version is remembered: by number, and by digest, in its collection and (for the digest
/// alone) in its project. Aliases move, so they are none.
fn places(data: &ArtifactData) -> impl Iterator<Item = String> {
    let project = format!("{}/{}", data.entity, data.project);
    let by_number = data
        .version
        .map(|version| format!("{project}/{}:{version}", data.collection));
    let by_digest = format!("{project}/{}:{}", data.collection, data.digest);
    let by_digest_alone = format!("{project}/{}", data.digest);
    by_number.into_iter().chain([by_digest, by_digest_alone])
}

fn manifest_name(digest: ArtifactDigest) -> RelativePath {
    let algorithm = match digest.algorithm() {
        Algorithm::Md5 => "md5",
        Algorithm::Xxh128 => "xxh128",
    };
    let name = format!("{algorithm}-{digest}.json");
    safe_relative_path(&name).expect("hexadecimal digits are safe")
}

fn record_name(server: &str, place: &str) -> RelativePath {
    let key = Algorithm::Md5.hash(format!("{server}\n{place}").as_bytes()).hex();
    safe_relative_path(&format!("{key}.json")).expect("hexadecimal digits are safe")
}

fn write(directory: &Directory, name: &RelativePath, bytes: &[u8]) -> Result<()> {
    let mut file = directory.begin(name, Existing::Replace, Algorithm::Md5)?;
    file.append(bytes)?;
    file.publish(&Expected::default())?;
    Ok(())
}

impl Record {
    fn new(server: &str, data: &ArtifactData) -> Self {
        let data = data.clone();
        Self {
            record: RECORD_VERSION,
            server: server.to_owned(),
            id: data.id,
            artifact_type: data.artifact_type,
            entity: data.entity,
            project: data.project,
            collection: data.collection,
            collection_id: data.collection_id,
            version: data.version.map(|version| version.0),
            aliases: data.aliases,
            tags: data.tags,
            digest: data.digest,
            digest_algorithm: Some(data.digest_algorithm.to_string()),
            state: data.state.to_string(),
            size: data.size,
            file_count: data.file_count,
            description: data.description,
            metadata: data.metadata.text().map(str::to_owned),
            ttl: data.ttl.map(|ttl| ttl.as_secs()),
            ttl_is_inherited: data.ttl_is_inherited,
            created_at: data.created_at,
            updated_at: data.updated_at,
            history_step: data.history_step,
            commit_hash: data.commit_hash,
            is_link: data.is_link,
            source_entity: data.source_entity,
            source_project: data.source_project,
            source_collection: data.source_collection,
            source_version: data.source_version.map(|version| version.0),
        }
    }

    fn into_data(self) -> ArtifactData {
        let version = self.version.map(Version);
        ArtifactData {
            name: match version {
                Some(version) => format!("{}:{version}", self.collection),
                None => self.collection.clone(),
            },
            id: self.id,
            artifact_type: self.artifact_type,
            entity: self.entity,
            project: self.project,
            collection: self.collection,
            version,
            aliases: self.aliases,
            tags: self.tags,
            digest: self.digest,
            state: self.state.into(),
            size: self.size,
            file_count: self.file_count,
            description: self.description,
            metadata: StoredMetadata::new(self.metadata),
            ttl: self.ttl.map(Duration::from_secs),
            created_at: self.created_at,
            updated_at: self.updated_at,
            ttl_is_inherited: self.ttl_is_inherited,
            history_step: self.history_step,
            commit_hash: self.commit_hash,
            digest_algorithm: self
                .digest_algorithm
                .map_or(ArtifactDigestAlgorithm::Md5, ArtifactDigestAlgorithm::from),
            collection_id: self.collection_id,
            is_link: self.is_link,
            source_entity: self.source_entity,
            source_project: self.source_project,
            source_collection: self.source_collection,
            source_version: self.source_version.map(Version),
            is_remembered: true,
        }
    }
}
