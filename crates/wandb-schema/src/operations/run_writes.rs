//! Writing runs (protocol §2.7).

use super::runs::RunVariablesFields;
use crate::{
    scalars::{DateTime, JsonString},
    schema,
};

/// What [`UpsertBucket`] creates or changes. A missing member stays as it is.
#[derive(cynic::InputObject, Debug, Clone, Default)]
pub struct UpsertBucketInput {
    /// The opaque storage id of the run to change.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The run id, of one that is created.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The project.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// The entity.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub entity_name: Option<String>,
    /// The group.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// The description.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name that users see.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The notes.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The whole config, wrapped.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub config: Option<JsonString>,
    /// The job type.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// The state.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The sweep id.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
    /// All tags.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The whole summary.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub summary_metrics: Option<JsonString>,
}

/// Variables of [`UpsertBucket`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpsertBucketVariables {
    /// What to create or change.
    pub input: UpsertBucketInput,
}

/// `UpsertBucket`: creates a run, or changes one.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpsertBucketVariables")]
pub struct UpsertBucket {
    /// What became of it.
    #[arguments(input: $input)]
    pub upsert_bucket: Option<UpsertBucketPayload>,
}

/// What became of it.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpsertBucketPayload {
    /// The run.
    pub bucket: Option<UpsertedRun>,
    /// Whether it is new.
    pub inserted: Option<bool>,
}

/// The run that was written.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run")]
pub struct UpsertedRun {
    /// The run id.
    pub name: String,
    /// The project that it went to.
    pub project: Option<UpsertedRunProject>,
}

/// Where a run went.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project")]
pub struct UpsertedRunProject {
    /// The project's name.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
}

/// Changes of single members of a run; see the schema for how they are applied.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct WbPatchRunInput {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// What is merged into the config, wrapped.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub config_patch: Option<JsonString>,
    /// What is merged into the summary.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub summary_patch: Option<JsonString>,
    /// Paths to remove from the config first, each a JSON array.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub remove_config_keys: Option<Vec<String>>,
    /// Paths to remove from the summary first.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub remove_summary_keys: Option<Vec<String>>,
    /// Tags to add.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub add_tags: Option<Vec<String>>,
    /// Tags to remove first.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub remove_tags: Option<Vec<String>>,
    /// The name that users see.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The notes.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The group.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// The job type.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// The revision that the run must still have.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub if_unchanged_token: Option<String>,
}

/// Variables of [`WbPatchRun`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct WbPatchRunVariables {
    /// The changes.
    pub input: WbPatchRunInput,
}

/// `WbPatchRun`: changes single members of a run (embedded server).
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "WbPatchRunVariables")]
pub struct WbPatchRun {
    /// What became of it.
    #[arguments(input: $input)]
    pub wb_patch_run: Option<WbPatchRunPayload>,
}

/// What became of it.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct WbPatchRunPayload {
    /// The new revision.
    pub revision: Option<String>,
}

/// `RunRevision`: what of a run can be written, with its revision (embedded server).
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunVariables")]
pub struct RunRevision {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<RevisionProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunVariables")]
pub struct RevisionProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<RevisionRun>,
}

/// What of a run can be written, with its revision.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run")]
pub struct RevisionRun {
    /// The revision.
    pub wb_revision: Option<String>,
    /// The rest.
    #[cynic(spread)]
    pub run: WritableRun,
}

/// `RunForUpdate`: what of a run can be written.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunVariables")]
pub struct RunForUpdate {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<RunForUpdateProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunVariables")]
pub struct RunForUpdateProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<WritableRun>,
}

/// What of a run can be written.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run")]
pub struct WritableRun {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// The name that users see.
    pub display_name: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// The job type.
    pub job_type: Option<String>,
    /// The notes.
    pub notes: Option<String>,
    /// The tags.
    pub tags: Option<Vec<String>>,
    /// The config, wrapped.
    pub config: Option<JsonString>,
    /// The summary.
    pub summary_metrics: Option<JsonString>,
}

/// `RunState`: the state of a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunVariables")]
pub struct RunState {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<RunStateProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunVariables")]
pub struct RunStateProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<RunStateRun>,
}

/// The state of a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run")]
pub struct RunStateRun {
    /// The state.
    pub state: Option<String>,
    /// When it was last heard of.
    pub heartbeat_at: Option<DateTime>,
}

/// What [`DeleteRun`] deletes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteRunInput {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// Whether the artifacts that it logged go, too; not sent unless wanted (protocol §2.7).
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub delete_artifacts: Option<bool>,
}

/// Variables of [`DeleteRun`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteRunVariables {
    /// What to delete.
    pub input: DeleteRunInput,
}

/// `DeleteRun`: deletes a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteRunVariables")]
pub struct DeleteRun {
    /// Nothing of interest.
    #[arguments(input: $input)]
    pub delete_run: Option<DeleteRunPayload>,
}

/// Nothing of interest.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteRunPayload {
    /// What was sent.
    pub client_mutation_id: Option<String>,
}

/// What [`StopRun`] stops.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct StopRunInput {
    /// The opaque storage id.
    pub id: cynic::Id,
}

/// Variables of [`StopRun`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct StopRunVariables {
    /// What to stop.
    pub input: StopRunInput,
}

/// `StopRun`: asks a run's process to stop.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "StopRunVariables")]
pub struct StopRun {
    /// Whether the wish was taken down.
    #[arguments(input: $input)]
    pub stop_run: Option<StopRunPayload>,
}

/// Whether the wish was taken down.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct StopRunPayload {
    /// Whether the wish was taken down.
    pub success: Option<bool>,
}

/// What [`UpdateRunState`] changes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct UpdateRunStateInput {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// The new state.
    pub state: String,
}

/// Variables of [`UpdateRunState`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpdateRunStateVariables {
    /// What to change.
    pub input: UpdateRunStateInput,
}

/// `UpdateRunState`: sets the state of a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpdateRunStateVariables")]
pub struct UpdateRunState {
    /// Whether it was set.
    #[arguments(input: $input)]
    pub update_run_state: Option<UpdateRunStatePayload>,
}

/// Whether it was set.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpdateRunStatePayload {
    /// Whether it was set.
    pub success: bool,
}
