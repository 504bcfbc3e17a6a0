//! The GraphQL schema, code first.
//!
//! Names of types, fields and arguments are the wire's. Resolvers hold no SQL: they turn arguments into store jobs and
//! rows into objects.

mod artifacts;
mod check;
mod console;
mod file;
mod identity;
mod input;
mod mutation;
mod page;
mod people;
mod project;
mod project_writes;
mod query;
mod run;
mod run_info;
mod run_patch;
mod scalars;
mod server_info;
mod sweep;
mod sweep_writes;
mod view;

pub(crate) use check::{TypeNames, defaults};
pub(crate) use file::mimetype;
pub(crate) use people::fresh_key;

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, MergedObject, Schema};
use rusqlite::Connection;

use crate::app::App;
use crate::store::StoreResult;
use crate::store::identity::Identity;

/// Deepest selection. The deepest official document has eleven levels, an introspection query thirteen.
const MAX_DEPTH: usize = 20;
/// Most fields that an answer may have, counting what lists multiply. A page of a thousand runs with everything asks
/// for some forty thousand; lists of lists of lists are what this stops.
const MAX_COMPLEXITY: usize = 250_000;

/// The roots of mutations, one member per resource.
#[derive(Debug, Default, MergedObject)]
pub(crate) struct Mutation(
    mutation::RunMutation,
    artifacts::ArtifactWriteMutation,
    artifacts::ArtifactEditMutation,
    run_patch::RunPatchMutation,
    view::ViewMutation,
    sweep_writes::SweepMutation,
    project_writes::ProjectMutation,
    people::PeopleMutation,
);

/// The schema that requests are run against.
pub(crate) type LocalSchema = Schema<query::Query, Mutation, EmptySubscription>;

/// Builds the schema.
pub(crate) fn schema() -> LocalSchema {
    Schema::build(query::Query, Mutation::default(), EmptySubscription)
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .finish()
}

/// Who asks, and through which address.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) app: Arc<App>,
    pub(crate) identity: Arc<Identity>,
    /// Scheme and host under which the caller reached the server; URLs are built on it.
    pub(crate) origin: String,
    /// The caller is one of several processes that write a run.
    pub(crate) shared: bool,
}

impl Caller {
    /// Runs `job` on a snapshot of the store, with who asks.
    async fn read<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Identity) -> StoreResult<T> + Send + 'static,
    {
        let identity = self.identity.clone();
        self.app.store.read(move |db| job(db, &identity)).await
    }

    /// Runs `job` in a transaction of its own, with who asks: every change looks at what they may.
    async fn write<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Identity) -> StoreResult<T> + Send + 'static,
    {
        let identity = self.identity.clone();
        self.app.store.write(move |db| job(db, &identity)).await
    }
}

/// The caller of the request in hand.
fn caller<'c>(ctx: &Context<'c>) -> &'c Caller {
    ctx.data_unchecked::<Caller>()
}
