//! A version of an artifact.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Union};

use super::super::file::{FileConnection, artifact_files, files_at};
use super::super::identity::User;
use super::super::page;
use super::super::project::{RunConnection, RunWindow, run_page};
use super::super::run::Run;
use super::super::scalars::{DateTime, Int64, JsonString};
use super::super::{Caller, caller};
use super::collection::{ArtifactCollection, ArtifactSequence};
use super::kind::ArtifactType;
use super::lists::{
    ArtifactCollectionConnection, ArtifactCollectionMembershipConnection, MAX_PAGE, VERSIONS,
};
use super::manifest::ArtifactManifest;
use super::membership::ArtifactCollectionMembership;
use super::{ArtifactDigestAlgorithm, ArtifactState, Tag};
use crate::store::access::{self, Right};
use crate::store::artifacts::create::TTL_DISABLED;
use crate::store::artifacts::rows::{AliasRow, ArtifactRow};
use crate::store::artifacts::{manifests, versions};
use crate::store::ids::Kind;
use crate::store::runs::{self, Wanted, Within};

/// A version of an artifact.
#[derive(Debug, Clone)]
pub(crate) struct Artifact(pub(crate) Arc<ArtifactRow>);

impl Artifact {
    fn users(&self, ctx: &Context<'_>) -> Within {
        Within::UsersOf {
            artifact: self.0.id,
            caller: caller(ctx).identity.clone(),
        }
    }

    fn is_own(&self, collection: Option<&str>) -> bool {
        collection.is_none_or(|name| name == self.0.sequence.name)
    }

    /// Those of the projects in which the version has aliases that the caller may not see. Its own they may, or they
    /// would not have it.
    async fn unseen_projects(&self, caller: &Caller) -> async_graphql::Result<Vec<i64>> {
        let own = self.0.sequence.project().id;
        let mut others: Vec<i64> = self
            .0
            .aliases
            .iter()
            .map(|alias| alias.collection.project().id)
            .filter(|project| *project != own)
            .collect();
        if others.is_empty() {
            // Nearly always: a listing asks for the aliases of hundreds of versions.
            return Ok(others);
        }
        let identity = caller.identity.clone();
        let job = move |db: &rusqlite::Connection| {
            others.sort_unstable();
            others.dedup();
            let mut unseen = Vec::new();
            for project in others {
                if !access::may(db, &identity, project, Right::Read)? {
                    unseen.push(project);
                }
            }
            Ok(unseen)
        };
        Ok(caller.app.store.read(job).await?)
    }

    async fn memberships(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<ArtifactCollectionMembershipConnection> {
        let window = page::forward(first, after.as_deref(), MAX_PAGE, MAX_PAGE)?;
        let id = self.0.id;
        let Caller { app, identity, .. } = caller(ctx);
        let identity = identity.clone();
        let job = move |db: &rusqlite::Connection| {
            let found = versions::memberships(db, &identity, id, window.limit, window.offset)?;
            Ok((found, versions::membership_count(db, &identity, id)?))
        };
        let ((rows, more), total) = app.store.read(job).await?;
        let nodes = rows.into_iter().map(ArtifactCollectionMembership).collect();
        Ok(ArtifactCollectionMembershipConnection::new(
            nodes, more, window, total,
        ))
    }
}

/// A version of an artifact.
#[Object]
impl Artifact {
    async fn id(&self) -> ID {
        Kind::Artifact.encode(self.0.id).into()
    }
    async fn state(&self) -> ArtifactState {
        self.0.state.into()
    }
    /// Of its paths and their digests, in hexadecimal (protocol §5.1).
    async fn digest(&self) -> &str {
        &self.0.digest
    }
    async fn digest_algorithm(&self) -> Option<ArtifactDigestAlgorithm> {
        Some(self.0.algorithm.into())
    }
    /// In its sequence, or in the collection of this name.
    async fn version_index(
        &self,
        ctx: &Context<'_>,
        artifact_collection_name: Option<String>,
    ) -> async_graphql::Result<Option<i64>> {
        match artifact_collection_name {
            Some(name) if !self.is_own(Some(&name)) => {
                let id = self.0.id;
                let Caller { app, identity, .. } = caller(ctx);
                let identity = identity.clone();
                let index = move |db: &rusqlite::Connection| versions::index_in(db, &identity, id, &name);
                Ok(app.store.read(index).await?)
            }
            _ => Ok(self.0.version_index),
        }
    }
    /// The same in every collection.
    async fn commit_hash(
        &self,
        #[graphql(name = "artifactCollectionName")] _collection: Option<String>,
    ) -> Option<&str> {
        self.0.commit_hash.as_deref()
    }
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    async fn labels(&self) -> Option<JsonString> {
        self.0.labels.clone().map(JsonString)
    }
    async fn metadata(&self) -> Option<JsonString> {
        self.0.metadata.clone().map(JsonString)
    }
    /// Bytes of all files, references included.
    async fn size(&self) -> Int64 {
        Int64(self.0.size)
    }
    /// Bytes of the files that are stored here.
    async fn storage_bytes(&self) -> Int64 {
        Int64(self.0.storage_bytes)
    }
    async fn file_count(&self) -> Int64 {
        Int64(self.0.file_count)
    }
    async fn history_step(&self) -> Option<Int64> {
        self.0.history_step.map(Int64)
    }
    /// Positive, or none.
    async fn ttl_duration_seconds(&self) -> Int64 {
        Int64(self.0.ttl_seconds.unwrap_or(TTL_DISABLED))
    }
    async fn ttl_is_inherited(&self) -> bool {
        self.0.ttl_seconds.is_none()
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn updated_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.updated_at))
    }
    async fn tags(&self) -> Vec<Tag> {
        let tags = self.0.tags.iter();
        tags.map(|row| Tag::new(Kind::ArtifactTag, row)).collect()
    }
    /// In all collections that the caller may see, or in those of this name.
    async fn aliases(
        &self,
        ctx: &Context<'_>,
        artifact_collection_name: Option<String>,
    ) -> async_graphql::Result<Vec<ArtifactAlias>> {
        let unseen = self.unseen_projects(caller(ctx)).await?;
        let aliases = self.0.aliases.iter();
        Ok(aliases
            .filter(|alias| {
                artifact_collection_name
                    .as_deref()
                    .is_none_or(|name| name == alias.collection.name)
            })
            .filter(|alias| !unseen.contains(&alias.collection.project().id))
            .cloned()
            .map(ArtifactAlias)
            .collect())
    }
    async fn artifact_type(&self) -> ArtifactType {
        ArtifactType(Arc::clone(&self.0.sequence.kind))
    }
    /// Where it was made.
    async fn artifact_sequence(&self) -> ArtifactSequence {
        ArtifactSequence(Arc::clone(&self.0.sequence))
    }
    /// All collections that it is in and the caller may see.
    async fn artifact_collections(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
    ) -> async_graphql::Result<ArtifactCollectionConnection> {
        let window = page::forward(first, None, VERSIONS, MAX_PAGE)?;
        let id = self.0.id;
        let Caller { app, identity, .. } = caller(ctx);
        let identity = identity.clone();
        let job = move |db: &rusqlite::Connection| {
            let found = versions::memberships(db, &identity, id, window.limit, window.offset)?;
            Ok((found, versions::membership_count(db, &identity, id)?))
        };
        let ((rows, more), total) = app.store.read(job).await?;
        let nodes = rows
            .into_iter()
            .map(|row| ArtifactCollection::of(row.collection))
            .collect();
        Ok(ArtifactCollectionConnection::new(nodes, more, window, total))
    }
    /// Its places in all collections that the caller may see, that in its sequence first.
    async fn artifact_memberships(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<ArtifactCollectionMembershipConnection> {
        self.memberships(ctx, first, after).await
    }
    /// The whole manifest; null until the version is committed.
    async fn current_manifest(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ArtifactManifest>> {
        let id = self.0.id;
        let store = &caller(ctx).app.store;
        let row = store.read(move |db| manifests::current(db, id)).await?;
        Ok(row.map(|row| ArtifactManifest {
            row,
            artifact: Arc::clone(&self.0),
        }))
    }
    /// The run that made it, or the user, where that was no run or it was deleted.
    async fn created_by(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Initiator>> {
        let caller = caller(ctx);
        let (run, user) = (self.0.run, self.0.user);
        if let Some(run) = run {
            let read = move |db: &rusqlite::Connection| runs::by_id(db, run, Wanted::default());
            if let Some(row) = caller.app.store.read(read).await? {
                return Ok(Some(Initiator::Run(Run(row))));
            }
        }
        Ok(User::numbered(caller, user).await?.map(Initiator::User))
    }
    /// Runs that used it and the caller may see, in the order of their creation unless ordered otherwise.
    #[graphql(complexity = "page::cost(first.or(last), 50) * child_complexity")]
    #[allow(clippy::too_many_arguments)] // the arguments are the wire's
    async fn used_by(
        &self,
        ctx: &Context<'_>,
        filters: Option<JsonString>,
        order: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> async_graphql::Result<RunConnection> {
        let window = RunWindow {
            first,
            after,
            last,
            before,
        };
        run_page(ctx, self.users(ctx), filters, order, window).await
    }
    /// How many runs that the caller may see used it.
    async fn used_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        let users = self.users(ctx);
        let store = &caller(ctx).app.store;
        Ok(store.read(move |db| runs::count(db, users, None)).await?)
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
        artifact_files(caller(ctx), self.0.id, names, first, after)
            .await
            .map(Some)
    }
    /// The files that entries of its manifest stand for, in their order; null for an entry that it does not have. The
    /// layout, the version and the region are said by clients for the sake of other servers.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    #[allow(clippy::too_many_arguments)] // the arguments are the wire's
    async fn files_by_manifest_entries(
        &self,
        ctx: &Context<'_>,
        entries: Option<Vec<ArtifactManifestEntryInput>>,
        #[graphql(name = "storageLayout")] _layout: String,
        #[graphql(name = "manifestVersion")] _version: String,
        #[graphql(name = "storageRegion")] _region: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<FileConnection>> {
        let wanted = entries.unwrap_or_default();
        let wanted = wanted
            .into_iter()
            .map(|entry| (entry.name, entry.digest))
            .collect();
        files_at(caller(ctx), self.0.id, wanted, first, after)
            .await
            .map(Some)
    }
}

/// An entry of a manifest.
#[derive(Debug, InputObject)]
pub(crate) struct ArtifactManifestEntryInput {
    name: String,
    digest: String,
    #[graphql(name = "birthArtifactID")]
    _birth: Option<ID>,
    #[graphql(name = "ref")]
    _reference: Option<String>,
    #[graphql(name = "size")]
    _size: Option<Int64>,
}

/// Who made a version.
#[derive(Debug, Union)]
#[allow(clippy::large_enum_variant)] // a run is large, and there is one of it in an answer
pub(crate) enum Initiator {
    /// A run did.
    Run(Run),
    /// A user did.
    User(User),
}

/// A name for a version.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactAlias(pub(crate) AliasRow);

/// A name for a version.
#[Object]
impl ArtifactAlias {
    async fn id(&self) -> ID {
        Kind::ArtifactAlias.encode(self.0.id).into()
    }
    async fn alias(&self) -> &str {
        &self.0.alias
    }
    async fn artifact_collection_name(&self) -> &str {
        &self.0.collection.name
    }
    async fn artifact_collection(&self) -> Option<ArtifactCollection> {
        Some(ArtifactCollection::of(Arc::clone(&self.0.collection)))
    }
    async fn artifact(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Artifact>> {
        let id = self.0.artifact;
        let store = &caller(ctx).app.store;
        Ok(store.read(move |db| versions::by_id(db, id)).await?.map(Artifact))
    }
}
