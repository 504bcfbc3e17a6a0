//! Collections of artifacts: sequences, where versions are logged, and portfolios, where they are linked
//! (protocol §2.14).

use super::{
    artifacts::{AliasName, ArtifactTypeName, ProjectPlace, Tag},
    shared::PageInfo,
};
use crate::{
    scalars::{DateTime, JsonString},
    schema,
};

/// A collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactCollection {
    /// `ArtifactSequence` or `ArtifactPortfolio`.
    #[cynic(rename = "__typename")]
    pub typename: String,
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was last changed.
    pub updated_at: Option<DateTime>,
    /// The project.
    pub project: Option<ProjectPlace>,
    /// The type of its versions.
    pub default_artifact_type: ArtifactTypeName,
    /// The tags.
    pub tags: TagConnection,
}

/// The tags of a collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct TagConnection {
    /// One edge per tag.
    pub edges: Vec<TagEdge>,
}

/// An edge to a tag.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct TagEdge {
    /// The tag.
    pub node: Tag,
}

/// A page of collections.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactCollectionConnection {
    /// One edge per collection.
    pub edges: Vec<ArtifactCollectionEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are.
    pub total_count: i32,
}

/// An edge to a collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactCollectionEdge {
    /// The collection.
    pub node: Option<ArtifactCollection>,
}

/// Variables of [`ArtifactTypeArtifactCollections`] and [`ProjectArtifactCollections`]; a document declares only the
/// variables that it uses.
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CollectionsVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// The type; empty where collections of all types are listed.
    #[cynic(skip_serializing_if = "String::is_empty")]
    pub artifact_type: String,
    /// The filter, Mongo-style.
    pub filters: Option<JsonString>,
    /// The sort key.
    pub order: Option<String>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `ArtifactTypeArtifactCollections`: one page of the collections of a type.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "CollectionsVariables")]
pub struct ArtifactTypeArtifactCollections {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectTypeCollections>,
}

/// The type below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "CollectionsVariables")]
pub struct ProjectTypeCollections {
    /// The type, `null` when there is none.
    #[arguments(name: $artifact_type)]
    pub artifact_type: Option<TypeCollections>,
}

/// The page below its type.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactType", variables = "CollectionsVariables")]
pub struct TypeCollections {
    /// The page.
    #[arguments(filters: $filters, order: $order, first: $per_page, after: $cursor)]
    pub artifact_collections: Option<ArtifactCollectionConnection>,
}

/// `ProjectArtifactCollections`: one page of the collections of a project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "CollectionsVariables")]
pub struct ProjectArtifactCollections {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectCollections>,
}

/// The page below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "CollectionsVariables")]
pub struct ProjectCollections {
    /// The page.
    #[arguments(filters: $filters, order: $order, first: $per_page, after: $cursor)]
    pub artifact_collections: Option<ArtifactCollectionConnection>,
}

/// Variables of [`ProjectArtifactCollection`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CollectionVariables {
    /// The entity.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// The collection.
    pub name: String,
}

/// `ProjectArtifactCollection`: one collection of a project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "CollectionVariables")]
pub struct ProjectArtifactCollection {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectCollection>,
}

/// The collection below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "CollectionVariables")]
pub struct ProjectCollection {
    /// The collection, `null` when there is none.
    #[arguments(name: $name)]
    pub artifact_collection: Option<ArtifactCollection>,
}

/// Variables of [`ArtifactCollectionAliases`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CollectionAliasesVariables {
    /// The opaque id.
    pub id: cynic::Id,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `ArtifactCollectionAliases`: one page of a collection's aliases.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "CollectionAliasesVariables")]
pub struct ArtifactCollectionAliases {
    /// The collection, `null` when there is none.
    #[arguments(id: $id)]
    pub artifact_collection: Option<CollectionAliases>,
}

/// The page below its collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection", variables = "CollectionAliasesVariables")]
pub struct CollectionAliases {
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub aliases: ArtifactAliasConnection,
}

/// A page of aliases.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactAliasConnection {
    /// One edge per alias.
    pub edges: Vec<ArtifactAliasEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to an alias.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactAliasEdge {
    /// The alias.
    pub node: Option<AliasName>,
}
