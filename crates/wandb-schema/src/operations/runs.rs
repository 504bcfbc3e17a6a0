//! Runs (protocol §2.7).

use super::shared::{PageInfo, UserSummary};
use crate::{
    scalars::{DateTime, Json, JsonString},
    schema,
};

/// Variables of [`Runs`] and [`Run`]. One type serves both, so that both can share the fragment [`RunNode`]; a document
/// declares only the variables that it uses.
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunsVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id; empty for a listing.
    #[cynic(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
    /// The sort keys.
    pub order: Option<String>,
    /// The filter, Mongo-style.
    pub filters: Option<JsonString>,
    /// The config keys wanted; `null` for all.
    pub config_keys: Option<Vec<String>>,
    /// The summary keys wanted; `null` for all.
    pub summary_keys: Option<Vec<String>>,
    /// Whether config is wanted at all.
    pub with_config: bool,
    /// Whether the summary is wanted at all.
    pub with_summary: bool,
    /// Whether system metrics are wanted.
    pub with_system_metrics: bool,
    /// Whether history keys are wanted.
    pub with_history_keys: bool,
    /// The sweep id; empty for anything but the runs of an agent.
    #[cynic(skip_serializing_if = "String::is_empty")]
    pub sweep: String,
    /// The agent's name.
    #[cynic(skip_serializing_if = "String::is_empty")]
    pub agent: String,
}

/// `Runs`: one page of a project's runs.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunsVariables")]
pub struct Runs {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectRuns>,
}

/// A page of runs, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunsVariables")]
pub struct ProjectRuns {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The page.
    #[arguments(filters: $filters, order: $order, first: $per_page, after: $cursor)]
    pub runs: Option<RunConnection>,
}

/// A page of runs.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(variables = "RunsVariables")]
pub struct RunConnection {
    /// One edge per run.
    pub edges: Vec<RunEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a run.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(variables = "RunsVariables")]
pub struct RunEdge {
    /// The run.
    pub node: RunNode,
}

/// A run with the parts that were asked for.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Run", variables = "RunsVariables")]
pub struct RunNode {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// The run id.
    pub name: String,
    /// The name that users see.
    pub display_name: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// The sweep's id.
    pub sweep_name: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// The job type.
    pub job_type: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The host that it ran on.
    pub host: Option<String>,
    /// Whether the key may only read it.
    pub read_only: Option<bool>,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was last heard of.
    pub heartbeat_at: Option<DateTime>,
    /// When it was last changed.
    pub updated_at: Option<DateTime>,
    /// The description.
    pub description: Option<String>,
    /// The notes.
    pub notes: Option<String>,
    /// The tags.
    pub tags: Option<Vec<String>>,
    /// How many history rows it has.
    pub history_line_count: Option<i32>,
    /// Whose it is; `null` for accounts that are gone.
    pub user: Option<UserSummary>,
    /// The config, wrapped.
    #[arguments(keys: $config_keys)]
    #[directives(include(if: $with_config))]
    pub config: Option<JsonString>,
    /// The summary.
    #[arguments(keys: $summary_keys)]
    #[directives(include(if: $with_summary))]
    pub summary_metrics: Option<JsonString>,
    /// The latest system metrics.
    #[directives(include(if: $with_system_metrics))]
    pub system_metrics: Option<JsonString>,
    /// The keys of the history.
    #[directives(include(if: $with_history_keys))]
    pub history_keys: Option<Json>,
}

/// Variables of operations on one run.
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The run id.
    pub name: String,
}

/// `Run`: one run, with the parts that were asked for.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunsVariables")]
pub struct Run {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectRun>,
}

/// One run, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunsVariables")]
pub struct ProjectRun {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The run, `null` when there is none.
    #[arguments(name: $name)]
    pub run: Option<RunNode>,
}

/// Variables of [`RunCount`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct RunCountVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The filter, Mongo-style.
    pub filters: Option<JsonString>,
}

/// `RunCount`: how many runs match a filter.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunCountVariables")]
pub struct RunCount {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectRunCount>,
}

/// The count, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunCountVariables")]
pub struct ProjectRunCount {
    /// The count.
    #[arguments(filters: $filters)]
    pub run_count: i32,
}

#[cfg(test)]
mod tests {
    use cynic::QueryBuilder;

    use super::*;

    #[test]
    fn a_listing_asks_only_for_the_parts_wanted() {
        let operation = Runs::build(RunsVariables {
            project: "p".into(),
            entity: None,
            name: String::new(),
            cursor: None,
            per_page: 5,
            order: None,
            filters: None,
            config_keys: Some(vec!["lr".into()]),
            summary_keys: None,
            with_config: true,
            with_summary: false,
            with_system_metrics: false,
            with_history_keys: false,
            sweep: String::new(),
            agent: String::new(),
        });
        assert_eq!(operation.operation_name.as_deref(), Some("Runs"));
        assert!(
            operation
                .query
                .contains("config(keys: $configKeys) @include(if: $withConfig)"),
            "{}",
            operation.query
        );
        let variables = serde_json::to_value(&operation.variables).unwrap();
        assert_eq!(variables["configKeys"], serde_json::json!(["lr"]));
        assert_eq!(variables["withSummary"], false);
        // The shared variables type does not leak one operation's variables into the other.
        assert!(
            variables.get("name").is_none() && !operation.query.contains("$name"),
            "{}",
            operation.query
        );
    }

    #[test]
    fn a_run_without_the_skipped_parts_is_read() {
        let answer = serde_json::json!({"project": {"name": "p", "entityName": "e", "runs": {
            "edges": [{"node": {"id": "1", "name": "r", "displayName": null, "state": "never seen", "sweepName": null,
                "group": null, "jobType": null, "commit": null, "host": null, "readOnly": null, "createdAt": "2024-05-01T12:34:56",
                "heartbeatAt": null, "updatedAt": null, "description": null, "notes": null, "tags": null, "historyLineCount": null,
                "user": null, "config": "{\"a\": NaN}", "unknownField": 1}}],
            "pageInfo": {"hasNextPage": false, "endCursor": null}}}});
        let page: Runs = serde_json::from_value(answer).unwrap();
        let run = page.project.unwrap().runs.unwrap().edges.remove(0).node;
        assert_eq!(run.config.unwrap().0, "{\"a\": NaN}");
        assert!(run.summary_metrics.is_none());
    }

    #[test]
    fn a_whole_run_is_read_with_its_history_keys() {
        let answer = r#"{"project": {"name": "p", "entityName": "e", "run": {"id": "1", "name": "r",
            "displayName": null, "state": "finished", "sweepName": null, "group": null, "jobType": null, "commit": null,
            "host": null, "readOnly": null, "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null, "updatedAt": null,
            "description": null, "notes": null, "tags": [], "historyLineCount": 4, "user": null, "config": "{}",
            "summaryMetrics": null, "systemMetrics": null, "historyKeys": {"lastStep": 3, "keys": {"a": {}}}}}}"#;
        let page: Run = serde_json::from_str(answer).unwrap();
        let run = page.project.unwrap().run.unwrap();
        assert_eq!(run.name, "r");
        assert_eq!(
            run.history_keys.unwrap().0.get(),
            r#"{"lastStep": 3, "keys": {"a": {}}}"#
        );
    }
}
