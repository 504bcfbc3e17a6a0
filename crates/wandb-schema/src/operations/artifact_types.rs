//! Types of artifacts (protocol §2.14).

use super::shared::PageInfo;
use crate::{scalars::DateTime, schema};

/// A type of artifacts.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactType {
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: DateTime,
}

/// Variables of [`ProjectArtifactTypes`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ProjectArtifactTypesVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `ProjectArtifactTypes`: one page of a project's types.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ProjectArtifactTypesVariables")]
pub struct ProjectArtifactTypes {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectTypes>,
}

/// The page below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ProjectArtifactTypesVariables")]
pub struct ProjectTypes {
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub artifact_types: ArtifactTypeConnection,
}

/// A page of types.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactTypeConnection {
    /// One edge per type.
    pub edges: Vec<ArtifactTypeEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a type.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactTypeEdge {
    /// The type.
    pub node: Option<ArtifactType>,
}

/// Variables of [`ProjectArtifactType`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ProjectArtifactTypeVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// The type.
    pub artifact_type: String,
}

/// `ProjectArtifactType`: one type of a project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ProjectArtifactTypeVariables")]
pub struct ProjectArtifactType {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectType>,
}

/// The type below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "ProjectArtifactTypeVariables")]
pub struct ProjectType {
    /// The type, `null` when there is none.
    #[arguments(name: $artifact_type)]
    pub artifact_type: Option<ArtifactType>,
}
