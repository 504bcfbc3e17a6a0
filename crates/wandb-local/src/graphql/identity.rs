//! Users, entities and organisations.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::page;
use super::project::{Project, ProjectConnection};
use super::scalars::{DateTime, Int64, JsonString};
use super::{Caller, caller, server_info};
use crate::store::identity::{self, EntityRow};
use crate::store::ids::Kind;
use crate::store::people::{self, AccountKind, KeyRow, MemberRow, UserRow};
use crate::store::{access, projects};

/// Projects per page where the caller names no number.
const PROJECTS: u64 = 200;
/// Most teams per page.
const TEAMS: u64 = 1000;
/// Most projects per page.
const MAX_PROJECTS: u64 = 1000;

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User(pub(crate) UserRow);

impl User {
    /// The user with this row number.
    pub(crate) async fn numbered(caller: &Caller, id: i64) -> async_graphql::Result<Option<Self>> {
        let found = caller.app.store.read(move |db| people::by_id(db, id)).await?;
        Ok(found.map(Self))
    }

    /// The user of this login name.
    pub(crate) async fn named(caller: &Caller, name: &str) -> async_graphql::Result<Option<Self>> {
        let name = name.to_owned();
        let found = caller
            .app
            .store
            .read(move |db| people::by_name(db, &name))
            .await?;
        Ok(found.map(Self))
    }

    /// Whether the caller may see what is the user's own business.
    fn is_callers(&self, ctx: &Context<'_>) -> bool {
        caller(ctx).identity.user == self.0.id
    }
}

/// A user.
#[Object]
impl User {
    async fn id(&self) -> ID {
        Kind::User.encode(self.0.id).into()
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn username(&self) -> Option<&str> {
        Some(&self.0.username)
    }
    async fn email(&self) -> Option<&str> {
        Some(&self.0.email)
    }
    async fn admin(&self) -> Option<bool> {
        Some(self.0.admin)
    }
    async fn flags(&self) -> Option<JsonString> {
        Some(JsonString(r#"{"code_saving_enabled":false}"#.to_owned()))
    }
    /// Name of the default entity.
    async fn entity(&self) -> Option<&str> {
        Some(&self.0.entity)
    }
    async fn photo_url(&self) -> Option<String> {
        None
    }
    async fn deleted_at(&self) -> Option<DateTime> {
        None
    }
    /// The caller's own keys, without their secrets; null for another user.
    async fn api_keys(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ApiKeyConnection>> {
        if !self.is_callers(ctx) {
            return Ok(None);
        }
        let user = self.0.id;
        let keys = caller(ctx)
            .app
            .store
            .read(move |db| people::keys(db, user))
            .await?;
        let edges = keys
            .into_iter()
            .map(|key| ApiKeyEdge {
                node: Some(ApiKey::labelled(key)),
            })
            .collect();
        Ok(Some(ApiKeyConnection { edges }))
    }
    /// Teams of the user that the caller may know of.
    async fn teams(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(name = "last")] _last: Option<i32>,
        #[graphql(name = "before")] _before: Option<String>,
    ) -> async_graphql::Result<Option<EntityConnection>> {
        let window = page::forward(first, after.as_deref(), TEAMS, TEAMS)?;
        let caller = caller(ctx);
        let (identity, user) = (caller.identity.clone(), self.0.id);
        let rows = caller
            .app
            .store
            .read(move |db| {
                let mut seen = Vec::new();
                for (id, name) in people::teams(db, Some(user))? {
                    if access::sees_entity(db, &identity, id)? {
                        seen.push(EntityRow {
                            id,
                            name,
                            is_team: true,
                        });
                    }
                }
                Ok(seen)
            })
            .await?;
        let edges = rows
            .into_iter()
            .skip(window.offset as usize)
            .take(window.limit as usize)
            .enumerate()
            .map(|(index, entity)| EntityEdge {
                cursor: window.cursor(index),
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
        project_page(caller(ctx), Some(self.0.entity.clone()), first, after)
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

impl ApiKey {
    /// A key of a listing: its name is a label.
    fn labelled(key: KeyRow) -> Self {
        Self {
            id: Kind::ApiKey.encode(key.id).into(),
            name: key.label,
            description: key.description,
        }
    }

    /// A key that was made just now: its name is the secret, this one time (protocol §2.5).
    pub(crate) fn fresh(id: i64, secret: String, description: Option<String>) -> Self {
        Self {
            id: Kind::ApiKey.encode(id).into(),
            name: secret,
            description,
        }
    }
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
    /// Bytes of run files and artifacts in the projects that the caller may see, each content once.
    async fn storage_bytes(&self, ctx: &Context<'_>) -> async_graphql::Result<Int64> {
        let id = self.0.id;
        let bytes = caller(ctx)
            .read(move |db, identity| identity::storage_bytes(db, identity, id))
            .await?;
        Ok(Int64(bytes))
    }
    async fn code_saving_enabled(&self) -> bool {
        false
    }
    /// True where the server takes versions whose digests are XXH128, which is the feature of that name.
    async fn xxhash_digests_enabled(&self) -> Option<bool> {
        Some(server_info::offers(server_info::DIGEST_ALGORITHM))
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
    /// The members, for whoever belongs to the entity.
    async fn members(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Member>> {
        let caller = caller(ctx);
        let (identity, entity) = (caller.identity.clone(), self.0.id);
        let rows = caller
            .app
            .store
            .read(move |db| {
                if !identity.admin && !access::is_member(db, &identity, entity)? {
                    return Ok(Vec::new());
                }
                let mut members = people::members(db, entity)?;
                if !identity.admin && !people::is_team_admin(db, entity, identity.user)? {
                    members.iter_mut().for_each(|member| member.secret = None);
                }
                Ok(members)
            })
            .await?;
        Ok(rows.into_iter().map(Member::of).collect())
    }
    /// Null, as a personal account has it (protocol §2.15).
    async fn organization(&self) -> Option<Organization> {
        None
    }
    /// The user whose own entity this is; null for a team.
    async fn user(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<User>> {
        if self.0.is_team {
            return Ok(None);
        }
        User::named(caller(ctx), &self.0.name).await
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
                Some(entity) => projects::list(db, &identity, entity.id, window.limit, window.offset),
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

impl Member {
    fn of(row: MemberRow) -> Self {
        let is_admin = row.role == "admin";
        Self {
            id: Some(Kind::User.encode(row.user.id)),
            name: row.user.name,
            username: Some(row.user.username),
            email: Some(row.user.email),
            admin: Some(is_admin),
            role: Some(row.role),
            pending: Some(false),
            photo_url: None,
            account_type: Some(match row.user.kind {
                AccountKind::User => "MEMBER".to_owned(),
                AccountKind::Service => "SERVICE".to_owned(),
            }),
            api_key: row.secret,
        }
    }
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
