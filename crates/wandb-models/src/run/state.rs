//! The states of a run.

use crate::words::words;

words! {
    /// How far a run is (protocol §2.7).
    RunState {
        /// It waits to begin.
        Pending = "pending",
        /// Its process lives.
        Running = "running",
        /// It ended well.
        Finished = "finished",
        /// It ended with an error.
        Failed = "failed",
        /// Its process gave no sign of life any more.
        Crashed = "crashed",
        /// It was stopped.
        Killed = "killed",
        /// Its machine is being taken away.
        Preempting = "preempting",
        /// Its machine was taken away.
        Preempted = "preempted",
    }
}

impl RunState {
    /// Whether nothing more is logged in this state, unless the run is resumed. `None` of a state that is newer than this
    /// client.
    #[must_use]
    pub fn is_over(&self) -> Option<bool> {
        match self {
            Self::Pending | Self::Running | Self::Preempting => Some(false),
            Self::Finished | Self::Failed | Self::Crashed | Self::Killed | Self::Preempted => Some(true),
            Self::Other(_) => None,
        }
    }

    /// What a server says that does not say it.
    pub(crate) fn of_wire(state: Option<String>) -> Self {
        state.map_or_else(|| Self::Other("unknown".to_owned()), Self::from)
    }
}
