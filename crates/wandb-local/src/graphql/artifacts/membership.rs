//! A version in a collection.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::super::file::{FileConnection, artifact_files};
use super::super::scalars::DateTime;
use super::super::{caller, page};
use super::collection::ArtifactCollection;
use super::version::{Artifact, ArtifactAlias};
use crate::store::artifacts::rows::MembershipRow;
use crate::store::ids::Kind;

/// A version in a collection.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactCollectionMembership(pub(crate) MembershipRow);

/// A version in a collection.
#[Object]
impl ArtifactCollectionMembership {
    async fn id(&self) -> ID {
        Kind::ArtifactMembership.encode(self.0.id).into()
    }
    /// Of the version in this collection.
    async fn version_index(&self) -> Option<i64> {
        Some(self.0.version_index)
    }
    async fn commit_hash(&self) -> Option<&str> {
        self.0.artifact.commit_hash.as_deref()
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    /// In this collection.
    async fn aliases(&self) -> Vec<ArtifactAlias> {
        let aliases = self.0.artifact.aliases.iter();
        aliases
            .filter(|alias| alias.collection.id == self.0.collection.id)
            .cloned()
            .map(ArtifactAlias)
            .collect()
    }
    async fn artifact_collection(&self) -> Option<ArtifactCollection> {
        Some(ArtifactCollection::of(Arc::clone(&self.0.collection)))
    }
    async fn artifact(&self) -> Option<Artifact> {
        Some(Artifact(Arc::clone(&self.0.artifact)))
    }
    /// Files in the order of their paths; with names, only those.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn files(
        &self,
        ctx: &Context<'_>,
        names: Option<Vec<String>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<FileConnection>> {
        artifact_files(caller(ctx), self.0.artifact.id, names, first, after)
            .await
            .map(Some)
    }
}
