//! Reports, drafts and saved workspaces (protocol §2.13).

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};

use super::caller;
use super::identity::User;
use super::page::{self, PageInfo};
use super::project::Project;
use super::scalars::{DateTime, JsonText};
use crate::store::access::{self, Right};
use crate::store::identity::Identity;
use crate::store::ids::Kind;
use crate::store::views::{self, Deleted, ViewPatch, ViewQuery, ViewRow};
use crate::store::{StoreError, StoreResult, projects};

/// Views per page where the caller names no number (protocol §2.3).
const VIEWS: u64 = 50;
/// Most views per page: each may have a large spec.
const MAX_VIEWS: u64 = 1000;

/// A view.
#[derive(Debug, Clone)]
pub(crate) struct View(pub(crate) ViewRow);

/// The row number of a view that was named by its opaque id.
fn view_number(id: &str) -> async_graphql::Result<i64> {
    // Report URLs end in the id without its padding.
    let padded = format!("{id}{}", "=".repeat((4 - id.len() % 4) % 4));
    Kind::View
        .decode(&padded)
        .ok_or_else(|| async_graphql::Error::new(format!("view not found for id {id:?}")))
}

/// The view of this id; null when there is none.
pub(crate) async fn find_view(ctx: &Context<'_>, id: &str) -> async_graphql::Result<Option<View>> {
    let Ok(number) = view_number(id) else {
        return Ok(None);
    };
    let spec = ctx.look_ahead().field("spec").exists();
    let row = caller(ctx)
        .read(move |db, identity| match views::by_id(db, number, spec)? {
            Some(row) if access::may(db, identity, row.project_id, Right::Read)? => Ok(Some(row)),
            _ => Ok(None),
        })
        .await?;
    Ok(row.map(View))
}

/// A report, the draft of one, or a saved workspace.
#[Object]
impl View {
    async fn id(&self) -> ID {
        Kind::View.encode(self.0.id).into()
    }
    /// A random identifier.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }
    /// The title.
    async fn display_name(&self) -> Option<&str> {
        self.0.display_name.as_deref()
    }
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        Some(&self.0.kind)
    }
    async fn user(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<User>> {
        User::named(caller(ctx), &self.0.user_name).await
    }
    async fn updated_by(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<User>> {
        User::named(caller(ctx), &self.0.updated_by).await
    }
    async fn entity_name(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        Ok(self.home(ctx).await?.entity_name)
    }
    async fn project_name(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        Ok(self.home(ctx).await?.name)
    }
    async fn project(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Project>> {
        Ok(Some(Project(self.home(ctx).await?)))
    }
    /// JSON text, as it was stored.
    async fn spec(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JsonText>> {
        let text = match &self.0.spec {
            Some(text) => text.clone(),
            None => {
                let id = self.0.id;
                let row = caller(ctx)
                    .app
                    .store
                    .read(move |db| views::by_id(db, id, true))
                    .await?;
                row.and_then(|row| row.spec).flatten()
            }
        };
        Ok(text.map(JsonText::new))
    }
    async fn locked(&self) -> bool {
        self.0.locked
    }
    async fn preview_url(&self) -> Option<&str> {
        self.0.preview_url.as_deref()
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn updated_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.updated_at))
    }
    async fn view_count(&self) -> i64 {
        self.0.view_count
    }
    async fn created_using(&self) -> ViewSource {
        ViewSource::named(&self.0.created_using)
    }
}

impl View {
    async fn home(&self, ctx: &Context<'_>) -> async_graphql::Result<projects::ProjectRow> {
        let id = self.0.project_id;
        let row = caller(ctx)
            .app
            .store
            .read(move |db| projects::by_id(db, id))
            .await?;
        row.ok_or_else(|| async_graphql::Error::new("the project of the view is gone"))
    }
}

/// What made a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ViewSource {
    WandbSdk,
    WandbUi,
    WandbUiSharePanel,
    WeaveUi,
}

impl ViewSource {
    const fn name(self) -> &'static str {
        match self {
            Self::WandbSdk => "WANDB_SDK",
            Self::WandbUi => "WANDB_UI",
            Self::WandbUiSharePanel => "WANDB_UI_SHARE_PANEL",
            Self::WeaveUi => "WEAVE_UI",
        }
    }

    fn named(name: &str) -> Self {
        [Self::WandbSdk, Self::WandbUiSharePanel, Self::WeaveUi]
            .into_iter()
            .find(|source| source.name() == name)
            .unwrap_or(Self::WandbUi)
    }
}

/// Views.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct ViewConnection {
    edges: Vec<ViewEdge>,
    page_info: PageInfo,
    #[graphql(skip)]
    query: ViewQuery,
}

#[ComplexObject]
impl ViewConnection {
    /// How many views match, on all pages.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        let query = self.query.clone();
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| views::count(db, &query))
            .await?)
    }
}

/// A view in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct ViewEdge {
    cursor: String,
    node: Option<View>,
}

/// One page of a project's views.
pub(crate) async fn view_page(
    ctx: &Context<'_>,
    query: ViewQuery,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<ViewConnection> {
    let window = page::forward(first, after.as_deref(), VIEWS, MAX_VIEWS)?;
    let spec = ctx
        .look_ahead()
        .field("edges")
        .field("node")
        .field("spec")
        .exists();
    let asked = query.clone();
    let (rows, more) = caller(ctx)
        .app
        .store
        .read(move |db| views::list(db, &asked, spec, window.limit, window.offset))
        .await?;
    let page_info = window.info(rows.len(), more);
    let edges = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| ViewEdge {
            cursor: window.cursor(index),
            node: Some(View(row)),
        })
        .collect();
    Ok(ViewConnection {
        edges,
        page_info,
        query,
    })
}

/// Mutations of views.
#[derive(Debug, Default)]
pub(crate) struct ViewMutation;

/// Mutations of views.
#[Object]
impl ViewMutation {
    /// Creates or changes a view.
    async fn upsert_view(
        &self,
        ctx: &Context<'_>,
        input: UpsertViewInput,
    ) -> async_graphql::Result<Option<UpsertViewPayload>> {
        let named = |id: Option<ID>| -> async_graphql::Result<Option<i64>> {
            id.filter(|id| !id.is_empty())
                .map(|id| view_number(&id))
                .transpose()
        };
        let id = named(input.id)?;
        let patch = ViewPatch {
            kind: input.kind,
            name: input.name,
            display_name: input.display_name,
            description: input.description,
            spec: input.spec,
            parent: named(input.parent_id)?,
            locked: input.locked,
            preview_url: input.preview_url,
            cover_url: input.cover_url,
            showcased_at: input.showcased_at.map(|time| time.0),
            created_using: input.created_using.map(ViewSource::name),
        };
        let (entity, project) = (input.entity_name, input.project_name);
        let (row, inserted) = caller(ctx)
            .write(move |db, identity| {
                let user = &identity.username;
                let (id, inserted) = match id {
                    Some(id) => {
                        require_view(db, identity, id)?;
                        views::update(db, user, id, &patch)?;
                        (id, false)
                    }
                    None => {
                        let project = home(db, identity, entity.as_deref(), project.as_deref())?;
                        views::upsert(db, user, &project, &patch)?
                    }
                };
                let row = views::by_id(db, id, true)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                Ok((row, inserted))
            })
            .await?;
        Ok(Some(UpsertViewPayload {
            view: Some(View(row)),
            inserted: Some(inserted),
            client_mutation_id: input.client_mutation_id,
        }))
    }

    /// Deletes a view. With drafts that were not to be deleted, nothing happens, and the answer says so. Deleting what
    /// is gone is no error: the request may be a retry.
    async fn delete_view(
        &self,
        ctx: &Context<'_>,
        input: DeleteViewInput,
    ) -> async_graphql::Result<Option<DeleteViewPayload>> {
        let id = input.id.unwrap_or_default();
        let number = view_number(&id)?;
        let drafts = input.delete_drafts.unwrap_or(false);
        let caller = caller(ctx);
        let deleted = caller
            .write(move |db, identity| {
                require_view(db, identity, number)?;
                views::delete(db, number, drafts)
            })
            .await?;
        Ok(Some(DeleteViewPayload {
            success: Some(deleted != Deleted::HasDrafts),
            pending_drafts: Some(deleted == Deleted::HasDrafts),
            client_mutation_id: input.client_mutation_id,
        }))
    }
}

/// Lets a change of a view pass that the caller may make; one that is gone passes, too.
fn require_view(db: &rusqlite::Connection, identity: &Identity, id: i64) -> StoreResult<()> {
    match views::by_id(db, id, false)? {
        Some(view) => access::require_write(db, identity, view.project_id, &format!("view {}", view.name)),
        None => Ok(()),
    }
}

/// The project that a new view goes to.
fn home(
    db: &rusqlite::Connection,
    identity: &Identity,
    entity: Option<&str>,
    project: Option<&str>,
) -> StoreResult<projects::ProjectRow> {
    let name = project
        .filter(|name| !name.is_empty())
        .ok_or_else(|| StoreError::Refused("a view needs a project".to_owned()))?;
    projects::find_to_change(db, identity, entity, name)?.ok_or_else(|| {
        StoreError::Refused(format!("project {}/{name} not found", entity.unwrap_or_default()))
    })
}

/// Input of `upsertView`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertViewInput {
    id: Option<ID>,
    entity_name: Option<String>,
    project_name: Option<String>,
    #[graphql(name = "type")]
    kind: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    spec: Option<String>,
    parent_id: Option<ID>,
    locked: Option<bool>,
    preview_url: Option<String>,
    cover_url: Option<String>,
    showcased_at: Option<DateTime>,
    created_using: Option<ViewSource>,
    client_mutation_id: Option<String>,
}

/// Result of `upsertView`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpsertViewPayload {
    view: Option<View>,
    /// True when the view is new.
    inserted: Option<bool>,
    client_mutation_id: Option<String>,
}

/// Input of `deleteView`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteViewInput {
    id: Option<ID>,
    delete_drafts: Option<bool>,
    client_mutation_id: Option<String>,
}

/// Result of `deleteView`.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteViewPayload {
    success: Option<bool>,
    /// True when drafts kept the view from being deleted.
    pending_drafts: Option<bool>,
    client_mutation_id: Option<String>,
}
