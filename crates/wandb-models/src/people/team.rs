//! Teams and their members.

use std::{fmt, ops::Deref, sync::Arc};

use cynic::{MutationBuilder, QueryBuilder};
use serde::Serialize;
use wandb_core::{Error, ErrorKind, Result, retry::Repeat, secret::Secret};
use wandb_schema::operations::people as wire;

use crate::Api;

/// One team: its data (through [`Deref`]), and changes of its members.
#[derive(Clone)]
pub struct Team {
    api: Api,
    data: Arc<TeamData>,
}

/// The data of one team, with the official names when serialised.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TeamData {
    /// The opaque id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether the key may only read.
    pub read_only: bool,
    /// Whether all its projects are private.
    pub private_only: bool,
    /// How much it stores, in bytes.
    pub storage_bytes: i64,
    /// Who sees a new project.
    pub default_access: String,
    /// The members; empty for who is none. The server does not page them.
    pub members: Vec<TeamMember>,
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TeamMember {
    /// The opaque id, by which the member is removed.
    pub id: Option<String>,
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the member administers the team.
    pub admin: bool,
    /// The role.
    pub role: Option<String>,
    /// Whether the invitation is still open.
    pub pending: bool,
    /// `MEMBER`, `SERVICE`, or a word that is newer than this client.
    pub account_type: Option<String>,
    /// The key of a service account, for who may see it. It is never serialised.
    #[serde(skip)]
    pub api_key: Option<Secret>,
}

impl TeamMember {
    /// Whether it is an account for programs.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        self.account_type.as_deref() == Some("SERVICE")
    }

    fn from_wire(wire: wire::Member) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            username: wire.username,
            email: wire.email,
            admin: wire.admin.unwrap_or(false),
            role: wire.role,
            pending: wire.pending.unwrap_or(false),
            account_type: wire.account_type,
            api_key: wire.api_key.filter(|key| !key.is_empty()).map(Secret::new),
        }
    }
}

impl Deref for Team {
    type Target = TeamData;

    fn deref(&self) -> &TeamData {
        &self.data
    }
}

impl fmt::Debug for Team {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Team")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Team {
    /// The team's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &TeamData {
        &self.data
    }

    /// Reads the team again.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when it is gone.
    pub async fn reload(&self) -> Result<Self> {
        self.api.team(&self.name).await
    }

    /// Invites somebody, by login name or e-mail address (what has an `@` is one; official rule).
    ///
    /// It is not repeated on failures that leave open whether the server acted: nobody gets two mails.
    ///
    /// # Errors
    /// [`NotVisible`](ErrorKind::NotVisible) when the key may not, or as the server refuses it.
    pub async fn invite(&self, username_or_email: &str, admin: bool) -> Result<()> {
        let description = format!("invite {username_or_email:?} to team {:?}", self.name);
        let who = username_or_email.to_owned();
        let (email, username) = if who.contains('@') {
            (Some(who), None)
        } else {
            (None, Some(who))
        };
        let operation = wire::CreateInvite::build(wire::CreateInviteVariables {
            input: wire::CreateInviteInput {
                entity_name: self.name.clone(),
                email,
                username,
                admin: Some(admin),
            },
        });
        let answer: wire::CreateInvite = self
            .api
            .mutate(&operation, Repeat::OnlyIfRefused, &description)
            .await?;
        match answer.create_invite.and_then(|payload| payload.invite) {
            Some(_) => Ok(()),
            None => Err(Error::protocol("the server names no invitation").in_operation(description)),
        }
    }

    /// Removes a member, or takes an open invitation back.
    ///
    /// It is not repeated on failures that leave open whether the server acted: the second answer would be that there is no
    /// such member. Read the team again to know.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the server has no such member, [`NotVisible`](ErrorKind::NotVisible) when
    /// the key may not, [`InvalidInput`](ErrorKind::InvalidInput) for a member that the server gave no id.
    pub async fn remove_member(&self, member: &TeamMember) -> Result<()> {
        let description = format!("remove {:?} from team {:?}", member.name, self.name);
        if member.id.as_deref().is_none_or(str::is_empty) {
            return Err(Error::invalid_input(format!(
                "the server gives no id for the member {:?}",
                member.name
            ))
            .in_operation(description));
        }
        let operation = wire::DeleteInvite::build(wire::DeleteInviteVariables {
            input: wire::DeleteInviteInput {
                id: member.id.clone(),
                entity_name: Some(self.name.clone()),
            },
        });
        let answer: wire::DeleteInvite = self
            .api
            .mutate(&operation, Repeat::OnlyIfRefused, &description)
            .await?;
        match answer.delete_invite.and_then(|payload| payload.success) {
            Some(true) => Ok(()),
            _ => Err(Error::not_found(format!("the member {:?}", member.name)).in_operation(description)),
        }
    }

    /// Makes an account for programs, and gives it with its key. It is found among the members by its id; the official
    /// client takes the last member, whoever it is.
    ///
    /// It is not repeated on failures that leave open whether the server acted.
    ///
    /// # Errors
    /// [`NotVisible`](ErrorKind::NotVisible) when the key may not.
    pub async fn create_service_account(&self, description: &str) -> Result<TeamMember> {
        let what = format!("make a service account of team {:?}", self.name);
        let operation = wire::CreateServiceAccount::build(wire::CreateServiceAccountVariables {
            input: wire::CreateServiceAccountInput {
                entity_name: self.name.clone(),
                description: description.to_owned(),
            },
        });
        let answer: wire::CreateServiceAccount =
            self.api.mutate(&operation, Repeat::OnlyIfRefused, &what).await?;
        let id = answer
            .create_service_account
            .and_then(|payload| payload.user)
            .ok_or_else(|| {
                Error::protocol("the server names no account that it made").in_operation(what.clone())
            })?
            .id;
        let team = self.reload().await?;
        let member = team
            .members
            .iter()
            .find(|member| member.id.as_deref() == Some(id.inner()));
        member.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::Incomplete,
                "the account was made, and the server does not show it among the members",
            )
            .in_operation(what)
        })
    }
}

impl Api {
    /// A team with its members.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none, or the name is a user's.
    pub async fn team(&self, name: &str) -> Result<Team> {
        let description = format!("read team {name:?}");
        let operation = wire::GetTeamEntity::build(wire::GetTeamEntityVariables {
            name: name.to_owned(),
        });
        let answer: wire::GetTeamEntity = self.execute(&operation, &description).await?;
        let entity = answer
            .entity
            .ok_or_else(|| Error::not_found(format!("team {name:?}")).in_operation(description.clone()))?;
        if !entity.is_team {
            return Err(Error::not_found(format!("team {name:?}"))
                .with_hint("the name is a user's, who has no members")
                .in_operation(description));
        }
        Ok(Team {
            api: self.clone(),
            data: Arc::new(TeamData {
                id: entity.id.into_inner(),
                name: entity.name,
                read_only: entity.read_only.unwrap_or(false),
                private_only: entity.private_only,
                storage_bytes: entity.storage_bytes.0,
                default_access: entity.default_access,
                members: entity.members.into_iter().map(TeamMember::from_wire).collect(),
            }),
        })
    }

    /// Makes a team, administered by a user or else by the one behind the key. The official client swallows a refusal and
    /// reads whatever team has the name.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn create_team(&self, name: &str, admin: Option<&str>) -> Result<Team> {
        let description = format!("make team {name:?}");
        let operation = wire::CreateTeam::build(wire::CreateTeamVariables {
            input: wire::CreateTeamInput {
                team_name: name.to_owned(),
                team_admin_user_name: admin.map(str::to_owned),
            },
        });
        let answer: wire::CreateTeam = self
            .mutate(&operation, Repeat::OnlyIfRefused, &description)
            .await?;
        let team = answer
            .create_team
            .and_then(|payload| payload.entity)
            .ok_or_else(|| {
                Error::protocol("the server names no team that it made").in_operation(description)
            })?;
        self.team(&team.name).await
    }
}
