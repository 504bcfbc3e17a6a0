//! GraphQL types of the Weights & Biases data client: the schema module that `cynic` checks everything against, the
//! scalars, and one module of operations per resource under [`operations`].
//!
//! This crate does no I/O and holds no domain names: it is the wire, and its types never show in a public signature of
//! the crates above. *Invariant: it compiles from `schema/wandb.graphql` alone.*

#![expect(
    missing_debug_implementations,
    reason = "cynic generates helper types without Debug"
)]

pub mod operations;
pub mod scalars;

/// The schema, registered by the build script. Only the derives look inside.
#[expect(missing_docs, reason = "generated names of the GraphQL schema")]
#[cynic::schema("wandb")]
pub mod schema {}
