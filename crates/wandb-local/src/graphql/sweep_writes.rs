//! Mutations of sweeps, and what their agents ask (protocol §2.12).

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use serde_json::Value;

use super::caller;
use super::scalars::JsonString;
use super::sweep::{Agent, Sweep};
use crate::store::ids::Kind;
use crate::store::sweeps::{self, SweepPatch};
use crate::store::{StoreError, agents, projects, time, trials};

/// Mutations of sweeps.
#[derive(Debug, Default)]
pub(crate) struct SweepMutation;

/// The row number of an agent that was named by its opaque id.
fn agent_number(id: &str) -> Result<i64, StoreError> {
    Kind::Agent
        .decode(id)
        .ok_or_else(|| StoreError::Gone(format!("agent not found for id {id:?}")))
}

/// Whether a text is more than the null that clients send for nothing.
fn says_something(text: &JsonString) -> bool {
    !matches!(text.0.trim(), "" | "null" | "{}")
}

/// Mutations of sweeps.
#[Object]
impl SweepMutation {
    /// Creates or changes a sweep. What of the config has no effect is told in warnings; what cannot be searched is
    /// refused.
    async fn upsert_sweep(
        &self,
        ctx: &Context<'_>,
        input: UpsertSweepInput,
    ) -> async_graphql::Result<Option<UpsertSweepPayload>> {
        for (text, what) in [
            (&input.launch_scheduler, "launchScheduler"),
            (&input.template_variable_values, "templateVariableValues"),
        ] {
            if text.as_ref().is_some_and(says_something) {
                return Err(async_graphql::Error::new(format!(
                    "{what}: this server has no launch queues, and cannot run a sweep from one"
                )));
            }
        }
        let patch = SweepPatch {
            id: input.id.map(|id| id.0),
            config: input.config,
            description: input.description,
            display_name: input.display_name,
            entity: input.entity_name,
            project: input.project_name,
            controller: input.controller.map(|text| text.0),
            scheduler: input.scheduler.map(|text| text.0),
            state: input.state,
            prior_runs: input.prior_runs_filters.filter(says_something).map(|text| text.0),
        };
        let (row, upserted) = caller(ctx)
            .write(move |db, identity| {
                let upserted = sweeps::upsert(db, identity, &patch)?;
                let row = sweeps::by_id(db, upserted.id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                Ok((row, upserted))
            })
            .await?;
        Ok(Some(UpsertSweepPayload {
            sweep: Some(Sweep(row)),
            config_validation_warnings: Some(upserted.warnings),
            inserted: Some(upserted.inserted),
        }))
    }

    /// Registers a process that runs what the sweep proposes.
    async fn create_agent(
        &self,
        ctx: &Context<'_>,
        input: CreateAgentInput,
    ) -> async_graphql::Result<Option<CreateAgentPayload>> {
        let row = caller(ctx)
            .write(move |db, identity| {
                let project = input.project_name.as_deref().filter(|name| !name.is_empty());
                let project = projects::find_to_change(
                    db,
                    identity,
                    input.entity_name.as_deref(),
                    project.unwrap_or(projects::UNCATEGORIZED),
                )?;
                let sweep = match project {
                    Some(project) => sweeps::find(db, project.id, &input.sweep)?,
                    None => None,
                };
                let sweep = sweep.ok_or_else(|| {
                    StoreError::Refused(format!(
                        "sweep {}/{}/{} not found",
                        input.entity_name.unwrap_or_default(),
                        input.project_name.unwrap_or_default(),
                        input.sweep
                    ))
                })?;
                let id = agents::create(db, &sweep, &input.host, time::now())?;
                agents::by_id(db, id)
            })
            .await?;
        Ok(Some(CreateAgentPayload {
            agent: row.map(Agent),
        }))
    }

    /// Takes an agent's sign of life; the answer says what it shall do. An agent that is gone is a 404.
    async fn agent_heartbeat(
        &self,
        ctx: &Context<'_>,
        input: AgentHeartbeatInput,
    ) -> async_graphql::Result<Option<AgentHeartbeatPayload>> {
        let agent = agent_number(&input.id)?;
        let alive = agents::alive(input.run_state.as_ref().map(|text| text.0.as_str()))?;
        let (row, commands) = caller(ctx)
            .write(move |db, identity| {
                let commands = agents::heartbeat(db, identity, agent, &alive, time::now())?;
                Ok((agents::by_id(db, agent)?, commands))
            })
            .await?;
        Ok(Some(AgentHeartbeatPayload {
            agent: row.map(Agent),
            commands: Some(JsonString(Value::from(commands).to_string())),
        }))
    }

    /// Makes a pending run with given parameters, which the next agent that asks takes.
    async fn enqueue_sweep_run(
        &self,
        ctx: &Context<'_>,
        input: EnqueueSweepRunInput,
    ) -> async_graphql::Result<Option<EnqueueSweepRunPayload>> {
        let missing = format!("sweep not found for id {:?}", input.id.as_str());
        let number = Kind::Sweep.decode(&input.id);
        let name = caller(ctx)
            .write(move |db, identity| {
                let sweep = match number {
                    Some(number) => sweeps::by_id(db, number)?,
                    None => None,
                };
                let sweep = sweep.ok_or(StoreError::Refused(missing))?;
                sweeps::require_write(db, identity, &sweep)?;
                let display_name = input.display_name.as_deref();
                trials::enqueue(db, identity, &sweep, &input.config.0, display_name, time::now())
            })
            .await?;
        Ok(Some(EnqueueSweepRunPayload {
            id: name,
            run_queue_item_id: None,
        }))
    }
}

/// Input of `upsertSweep`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertSweepInput {
    id: Option<ID>,
    /// YAML text.
    config: Option<String>,
    description: Option<String>,
    display_name: Option<String>,
    entity_name: Option<String>,
    project_name: Option<String>,
    controller: Option<JsonString>,
    launch_scheduler: Option<JsonString>,
    scheduler: Option<JsonString>,
    state: Option<String>,
    prior_runs_filters: Option<JsonString>,
    template_variable_values: Option<JsonString>,
    #[graphql(name = "clientMutationId")]
    _client_mutation_id: Option<String>,
}

/// Result of `upsertSweep`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpsertSweepPayload {
    sweep: Option<Sweep>,
    config_validation_warnings: Option<Vec<String>>,
    /// True when the sweep is new.
    inserted: Option<bool>,
}

/// Input of `createAgent`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateAgentInput {
    host: String,
    project_name: Option<String>,
    entity_name: Option<String>,
    /// The sweep's name.
    sweep: String,
    #[graphql(name = "clientMutationId")]
    _client_mutation_id: Option<String>,
}

/// Result of `createAgent`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateAgentPayload {
    agent: Option<Agent>,
}

/// Input of `agentHeartbeat`.
#[derive(Debug, InputObject)]
pub(crate) struct AgentHeartbeatInput {
    id: ID,
    /// Measurements of the machine; official agents send none.
    #[graphql(name = "metrics")]
    _metrics: Option<JsonString>,
    /// `{"<run name>": true}` for the runs that are alive.
    run_state: Option<JsonString>,
    #[graphql(name = "clientMutationId")]
    _client_mutation_id: Option<String>,
}

/// Result of `agentHeartbeat`.
#[derive(Debug, SimpleObject)]
pub(crate) struct AgentHeartbeatPayload {
    agent: Option<Agent>,
    /// A list, as JSON text.
    commands: Option<JsonString>,
}

/// Input of `enqueueSweepRun`.
#[derive(Debug, InputObject)]
pub(crate) struct EnqueueSweepRunInput {
    /// The sweep's opaque id.
    id: ID,
    config: JsonString,
    display_name: Option<String>,
}

/// Result of `enqueueSweepRun`.
#[derive(Debug, SimpleObject)]
pub(crate) struct EnqueueSweepRunPayload {
    /// The name of the new run.
    id: String,
    /// Always null: there are no queues here.
    run_queue_item_id: Option<ID>,
}
