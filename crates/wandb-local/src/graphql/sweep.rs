//! Sweeps and their agents (protocol §2.12).

use async_graphql::{Context, ID, Object, SimpleObject};

use super::caller;
use super::page::{self, PageInfo};
use super::project::{Project, RunConnection, RunWindow, run_page};
use super::scalars::{DateTime, JsonString};
use crate::store::agents::{self, AgentRow};
use crate::store::ids::Kind;
use crate::store::runs::{self, Within};
use crate::store::sweeps::{self, SweepRow};
use crate::store::{projects, time, trials};

/// Sweeps per page where the caller names no number (protocol §2.3).
const SWEEPS: u64 = 50;
/// Most sweeps per page.
const MAX_SWEEPS: u64 = 1000;

/// A search over settings.
#[derive(Debug, Clone)]
pub(crate) struct Sweep(pub(crate) SweepRow);

/// A search over settings.
#[Object]
impl Sweep {
    async fn id(&self) -> ID {
        Kind::Sweep.encode(self.0.id).into()
    }
    /// What users know as the id of the sweep.
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn display_name(&self) -> Option<&str> {
        self.0.display_name.as_deref()
    }
    async fn method(&self) -> &str {
        &self.0.method
    }
    async fn state(&self) -> &str {
        &self.0.state
    }
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    /// YAML text, as it was sent.
    async fn config(&self) -> &str {
        &self.0.config
    }
    /// The best value of the metric among the runs, by its goal.
    async fn best_loss(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<f64>> {
        let row = self.0.clone();
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| match row.parsed()?.metric {
                Some(metric) => trials::best(db, &row, &metric),
                None => Ok(None),
            })
            .await?)
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn updated_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.updated_at))
    }
    /// When an agent last asked.
    async fn heartbeat_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.heartbeat_at))
    }
    async fn run_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        let within = self.0.runs();
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| runs::count(db, within, None))
            .await?)
    }
    /// The size of the grid or the cap, whichever is less; null when neither ends the search, or beyond what an `Int`
    /// holds.
    async fn run_count_expected(&self) -> async_graphql::Result<Option<i32>> {
        let expected = self.0.parsed()?.expected_runs();
        Ok(expected.and_then(|count| i32::try_from(count).ok()))
    }
    /// Whether runs are stopped early by this server.
    async fn early_stop_job_running(&self) -> async_graphql::Result<Option<bool>> {
        let config = self.0.parsed()?;
        let rule = config.early_terminate.is_some() && config.metric.is_some();
        Ok(Some(rule && self.0.state == "RUNNING"))
    }
    async fn controller(&self) -> Option<JsonString> {
        self.0.controller.clone().map(JsonString)
    }
    /// Always null: no run here is a controller.
    async fn controller_run_name(&self) -> Option<String> {
        None
    }
    async fn scheduler(&self) -> Option<JsonString> {
        self.0.scheduler.clone().map(JsonString)
    }
    async fn project(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Project>> {
        let id = self.0.project_id;
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| projects::by_id(db, id))
            .await?
            .map(Project))
    }
    /// The sweep's runs that match, in order.
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        order: Option<String>,
        filters: Option<JsonString>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<RunConnection>> {
        let window = RunWindow {
            first,
            after,
            ..RunWindow::default()
        };
        run_page(ctx, self.0.runs(), filters, order, window)
            .await
            .map(Some)
    }
    /// All agents, oldest first.
    async fn agents(&self, ctx: &Context<'_>) -> async_graphql::Result<AgentConnection> {
        let id = self.0.id;
        let rows = caller(ctx).app.store.read(move |db| agents::list(db, id)).await?;
        let edges = rows
            .into_iter()
            .map(|row| AgentEdge { node: Agent(row) })
            .collect();
        Ok(AgentConnection { edges })
    }
    async fn agent(&self, ctx: &Context<'_>, agent_name: String) -> async_graphql::Result<Option<Agent>> {
        let id = self.0.id;
        let row = caller(ctx)
            .app
            .store
            .read(move |db| agents::find(db, id, &agent_name))
            .await?;
        Ok(row.map(Agent))
    }
}

/// A process that runs what a sweep proposes.
#[derive(Debug, Clone)]
pub(crate) struct Agent(pub(crate) AgentRow);

/// A process that runs what a sweep proposes.
#[Object]
impl Agent {
    async fn id(&self) -> ID {
        Kind::Agent.encode(self.0.id).into()
    }
    /// What users know as the id of the agent.
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn host(&self) -> &str {
        &self.0.host
    }
    /// `FINISHED` once it was told to exit, `CRASHED` when it fell silent, else `RUNNING`.
    async fn state(&self, ctx: &Context<'_>) -> Option<&'static str> {
        let timeout = caller(ctx).app.heartbeat_timeout.as_micros();
        let silence = time::now().saturating_sub(self.0.heartbeat_at);
        Some(if self.0.ended {
            "FINISHED"
        } else if u128::from(silence.max(0).unsigned_abs()) > timeout {
            "CRASHED"
        } else {
            "RUNNING"
        })
    }
    async fn total_runs(&self) -> i64 {
        self.0.total_runs
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn heartbeat_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.heartbeat_at))
    }
    /// The runs that it was handed.
    #[graphql(complexity = "page::cost(first.or(last), 50) * child_complexity")]
    #[allow(clippy::too_many_arguments)] // the arguments are the wire's
    async fn runs(
        &self,
        ctx: &Context<'_>,
        order: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> async_graphql::Result<RunConnection> {
        let window = RunWindow {
            first,
            after,
            last,
            before,
        };
        run_page(ctx, Within::Agent(self.0.id), None, order, window).await
    }
}

/// Sweeps.
#[derive(Debug, SimpleObject)]
pub(crate) struct SweepConnection {
    edges: Vec<SweepEdge>,
    page_info: PageInfo,
}

/// A sweep in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct SweepEdge {
    cursor: String,
    node: Sweep,
}

/// Agents.
#[derive(Debug, SimpleObject)]
pub(crate) struct AgentConnection {
    edges: Vec<AgentEdge>,
}

/// An agent in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct AgentEdge {
    node: Agent,
}

/// One page of a project's sweeps.
pub(crate) async fn sweep_page(
    ctx: &Context<'_>,
    project: i64,
    filters: Option<JsonString>,
    first: Option<i32>,
    after: Option<String>,
) -> async_graphql::Result<SweepConnection> {
    let window = page::forward(first, after.as_deref(), SWEEPS, MAX_SWEEPS)?;
    let filters = filters.map(|text| text.0);
    let (rows, more) = caller(ctx)
        .app
        .store
        .read(move |db| sweeps::list(db, project, filters.as_deref(), window.limit, window.offset))
        .await?;
    let page_info = window.info(rows.len(), more);
    let edges = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| SweepEdge {
            cursor: window.cursor(index),
            node: Sweep(row),
        })
        .collect();
    Ok(SweepConnection { edges, page_info })
}
