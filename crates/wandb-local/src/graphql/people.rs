//! Mutations of teams, members and API keys (protocol §2.5).

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::caller;
use super::identity::{ApiKey, Entity, User};
use super::scalars::DateTime;
use crate::app::key_digest;
use crate::store::identity::{EntityRow, Identity};
use crate::store::ids::Kind;
use crate::store::people::{self, UserRow};
use crate::store::{StoreError, StoreResult, identity, names, time};

/// Label of keys that users make for themselves.
const GENERATED: &str = "generated";

/// Mutations of teams, members and API keys.
#[derive(Debug, Default)]
pub(crate) struct PeopleMutation;

/// Mutations of teams, members and API keys.
#[Object]
impl PeopleMutation {
    /// Makes a team that the caller, or the user named, looks after.
    async fn create_team(
        &self,
        ctx: &Context<'_>,
        input: CreateTeamInput,
    ) -> async_graphql::Result<Option<CreateTeamPayload>> {
        let entity = caller(ctx)
            .write(move |db, identity| {
                let name = &input.team_name;
                let id = people::add_team(db, name)?
                    .ok_or_else(|| StoreError::Conflict(format!("there is a team {name:?} already")))?;
                let admin = match input.team_admin_user_name.as_deref() {
                    None | Some("") => identity.user,
                    Some(other) => known_user(db, identity, other)?.id,
                };
                people::set_member(db, id, admin, true)?;
                Ok(EntityRow {
                    id,
                    name: name.clone(),
                    is_team: true,
                })
            })
            .await?;
        Ok(Some(CreateTeamPayload {
            entity: Some(Entity(entity)),
        }))
    }

    /// Adds a user to a team. There is no mail here, so the user must exist, and is a member at once.
    async fn create_invite(
        &self,
        ctx: &Context<'_>,
        input: CreateInviteInput,
    ) -> async_graphql::Result<Option<CreateInvitePayload>> {
        let (team, user) = caller(ctx)
            .write(move |db, identity| {
                let team = team_to_change(db, identity, &input.entity_name)?;
                let who = input
                    .username
                    .as_deref()
                    .or(input.email.as_deref())
                    .ok_or_else(|| StoreError::Refused("whom to invite: username or email".to_owned()))?;
                let user = any_user(db, who)?;
                people::set_member(db, team.id, user.id, input.admin.unwrap_or(false))?;
                Ok((team, user))
            })
            .await?;
        Ok(Some(CreateInvitePayload {
            invite: Some(Invite {
                id: invite_id(team.id, user.id),
                name: user.name.clone(),
                email: Some(user.email.clone()),
                created_at: Some(DateTime(time::now())),
                to_user: Some(User(user)),
            }),
        }))
    }

    /// Takes a member out of a team, by the id of the member or of the invite.
    async fn delete_invite(
        &self,
        ctx: &Context<'_>,
        input: DeleteInviteInput,
    ) -> async_graphql::Result<Option<SuccessOfInvite>> {
        let success = caller(ctx)
            .write(move |db, identity| {
                let team = team_to_change(db, identity, input.entity_name.as_deref().unwrap_or_default())?;
                let id = input.id.as_deref().unwrap_or_default();
                let user = Kind::User
                    .decode(id)
                    .or_else(|| invited_user(id, team.id))
                    .ok_or_else(|| StoreError::Refused(format!("no member has the id {id:?}")))?;
                people::remove_member(db, team.id, user)
            })
            .await?;
        Ok(Some(SuccessOfInvite {
            success: Some(success),
        }))
    }

    /// Makes a machine account for a team. Its key is shown among the members, to the team's admins.
    async fn create_service_account(
        &self,
        ctx: &Context<'_>,
        input: CreateServiceAccountInput,
    ) -> async_graphql::Result<Option<CreateServiceAccountPayload>> {
        let caller = caller(ctx);
        let suffix = names::run_id()?;
        let secret = fresh_key()?;
        let sha256 = key_digest(&secret);
        let user = caller
            .write(move |db, identity| {
                let team = team_to_change(db, identity, &input.entity_name)?;
                people::add_service_account(db, team.id, &input.description, &suffix, &secret, &sha256)
            })
            .await?;
        Ok(Some(CreateServiceAccountPayload {
            user: Some(User(user)),
        }))
    }

    /// Makes another key for the caller. This answer is the only place where it is shown.
    async fn generate_api_key(
        &self,
        ctx: &Context<'_>,
        input: GenerateApiKeyInput,
    ) -> async_graphql::Result<Option<GenerateApiKeyPayload>> {
        let caller = caller(ctx);
        let user = caller.identity.user;
        let secret = fresh_key()?;
        let sha256 = key_digest(&secret);
        let description = input.description.clone();
        let id = caller
            .app
            .store
            .write(move |db| people::add_key(db, user, GENERATED, description.as_deref(), &sha256))
            .await?;
        Ok(Some(GenerateApiKeyPayload {
            api_key: Some(ApiKey::fresh(id, secret, input.description)),
        }))
    }

    /// Takes one of the caller's keys away.
    async fn delete_api_key(
        &self,
        ctx: &Context<'_>,
        input: DeleteApiKeyInput,
    ) -> async_graphql::Result<Option<DeleteApiKeyPayload>> {
        let caller = caller(ctx);
        let user = caller.identity.user;
        let success = caller
            .app
            .store
            .write(move |db| match Kind::ApiKey.decode(&input.id) {
                Some(key) => people::delete_key(db, user, key),
                None => Ok(false),
            })
            .await?;
        Ok(Some(DeleteApiKeyPayload {
            success: Some(success),
        }))
    }
}

/// A new secret of the form that clients accept (protocol §1.3).
pub(crate) fn fresh_key() -> std::io::Result<String> {
    let mut bytes = [0_u8; 20];
    names::random(&mut bytes)?;
    Ok(names::hex(&bytes))
}

/// A team that the caller looks after.
fn team_to_change(db: &rusqlite::Connection, caller: &Identity, name: &str) -> StoreResult<EntityRow> {
    let team = identity::entity(db, caller, Some(name))?
        .filter(|entity| entity.is_team && !name.is_empty())
        .ok_or_else(|| StoreError::Refused(format!("team {name:?} not found")))?;
    if caller.admin || people::is_team_admin(db, team.id, caller.user)? {
        return Ok(team);
    }
    Err(StoreError::Denied(format!(
        "team {name:?} is looked after by its admins"
    )))
}

/// A user whom the caller knows.
fn known_user(db: &rusqlite::Connection, caller: &Identity, who: &str) -> StoreResult<UserRow> {
    let (found, _) = people::search(db, caller, Some(who), 1, 0)?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| StoreError::Refused(format!("user {who:?} not found")))
}

/// Any user of the server, by exact login name or address: whoever invites somebody knows that already.
fn any_user(db: &rusqlite::Connection, who: &str) -> StoreResult<UserRow> {
    people::users(db)?
        .into_iter()
        .find(|user| user.username == who || user.email == who)
        .ok_or_else(|| {
            StoreError::Refused(format!(
                "user {who:?} not found: add the user to the server first"
            ))
        })
}

/// An invite is a membership: its id names both sides.
fn invite_id(team: i64, user: i64) -> ID {
    Kind::Invite.encode((team << 31) | user).into()
}

fn invited_user(id: &str, team: i64) -> Option<i64> {
    let number = Kind::Invite.decode(id)?;
    (number >> 31 == team).then_some(number & 0x7fff_ffff)
}

/// Input of `createTeam`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateTeamInput {
    team_name: String,
    team_admin_user_name: Option<String>,
    #[graphql(name = "organizationId")]
    _organization_id: Option<ID>,
    #[graphql(name = "clientMutationId")]
    _client_mutation_id: Option<String>,
}

/// Result of `createTeam`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateTeamPayload {
    entity: Option<Entity>,
}

/// Input of `createInvite`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateInviteInput {
    entity_name: String,
    email: Option<String>,
    username: Option<String>,
    admin: Option<bool>,
}

/// Result of `createInvite`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateInvitePayload {
    invite: Option<Invite>,
}

/// An invitation, which is accepted as soon as it is made.
#[derive(Debug, SimpleObject)]
pub(crate) struct Invite {
    id: ID,
    name: String,
    email: Option<String>,
    created_at: Option<DateTime>,
    to_user: Option<User>,
}

/// Input of `deleteInvite`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteInviteInput {
    id: Option<String>,
    entity_name: Option<String>,
}

/// Result of `deleteInvite`.
#[derive(Debug, SimpleObject)]
#[graphql(name = "DeleteInvitePayload")]
pub(crate) struct SuccessOfInvite {
    success: Option<bool>,
}

/// Input of `createServiceAccount`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateServiceAccountInput {
    entity_name: String,
    description: String,
}

/// Result of `createServiceAccount`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateServiceAccountPayload {
    user: Option<User>,
}

/// Input of `generateApiKey`.
#[derive(Debug, InputObject)]
pub(crate) struct GenerateApiKeyInput {
    description: Option<String>,
}

/// Result of `generateApiKey`.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerateApiKeyPayload {
    api_key: Option<ApiKey>,
}

/// Input of `deleteApiKey`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteApiKeyInput {
    id: String,
}

/// Result of `deleteApiKey`.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteApiKeyPayload {
    success: Option<bool>,
}
