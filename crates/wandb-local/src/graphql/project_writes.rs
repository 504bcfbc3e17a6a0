//! Creating, changing, renaming and deleting projects (protocol §2.6).

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::caller;
use super::project::Project;
use super::scalars::JsonString;
use crate::store::identity::Identity;
use crate::store::ids::Kind;
use crate::store::projects::{self, ProjectPatch, ProjectRow};
use crate::store::{StoreError, StoreResult, access, bytes};

/// Mutations of projects.
#[derive(Debug, Default)]
pub(crate) struct ProjectMutation;

/// The project with an opaque id, in either of the forms that servers give, for a change.
fn by_opaque_id(db: &rusqlite::Connection, identity: &Identity, id: &str) -> StoreResult<Option<ProjectRow>> {
    let number = Kind::Project
        .decode(id)
        .or_else(|| Kind::ProjectInternal.decode(id));
    let found = number
        .map(|number| projects::by_id(db, number))
        .transpose()?
        .flatten();
    if let Some(project) = &found {
        let what = format!("project {}/{}", project.entity_name, project.name);
        access::require_write(db, identity, project.id, &what)?;
    }
    Ok(found)
}

/// Mutations of projects.
#[Object]
impl ProjectMutation {
    /// Creates or changes a project. With an id, another name renames it.
    async fn upsert_model(
        &self,
        ctx: &Context<'_>,
        input: UpsertModelInput,
    ) -> async_graphql::Result<Option<UpsertModelPayload>> {
        let client_mutation_id = input.client_mutation_id.clone();
        let (row, inserted) = caller(ctx)
            .write(move |db, identity| {
                let name = input.name.as_deref().filter(|name| !name.is_empty());
                let (project, inserted) = match input.id.as_deref().filter(|id| !id.is_empty()) {
                    Some(id) => {
                        let missing = || StoreError::Refused(format!("project not found for id {id:?}"));
                        let project = by_opaque_id(db, identity, id)?.ok_or_else(missing)?;
                        if let Some(name) = name {
                            projects::rename(db, &project, name)?;
                        }
                        (project, false)
                    }
                    None => {
                        let missing = || StoreError::Refused("a project needs a name".to_owned());
                        projects::ensure(
                            db,
                            identity,
                            input.entity_name.as_deref(),
                            Some(name.ok_or_else(missing)?),
                        )?
                    }
                };
                let patch = ProjectPatch {
                    description: input.description,
                    access: input.access,
                    views: input.views.map(|text| text.0),
                };
                projects::patch(db, project.id, &patch)?;
                Ok((projects::by_id(db, project.id)?, inserted))
            })
            .await?;
        Ok(Some(UpsertModelPayload {
            project: row.clone().map(Project),
            model: row.map(Project),
            inserted: Some(inserted),
            client_mutation_id,
        }))
    }

    /// Gives a project another name.
    async fn rename_project(
        &self,
        ctx: &Context<'_>,
        input: RenameProjectInput,
    ) -> async_graphql::Result<Option<RenameProjectPayload>> {
        let row = caller(ctx)
            .write(move |db, identity| {
                let entity = Some(input.entity_name.as_str());
                let Some(project) = projects::find_to_change(db, identity, entity, &input.old_project_name)?
                else {
                    // The request may come twice: then the project has its new name already.
                    return projects::find(db, identity, entity, &input.new_project_name)?
                        .map(Some)
                        .ok_or_else(|| {
                            StoreError::Refused(format!(
                                "project {}/{} not found",
                                input.entity_name, input.old_project_name
                            ))
                        });
                };
                projects::rename(db, &project, &input.new_project_name)?;
                projects::by_id(db, project.id)
            })
            .await?;
        Ok(Some(RenameProjectPayload {
            project: row.map(Project),
            inserted: Some(false),
        }))
    }

    /// Deletes a project with its runs, sweeps and reports. False when there is none (any more).
    async fn delete_model(
        &self,
        ctx: &Context<'_>,
        input: DeleteModelInput,
    ) -> async_graphql::Result<Option<DeleteModelPayload>> {
        let caller = caller(ctx);
        let (deleted, digests) = caller
            .write(move |db, identity| match by_opaque_id(db, identity, &input.id)? {
                None => Ok((false, Vec::new())),
                Some(project) => {
                    let (deleted, digests) = projects::delete(db, project.id)?;
                    Ok((deleted, bytes::unreferenced(db, digests)?))
                }
            })
            .await?;
        caller.app.forget_bytes(digests).await;
        Ok(Some(DeleteModelPayload {
            success: Some(deleted),
        }))
    }
}

/// Input of `upsertModel`.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertModelInput {
    id: Option<String>,
    name: Option<String>,
    entity_name: Option<String>,
    description: Option<String>,
    access: Option<String>,
    views: Option<JsonString>,
    #[graphql(name = "repo")]
    _repo: Option<String>,
    #[graphql(name = "dockerImage")]
    _docker_image: Option<String>,
    #[graphql(name = "framework")]
    _framework: Option<String>,
    #[graphql(name = "isBenchmark")]
    _is_benchmark: Option<bool>,
    #[graphql(name = "isPublished")]
    _is_published: Option<bool>,
    #[graphql(name = "owner")]
    _owner: Option<ID>,
    client_mutation_id: Option<String>,
}

/// Result of `upsertModel`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpsertModelPayload {
    project: Option<Project>,
    model: Option<Project>,
    /// True when the project is new.
    inserted: Option<bool>,
    client_mutation_id: Option<String>,
}

/// Input of `renameProject`.
#[derive(Debug, InputObject)]
pub(crate) struct RenameProjectInput {
    entity_name: String,
    old_project_name: String,
    new_project_name: String,
    #[graphql(name = "clientMutationId")]
    _client_mutation_id: Option<String>,
}

/// Result of `renameProject`.
#[derive(Debug, SimpleObject)]
pub(crate) struct RenameProjectPayload {
    project: Option<Project>,
    /// Always false.
    inserted: Option<bool>,
}

/// Input of `deleteModel`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteModelInput {
    id: String,
    #[graphql(name = "clientMutationId")]
    _client_mutation_id: Option<String>,
}

/// Result of `deleteModel`.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteModelPayload {
    success: Option<bool>,
}
