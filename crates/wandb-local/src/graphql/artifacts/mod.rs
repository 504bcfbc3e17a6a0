//! Artifacts (protocol §2.14).
//!
//! | module | what it holds |
//! |---|---|
//! | `version` | a version |
//! | `collection` | sequences, portfolios, and what they have in common |
//! | `kind` | types |
//! | `membership` | a version in a collection |
//! | `manifest` | manifests |
//! | `lists` | connections |
//! | `input` | inputs of mutations |
//! | `write` | mutations that make versions |
//! | `edit` | mutations that change what is there |

mod collection;
mod edit;
mod input;
mod kind;
mod lists;
mod manifest;
mod membership;
mod version;
mod write;

pub(super) use collection::{ArtifactCollection, CollectionPage, collection_page};
pub(super) use edit::ArtifactEditMutation;
pub(super) use kind::ArtifactType;
pub(super) use lists::{
    ArtifactCollectionConnection, ArtifactConnection, ArtifactTypeConnection, InputArtifactConnection,
    inputs_page, outputs_page,
};
pub(super) use membership::ArtifactCollectionMembership;
pub(super) use version::Artifact;
pub(super) use write::ArtifactWriteMutation;

use async_graphql::{Enum, ID, SimpleObject};

use super::scalars::JsonString;
use crate::store::artifacts::rows::TagRow;
use crate::store::artifacts::{Algorithm, ManifestKind, State};
use crate::store::ids::Kind;

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactState {
    /// Being uploaded.
    Pending,
    /// Complete.
    Committed,
    /// Gone.
    Deleted,
}

impl From<State> for ArtifactState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Committed => Self::Committed,
            State::Deleted => Self::Deleted,
        }
    }
}

/// Where a collection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactCollectionState {
    /// There.
    Ready,
    /// Gone.
    Deleted,
}

/// What digests are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactDigestAlgorithm {
    /// MD5.
    #[graphql(name = "MANIFEST_MD5")]
    ManifestMd5,
    /// XXH3 with 128 bits.
    #[graphql(name = "MANIFEST_XXH128")]
    ManifestXxh128,
}

impl From<Algorithm> for ArtifactDigestAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::ManifestMd5,
            Algorithm::Xxh128 => Self::ManifestXxh128,
        }
    }
}

/// What a manifest describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ArtifactManifestType {
    /// The whole version.
    Full,
    /// What changes from a base version.
    Incremental,
    /// What one of several processes adds.
    Patch,
}

impl From<ManifestKind> for ArtifactManifestType {
    fn from(kind: ManifestKind) -> Self {
        match kind {
            ManifestKind::Full => Self::Full,
            ManifestKind::Incremental => Self::Incremental,
            ManifestKind::Patch => Self::Patch,
        }
    }
}

impl From<ArtifactManifestType> for ManifestKind {
    fn from(kind: ArtifactManifestType) -> Self {
        match kind {
            ArtifactManifestType::Full => Self::Full,
            ArtifactManifestType::Incremental => Self::Incremental,
            ArtifactManifestType::Patch => Self::Patch,
        }
    }
}

/// A word on a version or collection.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Tag {
    id: ID,
    name: String,
    tag_category_name: String,
    attributes: JsonString,
}

impl Tag {
    fn new(kind: Kind, row: &TagRow) -> Self {
        Self {
            id: kind.encode(row.id).into(),
            name: row.name.clone(),
            tag_category_name: String::new(),
            attributes: JsonString("{}".to_owned()),
        }
    }
}

/// The server's id for one that a client made up.
#[derive(Debug, SimpleObject)]
pub(crate) struct ClientIDMapping {
    /// The client's.
    #[graphql(name = "clientID")]
    pub(super) client_id: ID,
    /// The server's.
    #[graphql(name = "serverID")]
    pub(super) server_id: ID,
}

/// The row number in an id.
fn number(kind: Kind, what: &str, id: &str) -> async_graphql::Result<i64> {
    kind.decode(id)
        .ok_or_else(|| async_graphql::Error::new(format!("{what} not found for id {id:?}")))
}
