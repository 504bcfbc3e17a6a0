//! Changes of versions (protocol §2.14, §5.7).

use super::artifacts::Membership;
use crate::{
    scalars::{Int64, JsonString},
    schema,
};

/// A tag.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct TagInput {
    /// The tag.
    pub tag_name: String,
}

/// An alias in a collection of the project at hand.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct ArtifactAliasInput {
    /// The collection.
    pub artifact_collection_name: String,
    /// The alias.
    pub alias: String,
}

/// An alias in a collection.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct ArtifactCollectionAliasInput {
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The collection.
    pub artifact_collection_name: String,
    /// The alias.
    pub alias: String,
}

/// Whether something was done.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct SuccessPayload {
    /// Whether it was done.
    pub success: bool,
}

/// A version, by its id.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Artifact")]
pub struct ArtifactReference {
    /// The opaque id.
    pub id: cynic::Id,
}

/// What of a version to change; what is not named stays.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UpdateArtifactInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The new description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The new metadata, whole.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonString>,
    /// Tags to add.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tags_to_add: Option<Vec<TagInput>>,
    /// Tags to remove.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tags_to_delete: Option<Vec<TagInput>>,
    /// Seconds to keep it; -1: as the collection says; -2: for ever.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ttl_duration_seconds: Option<Int64>,
}

/// The version that was changed.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpdateArtifactPayload {
    /// The version.
    pub artifact: ArtifactReference,
}

/// Variables of [`UpdateArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpdateArtifactVariables {
    /// What to do.
    pub input: UpdateArtifactInput,
}

/// `UpdateArtifact`: changes description, metadata, tags and time to live of a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpdateArtifactVariables")]
pub struct UpdateArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub update_artifact: Option<UpdateArtifactPayload>,
}

/// Aliases to add.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct AddAliasesInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The aliases.
    pub aliases: Vec<ArtifactCollectionAliasInput>,
}

/// Variables of [`AddAliases`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct AddAliasesVariables {
    /// What to do.
    pub input: AddAliasesInput,
}

/// `AddAliases`: adds aliases; one that another version of the collection has moves.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "AddAliasesVariables")]
pub struct AddAliases {
    /// What came of it.
    #[arguments(input: $input)]
    pub add_aliases: Option<SuccessPayload>,
}

/// Aliases to remove.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteAliasesInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The aliases.
    pub aliases: Vec<ArtifactCollectionAliasInput>,
}

/// Variables of [`DeleteAliases`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteAliasesVariables {
    /// What to do.
    pub input: DeleteAliasesInput,
}

/// `DeleteAliases`: removes aliases.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteAliasesVariables")]
pub struct DeleteAliases {
    /// What came of it.
    #[arguments(input: $input)]
    pub delete_aliases: Option<SuccessPayload>,
}

/// The version to delete.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteArtifactInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// Whether the aliases go, too; without, a version that has some is not deleted.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub delete_aliases: Option<bool>,
}

/// The version that was deleted.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteArtifactPayload {
    /// The version.
    pub artifact: ArtifactReference,
}

/// Variables of [`DeleteArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteArtifactVariables {
    /// What to do.
    pub input: DeleteArtifactInput,
}

/// `DeleteArtifact`: deletes a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteArtifactVariables")]
pub struct DeleteArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub delete_artifact: Option<DeleteArtifactPayload>,
}

/// The version to link, and where.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct LinkArtifactInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID", skip_serializing_if = "Option::is_none")]
    pub artifact_id: Option<cynic::Id>,
    /// The id that the client chose for the version.
    #[cynic(rename = "clientID", skip_serializing_if = "Option::is_none")]
    pub client_id: Option<cynic::Id>,
    /// The portfolio's opaque id.
    #[cynic(rename = "artifactPortfolioID", skip_serializing_if = "Option::is_none")]
    pub artifact_portfolio_id: Option<cynic::Id>,
    /// The portfolio's name.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub artifact_portfolio_name: Option<String>,
    /// The entity.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub entity_name: Option<String>,
    /// The project.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// The aliases.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<ArtifactAliasInput>>,
}

/// The version in the portfolio.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct LinkArtifactPayload {
    /// The index that it has there.
    pub version_index: Option<i32>,
    /// The version there.
    pub artifact_membership: Option<Membership>,
}

/// Variables of [`LinkArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct LinkArtifactVariables {
    /// What to do.
    pub input: LinkArtifactInput,
}

/// `LinkArtifact`: links a version into a portfolio, which is made when there is none.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "LinkArtifactVariables")]
pub struct LinkArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub link_artifact: Option<LinkArtifactPayload>,
}

/// The version to unlink, and from where.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UnlinkArtifactInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The portfolio's opaque id.
    #[cynic(rename = "artifactPortfolioID")]
    pub artifact_portfolio_id: cynic::Id,
}

/// Variables of [`UnlinkArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UnlinkArtifactVariables {
    /// What to do.
    pub input: UnlinkArtifactInput,
}

/// `UnlinkArtifact`: takes a version out of a portfolio.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UnlinkArtifactVariables")]
pub struct UnlinkArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub unlink_artifact: Option<SuccessPayload>,
}

/// The version and the run that uses it.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UseArtifactInput {
    /// The version's opaque id.
    #[cynic(rename = "artifactID")]
    pub artifact_id: cynic::Id,
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The run id.
    pub run_name: String,
    /// As what.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub used_as: Option<String>,
    /// The entity of the version.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub artifact_entity_name: Option<String>,
    /// The project of the version.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub artifact_project_name: Option<String>,
}

/// The version that is used.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UseArtifactPayload {
    /// The version.
    pub artifact: ArtifactReference,
}

/// Variables of [`UseArtifact`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UseArtifactVariables {
    /// What to do.
    pub input: UseArtifactInput,
}

/// `UseArtifact`: records that a run uses a version.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UseArtifactVariables")]
pub struct UseArtifact {
    /// What came of it.
    #[arguments(input: $input)]
    pub use_artifact: Option<UseArtifactPayload>,
}
