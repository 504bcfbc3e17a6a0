//! What a version carries.

use std::time::Duration;

use serde::{Serialize, Serializer};
use wandb_artifacts::name::Version;
use wandb_core::{Error, ErrorKind, Result, timestamp::Timestamp, value::Map};

use super::{ArtifactDigestAlgorithm, ArtifactState, metadata::StoredMetadata};

/// The data of one version, under the official snake_case names (inventory 1.16).
///
/// Serialised it is the object that `wb artifact view --output json` prints: `id, name, type, entity, project, collection,
/// version, aliases, tags, digest, state, size, file_count, description, metadata, ttl, created_at, updated_at`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ArtifactData {
    /// The opaque id.
    pub id: String,
    /// `collection:version`; with the alias instead of the version where it was asked for by alias, as the official client
    /// has it.
    pub name: String,
    /// The type, such as `model` or `dataset`.
    #[serde(rename = "type")]
    pub artifact_type: String,
    /// The entity of the collection.
    pub entity: String,
    /// The project of the collection.
    pub project: String,
    /// The collection that it was found in: the sequence where it was logged, or a portfolio that it is linked into.
    pub collection: String,
    /// Its number in that collection; `None` before it is committed.
    pub version: Option<Version>,
    /// The aliases that it has in that collection.
    pub aliases: Vec<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// The digest of its manifest, in hex.
    pub digest: String,
    /// Where it stands.
    pub state: ArtifactState,
    /// The sum of its entries' sizes, in bytes; `None` when the server tells a number that no size can be.
    pub size: Option<u64>,
    /// How many entries it has, references included; `None` when the server tells a number that no count can be.
    pub file_count: Option<u64>,
    /// The description.
    pub description: Option<String>,
    /// Serialised it is the object, or the text that the server holds where that is none.
    pub(super) metadata: StoredMetadata,
    /// How long it is kept after its creation, in whole seconds when serialised; `None` for ever.
    #[serde(serialize_with = "seconds")]
    pub ttl: Option<Duration>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether the time to live is the collection's rule.
    #[serde(skip)]
    pub ttl_is_inherited: bool,
    /// The step of the run when it was logged.
    #[serde(skip)]
    pub history_step: Option<u64>,
    /// An opaque hash of the version.
    #[serde(skip)]
    pub commit_hash: Option<String>,
    /// What the digests are made with; older servers, which do not say it, know only MD5.
    #[serde(skip)]
    pub digest_algorithm: ArtifactDigestAlgorithm,
    /// The opaque id of the collection.
    #[serde(skip)]
    pub collection_id: String,
    /// Whether it was found in a portfolio, which holds versions that were logged elsewhere.
    #[serde(skip)]
    pub is_link: bool,
    /// The entity where it was logged.
    #[serde(skip)]
    pub source_entity: String,
    /// The project where it was logged.
    #[serde(skip)]
    pub source_project: String,
    /// The sequence where it was logged.
    #[serde(skip)]
    pub source_collection: String,
    /// Its number in that sequence.
    #[serde(skip)]
    pub source_version: Option<Version>,
    /// Whether it was read from this machine's cache without asking the server: then what can change (aliases, tags,
    /// description, metadata, time to live, state) may be older than the server's.
    #[serde(skip)]
    pub is_remembered: bool,
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn seconds<S: Serializer>(ttl: &Option<Duration>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    ttl.map(|ttl| ttl.as_secs()).serialize(serializer)
}

impl ArtifactData {
    /// The metadata. Read when it is first asked for.
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) when what the server holds is no JSON object;
    /// [`raw_metadata`](Self::raw_metadata) has it then.
    pub fn metadata(&self) -> Result<&Map> {
        self.metadata.map().map_err(|error| {
            error.in_operation(format!("read the metadata of artifact \"{}\"", self.exact_name()))
        })
    }

    /// The metadata as the server holds it, as text. `None` without any.
    #[must_use]
    pub fn raw_metadata(&self) -> Option<&str> {
        self.metadata.text()
    }

    /// `entity/project/collection:version`, with the alias if it was asked for by one.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        format!("{}/{}/{}", self.entity, self.project, self.name)
    }

    /// `collection:version` where it was logged.
    #[must_use]
    pub fn source_name(&self) -> String {
        named(&self.source_collection, self.source_version)
    }

    /// `entity/project/collection:version` where it was logged.
    #[must_use]
    pub fn source_qualified_name(&self) -> String {
        format!(
            "{}/{}/{}",
            self.source_entity,
            self.source_project,
            self.source_name()
        )
    }

    /// `entity/project/collection:version`, always by number where there is one: the name that stays.
    #[must_use]
    pub fn exact_name(&self) -> String {
        format!(
            "{}/{}/{}",
            self.entity,
            self.project,
            named(&self.collection, self.version)
        )
    }

    /// Whether it is complete.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.state == ArtifactState::Committed
    }

    /// Refuses a version that has no content to read or to change: one that was not committed (official:
    /// `ArtifactNotLoggedError`), or that is gone. Such a version is found by its id only. The methods that need the content
    /// ask for this themselves.
    ///
    /// A state that is newer than this client is let through: what is read is compared with the digest in any case.
    ///
    /// # Errors
    /// - [`Conflict`](wandb_core::ErrorKind::Conflict) before the version is committed;
    /// - [`NotFound`](wandb_core::ErrorKind::NotFound) once it was deleted.
    pub fn ensure_committed(&self) -> Result<()> {
        let state = &self.state;
        match state {
            ArtifactState::Pending => Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "artifact \"{}\" is not committed: its state is {state}",
                    self.exact_name()
                ),
            )
            .with_hint(
                "it is being logged, or that was given up; logging the same content again completes it",
            )),
            state if state.is_deleted() => Err(Error::not_found(format!(
                "artifact \"{}\" (it was deleted: its state is {state})",
                self.exact_name()
            ))),
            _ => Ok(()),
        }
    }
}

fn named(collection: &str, version: Option<Version>) -> String {
    match version {
        Some(version) => format!("{collection}:{version}"),
        None => collection.to_owned(),
    }
}
