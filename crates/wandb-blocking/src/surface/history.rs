//! History.

use wandb_core::Result;
use wandb_core::page::ItemStream;
use wandb_models::{HistoryRow, HistoryStream, RowBatch, SampledHistory};

use crate::Items;
use crate::blocking::next_of;
use crate::mirror::{mirror, plain};

plain!(HistoryRow, RowBatch, SampledHistory);

mirror! {
    History {
        fn samples(self, samples: u32) -> Self;
        fn keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn x_axis(self, key: impl Into<String>) -> Self;
        fn stream(self, stream: HistoryStream) -> Self;
        async fn load(self) -> Result<SampledHistory>;
    }
    Scan {
        fn all_keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn any_keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn page_size(self, size: u32) -> Self;
        fn min_step(self, step: i64) -> Self;
        fn max_step(self, step: i64) -> Self;
        fn concurrency(self, requests: usize) -> Self;
        async fn start(self) -> Result<ScanStream>;
        fn rows(self) -> Items<ItemStream<'static, HistoryRow>>;
    }
    ScanStream {
        fn rows(self) -> Items<ItemStream<'static, HistoryRow>>;
    }
}

/// The batches, in step order.
impl Iterator for ScanStream {
    type Item = Result<RowBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        next_of(&mut self.inner, &self.runtime)
    }
}
