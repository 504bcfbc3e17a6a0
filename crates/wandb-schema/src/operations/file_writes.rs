//! Uploading and deleting files of a run (protocol §2.11).

use crate::schema;

/// The files that [`CreateRunFiles`] announces.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct CreateRunFilesInput {
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The run id.
    pub run_name: String,
    /// The names.
    pub files: Vec<String>,
}

/// Variables of [`CreateRunFiles`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct CreateRunFilesVariables {
    /// The files.
    pub input: CreateRunFilesInput,
}

/// `CreateRunFiles`: where to put the bytes of files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "CreateRunFilesVariables")]
pub struct CreateRunFiles {
    /// Where.
    #[arguments(input: $input)]
    pub create_run_files: Option<CreateRunFilesPayload>,
}

/// Where to put the bytes.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct CreateRunFilesPayload {
    /// The run's opaque id; empty when there is no such run.
    #[cynic(rename = "runID")]
    pub run_id: cynic::Id,
    /// `Name:Value`, for every upload.
    pub upload_headers: Vec<String>,
    /// As many as were asked for.
    pub files: Vec<CreatedFile>,
}

/// Where to put the bytes of one file.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "File")]
pub struct CreatedFile {
    /// The name.
    pub name: String,
    /// Where to.
    pub upload_url: Option<String>,
}

/// The files that [`MarkRunFilesUploaded`] is about.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct MarkRunFilesUploadedInput {
    /// The entity.
    pub entity_name: String,
    /// The project.
    pub project_name: String,
    /// The run id.
    pub run_name: String,
    /// The names.
    pub files: Vec<String>,
}

/// Variables of [`MarkRunFilesUploaded`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct MarkRunFilesUploadedVariables {
    /// The files.
    pub input: MarkRunFilesUploadedInput,
}

/// `MarkRunFilesUploaded`: says that the bytes are there.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "MarkRunFilesUploadedVariables")]
pub struct MarkRunFilesUploaded {
    /// Whether it was taken down.
    #[arguments(input: $input)]
    pub mark_run_files_uploaded: Option<MarkRunFilesUploadedPayload>,
}

/// Whether it was taken down.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct MarkRunFilesUploadedPayload {
    /// Whether it was taken down.
    pub success: bool,
}

/// Variables of [`ProjectInternalId`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct ProjectInternalIdVariables {
    /// The project's name.
    pub name: String,
    /// The entity.
    pub entity: Option<String>,
}

/// `ProjectInternalId`: the number by which [`DeleteFiles`] names the project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "ProjectInternalIdVariables")]
pub struct ProjectInternalId {
    /// The project.
    #[arguments(name: $name, entityName: $entity)]
    pub project: Option<InternalIdProject>,
}

/// The number of a project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project")]
pub struct InternalIdProject {
    /// Base64 of `ProjectInternalId:<n>`.
    pub internal_id: cynic::Id,
}

/// The files that [`DeleteFiles`] deletes.
#[derive(cynic::InputObject, Debug, Clone)]
pub struct DeleteFilesInput {
    /// The opaque ids.
    pub files: Vec<cynic::Id>,
    /// The project's number.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<i32>,
}

/// Variables of [`DeleteFiles`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct DeleteFilesVariables {
    /// The files.
    pub input: DeleteFilesInput,
}

/// `DeleteFiles`: deletes files of a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "DeleteFilesVariables")]
pub struct DeleteFiles {
    /// Whether they are gone.
    #[arguments(input: $input)]
    pub delete_files: Option<DeleteFilesPayload>,
}

/// Whether they are gone.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct DeleteFilesPayload {
    /// Whether they are gone.
    pub success: bool,
}
