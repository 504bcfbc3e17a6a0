//! Manifests.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::super::file::File;
use super::super::scalars::DateTime;
use super::ArtifactManifestType;
use super::version::Artifact;
use crate::store::artifacts::manifests::ManifestRow;
use crate::store::artifacts::rows::ArtifactRow;
use crate::store::ids::Kind;

/// The list of an artifact's files.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactManifest {
    pub(crate) row: ManifestRow,
    pub(crate) artifact: Arc<ArtifactRow>,
}

/// The list of an artifact's files.
#[Object]
impl ArtifactManifest {
    async fn id(&self) -> ID {
        Kind::ArtifactManifest.encode(self.row.id).into()
    }
    #[graphql(name = "type")]
    async fn kind(&self) -> ArtifactManifestType {
        self.row.kind.into()
    }
    /// Base64 of the MD5 of its bytes.
    async fn digest(&self) -> &str {
        &self.row.digest
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }
    async fn artifact(&self) -> Artifact {
        Artifact(Arc::clone(&self.artifact))
    }
    async fn file(&self) -> File {
        File::Manifest(self.row.clone())
    }
}
