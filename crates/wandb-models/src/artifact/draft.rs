//! A new version that is being put together.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use wandb_artifacts::{
    Algorithm,
    draft::{Draft, ReferenceOptions},
    name::{Alias, CollectionName, Tag, TypeName},
};
use wandb_core::{Result, Value, value::Map};

use super::{Artifact, TimeToLive, metadata, urls::Resolver};
use crate::Api;

/// A new version: its content (through [`Deref`]: `add_file`, `add_directory`, `add_reference`, `remove`), and what is said of
/// it. [`log`](Self::log) sends it.
///
/// ```no_run
/// # async fn example(run: wandb_models::Run) -> wandb_core::Result<()> {
/// use wandb_models::artifact::{ArtifactDraft, UploadOptions};
///
/// let mut draft = ArtifactDraft::new("model", "classifier")?.description("trained on cats").alias("best");
/// draft.add_directory("out/model", None, &Default::default()).await?;
/// let logged = draft.log(run.reference(), &UploadOptions::default()).await?;
/// println!("{}", logged.artifact.exact_name());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ArtifactDraft {
    pub(super) collection: CollectionName,
    pub(super) artifact_type: TypeName,
    pub(super) content: Draft,
    pub(super) description: Option<String>,
    pub(super) metadata: Map,
    pub(super) aliases: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) ttl: Option<TimeToLive>,
}

impl Deref for ArtifactDraft {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.content
    }
}

impl DerefMut for ArtifactDraft {
    fn deref_mut(&mut self) -> &mut Draft {
        &mut self.content
    }
}

impl ArtifactDraft {
    /// An empty draft of a type, for a collection. The collection is made when it is not there; all its versions have one
    /// type.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a name that a new collection may not have, and for types that
    /// W&B keeps for itself (inventory 2.5).
    pub fn new(artifact_type: &str, collection: &str) -> Result<Self> {
        let collection = CollectionName::new(collection)?;
        collection.check_new()?;
        let artifact_type = TypeName::new(artifact_type)?;
        artifact_type.check_new(&collection)?;
        Ok(Self::with(artifact_type, collection, Draft::new(Algorithm::Md5)))
    }

    fn with(artifact_type: TypeName, collection: CollectionName, content: Draft) -> Self {
        Self {
            collection,
            artifact_type,
            content,
            description: None,
            metadata: Map::new(),
            aliases: Vec::new(),
            tags: Vec::new(),
            ttl: None,
        }
    }

    /// What the version is.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The metadata. At most 100 keys at the top; `NaN` is stored as `null`, infinities are refused (inventory 2.5).
    #[must_use]
    pub fn metadata(mut self, metadata: Map) -> Self {
        self.metadata = metadata;
        self
    }

    /// One key of the metadata.
    #[must_use]
    pub fn metadata_key(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// One more alias. `latest` comes by itself.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        let alias = alias.into();
        if !self.aliases.contains(&alias) {
            self.aliases.push(alias);
        }
        self
    }

    /// One more tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        self
    }

    /// Whether what is said of the version can be: metadata, aliases, tags. [`log`](Self::log) asks this before it sends
    /// anything; asked earlier, it is known before large files are read.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for metadata, an alias or a tag that cannot be.
    pub fn check(&self) -> Result<()> {
        metadata::to_wire(&self.metadata)?;
        for alias in &self.aliases {
            Alias::new(alias.as_str())?.check_new()?;
        }
        for tag in &self.tags {
            Tag::new(tag.as_str())?.check_new()?;
        }
        Ok(())
    }

    /// Adds a reference to an object that stays where it is, also to an entry of another version
    /// (`wandb-artifact://…`), which is looked up, and to objects of stores, as the client was told to get at them
    /// ([`ApiBuilder::object_stores`](crate::ApiBuilder::object_stores)). Gives how many entries were added, of a directory more than one. See
    /// [`Draft::add_reference`].
    ///
    /// # Errors
    /// As there.
    pub async fn reference(
        &mut self,
        api: &Api,
        address: &str,
        path: Option<&str>,
        options: ReferenceOptions,
    ) -> Result<usize> {
        let options = options.resolver(Arc::new(Resolver(api.clone())));
        #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
        let options = options.object_stores_or(api.object_stores().cloned());
        self.content
            .add_reference(api.client(), address, path, &options)
            .await
    }

    /// How long the version is kept; as the collection says unless set.
    #[must_use]
    pub fn ttl(mut self, ttl: TimeToLive) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl Artifact {
    /// A draft of the next version in this collection, with everything that this version has (official: `new_draft`, and
    /// `incremental`). What is not changed is not uploaded again. Description and metadata are taken along; aliases and tags
    /// are not.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest) and [`metadata`](super::ArtifactData::metadata).
    pub async fn new_draft(&self) -> Result<ArtifactDraft> {
        let manifest = self.manifest().await?;
        let artifact_type = TypeName::new(self.artifact_type.as_str())?;
        let collection = CollectionName::new(self.source_collection.as_str())?;
        let mut draft = ArtifactDraft::with(artifact_type, collection, Draft::from_base(&manifest));
        draft.description.clone_from(&self.description);
        draft.metadata = self.metadata()?.clone();
        Ok(draft)
    }
}
