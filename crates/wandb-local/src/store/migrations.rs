//! The tables, and how an older database becomes a newer one.

use rusqlite::Connection;

use super::{StoreError, StoreResult};

/// One entry per schema version, in order; `user_version` counts those that were applied.
const STEPS: &[&str] = &[
    FIRST,
    SECOND,
    SWEEPS_AND_VIEWS,
    include_str!("migrations/people.sql"),
    include_str!("migrations/artifacts.sql"),
];

/// Version 1.
///
/// `history`, `events` and `console` are clustered by `position` = run id * 2^32 + line: the lines of a run lie side by
/// side, a line that arrives twice replaces itself, and no second index is needed to find it. Where several processes
/// write one run, their line numbers collide; `shared_lines` says which position each line of each writer got.
const FIRST: &str = "
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE entities (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  is_team INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  admin INTEGER NOT NULL DEFAULT 0,
  entity_id INTEGER NOT NULL REFERENCES entities(id),
  created_at INTEGER NOT NULL
);

CREATE TABLE members (
  entity_id INTEGER NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  PRIMARY KEY (entity_id, user_id)
) WITHOUT ROWID;

CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  sha256 BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  UNIQUE (user_id, label)
);

CREATE TABLE projects (
  id INTEGER PRIMARY KEY,
  entity_id INTEGER NOT NULL REFERENCES entities(id),
  user_id INTEGER NOT NULL REFERENCES users(id),
  name TEXT NOT NULL,
  description TEXT,
  access TEXT,
  views TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (entity_id, name)
);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users(id),
  user_name TEXT NOT NULL,
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  state TEXT NOT NULL,
  group_name TEXT,
  job_type TEXT,
  host TEXT,
  commit_hash TEXT,
  program TEXT,
  repo TEXT,
  notes TEXT,
  description TEXT,
  sweep_name TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  exit_code INTEGER,
  stop_requested INTEGER NOT NULL DEFAULT 0,
  config TEXT NOT NULL DEFAULT '{}',
  summary TEXT NOT NULL DEFAULT '{}',
  config_query TEXT NOT NULL DEFAULT '{}',
  summary_query TEXT NOT NULL DEFAULT '{}',
  history_lines INTEGER NOT NULL DEFAULT 0,
  event_lines INTEGER NOT NULL DEFAULT 0,
  log_lines INTEGER NOT NULL DEFAULT 0,
  last_step INTEGER NOT NULL DEFAULT -1,
  steps_sorted INTEGER NOT NULL DEFAULT 1,
  key_stats TEXT,
  UNIQUE (project_id, name)
);
CREATE INDEX runs_created ON runs (project_id, created_at, id);
CREATE INDEX runs_heartbeat ON runs (project_id, heartbeat_at, id);
CREATE INDEX runs_updated ON runs (project_id, updated_at, id);
CREATE INDEX runs_state ON runs (project_id, state, created_at, id);
CREATE INDEX runs_group ON runs (project_id, group_name, created_at, id);
CREATE INDEX runs_display ON runs (project_id, display_name);
CREATE INDEX runs_sweep ON runs (project_id, sweep_name);
CREATE INDEX runs_alive ON runs (heartbeat_at) WHERE state = 'running';

CREATE TABLE run_tags (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
CREATE INDEX run_tags_tag ON run_tags (run_id, tag);

CREATE TABLE run_keys (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

CREATE TABLE history (
  position INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL,
  step INTEGER NOT NULL,
  row TEXT NOT NULL
);
CREATE INDEX history_step ON history (run_id, step);

CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  row TEXT NOT NULL
);

CREATE TABLE console (
  position INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);

CREATE TABLE shared_lines (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  file TEXT NOT NULL,
  writer TEXT NOT NULL,
  line INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (run_id, file, writer, line)
) WITHOUT ROWID;

CREATE TABLE run_files (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  md5 TEXT,
  size INTEGER NOT NULL DEFAULT 0,
  uploaded_at INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (run_id, name)
);
CREATE INDEX run_files_md5 ON run_files (md5);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  severity TEXT NOT NULL,
  wait_ms INTEGER,
  created_at INTEGER NOT NULL
);

CREATE TABLE custom_charts (
  id INTEGER PRIMARY KEY,
  entity_id INTEGER NOT NULL REFERENCES entities(id),
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  access TEXT NOT NULL,
  spec TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (entity_id, name)
);
";

/// Version 2.
///
/// `history_lines` is where the next line goes; behind a gap it is larger than the number of rows, which is
/// `history_rows`. A run that announced its preemption can fall silent, too.
const SECOND: &str = "
ALTER TABLE runs ADD COLUMN history_rows INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET history_rows = (SELECT COUNT(*) FROM history h
  WHERE h.position >= (runs.id << 32) AND h.position < ((runs.id + 1) << 32));
DROP INDEX runs_alive;
CREATE INDEX runs_alive ON runs (heartbeat_at) WHERE state IN ('running', 'preempting');
";

/// Sweeps, reports, and revisions of runs.
///
/// `runs.revision` counts the writes to what a patch can write. A run of a sweep carries the sweep's name, as on the
/// wire; `agent_id` is the agent that it was handed to, and `trials` holds what the sweep proposed for it. `point` is
/// the proposal in one canonical form, where it must not be made twice. `exhausted` says that the search has nothing
/// left to propose; the sweep counts as finished once none of its runs is alive.
const SWEEPS_AND_VIEWS: &str = "
ALTER TABLE runs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN agent_id INTEGER;
CREATE INDEX runs_agent ON runs (agent_id, created_at, id) WHERE agent_id IS NOT NULL;
CREATE INDEX runs_waiting ON runs (heartbeat_at) WHERE state = 'pending' AND agent_id IS NOT NULL;

CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users(id),
  name TEXT NOT NULL,
  display_name TEXT,
  description TEXT,
  method TEXT NOT NULL,
  config TEXT NOT NULL,
  controller TEXT,
  scheduler TEXT,
  state TEXT NOT NULL,
  exhausted INTEGER NOT NULL DEFAULT 0,
  proposed INTEGER NOT NULL DEFAULT 0,
  grid_next INTEGER NOT NULL DEFAULT 0,
  seed INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  UNIQUE (project_id, name)
);

CREATE TABLE agents (
  id INTEGER PRIMARY KEY,
  sweep_id INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  UNIQUE (sweep_id, name)
);

CREATE TABLE trials (
  run_id INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
  sweep_id INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
  args TEXT NOT NULL,
  point TEXT,
  bands INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX trials_sweep ON trials (sweep_id, run_id);
CREATE UNIQUE INDEX trials_point ON trials (sweep_id, point) WHERE point IS NOT NULL;

CREATE TABLE trial_bands (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  band INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (run_id, band)
) WITHOUT ROWID;

CREATE TABLE views (
  id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  user_name TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  parent_id INTEGER,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  display_name TEXT,
  description TEXT,
  spec TEXT,
  locked INTEGER NOT NULL DEFAULT 0,
  preview_url TEXT,
  cover_url TEXT,
  showcased_at INTEGER,
  created_using TEXT NOT NULL,
  view_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (project_id, kind, name)
);
CREATE INDEX views_parent ON views (parent_id) WHERE parent_id IS NOT NULL;
";

/// Makes sure that the database is of exactly this version.
pub(super) fn require_current(connection: &Connection) -> StoreResult<()> {
    let known = STEPS.len() as i64;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == known {
        return Ok(());
    }
    Err(StoreError::Newer { found, known })
}

/// Brings the database up to the newest version; each step is one transaction.
pub(super) fn apply(connection: &mut Connection) -> StoreResult<()> {
    let known = STEPS.len() as i64;
    loop {
        // Two processes may open a new directory at once; the version is read under the write lock.
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found > known || found < 0 {
            return Err(StoreError::Newer { found, known });
        }
        let Some(step) = STEPS.get(found as usize) else {
            return Ok(());
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_database_learns_how_many_rows_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(FIRST).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF;
                 INSERT INTO runs (id, project_id, user_id, user_name, name, display_name, state, created_at, updated_at,
                                   heartbeat_at, started_at, history_lines)
                   VALUES (1, 1, 1, 'u', 'r', 'r', 'running', 0, 0, 0, 0, 9), (2, 1, 1, 'u', 's', 's', 'running', 0, 0, 0, 0, 1);
                 INSERT INTO history VALUES (1 << 32, 1, 0, '{}'), ((1 << 32) + 8, 1, 1, '{}'), (2 << 32, 2, 0, '{}');",
            )
            .unwrap();
        apply(&mut connection).unwrap();
        let rows = |id: i64| -> i64 {
            connection
                .query_row("SELECT history_rows FROM runs WHERE id = ?1", [id], |row| {
                    row.get(0)
                })
                .unwrap()
        };
        assert_eq!((rows(1), rows(2)), (2, 1));
    }

    #[test]
    fn applies_once_and_refuses_newer_databases() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection).unwrap();
        apply(&mut connection).unwrap();
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, STEPS.len() as i64);
        connection
            .pragma_update(None, "user_version", version + 1)
            .unwrap();
        assert!(matches!(apply(&mut connection), Err(StoreError::Newer { .. })));
    }
}
