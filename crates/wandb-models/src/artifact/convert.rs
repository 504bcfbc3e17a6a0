//! From the wire's versions to ours.

use std::{sync::Arc, time::Duration};

use wandb_artifacts::name::{Selector, Version};
use wandb_core::{Error, Result, timestamp::Timestamp};
use wandb_schema::operations::artifacts as wire;

use super::{Artifact, ArtifactData, ArtifactDigestAlgorithm, metadata::StoredMetadata};
use crate::Api;

/// The name of the wire's type for collections that hold links.
const PORTFOLIO: &str = "ArtifactPortfolio";

/// The collection in which a version was found.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) entity: String,
    pub(super) project: String,
    pub(super) collection: String,
    pub(super) collection_id: String,
    pub(super) is_link: bool,
}

impl Place {
    pub(super) fn new(
        typename: &str,
        id: cynic::Id,
        name: String,
        project: Option<wire::ProjectPlace>,
    ) -> Result<Self> {
        let project = project.ok_or_else(|| {
            Error::protocol(format!(
                "the server does not say in which project collection {name:?} is"
            ))
        })?;
        Ok(Self {
            entity: project.entity_name,
            project: project.name,
            collection: name,
            collection_id: id.into_inner(),
            is_link: typename == PORTFOLIO,
        })
    }

    fn of_sequence(sequence: &wire::ArtifactSequenceName) -> Result<Self> {
        Self::new(
            "ArtifactSequence",
            sequence.id.clone(),
            sequence.name.clone(),
            sequence.project.clone(),
        )
    }
}

/// A version as a member of a collection. `selector` is what it was asked for by.
pub(super) fn membership(
    api: &Api,
    wire: wire::Membership,
    selector: Option<&Selector>,
) -> Result<Option<Artifact>> {
    let (Some(artifact), Some(collection)) = (wire.artifact, wire.artifact_collection) else {
        return Ok(None);
    };
    let place = Place::new(
        &collection.typename,
        collection.id,
        collection.name,
        collection.project,
    )?;
    let aliases = wire.aliases.into_iter().map(|alias| alias.alias).collect();
    let version = version(wire.version_index)?;
    let mut data = data(artifact, place, version, aliases)?;
    if let Some(Selector::Alias(alias)) = selector {
        data.name = format!("{}:{alias}", data.collection);
    }
    Ok(Some(Artifact::new(api.clone(), data)))
}

/// A version where it was logged.
pub(super) fn source(api: &Api, wire: wire::Artifact) -> Result<Artifact> {
    let place = Place::of_sequence(&wire.artifact_sequence)?;
    let version = version(wire.version_index)?;
    in_collection(api, wire, place, version)
}

/// A version in a collection that is known already.
pub(super) fn in_collection(
    api: &Api,
    wire: wire::Artifact,
    place: Place,
    version: Option<Version>,
) -> Result<Artifact> {
    // A version carries the aliases of every collection that holds it. Servers that do not say whose an alias is know only
    // those of the sequence.
    let aliases = wire
        .aliases
        .iter()
        .filter(|alias| {
            alias
                .artifact_collection
                .as_ref()
                .is_none_or(|collection| collection.id.inner() == place.collection_id)
        })
        .map(|alias| alias.alias.clone())
        .collect();
    Ok(Artifact::new(api.clone(), data(wire, place, version, aliases)?))
}

pub(super) fn version(index: Option<i32>) -> Result<Option<Version>> {
    index
        .map(|index| {
            u64::try_from(index)
                .map(Version)
                .map_err(|_| Error::protocol(format!("the server numbers a version {index}")))
        })
        .transpose()
}

fn data(
    wire: wire::Artifact,
    place: Place,
    version: Option<Version>,
    aliases: Vec<String>,
) -> Result<ArtifactData> {
    let source = Place::of_sequence(&wire.artifact_sequence)?;
    let source_version = self::version(wire.version_index)?;
    let name = match version {
        Some(version) => format!("{}:{version}", place.collection),
        None => place.collection.clone(),
    };
    let broken = |what: &str| Error::protocol(format!("the {what} of artifact \"{name}\" cannot be read"));
    let time = |text: &str| Timestamp::parse(text).map_err(|error| broken("time").with_source(error));
    Ok(ArtifactData {
        artifact_type: wire.artifact_type.name,
        aliases,
        tags: wire.tags.into_iter().map(|tag| tag.name).collect(),
        state: wire.state.into(),
        size: u64::try_from(wire.size.0).ok(),
        file_count: u64::try_from(wire.file_count.0).ok(),
        description: wire.description,
        metadata: StoredMetadata::new(wire.metadata.map(|text| text.0)),
        ttl: u64::try_from(wire.ttl_duration_seconds.0)
            .ok()
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        ttl_is_inherited: wire.ttl_is_inherited,
        created_at: time(&wire.created_at.0)?,
        updated_at: wire.updated_at.map(|text| time(&text.0)).transpose()?,
        // The wire counts the rows, the official client shows the step (inventory 1.16).
        history_step: wire
            .history_step
            .map(|step| u64::try_from(step.0.saturating_sub(1)).unwrap_or(0)),
        commit_hash: wire.commit_hash,
        digest_algorithm: wire
            .digest_algorithm
            .map_or(ArtifactDigestAlgorithm::Md5, ArtifactDigestAlgorithm::from),
        id: wire.id.into_inner(),
        digest: wire.digest,
        entity: place.entity,
        project: place.project,
        collection: place.collection,
        collection_id: place.collection_id,
        is_link: place.is_link,
        version,
        source_entity: source.entity,
        source_project: source.project,
        source_collection: source.collection,
        source_version,
        is_remembered: false,
        name,
    })
}

impl Artifact {
    pub(super) fn new(api: Api, data: ArtifactData) -> Self {
        Self {
            api,
            data: Arc::new(data),
            manifest: Arc::default(),
        }
    }
}
