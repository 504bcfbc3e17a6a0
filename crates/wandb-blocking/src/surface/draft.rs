//! Drafts of new versions, and logging them.

use std::path::Path;

use wandb_artifacts::ManifestEntry;
use wandb_artifacts::draft::{AddOptions, ReferenceOptions};
use wandb_core::value::{Map, Value};
use wandb_core::{Client, Result};
use wandb_models::{TimeToLive, UploadOptions};

use super::{Api, Artifact, RunReference};
use crate::Blocking;
use crate::mirror::{Mirror as _, mirror, plain};
use crate::runtime::Runtime;

plain!(usize);

mirror! {
    ArtifactDraft {
        by_hand new;
        fn description(self, description: impl Into<String>) -> Self;
        fn metadata(self, metadata: Map) -> Self;
        fn metadata_key(self, key: impl Into<String>, value: impl Into<Value>) -> Self;
        fn alias(self, alias: impl Into<String>) -> Self;
        fn tag(self, tag: impl Into<String>) -> Self;
        fn ttl(self, ttl: TimeToLive) -> Self;
        by_hand add_file;
        by_hand add_directory;
        by_hand add_reference;
        by_hand reference;
        by_hand log;
        by_hand log_in;
    }
    LoggedArtifact {
        field artifact -> Artifact;
    }
}

/// A draft belongs to no client until it is logged: what it reads of this machine is waited for on threads of its own, what it
/// asks of a server on those of the handle that is given.
impl ArtifactDraft {
    /// As [`ArtifactDraft::new`](wandb_models::ArtifactDraft::new).
    ///
    /// # Errors
    /// As there.
    pub fn new(artifact_type: &str, collection: &str) -> Result<Self> {
        let inner = wandb_models::ArtifactDraft::new(artifact_type, collection)?;
        Ok(Blocking {
            inner,
            runtime: Runtime::default(),
        })
    }

    /// Waits for [`Draft::add_file`](wandb_artifacts::draft::Draft::add_file).
    ///
    /// # Errors
    /// As there.
    pub fn add_file(
        &mut self,
        local: impl AsRef<Path> + Send,
        path: Option<&str>,
        options: &AddOptions,
    ) -> Result<&ManifestEntry> {
        self.runtime.wait(self.inner.add_file(local, path, options))
    }

    /// Waits for [`Draft::add_directory`](wandb_artifacts::draft::Draft::add_directory).
    ///
    /// # Errors
    /// As there.
    pub fn add_directory(
        &mut self,
        local: impl AsRef<Path> + Send,
        prefix: Option<&str>,
        options: &AddOptions,
    ) -> Result<usize> {
        self.runtime
            .wait(self.inner.add_directory(local, prefix, options))
    }

    /// Waits for [`Draft::add_reference`](wandb_artifacts::draft::Draft::add_reference), with a client of the
    /// caller's. [`reference`](Self::reference) takes that of a handle, and follows references to other versions too.
    ///
    /// # Errors
    /// As there.
    pub fn add_reference(
        &mut self,
        client: &Client,
        address: &str,
        path: Option<&str>,
        options: &ReferenceOptions,
    ) -> Result<usize> {
        self.runtime
            .wait(self.inner.add_reference(client, address, path, options))
    }

    /// Waits for [`ArtifactDraft::reference`](wandb_models::ArtifactDraft::reference).
    ///
    /// # Errors
    /// As there.
    pub fn reference(
        &mut self,
        api: &Api,
        address: &str,
        path: Option<&str>,
        options: ReferenceOptions,
    ) -> Result<usize> {
        api.runtime
            .wait(self.inner.reference(&api.inner, address, path, options))
    }

    /// Waits for [`ArtifactDraft::log`](wandb_models::ArtifactDraft::log).
    ///
    /// # Errors
    /// As there.
    pub fn log(&self, run: &RunReference, options: &UploadOptions) -> Result<LoggedArtifact> {
        let logged = run.runtime.wait(self.inner.log(&run.inner, options));
        logged.mirror(&run.runtime)
    }

    /// Waits for [`ArtifactDraft::log_in`](wandb_models::ArtifactDraft::log_in).
    ///
    /// # Errors
    /// As there.
    pub fn log_in(&self, api: &Api, project: &str, options: &UploadOptions) -> Result<LoggedArtifact> {
        let logged = api.runtime.wait(self.inner.log_in(&api.inner, project, options));
        logged.mirror(&api.runtime)
    }
}
