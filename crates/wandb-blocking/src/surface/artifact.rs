//! Artifacts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wandb_artifacts::plan::PlanSummary;
use wandb_artifacts::transfer::{DownloadedArtifact, Removal};
use wandb_artifacts::{Manifest, ManifestEntry, Verification};
use wandb_core::Result;
use wandb_core::page::{ItemStream, Pages};
use wandb_core::value::{Map, Value};
use wandb_models::{ArtifactDownloadOptions, ArtifactFile, LineageGraph, TimeToLive};

use super::{ArtifactDraft, Run, RunReference};
use crate::Items;
use crate::mirror::{mirror, plain};

plain!(
    DownloadedArtifact,
    PathBuf,
    PlanSummary,
    Removal,
    Arc<Manifest>,
    ArtifactFile,
    LineageGraph,
    ManifestEntry,
    Verification
);

mirror! {
    Artifact {
        fn edit(&self) -> ArtifactEdit;
        async fn reload(&self) -> Result<Self>;
        async fn source(&self) -> Result<Self>;
        async fn link(&self, target: &str, aliases: impl IntoIterator<Item = impl AsRef<str> + Send> + Send) -> Result<Self>;
        async fn unlink(&self) -> Result<()>;
        async fn delete(&self, with_aliases: bool) -> Result<()>;
        fn linked_artifacts(&self) -> LinkedArtifacts;
        async fn logged_by(&self) -> Result<Option<Run>>;
        async fn logged_by_reference(&self) -> Result<Option<RunReference>>;
        fn used_by(&self) -> ArtifactRuns;
        fn files(&self) -> ArtifactFiles;
        fn lineage(&self) -> Lineage;
        async fn manifest(&self) -> Result<Arc<Manifest>>;
        async fn entry(&self, path: &str) -> Result<ManifestEntry>;
        async fn verify(&self, root: impl AsRef<Path> + Send) -> Result<Verification>;
        async fn download(&self, options: &ArtifactDownloadOptions) -> Result<DownloadedArtifact>;
        async fn download_plan(&self, options: &ArtifactDownloadOptions) -> Result<PlanSummary>;
        async fn checkout(&self, options: &ArtifactDownloadOptions) -> Result<ArtifactCheckout>;
        async fn file(&self, options: &ArtifactDownloadOptions) -> Result<PathBuf>;
        async fn download_entry(&self, path: &str, options: &ArtifactDownloadOptions) -> Result<PathBuf>;
        async fn new_draft(&self) -> Result<ArtifactDraft>;
        by_hand get;
        by_hand get_with;
        by_hand entry_reader;
        by_hand entry_reader_with;
    }
    ArtifactCollection {
        fn versions(&self) -> ArtifactVersions;
        fn aliases(&self) -> Items<ItemStream<'static, String>>;
        async fn reload(&self) -> Result<Self>;
        fn edit(&self) -> ArtifactCollectionEdit;
        async fn delete(&self) -> Result<()>;
    }
    ArtifactCollections {
        fn filter(self, filter: impl Into<Value>) -> Self;
        fn order(self, order: impl Into<String>) -> Self;
        async fn count(&self) -> Result<u64>;
    }
    ArtifactEdit {
        fn description(self, description: impl Into<String>) -> Self;
        fn metadata(self, metadata: Map) -> Self;
        fn metadata_key(self, key: impl Into<String>, value: impl Into<Value>) -> Self;
        fn remove_metadata_key(self, key: impl Into<String>) -> Self;
        fn add_alias(self, alias: impl Into<String>) -> Self;
        fn remove_alias(self, alias: impl Into<String>) -> Self;
        fn add_tag(self, tag: impl Into<String>) -> Self;
        fn remove_tag(self, tag: impl Into<String>) -> Self;
        fn ttl(self, ttl: TimeToLive) -> Self;
        fn if_unchanged(self) -> Self;
        async fn save(self) -> Result<Artifact>;
    }
    ArtifactRuns {
        fn skip_hidden(self) -> Self;
        fn reference_pages(self) -> Result<Items<Pages<'static, wandb_models::RunReference>>>;
        fn references(self) -> Items<ItemStream<'static, wandb_models::RunReference>>;
    }
    ArtifactType {
        fn collections(&self) -> ArtifactCollections;
        async fn collection(&self, name: &str) -> Result<ArtifactCollection>;
    }
    ArtifactTypes {}
    ArtifactVersions {
        fn filter(self, filter: impl Into<Value>) -> Self;
        fn order(self, order: impl Into<String>) -> Self;
        fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self;
        async fn count(&self) -> Result<u64>;
    }
    ArtifactCollectionEdit {
        fn name(self, name: impl Into<String>) -> Self;
        fn description(self, description: impl Into<String>) -> Self;
        fn artifact_type(self, artifact_type: impl Into<String>) -> Self;
        fn add_tag(self, tag: impl Into<String>) -> Self;
        fn remove_tag(self, tag: impl Into<String>) -> Self;
        async fn save(self) -> Result<ArtifactCollection>;
    }
    LinkedArtifacts {}
    RunArtifacts {
        async fn count(&self) -> Result<u64>;
        fn places(self) -> Items<ItemStream<'static, Option<wandb_models::Artifact>>>;
    }
    UsedArtifact {
        field artifact -> Artifact;
    }
    UsedArtifacts {
        async fn count(&self) -> Result<u64>;
        fn places(self) -> Items<ItemStream<'static, Option<wandb_models::UsedArtifact>>>;
    }
    ArtifactFiles {
        fn names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self;
    }
    Lineage {
        fn upstream(self, hops: u32) -> Self;
        fn downstream(self, hops: u32) -> Self;
        fn node_limit(self, nodes: usize) -> Self;
        async fn fetch(self) -> Result<LineageGraph>;
    }
    ArtifactCheckout {
        async fn plan(&self) -> Result<PlanSummary>;
        async fn run(self) -> Result<(DownloadedArtifact, Vec<Removal>)>;
    }
}
