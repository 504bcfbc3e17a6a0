//! Logging a version: creation, manifest, files, commit (protocol §2.14, §5.2, §5.5).

use super::{
    artifact_writes::{ArtifactAliasInput, ArtifactReference, TagInput},
    artifacts::{ArtifactDigestAlgorithm, ArtifactState},
};
use crate::{
    scalars::{Int64, JsonString},
    schema,
};

/// What a manifest holds.
#[derive(cynic::Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactManifestType {
    /// Everything.
    Full,
    /// What is added to a base version.
    Incremental,
    /// One process's part.
    Patch,
}

/// How the store is laid out.
#[derive(cynic::Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactStorageLayout {
    /// By digest.
    V1,
    /// By the version in which the bytes first appeared.
    V2,
}

/// What to do with a multipart upload.
#[derive(cynic::Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompleteMultipartAction {
    /// Join the parts.
    #[cynic(rename = "Complete")]
    Complete,
}

/// The version to make.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateArtifactInput {
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The run id.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// The type.
    pub artifact_type_name: String,
    /// The collection.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub artifact_collection_name: Option<String>,
    /// The digest.
    pub digest: String,
    /// What digests are made with.
    pub digest_algorithm: ArtifactDigestAlgorithm,
    /// The new description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The new metadata, whole.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonString>,
    /// The aliases.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<ArtifactAliasInput>>,
    /// The tags.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagInput>>,
    /// The id that the client chose for the version.
    #[cynic(rename = "clientID", skip_serializing_if = "Option::is_none")]
    pub client_id: Option<cynic::Id>,
    /// The id that the client chose for the collection.
    #[cynic(rename = "sequenceClientID", skip_serializing_if = "Option::is_none")]
    pub sequence_client_id: Option<cynic::Id>,
    /// Common to the parts of a version that several processes log.
    #[cynic(rename = "distributedID", skip_serializing_if = "Option::is_none")]
    pub distributed_id: Option<String>,
    /// How many history rows the run has.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub history_step: Option<Int64>,
    /// Seconds to keep it; -1: as the collection says; -2: for ever.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ttl_duration_seconds: Option<Int64>,
    /// Whether a version with the same digest is given back instead of a new one.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub enable_digest_deduplication: Option<bool>,
    /// The storage region.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub storage_region: Option<String>,
}

/// The version that was made or found.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateArtifactPayload {
    /// The version.
    pub artifact: CreatedArtifact,
}

/// A version that is being logged, or was before.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact")]
pub struct CreatedArtifact {
    /// The opaque id.
    pub id: cynic::Id,
    /// `COMMITTED` when the content was there already.
    pub state: ArtifactState,
    /// Where it is.
    pub artifact_sequence: SequenceWithLatest,
}

/// A sequence and its latest version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactSequence")]
pub struct SequenceWithLatest {
    /// The latest version that was committed.
    pub latest_artifact: Option<ArtifactReference>,
}

/// Variables of [`CreateArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateArtifactVariables {
    /// What to do.
    pub input: CreateArtifactInput,
}

/// `CreateArtifact`: begins a version, or finds the one that has the same content.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateArtifactVariables")]
pub struct CreateArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub create_artifact: Option<CreateArtifactPayload>,
}

/// The manifest to make.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateArtifactManifestInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The version that an incremental manifest adds to.
    #[cynic(rename = "baseArtifactID", skip_serializing_if = "Option::is_none")]
    pub base_artifact_id: Option<cynic::Id>,
    /// The name.
    pub name: String,
    /// The digest.
    pub digest: String,
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The run id.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// What the manifest holds.
    #[cynic(rename = "type", skip_serializing_if = "Option::is_none")]
    pub manifest_type: Option<ArtifactManifestType>,
}

/// Variables of [`CreateArtifactManifest`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateArtifactManifestVariables {
    /// What to do.
    pub input: CreateArtifactManifestInput,
    /// Whether an upload is asked for.
    pub include_upload: bool,
}

/// `CreateArtifactManifest`: makes or replaces the manifest of a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateArtifactManifestVariables")]
pub struct CreateArtifactManifest {
    /// What came of it.
    #[arguments(input: $input)]
    pub create_artifact_manifest: Option<CreateArtifactManifestPayload>,
}

/// The manifest that was made.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(variables = "CreateArtifactManifestVariables")]
pub struct CreateArtifactManifestPayload {
    /// The manifest.
    pub artifact_manifest: NewManifest,
}

/// A manifest.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(
    graphql_type = "ArtifactManifest",
    variables = "CreateArtifactManifestVariables"
)]
pub struct NewManifest {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where it goes.
    #[directives(include(if: $include_upload))]
    pub file: Option<UploadTarget>,
}

/// Where bytes go.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "File")]
pub struct UploadTarget {
    /// The address; `null`: the server has them.
    pub upload_url: Option<String>,
    /// `Name:value` each.
    pub upload_headers: Option<Vec<String>>,
}

/// The manifest to complete.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UpdateArtifactManifestInput {
    /// The manifest's opaque id.
    #[cynic(rename = "artifactManifestID")]
    pub artifact_manifest_id: cynic::Id,
    /// The digest.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The version that an incremental manifest adds to.
    #[cynic(rename = "baseArtifactID", skip_serializing_if = "Option::is_none")]
    pub base_artifact_id: Option<cynic::Id>,
}

/// Variables of [`UpdateArtifactManifest`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpdateArtifactManifestVariables {
    /// What to do.
    pub input: UpdateArtifactManifestInput,
}

/// `UpdateArtifactManifest`: gives an incremental manifest its digest, and asks for its upload.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpdateArtifactManifestVariables")]
pub struct UpdateArtifactManifest {
    /// What came of it.
    #[arguments(input: $input)]
    pub update_artifact_manifest: Option<UpdateArtifactManifestPayload>,
}

/// The manifest that was completed.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpdateArtifactManifestPayload {
    /// The manifest.
    pub artifact_manifest: UploadableManifest,
}

/// A manifest and where it goes.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactManifest")]
pub struct UploadableManifest {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where it goes.
    pub file: UploadTarget,
}

/// A part of a multipart upload.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UploadPartsInput {
    /// The part, from 1.
    pub part_number: Int64,
    /// Of an announcement, the MD5 in hex; of a completion, the part's ETag as it was answered.
    #[cynic(rename = "hexMD5")]
    pub hex_md5: String,
}

/// A file to announce.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateArtifactFileSpecInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The manifest's opaque id.
    #[cynic(rename = "artifactManifestID", skip_serializing_if = "Option::is_none")]
    pub artifact_manifest_id: Option<cynic::Id>,
    /// The name.
    pub name: String,
    /// Base64 of the digest.
    pub md5: String,
    /// The digest.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The media type.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub mimetype: Option<String>,
    /// The parts, for a multipart upload.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub upload_parts_input: Option<Vec<UploadPartsInput>>,
}

/// Files to announce.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateArtifactFilesInput {
    /// The files.
    pub artifact_files: Vec<CreateArtifactFileSpecInput>,
    /// How the store is laid out.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub storage_layout: Option<ArtifactStorageLayout>,
    /// The storage region.
    #[cynic(rename = "cloudRegionID", skip_serializing_if = "Option::is_none")]
    pub cloud_region_id: Option<cynic::Id>,
    /// What digests are made with.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub digest_algorithm: Option<ArtifactDigestAlgorithm>,
}

/// The files that were announced, in the order of the request.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateArtifactFilesPayload {
    /// The files.
    pub files: UploadConnection,
}

/// Announced files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "FileConnection")]
pub struct UploadConnection {
    /// One edge per file.
    pub edges: Vec<UploadEdge>,
}

/// An edge to an announced file.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "FileEdge")]
pub struct UploadEdge {
    /// The file.
    pub node: Option<UploadFile>,
}

/// An announced file.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "File")]
pub struct UploadFile {
    /// Opaque; given back when a multipart upload is completed.
    pub storage_path: Option<String>,
    /// Where the bytes go; `null`: the server has them.
    pub upload_url: Option<String>,
    /// `Name:value` each.
    pub upload_headers: Option<Vec<String>>,
    /// Where the parts go.
    pub upload_multipart_urls: Option<UploadMultipartUrls>,
    /// The version in which the bytes first appeared.
    pub artifact: Option<ArtifactReference>,
}

/// Where parts go.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UploadMultipartUrls {
    /// The upload's opaque id.
    #[cynic(rename = "uploadID")]
    pub upload_id: String,
    /// One address per part.
    pub upload_url_parts: Vec<UploadUrlPart>,
}

/// Where a part goes.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UploadUrlPart {
    /// The part, from 1.
    pub part_number: Int64,
    /// The address.
    pub upload_url: String,
}

/// Variables of [`CreateArtifactFiles`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateArtifactFilesVariables {
    /// What to do.
    pub input: CreateArtifactFilesInput,
}

/// `CreateArtifactFiles`: announces files and asks where their bytes go.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateArtifactFilesVariables")]
pub struct CreateArtifactFiles {
    /// What came of it.
    #[arguments(input: $input)]
    pub create_artifact_files: Option<CreateArtifactFilesPayload>,
}

/// The multipart upload to complete.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CompleteMultipartUploadArtifactInput {
    /// What to do.
    pub complete_multipart_action: CompleteMultipartAction,
    /// The parts.
    pub completed_parts: Vec<UploadPartsInput>,
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// As the announcement was answered.
    pub storage_path: String,
    /// As the announcement was answered.
    #[cynic(rename = "uploadID")]
    pub upload_id: String,
}

/// What was joined.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CompleteMultipartUploadArtifactPayload {
    /// The digest of the whole.
    pub digest: Option<String>,
}

/// Variables of [`CompleteMultipartUploadArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CompleteMultipartVariables {
    /// What to do.
    pub input: CompleteMultipartUploadArtifactInput,
}

/// `CompleteMultipartUploadArtifact`: joins the parts of an upload.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CompleteMultipartVariables")]
pub struct CompleteMultipartUploadArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub complete_multipart_upload_artifact: Option<CompleteMultipartUploadArtifactPayload>,
}

/// The version to commit.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CommitArtifactInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
}

/// The version that was committed.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CommitArtifactPayload {
    /// The version.
    pub artifact: CommittedArtifact,
}

/// A version that was committed.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact")]
pub struct CommittedArtifact {
    /// The opaque id.
    pub id: cynic::Id,
    /// The digest that the server computed.
    pub digest: String,
}

/// Variables of [`CommitArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CommitArtifactVariables {
    /// What to do.
    pub input: CommitArtifactInput,
}

/// `CommitArtifact`: makes a version complete.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CommitArtifactVariables")]
pub struct CommitArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub commit_artifact: Option<CommitArtifactPayload>,
}
