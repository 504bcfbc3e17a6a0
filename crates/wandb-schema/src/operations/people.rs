//! Users and teams (protocol §2.5).

use super::shared::PageInfo;
use crate::{scalars::DateTime, schema};

/// Variables of [`SearchUsers`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct SearchUsersVariables {
    /// An e-mail address or a login name.
    pub query: Option<String>,
    /// How many at most.
    pub first: i32,
    /// Where to go on.
    pub after: Option<String>,
}

/// `SearchUsers`: the users whose e-mail address or login name fits.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "SearchUsersVariables")]
pub struct SearchUsers {
    /// A page of them.
    #[arguments(query: $query, first: $first, after: $after)]
    pub users: Option<UserConnection>,
}

/// A page of users.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UserConnection {
    /// One edge per user.
    pub edges: Vec<UserEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a user.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UserEdge {
    /// The user.
    pub node: Option<User>,
}

/// A user.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct User {
    /// The opaque id.
    pub id: cynic::Id,
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user administers the server.
    pub admin: Option<bool>,
    /// The default entity.
    pub entity: Option<String>,
    /// When the account was deleted.
    pub deleted_at: Option<DateTime>,
    /// The keys, for who may see them.
    pub api_keys: Option<ApiKeyConnection>,
    /// The teams.
    pub teams: Option<super::viewer::Teams>,
}

/// API keys.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ApiKeyConnection {
    /// One edge per key.
    pub edges: Vec<ApiKeyEdge>,
}

/// An edge to a key.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct ApiKeyEdge {
    /// The key.
    pub node: Option<ApiKey>,
}

/// An API key: a label in listings, the secret itself in the answer of [`GenerateApiKey`].
#[derive(cynic::QueryFragment, Clone)]
pub struct ApiKey {
    /// The opaque id.
    pub id: cynic::Id,
    /// A label, or the secret.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ApiKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// `GetViewerUser`: the user behind the key, with the labels of the keys.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query")]
pub struct GetViewerUser {
    /// The user.
    pub viewer: Option<User>,
}

/// Variables of [`GetTeamEntity`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct GetTeamEntityVariables {
    /// The team.
    pub name: String,
}

/// `GetTeamEntity`: a team with its members.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "GetTeamEntityVariables")]
pub struct GetTeamEntity {
    /// The team, `null` when there is none.
    #[arguments(name: $name)]
    pub entity: Option<TeamEntity>,
}

/// A team.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Entity")]
pub struct TeamEntity {
    /// The opaque id.
    pub id: cynic::Id,
    /// The name.
    pub name: String,
    /// Whether it is a team and not a user.
    pub is_team: bool,
    /// Whether the key may only read.
    pub read_only: Option<bool>,
    /// Whether all projects are private.
    pub private_only: bool,
    /// How much it stores, in bytes.
    pub storage_bytes: crate::scalars::Int64,
    /// Who sees a new project.
    pub default_access: String,
    /// The members.
    pub members: Vec<Member>,
}

/// A member of a team.
#[derive(cynic::QueryFragment, Clone)]
pub struct Member {
    /// The opaque id.
    pub id: Option<String>,
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the member administers the team.
    pub admin: Option<bool>,
    /// The role.
    pub role: Option<String>,
    /// Whether the invitation is still open.
    pub pending: Option<bool>,
    /// `MEMBER` or `SERVICE`.
    pub account_type: Option<String>,
    /// The key of a service account.
    pub api_key: Option<String>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Member")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The team that [`CreateTeam`] makes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateTeamInput {
    /// The name.
    pub team_name: String,
    /// Who administers it.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub team_admin_user_name: Option<String>,
}

/// Variables of [`CreateTeam`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateTeamVariables {
    /// The team.
    pub input: CreateTeamInput,
}

/// `CreateTeam`: makes a team.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateTeamVariables")]
pub struct CreateTeam {
    /// The team.
    #[arguments(input: $input)]
    pub create_team: Option<CreateTeamPayload>,
}

/// The team.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateTeamPayload {
    /// The team.
    pub entity: Option<super::viewer::Team>,
}

/// Whom [`CreateInvite`] invites.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateInviteInput {
    /// The team.
    pub entity_name: String,
    /// By e-mail address.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// By login name.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether to administer the team.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
}

/// Variables of [`CreateInvite`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateInviteVariables {
    /// Whom.
    pub input: CreateInviteInput,
}

/// `CreateInvite`: invites somebody to a team.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateInviteVariables")]
pub struct CreateInvite {
    /// The invitation.
    #[arguments(input: $input)]
    pub create_invite: Option<CreateInvitePayload>,
}

/// The invitation.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateInvitePayload {
    /// The invitation.
    pub invite: Option<Invite>,
}

/// An invitation.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct Invite {
    /// The opaque id.
    pub id: cynic::Id,
}

/// What [`DeleteInvite`] takes back.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteInviteInput {
    /// The member's id.
    pub id: Option<String>,
    /// The team.
    pub entity_name: Option<String>,
}

/// Variables of [`DeleteInvite`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteInviteVariables {
    /// What.
    pub input: DeleteInviteInput,
}

/// `DeleteInvite`: removes a member, or takes an invitation back.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteInviteVariables")]
pub struct DeleteInvite {
    /// Whether it is gone.
    #[arguments(input: $input)]
    pub delete_invite: Option<DeleteInvitePayload>,
}

/// Whether it is gone.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteInvitePayload {
    /// Whether it is gone.
    pub success: Option<bool>,
}

/// The account that [`CreateServiceAccount`] makes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateServiceAccountInput {
    /// The team.
    pub entity_name: String,
    /// What it is for.
    pub description: String,
}

/// Variables of [`CreateServiceAccount`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateServiceAccountVariables {
    /// The account.
    pub input: CreateServiceAccountInput,
}

/// `CreateServiceAccount`: makes an account for programs.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateServiceAccountVariables")]
pub struct CreateServiceAccount {
    /// The account.
    #[arguments(input: $input)]
    pub create_service_account: Option<CreateServiceAccountPayload>,
}

/// The account.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateServiceAccountPayload {
    /// The account.
    pub user: Option<CreatedUser>,
}

/// A user that was made.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "User")]
pub struct CreatedUser {
    /// The opaque id.
    pub id: cynic::Id,
}

/// The key that [`GenerateApiKey`] makes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct GenerateApiKeyInput {
    /// What it is for.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Variables of [`GenerateApiKey`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct GenerateApiKeyVariables {
    /// The key.
    pub input: GenerateApiKeyInput,
}

/// `GenerateApiKey`: makes an API key of the user.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "GenerateApiKeyVariables")]
pub struct GenerateApiKey {
    /// The key.
    #[arguments(input: $input)]
    pub generate_api_key: Option<GenerateApiKeyPayload>,
}

/// The key.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct GenerateApiKeyPayload {
    /// The key.
    pub api_key: Option<ApiKey>,
}

/// The key that [`DeleteApiKey`] deletes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteApiKeyInput {
    /// The opaque id.
    pub id: String,
}

/// Variables of [`DeleteApiKey`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteApiKeyVariables {
    /// The key.
    pub input: DeleteApiKeyInput,
}

/// `DeleteApiKey`: deletes an API key of the user.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteApiKeyVariables")]
pub struct DeleteApiKey {
    /// Whether it is gone.
    #[arguments(input: $input)]
    pub delete_api_key: Option<DeleteApiKeyPayload>,
}

/// Whether it is gone.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteApiKeyPayload {
    /// Whether it is gone.
    pub success: Option<bool>,
}
