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
