//! What can be wrong with settings, said with the setting and the place it came from. No error holds a secret.

use super::ini::IniError;
use super::layer::{Origin, SettingKey};
use crate::base_url::BaseUrlError;
use crate::path::NameError;
use crate::secret::ApiKeyError;

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A value that its setting cannot have.
    #[error("invalid {} in {origin}", key.name())]
    Invalid {
        /// The setting.
        key: SettingKey,
        /// Where the value came from.
        origin: Origin,
        /// What is wrong with it.
        #[source]
        problem: InvalidValue,
    },
    /// An API key and an identity token file in one place (official: `AuthenticationError`).
    #[error("both an API key ({api_key}) and an identity token file ({identity_token}) are set")]
    ConflictingCredentials {
        /// Where the API key came from.
        api_key: Origin,
        /// Where the identity token file came from.
        identity_token: Origin,
    },
    /// A file that is no settings file.
    #[error("cannot read the settings file {path}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        problem: IniError,
    },
    /// No profile of that name.
    #[error("there is no profile {name:?} in {path}")]
    UnknownProfile {
        /// The name that was asked for.
        name: String,
        /// The file.
        path: String,
        /// The names that are there.
        known: Vec<String>,
    },
}

/// A value that its setting cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidValue {
    /// Not a server's address.
    #[error(transparent)]
    Url(#[from] BaseUrlError),
    /// Not an API key.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
    /// Not an entity's or project's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Not a number of seconds above zero.
    #[error("it is not a number of seconds above zero")]
    Seconds,
    /// Not a size in bytes.
    #[error("it is not a size such as 500MB, 10GB or 2GiB")]
    Size,
    /// Not one of the words for true and false.
    #[error("it is neither true nor false")]
    Boolean,
    /// Not a JSON object of strings.
    #[error("it is not a JSON object of strings")]
    JsonObject,
    /// A header that cannot be sent, or that the client sets itself.
    #[error("the header {0:?} cannot be set")]
    Header(String),
}

impl SettingsError {
    pub(super) fn file(path: &str, problem: IniError) -> Self {
        Self::File {
            path: path.to_owned(),
            problem,
        }
    }

    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Invalid {
                problem: InvalidValue::Url(error),
                ..
            } => error.hints(),
            Self::Invalid {
                problem: InvalidValue::ApiKey(error),
                ..
            } => error.hints(),
            Self::Invalid {
                problem: InvalidValue::Name(error),
                ..
            } => error.hints(),
            Self::Invalid {
                problem: InvalidValue::Seconds,
                ..
            } => vec!["write seconds, for example 30 or 2.5".to_owned()],
            Self::Invalid { .. } => Vec::new(),
            Self::ConflictingCredentials { .. } => vec!["unset one of the two".to_owned()],
            Self::File { problem, .. } => problem.hints(),
            Self::UnknownProfile { known, .. } if known.is_empty() => {
                vec!["the file has no profiles; add a section [NAME] with base_url and entity".to_owned()]
            }
            Self::UnknownProfile { known, .. } => vec![format!("known profiles: {}", known.join(", "))],
        }
    }
}
