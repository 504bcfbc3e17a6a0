//! Laws: the SQL agrees with a naive evaluator over trees, and nothing that a client sends makes it fail.

mod cases;
mod naive;
mod random;

use std::collections::BTreeSet;

use rusqlite::{Connection, params, params_from_iter};
use serde_json::{Map, Value};

use super::error::{FilterError, OrderError};
use super::sql::SqlFragment;
use super::*;

/// A run as the naive evaluator sees it.
#[derive(Debug, Clone, Default)]
struct Run {
    name: String,
    state: String,
    group: Option<String>,
    /// Seconds.
    created_at: i64,
    heartbeat_at: i64,
    tags: Vec<String>,
    keys: BTreeSet<String>,
    config: Map<String, Value>,
    summary: Map<String, Value>,
}

fn database(runs: &[Run]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    register_functions(&connection).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, project_id, name TEXT, display_name TEXT, state TEXT,
               group_name TEXT, job_type TEXT, host TEXT, commit_hash TEXT, program TEXT, repo TEXT, notes TEXT,
               description TEXT, sweep_name TEXT, user_name TEXT, created_at INTEGER, updated_at INTEGER,
               heartbeat_at INTEGER, config_query TEXT, summary_query TEXT);
             CREATE TABLE run_tags (run_id, tag TEXT);
             CREATE TABLE run_keys (run_id, key TEXT);",
        )
        .unwrap();
    for (id, run) in runs.iter().enumerate() {
        let (config, summary) = (
            Value::Object(run.config.clone()),
            Value::Object(run.summary.clone()),
        );
        connection
            .execute(
                "INSERT INTO runs (id, name, display_name, state, group_name, created_at, updated_at, heartbeat_at,
                   config_query, summary_query) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
                params![
                    id as i64,
                    run.name,
                    run.state,
                    run.group,
                    run.created_at * 1_000_000,
                    run.heartbeat_at * 1_000_000,
                    config.to_string(),
                    summary.to_string()
                ],
            )
            .unwrap();
        for tag in &run.tags {
            connection
                .execute("INSERT INTO run_tags VALUES (?, ?)", params![id as i64, tag])
                .unwrap();
        }
        for key in &run.keys {
            connection
                .execute("INSERT INTO run_keys VALUES (?, ?)", params![id as i64, key])
                .unwrap();
        }
    }
    connection
}

fn ids(connection: &Connection, sql: &str, parameters: Vec<rusqlite::types::Value>) -> Vec<usize> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement
        .query_map(params_from_iter(parameters), |row| row.get::<_, i64>(0))
        .unwrap();
    rows.map(|id| id.unwrap() as usize).collect()
}

fn filtered(connection: &Connection, filter: &str) -> Vec<usize> {
    match compile_filter(Subject::Runs, Some(filter)).unwrap() {
        None => ids(connection, "SELECT r.id FROM runs r ORDER BY r.id", Vec::new()),
        Some(SqlFragment { sql, params }) => ids(
            connection,
            &format!("SELECT r.id FROM runs r WHERE {sql} ORDER BY r.id"),
            params,
        ),
    }
}

fn ordered(connection: &Connection, order: &str) -> Vec<usize> {
    let SqlFragment { sql, params } = compile_order(Subject::Runs, Some(order)).unwrap();
    ids(
        connection,
        &format!("SELECT r.id FROM runs r ORDER BY {sql}"),
        params,
    )
}
