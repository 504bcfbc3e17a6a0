//! Types of artifacts.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::super::project::Project;
use super::super::scalars::{DateTime, JsonString};
use super::super::{caller, page};
use super::collection::{ArtifactCollection, ArtifactSequence, CollectionPage, collection_page};
use super::lists::{ArtifactCollectionConnection, ArtifactSequenceConnection};
use super::version::Artifact;
use crate::store::artifacts::collections::{self, Scope};
use crate::store::artifacts::rows::{CollectionRow, TypeRow};
use crate::store::artifacts::versions;
use crate::store::ids::Kind;

/// What kind of thing an artifact is.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactType(pub(crate) Arc<TypeRow>);

impl ArtifactType {
    async fn collection(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> async_graphql::Result<Option<Arc<CollectionRow>>> {
        let (project, kind) = (self.0.project.id, self.0.id);
        let row = caller(ctx)
            .app
            .store
            .read(move |db| collections::find(db, project, &name))
            .await?;
        Ok(row.filter(|row| row.kind.id == kind))
    }
}

/// What kind of thing an artifact is.
#[Object]
impl ArtifactType {
    async fn id(&self) -> ID {
        Kind::ArtifactType.encode(self.0.id).into()
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn project(&self) -> Project {
        Project((*self.0.project).clone())
    }
    /// A version of this type, by `collection:v3`, `collection:alias` or `collection`, which means `latest`.
    async fn artifact(&self, ctx: &Context<'_>, name: String) -> async_graphql::Result<Option<Artifact>> {
        let (project, kind) = (self.0.project.id, self.0.id);
        let row = caller(ctx)
            .read(move |db, identity| versions::named(db, identity, project, &name, Some(kind)))
            .await?;
        Ok(row.map(|row| Artifact(row.artifact)))
    }
    /// A sequence or portfolio of this type.
    async fn artifact_collection(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> async_graphql::Result<Option<ArtifactCollection>> {
        Ok(self.collection(ctx, name).await?.map(ArtifactCollection::of))
    }
    /// Sequences and portfolios of this type.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn artifact_collections(
        &self,
        ctx: &Context<'_>,
        filters: Option<JsonString>,
        order: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ArtifactCollectionConnection>> {
        let page = CollectionPage {
            scope: Scope::Type(self.0.id),
            sequences: false,
            filters,
            order,
            first,
            after,
        };
        let (rows, more, window, total) = collection_page(caller(ctx), page).await?;
        let nodes = rows.into_iter().map(ArtifactCollection::of).collect();
        Ok(Some(ArtifactCollectionConnection::new(
            nodes, more, window, total,
        )))
    }
    /// A sequence of this type, as clients of 2020 ask for it.
    async fn artifact_sequence(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> async_graphql::Result<Option<ArtifactSequence>> {
        let row = self.collection(ctx, name).await?;
        Ok(row.filter(|row| !row.portfolio).map(ArtifactSequence))
    }
    /// Sequences of this type, as clients of 2020 ask for them.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn artifact_sequences(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ArtifactSequenceConnection>> {
        let page = CollectionPage {
            scope: Scope::Type(self.0.id),
            sequences: true,
            filters: None,
            order: None,
            first,
            after,
        };
        let (rows, more, window, total) = collection_page(caller(ctx), page).await?;
        let nodes = rows.into_iter().map(ArtifactSequence).collect();
        Ok(Some(ArtifactSequenceConnection::new(nodes, more, window, total)))
    }
}
