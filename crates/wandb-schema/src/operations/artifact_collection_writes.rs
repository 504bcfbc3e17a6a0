//! Changes of collections (protocol §2.14, §5.7).

use super::artifact_writes::{SuccessPayload, TagInput};
use crate::schema;

/// A collection, by its id.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "ArtifactCollection")]
pub struct CollectionReference {
    /// The opaque id.
    pub id: cynic::Id,
}

/// The collection that was changed.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ArtifactCollectionPayload {
    /// The collection.
    pub artifact_collection: CollectionReference,
}

/// What of a sequence to change.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UpdateArtifactSequenceInput {
    /// The sequence's opaque id.
    #[cynic(rename = "artifactSequenceID")]
    pub artifact_sequence_id: cynic::Id,
    /// The name.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Variables of [`UpdateArtifactSequence`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpdateArtifactSequenceVariables {
    /// What to do.
    pub input: UpdateArtifactSequenceInput,
}

/// `UpdateArtifactSequence`: renames or describes a sequence.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpdateArtifactSequenceVariables")]
pub struct UpdateArtifactSequence {
    /// What came of it.
    #[arguments(input: $input)]
    pub update_artifact_sequence: Option<ArtifactCollectionPayload>,
}

/// What of a portfolio to change.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UpdateArtifactPortfolioInput {
    /// The portfolio's opaque id.
    #[cynic(rename = "artifactPortfolioID")]
    pub artifact_portfolio_id: cynic::Id,
    /// The name.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Variables of [`UpdateArtifactPortfolio`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpdateArtifactPortfolioVariables {
    /// What to do.
    pub input: UpdateArtifactPortfolioInput,
}

/// `UpdateArtifactPortfolio`: renames or describes a portfolio.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpdateArtifactPortfolioVariables")]
pub struct UpdateArtifactPortfolio {
    /// What came of it.
    #[arguments(input: $input)]
    pub update_artifact_portfolio: Option<ArtifactCollectionPayload>,
}

/// The sequence and its new type.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct MoveArtifactSequenceInput {
    /// The sequence's opaque id.
    #[cynic(rename = "artifactSequenceID")]
    pub artifact_sequence_id: cynic::Id,
    /// The new type.
    pub destination_artifact_type_name: String,
}

/// Variables of [`MoveArtifactSequence`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct MoveArtifactSequenceVariables {
    /// What to do.
    pub input: MoveArtifactSequenceInput,
}

/// `MoveArtifactSequence`: changes the type of a sequence.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "MoveArtifactSequenceVariables")]
pub struct MoveArtifactSequence {
    /// What came of it.
    #[arguments(input: $input)]
    pub move_artifact_sequence: Option<ArtifactCollectionPayload>,
}

/// The sequence to delete.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteArtifactSequenceInput {
    /// The sequence's opaque id.
    #[cynic(rename = "artifactSequenceID")]
    pub artifact_sequence_id: cynic::Id,
}

/// Variables of [`DeleteArtifactSequence`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteArtifactSequenceVariables {
    /// What to do.
    pub input: DeleteArtifactSequenceInput,
}

/// `DeleteArtifactSequence`: deletes a sequence with its versions.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteArtifactSequenceVariables")]
pub struct DeleteArtifactSequence {
    /// What came of it.
    #[arguments(input: $input)]
    pub delete_artifact_sequence: Option<ArtifactCollectionPayload>,
}

/// The portfolio to delete.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteArtifactPortfolioInput {
    /// The portfolio's opaque id.
    #[cynic(rename = "artifactPortfolioID")]
    pub artifact_portfolio_id: cynic::Id,
}

/// Variables of [`DeleteArtifactPortfolio`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteArtifactPortfolioVariables {
    /// What to do.
    pub input: DeleteArtifactPortfolioInput,
}

/// `DeleteArtifactPortfolio`: deletes a portfolio; its versions stay where they were logged.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteArtifactPortfolioVariables")]
pub struct DeleteArtifactPortfolio {
    /// What came of it.
    #[arguments(input: $input)]
    pub delete_artifact_portfolio: Option<ArtifactCollectionPayload>,
}

/// Tags to add to a collection.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateArtifactCollectionTagAssignmentsInput {
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The collection.
    pub artifact_collection_name: String,
    /// The tags.
    pub tags: Vec<TagInput>,
}

/// The tags that were added.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateArtifactCollectionTagAssignmentsPayload {
    /// The tags.
    pub tags: Vec<super::artifacts::Tag>,
}

/// Variables of [`CreateArtifactCollectionTagAssignments`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct AddCollectionTagsVariables {
    /// What to do.
    pub input: CreateArtifactCollectionTagAssignmentsInput,
}

/// `CreateArtifactCollectionTagAssignments`: adds tags to a collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "AddCollectionTagsVariables")]
pub struct CreateArtifactCollectionTagAssignments {
    /// What came of it.
    #[arguments(input: $input)]
    pub create_artifact_collection_tag_assignments: Option<CreateArtifactCollectionTagAssignmentsPayload>,
}

/// Tags to remove from a collection.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteArtifactCollectionTagAssignmentsInput {
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The collection.
    pub artifact_collection_name: String,
    /// The tags.
    pub tags: Vec<TagInput>,
}

/// Variables of [`DeleteArtifactCollectionTagAssignments`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteCollectionTagsVariables {
    /// What to do.
    pub input: DeleteArtifactCollectionTagAssignmentsInput,
}

/// `DeleteArtifactCollectionTagAssignments`: removes tags from a collection.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteCollectionTagsVariables")]
pub struct DeleteArtifactCollectionTagAssignments {
    /// What came of it.
    #[arguments(input: $input)]
    pub delete_artifact_collection_tag_assignments: Option<SuccessPayload>,
}
