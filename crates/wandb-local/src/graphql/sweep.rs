//! Sweeps: none yet, see [`absent`](super::absent).
#![allow(unreachable_code, clippy::too_many_arguments)] // what the derived code of types without values looks like

use async_graphql::ID;

use super::absent::{absent, absent_connection};
use super::project::{Project, RunConnection};
use super::scalars::{DateTime, JsonString};

absent! {
    /// A search over settings.
    Sweep {
        id() -> ID;
        name() -> String;
        display_name() -> Option<String>;
        method() -> String;
        state() -> String;
        description() -> Option<String>;
        config() -> String;
        best_loss() -> Option<f64>;
        created_at() -> DateTime;
        updated_at() -> Option<DateTime>;
        heartbeat_at() -> Option<DateTime>;
        run_count() -> i32;
        run_count_expected() -> Option<i32>;
        early_stop_job_running() -> Option<bool>;
        controller() -> Option<JsonString>;
        controller_run_name() -> Option<String>;
        scheduler() -> Option<JsonString>;
        project() -> Option<Project>;
        runs(_order as "order": Option<String>, _filters as "filters": Option<JsonString>, _first as "first": Option<i32>, _after as "after": Option<String>) -> Option<RunConnection>;
        agents() -> AgentConnection;
        agent(_agent_name as "agentName": String) -> Option<Agent>;
    }

    /// A process that runs what a sweep proposes.
    Agent {
        id() -> ID;
        name() -> String;
        host() -> String;
        state() -> Option<String>;
        total_runs() -> i32;
        created_at() -> DateTime;
        heartbeat_at() -> Option<DateTime>;
        runs(_order as "order": Option<String>, _first as "first": Option<i32>, _after as "after": Option<String>, _last as "last": Option<i32>, _before as "before": Option<String>) -> RunConnection;
    }
}

absent_connection! {
    /// Sweeps.
    SweepConnection, SweepEdge, Sweep;
    /// Agents.
    AgentConnection, AgentEdge, Agent;
}
