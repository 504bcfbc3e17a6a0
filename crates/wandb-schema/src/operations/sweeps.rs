//! Sweeps and their agents (protocol §2.12).

use super::{
    runs::{RunConnection, RunsVariablesFields},
    shared::PageInfo,
};
use crate::{
    scalars::{DateTime, JsonString},
    schema,
};

/// Variables of [`GetSweeps`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct GetSweepsVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub per_page: i32,
}

/// `GetSweeps`: one page of a project's sweeps.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "GetSweepsVariables")]
pub struct GetSweeps {
    /// The project, `null` when there is none.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectSweeps>,
}

/// A page of sweeps, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "GetSweepsVariables")]
pub struct ProjectSweeps {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// How many sweeps there are.
    pub total_sweeps: i32,
    /// The page.
    #[arguments(first: $per_page, after: $cursor)]
    pub sweeps: Option<SweepConnection>,
}

/// A page of sweeps.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct SweepConnection {
    /// One edge per sweep.
    pub edges: Vec<SweepEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An edge to a sweep.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct SweepEdge {
    /// The sweep.
    pub node: Sweep,
}

/// A sweep.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct Sweep {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// The sweep id.
    pub name: String,
    /// The name that users see.
    pub display_name: Option<String>,
    /// How it searches.
    pub method: String,
    /// The state.
    pub state: String,
    /// The description.
    pub description: Option<String>,
    /// The config, as YAML text.
    pub config: String,
    /// The best value of its metric so far.
    pub best_loss: Option<f64>,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was last changed.
    pub updated_at: Option<DateTime>,
    /// How many runs it has.
    pub run_count: i32,
    /// How many runs it will have, if that is known.
    pub run_count_expected: Option<i32>,
}

/// Variables of [`GetSweep`], [`GetSweepLegacy`] and [`GetSweepAgents`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct SweepVariables {
    /// The project.
    pub project: String,
    /// The entity.
    pub entity: Option<String>,
    /// The sweep id.
    pub name: String,
}

/// `GetSweep`: one sweep, `null` when there is none.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "SweepVariables")]
pub struct GetSweep {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectSweep>,
}

/// One sweep, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "SweepVariables")]
pub struct ProjectSweep {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The sweep.
    #[arguments(sweepName: $name)]
    pub sweep: Option<Sweep>,
}

/// `GetSweepLegacy`: one sweep, from a server that is too old for [`GetSweep`].
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "SweepVariables")]
pub struct GetSweepLegacy {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectSweepLegacy>,
}

/// One sweep of an old server, below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "SweepVariables")]
pub struct ProjectSweepLegacy {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The sweep.
    #[arguments(sweepName: $name)]
    pub sweep: Option<SweepLegacy>,
}

/// What old servers know of a sweep.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Sweep")]
pub struct SweepLegacy {
    /// The opaque storage id.
    pub id: cynic::Id,
    /// The sweep id.
    pub name: String,
    /// The state.
    pub state: String,
    /// The config, as YAML text.
    pub config: String,
    /// The best value of its metric so far.
    pub best_loss: Option<f64>,
}

/// `GetSweepAgents`: the agents of a sweep; the server does not page them.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "SweepVariables")]
pub struct GetSweepAgents {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<ProjectSweepAgents>,
}

/// The sweep below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "SweepVariables")]
pub struct ProjectSweepAgents {
    /// The sweep.
    #[arguments(sweepName: $name)]
    pub sweep: Option<SweepAgents>,
}

/// The agents of a sweep.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Sweep")]
pub struct SweepAgents {
    /// All of them.
    pub agents: AgentConnection,
}

/// The agents.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct AgentConnection {
    /// One edge per agent.
    pub edges: Vec<AgentEdge>,
}

/// An edge to an agent.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct AgentEdge {
    /// The agent.
    pub node: Agent,
}

/// An agent: a process that runs what the sweep suggests.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct Agent {
    /// The opaque id.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its state.
    pub state: Option<String>,
    /// How many runs it started.
    pub total_runs: i32,
    /// When it came.
    pub created_at: DateTime,
    /// When it was last heard of.
    pub heartbeat_at: Option<DateTime>,
}

/// `GetAgentRuns`: one page of an agent's runs.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Query", variables = "RunsVariables")]
pub struct GetAgentRuns {
    /// The project.
    #[arguments(name: $project, entityName: $entity)]
    pub project: Option<AgentRunsProject>,
}

/// The sweep below its project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Project", variables = "RunsVariables")]
pub struct AgentRunsProject {
    /// The project's name, as the server spells it.
    pub name: String,
    /// The entity's name.
    pub entity_name: String,
    /// The sweep.
    #[arguments(sweepName: $sweep)]
    pub sweep: Option<AgentRunsSweep>,
}

/// The agent below its sweep.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Sweep", variables = "RunsVariables")]
pub struct AgentRunsSweep {
    /// The agent.
    #[arguments(agentName: $agent)]
    pub agent: Option<AgentRunsAgent>,
}

/// The runs of an agent.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Agent", variables = "RunsVariables")]
pub struct AgentRunsAgent {
    /// The page.
    #[arguments(order: $order, first: $per_page, after: $cursor)]
    pub runs: RunConnection,
}

/// What [`UpsertSweep`] creates or changes.
#[derive(cynic::InputObject, Debug, Clone, Default)]
pub struct UpsertSweepInput {
    /// The opaque storage id of the sweep to change; none to create one.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub id: Option<cynic::Id>,
    /// The config, as YAML text.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The entity.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub entity_name: Option<String>,
    /// The project.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// The state.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The runs that count as earlier ones.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub prior_runs_filters: Option<JsonString>,
}

/// Variables of [`UpsertSweep`].
#[derive(cynic::QueryVariables, Debug, Clone)]
pub struct UpsertSweepVariables {
    /// What to create or change.
    pub input: UpsertSweepInput,
}

/// `UpsertSweep`: creates a sweep, or changes one.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Mutation", variables = "UpsertSweepVariables")]
pub struct UpsertSweep {
    /// What became of it.
    #[arguments(input: $input)]
    pub upsert_sweep: Option<UpsertSweepPayload>,
}

/// What became of it.
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct UpsertSweepPayload {
    /// The sweep.
    pub sweep: Option<UpsertedSweep>,
    /// What the server finds odd in the config.
    pub config_validation_warnings: Option<Vec<String>>,
}

/// The sweep that was written.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Sweep")]
pub struct UpsertedSweep {
    /// The sweep id.
    pub name: String,
}
