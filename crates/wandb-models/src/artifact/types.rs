//! Types of artifacts.

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_core::{
    Error, Result,
    page::{ItemStream, Page, Pages},
    path::ProjectPath,
    timestamp::Timestamp,
};
use wandb_schema::operations::artifact_types as wire;

use super::{ArtifactCollection, ArtifactCollections, collection, lookup::no_project};
use crate::{
    Api,
    listing::{self, Paging},
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
        ArtifactTypes {
            api: self.clone(),
            project: project.into(),
            paging: Paging::new(50),
        }
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

/// A listing of a project's artifact types. Made by [`Api::artifact_types`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ArtifactTypes {
    api: Api,
    project: String,
    paging: Paging,
}

impl ArtifactTypes {
    /// How many types a request asks for; 50 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many types are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// The listing page by page.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible.
    pub fn pages(self) -> Result<Pages<'static, ArtifactType>> {
        let Self { api, project, paging } = self;
        paging.pages(move |cursor, count| {
            let (api, project) = (api.clone(), project.clone());
            async move { fetch_page(&api, &project, cursor, count).await }
        })
    }

    /// The types one by one.
    pub fn stream(self) -> ItemStream<'static, ArtifactType> {
        listing::items(self.pages())
    }
}

async fn fetch_page(
    api: &Api,
    project: &str,
    cursor: Option<String>,
    count: u32,
) -> Result<Page<ArtifactType>> {
    let path = api.project_path(project).await?;
    let description = format!("list the artifact types of \"{path}\"");
    let operation = wire::ProjectArtifactTypes::build(wire::ProjectArtifactTypesVariables {
        entity: Some(path.entity().as_str().to_owned()),
        project: path.project().as_str().to_owned(),
        cursor,
        per_page: i32::try_from(count).unwrap_or(i32::MAX),
    });
    let answer: wire::ProjectArtifactTypes = api.execute(&operation, &description).await?;
    let connection = answer.project.ok_or_else(|| no_project(&path))?.artifact_types;
    let page = || {
        let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
        Ok(Page {
            items: nodes
                .into_iter()
                .map(|node| ArtifactType::from_wire(api, &path, node))
                .collect::<Result<_>>()?,
            next: listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?,
        })
    };
    page().map_err(|error: Error| error.in_operation(description))
}
