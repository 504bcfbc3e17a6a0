//! Projects.

use wandb_core::Result;
use wandb_core::page::{ItemStream, Pages};

use super::{Reports, Runs, Sweeps};
use crate::Items;
use crate::mirror::mirror;

mirror! {
    Project {
        fn runs(&self, api: &wandb_models::Api) -> Runs;
        fn reports(&self, api: &wandb_models::Api) -> Reports;
        fn sweeps(&self, api: &wandb_models::Api) -> Sweeps;
    }
    Projects {
        fn page_size(self, size: u32) -> Self;
        fn limit(self, limit: u64) -> Self;
        fn pages(self) -> Result<Items<Pages<'static, wandb_models::Project>>>;
        fn stream(self) -> Items<ItemStream<'static, wandb_models::Project>>;
    }
}
