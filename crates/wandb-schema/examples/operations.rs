//! Prints the document of every operation of this crate, for `cargo xtask schema check`.
//!
//! The check counts the root fragments in `src/operations` and fails when one is missing here.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::HashSet;

use cynic::queries::{OperationType, build_executable_document};
use wandb_schema::operations::{
    artifact_collection_writes, artifact_collections, artifact_files, artifact_lineage, artifact_types,
    artifact_uploads, artifact_writes, artifacts, console, file_writes, files, history, people, projects,
    reports, run_writes, runs, server, sweeps, viewer,
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
        artifact_collections::ArtifactTypeArtifactCollections(artifact_collections::CollectionsVariables),
        artifact_collections::ProjectArtifactCollections(artifact_collections::CollectionsVariables),
        artifact_collections::ProjectArtifactCollection(artifact_collections::CollectionVariables),
        artifact_collections::ArtifactCollectionAliases(artifact_collections::CollectionAliasesVariables),
        artifact_files::FetchArtifactManifest(artifacts::ArtifactIdVariables),
        artifact_files::GetArtifactMembershipFileUrls(artifact_files::MembershipFilesVariables),
        artifact_files::ArtifactMembershipFiles(artifact_files::MembershipFilesVariables),
        artifact_lineage::ArtifactCreatedBy(artifacts::ArtifactIdVariables),
        artifact_lineage::ArtifactUsedBy(artifacts::ArtifactPageVariables),
        artifact_lineage::LineageArtifacts(artifact_lineage::LineageArtifactsVariables),
        artifact_lineage::LineageRuns(artifact_lineage::LineageRunsVariables),
        artifact_types::ProjectArtifactTypes(artifact_types::ProjectArtifactTypesVariables),
        artifact_types::ProjectArtifactType(artifact_types::ProjectArtifactTypeVariables),
        artifacts::ArtifactMembershipByName(artifacts::ArtifactNameVariables),
        artifacts::ArtifactByDigest(artifacts::ArtifactNameVariables),
        artifacts::ArtifactByID(artifacts::ArtifactIdVariables),
        artifacts::ProjectArtifacts(artifacts::ProjectArtifactsVariables),
        artifacts::ProjectArtifactCount(artifacts::ProjectArtifactsVariables),
        artifacts::RunOutputArtifacts(artifacts::RunArtifactsVariables),
        artifacts::RunInputArtifacts(artifacts::RunArtifactsVariables),
        artifacts::FetchLinkedArtifacts(artifacts::ArtifactPageVariables),
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
        sweeps::GetAgentRuns(runs::RunsVariables),
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
        projects::DeleteProject(projects::DeleteProjectVariables),
        reports::UpsertView(reports::UpsertViewVariables),
        reports::DeleteView(reports::DeleteViewVariables),
        run_writes::UpsertBucket(run_writes::UpsertBucketVariables),
        run_writes::WbPatchRun(run_writes::WbPatchRunVariables),
        run_writes::DeleteRun(run_writes::DeleteRunVariables),
        run_writes::StopRun(run_writes::StopRunVariables),
        run_writes::UpdateRunState(run_writes::UpdateRunStateVariables),
        sweeps::UpsertSweep(sweeps::UpsertSweepVariables),
        artifact_uploads::CreateArtifact(artifact_uploads::CreateArtifactVariables),
        artifact_uploads::CreateArtifactManifest(artifact_uploads::CreateArtifactManifestVariables),
        artifact_uploads::UpdateArtifactManifest(artifact_uploads::UpdateArtifactManifestVariables),
        artifact_uploads::CreateArtifactFiles(artifact_uploads::CreateArtifactFilesVariables),
        artifact_uploads::CompleteMultipartUploadArtifact(artifact_uploads::CompleteMultipartVariables),
        artifact_uploads::CommitArtifact(artifact_uploads::CommitArtifactVariables),
        artifact_writes::UpdateArtifact(artifact_writes::UpdateArtifactVariables),
        artifact_writes::AddAliases(artifact_writes::AddAliasesVariables),
        artifact_writes::DeleteAliases(artifact_writes::DeleteAliasesVariables),
        artifact_writes::DeleteArtifact(artifact_writes::DeleteArtifactVariables),
        artifact_writes::LinkArtifact(artifact_writes::LinkArtifactVariables),
        artifact_writes::UnlinkArtifact(artifact_writes::UnlinkArtifactVariables),
        artifact_writes::UseArtifact(artifact_writes::UseArtifactVariables),
        artifact_collection_writes::UpdateArtifactSequence(artifact_collection_writes::UpdateArtifactSequenceVariables),
        artifact_collection_writes::UpdateArtifactPortfolio(artifact_collection_writes::UpdateArtifactPortfolioVariables),
        artifact_collection_writes::MoveArtifactSequence(artifact_collection_writes::MoveArtifactSequenceVariables),
        artifact_collection_writes::DeleteArtifactSequence(artifact_collection_writes::DeleteArtifactSequenceVariables),
        artifact_collection_writes::DeleteArtifactPortfolio(artifact_collection_writes::DeleteArtifactPortfolioVariables),
        artifact_collection_writes::CreateArtifactCollectionTagAssignments(artifact_collection_writes::AddCollectionTagsVariables),
        artifact_collection_writes::DeleteArtifactCollectionTagAssignments(artifact_collection_writes::DeleteCollectionTagsVariables),
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
