//! Mutations that change what is there (protocol §5.7). Each may arrive twice.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::super::{Caller, caller};
use super::collection::ArtifactCollection;
use super::input::{
    AddAliasesInput, ArtifactCollectionAliasInput, CreateArtifactCollectionTagAssignmentsInput,
    DeleteAliasesInput, DeleteArtifactCollectionTagAssignmentsInput, DeleteArtifactInput,
    DeleteArtifactPortfolioInput, DeleteArtifactSequenceInput, LinkArtifactInput, MoveArtifactSequenceInput,
    UnlinkArtifactInput, UpdateArtifactInput, UpdateArtifactPortfolioInput, UpdateArtifactSequenceInput,
    tag_names,
};
use super::membership::ArtifactCollectionMembership;
use super::version::Artifact;
use super::{Tag, number};
use crate::store::artifacts::edit::{AliasChange, ArtifactPatch};
use crate::store::artifacts::links::{self, Portfolio};
use crate::store::artifacts::rows::{ArtifactRow, CollectionRow, Loader};
use crate::store::artifacts::{access, collections, create, edit, versions};
use crate::store::identity::Identity;
use crate::store::ids::Kind;
use crate::store::{StoreError, StoreResult, projects};

/// Mutations that change artifacts.
#[derive(Debug, Default)]
pub(crate) struct ArtifactEditMutation;

fn required(db: &rusqlite::Connection, id: i64) -> StoreResult<Arc<ArtifactRow>> {
    versions::by_id(db, id)?.ok_or_else(|| StoreError::Refused("artifact not found".to_owned()))
}

/// A collection that is to be changed, by names; refuses when it is not there, or not the caller's to change.
fn named(
    db: &rusqlite::Connection,
    identity: &Identity,
    entity: &str,
    project: &str,
    name: &str,
) -> StoreResult<Arc<CollectionRow>> {
    let missing = || StoreError::Refused(format!("artifact collection {entity}/{project}/{name} not found"));
    let project = projects::find(db, identity, Some(entity), project)?.ok_or_else(missing)?;
    let found = collections::find(db, project.id, name)?.ok_or_else(missing)?;
    access::require_collection(db, identity, found.id)?;
    Ok(found)
}

fn changes(
    db: &rusqlite::Connection,
    identity: &Identity,
    aliases: &[ArtifactCollectionAliasInput],
) -> StoreResult<Vec<AliasChange>> {
    let change = |input: &ArtifactCollectionAliasInput| {
        let name = &input.artifact_collection_name;
        Ok(AliasChange {
            collection: named(db, identity, &input.entity_name, &input.project_name, name)?.id,
            alias: input.alias.clone(),
        })
    };
    aliases.iter().map(change).collect()
}

async fn update_collection(
    caller: &Caller,
    id: i64,
    portfolio: bool,
    name: Option<String>,
    description: Option<String>,
    client_mutation_id: Option<String>,
) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
    let identity = caller.identity.clone();
    let row = caller
        .app
        .store
        .write(move |db| {
            access::require_collection(db, &identity, id)?;
            collections::update(db, id, portfolio, name.as_deref(), description.as_deref())?;
            Loader::new(db).collection(id)
        })
        .await?;
    Ok(ArtifactCollectionPayload::of(row, client_mutation_id))
}

async fn delete_collection(
    caller: &Caller,
    id: i64,
    portfolio: bool,
    client_mutation_id: Option<String>,
) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
    let identity = caller.identity.clone();
    let (row, released) = caller
        .app
        .store
        .write(move |db| {
            access::require_collection(db, &identity, id)?;
            let released = collections::delete(db, id, portfolio)?;
            Ok((Loader::new(db).collection(id)?, released))
        })
        .await?;
    caller.app.forget_bytes(released).await;
    Ok(ArtifactCollectionPayload::of(row, client_mutation_id))
}

/// Mutations that change artifacts.
#[Object]
impl ArtifactEditMutation {
    async fn update_artifact(
        &self,
        ctx: &Context<'_>,
        input: UpdateArtifactInput,
    ) -> async_graphql::Result<Option<UpdateArtifactPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        let patch = ArtifactPatch {
            description: input.description,
            labels: input.labels.map(|text| text.0),
            metadata: input.metadata.map(|text| text.0),
            tags_to_add: tag_names(input.tags_to_add),
            tags_to_delete: tag_names(input.tags_to_delete),
            ttl_seconds: input.ttl_duration_seconds.map(|seconds| seconds.0),
        };
        let aliases = input.aliases;
        let row = caller(ctx)
            .write(move |db, identity| {
                access::require_version(db, identity, artifact)?;
                edit::update(db, artifact, &patch)?;
                if let Some(aliases) = aliases {
                    let row = required(db, artifact)?;
                    let own = aliases
                        .into_iter()
                        .filter(|alias| alias.artifact_collection_name == row.sequence.name)
                        .map(|alias| alias.alias)
                        .collect::<Vec<_>>();
                    edit::replace_aliases(db, identity, artifact, row.sequence.id, &own)?;
                }
                required(db, artifact)
            })
            .await?;
        Ok(Some(UpdateArtifactPayload {
            artifact: Artifact(row),
        }))
    }

    /// Deletes a version. With aliases, only if they are to go, too.
    async fn delete_artifact(
        &self,
        ctx: &Context<'_>,
        input: DeleteArtifactInput,
    ) -> async_graphql::Result<Option<DeleteArtifactPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        let with_aliases = input.delete_aliases.unwrap_or(false);
        let caller = caller(ctx);
        let (row, released) = caller
            .write(move |db, identity| {
                access::require_version(db, identity, artifact)?;
                let released = edit::delete(db, identity, artifact, with_aliases)?;
                Ok((required(db, artifact)?, released))
            })
            .await?;
        caller.app.forget_bytes(released).await;
        Ok(Some(DeleteArtifactPayload {
            artifact: Artifact(row),
        }))
    }

    async fn add_aliases(
        &self,
        ctx: &Context<'_>,
        input: AddAliasesInput,
    ) -> async_graphql::Result<Option<SuccessPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        caller(ctx)
            .write(move |db, identity| {
                let changes = changes(db, identity, &input.aliases)?;
                edit::add_aliases(db, identity, artifact, &changes)
            })
            .await?;
        Ok(Some(SuccessPayload::new(input.client_mutation_id)))
    }

    async fn delete_aliases(
        &self,
        ctx: &Context<'_>,
        input: DeleteAliasesInput,
    ) -> async_graphql::Result<Option<SuccessPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        caller(ctx)
            .write(move |db, identity| {
                let changes = changes(db, identity, &input.aliases)?;
                edit::delete_aliases(db, identity, artifact, &changes)
            })
            .await?;
        Ok(Some(SuccessPayload::new(input.client_mutation_id)))
    }

    /// Puts a version into a portfolio, which is made if it is not there.
    async fn link_artifact(
        &self,
        ctx: &Context<'_>,
        input: LinkArtifactInput,
    ) -> async_graphql::Result<Option<LinkArtifactPayload>> {
        let id = input.artifact_id.as_deref().filter(|id| !id.is_empty());
        let id = id.map(|id| number(Kind::Artifact, "artifact", id)).transpose()?;
        let portfolio_id = input.artifact_portfolio_id.as_deref().filter(|id| !id.is_empty());
        let portfolio = match (portfolio_id, input.artifact_portfolio_name) {
            (Some(id), _) => Portfolio::Id(number(Kind::ArtifactCollection, "artifact portfolio", id)?),
            (None, Some(name)) => Portfolio::Named {
                entity: input.entity_name,
                project: input.project_name,
                name,
            },
            (None, None) => return Err(async_graphql::Error::new("no portfolio to link to was named")),
        };
        let aliases = input.aliases.unwrap_or_default().into_iter();
        let aliases: Vec<String> = aliases.map(|alias| alias.alias).collect();
        let client_id = input.client_id;
        let row = caller(ctx)
            .write(move |db, identity| {
                let artifact = match id {
                    Some(id) => Some(id),
                    None => create::by_client_id(db, client_id.as_deref().map(String::as_str))?,
                };
                let artifact =
                    artifact.ok_or_else(|| StoreError::Refused("artifact not found".to_owned()))?;
                links::link(db, identity, artifact, &portfolio, &aliases)
            })
            .await?;
        Ok(Some(LinkArtifactPayload {
            version_index: Some(row.version_index),
            artifact_membership: Some(ArtifactCollectionMembership(row)),
        }))
    }

    async fn unlink_artifact(
        &self,
        ctx: &Context<'_>,
        input: UnlinkArtifactInput,
    ) -> async_graphql::Result<Option<SuccessPayload>> {
        let artifact = number(Kind::Artifact, "artifact", &input.artifact_id)?;
        let portfolio = number(
            Kind::ArtifactCollection,
            "artifact portfolio",
            &input.artifact_portfolio_id,
        )?;
        caller(ctx)
            .write(move |db, identity| {
                access::require_collection(db, identity, portfolio)?;
                links::unlink(db, artifact, portfolio)
            })
            .await?;
        Ok(Some(SuccessPayload::new(input.client_mutation_id)))
    }

    /// Deletes a sequence with its versions.
    async fn delete_artifact_sequence(
        &self,
        ctx: &Context<'_>,
        input: DeleteArtifactSequenceInput,
    ) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
        let id = number(
            Kind::ArtifactCollection,
            "artifact sequence",
            &input.artifact_sequence_id,
        )?;
        delete_collection(caller(ctx), id, false, input.client_mutation_id).await
    }

    /// Deletes a portfolio; the versions in it stay where they were made.
    async fn delete_artifact_portfolio(
        &self,
        ctx: &Context<'_>,
        input: DeleteArtifactPortfolioInput,
    ) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
        let id = number(
            Kind::ArtifactCollection,
            "artifact portfolio",
            &input.artifact_portfolio_id,
        )?;
        delete_collection(caller(ctx), id, true, input.client_mutation_id).await
    }

    async fn update_artifact_sequence(
        &self,
        ctx: &Context<'_>,
        input: UpdateArtifactSequenceInput,
    ) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
        let id = number(
            Kind::ArtifactCollection,
            "artifact sequence",
            &input.artifact_sequence_id,
        )?;
        let UpdateArtifactSequenceInput {
            name,
            description,
            client_mutation_id,
            ..
        } = input;
        update_collection(caller(ctx), id, false, name, description, client_mutation_id).await
    }

    async fn update_artifact_portfolio(
        &self,
        ctx: &Context<'_>,
        input: UpdateArtifactPortfolioInput,
    ) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
        let id = number(
            Kind::ArtifactCollection,
            "artifact portfolio",
            &input.artifact_portfolio_id,
        )?;
        let UpdateArtifactPortfolioInput {
            name,
            description,
            client_mutation_id,
            ..
        } = input;
        update_collection(caller(ctx), id, true, name, description, client_mutation_id).await
    }

    /// Gives a sequence another type.
    async fn move_artifact_sequence(
        &self,
        ctx: &Context<'_>,
        input: MoveArtifactSequenceInput,
    ) -> async_graphql::Result<Option<ArtifactCollectionPayload>> {
        let id = number(
            Kind::ArtifactCollection,
            "artifact sequence",
            &input.artifact_sequence_id,
        )?;
        let row = caller(ctx)
            .write(move |db, identity| {
                access::require_collection(db, identity, id)?;
                collections::change_type(db, id, &input.destination_artifact_type_name)?;
                Loader::new(db).collection(id)
            })
            .await?;
        Ok(ArtifactCollectionPayload::of(row, input.client_mutation_id))
    }

    async fn create_artifact_collection_tag_assignments(
        &self,
        ctx: &Context<'_>,
        input: CreateArtifactCollectionTagAssignmentsInput,
    ) -> async_graphql::Result<Option<CreateArtifactCollectionTagAssignmentsPayload>> {
        let rows = caller(ctx)
            .write(move |db, identity| {
                let name = &input.artifact_collection_name;
                let collection = named(db, identity, &input.entity_name, &input.project_name, name)?;
                collections::add_tags(db, collection.id, &tag_names(Some(input.tags)))
            })
            .await?;
        let tags = rows.iter().map(|row| Tag::new(Kind::CollectionTag, row));
        Ok(Some(CreateArtifactCollectionTagAssignmentsPayload {
            tags: tags.collect(),
        }))
    }

    async fn delete_artifact_collection_tag_assignments(
        &self,
        ctx: &Context<'_>,
        input: DeleteArtifactCollectionTagAssignmentsInput,
    ) -> async_graphql::Result<Option<SuccessPayload>> {
        caller(ctx)
            .write(move |db, identity| {
                let name = &input.artifact_collection_name;
                let collection = named(db, identity, &input.entity_name, &input.project_name, name)?;
                collections::delete_tags(db, collection.id, &tag_names(Some(input.tags)))
            })
            .await?;
        Ok(Some(SuccessPayload::new(input.client_mutation_id)))
    }
}

/// Result of mutations that have nothing to tell.
#[derive(Debug, SimpleObject)]
pub(crate) struct SuccessPayload {
    success: bool,
    client_mutation_id: Option<String>,
}

impl SuccessPayload {
    fn new(client_mutation_id: Option<String>) -> Self {
        Self {
            success: true,
            client_mutation_id,
        }
    }
}

/// Result of `updateArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpdateArtifactPayload {
    artifact: Artifact,
}

/// Result of `deleteArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteArtifactPayload {
    artifact: Artifact,
}

/// Result of `linkArtifact`.
#[derive(Debug, SimpleObject)]
pub(crate) struct LinkArtifactPayload {
    /// In the portfolio.
    version_index: Option<i64>,
    artifact_membership: Option<ArtifactCollectionMembership>,
}

/// Result of mutations of collections.
#[derive(Debug, SimpleObject)]
pub(crate) struct ArtifactCollectionPayload {
    artifact_collection: ArtifactCollection,
    client_mutation_id: Option<String>,
}

impl ArtifactCollectionPayload {
    fn of(row: Option<Arc<CollectionRow>>, client_mutation_id: Option<String>) -> Option<Self> {
        row.map(|row| Self {
            artifact_collection: ArtifactCollection::of(row),
            client_mutation_id,
        })
    }
}

/// Result of `createArtifactCollectionTagAssignments`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateArtifactCollectionTagAssignmentsPayload {
    tags: Vec<Tag>,
}
