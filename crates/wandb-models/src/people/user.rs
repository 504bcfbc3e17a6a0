//! Users, and the keys of the one behind the API key.

use cynic::{MutationBuilder, QueryBuilder};
use futures_util::TryStreamExt;
use serde::Serialize;
use wandb_core::{Error, ErrorKind, Result, page::Page, retry::Repeat, secret::Secret, timestamp::Timestamp};
use wandb_schema::operations::people as wire;

use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
};

/// A user: plain data, with the official names when serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The opaque id.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user administers the server.
    pub admin: bool,
    /// The default entity.
    pub entity: Option<String>,
    /// When the account was deleted.
    pub deleted_at: Option<Timestamp>,
    /// The names of the teams, as far as they are visible.
    pub teams: Vec<String>,
    /// How many more teams the server tells of without showing them. It is not serialised: the official object has no such
    /// member.
    #[serde(skip)]
    pub hidden_teams: u64,
    /// The API keys by their labels: empty for anybody but oneself.
    pub api_keys: Vec<ApiKeyLabel>,
}

/// An API key as listings show it: never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApiKeyLabel {
    /// The opaque id.
    pub id: String,
    /// A shortened form of the key.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

/// An API key that was made just now: the only time that the secret is shown.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewApiKey {
    /// The opaque id.
    pub id: String,
    /// The key itself. `Debug` masks it.
    pub secret: Secret,
    /// What it is for.
    pub description: Option<String>,
}

impl User {
    fn from_wire(wire: wire::User) -> Result<Self> {
        let deleted_at = wire.deleted_at.map(|text| Timestamp::parse(&text.0)).transpose();
        let keys = wire.api_keys.map(|keys| keys.edges).unwrap_or_default();
        let keys = listing::nodes(keys.into_iter().map(|edge| edge.node))?;
        let teams = wire.teams.map(|teams| teams.edges).unwrap_or_default();
        let (teams, hidden_teams) = listing::shown(teams.into_iter().map(|edge| edge.node));
        Ok(Self {
            id: wire.id.into_inner(),
            name: wire.name,
            username: wire.username,
            email: wire.email,
            admin: wire.admin.unwrap_or(false),
            entity: wire.entity.filter(|name| !name.is_empty()),
            deleted_at: deleted_at.map_err(|error| {
                Error::protocol("the time when a user was deleted cannot be read").with_source(error)
            })?,
            teams: teams.into_iter().map(|team| team.name).collect(),
            hidden_teams,
            api_keys: keys
                .into_iter()
                .map(|key| ApiKeyLabel {
                    id: key.id.into_inner(),
                    name: key.name,
                    description: key.description,
                })
                .collect(),
        })
    }

    /// Whether a text is this user's login name or e-mail address.
    fn is_called(&self, text: &str) -> bool {
        let same = |own: &Option<String>| own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(text));
        same(&self.username) || same(&self.email)
    }
}

/// A search for users, 50 a page. Made by [`Api::users`]; nothing is sent until it is read.
pub type Users = Listing<UsersQuery>;

/// What [`Users`] asks.
#[derive(Debug, Clone)]
pub struct UsersQuery {
    api: Api,
    text: String,
}

impl ListingQuery for UsersQuery {
    type Item = User;

    async fn fetch(&self, ask: Ask) -> Result<Page<User>> {
        let description = format!("search for the user {:?}", self.text);
        let operation = wire::SearchUsers::build(wire::SearchUsersVariables {
            query: Some(self.text.clone()),
            first: ask.first(),
            after: ask.cursor,
        });
        let answer: wire::SearchUsers = self.api.execute(&operation, &description).await?;
        let page = || {
            let connection = answer.users.ok_or_else(|| {
                Error::protocol("the server gave no users where a page of users was asked for")
            })?;
            let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
            listing::page(nodes.into_iter().map(User::from_wire), connection.page_info)
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}

impl Api {
    /// The users whose e-mail address or login name fits a text. Nothing is sent until the listing is read.
    pub fn users(&self, query: impl Into<String>) -> Users {
        let query = UsersQuery {
            api: self.clone(),
            text: query.into(),
        };
        Users::new(query, 50)
    }

    /// One user, by login name or e-mail address. The one who is called exactly so counts; else the only one whom the
    /// server finds. (The official client takes the first one, whoever it is.)
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the server finds nobody, [`InvalidInput`](ErrorKind::InvalidInput) when it
    /// finds several and none is called exactly so.
    pub async fn user(&self, name_or_email: &str) -> Result<User> {
        let found: Vec<User> = self
            .users(name_or_email)
            .limit(100)
            .stream()
            .try_collect()
            .await?;
        let description = format!("find the user {name_or_email:?}");
        let count = found.len();
        let mut exact = None;
        let mut first = None;
        for user in found {
            if user.is_called(name_or_email) {
                exact.get_or_insert(user);
            } else {
                first.get_or_insert(user);
            }
        }
        match (exact, first) {
            (Some(user), _) => Ok(user),
            (None, Some(user)) if count == 1 => Ok(user),
            (None, None) => {
                Err(Error::not_found(format!("the user {name_or_email:?}")).in_operation(description))
            }
            (None, Some(_)) => Err(Error::invalid_input(format!("{count} users fit"))
                .with_hint("give the whole login name or e-mail address")
                .in_operation(description)),
        }
    }

    /// The user behind the key with everything that one sees of oneself, the labels of the API keys included. For who it
    /// is, [`viewer`](Self::viewer) is the smaller question.
    ///
    /// # Errors
    /// [`Authentication`](ErrorKind::Authentication) when the server knows no user for the key.
    pub async fn current_user(&self) -> Result<User> {
        let description = "read the user behind the key";
        let operation = wire::GetViewerUser::build(());
        let answer: wire::GetViewerUser = self.execute(&operation, description).await?;
        match answer.viewer {
            Some(user) => User::from_wire(user).map_err(|error| error.in_operation(description)),
            None => Err(
                Error::new(ErrorKind::Authentication, "the server knows no user for this key")
                    .in_operation(description),
            ),
        }
    }

    /// Makes another API key for the user behind the key. It is not repeated on failures that leave open whether the
    /// server acted: a key that nobody knows would be the result.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn generate_api_key(&self, description: Option<&str>) -> Result<NewApiKey> {
        let what = "make an API key";
        let operation = wire::GenerateApiKey::build(wire::GenerateApiKeyVariables {
            input: wire::GenerateApiKeyInput {
                description: description.map(str::to_owned),
            },
        });
        let answer: wire::GenerateApiKey = self.mutate(&operation, Repeat::OnlyIfRefused, what).await?;
        let key = answer
            .generate_api_key
            .and_then(|payload| payload.api_key)
            .ok_or_else(|| Error::protocol("the server names no key that it made").in_operation(what))?;
        Ok(NewApiKey {
            id: key.id.into_inner(),
            secret: Secret::new(key.name),
            description: key.description,
        })
    }

    /// Takes one of the user's API keys away, by its [id](ApiKeyLabel::id). The one in use is no exception.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the server did not find it.
    pub async fn delete_api_key(&self, id: &str) -> Result<()> {
        let description = format!("delete the API key with the id {id:?}");
        let operation = wire::DeleteApiKey::build(wire::DeleteApiKeyVariables {
            input: wire::DeleteApiKeyInput { id: id.to_owned() },
        });
        let answer: wire::DeleteApiKey = self.mutate(&operation, Repeat::Always, &description).await?;
        match answer.delete_api_key.and_then(|payload| payload.success) {
            Some(true) => Ok(()),
            _ => Err(Error::not_found("the key").in_operation(description)),
        }
    }
}
