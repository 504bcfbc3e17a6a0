//! Versions of artifacts: by name, by id, of a collection, of a run (protocol §2.14).

use super::shared::PageInfo;
use crate::{
    scalars::{DateTime, Int64, JsonString},
    schema,
};

/// Where a version stands.
#[derive(cynic::Enum, Debug, Clone, PartialEq, Eq)]
pub enum ArtifactState {
    /// Being logged.
    Pending,
    /// Complete.
    Committed,
    /// Deleted.
    Deleted,
    /// A state that is newer than this client.
    #[cynic(fallback)]
    Other(String),
}

/// What the digests of a version are made with.
#[derive(cynic::Enum, Debug, Clone, PartialEq, Eq)]
pub enum ArtifactDigestAlgorithm {
    /// MD5.
    #[cynic(rename = "MANIFEST_MD5")]
    ManifestMd5,
    /// XXH3 of 128 bits.
    #[cynic(rename = "MANIFEST_XXH128")]
    ManifestXxh128,
    /// An algorithm that is newer than this client.
    #[cynic(fallback)]
    Other(String),
}

/// A version, with everything that is plain data.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct Artifact {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where it stands.
    pub state: ArtifactState,
    /// The digest of its manifest, hex.
    pub digest: String,
    /// What it is made with.
    pub digest_algorithm: Option<ArtifactDigestAlgorithm>,
    /// Its index in the sequence; `null` before it is committed.
    pub version_index: Option<i32>,
    /// An opaque hash of the version.
    pub commit_hash: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The metadata.
    pub metadata: Option<JsonString>,
    /// The sum of its entries' sizes.
    pub size: Int64,
    /// How many entries it has, references included.
    pub file_count: Int64,
    /// How many history rows the run had when it was logged, plus one.
    pub history_step: Option<Int64>,
    /// How long it is kept, in seconds; 0 or less: for ever.
    pub ttl_duration_seconds: Int64,
    /// Whether that is the collection's rule.
    pub ttl_is_inherited: bool,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was last changed.
    pub updated_at: Option<DateTime>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The aliases, in every collection that holds it.
    pub aliases: Vec<ArtifactAlias>,
    /// The type.
    pub artifact_type: ArtifactTypeName,
    /// Where it was logged.
    pub artifact_sequence: ArtifactSequenceName,
}

/// A tag.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct Tag {
    /// Its name.
    pub name: String,
}

/// An alias and the collection that it holds in.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactAlias {
    /// Its name.
    pub alias: String,
    /// The collection.
    pub artifact_collection: Option<CollectionPlace>,
}

/// The name of a type.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactType")]
pub struct ArtifactTypeName {
    /// The name.
    pub name: String,
}

/// Where a sequence is.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactSequence")]
pub struct ArtifactSequenceName {
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// The project.
    pub project: Option<ProjectPlace>,
}

/// Where a collection is.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection")]
pub struct CollectionPlace {
    /// `ArtifactSequence` or `ArtifactPortfolio`.
    #[cynic(rename = "__typename")]
    pub typename: String,
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// The project.
    pub project: Option<ProjectPlace>,
}

/// Where a project is.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project")]
pub struct ProjectPlace {
    /// The name.
    pub name: String,
    /// The entity.
    pub entity_name: String,
}

/// A version in a collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollectionMembership")]
pub struct Membership {
    /// The opaque id.
    pub id: cynic::Id,
    /// Its index in this collection.
    pub version_index: Option<i32>,
    /// The aliases that it has in this collection.
    pub aliases: Vec<AliasName>,
    /// The collection.
    pub artifact_collection: Option<CollectionPlace>,
    /// The version.
    pub artifact: Option<Artifact>,
}

/// An alias.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactAlias")]
pub struct AliasName {
    /// Its name.
    pub alias: String,
}

/// Variables of [`ArtifactMembershipByName`] and [`ArtifactByDigest`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ArtifactNameVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// `collection:alias`, `collection:vN` or `collection`; a digest.
    pub name: String,
}

/// `ArtifactMembershipByName`: one version by its name.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ArtifactNameVariables")]
pub struct ArtifactMembershipByName {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectMembership>,
}

/// The version below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ArtifactNameVariables")]
pub struct ProjectMembership {
    /// The version in the collection, `null` when there is none.
    #[arguments(name: $name)]
    pub artifact_collection_membership: Option<Membership>,
}

/// `ArtifactByDigest`: one version of a project by its digest.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ArtifactNameVariables")]
pub struct ArtifactByDigest {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectArtifactByDigest>,
}

/// The version below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ArtifactNameVariables")]
pub struct ProjectArtifactByDigest {
    /// The version, `null` when there is none.
    #[arguments(name: $name)]
    pub artifact: Option<Artifact>,
}

/// Variables of operations on one version.
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ArtifactIdVariables {
    /// The opaque id.
    pub id: cynic::Id,
}

/// `ArtifactByID`: one version by its id.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ArtifactIdVariables")]
pub struct ArtifactByID {
    /// The version, `null` when there is none.
    #[arguments(id: $id)]
    pub artifact: Option<Artifact>,
}

/// Variables of [`ProjectArtifacts`] and [`ProjectArtifactCount`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ProjectArtifactsVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// The collection.
    pub collection: String,
    /// The filter, Mongo-style.
    pub filters: Option<JsonString>,
    /// The sort key.
    pub order: Option<String>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `ProjectArtifacts`: one page of a collection's versions.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ProjectArtifactsVariables")]
pub struct ProjectArtifacts {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectCollectionArtifacts>,
}

/// The collection below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ProjectArtifactsVariables")]
pub struct ProjectCollectionArtifacts {
    /// The collection, `null` when there is none.
    #[arguments(name: $collection)]
    pub artifact_collection: Option<CollectionArtifacts>,
}

/// A page of versions below their collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection", variables = "ProjectArtifactsVariables")]
pub struct CollectionArtifacts {
    /// `ArtifactSequence` or `ArtifactPortfolio`.
    #[cynic(rename = "__typename")]
    pub typename: String,
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// The project.
    pub project: Option<ProjectPlace>,
    /// The type.
    pub default_artifact_type: ArtifactTypeName,
    /// The page.
    #[arguments(filters: $filters, order: $order, first: $per_page, after: $cursor)]
    pub artifacts: Option<VersionedArtifactConnection>,
}

/// A page of versions.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct VersionedArtifactConnection {
    /// One edge per version.
    pub edges: Vec<VersionedArtifactEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct VersionedArtifactEdge {
    /// `vN` in this collection.
    pub version: String,
    /// The version.
    pub node: Artifact,
}

/// `ProjectArtifactCount`: how many versions of a collection match a filter.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ProjectArtifactsVariables")]
pub struct ProjectArtifactCount {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectCollectionCount>,
}

/// The collection below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ProjectArtifactsVariables")]
pub struct ProjectCollectionCount {
    /// The collection, `null` when there is none.
    #[arguments(name: $collection)]
    pub artifact_collection: Option<CollectionCount>,
}

/// The count below the collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection", variables = "ProjectArtifactsVariables")]
pub struct CollectionCount {
    /// The type.
    pub default_artifact_type: ArtifactTypeName,
    /// The connection.
    #[arguments(filters: $filters, first: 1)]
    pub artifacts: Option<ArtifactCount>,
}

/// The size of a connection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "VersionedArtifactConnection")]
pub struct ArtifactCount {
    /// How many there are.
    pub total_count: i32,
}

/// Variables of [`RunOutputArtifacts`] and [`RunInputArtifacts`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunArtifactsVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// The run id.
    pub run: String,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `RunOutputArtifacts`: one page of what a run logged.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunArtifactsVariables")]
pub struct RunOutputArtifacts {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectRunOutputs>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunArtifactsVariables")]
pub struct ProjectRunOutputs {
    /// The run, `null` when there is none.
    #[arguments(name: $run)]
    pub run: Option<RunOutputs>,
}

/// The page below its run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunArtifactsVariables")]
pub struct RunOutputs {
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub output_artifacts: Option<ArtifactConnection>,
}

/// A page of versions.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactConnection {
    /// One edge per version.
    pub edges: Vec<ArtifactEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are.
    pub total_count: i32,
}

/// An edge to a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactEdge {
    /// The version; `null` when it was deleted or the key may not see it.
    pub node: Option<Artifact>,
}

/// `RunInputArtifacts`: one page of what a run used.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunArtifactsVariables")]
pub struct RunInputArtifacts {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectRunInputs>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunArtifactsVariables")]
pub struct ProjectRunInputs {
    /// The run, `null` when there is none.
    #[arguments(name: $run)]
    pub run: Option<RunInputs>,
}

/// The page below its run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunArtifactsVariables")]
pub struct RunInputs {
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub input_artifacts: Option<InputArtifactConnection>,
}

/// A page of versions that a run used.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct InputArtifactConnection {
    /// One edge per version.
    pub edges: Vec<InputArtifactEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are.
    pub total_count: i32,
}

/// An edge to a version that a run used.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct InputArtifactEdge {
    /// As what.
    pub used_as: Vec<String>,
    /// The version; `null` when it was deleted or the key may not see it.
    pub node: Option<Artifact>,
}

/// Variables of listings below one version.
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ArtifactPageVariables {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `FetchLinkedArtifacts`: one page of the collections that hold a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ArtifactPageVariables")]
pub struct FetchLinkedArtifacts {
    /// The version, `null` when there is none.
    #[arguments(id: $id)]
    pub artifact: Option<ArtifactMemberships>,
}

/// The page below the version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact", variables = "ArtifactPageVariables")]
pub struct ArtifactMemberships {
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub artifact_memberships: MembershipConnection,
}

/// A page of memberships.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollectionMembershipConnection")]
pub struct MembershipConnection {
    /// One edge per membership.
    pub edges: Vec<MembershipEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a membership.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollectionMembershipEdge")]
pub struct MembershipEdge {
    /// The membership.
    pub node: Option<Membership>,
}
