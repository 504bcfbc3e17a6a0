//! Sweeps.

use wandb_core::Result;
use wandb_core::order::Order;
use wandb_models::{Selection, SweepAgent, SweepState};

use super::{Run, Runs};
use crate::mirror::{mirror, plain};

plain!(SweepAgent);

mirror! {
    Sweep {
        async fn reload(&self) -> Result<Self>;
        fn runs(&self) -> Runs;
        async fn load_runs(&self) -> Result<Vec<Run>>;
        async fn agents(&self) -> Result<Vec<SweepAgent>>;
        fn agent_runs(&self, agent: impl Into<String>) -> AgentRuns;
        async fn set_state(&self, state: SweepState) -> Result<Self>;
        async fn best_run(&self) -> Result<BestRun>;
        async fn best_run_by(&self, order: Order) -> Result<BestRun>;
    }
    Sweeps {
        async fn count(&self) -> Result<u64>;
    }
    AgentRuns {
        fn order(self, order: Order) -> Self;
        fn select(self, selection: Selection) -> Self;
    }
    BestRun {
        field run -> Option<Run>;
    }
    CreatedSweep {
        field sweep -> Sweep;
    }
}
