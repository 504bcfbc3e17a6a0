//! From the wire to [`RunData`].

use std::sync::Arc;

use wandb_core::{
    Error, Result,
    page::Page,
    path::{EntityName, ProjectName, ProjectPath, RunId},
    timestamp::Timestamp,
};
use wandb_schema::operations::{runs as wire, shared::UserSummary};

use super::{
    Run, RunState,
    data::{Json, RunData, RunUser},
    select::Selection,
};
use crate::{Api, listing};

/// The names that all runs of an answer share.
#[derive(Debug)]
pub(crate) struct Names {
    project: ProjectPath,
}

impl Names {
    pub(crate) fn new(entity: &str, project: &str) -> Result<Self> {
        let wrong = |error: wandb_core::path::NameError| {
            Error::protocol("the server named a project in a way that no project is named").with_source(error)
        };
        Ok(Self {
            project: ProjectPath::new(
                EntityName::new(entity).map_err(wrong)?,
                ProjectName::new(project).map_err(wrong)?,
            ),
        })
    }
}

impl Names {
    /// The project that they name.
    pub(crate) fn project(&self) -> &ProjectPath {
        &self.project
    }
}

impl RunUser {
    pub(crate) fn from_wire(wire: UserSummary) -> Self {
        Self {
            name: wire.name,
            username: wire.username,
        }
    }
}

/// The runs of a page, and where the next one begins.
pub(crate) fn page(
    api: &Api,
    names: &Names,
    connection: wire::RunConnection,
    selection: &Selection,
) -> Result<Page<Run>> {
    let next = listing::next(connection.page_info)?;
    let items = connection
        .edges
        .into_iter()
        .map(|edge| run(api, names, edge.node, selection))
        .collect::<Result<_>>()?;
    Ok(Page { items, next })
}

pub(super) fn run(api: &Api, names: &Names, wire: wire::RunNode, selection: &Selection) -> Result<Run> {
    let id = RunId::new(&*wire.name).map_err(|error| {
        Error::protocol("the server named a run in a way that no run is named").with_source(error)
    })?;
    let path = names.project.with_run(id);
    let time = |text: &str| {
        Timestamp::parse(text).map_err(|error| {
            Error::protocol(format!("a time of run \"{path}\" cannot be read")).with_source(error)
        })
    };
    let entity = path.entity().as_str().to_owned();
    let project = path.project().as_str().to_owned();
    let data = RunData {
        storage_id: wire.id.into_inner(),
        name: wire
            .display_name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| wire.name.clone()),
        path: [entity.clone(), project.clone(), wire.name.clone()],
        id: wire.name,
        entity,
        project,
        url: api.app_url().run_url(&path),
        state: RunState::of_wire(wire.state),
        tags: wire.tags.unwrap_or_default(),
        notes: wire.notes,
        description: wire.description,
        group: wire.group,
        job_type: wire.job_type,
        commit: wire.commit,
        host: wire.host,
        created_at: time(&wire.created_at.0)?,
        heartbeat_at: wire.heartbeat_at.map(|text| time(&text.0)).transpose()?,
        updated_at: wire.updated_at.map(|text| time(&text.0)).transpose()?,
        read_only: wire.read_only.unwrap_or(false),
        user: wire.user.map(RunUser::from_wire),
        sweep_name: wire.sweep_name.filter(|name| !name.is_empty()),
        history_line_count: wire.history_line_count.map(i64::from),
        config: Json::new(wire.config.map(|json| json.0), selection.config.wanted())
            .partial(selection.config.keys().is_some()),
        summary: Json::new(
            wire.summary_metrics.map(|json| json.0),
            selection.summary.wanted(),
        )
        .partial(selection.summary.keys().is_some()),
        system_metrics: Json::new(wire.system_metrics.map(|json| json.0), selection.system_metrics),
        history_keys: Json::new(
            wire.history_keys.map(|json| json.0.get().to_owned()),
            selection.history_keys,
        ),
    };
    Ok(Run::new(api.clone(), Arc::new(path), data))
}
