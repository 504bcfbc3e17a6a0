//! Sweeps and reports: none yet, see [`absent`](super::absent).
#![allow(unreachable_code, clippy::too_many_arguments)] // what the derived code of types without values looks like

use async_graphql::ID;

use super::absent::{absent, absent_connection};
use super::identity::User;
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

    /// A report or saved view.
    View {
        id() -> ID;
        name() -> Option<String>;
        display_name() -> Option<String>;
        description() -> Option<String>;
        kind as "type"() -> Option<String>;
        user() -> Option<User>;
        updated_by() -> Option<User>;
        entity_name() -> String;
        project_name() -> String;
        project() -> Option<Project>;
        spec() -> Option<JsonString>;
        locked() -> bool;
        preview_url() -> Option<String>;
        created_at() -> DateTime;
        updated_at() -> Option<DateTime>;
        view_count() -> i32;
    }
}

absent_connection! {
    /// Sweeps.
    SweepConnection, SweepEdge, Sweep;
    /// Agents.
    AgentConnection, AgentEdge, Agent;
    /// Views.
    ViewConnection, ViewEdge, Option<View>;
}
