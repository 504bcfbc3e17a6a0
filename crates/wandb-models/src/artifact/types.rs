//! Types of artifacts.

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_core::{Error, Result, page::Page, path::ProjectPath, timestamp::Timestamp};
use wandb_schema::operations::artifact_types as wire;

use super::{ArtifactCollection, ArtifactCollections, collection, lookup::no_project};
use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
};

/// A type of artifacts in a project, such as `model`: plain data, and the way to its collections.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ArtifactType {
    /// The opaque id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The entity.
    pub entity: String,
    /// The project.
    pub project: String,
    #[serde(skip)]
    api: Api,
}

impl ArtifactType {
    fn from_wire(api: &Api, path: &ProjectPath, wire: wire::ArtifactType) -> Result<Self> {
        let created_at = Timestamp::parse(&wire.created_at.0).map_err(|error| {
            Error::protocol(format!(
                "the time of artifact type {:?} cannot be read",
                wire.name
            ))
            .with_source(error)
        })?;
        Ok(Self {
            id: wire.id.into_inner(),
            name: wire.name,
            description: wire.description,
            created_at,
            entity: path.entity().as_str().to_owned(),
            project: path.project().as_str().to_owned(),
            api: api.clone(),
        })
    }

    /// The collections of this type.
    pub fn collections(&self) -> ArtifactCollections {
        self.api
            .artifact_collections(format!("{}/{}", self.entity, self.project), &*self.name)
    }

    /// One collection of this type.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none, or it is of another type.
    pub async fn collection(&self, name: &str) -> Result<ArtifactCollection> {
        let name = format!("{}/{}/{name}", self.entity, self.project);
        collection::fetch_one(&self.api, Some(&self.name), &name).await
    }
}

impl Api {
    /// The types of artifacts in a project, by `entity/project`, `project`, or its web address.
    pub fn artifact_types(&self, project: impl Into<String>) -> ArtifactTypes {
        let query = ArtifactTypesQuery {
            api: self.clone(),
            project: project.into(),
        };
        ArtifactTypes::new(query, 50)
    }

    /// One type of artifacts in a project.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when the project or the type is not there.
    pub async fn artifact_type(&self, name: &str, project: &str) -> Result<ArtifactType> {
        let path = self.project_path(project).await?;
        let description = format!("read artifact type {name:?} of \"{path}\"");
        let operation = wire::ProjectArtifactType::build(wire::ProjectArtifactTypeVariables {
            entity: Some(path.entity().as_str().to_owned()),
            project: path.project().as_str().to_owned(),
            artifact_type: name.to_owned(),
        });
        let answer: wire::ProjectArtifactType = self.execute(&operation, &description).await?;
        let found = answer.project.ok_or_else(|| no_project(&path))?.artifact_type;
        let found = found.ok_or_else(|| no_type(name, &path))?;
        ArtifactType::from_wire(self, &path, found).map_err(|error| error.in_operation(description))
    }
}

pub(super) fn no_type(name: &str, path: &ProjectPath) -> Error {
    Error::not_found(format!("artifact type {name:?} of \"{path}\""))
        .with_hint("list the project's artifact types to see their names")
}

/// A listing of a project's artifact types, 50 a page. Made by [`Api::artifact_types`].
pub type ArtifactTypes = Listing<ArtifactTypesQuery>;

/// What [`ArtifactTypes`] asks.
#[derive(Debug, Clone)]
pub struct ArtifactTypesQuery {
    api: Api,
    project: String,
}

impl ListingQuery for ArtifactTypesQuery {
    type Item = ArtifactType;

    async fn fetch(&self, ask: Ask) -> Result<Page<ArtifactType>> {
        let api = &self.api;
        let path = api.project_path(&self.project).await?;
        let description = format!("list the artifact types of \"{path}\"");
        let operation = wire::ProjectArtifactTypes::build(wire::ProjectArtifactTypesVariables {
            entity: Some(path.entity().as_str().to_owned()),
            project: path.project().as_str().to_owned(),
            per_page: ask.first(),
            cursor: ask.cursor,
        });
        let answer: wire::ProjectArtifactTypes = api.execute(&operation, &description).await?;
        let connection = answer.project.ok_or_else(|| no_project(&path))?.artifact_types;
        let page = || {
            let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
            listing::page(
                nodes
                    .into_iter()
                    .map(|node| ArtifactType::from_wire(api, &path, node)),
                connection.page_info,
            )
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}
