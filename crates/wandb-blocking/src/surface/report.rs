//! Reports.

use wandb_core::Result;
use wandb_models::{ReportSection, RunSet};

use super::Runs;
use crate::mirror::mirror;

mirror! {
    Report {
        async fn reload(&self) -> Result<Self>;
        fn runs(&self, section: &ReportSection, only_selected: bool) -> Result<Runs>;
        fn runs_of(&self, run_set: &RunSet, only_selected: bool) -> Result<Runs>;
        fn edit(&self) -> ReportEdit;
        async fn delete(&self) -> Result<()>;
    }
    NewReport {
        fn description(self, text: impl Into<String>) -> Self;
        fn spec(self, text: impl Into<String>) -> Result<Self>;
        fn draft(self) -> Self;
        async fn save(self) -> Result<Report>;
    }
    ReportEdit {
        fn display_name(self, title: impl Into<String>) -> Self;
        fn description(self, text: impl Into<String>) -> Self;
        fn spec(self, text: impl Into<String>) -> Result<Self>;
        fn if_unchanged(self) -> Self;
        async fn save(self) -> Result<Report>;
    }
    Reports {
        fn name(self, name: impl Into<String>) -> Self;
        fn drafts(self) -> Self;
    }
}
