//! Listings: the sweeps of a project, the runs of an agent. One page is one query.

use std::sync::Arc;

use cynic::QueryBuilder;
use wandb_core::{
    Error, Result,
    order::Order,
    page::{ItemStream, Page, Pages},
    path::ProjectPath,
};
use wandb_schema::operations::sweeps as wire;

use super::{Sweep, data};
use crate::{
    Api, Run, Selection,
    listing::{self, Paging},
    run::convert::{self, Names},
};

/// A listing of a project's sweeps. Made by [`Api::sweeps`]; nothing is sent until it is read.
///
/// The official client asks for each listed sweep once more; here one page is one query.
#[derive(Debug, Clone)]
#[must_use]
pub struct Sweeps {
    api: Api,
    path: String,
    paging: Paging,
}

impl Sweeps {
    pub(super) fn new(api: Api, path: String) -> Self {
        Self {
            api,
            path,
            paging: Paging::new(50),
        }
    }

    /// How many sweeps a request asks for; 50 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many sweeps are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// How many sweeps the project has, as the server counts them.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is no such project.
    pub async fn count(&self) -> Result<u64> {
        let path = self.api.project_path(&self.path).await?;
        let description = format!("count the sweeps of \"{path}\"");
        let project = self.ask(&path, None, 1, &description).await?;
        u64::try_from(project.total_sweeps)
            .map_err(|_| Error::protocol("the server counts less than no sweeps").in_operation(description))
    }

    /// The listing page by page: one page is one request.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible.
    pub fn pages(self) -> Result<Pages<'static, Sweep>> {
        let paging = self.paging;
        let listing = Arc::new(self);
        paging.pages(move |cursor, count| {
            let listing = Arc::clone(&listing);
            async move { listing.fetch(cursor, count).await }
        })
    }

    /// The sweeps one by one.
    pub fn stream(self) -> ItemStream<'static, Sweep> {
        listing::items(self.pages())
    }

    async fn ask(
        &self,
        path: &ProjectPath,
        cursor: Option<String>,
        count: u32,
        description: &str,
    ) -> Result<wire::ProjectSweeps> {
        let operation = wire::GetSweeps::build(wire::GetSweepsVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            cursor,
            per_page: i32::try_from(count).unwrap_or(i32::MAX),
        });
        let answer: wire::GetSweeps = self.api.execute(&operation, description).await?;
        answer
            .project
            .ok_or_else(|| Error::not_found(format!("project \"{path}\"")).in_operation(description))
    }

    async fn fetch(&self, cursor: Option<String>, count: u32) -> Result<Page<Sweep>> {
        let path = self.api.project_path(&self.path).await?;
        let description = format!("list the sweeps of \"{path}\"");
        let project = self.ask(&path, cursor, count, &description).await?;
        self.page(project)
            .map_err(|error| error.in_operation(description))
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
        Ok(Page {
            items: items.collect::<Result<_>>()?,
            next: listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?,
        })
    }
}

/// A listing of the runs that one agent of a sweep started. Made by [`Sweep::agent_runs`].
#[derive(Debug, Clone)]
#[must_use]
pub struct AgentRuns {
    sweep: Sweep,
    agent: String,
    order: Order,
    selection: Selection,
    paging: Paging,
}

impl AgentRuns {
    pub(super) fn new(sweep: Sweep, agent: String) -> Self {
        Self {
            sweep,
            agent,
            order: Order::oldest_first(),
            selection: Selection::default(),
            paging: Paging::new(50),
        }
    }

    /// The order; oldest first unless set.
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Which parts of each run to ask for.
    pub fn select(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// How many runs a request asks for; 50 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many runs are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// The listing page by page: one page is one request.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible.
    pub fn pages(self) -> Result<Pages<'static, Run>> {
        let paging = self.paging;
        let listing = Arc::new(self);
        paging.pages(move |cursor, count| {
            let listing = Arc::clone(&listing);
            async move { listing.fetch(cursor, count).await }
        })
    }

    /// The runs one by one.
    pub fn stream(self) -> ItemStream<'static, Run> {
        listing::items(self.pages())
    }

    async fn fetch(&self, cursor: Option<String>, count: u32) -> Result<Page<Run>> {
        let path = self.sweep.sweep_path();
        let operation = wire::GetAgentRuns::build(wandb_schema::operations::runs::RunsVariables {
            sweep: path.sweep().as_str().to_owned(),
            agent: self.agent.clone(),
            cursor,
            per_page: i32::try_from(count).unwrap_or(i32::MAX),
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
