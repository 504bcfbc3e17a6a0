//! Everything that touches SQLite.
//!
//! One thread owns the only connection that writes; a few threads own connections that read. Callers hand them
//! closures and await the answer, so no async thread ever waits for the disk, and the store needs no runtime of its own.
//!
//! | module | what it holds |
//! |---|---|
//! | `pool` | the threads and the way jobs reach them |
//! | `migrations` | the tables, by `user_version` |
//! | `identity` | who a request acts for, entities, secrets |
//! | `people` | users, teams, API keys |
//! | `access` | who may see and change what |
//! | `projects`, `runs`, `upsert` | projects; reading runs; creating and changing them |
//! | `patch` | changing single members of a run |
//! | `stream` | what a `file_stream` request does |
//! | `sweeps`, `agents`, `trials`, `early` | sweeps; their agents; what they propose; stopping runs early |
//! | `history` | reading rows: exact, thinned, by key |
//! | `console` | console lines |
//! | `charts`, `views` | custom charts; reports and saved views |
//! | `artifacts` | artifacts: types, collections, versions, their files, lineage |
//! | `bytes` | which bytes are referred to, by run files and artifacts |
//! | `files` | run files and the bytes that they point to |
//! | `ids`, `lines`, `time`, `names` | opaque ids, positions of lines, microseconds, generated names |

pub(crate) mod access;
pub(crate) mod agents;
pub(crate) mod artifacts;
pub(crate) mod bytes;
pub(crate) mod charts;
pub(crate) mod console;
mod early;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod ids;
pub(crate) mod lines;
mod migrations;
pub(crate) mod names;
pub(crate) mod patch;
pub(crate) mod people;
mod pool;
pub(crate) mod projects;
pub(crate) mod runs;
pub(crate) mod stream;
pub(crate) mod sweeps;
pub(crate) mod time;
pub(crate) mod trials;
pub(crate) mod upsert;
pub(crate) mod views;

pub(crate) use pool::{Store, require_current, update, write_once};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// SQLite refused or failed.
    #[error("database operation failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The data directory belongs to another version of this program.
    #[error("database has schema version {found}, this version knows {known}")]
    Newer { found: i64, known: i64 },
    /// A thread could not be started, or the data directory could not be prepared.
    #[error("cannot {doing}")]
    Io { doing: String, source: std::io::Error },
    /// The store was closed while the job waited.
    #[error("the store is closed")]
    Closed,
    /// The caller asked for something that cannot be done; the text is for the caller.
    #[error("{0}")]
    Refused(String),
    /// A write that depends on a state which is not there any more; the text is for the caller.
    #[error("{0}")]
    Conflict(String),
    /// The caller may see the object and may not change it. Clients look for these words (protocol §2.4).
    #[error("permission denied: {0}")]
    Denied(String),
    /// What the caller goes on asking about does not exist any more; the text is for the caller.
    #[error("{0}")]
    Gone(String),
    /// A filter that cannot be compiled.
    #[error("invalid filter: {0}")]
    Filter(String),
}

impl StoreError {
    /// The word by which a client can tell the kind, in `extensions.code` of a GraphQL error.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Denied(_) => Some("PERMISSION_ERROR"),
            Self::Conflict(_) => Some("CONFLICT"),
            Self::Gone(_) => Some("NOT_FOUND"),
            _ => None,
        }
    }

    /// True when the caller is at fault and may be told the text.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::Denied(_) | Self::Conflict(_) | Self::Gone(_) | Self::Filter(_)
        )
    }
}

/// The usual result of a store job.
pub(crate) type StoreResult<T> = Result<T, StoreError>;
