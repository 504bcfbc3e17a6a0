//! Sequences, where versions are made, and portfolios, where they are linked.
#![allow(clippy::duplicated_attributes, clippy::too_many_arguments)] // arguments that several fields of an interface share

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};

use super::super::page::{self, Window};
use super::super::project::Project;
use super::super::scalars::{DateTime, JsonString};
use super::super::{Caller, caller};
use super::kind::ArtifactType;
use super::lists::{
    ALIASES, ArtifactAliasConnection, ArtifactCollectionMembershipConnection, MAX_PAGE, TagConnection,
    VERSIONS, VersionedArtifactConnection, VersionedArtifactEdge,
};
use super::membership::ArtifactCollectionMembership;
use super::version::{Artifact, ArtifactAlias};
use super::{ArtifactCollectionState, ArtifactDigestAlgorithm, Tag};
use crate::store::artifacts::collections::{self, CollectionQuery, Scope};
use crate::store::artifacts::rows::{CollectionRow, MembershipRow};
use crate::store::artifacts::versions::{self, VersionQuery};
use crate::store::ids::Kind;

/// Declares the object of a collection: what sequences and portfolios share, and what else it has.
macro_rules! collection {
    ($(#[$doc:meta])* $name:ident { $($more:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name(pub(crate) Arc<CollectionRow>);

        $(#[$doc])*
        #[Object]
        impl $name {
            async fn id(&self) -> ID {
                Kind::ArtifactCollection.encode(self.0.id).into()
            }
            async fn name(&self) -> String {
                self.0.name.clone()
            }
            async fn description(&self) -> Option<String> {
                self.0.description.clone()
            }
            async fn state(&self) -> ArtifactCollectionState {
                if self.0.deleted {
                    ArtifactCollectionState::Deleted
                } else {
                    ArtifactCollectionState::Ready
                }
            }
            async fn created_at(&self) -> DateTime {
                DateTime(self.0.created_at)
            }
            async fn updated_at(&self) -> Option<DateTime> {
                Some(DateTime(self.0.updated_at))
            }
            async fn project(&self) -> Option<Project> {
                Some(Project((**self.0.project()).clone()))
            }
            async fn default_artifact_type(&self) -> ArtifactType {
                ArtifactType(Arc::clone(&self.0.kind))
            }
            async fn tags(&self) -> TagConnection {
                let tags: Vec<Tag> =
                    self.0.tags.iter().map(|row| Tag::new(Kind::CollectionTag, row)).collect();
                let (len, limit) = (tags.len() as i64, tags.len() as u64);
                TagConnection::new(tags, false, Window { offset: 0, limit }, len)
            }
            /// Aliases of all versions in it.
            #[graphql(complexity = "page::cost(first, 100) * child_complexity")]
            async fn aliases(
                &self,
                ctx: &Context<'_>,
                first: Option<i32>,
                after: Option<String>,
            ) -> async_graphql::Result<ArtifactAliasConnection> {
                aliases(caller(ctx), self.0.id, first, after).await
            }
            /// Versions in it, newest first unless ordered otherwise.
            #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
            async fn artifacts(
                &self,
                ctx: &Context<'_>,
                filters: Option<JsonString>,
                order: Option<String>,
                first: Option<i32>,
                after: Option<String>,
            ) -> async_graphql::Result<Option<VersionedArtifactConnection>> {
                let query = VersionQuery {
                    caller: caller(ctx).identity.clone(),
                    collection: self.0.id,
                    filters: filters.map(|text| text.0),
                    order,
                };
                versioned(caller(ctx), query, first, after).await.map(Some)
            }
            /// The version that `v3` or an alias names.
            async fn artifact_membership(
                &self,
                ctx: &Context<'_>,
                alias_name: String,
            ) -> async_graphql::Result<Option<ArtifactCollectionMembership>> {
                let collection = self.0.id;
                let Caller { app, identity, .. } = caller(ctx);
                let identity = identity.clone();
                let row = app
                    .store
                    .read(move |db| versions::member(db, &identity, collection, &alias_name))
                    .await?;
                Ok(row.map(ArtifactCollectionMembership))
            }
            #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
            async fn artifact_memberships(
                &self,
                ctx: &Context<'_>,
                first: Option<i32>,
                after: Option<String>,
            ) -> async_graphql::Result<ArtifactCollectionMembershipConnection> {
                let query = VersionQuery {
                    caller: caller(ctx).identity.clone(),
                    collection: self.0.id,
                    filters: None,
                    order: None,
                };
                let (rows, more, window, total) = members(caller(ctx), query, first, after).await?;
                let nodes = rows.into_iter().map(ArtifactCollectionMembership).collect();
                Ok(ArtifactCollectionMembershipConnection::new(nodes, more, window, total))
            }
            $($more)*
        }
    };
}

collection! {
    /// Versions as they were made.
    ArtifactSequence {
        async fn digest_algorithm(&self) -> Option<ArtifactDigestAlgorithm> {
            self.0.algorithm.map(Into::into)
        }
        /// The version called `latest`, or else the one with the highest index.
        async fn latest_artifact(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Artifact>> {
            let sequence = self.0.id;
            let store = &caller(ctx).app.store;
            Ok(store.read(move |db| versions::latest(db, sequence)).await?.map(Artifact))
        }
    }
}

collection! {
    /// Versions that were linked.
    ArtifactPortfolio {}
}

/// A container of versions.
#[derive(Debug, Clone, Interface)]
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
    ),
    field(
        name = "artifact_memberships",
        ty = "ArtifactCollectionMembershipConnection",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>")
    )
)]
pub(crate) enum ArtifactCollection {
    /// Versions as they were made.
    Sequence(ArtifactSequence),
    /// Versions that were linked.
    Portfolio(ArtifactPortfolio),
}

impl ArtifactCollection {
    /// The object of the right sort.
    pub(crate) fn of(row: Arc<CollectionRow>) -> Self {
        if row.portfolio {
            Self::Portfolio(ArtifactPortfolio(row))
        } else {
            Self::Sequence(ArtifactSequence(row))
        }
    }
}

/// What a listing of collections asks for.
#[derive(Debug)]
pub(crate) struct CollectionPage {
    pub(crate) scope: Scope,
    pub(crate) sequences: bool,
    pub(crate) filters: Option<JsonString>,
    pub(crate) order: Option<String>,
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
}

/// Rows, whether more follow, where they lie, and how many there are in all.
type Page<T> = (Vec<T>, bool, Window, i64);

/// A page of collections.
pub(crate) async fn collection_page(
    caller: &Caller,
    page: CollectionPage,
) -> async_graphql::Result<Page<Arc<CollectionRow>>> {
    let window = page::forward(page.first, page.after.as_deref(), VERSIONS, MAX_PAGE)?;
    let query = CollectionQuery {
        scope: page.scope,
        filters: page.filters.map(|text| text.0),
        order: page.order,
        sequences: page.sequences,
    };
    let job = move |db: &rusqlite::Connection| {
        let found = collections::list(db, &query, window.limit, window.offset)?;
        Ok((found, collections::count(db, &query)?))
    };
    let ((rows, more), total) = caller.app.store.read(job).await?;
    Ok((rows, more, window, total))
}

async fn members(
    caller: &Caller,
    query: VersionQuery,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<Page<MembershipRow>> {
    let window = page::forward(first, after.as_deref(), VERSIONS, MAX_PAGE)?;
    let job = move |db: &rusqlite::Connection| {
        let found = versions::list(db, &query, window.limit, window.offset)?;
        Ok((found, versions::count(db, &query)?))
    };
    let ((rows, more), total) = caller.app.store.read(job).await?;
    Ok((rows, more, window, total))
}

async fn versioned(
    caller: &Caller,
    query: VersionQuery,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<VersionedArtifactConnection> {
    let (rows, more, window, total_count) = members(caller, query, first, after).await?;
    let page_info = window.info(rows.len(), more);
    let edges = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| VersionedArtifactEdge {
            cursor: window.cursor(index),
            version: format!("v{}", row.version_index),
            node: Artifact(row.artifact),
        })
        .collect();
    Ok(VersionedArtifactConnection {
        edges,
        page_info,
        total_count,
    })
}

async fn aliases(
    caller: &Caller,
    collection: i64,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<ArtifactAliasConnection> {
    let window = page::forward(first, after.as_deref(), ALIASES, MAX_PAGE)?;
    let identity = caller.identity.clone();
    let job = move |db: &rusqlite::Connection| {
        let found = versions::aliases(db, &identity, collection, window.limit, window.offset)?;
        Ok((found, versions::alias_count(db, &identity, collection)?))
    };
    let ((rows, more), total) = caller.app.store.read(job).await?;
    let nodes = rows.into_iter().map(ArtifactAlias).collect();
    Ok(ArtifactAliasConnection::new(nodes, more, window, total))
}
