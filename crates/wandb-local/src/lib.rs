//! An embedded Weights & Biases server: GraphQL over SQLite, and a content-addressed file store.
//!
//! It is meant for work without a network: the official Python SDK logs runs into it and reads them back, and so does
//! every client that speaks the protocol. It is written against the protocol and the schema, not against our own
//! client, so that one mistake cannot hide in both.
//!
//! **Time to live.** A [`LocalServer`] looks from time to time (every 30 seconds, a quarter of a shorter
//! [`heartbeat_timeout`](LocalServerBuilder::heartbeat_timeout)) for versions of artifacts whose time is over, and deletes
//! those that no portfolio links; a download that is under way then fails with *not found*. A [`LocalTransport`] has no task
//! of its own and deletes none: they go when the directory is served again.
//!
//! | module | what it holds |
//! |---|---|
//! | `server` | [`LocalServer`]: start, address, key, stop |
//! | `transport` | [`LocalTransport`]: the same router as a `Transport`, with no socket |
//! | `app`, `rate` | the state that requests share; the request limit |
//! | `http` | axum routes: authentication, GraphQL, `file_stream`, file bytes |
//! | `graphql` | the schema, code first |
//! | `people` | [`People`]: users and teams of a data directory |
//! | `store` | everything that touches SQLite |
//! | `filter` | run filters and order strings compiled to SQL |
//! | `lenient` | JSON as the SDK writes it (bare `NaN`), kept as text |
//! | `history_keys` | what is known about each metric of a run |
//! | `blobs`, `signing`, `urls`, `artifact_bytes` | file bytes, and the URLs that give access to them |
//! | `faults` | failures on request, for tests of clients |
//! | `sample` | the sample project of `wb demo` |

mod app;
mod artifact_bytes;
mod blobs;
mod faults;
mod filter;
mod graphql;
mod history_keys;
mod http;
mod lenient;
mod people;
mod rate;
mod sample;
mod server;
mod signing;
mod store;
mod sweeps;
mod transport;
mod urls;

pub use faults::{FaultCount, FaultEffect, FaultParseError, FaultPlan, FaultRule, FaultTrigger};
pub use people::{LocalTeam, LocalUser, NewLocalUser, People, PeopleError};
pub use sample::{SampleError, SampleSummary};
pub use server::{LocalServer, LocalServerBuilder, StartError};
pub use transport::LocalTransport;
