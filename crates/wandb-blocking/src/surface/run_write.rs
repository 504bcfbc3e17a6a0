//! Runs: writing, and the lines of the console.

use wandb_core::Result;
use wandb_core::value::Value;
use wandb_models::ConsoleLogLine;

use super::Run;
use crate::mirror::{mirror, plain};

plain!(ConsoleLogLine);

mirror! {
    ConsoleLogs {
        fn last(self, lines: u32) -> Self;
    }
    NewRun {
        fn id(self, id: impl Into<String>) -> Self;
        fn display_name(self, name: impl Into<String>) -> Self;
        fn config(self, key: impl Into<String>, value: impl Into<Value>) -> Self;
        fn summary(self, key: impl Into<String>, value: impl Into<Value>) -> Self;
        fn tag(self, tag: impl Into<String>) -> Self;
        fn notes(self, text: impl Into<String>) -> Self;
        fn group(self, name: impl Into<String>) -> Self;
        fn job_type(self, name: impl Into<String>) -> Self;
        fn sweep(self, id: impl Into<String>) -> Self;
        fn pending(self) -> Self;
        async fn create(self) -> Result<Run>;
    }
    RunEdit {
        fn config(self, key: impl Into<String>, value: impl Into<Value>) -> Self;
        fn config_path(self, path: impl IntoIterator<Item = impl Into<String>>, value: impl Into<Value>) -> Self;
        fn remove_config(self, path: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn summary(self, key: impl Into<String>, value: impl Into<Value>) -> Self;
        fn summary_path(self, path: impl IntoIterator<Item = impl Into<String>>, value: impl Into<Value>) -> Self;
        fn remove_summary(self, path: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn add_tag(self, tag: impl Into<String>) -> Self;
        fn remove_tag(self, tag: impl Into<String>) -> Self;
        fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn notes(self, text: impl Into<String>) -> Self;
        fn display_name(self, name: impl Into<String>) -> Self;
        fn group(self, name: impl Into<String>) -> Self;
        fn job_type(self, name: impl Into<String>) -> Self;
        fn if_unchanged(self) -> Self;
        async fn save(self) -> Result<Run>;
    }
    RunSummary {
        async fn commit(&mut self) -> Result<Run>;
    }
}
