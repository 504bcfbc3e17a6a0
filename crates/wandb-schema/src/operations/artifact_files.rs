//! The manifest and the files of a version (protocol §2.14, §5.6).

use super::shared::PageInfo;
use crate::{
    scalars::{DateTime, Int64},
    schema,
};

/// `FetchArtifactManifest`: where the manifest of a version is.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "super::artifacts::ArtifactIdVariables")]
pub struct FetchArtifactManifest {
    /// The version, `null` when there is none.
    #[arguments(id: $id)]
    pub artifact: Option<ArtifactManifestOf>,
}

/// The manifest below its version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact")]
pub struct ArtifactManifestOf {
    /// The manifest; `null` before it is uploaded.
    pub current_manifest: Option<ArtifactManifest>,
}

/// A manifest.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactManifest {
    /// Its file.
    pub file: ManifestFile,
}

/// The file of a manifest.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "File")]
pub struct ManifestFile {
    /// Where its bytes are, without credentials.
    pub direct_url: String,
}

/// Variables of [`GetArtifactMembershipFileUrls`] and [`ArtifactMembershipFiles`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct MembershipFilesVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// The collection.
    pub collection: String,
    /// `vN` or an alias.
    pub alias: String,
    /// Only these paths; `null` means all.
    pub names: Option<Vec<String>>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `GetArtifactMembershipFileUrls`: one page of the addresses of a version's files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "MembershipFilesVariables")]
pub struct GetArtifactMembershipFileUrls {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectMembershipUrls>,
}

/// The collection below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "MembershipFilesVariables")]
pub struct ProjectMembershipUrls {
    /// The collection, `null` when there is none.
    #[arguments(name: $collection)]
    pub artifact_collection: Option<CollectionMembershipUrls>,
}

/// The version below its collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection", variables = "MembershipFilesVariables")]
pub struct CollectionMembershipUrls {
    /// The version, `null` when there is none.
    #[arguments(aliasName: $alias)]
    pub artifact_membership: Option<MembershipUrls>,
}

/// The page below its version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(
    graphql_type = "ArtifactCollectionMembership",
    variables = "MembershipFilesVariables"
)]
pub struct MembershipUrls {
    /// The page.
    #[arguments(names: $names, first: $per_page, after: $cursor)]
    pub files: Option<FileUrlConnection>,
}

/// A page of addresses.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "FileConnection")]
pub struct FileUrlConnection {
    /// One edge per file.
    pub edges: Vec<FileUrlEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to an address.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "FileEdge")]
pub struct FileUrlEdge {
    /// The address.
    pub node: Option<FileUrl>,
}

/// The address of a file.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "File")]
pub struct FileUrl {
    /// The path in the artifact.
    pub name: String,
    /// Where its bytes are, without credentials.
    pub direct_url: String,
}

/// `ArtifactMembershipFiles`: one page of a version's files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "MembershipFilesVariables")]
pub struct ArtifactMembershipFiles {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectMembershipFiles>,
}

/// The collection below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "MembershipFilesVariables")]
pub struct ProjectMembershipFiles {
    /// The collection, `null` when there is none.
    #[arguments(name: $collection)]
    pub artifact_collection: Option<CollectionMembershipFiles>,
}

/// The version below its collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection", variables = "MembershipFilesVariables")]
pub struct CollectionMembershipFiles {
    /// The version, `null` when there is none.
    #[arguments(aliasName: $alias)]
    pub artifact_membership: Option<MembershipFiles>,
}

/// The page below its version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(
    graphql_type = "ArtifactCollectionMembership",
    variables = "MembershipFilesVariables"
)]
pub struct MembershipFiles {
    /// The page.
    #[arguments(names: $names, first: $per_page, after: $cursor)]
    pub files: Option<ArtifactFileConnection>,
}

/// A page of files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "FileConnection")]
pub struct ArtifactFileConnection {
    /// One edge per file.
    pub edges: Vec<ArtifactFileEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a file.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "FileEdge")]
pub struct ArtifactFileEdge {
    /// The file.
    pub node: Option<ArtifactFile>,
}

/// A file of a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "File")]
pub struct ArtifactFile {
    /// The opaque id.
    pub id: cynic::Id,
    /// The path in the artifact, on servers that do not know `displayName` here.
    pub name: String,
    /// The path in the artifact.
    pub display_name: Option<String>,
    /// How many bytes.
    pub size_bytes: Int64,
    /// The media type.
    pub mimetype: Option<String>,
    /// When it was written.
    pub updated_at: Option<DateTime>,
    /// The entry's digest.
    pub digest: Option<String>,
    /// Base64 of the MD5.
    pub md5: Option<String>,
    /// Where its bytes are, without credentials; of a reference, what it refers to.
    pub direct_url: String,
}
