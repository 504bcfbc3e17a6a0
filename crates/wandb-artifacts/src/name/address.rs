//! Addresses of artifacts: `wandb-artifact://` and `wandb-client-artifact://` (inventory §2.3).

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{AddressError, ArtifactName};

const SCHEME: &str = "wandb-artifact://";
const CLIENT_SCHEME: &str = "wandb-client-artifact://";

/// The address of an entry of a logged version: `wandb-artifact://<hex of the id>/<path>`. References between artifacts
/// are written so in manifests.
///
/// The path stands as it is, not encoded, and goes to the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArtifactReference {
    artifact_id: String,
    path: String,
}

impl ArtifactReference {
    /// The address of an entry. The id is the server's: the Base64 of some bytes.
    ///
    /// # Errors
    /// When the id is not Base64, or there is no path.
    pub fn new(artifact_id: &str, path: impl Into<String>) -> Result<Self, AddressError> {
        let path = path.into();
        if STANDARD.decode(artifact_id).map_or(0, |bytes| bytes.len()) == 0 {
            return Err(AddressError::new(artifact_id, "the id of an artifact is Base64"));
        }
        if path.is_empty() {
            return Err(AddressError::new(&path, "there is no path"));
        }
        Ok(Self {
            artifact_id: artifact_id.to_owned(),
            path,
        })
    }

    /// The version's id.
    #[must_use]
    pub fn artifact_id(&self) -> &str {
        &self.artifact_id
    }

    /// The path of the entry in that version.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for ArtifactReference {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |problem| AddressError::new(text, problem);
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| error("it does not begin with wandb-artifact://"))?;
        let (hex, path) = rest.split_once('/').ok_or_else(|| error("there is no path"))?;
        let id = from_hex(hex).ok_or_else(|| error("its host is no id in hexadecimal"))?;
        if path.is_empty() {
            return Err(error("there is no path"));
        }
        Ok(Self {
            artifact_id: STANDARD.encode(id),
            path: path.to_owned(),
        })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let value = |digit: u8| char::from(digit).to_digit(16);
            Some((value(pair[0])? << 4 | value(pair[1])?) as u8)
        })
        .collect()
}

impl fmt::Display for ArtifactReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SCHEME)?;
        let id = STANDARD.decode(&self.artifact_id).map_err(|_| fmt::Error)?;
        for byte in id {
            write!(formatter, "{byte:02x}")?;
        }
        write!(formatter, "/{}", self.path)
    }
}

/// The address of an entry of a version that is not logged yet: `wandb-client-artifact://<client id>/<path>`. It is
/// replaced by an [`ArtifactReference`] before its manifest is uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientReference {
    client_id: String,
    path: String,
}

impl ClientReference {
    /// The address of an entry of a draft.
    ///
    /// # Errors
    /// When the id or the path is empty, or the id holds a slash.
    pub fn new(client_id: &str, path: &str) -> Result<Self, AddressError> {
        format!("{CLIENT_SCHEME}{client_id}/{path}").parse()
    }

    /// The id that the draft's maker chose.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The path of the entry in that version.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same entry once the version is logged.
    ///
    /// # Errors
    /// As [`ArtifactReference::new`].
    pub fn resolve(&self, artifact_id: &str) -> Result<ArtifactReference, AddressError> {
        ArtifactReference::new(artifact_id, self.path.clone())
    }
}

impl FromStr for ClientReference {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |problem| AddressError::new(text, problem);
        let rest = text
            .strip_prefix(CLIENT_SCHEME)
            .ok_or_else(|| error("it does not begin with wandb-client-artifact://"))?;
        match rest.split_once('/') {
            Some((client_id, path)) if !client_id.is_empty() && !path.is_empty() => Ok(Self {
                client_id: client_id.to_owned(),
                path: path.to_owned(),
            }),
            _ => Err(error("a client id and a path were expected")),
        }
    }
}

impl fmt::Display for ClientReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{CLIENT_SCHEME}{}/{}", self.client_id, self.path)
    }
}

/// The address of a whole version, as configs and `use_artifact` have it (official: `parse_artifact_string`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ArtifactAddress {
    /// `wandb-artifact://[server/]_id/<id>`.
    Id {
        /// Scheme and host of another server.
        server: Option<String>,
        /// The version's id.
        id: String,
    },
    /// `wandb-artifact://[server/]entity/project/name:alias`.
    Name {
        /// Scheme and host of another server.
        server: Option<String>,
        /// The version's name, with entity and project.
        name: ArtifactName,
    },
}

impl FromStr for ArtifactAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| AddressError::new(text, "it does not begin with wandb-artifact://"))?;
        let (server, path) = match rest.split_once("://") {
            Some((scheme, behind)) if matches!(scheme, "http" | "https") => {
                let (host, path) = behind.split_once('/').unwrap_or((behind, ""));
                if host.contains('@') {
                    return Err(AddressError::new(
                        "wandb-artifact://…",
                        "its server holds a credential",
                    ));
                }
                (Some(format!("{scheme}://{host}")), path)
            }
            _ => (None, rest),
        };
        if let Some(id) = path.strip_prefix("_id/") {
            let id = id.split('/').next().unwrap_or_default();
            if id.is_empty() {
                return Err(AddressError::new(text, "there is no id"));
            }
            let id = id.to_owned();
            return Ok(Self::Id { server, id });
        }
        match path.parse::<ArtifactName>() {
            Ok(name) if name.entity().is_some() => Ok(Self::Name { server, name }),
            _ => Err(AddressError::new(text, "entity/project/name was expected")),
        }
    }
}

impl fmt::Display for ArtifactAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SCHEME)?;
        let (Self::Id { server, .. } | Self::Name { server, .. }) = self;
        if let Some(server) = server {
            write!(formatter, "{server}/")?;
        }
        match self {
            Self::Id { id, .. } => write!(formatter, "_id/{id}"),
            Self::Name { name, .. } => write!(formatter, "{name}"),
        }
    }
}
