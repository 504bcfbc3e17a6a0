//! Changes of a version, as a patch.

use std::{collections::BTreeSet, time::Duration};

use cynic::MutationBuilder;
use wandb_artifacts::name::{Alias, Tag};
use wandb_core::{Error, ErrorKind, Result, Value, retry::Repeat, value::Map};
use wandb_schema::{
    operations::artifact_writes as wire,
    scalars::{Int64, JsonString},
};

use super::{
    Artifact,
    collection_edit::{confirmed, inputs},
    metadata,
    names_change::NamesChange,
};

/// The wire's numbers for what is no duration (protocol §5.7).
const INHERIT: i64 = -1;
const FOREVER: i64 = -2;

/// How long a version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeToLive {
    /// So long after its creation, in whole seconds.
    For(Duration),
    /// For ever.
    Forever,
    /// As the collection says.
    Inherit,
}

/// Changes of a version, collected and then sent by [`save`](Self::save): only what differs from what was read.
///
/// ```no_run
/// # async fn example(api: wandb_models::Api) -> wandb_core::Result<()> {
/// let model = api.artifact("team/cats/model:v3").await?;
/// let model = model
///     .edit()
///     .add_alias("production")
///     .metadata_key("accuracy", 0.97)
///     .if_unchanged()
///     .save()
///     .await?;
/// # let _ = model; Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is changed until it is saved"]
pub struct ArtifactEdit {
    artifact: Artifact,
    description: Option<String>,
    metadata: Option<Map>,
    keys: Vec<(String, Option<Value>)>,
    aliases: NamesChange,
    tags: NamesChange,
    ttl: Option<TimeToLive>,
    if_unchanged: bool,
}

impl Artifact {
    /// Begins a change.
    pub fn edit(&self) -> ArtifactEdit {
        ArtifactEdit {
            artifact: self.clone(),
            description: None,
            metadata: None,
            keys: Vec::new(),
            aliases: NamesChange::default(),
            tags: NamesChange::default(),
            ttl: None,
            if_unchanged: false,
        }
    }
}

/// What is sent, in three mutations at most.
#[derive(Debug, Default, PartialEq)]
struct Patch {
    add_aliases: Vec<String>,
    remove_aliases: Vec<String>,
    description: Option<String>,
    metadata: Option<String>,
    add_tags: Vec<String>,
    remove_tags: Vec<String>,
    ttl: Option<i64>,
}

impl Patch {
    fn updates(&self) -> bool {
        self.description.is_some()
            || self.metadata.is_some()
            || !self.add_tags.is_empty()
            || !self.remove_tags.is_empty()
            || self.ttl.is_some()
    }
}

impl ArtifactEdit {
    /// Another description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Other metadata, in place of all that is there. At most 100 keys at the top; `NaN` is stored as `null`, infinities are
    /// refused (inventory 2.5).
    pub fn metadata(mut self, metadata: Map) -> Self {
        self.metadata = Some(metadata);
        self.keys.clear();
        self
    }

    /// One key of the metadata, at the top; the others stay.
    ///
    /// The wire can only replace the metadata as a whole. So it is read again just before, and the key is put into what is
    /// there then, not into what this handle knows.
    pub fn metadata_key(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.keys.push((key.into(), Some(value.into())));
        self
    }

    /// One key of the metadata less; see [`metadata_key`](Self::metadata_key).
    pub fn remove_metadata_key(mut self, key: impl Into<String>) -> Self {
        self.keys.push((key.into(), None));
        self
    }

    /// One more alias in this version's collection. If another version of it has the alias, it moves.
    pub fn add_alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.add(alias.into());
        self
    }

    /// One alias less in this version's collection.
    pub fn remove_alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.remove(alias.into());
        self
    }

    /// One more tag.
    pub fn add_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.add(tag.into());
        self
    }

    /// One tag less.
    pub fn remove_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.remove(tag.into());
        self
    }

    /// How long the version is kept. Not of a link: it is the source that is kept.
    pub fn ttl(mut self, ttl: TimeToLive) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Refuses with a [`Conflict`](ErrorKind::Conflict) when the version is not as it was read any more.
    ///
    /// The hosted service has no such condition on the wire: the version is read again just before the change and compared,
    /// so a change of another in that moment (one round trip) is not seen.
    pub fn if_unchanged(mut self) -> Self {
        self.if_unchanged = true;
        self
    }

    /// Sends what changed, in up to three mutations (aliases to add, aliases to remove, the rest), and reads the version
    /// again. Nothing is sent when nothing differs.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) for aliases, tags, metadata or a time to live that cannot be, before
    ///   anything is sent;
    /// - [`Conflict`](ErrorKind::Conflict) when the version changed, with [`if_unchanged`](Self::if_unchanged);
    /// - as [`ensure_committed`](super::ArtifactData::ensure_committed), before anything is sent;
    /// - after any other error the mutations that came earlier in that order are done, and a hint says so.
    pub async fn save(self) -> Result<Artifact> {
        self.check()?;
        self.artifact.ensure_committed()?;
        let patch = self.patch(&self.artifact)?;
        // What is remembered of a version may be older than what the server has: an alias that it had may be gone.
        let may_be_stale = self.artifact.is_remembered;
        if patch == Patch::default() && !may_be_stale {
            return Ok(self.artifact);
        }
        let artifact = &self.artifact;
        let patch = if self.if_unchanged || !self.keys.is_empty() || may_be_stale {
            let now = artifact.reload().await?;
            if self.if_unchanged {
                check_unchanged(artifact, &now)?;
            }
            // The keys go into what is there now.
            self.patch(&now)?
        } else {
            patch
        };
        send(artifact, patch).await?;
        artifact.reload().await
    }

    fn check(&self) -> Result<()> {
        for alias in self.aliases.wanted() {
            Alias::new(alias)?.check_new()?;
        }
        for tag in self.tags.wanted() {
            Tag::new(tag)?.check_new()?;
        }
        if self.ttl.is_some() && self.artifact.is_link {
            return Err(Error::invalid_input(format!(
                "\"{}\" is a link; the time to live belongs to its source \"{}\"",
                self.artifact.qualified_name(),
                self.artifact.source_qualified_name()
            )));
        }
        Ok(())
    }

    fn patch(&self, base: &Artifact) -> Result<Patch> {
        Ok(Patch {
            add_aliases: self.aliases.missing(&base.aliases),
            remove_aliases: self.aliases.superfluous(&base.aliases),
            description: self
                .description
                .clone()
                .filter(|text| *text != *base.description.as_deref().unwrap_or_default()),
            metadata: self.metadata_text(base)?,
            add_tags: self.tags.missing(&base.tags),
            remove_tags: self.tags.superfluous(&base.tags),
            ttl: self.ttl.map(seconds).transpose()?.filter(|wanted| {
                let current = match (base.ttl, base.ttl_is_inherited) {
                    (_, true) => INHERIT,
                    (None, false) => FOREVER,
                    (Some(ttl), false) => i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX),
                };
                *wanted != current
            }),
        })
    }

    fn metadata_text(&self, base: &Artifact) -> Result<Option<String>> {
        let mut wanted = match &self.metadata {
            Some(metadata) => metadata.clone(),
            None if self.keys.is_empty() => return Ok(None),
            None => base.metadata()?.clone(),
        };
        for (key, value) in &self.keys {
            match value {
                Some(value) => wanted.insert(key.as_str(), value.clone()),
                None => {
                    wanted.remove(key);
                }
            }
        }
        let text = metadata::to_wire(&wanted)?;
        // What the server has may be no object, or not pass the rules for new metadata; then it differs.
        let current = base.metadata().and_then(metadata::to_wire);
        let unchanged = current.is_ok_and(|current| current == text);
        Ok((!unchanged).then_some(text))
    }
}

pub(super) fn seconds(ttl: TimeToLive) -> Result<i64> {
    match ttl {
        TimeToLive::Forever => Ok(FOREVER),
        TimeToLive::Inherit => Ok(INHERIT),
        TimeToLive::For(duration) => i64::try_from(duration.as_secs())
            .ok()
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| Error::invalid_input("a time to live is at least a second")),
    }
}

/// The parts that a change can touch.
fn check_unchanged(read: &Artifact, now: &Artifact) -> Result<()> {
    let same = read.id == now.id
        && read.state == now.state
        && read.updated_at == now.updated_at
        && read.description == now.description
        && read.metadata.same_as(&now.metadata)
        && set(&read.aliases) == set(&now.aliases)
        && set(&read.tags) == set(&now.tags)
        && read.ttl == now.ttl;
    if same {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("artifact \"{}\" changed since it was read", read.exact_name()),
    )
    .with_hint("read it again and repeat the change"))
}

fn set(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

async fn send(artifact: &Artifact, patch: Patch) -> Result<()> {
    let name = artifact.exact_name();
    let mut done: Vec<&str> = Vec::new();
    let told = |error: Error, done: &[&str]| {
        if done.is_empty() {
            error
        } else {
            error.with_hint(format!("already changed: {}", done.join(", ")))
        }
    };
    let updates = patch.updates();
    if !patch.add_aliases.is_empty() {
        let description = format!("add aliases to artifact \"{name}\"");
        let operation = wire::AddAliases::build(wire::AddAliasesVariables {
            input: wire::AddAliasesInput {
                artifact_id: cynic::Id::new(&*artifact.id),
                aliases: alias_inputs(artifact, patch.add_aliases),
            },
        });
        let answer: wire::AddAliases = artifact
            .api
            .mutate(&operation, Repeat::Always, &description)
            .await?;
        confirmed(
            answer.add_aliases.is_some_and(|payload| payload.success),
            &description,
        )?;
        done.push("the aliases that were added");
    }
    if !patch.remove_aliases.is_empty() {
        let description = format!("remove aliases of artifact \"{name}\"");
        let operation = wire::DeleteAliases::build(wire::DeleteAliasesVariables {
            input: wire::DeleteAliasesInput {
                artifact_id: cynic::Id::new(&*artifact.id),
                aliases: alias_inputs(artifact, patch.remove_aliases),
            },
        });
        let answer: Result<wire::DeleteAliases> = artifact
            .api
            .mutate(&operation, Repeat::Always, &description)
            .await;
        let answer = answer.map_err(|error| told(error, &done))?;
        let success = answer.delete_aliases.is_some_and(|payload| payload.success);
        confirmed(success, &description).map_err(|error| told(error, &done))?;
        done.push("the aliases that were removed");
    }
    if updates {
        let description = format!("change artifact \"{name}\"");
        let operation = wire::UpdateArtifact::build(wire::UpdateArtifactVariables {
            input: wire::UpdateArtifactInput {
                artifact_id: cynic::Id::new(&*artifact.id),
                description: patch.description,
                metadata: patch.metadata.map(JsonString),
                tags_to_add: some(patch.add_tags).map(inputs),
                tags_to_delete: some(patch.remove_tags).map(inputs),
                ttl_duration_seconds: patch.ttl.map(Int64),
            },
        });
        let answer: Result<wire::UpdateArtifact> = artifact
            .api
            .mutate(&operation, Repeat::Always, &description)
            .await;
        let answer = answer.map_err(|error| told(error, &done))?;
        confirmed(answer.update_artifact.is_some(), &description).map_err(|error| told(error, &done))?;
    }
    Ok(())
}

fn some(names: Vec<String>) -> Option<Vec<String>> {
    (!names.is_empty()).then_some(names)
}

fn alias_inputs(artifact: &Artifact, aliases: Vec<String>) -> Vec<wire::ArtifactCollectionAliasInput> {
    aliases
        .into_iter()
        .map(|alias| wire::ArtifactCollectionAliasInput {
            entity_name: artifact.entity.clone(),
            project_name: artifact.project.clone(),
            artifact_collection_name: artifact.collection.clone(),
            alias,
        })
        .collect()
}
