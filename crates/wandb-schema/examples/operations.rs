//! Prints the document of every operation of this crate, for `cargo xtask schema check`.
//!
//! The check counts the root fragments in `src/operations` and fails when one is missing here.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::HashSet;

use cynic::queries::{OperationType, build_executable_document};
use wandb_schema::operations::{
    console, file_writes, files, history, people, projects, reports, run_writes, runs, server, sweeps, viewer,
};

macro_rules! queries {
    ($($module:ident :: $name:ident ($variables:ty)),* $(,)?) => {
        $(print_document::<$module::$name, $variables>(OperationType::Query, stringify!($name));)*
    };
}

macro_rules! mutations {
    ($($module:ident :: $name:ident ($variables:ty)),* $(,)?) => {
        $(print_document::<$module::$name, $variables>(OperationType::Mutation, stringify!($name));)*
    };
}

fn main() {
    queries! {
        console::RunConsoleLogPage(console::RunConsoleLogPageVariables),
        console::RunConsoleLogTail(console::RunConsoleLogTailVariables),
        file_writes::ProjectInternalId(file_writes::ProjectInternalIdVariables),
        files::RunFiles(files::RunFilesVariables),
        history::RunHistoryKeys(runs::RunVariables),
        history::HistoryPage(history::HistoryPageVariables),
        history::SampledHistoryPage(history::SampledHistoryVariables),
        history::RunEvents(history::RunEventsVariables),
        people::SearchUsers(people::SearchUsersVariables),
        people::GetViewerUser(()),
        people::GetTeamEntity(people::GetTeamEntityVariables),
        projects::GetProjects(projects::GetProjectsVariables),
        projects::GetProject(projects::GetProjectVariables),
        reports::ProjectViews(reports::ProjectViewsVariables),
        reports::GetView(reports::GetViewVariables),
        run_writes::RunRevision(runs::RunVariables),
        run_writes::RunForUpdate(runs::RunVariables),
        run_writes::RunState(runs::RunVariables),
        runs::Runs(runs::RunsVariables),
        runs::Run(runs::RunsVariables),
        runs::RunCount(runs::RunCountVariables),
        server::ServerFeaturesQuery(()),
        sweeps::GetSweeps(sweeps::GetSweepsVariables),
        sweeps::GetSweep(sweeps::SweepVariables),
        sweeps::GetSweepLegacy(sweeps::SweepVariables),
        sweeps::GetSweepAgents(sweeps::SweepVariables),
        sweeps::GetAgentRuns(sweeps::AgentRunsVariables),
        viewer::GetViewer(()),
    }
    mutations! {
        file_writes::CreateRunFiles(file_writes::CreateRunFilesVariables),
        file_writes::MarkRunFilesUploaded(file_writes::MarkRunFilesUploadedVariables),
        file_writes::DeleteFiles(file_writes::DeleteFilesVariables),
        people::CreateTeam(people::CreateTeamVariables),
        people::CreateInvite(people::CreateInviteVariables),
        people::DeleteInvite(people::DeleteInviteVariables),
        people::CreateServiceAccount(people::CreateServiceAccountVariables),
        people::GenerateApiKey(people::GenerateApiKeyVariables),
        people::DeleteApiKey(people::DeleteApiKeyVariables),
        projects::CreateProject(projects::CreateProjectVariables),
        reports::UpsertView(reports::UpsertViewVariables),
        reports::DeleteView(reports::DeleteViewVariables),
        run_writes::UpsertBucket(run_writes::UpsertBucketVariables),
        run_writes::WbPatchRun(run_writes::WbPatchRunVariables),
        run_writes::DeleteRun(run_writes::DeleteRunVariables),
        run_writes::StopRun(run_writes::StopRunVariables),
        run_writes::UpdateRunState(run_writes::UpdateRunStateVariables),
        sweeps::UpsertSweep(sweeps::UpsertSweepVariables),
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
