//! Connections of artifacts.

use async_graphql::SimpleObject;

use super::super::Caller;
use super::super::page::{self, PageInfo, Window};
use super::Tag;
use super::collection::{ArtifactCollection, ArtifactSequence};
use super::kind::ArtifactType;
use super::membership::ArtifactCollectionMembership;
use super::version::{Artifact, ArtifactAlias};
use crate::store::artifacts::lineage;

/// Versions per page where the caller names no number (protocol §2.3).
pub(super) const VERSIONS: u64 = 50;
/// Versions of a run per page where the caller names no number (protocol §2.3).
const RUN_VERSIONS: u64 = 100;
/// Aliases per page where the caller names no number (protocol §2.3).
pub(super) const ALIASES: u64 = 1000;
/// Most of anything per page.
pub(super) const MAX_PAGE: u64 = 1000;

/// Declares a connection and its edge.
macro_rules! connection {
    ($($(#[$doc:meta])* $connection:ident, $edge:ident, $node:ty, $inner:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, SimpleObject)]
        pub(crate) struct $connection {
            edges: Vec<$edge>,
            page_info: PageInfo,
            /// On all pages.
            total_count: i64,
        }

        impl $connection {
            /// A page.
            pub(crate) fn new(nodes: Vec<$inner>, more: bool, window: Window, total_count: i64) -> Self {
                let page_info = window.info(nodes.len(), more);
                let edges = nodes
                    .into_iter()
                    .enumerate()
                    .map(|(index, node)| $edge {
                        cursor: window.cursor(index),
                        node: node.into(),
                    })
                    .collect();
                Self { edges, page_info, total_count }
            }
        }

        /// An item in a list.
        #[derive(Debug, SimpleObject)]
        pub(crate) struct $edge {
            cursor: String,
            node: $node,
        }
    )*};
}

connection! {
    /// Versions.
    ArtifactConnection, ArtifactEdge, Option<Artifact>, Artifact;
    /// Collections.
    ArtifactCollectionConnection, ArtifactCollectionEdge, Option<ArtifactCollection>, ArtifactCollection;
    /// Sequences.
    ArtifactSequenceConnection, ArtifactSequenceEdge, Option<ArtifactSequence>, ArtifactSequence;
    /// Versions in collections.
    ArtifactCollectionMembershipConnection, ArtifactCollectionMembershipEdge, Option<ArtifactCollectionMembership>, ArtifactCollectionMembership;
    /// Types.
    ArtifactTypeConnection, ArtifactTypeEdge, Option<ArtifactType>, ArtifactType;
    /// Aliases.
    ArtifactAliasConnection, ArtifactAliasEdge, Option<ArtifactAlias>, ArtifactAlias;
    /// Tags.
    TagConnection, TagEdge, Tag, Tag;
}

/// Versions with their names.
#[derive(Debug, SimpleObject)]
pub(crate) struct VersionedArtifactConnection {
    pub(super) edges: Vec<VersionedArtifactEdge>,
    pub(super) page_info: PageInfo,
    /// On all pages.
    pub(super) total_count: i64,
}

/// A version with its name.
#[derive(Debug, SimpleObject)]
pub(crate) struct VersionedArtifactEdge {
    pub(super) cursor: String,
    pub(super) node: Artifact,
    /// `v3`
    pub(super) version: String,
}

/// Versions that a run used.
#[derive(Debug, SimpleObject)]
pub(crate) struct InputArtifactConnection {
    edges: Vec<InputArtifactEdge>,
    page_info: PageInfo,
    /// On all pages.
    total_count: i64,
}

/// A version that a run used.
#[derive(Debug, SimpleObject)]
pub(crate) struct InputArtifactEdge {
    cursor: String,
    node: Option<Artifact>,
    used_as: Vec<String>,
}

/// A page of what a run used.
pub(crate) async fn inputs_page(
    caller: &Caller,
    run: i64,
    first: Option<i32>,
    after: Option<&str>,
) -> async_graphql::Result<InputArtifactConnection> {
    let window = page::forward(first, after, RUN_VERSIONS, MAX_PAGE)?;
    let identity = caller.identity.clone();
    let job = move |db: &rusqlite::Connection| {
        let found = lineage::inputs(db, &identity, run, window.limit, window.offset)?;
        Ok((found, lineage::input_count(db, &identity, run)?))
    };
    let ((rows, more), total_count) = caller.app.store.read(job).await?;
    let page_info = window.info(rows.len(), more);
    let edges = rows
        .into_iter()
        .enumerate()
        .map(|(index, (row, used_as))| InputArtifactEdge {
            cursor: window.cursor(index),
            node: Some(Artifact(row)),
            used_as,
        })
        .collect();
    Ok(InputArtifactConnection {
        edges,
        page_info,
        total_count,
    })
}

/// A page of what a run logged.
pub(crate) async fn outputs_page(
    caller: &Caller,
    run: i64,
    first: Option<i32>,
    after: Option<&str>,
) -> async_graphql::Result<ArtifactConnection> {
    let window = page::forward(first, after, RUN_VERSIONS, MAX_PAGE)?;
    let job = move |db: &rusqlite::Connection| {
        let found = lineage::outputs(db, run, window.limit, window.offset)?;
        Ok((found, lineage::output_count(db, run)?))
    };
    let ((rows, more), total) = caller.app.store.read(job).await?;
    let nodes = rows.into_iter().map(Artifact).collect();
    Ok(ArtifactConnection::new(nodes, more, window, total))
}
