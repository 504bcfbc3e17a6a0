//! Prints the document of every operation of this crate, for `cargo xtask schema check`.
//!
//! The check counts the root fragments in `src/operations` and fails when one is missing here.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::HashSet;

use cynic::queries::{OperationType, build_executable_document};
use wandb_schema::operations::{files, history, projects, runs, server, viewer};

macro_rules! queries {
    ($($module:ident :: $name:ident ($variables:ty)),* $(,)?) => {
        $(print_document::<$module::$name, $variables>(OperationType::Query, stringify!($name));)*
    };
}

fn main() {
    queries! {
        files::RunFiles(files::RunFilesVariables),
        history::RunHistoryKeys(runs::RunVariables),
        history::HistoryPage(history::HistoryPageVariables),
        history::SampledHistoryPage(history::SampledHistoryVariables),
        history::RunEvents(history::RunEventsVariables),
        projects::GetProjects(projects::GetProjectsVariables),
        projects::GetProject(projects::GetProjectVariables),
        runs::Runs(runs::RunsVariables),
        runs::Run(runs::RunsVariables),
        runs::RunCount(runs::RunCountVariables),
        server::ServerFeaturesQuery(()),
        viewer::GetViewer(()),
    }
}

fn print_document<Fragment, Variables>(kind: OperationType, name: &str)
where
    // The variables must be those that the fragment is made for.
    Fragment: cynic::QueryFragment<VariablesFields = Variables::Fields>,
    Variables: cynic::QueryVariables,
{
    println!(
        "{}",
        build_executable_document::<Fragment, Variables>(kind, Some(name), HashSet::new(), None)
    );
}
