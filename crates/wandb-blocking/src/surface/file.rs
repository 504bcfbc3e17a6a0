//! Files of a run.

use bytes::Bytes;
use wandb_core::Result;
use wandb_core::page::{ItemStream, Pages};
use wandb_models::{DownloadOptions, Downloaded};

use crate::Items;
use crate::mirror::{mirror, plain};

plain!(Bytes, Downloaded);

mirror! {
    File {
        async fn download(&self, options: &DownloadOptions) -> Result<Downloaded>;
        async fn bytes(&self, limit: usize) -> Result<Bytes>;
        async fn delete(&self) -> Result<()>;
    }
    Files {
        fn names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn pattern(self, pattern: impl Into<String>) -> Self;
        fn page_size(self, size: u32) -> Self;
        fn limit(self, limit: u64) -> Self;
        fn pages(self) -> Result<Items<Pages<'static, wandb_models::File>>>;
        fn stream(self) -> Items<ItemStream<'static, wandb_models::File>>;
    }
}
