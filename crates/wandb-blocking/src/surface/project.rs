//! Projects.

use wandb_core::Result;

use super::{Reports, Runs, Sweeps};
use crate::mirror::mirror;

mirror! {
    Project {
        async fn delete(&self, api: &wandb_models::Api) -> Result<()>;
        fn runs(&self, api: &wandb_models::Api) -> Runs;
        fn reports(&self, api: &wandb_models::Api) -> Reports;
        fn sweeps(&self, api: &wandb_models::Api) -> Sweeps;
    }
    Projects {}
}
