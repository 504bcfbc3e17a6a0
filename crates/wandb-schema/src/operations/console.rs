//! Console lines of a run (protocol §2.7, inventory §1.14).

use super::shared::PageInfo;
use crate::{scalars::DateTime, schema};

/// Variables of [`RunConsoleLogPage`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunConsoleLogPageVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub run_name: String,
    /// How many at most.
    pub first: i32,
    /// Where to go on.
    pub after: Option<String>,
}

/// `RunConsoleLogPage`: one page of console lines.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunConsoleLogPageVariables")]
pub struct RunConsoleLogPage {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ConsoleLogPageProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunConsoleLogPageVariables")]
pub struct ConsoleLogPageProject {
    /// The run.
    #[arguments(name: $run_name)]
    pub run: Option<ConsoleLogPageRun>,
}

/// The lines.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunConsoleLogPageVariables")]
pub struct ConsoleLogPageRun {
    /// The page.
    #[arguments(first: $first, after: $after, useImprovedPagination: true)]
    pub log_lines: Option<LogLineConnection>,
}

/// Variables of [`RunConsoleLogTail`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunConsoleLogTailVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub run_name: String,
    /// How many at most.
    pub last: i32,
}

/// `RunConsoleLogTail`: the last console lines.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunConsoleLogTailVariables")]
pub struct RunConsoleLogTail {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ConsoleLogTailProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunConsoleLogTailVariables")]
pub struct ConsoleLogTailProject {
    /// The run.
    #[arguments(name: $run_name)]
    pub run: Option<ConsoleLogTailRun>,
}

/// The lines.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunConsoleLogTailVariables")]
pub struct ConsoleLogTailRun {
    /// The lines.
    #[arguments(last: $last)]
    pub log_lines: Option<LogLineConnection>,
}

/// Console lines.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct LogLineConnection {
    /// One edge per line.
    pub edges: Vec<LogLineEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a line.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct LogLineEdge {
    /// The line.
    pub node: LogLine,
}

/// A console line.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct LogLine {
    /// Its number.
    pub number: Option<i32>,
    /// When it was written.
    pub timestamp: Option<DateTime>,
    /// `error` for the error stream.
    pub level: Option<String>,
    /// Which process wrote it.
    pub label: Option<String>,
    /// The text.
    pub line: Option<String>,
}
