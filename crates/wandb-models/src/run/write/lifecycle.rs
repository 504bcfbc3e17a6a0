//! Ending runs and waiting for their end.

use std::time::Duration;

use cynic::{Id, MutationBuilder, QueryBuilder};
use wandb_core::{
    Error, ErrorKind, Result,
    retry::{self, Repeat},
};
use wandb_schema::operations::run_writes as wire;

use crate::{Run, RunReference, RunState, run::variables};

/// How many failures in a row end the waiting when no timeout does. Each of them was retried on its own already.
const FAILURES: u32 = 10;

/// How often a state that this client does not know is seen before the waiting ends.
const UNKNOWN_STATES: u32 = 2;

/// A state that a run can be put into without its process (protocol §2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdatableState {
    /// From `running`, `failed`, `crashed` or `preempted`.
    Pending,
    /// From `pending` or `running`.
    Failed,
}

impl UpdatableState {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// How to wait for the end of a run.
#[derive(Debug, Clone)]
#[must_use]
pub struct WaitOptions {
    timeout: Option<Duration>,
    poll: Duration,
    also_over: Vec<RunState>,
}

impl Default for WaitOptions {
    /// Without an end, asking every 5 seconds, as the official client.
    fn default() -> Self {
        Self {
            timeout: None,
            poll: Duration::from_secs(5),
            also_over: Vec::new(),
        }
    }
}

impl WaitOptions {
    /// How long to wait at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long to pause between two questions; 5 seconds unless set.
    pub fn poll(mut self, pause: Duration) -> Self {
        self.poll = pause;
        self
    }

    /// Takes this state for an end, too: for a server with states that are newer than this client.
    pub fn also_over(mut self, state: impl Into<RunState>) -> Self {
        self.also_over.push(state.into());
        self
    }
}

impl RunReference {
    /// The state now.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn state(&self) -> Result<RunState> {
        let description = format!("read the state of run \"{}\"", self.run_path());
        let operation = wire::RunState::build(variables(self.run_path()));
        let answer: wire::RunState = self.api().execute(&operation, &description).await?;
        let run = answer.project.and_then(|project| project.run).ok_or_else(|| {
            Error::not_found(format!("run \"{}\"", self.run_path())).in_operation(description)
        })?;
        Ok(RunState::of_wire(run.state))
    }

    /// Waits until the run is `finished`, `failed`, `crashed`, `killed` or `preempted`, and reads it. The official client
    /// waits for ever for a run that was killed or preempted (inventory §9.2).
    ///
    /// Failures that may pass do not end the waiting, ten of them in a row apart. Dropping the future ends it.
    ///
    /// # Errors
    /// - [`Timeout`](ErrorKind::Timeout) when it is not over in the time given;
    /// - [`Unsupported`](ErrorKind::Unsupported) when the run is in a state that this client does not know, so that it
    ///   cannot tell whether it is over; see [`WaitOptions::also_over`];
    /// - [`NotFound`](ErrorKind::NotFound) when the run was deleted meanwhile.
    pub async fn wait_until_finished(&self, options: &WaitOptions) -> Result<Run> {
        let runtime = self.api().client().runtime();
        let description = || format!("wait for the end of run \"{}\"", self.run_path());
        let started = runtime.now();
        let (mut failures, mut unknown) = (0, 0);
        loop {
            let state = match self.state().await {
                Ok(state) => {
                    failures = 0;
                    Some(state)
                }
                Err(error) if retry::is_transient(&error) && failures < FAILURES => {
                    failures += 1;
                    None
                }
                Err(error) => return Err(error),
            };
            if let Some(state) = &state {
                if state.is_over() == Some(true) || options.also_over.contains(state) {
                    return self.load().await;
                }
                unknown = if state.is_over().is_some() { 0 } else { unknown + 1 };
                if unknown >= UNKNOWN_STATES {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        format!(
                            "the run is in the state {:?}, which this client does not know",
                            state.as_str()
                        ),
                    )
                    .with_hint("say with also_over whether the state is an end")
                    .in_operation(description()));
                }
            }
            let pause = match options.timeout {
                None => options.poll,
                Some(timeout) => {
                    let left = timeout.saturating_sub(runtime.now().saturating_sub(started));
                    if left.is_zero() {
                        return Err(Error::new(
                            ErrorKind::Timeout,
                            format!(
                                "it is {} after {:.1} s",
                                state.as_ref().map_or("not known", RunState::as_str),
                                timeout.as_secs_f64()
                            ),
                        )
                        .in_operation(description()));
                    }
                    options.poll.min(left)
                }
            };
            runtime.sleep(pause).await;
        }
    }
}

impl Run {
    /// Deletes the run, and with `with_artifacts` the versions of artifacts that it logged.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when it is gone already, [`NotVisible`](ErrorKind::NotVisible) when the key may
    /// not.
    pub async fn delete(&self, with_artifacts: bool) -> Result<()> {
        let description = format!("delete run \"{}\"", self.run_path());
        let operation = wire::DeleteRun::build(wire::DeleteRunVariables {
            input: wire::DeleteRunInput {
                id: Id::new(self.storage_id.clone()),
                delete_artifacts: with_artifacts.then_some(true),
            },
        });
        let answer: Result<wire::DeleteRun> =
            self.api().mutate(&operation, Repeat::Always, &description).await;
        self.api().memory().forget_run(&self.storage_id);
        match answer {
            Ok(answer) if answer.delete_run.is_some() => Ok(()),
            Ok(_) => {
                Err(Error::protocol("the server does not say what became of the run")
                    .in_operation(description))
            }
            // An earlier attempt of this call did it, and its answer was lost.
            Err(error) if error.kind() == ErrorKind::NotFound && error.attempts() > 1 => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks the run's process to stop. The process hears of it with its next sign of life, so the state changes later, or
    /// never when the process is gone.
    ///
    /// # Errors
    /// [`NotVisible`](ErrorKind::NotVisible) when the key may not, or when the server refuses without a reason.
    pub async fn stop(&self) -> Result<()> {
        let description = format!("stop run \"{}\"", self.run_path());
        let operation = wire::StopRun::build(wire::StopRunVariables {
            input: wire::StopRunInput {
                id: Id::new(self.storage_id.clone()),
            },
        });
        let answer: wire::StopRun = self
            .api()
            .mutate(&operation, Repeat::Always, &description)
            .await?;
        match answer.stop_run.and_then(|payload| payload.success) {
            Some(true) => Ok(()),
            _ => Err(Error::new(
                ErrorKind::NotVisible,
                "the server refuses to stop the run and does not say why",
            )
            .in_operation(description)),
        }
    }

    /// Puts a run that has no process into a state, and reads it. Not for runs of sweeps.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the server does not allow it from the state that the run is in.
    pub async fn update_state(&self, state: UpdatableState) -> Result<Self> {
        let state = state.as_str();
        let description = format!("set the state of run \"{}\" to {state}", self.run_path());
        let operation = wire::UpdateRunState::build(wire::UpdateRunStateVariables {
            input: wire::UpdateRunStateInput {
                id: Id::new(self.storage_id.clone()),
                state: state.to_owned(),
            },
        });
        let answer: wire::UpdateRunState = self
            .api()
            .mutate(&operation, Repeat::Always, &description)
            .await?;
        if answer.update_run_state.is_some_and(|payload| payload.success) {
            return self.reload().await;
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("the server does not set a run that is {} to {state}", self.state),
        )
        .in_operation(description))
    }
}
