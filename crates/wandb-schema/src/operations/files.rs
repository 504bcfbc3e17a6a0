//! Files of one run (protocol §2.11).

use super::shared::PageInfo;
use crate::{
    scalars::{DateTime, Int64},
    schema,
};

/// Variables of [`RunFiles`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunFilesVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub name: String,
    /// Where to go on.
    pub file_cursor: Option<String>,
    /// How many at most.
    pub file_limit: i32,
    /// Only these names; an empty list means all.
    pub file_names: Option<Vec<Option<String>>>,
    /// Only names that match, in SQL's `LIKE` form.
    pub pattern: Option<String>,
}

/// `RunFiles`: one page of a run's files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunFilesVariables")]
pub struct RunFiles {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<RunFilesProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunFilesVariables")]
pub struct RunFilesProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<RunFilesRun>,
}

/// The page of files.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunFilesVariables")]
pub struct RunFilesRun {
    /// The page.
    #[arguments(names: $file_names, pattern: $pattern, first: $file_limit, after: $file_cursor)]
    pub files: Option<FileConnection>,
}

/// A page of files.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct FileConnection {
    /// One edge per file.
    pub edges: Vec<FileEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a file.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct FileEdge {
    /// The file.
    pub node: Option<File>,
}

/// A file.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct File {
    /// The opaque id.
    pub id: cynic::Id,
    /// The relative name.
    pub name: String,
    /// Where its bytes are, with credentials if it is on the API host.
    pub url: Option<String>,
    /// Where its bytes are, without credentials.
    pub direct_url: String,
    /// How many bytes.
    pub size_bytes: Int64,
    /// The media type.
    pub mimetype: Option<String>,
    /// Base64 of the MD5.
    pub md5: Option<String>,
    /// When it was last written.
    pub updated_at: Option<DateTime>,
}
