//! `wbPatchRun`: changes of single members of a run. Only this server has it, and says so by a feature
//! ([`ServerInfo`](super::server_info::ServerInfo)); the official way is to send whole documents, and the last writer
//! wins.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::caller;
use super::run::{Run, run_number};
use super::scalars::{DateTime, JsonString};
use crate::store::access;
use crate::store::patch::{self, RunChange};
use crate::store::runs::{self, Wanted};

/// Mutations that change single members.
#[derive(Debug, Default)]
pub(crate) struct RunPatchMutation;

/// Mutations that change single members.
#[Object]
impl RunPatchMutation {
    /// Changes what is named and nothing else, in one transaction. With a condition that does not hold any more, the
    /// error has `extensions.code = "CONFLICT"`.
    async fn wb_patch_run(
        &self,
        ctx: &Context<'_>,
        input: WbPatchRunInput,
    ) -> async_graphql::Result<Option<WbPatchRunPayload>> {
        let change = RunChange {
            run: run_number(&input.id)?,
            config: input.config_patch.map(|text| text.0),
            summary: input.summary_patch.map(|text| text.0),
            remove_config: input.remove_config_keys.unwrap_or_default(),
            remove_summary: input.remove_summary_keys.unwrap_or_default(),
            add_tags: input.add_tags.unwrap_or_default(),
            remove_tags: input.remove_tags.unwrap_or_default(),
            display_name: input.display_name,
            notes: input.notes,
            group: input.group_name,
            job_type: input.job_type,
            if_revision: input.if_unchanged_token,
            if_updated_at: input.if_updated_at.map(|time| time.0),
        };
        let row = caller(ctx)
            .write(move |db, identity| {
                access::require_run(db, identity, change.run)?;
                patch::apply(db, &change)?;
                Ok(runs::by_id(db, change.run, Wanted::default())?
                    .ok_or(rusqlite::Error::QueryReturnedNoRows)?)
            })
            .await?;
        Ok(Some(WbPatchRunPayload {
            revision: Some(row.revision_token()),
            bucket: Some(Run(row)),
            client_mutation_id: input.client_mutation_id,
        }))
    }
}

/// Input of `wbPatchRun`. Null leaves a member alone.
#[derive(Debug, InputObject)]
pub(crate) struct WbPatchRunInput {
    id: ID,
    /// Merged into the stored, wrapped form, at any depth.
    config_patch: Option<JsonString>,
    summary_patch: Option<JsonString>,
    /// Paths: JSON arrays of keys, or single keys as they are.
    remove_config_keys: Option<Vec<String>>,
    remove_summary_keys: Option<Vec<String>>,
    add_tags: Option<Vec<String>>,
    remove_tags: Option<Vec<String>>,
    display_name: Option<String>,
    notes: Option<String>,
    group_name: Option<String>,
    job_type: Option<String>,
    /// A `wbRevision`.
    if_unchanged_token: Option<String>,
    if_updated_at: Option<DateTime>,
    client_mutation_id: Option<String>,
}

/// Result of `wbPatchRun`.
#[derive(Debug, SimpleObject)]
pub(crate) struct WbPatchRunPayload {
    bucket: Option<Run>,
    /// The new `wbRevision`.
    revision: Option<String>,
    client_mutation_id: Option<String>,
}
