//! Artifacts (inventory 1.15, 1.16): types, collections, versions, and what can be done with them.
//!
//! | item | what it is for |
//! |---|---|
//! | [`Artifact`], [`ArtifactData`] | one version, and its data |
//! | [`ArtifactVersions`], [`RunArtifacts`], [`LinkedArtifacts`] | versions of a collection, of a run, the places of one |
//! | [`ArtifactCollection`], [`ArtifactCollections`] | sequences, where versions are logged, and portfolios, where they are linked |
//! | [`ArtifactType`], [`ArtifactTypes`] | types |
//! | [`ArtifactDownloadOptions`], [`ArtifactCheckout`] | download into a directory, verified and resumable |
//! | [`ArtifactDraft`], [`LoggedArtifact`] | a new version, and logging it |
//! | [`ArtifactEdit`], [`ArtifactCollectionEdit`] | changes as patches |
//! | [`ArtifactRuns`], [`Lineage`] | which runs made and used a version, over any number of hops |
//!
//! Everything here is reached from [`Api::artifact`](crate::Api::artifact) and its neighbours.

mod collection;
mod collection_edit;
mod convert;
mod data;
mod download;
mod draft;
mod edit;
mod files;
mod life;
mod lineage;
mod lineage_graph;
mod log;
mod lookup;
mod manifest;
#[cfg(feature = "media")]
mod media;
mod memory;
mod metadata;
mod names_change;
mod run;
mod runs;
mod state;
mod storage;
mod types;
mod upload_target;
mod urls;
mod versions;

use std::{fmt, ops::Deref, sync::Arc};

use tokio::sync::OnceCell;
use wandb_artifacts::Manifest;

use crate::Api;

pub use collection::{ArtifactCollection, ArtifactCollectionData, ArtifactCollections};
pub use collection_edit::ArtifactCollectionEdit;
pub use data::ArtifactData;
pub use download::{ArtifactCheckout, ArtifactDownloadOptions};
pub use draft::ArtifactDraft;
pub use edit::{ArtifactEdit, TimeToLive};
pub use files::{ArtifactFile, ArtifactFiles};
pub use life::LinkedArtifacts;
pub use lineage::Lineage;
pub use lineage_graph::{
    LineageArtifact, LineageEdge, LineageEdgeKind, LineageGap, LineageGraph, LineageRun,
};
pub use log::LoggedArtifact;
pub use run::{RunArtifacts, UsedArtifact, UsedArtifacts};
pub use runs::ArtifactRuns;
pub use state::{ArtifactDigestAlgorithm, ArtifactState};
pub(crate) use storage::{ArtifactStorage, Stores};
pub use types::{ArtifactType, ArtifactTypes};
pub use versions::ArtifactVersions;
pub use wandb_artifacts::{
    draft::{AddOptions, ReferenceOptions},
    transfer::{DownloadedArtifact, Removal, UploadOptions, Uploaded},
};

/// One version of an artifact: its data (through [`Deref`]), and what can be asked of the server about it.
///
/// The data is a snapshot; [`reload`](Self::reload) takes a new one.
#[derive(Clone)]
pub struct Artifact {
    api: Api,
    data: Arc<ArtifactData>,
    /// Read when it is first asked for.
    manifest: Arc<OnceCell<Arc<Manifest>>>,
}

impl Deref for Artifact {
    type Target = ArtifactData;

    fn deref(&self) -> &ArtifactData {
        &self.data
    }
}

impl Artifact {
    /// The version's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &ArtifactData {
        &self.data
    }

    /// The page in the browser.
    #[must_use]
    pub fn url(&self) -> String {
        let mut url = self.api.app_url().as_str().trim_end_matches('/').to_owned();
        let version = self.version.map(|version| version.to_string());
        let parts = [
            &*self.entity,
            &*self.project,
            "artifacts",
            &*self.artifact_type,
            &*self.collection,
        ];
        for part in parts.into_iter().chain(version.as_deref()) {
            url.push('/');
            url.push_str(&wandb_core::base_url::encode_segment(part));
        }
        url
    }
}

impl fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Artifact")
            .field("name", &self.qualified_name())
            .field("digest", &self.digest)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod cache_tests;
#[cfg(test)]
mod edit_tests;
#[cfg(test)]
mod lineage_tests;
#[cfg(test)]
mod listing_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod manifest_tests;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod tests;
