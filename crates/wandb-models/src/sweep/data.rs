//! What a sweep and its agents carry.

use serde::Serialize;
use wandb_core::{
    Error, Result,
    path::{SweepId, SweepPath},
    timestamp::Timestamp,
};
use wandb_schema::operations::sweeps as wire;

use super::SweepConfig;
use crate::{Api, run::convert::Names};

/// The data of one sweep, with the official names when serialised.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SweepData {
    /// The sweep id, the last part of its path (`name` on the wire).
    pub id: String,
    /// The name that users see: the server's, else the config's, else the id (official: `Sweep.name`).
    pub name: String,
    /// The opaque id that mutations take (`id` on the wire).
    pub storage_id: String,
    /// The entity that owns the project.
    pub entity: String,
    /// The project.
    pub project: String,
    /// `[entity, project, id]`.
    pub path: [String; 3],
    /// The page in the browser.
    pub url: String,
    /// `PENDING`, `RUNNING`, `PAUSED`, `CANCELED`, `FINISHED`, or a state that is newer than this client.
    pub state: String,
    /// How it searches; `None` when an old server does not say and the config neither.
    pub method: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The config.
    pub config: SweepConfig,
    /// The best value of its metric so far.
    pub best_loss: Option<f64>,
    /// How many runs it has; `None` from an old server.
    pub run_count: Option<u64>,
    /// How many runs it will have, when the server knows: a grid's size, or `run_cap`.
    pub expected_run_count: Option<u64>,
    /// When it was created; `None` from an old server.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl SweepData {
    /// The order in which the best run comes first, as text; `None` without a metric (official: `Sweep.order`).
    #[must_use]
    pub fn order_text(&self) -> Option<String> {
        let order = self.config.metric().ok()??.order().ok()?;
        Some(order.to_string())
    }

    /// Whether it will suggest no more runs.
    #[must_use]
    pub fn is_over(&self) -> bool {
        ["FINISHED", "CANCELED", "CRASHED", "STOPPED"]
            .iter()
            .any(|state| self.state.eq_ignore_ascii_case(state))
    }
}

impl Serialize for SweepData {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("SweepData", 17)?;
        object.serialize_field("id", &self.id)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("storage_id", &self.storage_id)?;
        object.serialize_field("entity", &self.entity)?;
        object.serialize_field("project", &self.project)?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("url", &self.url)?;
        object.serialize_field("state", &self.state)?;
        object.serialize_field("method", &self.method)?;
        object.serialize_field("description", &self.description)?;
        object.serialize_field("config", &self.config)?;
        object.serialize_field("order", &self.order_text())?;
        object.serialize_field("run_count", &self.run_count)?;
        object.serialize_field("expected_run_count", &self.expected_run_count)?;
        object.serialize_field("best_loss", &self.best_loss)?;
        object.serialize_field("created_at", &self.created_at)?;
        object.serialize_field("updated_at", &self.updated_at)?;
        object.end()
    }
}

/// The path of a sweep that the server named.
pub(super) fn sweep_path(names: &Names, id: &str) -> Result<SweepPath> {
    let id = SweepId::new(id).map_err(|error| {
        Error::protocol("the server named a sweep in a way that no sweep is named").with_source(error)
    })?;
    Ok(names.project().with_sweep(id))
}

pub(super) fn from_wire(api: &Api, path: &SweepPath, wire: wire::Sweep) -> Result<SweepData> {
    let time = |text: &str| read_time(path, text);
    let created_at = Some(time(&wire.created_at.0)?);
    let updated_at = wire.updated_at.map(|text| time(&text.0)).transpose()?;
    let legacy = wire::SweepLegacy {
        id: wire.id,
        name: wire.name,
        state: wire.state,
        config: wire.config,
        best_loss: wire.best_loss,
    };
    let mut data = from_legacy(api, path, legacy);
    if let Some(name) = wire.display_name.filter(|name| !name.is_empty()) {
        data.name = name;
    }
    if !wire.method.is_empty() {
        data.method = Some(wire.method);
    }
    data.description = wire.description;
    data.run_count = u64::try_from(wire.run_count).ok();
    data.expected_run_count = wire
        .run_count_expected
        .and_then(|count| u64::try_from(count).ok());
    data.created_at = created_at;
    data.updated_at = updated_at;
    Ok(data)
}

/// What an old server tells; the rest is not known.
pub(super) fn from_legacy(api: &Api, path: &SweepPath, wire: wire::SweepLegacy) -> SweepData {
    let config = SweepConfig::new(wire.config);
    let entity = path.entity().as_str().to_owned();
    let project = path.project().as_str().to_owned();
    SweepData {
        name: config.name().unwrap_or(&wire.name).to_owned(),
        path: [entity.clone(), project.clone(), wire.name.clone()],
        id: wire.name,
        storage_id: wire.id.into_inner(),
        entity,
        project,
        url: api.app_url().sweep_url(path),
        state: wire.state,
        method: config.method().map(str::to_owned),
        description: None,
        config,
        best_loss: wire.best_loss,
        run_count: None,
        expected_run_count: None,
        created_at: None,
        updated_at: None,
    }
}

fn read_time(path: &SweepPath, text: &str) -> Result<Timestamp> {
    Timestamp::parse(text).map_err(|error| {
        Error::protocol(format!("a time of sweep \"{path}\" cannot be read")).with_source(error)
    })
}

/// An agent of a sweep: a process that runs what the sweep suggests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SweepAgent {
    /// The opaque id.
    pub id: String,
    /// Its name, by which its runs are asked for.
    pub name: String,
    /// The host that it runs on.
    pub host: String,
    /// Its state, as the server says it.
    pub state: Option<String>,
    /// How many runs it started.
    pub total_runs: u64,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was last heard of.
    pub heartbeat_at: Option<Timestamp>,
}

impl SweepAgent {
    pub(super) fn from_wire(path: &SweepPath, wire: wire::Agent) -> Result<Self> {
        Ok(Self {
            id: wire.id.into_inner(),
            name: wire.name,
            host: wire.host,
            state: wire.state,
            total_runs: u64::try_from(wire.total_runs).unwrap_or(0),
            created_at: read_time(path, &wire.created_at.0)?,
            heartbeat_at: wire
                .heartbeat_at
                .map(|text| read_time(path, &text.0))
                .transpose()?,
        })
    }
}
