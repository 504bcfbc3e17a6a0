//! History and system metrics of one run (protocol §2.9).

use super::runs::RunVariablesFields;
use crate::{
    scalars::{Int64, Json, JsonString},
    schema,
};

/// `RunHistoryKeys`: which keys were logged, and how far.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunVariables")]
pub struct RunHistoryKeys {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<HistoryKeysProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunVariables")]
pub struct HistoryKeysProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<HistoryKeysRun>,
}

/// The extent of a run's history.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run")]
pub struct HistoryKeysRun {
    /// The keys, `null` without history.
    pub history_keys: Option<Json>,
    /// How many rows there are.
    pub history_line_count: Option<i32>,
}

/// Variables of [`HistoryPage`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct HistoryPageVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub name: String,
    /// The first step.
    pub min_step: Option<Int64>,
    /// The step behind the last.
    pub max_step: Option<Int64>,
    /// How many rows at most.
    pub samples: i32,
}

/// `HistoryPage`: whole rows of a range of steps, or a sample of all rows when no range is given.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "HistoryPageVariables")]
pub struct HistoryPage {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<HistoryPageProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "HistoryPageVariables")]
pub struct HistoryPageProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<HistoryPageRun>,
}

/// The rows.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "HistoryPageVariables")]
pub struct HistoryPageRun {
    /// JSON texts, one per row.
    #[arguments(minStep: $min_step, maxStep: $max_step, samples: $samples)]
    pub history: Vec<String>,
}

/// Variables of [`SampledHistoryPage`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct SampledHistoryVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub name: String,
    /// One spec per list of rows.
    pub specs: Vec<JsonString>,
}

/// `SampledHistoryPage`: rows reduced to chosen keys, one list per spec.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "SampledHistoryVariables")]
pub struct SampledHistoryPage {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<SampledHistoryProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "SampledHistoryVariables")]
pub struct SampledHistoryProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<SampledHistoryRun>,
}

/// The lists of rows.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "SampledHistoryVariables")]
pub struct SampledHistoryRun {
    /// Raw JSON, one array of objects per spec.
    #[arguments(specs: $specs)]
    pub sampled_history: Vec<Option<Json>>,
}

/// Variables of [`RunEvents`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunEventsVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub name: String,
    /// How many rows at most.
    pub samples: i32,
}

/// `RunEvents`: a sample of the system metrics.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunEventsVariables")]
pub struct RunEvents {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<RunEventsProject>,
}

/// The run below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunEventsVariables")]
pub struct RunEventsProject {
    /// The run.
    #[arguments(name: $name)]
    pub run: Option<RunEventsRun>,
}

/// The rows.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunEventsVariables")]
pub struct RunEventsRun {
    /// JSON texts, one per row.
    #[arguments(samples: $samples)]
    pub events: Vec<String>,
}
