//! The roots of queries.

use async_graphql::{Context, ID, Object};

use super::artifacts::{Artifact, ArtifactCollection, ClientIDMapping};
use super::identity::{Entity, Organization, User, UserConnection, UserEdge, project_page};
use super::project::{Project, ProjectConnection};
use super::server_info::ServerInfo;
use super::view::{View, find_view};
use super::{Caller, caller, page};
use crate::store::artifacts::{access as artifact_access, collections, create, versions};
use crate::store::ids::Kind;
use crate::store::{identity, people, projects};

/// The roots of queries.
#[derive(Debug)]
pub(crate) struct Query;

/// The project of this name; null when there is none (protocol §2.4).
pub(crate) async fn find_project(
    caller: &Caller,
    name: Option<String>,
    entity: Option<String>,
) -> async_graphql::Result<Option<Project>> {
    let Some(name) = name else {
        return Ok(None);
    };
    let identity = caller.identity.clone();
    let row = caller
        .app
        .store
        .read(move |db| projects::find(db, &identity, entity.as_deref(), &name))
        .await?;
    Ok(row.map(Project))
}

/// The roots of queries.
#[Object]
impl Query {
    /// The user whose key was sent.
    async fn viewer(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "entityName")] _entity_name: Option<String>,
    ) -> async_graphql::Result<Option<User>> {
        let caller = caller(ctx);
        User::numbered(caller, caller.identity.user).await
    }
    /// Users whom the caller knows and whose name or address is the query.
    async fn users(
        &self,
        ctx: &Context<'_>,
        query: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<UserConnection>> {
        let window = page::forward(first, after.as_deref(), 50, 1000)?;
        let (rows, more) = caller(ctx)
            .read(move |db, identity| {
                people::search(db, identity, query.as_deref(), window.limit, window.offset)
            })
            .await?;
        let edges: Vec<UserEdge> = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| UserEdge {
                cursor: window.cursor(index),
                node: Some(User(row)),
            })
            .collect();
        let page_info = window.info(edges.len(), more);
        Ok(Some(UserConnection { edges, page_info }))
    }
    async fn entity(&self, ctx: &Context<'_>, name: Option<String>) -> async_graphql::Result<Option<Entity>> {
        let row = caller(ctx)
            .read(move |db, identity| identity::entity(db, identity, name.as_deref()))
            .await?;
        Ok(row.map(Entity))
    }
    /// Always null: there are no organisations here.
    async fn organization(
        &self,
        #[graphql(name = "name")] _name: Option<String>,
        #[graphql(name = "id")] _id: Option<ID>,
    ) -> Option<Organization> {
        None
    }
    async fn project(
        &self,
        ctx: &Context<'_>,
        name: Option<String>,
        entity_name: Option<String>,
    ) -> async_graphql::Result<Option<Project>> {
        find_project(caller(ctx), name, entity_name).await
    }
    /// `project` under its old name.
    async fn model(
        &self,
        ctx: &Context<'_>,
        name: Option<String>,
        entity_name: Option<String>,
    ) -> async_graphql::Result<Option<Project>> {
        find_project(caller(ctx), name, entity_name).await
    }
    /// Projects of an entity, newest first.
    #[graphql(complexity = "page::cost(first, 200) * child_complexity")]
    async fn models(
        &self,
        ctx: &Context<'_>,
        entity_name: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ProjectConnection>> {
        project_page(caller(ctx), entity_name, first, after)
            .await
            .map(Some)
    }
    /// A version by its id, whatever its state.
    async fn artifact(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Artifact>> {
        let Some(number) = Kind::Artifact.decode(&id) else {
            return Ok(None);
        };
        let Caller { app, identity, .. } = caller(ctx);
        let identity = identity.clone();
        let row = app
            .store
            .read(
                move |db| match artifact_access::sees_version(db, &identity, number)? {
                    true => versions::by_id(db, number),
                    false => Ok(None),
                },
            )
            .await?;
        Ok(row.map(Artifact))
    }
    /// A collection by its id.
    async fn artifact_collection(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<Option<ArtifactCollection>> {
        let Some(number) = Kind::ArtifactCollection.decode(&id) else {
            return Ok(None);
        };
        let Caller { app, identity, .. } = caller(ctx);
        let identity = identity.clone();
        let row = app
            .store
            .read(
                move |db| match artifact_access::sees_collection(db, &identity, number)? {
                    true => collections::by_id(db, number),
                    false => Ok(None),
                },
            )
            .await?;
        Ok(row.map(ArtifactCollection::of))
    }
    /// The id of the version that a client made up an id for.
    #[graphql(name = "clientIDMapping")]
    async fn client_id_mapping(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "clientID")] client_id: ID,
    ) -> async_graphql::Result<Option<ClientIDMapping>> {
        let asked = client_id.clone();
        let found = caller(ctx)
            .read(
                move |db, identity| match create::by_client_id(db, Some(&asked))? {
                    Some(id) if artifact_access::sees_version(db, identity, id)? => Ok(Some(id)),
                    _ => Ok(None),
                },
            )
            .await?;
        Ok(found.map(|id| ClientIDMapping {
            client_id,
            server_id: Kind::Artifact.encode(id).into(),
        }))
    }
    /// A report, draft or workspace; null when there is none.
    async fn view(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<View>> {
        find_view(ctx, &id).await
    }
    async fn server_info(&self) -> Option<ServerInfo> {
        Some(ServerInfo::current())
    }
}
