//! Users, entities and organisations.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::page;
use super::project::{Project, ProjectConnection};
use super::scalars::{DateTime, Int64, JsonString};
use super::{Caller, caller};
use crate::store::identity::{self, EntityRow, Identity};
use crate::store::ids::Kind;
use crate::store::projects;

/// Projects per page where the caller names no number.
const PROJECTS: u64 = 200;
/// Most projects per page.
const MAX_PROJECTS: u64 = 1000;

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    id: i64,
    username: String,
    name: String,
    email: String,
    entity: String,
}

impl User {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            id: identity.user,
            username: identity.username.clone(),
            name: identity.full_name.clone(),
            email: identity.email.clone(),
            entity: identity.entity_name.clone(),
        }
    }
}

/// A user.
#[Object]
impl User {
    async fn id(&self) -> ID {
        Kind::User.encode(self.id).into()
    }
    async fn name(&self) -> &str {
        &self.name
    }
    async fn username(&self) -> Option<&str> {
        Some(&self.username)
    }
    async fn email(&self) -> Option<&str> {
        Some(&self.email)
    }
    async fn admin(&self) -> Option<bool> {
        Some(true)
    }
    async fn flags(&self) -> Option<JsonString> {
        Some(JsonString(r#"{"code_saving_enabled":false}"#.to_owned()))
    }
    /// Name of the default entity.
    async fn entity(&self) -> Option<&str> {
        Some(&self.entity)
    }
    async fn photo_url(&self) -> Option<String> {
        None
    }
    async fn deleted_at(&self) -> Option<DateTime> {
        None
    }
    /// Keys are never shown, and this server gives out one only.
    async fn api_keys(&self) -> Option<ApiKeyConnection> {
        Some(ApiKeyConnection { edges: Vec::new() })
    }
    async fn teams(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "first")] _first: Option<i32>,
        #[graphql(name = "after")] _after: Option<String>,
        #[graphql(name = "last")] _last: Option<i32>,
        #[graphql(name = "before")] _before: Option<String>,
    ) -> async_graphql::Result<Option<EntityConnection>> {
        let Caller { app, identity, .. } = caller(ctx);
        let identity = identity.clone();
        let entity = app
            .store
            .read(move |db| identity::entity(db, &identity, None))
            .await?;
        let edges = entity
            .filter(|entity| entity.is_team)
            .into_iter()
            .enumerate()
            .map(|(index, entity)| EntityEdge {
                cursor: crate::store::ids::cursor(index as u64),
                node: Some(Entity(entity)),
            })
            .collect();
        Ok(Some(EntityConnection { edges }))
    }
    async fn organizations(&self) -> Vec<Organization> {
        Vec::new()
    }
    async fn projects(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ProjectConnection>> {
        project_page(caller(ctx), Some(self.entity.clone()), first, after)
            .await
            .map(Some)
    }
}

/// Users.
#[derive(Debug, SimpleObject)]
pub(crate) struct UserConnection {
    pub(crate) edges: Vec<UserEdge>,
    pub(crate) page_info: page::PageInfo,
}

/// A user in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct UserEdge {
    pub(crate) cursor: String,
    pub(crate) node: Option<User>,
}

/// An API key, without its secret.
#[derive(Debug, SimpleObject)]
pub(crate) struct ApiKey {
    id: ID,
    name: String,
    description: Option<String>,
}

/// API keys.
#[derive(Debug, SimpleObject)]
pub(crate) struct ApiKeyConnection {
    edges: Vec<ApiKeyEdge>,
}

/// An API key in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct ApiKeyEdge {
    node: Option<ApiKey>,
}

/// The owner of projects: a user or a team.
#[derive(Debug, Clone)]
pub(crate) struct Entity(pub(crate) EntityRow);

/// The owner of projects: a user or a team.
#[Object]
impl Entity {
    async fn id(&self) -> ID {
        Kind::Entity.encode(self.0.id).into()
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn is_team(&self) -> bool {
        self.0.is_team
    }
    async fn entity_type(&self) -> Option<&str> {
        Some(if self.0.is_team { "team" } else { "user" })
    }
    /// Whether the name is still free.
    async fn available(&self) -> Option<bool> {
        Some(false)
    }
    async fn photo_url(&self) -> Option<String> {
        None
    }
    async fn read_only(&self) -> Option<bool> {
        Some(false)
    }
    async fn read_only_admin(&self) -> bool {
        false
    }
    async fn private_only(&self) -> bool {
        false
    }
    /// Bytes of run files, each content once.
    async fn storage_bytes(&self, ctx: &Context<'_>) -> async_graphql::Result<Int64> {
        let id = self.0.id;
        Ok(Int64(
            caller(ctx)
                .app
                .store
                .read(move |db| identity::storage_bytes(db, id))
                .await?,
        ))
    }
    async fn code_saving_enabled(&self) -> bool {
        false
    }
    async fn xxhash_digests_enabled(&self) -> Option<bool> {
        Some(false)
    }
    async fn default_access(&self) -> &str {
        "USER_WRITE"
    }
    async fn is_paid(&self) -> Option<bool> {
        Some(false)
    }
    async fn limits(&self) -> Option<JsonString> {
        None
    }
    async fn members(&self, ctx: &Context<'_>) -> Vec<Member> {
        let identity = &caller(ctx).identity;
        vec![Member {
            id: Some(Kind::User.encode(identity.user)),
            name: identity.full_name.clone(),
            username: Some(identity.username.clone()),
            email: Some(identity.email.clone()),
            admin: Some(true),
            role: Some("admin".to_owned()),
            pending: Some(false),
            photo_url: None,
            account_type: Some("USER".to_owned()),
            api_key: None,
        }]
    }
    /// Null, as a personal account has it (protocol §2.15).
    async fn organization(&self) -> Option<Organization> {
        None
    }
    async fn user(&self, ctx: &Context<'_>) -> Option<User> {
        (!self.0.is_team).then(|| User::of(&caller(ctx).identity))
    }
    async fn project(
        &self,
        ctx: &Context<'_>,
        name: Option<String>,
    ) -> async_graphql::Result<Option<Project>> {
        super::query::find_project(caller(ctx), name, Some(self.0.name.clone())).await
    }
    #[graphql(complexity = "page::cost(first, 200) * child_complexity")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ProjectConnection>> {
        project_page(caller(ctx), Some(self.0.name.clone()), first, after)
            .await
            .map(Some)
    }
}

/// One page of an entity's projects; empty for an entity that does not exist.
pub(crate) async fn project_page(
    caller: &Caller,
    entity: Option<String>,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<ProjectConnection> {
    let window = page::forward(first, after.as_deref(), PROJECTS, MAX_PROJECTS)?;
    let identity = caller.identity.clone();
    let (rows, more) = caller
        .app
        .store
        .read(
            move |db| match identity::entity(db, &identity, entity.as_deref())? {
                Some(entity) => projects::list(db, entity.id, window.limit, window.offset),
                None => Ok((Vec::new(), false)),
            },
        )
        .await?;
    Ok(ProjectConnection::new(rows, more, window))
}

/// Entities.
#[derive(Debug, SimpleObject)]
pub(crate) struct EntityConnection {
    edges: Vec<EntityEdge>,
}

/// An entity in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct EntityEdge {
    cursor: String,
    node: Option<Entity>,
}

/// A member of a team.
#[derive(Debug, SimpleObject)]
pub(crate) struct Member {
    id: Option<String>,
    name: String,
    username: Option<String>,
    email: Option<String>,
    admin: Option<bool>,
    role: Option<String>,
    pending: Option<bool>,
    photo_url: Option<String>,
    account_type: Option<String>,
    api_key: Option<String>,
}

/// A company that owns teams. There is none here; the type is what documents select on.
#[derive(Debug, SimpleObject)]
pub(crate) struct Organization {
    id: ID,
    name: String,
    org_entity: Option<Entity>,
    #[graphql(name = "coreWeaveOrganizationId")]
    core_weave_organization_id: Option<String>,
}
