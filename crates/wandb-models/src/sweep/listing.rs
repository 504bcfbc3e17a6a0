//! Listings: the sweeps of a project, the runs of an agent. One page is one query.

use cynic::QueryBuilder;
use wandb_core::{Error, Result, order::Order, page::Page, path::ProjectPath};
use wandb_schema::operations::sweeps as wire;

use super::{Sweep, data};
use crate::{
    Api, Run, Selection,
    listing::{self, Ask, Listing, ListingQuery},
    run::convert::{self, Names},
};

/// A listing of a project's sweeps, 50 a page. Made by [`Api::sweeps`]; nothing is sent until it is read.
///
/// The official client asks for each listed sweep once more; here one page is one query.
pub type Sweeps = Listing<SweepsQuery>;

/// What [`Sweeps`] asks.
#[derive(Debug, Clone)]
pub struct SweepsQuery {
    api: Api,
    path: String,
}

impl Sweeps {
    pub(super) fn of_project(api: Api, path: String) -> Self {
        Self::new(SweepsQuery { api, path }, 50)
    }

    /// How many sweeps the project has, as the server counts them.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such project.
    pub async fn count(&self) -> Result<u64> {
        let SweepsQuery { api, path } = &self.query;
        let path = api.project_path(path).await?;
        let description = format!("count the sweeps of \"{path}\"");
        let project = self.query.ask(&path, Ask::of(1), &description).await?;
        u64::try_from(project.total_sweeps)
            .map_err(|_| Error::protocol("the server counts less than no sweeps").in_operation(description))
    }
}

impl SweepsQuery {
    async fn ask(&self, path: &ProjectPath, ask: Ask, description: &str) -> Result<wire::ProjectSweeps> {
        let operation = wire::GetSweeps::build(wire::GetSweepsVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            per_page: ask.first(),
            cursor: ask.cursor,
        });
        let answer: wire::GetSweeps = self.api.execute(&operation, description).await?;
        answer
            .project
            .ok_or_else(|| Error::not_found(format!("project \"{path}\"")).in_operation(description))
    }

    fn page(&self, project: wire::ProjectSweeps) -> Result<Page<Sweep>> {
        let names = Names::new(&project.entity_name, &project.name)?;
        let connection = project.sweeps.ok_or_else(|| {
            Error::protocol("the server gave no sweeps where a page of sweeps was asked for")
        })?;
        let items = connection.edges.into_iter().map(|edge| {
            let path = data::sweep_path(&names, &edge.node.name)?;
            let data = data::from_wire(&self.api, &path, edge.node)?;
            Ok(Sweep::new(self.api.clone(), path, data))
        });
        listing::page(items, connection.page_info)
    }
}

impl ListingQuery for SweepsQuery {
    type Item = Sweep;

    async fn fetch(&self, ask: Ask) -> Result<Page<Sweep>> {
        let path = self.api.project_path(&self.path).await?;
        let description = format!("list the sweeps of \"{path}\"");
        let project = self.ask(&path, ask, &description).await?;
        self.page(project)
            .map_err(|error| error.in_operation(description))
    }
}

/// A listing of the runs that one agent of a sweep started, 50 a page. Made by [`Sweep::agent_runs`].
pub type AgentRuns = Listing<AgentRunsQuery>;

/// What [`AgentRuns`] asks.
#[derive(Debug, Clone)]
pub struct AgentRunsQuery {
    sweep: Sweep,
    agent: String,
    order: Order,
    selection: Selection,
}

impl AgentRuns {
    pub(super) fn of_agent(sweep: Sweep, agent: String) -> Self {
        let query = AgentRunsQuery {
            sweep,
            agent,
            order: Order::oldest_first(),
            selection: Selection::default(),
        };
        Self::new(query, 50)
    }

    /// The order; oldest first unless set.
    pub fn order(mut self, order: Order) -> Self {
        self.query.order = order;
        self
    }

    /// Which parts of each run to ask for.
    pub fn select(mut self, selection: Selection) -> Self {
        self.query.selection = selection;
        self
    }
}

impl ListingQuery for AgentRunsQuery {
    type Item = Run;

    async fn fetch(&self, ask: Ask) -> Result<Page<Run>> {
        let path = self.sweep.sweep_path();
        let operation = wire::GetAgentRuns::build(wandb_schema::operations::runs::RunsVariables {
            sweep: path.sweep().as_str().to_owned(),
            agent: self.agent.clone(),
            per_page: ask.first(),
            cursor: ask.cursor,
            order: Some(self.order.to_string()),
            ..self.selection.variables(path.project_path())
        });
        let description = format!("list the runs of agent {:?} of sweep \"{path}\"", self.agent);
        let answer: wire::GetAgentRuns = self.sweep.api.execute(&operation, &description).await?;
        let project = answer
            .project
            .ok_or_else(|| Error::not_found(format!("project \"{}\"", path.project_path())))?;
        let names = Names::new(&project.entity_name, &project.name)?;
        let agent = project
            .sweep
            .ok_or_else(|| Error::not_found(format!("sweep \"{path}\"")))?
            .agent
            .ok_or_else(|| Error::not_found(format!("agent {:?} of sweep \"{path}\"", self.agent)))?;
        convert::page(&self.sweep.api, &names, agent.runs, &self.selection)
            .map_err(|error| error.in_operation(description))
    }
}
