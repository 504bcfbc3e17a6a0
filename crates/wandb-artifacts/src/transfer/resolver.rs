//! The artifacts behind `wandb-artifact://` references.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use wandb_core::Result;

use super::urls::UrlSource;
use crate::manifest::Manifest;

/// Finds an artifact version by its id.
#[async_trait]
pub trait ArtifactResolver: Send + Sync + fmt::Debug {
    /// The manifest of a version, and where its files are. The id is the opaque one that the API knows. Called once per version and download.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none, else as any request.
    async fn resolve(&self, artifact_id: &str) -> Result<ResolvedArtifact>;
}

/// A version that a reference leads to.
#[derive(Debug, Clone)]
pub struct ResolvedArtifact {
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// Where its files are.
    pub urls: Arc<dyn UrlSource>,
}
