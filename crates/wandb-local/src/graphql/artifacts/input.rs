//! Inputs of the mutations of artifacts. Names are the wire's; what is declared but never read is what clients send and
//! a server without that function has no use for.

use async_graphql::{Enum, ID, InputObject};

use super::super::scalars::{Int64, JsonString};
use super::{ArtifactDigestAlgorithm, ArtifactManifestType};

/// How bytes are laid out; here there is one way, and clients find the bytes by either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactStorageLayout {
    /// By digest.
    V1,
    /// By collection, birth and digest.
    V2,
}

/// What to do with an upload in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum CompleteMultipartAction {
    /// Put the parts together.
    #[graphql(name = "Complete")]
    Complete,
}

/// A tag. Categories and attributes are the real service's.
#[derive(Debug, InputObject)]
pub(crate) struct TagInput {
    pub(super) tag_name: String,
    #[graphql(name = "tagCategoryName")]
    pub(super) _category: Option<String>,
    #[graphql(name = "attributes")]
    pub(super) _attributes: Option<JsonString>,
}

/// Names of tags.
pub(super) fn tag_names(tags: Option<Vec<TagInput>>) -> Vec<String> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.map(|tag| tag.tag_name).collect()
}

/// An alias in a collection of the same project.
#[derive(Debug, InputObject)]
pub(crate) struct ArtifactAliasInput {
    pub(super) artifact_collection_name: String,
    pub(super) alias: String,
}

/// An alias in any collection.
#[derive(Debug, InputObject)]
pub(crate) struct ArtifactCollectionAliasInput {
    pub(super) entity_name: String,
    pub(super) project_name: String,
    pub(super) artifact_collection_name: String,
    pub(super) alias: String,
}

/// Input of `createArtifactType`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateArtifactTypeInput {
    pub(super) entity_name: String,
    pub(super) project_name: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `createArtifact`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateArtifactInput {
    pub(super) entity_name: String,
    pub(super) project_name: String,
    pub(super) run_name: Option<String>,
    pub(super) artifact_type_name: String,
    pub(super) artifact_collection_name: Option<String>,
    /// Older clients name the collection here; more than one makes no sense.
    pub(super) artifact_collection_names: Option<Vec<String>>,
    pub(super) digest: String,
    pub(super) digest_algorithm: ArtifactDigestAlgorithm,
    pub(super) description: Option<String>,
    pub(super) labels: Option<JsonString>,
    pub(super) metadata: Option<JsonString>,
    pub(super) aliases: Option<Vec<ArtifactAliasInput>>,
    pub(super) tags: Option<Vec<TagInput>>,
    #[graphql(name = "clientID")]
    pub(super) client_id: Option<ID>,
    #[graphql(name = "sequenceClientID")]
    pub(super) sequence_client_id: Option<ID>,
    #[graphql(name = "distributedID")]
    pub(super) distributed_id: Option<String>,
    pub(super) history_step: Option<Int64>,
    pub(super) ttl_duration_seconds: Option<Int64>,
    pub(super) enable_digest_deduplication: Option<bool>,
    /// There is one region.
    #[graphql(name = "storageRegion")]
    pub(super) _storage_region: Option<String>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `createArtifactManifest`. The run is known from the version.
#[derive(Debug, InputObject)]
pub(crate) struct CreateArtifactManifestInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    #[graphql(name = "baseArtifactID")]
    pub(super) base_artifact_id: Option<ID>,
    pub(super) name: String,
    pub(super) digest: String,
    #[graphql(name = "entityName")]
    pub(super) _entity_name: String,
    #[graphql(name = "projectName")]
    pub(super) _project_name: String,
    #[graphql(name = "runName")]
    pub(super) _run_name: Option<String>,
    #[graphql(name = "type")]
    pub(super) kind: Option<ArtifactManifestType>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `updateArtifactManifest`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateArtifactManifestInput {
    #[graphql(name = "artifactManifestID")]
    pub(super) artifact_manifest_id: ID,
    pub(super) digest: Option<String>,
    #[graphql(name = "baseArtifactID")]
    pub(super) base_artifact_id: Option<ID>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// A part of a file. In `completedParts`, `hexMD5` is the ETag that the server answered with.
#[derive(Debug, InputObject)]
pub(crate) struct UploadPartsInput {
    pub(super) part_number: Int64,
    #[graphql(name = "hexMD5")]
    pub(super) hex_md5: String,
}

/// Numbers and digests of parts.
pub(super) fn parts(parts: Vec<UploadPartsInput>) -> Vec<(i64, String)> {
    let parts = parts.into_iter();
    parts.map(|part| (part.part_number.0, part.hex_md5)).collect()
}

/// A file that is announced.
#[derive(Debug, InputObject)]
pub(crate) struct CreateArtifactFileSpecInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    #[graphql(name = "artifactManifestID")]
    pub(super) artifact_manifest_id: Option<ID>,
    pub(super) name: String,
    pub(super) md5: String,
    pub(super) digest: Option<String>,
    /// The ending of the name tells it.
    #[graphql(name = "mimetype")]
    pub(super) _mimetype: Option<String>,
    pub(super) upload_parts_input: Option<Vec<UploadPartsInput>>,
}

/// Input of `createArtifactFiles`. The algorithm is known from the version.
#[derive(Debug, InputObject)]
pub(crate) struct CreateArtifactFilesInput {
    pub(super) artifact_files: Vec<CreateArtifactFileSpecInput>,
    #[graphql(name = "storageLayout")]
    pub(super) _storage_layout: Option<ArtifactStorageLayout>,
    #[graphql(name = "cloudRegionID")]
    pub(super) _cloud_region_id: Option<ID>,
    #[graphql(name = "digestAlgorithm")]
    pub(super) _digest_algorithm: Option<ArtifactDigestAlgorithm>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `completeMultipartUploadArtifact`.
#[derive(Debug, InputObject)]
pub(crate) struct CompleteMultipartUploadArtifactInput {
    /// There is one.
    #[graphql(name = "completeMultipartAction")]
    pub(super) _action: CompleteMultipartAction,
    pub(super) completed_parts: Vec<UploadPartsInput>,
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    pub(super) storage_path: String,
    #[graphql(name = "uploadID")]
    pub(super) upload_id: String,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `commitArtifact`.
#[derive(Debug, InputObject)]
pub(crate) struct CommitArtifactInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `useArtifact`. Where the version comes from is known from its id.
#[derive(Debug, InputObject)]
pub(crate) struct UseArtifactInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    pub(super) entity_name: String,
    pub(super) project_name: String,
    pub(super) run_name: String,
    pub(super) used_as: Option<String>,
    #[graphql(name = "artifactEntityName")]
    pub(super) _artifact_entity_name: Option<String>,
    #[graphql(name = "artifactProjectName")]
    pub(super) _artifact_project_name: Option<String>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `updateArtifact`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateArtifactInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    pub(super) description: Option<String>,
    pub(super) labels: Option<JsonString>,
    pub(super) metadata: Option<JsonString>,
    /// Clients of 2020 replace the list.
    pub(super) aliases: Option<Vec<ArtifactAliasInput>>,
    pub(super) tags_to_add: Option<Vec<TagInput>>,
    pub(super) tags_to_delete: Option<Vec<TagInput>>,
    pub(super) ttl_duration_seconds: Option<Int64>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `deleteArtifact`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteArtifactInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    pub(super) delete_aliases: Option<bool>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `addAliases`.
#[derive(Debug, InputObject)]
pub(crate) struct AddAliasesInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    pub(super) aliases: Vec<ArtifactCollectionAliasInput>,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `deleteAliases`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteAliasesInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    pub(super) aliases: Vec<ArtifactCollectionAliasInput>,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `linkArtifact`. One of the two ids of the version, and the id or the name of the portfolio.
#[derive(Debug, InputObject)]
pub(crate) struct LinkArtifactInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: Option<ID>,
    #[graphql(name = "clientID")]
    pub(super) client_id: Option<ID>,
    #[graphql(name = "artifactPortfolioID")]
    pub(super) artifact_portfolio_id: Option<ID>,
    pub(super) artifact_portfolio_name: Option<String>,
    pub(super) entity_name: Option<String>,
    pub(super) project_name: Option<String>,
    pub(super) aliases: Option<Vec<ArtifactAliasInput>>,
    #[graphql(name = "clientMutationId")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `unlinkArtifact`.
#[derive(Debug, InputObject)]
pub(crate) struct UnlinkArtifactInput {
    #[graphql(name = "artifactID")]
    pub(super) artifact_id: ID,
    #[graphql(name = "artifactPortfolioID")]
    pub(super) artifact_portfolio_id: ID,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `deleteArtifactSequence`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteArtifactSequenceInput {
    #[graphql(name = "artifactSequenceID")]
    pub(super) artifact_sequence_id: ID,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `deleteArtifactPortfolio`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteArtifactPortfolioInput {
    #[graphql(name = "artifactPortfolioID")]
    pub(super) artifact_portfolio_id: ID,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `updateArtifactSequence`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateArtifactSequenceInput {
    #[graphql(name = "artifactSequenceID")]
    pub(super) artifact_sequence_id: ID,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `updateArtifactPortfolio`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateArtifactPortfolioInput {
    #[graphql(name = "artifactPortfolioID")]
    pub(super) artifact_portfolio_id: ID,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `moveArtifactSequence`.
#[derive(Debug, InputObject)]
pub(crate) struct MoveArtifactSequenceInput {
    #[graphql(name = "artifactSequenceID")]
    pub(super) artifact_sequence_id: ID,
    pub(super) destination_artifact_type_name: String,
    pub(super) client_mutation_id: Option<String>,
}

/// Input of `createArtifactCollectionTagAssignments`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateArtifactCollectionTagAssignmentsInput {
    pub(super) entity_name: String,
    pub(super) project_name: String,
    pub(super) artifact_collection_name: String,
    pub(super) tags: Vec<TagInput>,
    #[graphql(name = "clientMutationID")]
    pub(super) _client_mutation_id: Option<String>,
}

/// Input of `deleteArtifactCollectionTagAssignments`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteArtifactCollectionTagAssignmentsInput {
    pub(super) entity_name: String,
    pub(super) project_name: String,
    pub(super) artifact_collection_name: String,
    pub(super) tags: Vec<TagInput>,
    #[graphql(name = "clientMutationID")]
    pub(super) client_mutation_id: Option<String>,
}
