//! Projects (protocol §2.6).

use super::shared::{PageInfo, UserSummary};
use crate::{scalars::DateTime, schema};

/// Variables of [`GetProjects`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct GetProjectsVariables {
    /// The entity.
    pub entity: Option<String>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `GetProjects`: one page of an entity's projects.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "GetProjectsVariables")]
pub struct GetProjects {
    /// The page. An unknown entity has an empty one.
    #[arguments(entityName: $entity, first: $per_page, after: $cursor)]
    pub models: Option<ProjectConnection>,
}

/// A page of projects.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ProjectConnection {
    /// One edge per project.
    pub edges: Vec<ProjectEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a project.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ProjectEdge {
    /// The project.
    pub node: Option<Project>,
}

/// A project.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct Project {
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: DateTime,
    /// Whether it is a benchmark.
    pub is_benchmark: bool,
    /// Who created it.
    pub user: Option<UserSummary>,
}

/// Variables of [`GetProject`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct GetProjectVariables {
    /// The project's name.
    pub name: String,
    /// The entity.
    pub entity: Option<String>,
}

/// `GetProject`: one project, `null` when there is none.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "GetProjectVariables")]
pub struct GetProject {
    /// The project.
    #[arguments(name: $name, entityName: $entity)]
    pub project: Option<Project>,
}

/// The project that [`CreateProject`] makes or changes. A missing member stays as it is.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UpsertModelInput {
    /// The name.
    pub name: Option<String>,
    /// The entity.
    pub entity_name: Option<String>,
    /// The description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who may see it.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

/// Variables of [`CreateProject`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateProjectVariables {
    /// The project.
    pub input: UpsertModelInput,
}

/// `CreateProject`: makes a project; one that exists stays.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateProjectVariables")]
pub struct CreateProject {
    /// What became of it.
    #[arguments(input: $input)]
    pub upsert_model: Option<UpsertModelPayload>,
}

/// What became of it.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpsertModelPayload {
    /// The project.
    pub project: Option<Project>,
    /// Whether it is new.
    pub inserted: Option<bool>,
}

/// The project that [`DeleteProject`] deletes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteModelInput {
    /// The opaque id.
    pub id: String,
}

/// Variables of [`DeleteProject`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteProjectVariables {
    /// The project.
    pub input: DeleteModelInput,
}

/// `DeleteProject`: deletes a project with everything in it, as the web interface does.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteProjectVariables")]
pub struct DeleteProject {
    /// What became of it.
    #[arguments(input: $input)]
    pub delete_model: Option<DeleteModelPayload>,
}

/// What became of it.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteModelPayload {
    /// Whether it was deleted.
    pub success: Option<bool>,
}
