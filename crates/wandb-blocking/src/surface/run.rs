//! Runs.

use wandb_core::Result;
use wandb_core::filter::Filter;
use wandb_core::order::Order;
use wandb_core::page::{ItemStream, Pages};
use wandb_models::{ListingReport, Selection};

use super::{File, Files, History, RunArtifacts, Scan, UsedArtifacts};
use crate::Items;
use crate::mirror::{mirror, plain};

plain!(ListingReport);

mirror! {
    Run {
        by_hand reference;
        async fn reload(&self) -> Result<Self>;
        fn history(&self) -> History;
        fn scan_history(&self) -> Scan;
        async fn last_history_step(&self) -> Result<Option<i64>>;
        fn files(&self) -> Files;
        async fn file(&self, name: &str) -> Result<File>;
        fn logged_artifacts(&self) -> RunArtifacts;
        fn used_artifacts(&self) -> UsedArtifacts;
        async fn use_artifact(&self, artifact: &wandb_models::Artifact, use_as: Option<&str>) -> Result<()>;
        async fn log_artifact(&self, artifact: &wandb_models::Artifact, aliases: impl IntoIterator<Item = impl AsRef<str> + Send> + Send) -> Result<()>;
    }
    RunReference {
        async fn load(&self) -> Result<Run>;
        fn history(&self) -> History;
        fn scan_history(&self) -> Scan;
        async fn last_history_step(&self) -> Result<Option<i64>>;
        fn files(&self) -> Files;
        async fn file(&self, name: &str) -> Result<File>;
        fn logged_artifacts(&self) -> RunArtifacts;
        fn used_artifacts(&self) -> UsedArtifacts;
        async fn use_artifact(&self, artifact: &wandb_models::Artifact, use_as: Option<&str>) -> Result<()>;
        async fn log_artifact(&self, artifact: &wandb_models::Artifact, aliases: impl IntoIterator<Item = impl AsRef<str> + Send> + Send) -> Result<()>;
    }
    Runs {
        fn filter(self, filter: Filter) -> Self;
        fn order(self, order: Order) -> Self;
        fn page_size(self, size: u32) -> Self;
        fn limit(self, limit: u64) -> Self;
        fn select(self, selection: Selection) -> Self;
        async fn count(&self) -> Result<u64>;
        fn pages(self) -> Result<Items<Pages<'static, wandb_models::Run>>>;
        fn stream(self) -> Items<ItemStream<'static, wandb_models::Run>>;
        async fn collect_exactly_once(self) -> Result<(Vec<Run>, ListingReport)>;
    }
}

impl Run {
    /// As [`Run::reference`](wandb_models::Run::reference).
    pub fn reference(&self) -> RunReference {
        crate::Blocking {
            inner: self.inner.reference().clone(),
            runtime: self.runtime.clone(),
        }
    }
}
