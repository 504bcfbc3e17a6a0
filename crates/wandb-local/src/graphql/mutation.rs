//! Mutations of runs and their files. Every one may arrive twice, because clients retry what timed out
//! (protocol §6.2).

use async_graphql::{Context, ID, Object, SimpleObject};

use super::caller;
use super::file::File;
use super::input::{
    AlertSeverity, CreateCustomChartInput, CreateRunFilesInput, DeleteFilesInput, DeleteRunInput,
    MarkRunFilesUploadedInput, NotifyScriptableRunAlertInput, RewindRunInput, StopRunInput,
    UpdateRunStateInput, UpsertBucketInput,
};
use super::run::{Run, run_number};
use crate::store::artifacts::lineage;
use crate::store::files;
use crate::store::identity::Identity;
use crate::store::ids::Kind;
use crate::store::projects;
use crate::store::runs::{self, RunRow, Wanted};
use crate::store::upsert::{self, RunPatch};
use crate::store::{StoreError, StoreResult, access, bytes, charts};

/// Most files that one request may announce.
const MAX_FILES: usize = 100_000;

/// Mutations of runs and their files.
#[derive(Debug, Default)]
pub(crate) struct RunMutation;

/// A run by names; refuses when it is not there.
pub(super) fn named_run(
    db: &rusqlite::Connection,
    identity: &Identity,
    entity: Option<&str>,
    project: Option<&str>,
    run: &str,
) -> StoreResult<RunRow> {
    let missing = || {
        StoreError::Refused(format!(
            "run {}/{}/{run} not found",
            entity.unwrap_or_default(),
            project.unwrap_or_default()
        ))
    };
    let project = projects::find_to_change(db, identity, entity, project.unwrap_or(projects::UNCATEGORIZED))?
        .ok_or_else(missing)?;
    runs::find(db, project.id, run, Wanted::default())?.ok_or_else(missing)
}

/// Mutations of runs and their files.
#[Object]
impl RunMutation {
    /// Creates or changes a run (protocol §2.7.1).
    async fn upsert_bucket(
        &self,
        ctx: &Context<'_>,
        input: UpsertBucketInput,
    ) -> async_graphql::Result<Option<UpsertBucketPayload>> {
        let caller = caller(ctx);
        let client_mutation_id = input.client_mutation_id;
        let patch = RunPatch {
            id: input.id,
            name: input.name,
            project: input.model_name,
            entity: input.entity_name,
            group: input.group_name,
            description: input.description,
            display_name: input.display_name,
            notes: input.notes,
            commit: input.commit,
            config: input.config.map(|text| text.0),
            host: input.host,
            program: input.job_program,
            repo: input.job_repo,
            job_type: input.job_type,
            state: input.state,
            sweep: input.sweep,
            tags: input.tags,
            summary: input.summary_metrics.map(|text| text.0),
            shared: caller.shared,
        };
        let (row, inserted) = caller
            .write(move |db, identity| {
                let (run, inserted) = upsert::upsert(db, identity, &patch)?;
                let row =
                    runs::by_id(db, run, Wanted::default())?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                Ok((row, inserted))
            })
            .await?;
        Ok(Some(UpsertBucketPayload {
            bucket: Some(Run::for_writer(row)),
            inserted: Some(inserted),
            client_mutation_id,
        }))
    }

    /// Deletes a run and everything that it logged but, unless asked for, the versions of artifacts. Deleting what is gone is no error: the request may be a retry.
    async fn delete_run(
        &self,
        ctx: &Context<'_>,
        input: DeleteRunInput,
    ) -> async_graphql::Result<Option<DeleteRunPayload>> {
        let run = run_number(&input.id)?;
        let with_artifacts = input.delete_artifacts.unwrap_or(false);
        let caller = caller(ctx);
        let digests = caller
            .write(move |db, identity| {
                access::require_run(db, identity, run)?;
                let mut digests = if with_artifacts {
                    lineage::delete_outputs(db, run)?
                } else {
                    Vec::new()
                };
                digests.extend(upsert::delete(db, run)?.1);
                bytes::unreferenced(db, digests)
            })
            .await?;
        caller.app.forget_bytes(digests).await;
        Ok(Some(DeleteRunPayload {
            client_mutation_id: input.client_mutation_id,
        }))
    }

    async fn update_run_state(
        &self,
        ctx: &Context<'_>,
        input: UpdateRunStateInput,
    ) -> async_graphql::Result<Option<UpdateRunStatePayload>> {
        let run = run_number(&input.id)?;
        let state = input.state;
        caller(ctx)
            .write(move |db, identity| {
                access::require_run(db, identity, run)?;
                upsert::change_state(db, run, &state)
            })
            .await?;
        Ok(Some(UpdateRunStatePayload {
            success: true,
            client_mutation_id: input.client_mutation_id,
        }))
    }

    /// Asks the process of a run to stop: its next `file_stream` answer says so.
    async fn stop_run(
        &self,
        ctx: &Context<'_>,
        input: StopRunInput,
    ) -> async_graphql::Result<Option<StopRunPayload>> {
        let run = run_number(&input.id)?;
        let success = caller(ctx)
            .write(move |db, identity| {
                access::require_run(db, identity, run)?;
                upsert::request_stop(db, run)
            })
            .await?;
        Ok(Some(StopRunPayload {
            success: Some(success),
            client_mutation_id: input.client_mutation_id,
        }))
    }

    /// Removes the history after a step (protocol §2.7.2).
    async fn rewind_run(
        &self,
        ctx: &Context<'_>,
        input: RewindRunInput,
    ) -> async_graphql::Result<Option<RewindRunPayload>> {
        if input.metric_name != "_step" {
            return Err(async_graphql::Error::new("a run can only be rewound to a _step"));
        }
        if !input.metric_value.is_finite() || input.metric_value.fract() != 0.0 {
            return Err(async_graphql::Error::new(
                "the step to rewind to is not an integer",
            ));
        }
        let step = input.metric_value as i64;
        let row = caller(ctx)
            .write(move |db, identity| {
                let run = named_run(
                    db,
                    identity,
                    input.entity_name.as_deref(),
                    input.project_name.as_deref(),
                    &input.run_name,
                )?;
                upsert::rewind(db, run.id, step)?;
                runs::by_id(db, run.id, Wanted::default())
            })
            .await?;
        Ok(Some(RewindRunPayload {
            rewound_run: row.map(Run::for_writer),
        }))
    }

    /// Announces files and says where their bytes go (protocol §2.11).
    async fn create_run_files(
        &self,
        ctx: &Context<'_>,
        input: CreateRunFilesInput,
    ) -> async_graphql::Result<Option<CreateRunFilesPayload>> {
        if input.files.len() > MAX_FILES {
            return Err(async_graphql::Error::new(format!(
                "more than {MAX_FILES} files in one request"
            )));
        }
        let (run, rows) = caller(ctx)
            .write(move |db, identity| {
                let run = named_run(
                    db,
                    identity,
                    Some(&input.entity_name),
                    Some(&input.project_name),
                    &input.run_name,
                )?;
                Ok((run.id, files::announce(db, run.id, &input.files)?))
            })
            .await?;
        Ok(Some(CreateRunFilesPayload {
            run_id: Kind::Run.encode(run).into(),
            upload_headers: Vec::new(),
            files: rows.into_iter().map(|row| File::Run(row, true)).collect(),
        }))
    }

    /// Whether the named files have arrived. Their bytes made them visible already, so nothing is left to be done.
    async fn mark_run_files_uploaded(
        &self,
        ctx: &Context<'_>,
        input: MarkRunFilesUploadedInput,
    ) -> async_graphql::Result<Option<MarkRunFilesUploadedPayload>> {
        let success = caller(ctx)
            .read(move |db, identity| {
                let run = named_run(
                    db,
                    identity,
                    Some(&input.entity_name),
                    Some(&input.project_name),
                    &input.run_name,
                )?;
                let mut names = input.files;
                names.sort_unstable();
                names.dedup();
                let wanted = names.len() as i64;
                let query = files::FileQuery { names, pattern: None };
                Ok(wanted == 0 || files::count(db, run.id, &query)? == wanted)
            })
            .await?;
        Ok(Some(MarkRunFilesUploadedPayload { success }))
    }

    async fn delete_files(
        &self,
        ctx: &Context<'_>,
        input: DeleteFilesInput,
    ) -> async_graphql::Result<Option<DeleteFilesPayload>> {
        let mut numbers = Vec::with_capacity(input.files.len());
        for id in &input.files {
            numbers.push(Kind::File.decode(id).ok_or_else(|| {
                async_graphql::Error::new(format!("file not found for id {:?}", id.as_str()))
            })?);
        }
        let caller = caller(ctx);
        let digests = caller
            .write(move |db, identity| {
                access::require_files(db, identity, &numbers)?;
                let (_, digests) = files::delete(db, &numbers, input.project_id)?;
                bytes::unreferenced(db, digests)
            })
            .await?;
        caller.app.forget_bytes(digests).await;
        Ok(Some(DeleteFilesPayload { success: true }))
    }

    /// Records an alert. Nobody is told: there is no mail and no chat here.
    async fn notify_scriptable_run_alert(
        &self,
        ctx: &Context<'_>,
        input: NotifyScriptableRunAlertInput,
    ) -> async_graphql::Result<Option<NotifyScriptableRunAlertPayload>> {
        caller(ctx)
            .write(move |db, identity| {
                let run = named_run(
                    db,
                    identity,
                    Some(&input.entity_name),
                    Some(&input.project_name),
                    &input.run_name,
                )?;
                let severity = input.severity.unwrap_or(AlertSeverity::Info).name();
                let wait = input.wait_duration.map(|wait| wait.0);
                upsert::alert(
                    db,
                    run.id,
                    &input.title,
                    input.text.as_deref().unwrap_or_default(),
                    severity,
                    wait,
                )
            })
            .await?;
        Ok(Some(NotifyScriptableRunAlertPayload { success: true }))
    }

    /// Stores the definition of a custom chart.
    async fn create_custom_chart(
        &self,
        ctx: &Context<'_>,
        input: CreateCustomChartInput,
    ) -> async_graphql::Result<Option<CreateCustomChartPayload>> {
        let chart = charts::Chart {
            entity: input.entity,
            name: input.name,
            display_name: input.display_name,
            kind: input.kind,
            access: input.access,
            spec: input.spec.0,
        };
        let id = caller(ctx)
            .write(move |db, identity| charts::upsert(db, identity, &chart))
            .await?;
        Ok(Some(CreateCustomChartPayload {
            chart: CustomChart {
                id: Kind::CustomChart.encode(id).into(),
            },
        }))
    }
}

/// Result of `upsertBucket`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpsertBucketPayload {
    bucket: Option<Run>,
    /// True when the run is new.
    inserted: Option<bool>,
    client_mutation_id: Option<String>,
}

/// Result of `deleteRun`.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteRunPayload {
    client_mutation_id: Option<String>,
}

/// Result of `updateRunState`.
#[derive(Debug, SimpleObject)]
pub(crate) struct UpdateRunStatePayload {
    success: bool,
    client_mutation_id: Option<String>,
}

/// Result of `stopRun`.
#[derive(Debug, SimpleObject)]
pub(crate) struct StopRunPayload {
    success: Option<bool>,
    client_mutation_id: Option<String>,
}

/// Result of `rewindRun`.
#[derive(Debug, SimpleObject)]
pub(crate) struct RewindRunPayload {
    rewound_run: Option<Run>,
}

/// Result of `createRunFiles`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateRunFilesPayload {
    #[graphql(name = "runID")]
    run_id: ID,
    upload_headers: Vec<String>,
    files: Vec<File>,
}

/// Result of `markRunFilesUploaded`.
#[derive(Debug, SimpleObject)]
pub(crate) struct MarkRunFilesUploadedPayload {
    success: bool,
}

/// Result of `deleteFiles`.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteFilesPayload {
    success: bool,
}

/// Result of `notifyScriptableRunAlert`.
#[derive(Debug, SimpleObject)]
pub(crate) struct NotifyScriptableRunAlertPayload {
    success: bool,
}

/// Result of `createCustomChart`.
#[derive(Debug, SimpleObject)]
pub(crate) struct CreateCustomChartPayload {
    chart: CustomChart,
}

/// A custom chart.
#[derive(Debug, SimpleObject)]
pub(crate) struct CustomChart {
    id: ID,
}
