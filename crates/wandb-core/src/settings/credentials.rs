//! The search for credentials, and what the user should know about it.

use super::error::{InvalidValue, SettingsError};
use super::layer::{Origin, Rank, SettingKey, Sourced};
use super::netrc::{Netrc, NetrcEntry, NetrcError};
use super::resolve::Layers;
use crate::base_url::BaseUrl;
use crate::secret::{ApiKey, Secret};

/// How the client proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// An API key.
    ApiKey(ApiKey),
    /// A file with a JWT, to be exchanged for an access token (protocol §1.3).
    IdentityTokenFile(String),
}

/// The netrc file as it was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NetrcText<'a> {
    /// The file, for messages.
    pub path: &'a str,
    /// Its content.
    pub text: &'a str,
}

impl std::fmt::Debug for NetrcText<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("NetrcText")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Something to tell the user that does not keep the client from working.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsWarning {
    /// The netrc file was needed and could not be read.
    #[error("ignored the netrc file {path}: {problem}")]
    UnreadableNetrc {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: NetrcError,
    },
    /// The netrc entry of the server has no password.
    #[error("the entry of {machine} in {path} has no API key")]
    EmptyNetrcEntry {
        /// The file.
        path: String,
        /// The entry's machine.
        machine: String,
    },
    /// An API key was passed over, because it is another server's.
    #[error("ignored the API key in {origin}: it belongs to {server}")]
    KeyOfAnotherServer {
        /// Where the key is.
        origin: Origin,
        /// The server it belongs to.
        server: BaseUrl,
    },
}

/// The search for credentials; [`Settings::resolve`](super::Settings::resolve) documents the order.
pub(super) struct CredentialSearch<'a> {
    pub(super) layers: &'a Layers,
    pub(super) base_url: &'a BaseUrl,
    pub(super) netrc: Option<(&'a str, Result<Netrc, NetrcError>)>,
    pub(super) warnings: Vec<SettingsWarning>,
}

type EntryFor = for<'a> fn(&'a Netrc, &BaseUrl) -> Option<&'a NetrcEntry>;

type Found = Result<Option<Sourced<Credentials>>, SettingsError>;

impl CredentialSearch<'_> {
    pub(super) fn find(&mut self) -> Found {
        if let Some(found) = self.in_layer(Rank::Explicit)? {
            return Ok(Some(found));
        }
        // A profile's own key is for its own server. With --base-url on top it stays behind, like a settings file's key.
        if let Some(found) = self.in_layer_of_this_server(Rank::Profile, Rank::Profile)? {
            return Ok(Some(found));
        }
        let environment_server = self.layers.base_url(Rank::Environment)?.value;
        if self.layers.has(Rank::Profile)
            && !environment_server.is_same_service(self.base_url)
            && let Some(found) = self.in_netrc(Netrc::specific_entry_for)?
        {
            return Ok(Some(found));
        }
        if let Some(found) = self.in_layer(Rank::Environment)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.in_netrc(Netrc::entry_for)? {
            return Ok(Some(found));
        }
        for rank in [Rank::ProjectSettings, Rank::UserSettings] {
            if let Some(found) = self.in_layer_of_this_server(rank, Rank::Environment)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The credentials of a layer, unless they are another server's than the one that layers up to `highest` name.
    fn in_layer_of_this_server(&mut self, rank: Rank, highest: Rank) -> Found {
        let mut layers = self.layers.of(rank);
        let keys = [SettingKey::ApiKey, SettingKey::IdentityTokenFile];
        let Some((_, origin)) = layers.find_map(|layer| keys.iter().find_map(|key| layer.values.get(key)))
        else {
            return Ok(None);
        };
        let server = self.layers.base_url(highest)?.value;
        if server.is_same_service(self.base_url) {
            return self.in_layer(rank);
        }
        self.warnings.push(SettingsWarning::KeyOfAnotherServer {
            origin: origin.clone(),
            server,
        });
        Ok(None)
    }

    fn in_layer(&self, rank: Rank) -> Found {
        for layer in self.layers.of(rank) {
            let token_file = layer.values.get(&SettingKey::IdentityTokenFile);
            match (layer.values.get(&SettingKey::ApiKey), token_file) {
                (Some((_, api_key)), Some((_, identity_token))) => {
                    return Err(SettingsError::ConflictingCredentials {
                        api_key: api_key.clone(),
                        identity_token: identity_token.clone(),
                    });
                }
                (Some((key, origin)), None) => return api_key(key, origin.clone()).map(Some),
                (None, Some((file, origin))) => {
                    let value = Credentials::IdentityTokenFile(file.expose().to_owned());
                    return Ok(Some(Sourced {
                        value,
                        origin: origin.clone(),
                    }));
                }
                (None, None) => {}
            }
        }
        Ok(None)
    }

    /// The key in the netrc file, or a warning: the official client goes on without an unreadable file, too.
    fn in_netrc(&mut self, entry_for: EntryFor) -> Found {
        let Some((path, netrc)) = &self.netrc else {
            return Ok(None);
        };
        let path = (*path).to_owned();
        let warning = match netrc {
            Err(problem) => SettingsWarning::UnreadableNetrc {
                path,
                problem: problem.clone(),
            },
            Ok(netrc) => match entry_for(netrc, self.base_url) {
                None => return Ok(None),
                Some(entry) if entry.password().is_empty() => SettingsWarning::EmptyNetrcEntry {
                    path,
                    machine: entry.machine().to_owned(),
                },
                Some(entry) => {
                    let origin = Origin::Netrc {
                        path,
                        machine: entry.machine().to_owned(),
                    };
                    return api_key(entry.password(), origin).map(Some);
                }
            },
        };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
        Ok(None)
    }
}

fn api_key(key: &Secret, origin: Origin) -> Result<Sourced<Credentials>, SettingsError> {
    match ApiKey::parse(key.clone()) {
        Ok(key) => Ok(Sourced {
            value: Credentials::ApiKey(key),
            origin,
        }),
        Err(problem) => Err(SettingsError::Invalid {
            key: SettingKey::ApiKey,
            origin,
            problem: InvalidValue::ApiKey(problem),
        }),
    }
}
