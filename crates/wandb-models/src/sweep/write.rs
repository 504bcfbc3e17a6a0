//! Creating sweeps, and pausing, resuming, finishing and cancelling them (protocol §2.12).

use cynic::{Id, MutationBuilder};
use wandb_core::{Error, Result, path::SweepId, retry::Repeat};
use wandb_schema::operations::sweeps as wire;

use super::Sweep;
use crate::Api;

/// A state that a sweep can be put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SweepState {
    /// It suggests runs.
    Running,
    /// It suggests none until it runs again.
    Paused,
    /// It suggests no more; what runs may end.
    Finished,
    /// It suggests no more, and what runs is stopped.
    Canceled,
}

impl SweepState {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Finished => "FINISHED",
            Self::Canceled => "CANCELED",
        }
    }
}

/// A sweep that was created.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreatedSweep {
    /// The sweep.
    pub sweep: Sweep,
    /// What the server finds odd in the config.
    pub warnings: Vec<String>,
}

impl Sweep {
    /// Puts the sweep into a state and reads it again.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn set_state(&self, state: SweepState) -> Result<Self> {
        let description = format!("set the state of sweep \"{}\" to {}", self.path, state.as_str());
        let operation = wire::UpsertSweep::build(wire::UpsertSweepVariables {
            input: wire::UpsertSweepInput {
                id: Some(Id::new(self.storage_id.clone())),
                state: Some(state.as_str().to_owned()),
                ..wire::UpsertSweepInput::default()
            },
        });
        let answer: wire::UpsertSweep = self.api.mutate(&operation, Repeat::Always, &description).await?;
        answer
            .upsert_sweep
            .and_then(|payload| payload.sweep)
            .ok_or_else(|| {
                Error::protocol("the server does not say what became of the sweep").in_operation(description)
            })?;
        self.reload().await
    }
}

impl Api {
    /// Creates a sweep in a project, by its config as YAML text (JSON is YAML, too), as `wandb.sweep` does.
    ///
    /// It is not repeated on failures that leave open whether the server acted: a second sweep would be the result.
    ///
    /// # Errors
    /// As the server refuses the config.
    pub async fn create_sweep(&self, project: &str, config: &str) -> Result<CreatedSweep> {
        let path = self.project_path(project).await?;
        let description = format!("create a sweep in \"{path}\"");
        let operation = wire::UpsertSweep::build(wire::UpsertSweepVariables {
            input: wire::UpsertSweepInput {
                config: Some(config.to_owned()),
                entity_name: Some(path.entity().as_str().to_owned()),
                project_name: Some(path.project().as_str().to_owned()),
                ..wire::UpsertSweepInput::default()
            },
        });
        let answer: wire::UpsertSweep = self
            .mutate(&operation, Repeat::OnlyIfRefused, &description)
            .await?;
        let payload = answer.upsert_sweep.unwrap_or(wire::UpsertSweepPayload {
            sweep: None,
            config_validation_warnings: None,
        });
        let sweep = payload.sweep.ok_or_else(|| {
            Error::protocol("the server names no sweep that it created").in_operation(description.clone())
        })?;
        let id = SweepId::new(sweep.name).map_err(|error| {
            Error::protocol("the server named a sweep in a way that no sweep is named")
                .with_source(error)
                .in_operation(description)
        })?;
        Ok(CreatedSweep {
            sweep: Sweep::fetch(self, &path.with_sweep(id)).await?,
            warnings: payload.config_validation_warnings.unwrap_or_default(),
        })
    }
}
