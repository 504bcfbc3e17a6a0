//! Sweeps (inventory 1.6, protocol §2.12): one sweep, listings, its runs and agents, and its state.

mod best;
mod config;
mod data;
mod listing;
#[cfg(test)]
mod tests;
mod write;

use std::{fmt, ops::Deref, sync::Arc};

use cynic::QueryBuilder;
use futures_util::TryStreamExt;
use wandb_core::{
    Error, ErrorKind, Result, filter,
    path::{SweepId, SweepPath},
};
use wandb_schema::operations::sweeps as wire;

use crate::{Api, Project, Run, Runs, run::convert::Names};

pub use best::{BestRun, BestRunBasis};
pub use config::{SweepConfig, SweepGoal, SweepMetric};
pub use data::{SweepAgent, SweepData};
pub use listing::{AgentRuns, Sweeps};
pub use write::{CreatedSweep, SweepState};

/// One sweep: its data (through [`Deref`]), and what can be asked of the server about it.
///
/// The data is a snapshot; [`reload`](Self::reload) takes a new one.
#[derive(Clone)]
pub struct Sweep {
    api: Api,
    path: Arc<SweepPath>,
    data: Arc<SweepData>,
}

impl Deref for Sweep {
    type Target = SweepData;

    fn deref(&self) -> &SweepData {
        &self.data
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sweep")
            .field("path", &self.path)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Sweep {
    fn new(api: Api, path: SweepPath, data: SweepData) -> Self {
        Self {
            api,
            path: Arc::new(path),
            data: Arc::new(data),
        }
    }

    async fn fetch(api: &Api, path: &SweepPath) -> Result<Self> {
        let description = format!("read sweep \"{path}\"");
        let variables = variables(path);
        let answer = api
            .execute(&wire::GetSweep::build(variables.clone()), &description)
            .await;
        let result = match answer {
            Ok(wire::GetSweep { project }) => {
                let project = project.ok_or_else(|| no_project(path))?;
                let sweep = project.sweep.ok_or_else(|| no_sweep(path))?;
                Names::new(&project.entity_name, &project.name)
                    .and_then(|names| data::sweep_path(&names, &sweep.name))
                    .and_then(|path| {
                        let data = data::from_wire(api, &path, sweep)?;
                        Ok((path, data))
                    })
            }
            // Only a server that does not know a field is asked again: the official client does so on any failure, and
            // then reports the second one (inventory 1.6).
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let operation = wire::GetSweepLegacy::build(variables);
                let answer: wire::GetSweepLegacy = api.execute(&operation, &description).await?;
                let project = answer.project.ok_or_else(|| no_project(path))?;
                let sweep = project.sweep.ok_or_else(|| no_sweep(path))?;
                Names::new(&project.entity_name, &project.name)
                    .and_then(|names| data::sweep_path(&names, &sweep.name))
                    .map(|path| {
                        let data = data::from_legacy(api, &path, sweep);
                        (path, data)
                    })
            }
            Err(error) => return Err(error),
        };
        let (own, data) = result.map_err(|error| error.in_operation(description))?;
        let sweep = Self::new(api.clone(), own, data);
        api.memory().keep_sweep(path, &sweep.path, &sweep.data);
        Ok(sweep)
    }

    /// The sweep's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &SweepData {
        &self.data
    }

    /// Where the sweep is.
    #[must_use]
    pub fn sweep_path(&self) -> &SweepPath {
        &self.path
    }

    /// Reads the sweep again.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when it was deleted meanwhile.
    pub async fn reload(&self) -> Result<Self> {
        Self::fetch(&self.api, &self.path).await
    }

    /// The runs of the sweep, oldest first unless an order is set. A filter that is set on the listing replaces the one
    /// that keeps it to the sweep; join it with [`filter::sweep`] instead.
    pub fn runs(&self) -> Runs {
        self.api
            .runs(format!("{}/{}", self.entity, self.project))
            .filter(filter::sweep().eq(self.id.as_str()))
    }

    /// All runs of the sweep in memory: what the 2020 client loaded with each sweep (`withRuns=True`).
    ///
    /// # Errors
    /// As any listing of runs.
    pub async fn load_runs(&self) -> Result<Vec<Run>> {
        self.runs().stream().try_collect().await
    }

    /// The agents of the sweep. The server gives them all at once: it does not page them.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the sweep was deleted meanwhile.
    pub async fn agents(&self) -> Result<Vec<SweepAgent>> {
        let path = &*self.path;
        let description = format!("list the agents of sweep \"{path}\"");
        let operation = wire::GetSweepAgents::build(variables(path));
        let answer: wire::GetSweepAgents = self.api.execute(&operation, &description).await?;
        let sweep = answer
            .project
            .ok_or_else(|| no_project(path))?
            .sweep
            .ok_or_else(|| no_sweep(path))?;
        sweep
            .agents
            .edges
            .into_iter()
            .map(|edge| SweepAgent::from_wire(path, edge.node))
            .collect::<Result<_>>()
            .map_err(|error| error.in_operation(description))
    }

    /// The runs that one agent started, by the agent's [name](SweepAgent::name).
    pub fn agent_runs(&self, agent: impl Into<String>) -> AgentRuns {
        AgentRuns::of_agent(self.clone(), agent.into())
    }
}

impl Api {
    /// The sweeps of a project, by `entity/project`, `project`, or its web address. Nothing is sent until the listing is
    /// read.
    pub fn sweeps(&self, path: impl Into<String>) -> Sweeps {
        Sweeps::of_project(self.clone(), path.into())
    }

    /// One sweep, by `entity/project/sweep`, `project/sweep`, `sweep`, or its web address.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none or the key may not see it.
    pub async fn sweep(&self, path: &str) -> Result<Sweep> {
        let path = self.parse_path(|context| SweepPath::parse(path, context)).await?;
        match self.memory().sweep(&path) {
            Some((path, data)) => Ok(Sweep {
                api: self.clone(),
                path: Arc::new(path),
                data,
            }),
            None => Sweep::fetch(self, &path).await,
        }
    }
}

impl Run {
    /// The sweep that the run belongs to; `None` for a run of none.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the sweep was deleted meanwhile.
    pub async fn sweep(&self) -> Result<Option<Sweep>> {
        let Some(id) = &self.sweep_name else {
            return Ok(None);
        };
        let id = SweepId::new(id.as_str()).map_err(|error| {
            Error::protocol("the server named a sweep in a way that no sweep is named").with_source(error)
        })?;
        let path = self.run_path().project_path().with_sweep(id);
        Sweep::fetch(self.api(), &path).await.map(Some)
    }
}

impl Project {
    /// The sweeps of this project.
    pub fn sweeps(&self, api: &Api) -> Sweeps {
        api.sweeps(format!("{}/{}", self.entity, self.name))
    }
}

fn variables(path: &SweepPath) -> wire::SweepVariables {
    wire::SweepVariables {
        project: path.project().as_str().to_owned(),
        entity: Some(path.entity().as_str().to_owned()),
        name: path.sweep().as_str().to_owned(),
    }
}

fn no_project(path: &SweepPath) -> Error {
    Error::not_found(format!("project \"{}\"", path.project_path()))
        .with_hint("check the spelling; the key may not see a private project")
}

fn no_sweep(path: &SweepPath) -> Error {
    Error::not_found(format!("sweep \"{path}\""))
        .with_hint("the last part is the sweep's id, not its display name; list the sweeps to find it")
}
