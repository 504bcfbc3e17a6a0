//! Artifacts: none yet, see [`absent`](super::absent).
// What the derived code of types without values looks like, and arguments that several fields of an interface share.
#![allow(
    unreachable_code,
    clippy::too_many_arguments,
    clippy::duplicated_attributes,
    clippy::large_enum_variant
)]

use async_graphql::{Enum, ID, Interface, Union};

use super::absent::{absent, absent_connection};
use super::file::{File, FileConnection};
use super::identity::User;
use super::project::{Project, RunConnection};
use super::run::Run;
use super::scalars::{DateTime, Int64, JsonString};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactState {
    Pending,
    Committed,
    Deleted,
}

/// Where a collection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactCollectionState {
    Ready,
    Deleted,
}

/// What digests are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactDigestAlgorithm {
    #[graphql(name = "MANIFEST_MD5")]
    ManifestMd5,
    #[graphql(name = "MANIFEST_XXH128")]
    ManifestXxh128,
}

/// What a manifest describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactManifestType {
    Full,
    Incremental,
    Patch,
}

absent! {
    /// A version of an artifact.
    Artifact {
        id() -> ID;
        state() -> ArtifactState;
        digest() -> String;
        digest_algorithm() -> Option<ArtifactDigestAlgorithm>;
        version_index(_collection as "artifactCollectionName": Option<String>) -> Option<i32>;
        commit_hash(_collection as "artifactCollectionName": Option<String>) -> Option<String>;
        description() -> Option<String>;
        labels() -> Option<JsonString>;
        metadata() -> Option<JsonString>;
        size() -> Int64;
        storage_bytes() -> Int64;
        file_count() -> Int64;
        history_step() -> Option<Int64>;
        ttl_duration_seconds() -> Int64;
        ttl_is_inherited() -> bool;
        created_at() -> DateTime;
        updated_at() -> Option<DateTime>;
        tags() -> Vec<Tag>;
        aliases(_collection as "artifactCollectionName": Option<String>) -> Vec<ArtifactAlias>;
        artifact_type() -> ArtifactType;
        artifact_sequence() -> ArtifactSequence;
        artifact_collections(_first as "first": Option<i32>) -> ArtifactCollectionConnection;
        artifact_memberships(_first as "first": Option<i32>, _after as "after": Option<String>) -> ArtifactCollectionMembershipConnection;
        current_manifest() -> Option<ArtifactManifest>;
        created_by() -> Option<Initiator>;
        used_by(_filters as "filters": Option<JsonString>, _order as "order": Option<String>, _first as "first": Option<i32>, _after as "after": Option<String>, _last as "last": Option<i32>, _before as "before": Option<String>) -> RunConnection;
        used_count() -> i32;
        files(_names as "names": Option<Vec<String>>, _first as "first": Option<i32>, _after as "after": Option<String>) -> Option<FileConnection>;
    }

    /// A name for a version.
    ArtifactAlias {
        id() -> ID;
        alias() -> String;
        artifact_collection_name() -> String;
        artifact_collection() -> Option<ArtifactCollection>;
        artifact() -> Option<Artifact>;
    }

    /// What kind of thing an artifact is.
    ArtifactType {
        id() -> ID;
        name() -> String;
        description() -> Option<String>;
        created_at() -> DateTime;
        project() -> Project;
        artifact(_name as "name": String) -> Option<Artifact>;
        artifact_collection(_name as "name": String) -> Option<ArtifactCollection>;
        artifact_collections(_filters as "filters": Option<JsonString>, _order as "order": Option<String>, _first as "first": Option<i32>, _after as "after": Option<String>) -> Option<ArtifactCollectionConnection>;
    }

    /// Versions as they were made.
    ArtifactSequence {
        id() -> ID;
        name() -> String;
        description() -> Option<String>;
        state() -> ArtifactCollectionState;
        created_at() -> DateTime;
        updated_at() -> Option<DateTime>;
        project() -> Option<Project>;
        default_artifact_type() -> ArtifactType;
        digest_algorithm() -> Option<ArtifactDigestAlgorithm>;
        latest_artifact() -> Option<Artifact>;
        tags() -> TagConnection;
        aliases(_first as "first": Option<i32>, _after as "after": Option<String>) -> ArtifactAliasConnection;
        artifacts(_filters as "filters": Option<JsonString>, _order as "order": Option<String>, _first as "first": Option<i32>, _after as "after": Option<String>) -> Option<VersionedArtifactConnection>;
        artifact_membership(_alias as "aliasName": String) -> Option<ArtifactCollectionMembership>;
    }

    /// Versions that were linked.
    ArtifactPortfolio {
        id() -> ID;
        name() -> String;
        description() -> Option<String>;
        state() -> ArtifactCollectionState;
        created_at() -> DateTime;
        updated_at() -> Option<DateTime>;
        project() -> Option<Project>;
        default_artifact_type() -> ArtifactType;
        tags() -> TagConnection;
        aliases(_first as "first": Option<i32>, _after as "after": Option<String>) -> ArtifactAliasConnection;
        artifacts(_filters as "filters": Option<JsonString>, _order as "order": Option<String>, _first as "first": Option<i32>, _after as "after": Option<String>) -> Option<VersionedArtifactConnection>;
        artifact_membership(_alias as "aliasName": String) -> Option<ArtifactCollectionMembership>;
    }

    /// A version in a collection.
    ArtifactCollectionMembership {
        id() -> ID;
        version_index() -> Option<i32>;
        commit_hash() -> Option<String>;
        created_at() -> DateTime;
        aliases() -> Vec<ArtifactAlias>;
        artifact_collection() -> Option<ArtifactCollection>;
        artifact() -> Option<Artifact>;
        files(_names as "names": Option<Vec<String>>, _first as "first": Option<i32>, _after as "after": Option<String>) -> Option<FileConnection>;
    }

    /// The list of an artifact's files.
    ArtifactManifest {
        id() -> ID;
        kind as "type"() -> ArtifactManifestType;
        digest() -> String;
        created_at() -> DateTime;
        artifact() -> Artifact;
        file() -> File;
    }

    /// A word on a version or collection.
    Tag {
        id() -> ID;
        name() -> String;
        tag_category_name() -> String;
        attributes() -> JsonString;
    }

    /// The server's id for one that a client made up.
    ClientIDMapping {
        client_id as "clientID"() -> ID;
        server_id as "serverID"() -> ID;
    }
}

/// A container of versions.
#[derive(Debug, Clone, Copy, Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "name", ty = "String"),
    field(name = "description", ty = "Option<String>"),
    field(name = "state", ty = "ArtifactCollectionState"),
    field(name = "created_at", ty = "DateTime"),
    field(name = "updated_at", ty = "Option<DateTime>"),
    field(name = "project", ty = "Option<Project>"),
    field(name = "default_artifact_type", ty = "ArtifactType"),
    field(name = "tags", ty = "TagConnection"),
    field(
        name = "aliases",
        ty = "ArtifactAliasConnection",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>")
    ),
    field(
        name = "artifacts",
        ty = "Option<VersionedArtifactConnection>",
        arg(name = "filters", ty = "Option<JsonString>"),
        arg(name = "order", ty = "Option<String>"),
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>")
    ),
    field(
        name = "artifact_membership",
        ty = "Option<ArtifactCollectionMembership>",
        arg(name = "alias_name", ty = "String")
    )
)]
pub(crate) enum ArtifactCollection {
    /// Versions as they were made.
    Sequence(ArtifactSequence),
    /// Versions that were linked.
    Portfolio(ArtifactPortfolio),
}

/// Who made a version.
#[derive(Debug, Union)]
pub(crate) enum Initiator {
    /// A run did.
    Run(Run),
    /// A user did.
    User(User),
}

absent_connection! {
    /// Versions.
    ArtifactConnection, ArtifactEdge, Option<Artifact>;
    /// Collections.
    ArtifactCollectionConnection, ArtifactCollectionEdge, Option<ArtifactCollection>;
    /// Versions in collections.
    ArtifactCollectionMembershipConnection, ArtifactCollectionMembershipEdge, Option<ArtifactCollectionMembership>;
    /// Types.
    ArtifactTypeConnection, ArtifactTypeEdge, Option<ArtifactType>;
    /// Aliases.
    ArtifactAliasConnection, ArtifactAliasEdge, Option<ArtifactAlias>;
    /// Tags.
    TagConnection, TagEdge, Tag;
}

/// Versions with their names.
#[derive(Debug, Default, async_graphql::SimpleObject)]
pub(crate) struct VersionedArtifactConnection {
    edges: Vec<VersionedArtifactEdge>,
    page_info: super::page::PageInfo,
    total_count: i32,
}

/// A version with its name.
#[derive(Debug, async_graphql::SimpleObject)]
pub(crate) struct VersionedArtifactEdge {
    cursor: String,
    node: Artifact,
    version: String,
}

/// Versions that a run used.
#[derive(Debug, Default, async_graphql::SimpleObject)]
pub(crate) struct InputArtifactConnection {
    edges: Vec<InputArtifactEdge>,
    page_info: super::page::PageInfo,
    total_count: i32,
}

/// A version that a run used.
#[derive(Debug, async_graphql::SimpleObject)]
pub(crate) struct InputArtifactEdge {
    cursor: String,
    node: Option<Artifact>,
    used_as: Vec<String>,
}
