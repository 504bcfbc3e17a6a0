//! Projects and the lists of runs in them.

use async_graphql::{Context, ID, Lookahead, Object, SimpleObject};

use super::artifacts::{
    Artifact, ArtifactCollection, ArtifactCollectionConnection, ArtifactCollectionMembership, ArtifactType,
    ArtifactTypeConnection, CollectionPage, collection_page,
};
use super::caller;
use super::identity::{Entity, User};
use super::page::{self, PageInfo, Window};
use super::run::Run;
use super::scalars::{DateTime, JsonString};
use super::sweep::{Sweep, SweepConnection, sweep_page};
use super::view::{ViewConnection, view_page};
use crate::store::access::{self, Right};
use crate::store::artifacts::collections::{self, Scope};
use crate::store::artifacts::versions;
use crate::store::identity::EntityRow;
use crate::store::ids::{self, Kind};
use crate::store::projects::ProjectRow;
use crate::store::runs::{self, RunQuery, Wanted, Within};
use crate::store::sweeps;
use crate::store::views::ViewQuery;

/// Runs per page where the caller names no number (protocol §2.3).
const RUNS: u64 = 50;
/// Most runs per page, as the real service is said to have it (protocol §2.3).
const MAX_RUNS: u64 = 1000;

/// A project.
#[derive(Debug, Clone)]
pub(crate) struct Project(pub(crate) ProjectRow);

/// A project.
#[Object]
impl Project {
    async fn id(&self) -> ID {
        Kind::Project.encode(self.0.id).into()
    }
    async fn internal_id(&self) -> ID {
        Kind::ProjectInternal.encode(self.0.id).into()
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn entity_name(&self) -> &str {
        &self.0.entity_name
    }
    async fn entity(&self) -> Entity {
        // The row has it: a listing of artifacts asks for the entity of every project in it.
        Entity(EntityRow {
            id: self.0.entity_id,
            name: self.0.entity_name.clone(),
            is_team: self.0.entity_is_team,
        })
    }
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    async fn access(&self) -> Option<&str> {
        self.0.access.as_deref()
    }
    async fn views(&self) -> Option<JsonString> {
        self.0.views.clone().map(JsonString)
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn updated_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.updated_at))
    }
    async fn is_benchmark(&self) -> bool {
        false
    }
    /// Whether the caller may only look.
    async fn read_only(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<bool>> {
        let caller = caller(ctx);
        let (identity, id) = (caller.identity.clone(), self.0.id);
        let may_write = move |db: &rusqlite::Connection| access::may(db, &identity, id, Right::Write);
        Ok(Some(!caller.app.store.read(may_write).await?))
    }
    async fn user(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<User>> {
        User::numbered(caller(ctx), self.0.user).await
    }
    /// How many runs match.
    async fn run_count(&self, ctx: &Context<'_>, filters: Option<JsonString>) -> async_graphql::Result<i64> {
        let project = self.0.id;
        let filters = filters.map(|text| text.0);
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| runs::count(db, project, filters.as_deref()))
            .await?)
    }
    /// Runs that match, in order.
    #[graphql(complexity = "page::cost(first.or(last), 50) * child_complexity")]
    #[allow(clippy::too_many_arguments)] // the arguments are the wire's
    async fn runs(
        &self,
        ctx: &Context<'_>,
        filters: Option<JsonString>,
        order: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> async_graphql::Result<Option<RunConnection>> {
        let window = RunWindow {
            first,
            after,
            last,
            before,
        };
        run_page(ctx, Within::Project(self.0.id), filters, order, window)
            .await
            .map(Some)
    }
    /// One run by its name, which users know as its id.
    async fn run(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(name = "desc")] _desc: Option<String>,
    ) -> async_graphql::Result<Option<Run>> {
        let wanted = wanted(&ctx.look_ahead());
        let project = self.0.id;
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| runs::find(db, project, &name, wanted))
            .await?
            .map(Run))
    }
    /// One run, for the process that resumes it. An unknown run is null, with or without `missingOk`.
    async fn bucket(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(name = "missingOk")] _missing_ok: Option<bool>,
    ) -> async_graphql::Result<Option<Run>> {
        let wanted = wanted(&ctx.look_ahead());
        let project = self.0.id;
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| runs::find(db, project, &name, wanted))
            .await?
            .map(Run::for_writer))
    }
    /// How many sweeps there are, whatever filter a list of them has.
    async fn total_sweeps(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        let project = self.0.id;
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| sweeps::count(db, project))
            .await?)
    }
    /// Sweeps that match, newest first.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn sweeps(
        &self,
        ctx: &Context<'_>,
        filters: Option<JsonString>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<SweepConnection>> {
        sweep_page(ctx, self.0.id, filters, first, after).await.map(Some)
    }
    /// One sweep by its name, which users know as its id.
    async fn sweep(&self, ctx: &Context<'_>, sweep_name: String) -> async_graphql::Result<Option<Sweep>> {
        let project = self.0.id;
        let row = caller(ctx)
            .app
            .store
            .read(move |db| sweeps::find(db, project, &sweep_name))
            .await?;
        Ok(row.map(Sweep))
    }
    /// Reports, drafts and workspaces, newest first.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    #[allow(clippy::too_many_arguments)] // the arguments are the wire's
    async fn all_views(
        &self,
        ctx: &Context<'_>,
        view_type: Option<String>,
        view_name: Option<String>,
        user_name: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ViewConnection>> {
        let query = ViewQuery {
            project: self.0.id,
            kind: view_type,
            name: view_name,
            user: user_name,
        };
        view_page(ctx, query, first, after).await.map(Some)
    }
    /// A version, by `collection:v3`, `collection:alias` or `collection`, which means `latest`.
    async fn artifact(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(name = "enableTracking")] _enable_tracking: Option<bool>,
    ) -> async_graphql::Result<Option<Artifact>> {
        let project = self.0.id;
        let row = caller(ctx)
            .read(move |db, identity| versions::named(db, identity, project, &name, None))
            .await?;
        Ok(row.map(|row| Artifact(row.artifact)))
    }
    /// Types of artifacts by name. Here they all are allowed, so `includeAll` adds nothing.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn artifact_types(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(name = "includeAll")] _include_all: Option<bool>,
    ) -> async_graphql::Result<ArtifactTypeConnection> {
        let window = page::forward(first, after.as_deref(), 50, 1000)?;
        let project = self.0.id;
        let job = move |db: &rusqlite::Connection| {
            let found = collections::types(db, project, window.limit, window.offset)?;
            Ok((found, collections::type_count(db, project)?))
        };
        let ((rows, more), total) = caller(ctx).app.store.read(job).await?;
        let nodes = rows.into_iter().map(ArtifactType).collect();
        Ok(ArtifactTypeConnection::new(nodes, more, window, total))
    }
    async fn artifact_type(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> async_graphql::Result<Option<ArtifactType>> {
        let project = self.0.id;
        let store = &caller(ctx).app.store;
        let row = store
            .read(move |db| collections::find_type(db, project, &name))
            .await?;
        Ok(row.map(ArtifactType))
    }
    /// Sequences and portfolios of all types.
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
            scope: Scope::Project(self.0.id),
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
    async fn artifact_collection(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> async_graphql::Result<Option<ArtifactCollection>> {
        let project = self.0.id;
        let store = &caller(ctx).app.store;
        let row = store
            .read(move |db| collections::find(db, project, &name))
            .await?;
        Ok(row.map(ArtifactCollection::of))
    }
    /// A version in the collection through which it is asked for, named as in `artifact`.
    async fn artifact_collection_membership(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> async_graphql::Result<Option<ArtifactCollectionMembership>> {
        let project = self.0.id;
        let row = caller(ctx)
            .read(move |db, identity| versions::named(db, identity, project, &name, None))
            .await?;
        Ok(row.map(ArtifactCollectionMembership))
    }
}

/// Which page of a list of runs is wanted.
#[derive(Debug, Default)]
pub(crate) struct RunWindow {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

/// One page of runs.
pub(crate) async fn run_page(
    ctx: &Context<'_>,
    within: Within,
    filters: Option<JsonString>,
    order: Option<String>,
    page: RunWindow,
) -> async_graphql::Result<RunConnection> {
    let filters = filters.map(|text| text.0);
    let wanted = wanted(&ctx.look_ahead().field("edges").field("node"));
    let store = &caller(ctx).app.store;
    let window = match page.last {
        None => page::forward(page.first, page.after.as_deref(), RUNS, MAX_RUNS)?,
        Some(last) => {
            let limit = page::size(Some(last), RUNS, MAX_RUNS)?;
            let (counted, among) = (filters.clone(), within.clone());
            let total = store
                .read(move |db| runs::count(db, among, counted.as_deref()))
                .await?;
            let end = page::offset(page.before.as_deref())?
                .unwrap_or(u64::MAX)
                .min(total.unsigned_abs());
            let start = end.saturating_sub(limit);
            Window {
                offset: start,
                limit: end - start,
            }
        }
    };
    let query = RunQuery {
        within: within.clone(),
        filters: filters.clone(),
        order,
        offset: window.offset,
        limit: window.limit,
    };
    let (rows, more) = store.read(move |db| runs::list(db, &query, wanted)).await?;
    Ok(RunConnection::new(rows, more, window, within, filters))
}

/// Which heavy texts a selection on a run asks for.
pub(super) fn wanted(selection: &Lookahead<'_>) -> Wanted {
    Wanted {
        config: selection.field("config").exists() || selection.field("wandbConfig").exists(),
        summary: selection.field("summaryMetrics").exists(),
        last_event: selection.field("systemMetrics").exists(),
        key_stats: selection.field("historyKeys").exists(),
    }
}

/// Projects.
#[derive(Debug, SimpleObject)]
pub(crate) struct ProjectConnection {
    edges: Vec<ProjectEdge>,
    page_info: PageInfo,
}

impl ProjectConnection {
    /// A page of projects.
    pub(crate) fn new(rows: Vec<ProjectRow>, more: bool, window: Window) -> Self {
        let page_info = window.info(rows.len(), more);
        let edges = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| ProjectEdge {
                cursor: window.cursor(index),
                node: Some(Project(row)),
            })
            .collect();
        Self { edges, page_info }
    }
}

/// A project in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct ProjectEdge {
    cursor: String,
    node: Option<Project>,
}

/// Runs.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct RunConnection {
    edges: Vec<RunEdge>,
    page_info: PageInfo,
    #[graphql(skip)]
    within: Within,
    #[graphql(skip)]
    filters: Option<String>,
}

#[async_graphql::ComplexObject]
impl RunConnection {
    /// How many runs match, on all pages.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        let (within, filters) = (self.within.clone(), self.filters.clone());
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| runs::count(db, within, filters.as_deref()))
            .await?)
    }
}

impl RunConnection {
    fn new(
        rows: Vec<runs::RunRow>,
        more: bool,
        window: Window,
        within: impl Into<Within>,
        filters: Option<String>,
    ) -> Self {
        let page_info = window.info(rows.len(), more);
        let edges = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| RunEdge {
                cursor: ids::cursor(window.offset + index as u64),
                node: Run(row),
            })
            .collect();
        Self {
            edges,
            page_info,
            within: within.into(),
            filters,
        }
    }
}

/// A run in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct RunEdge {
    cursor: String,
    node: Run,
}
