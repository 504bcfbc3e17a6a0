//! Users and teams of a data directory, also while a server runs on it.

use std::path::{Path, PathBuf};

use crate::app::key_digest;
use crate::server::{DATABASE, StartError, is_key, lock};
use crate::store::people::{self, AccountKind};
use crate::store::{self, StoreError, StoreResult};

/// Why people could not be looked after.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeopleError {
    /// There is no data directory.
    #[error("{} is no data directory of an embedded server", path.display())]
    NoDirectory {
        /// What was looked at.
        path: PathBuf,
    },
    /// A name or a key that cannot be one; the text says what is allowed.
    #[error("{0}")]
    Invalid(String),
    /// A user who does not exist.
    #[error("{0}")]
    NotFound(String),
    /// A name or a key that somebody has.
    #[error("{0}")]
    Taken(String),
    /// The database cannot be used.
    #[error("cannot use {}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No random key could be made.
    #[error("cannot make an API key")]
    Random(#[source] std::io::Error),
}

/// A user of an embedded server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalUser {
    /// The login name.
    pub username: String,
    /// The entity that runs go to which name none; the user's own, of the same name.
    pub entity: String,
    /// May see and change everything: the server's own user.
    pub admin: bool,
    /// A machine account of a team.
    pub service: bool,
    /// The teams that the user is a member of.
    pub teams: Vec<String>,
}

/// A user who was just added, with the key, which is shown this one time.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewLocalUser {
    /// The user.
    pub user: LocalUser,
    /// The API key. A secret: only its digest is kept.
    pub api_key: String,
}

impl std::fmt::Debug for NewLocalUser {
    /// Everything but the key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("NewLocalUser")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A team of an embedded server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalTeam {
    /// The name, which is the name of its entity.
    pub name: String,
    /// The login names of the members.
    pub members: Vec<String>,
}

/// Users, teams and API keys of a data directory.
///
/// Every method is one transaction on the database, and works beside a server that has the directory open: the next
/// request finds what was changed. The methods block for a few milliseconds.
///
/// # Examples
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = wandb_local::LocalServer::builder().start().await?;
/// let people = server.people();
/// let ada = people.add_user("ada", None)?;
/// people.add_team("research", ["ada"])?;
/// assert_eq!(people.users()?.len(), 2); // the server's own user and ada
/// println!("WANDB_API_KEY={}", ada.api_key);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct People {
    database: PathBuf,
}

impl People {
    /// The people of a data directory, whether a server runs on it or not.
    ///
    /// # Errors
    /// There is no data directory, or it belongs to another version of this program.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, PeopleError> {
        let dir = dir.as_ref();
        let database = dir.join(DATABASE);
        if !database.is_file() {
            return Err(PeopleError::NoDirectory { path: dir.to_owned() });
        }
        let people = Self::of(&database);
        // A directory that nobody has open may be of an older version: then it is brought up to date, as a server would.
        let prepared = match lock(dir) {
            Ok(_held) => store::update(&database),
            Err(StartError::InUse { .. }) => store::require_current(&database),
            Err(error) => {
                return Err(PeopleError::Database {
                    path: database,
                    source: Box::new(error),
                });
            }
        };
        prepared.map_err(|error| people.failed(error))?;
        Ok(people)
    }

    pub(crate) fn of(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
        }
    }

    /// Adds a user with an entity of the same name. Without a key a random one is made.
    ///
    /// # Errors
    /// The name is taken or cannot be one, or clients would not send the key.
    pub fn add_user(&self, name: &str, api_key: Option<&str>) -> Result<NewLocalUser, PeopleError> {
        let api_key = match api_key {
            Some(key) if !is_key(key) => {
                return Err(PeopleError::Invalid(
                    "an API key has 40 or more letters, digits, \"_\" or \"-\"".to_owned(),
                ));
            }
            Some(key) => key.to_owned(),
            None => crate::graphql::fresh_key().map_err(PeopleError::Random)?,
        };
        let sha256 = key_digest(&api_key);
        let row = self.write(|db| people::add_user(db, name, &sha256))?;
        Ok(NewLocalUser {
            user: LocalUser::of(row, Vec::new()),
            api_key,
        })
    }

    /// All users, in the order of their names.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn users(&self) -> Result<Vec<LocalUser>, PeopleError> {
        self.write(|db| {
            let mut users = Vec::new();
            for row in people::users(db)? {
                let teams = people::teams(db, Some(row.id))?
                    .into_iter()
                    .map(|(_, name)| name)
                    .collect();
                users.push(LocalUser::of(row, teams));
            }
            Ok(users)
        })
    }

    /// Adds a team, or members to a team that is there. The first member ever added looks after it.
    ///
    /// # Errors
    /// The name is a user's or cannot be one, or a member is no user. Nothing is changed then.
    pub fn add_team<'a>(
        &self,
        name: &str,
        members: impl IntoIterator<Item = &'a str>,
    ) -> Result<LocalTeam, PeopleError> {
        let members: Vec<&str> = members.into_iter().collect();
        self.write(|db| {
            people::add_team(db, name)?;
            let (id, _) = people::teams(db, None)?
                .into_iter()
                .find(|(_, team)| team == name)
                .ok_or_else(|| StoreError::Gone(format!("team {name:?} not found")))?;
            for member in members {
                let user = people::by_name(db, member)?
                    .ok_or_else(|| StoreError::Gone(format!("there is no user {member:?}")))?;
                let present = people::members(db, id)?;
                if !present.iter().any(|other| other.user.id == user.id) {
                    people::set_member(db, id, user.id, present.is_empty())?;
                }
            }
            team(db, id, name.to_owned())
        })
    }

    /// All teams, in the order of their names.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn teams(&self) -> Result<Vec<LocalTeam>, PeopleError> {
        self.write(|db| {
            people::teams(db, None)?
                .into_iter()
                .map(|(id, name)| team(db, id, name))
                .collect()
        })
    }

    fn write<T>(&self, job: impl FnOnce(&rusqlite::Connection) -> StoreResult<T>) -> Result<T, PeopleError> {
        store::write_once(&self.database, job).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: StoreError) -> PeopleError {
        match error {
            StoreError::Gone(text) => PeopleError::NotFound(text),
            StoreError::Conflict(text) => PeopleError::Taken(text),
            refusal if refusal.is_refusal() => PeopleError::Invalid(refusal.to_string()),
            error => PeopleError::Database {
                path: self.database.clone(),
                source: Box::new(error),
            },
        }
    }
}

fn team(db: &rusqlite::Connection, id: i64, name: String) -> StoreResult<LocalTeam> {
    let members = people::members(db, id)?;
    Ok(LocalTeam {
        name,
        members: members.into_iter().map(|member| member.user.username).collect(),
    })
}

impl LocalUser {
    fn of(row: people::UserRow, teams: Vec<String>) -> Self {
        Self {
            username: row.username,
            entity: row.entity,
            admin: row.admin,
            service: row.kind == AccountKind::Service,
            teams,
        }
    }
}
