//! A run: its attributes, rows, console and files.

use async_graphql::{Context, ID, Object};

use super::artifacts::{ArtifactConnection, InputArtifactConnection, inputs_page, outputs_page};
use super::console::{LogLineConnection, log_lines};
use super::file::{FileConnection, file_page};
use super::identity::User;
use super::project::Project;
use super::run_info::{GitInfo, RunInfo};
use super::scalars::{DateTime, Duration, Int64, Json, JsonItems, JsonList, JsonString, JsonText, Rows};
use super::sweep::Sweep;
use super::{caller, page};
use crate::history_keys::KeyStats;
use crate::lenient;
use crate::store::files::{self, FileQuery};
use crate::store::history::{self, Spec, Steps, Stream};
use crate::store::ids::Kind;
use crate::store::runs::{self, RunRow, Wanted};
use crate::store::{projects, sweeps};

/// Lines in `historyTail` and `eventsTail`. A resuming client reads the last one only.
const TAIL: i64 = 10;
/// Most specs in one `sampledHistory`; the web interface asks for tens.
const MAX_SPECS: usize = 1000;

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Run(pub(crate) RunRow);

impl Run {
    /// The run as the process that writes it has to see it. `historyLineCount` means two things: readers take it for
    /// the number of rows (`run`, `runs`), writers start to write at that line (`bucket`, which only the documents that
    /// create, resume and rewind runs name; protocol §2.7). The two differ where lines are missing: there a reader must
    /// not wait for rows that do not exist, and a writer must not overwrite those behind the gap.
    pub(crate) fn for_writer(mut row: RunRow) -> Self {
        row.history_rows = row.history_lines;
        Self(row)
    }

    /// The row with heavy texts that the first read left out.
    async fn reload(&self, ctx: &Context<'_>, wanted: Wanted) -> async_graphql::Result<RunRow> {
        let id = self.0.id;
        let row = caller(ctx)
            .app
            .store
            .read(move |db| runs::by_id(db, id, wanted))
            .await?;
        row.ok_or_else(|| async_graphql::Error::new("the run was deleted meanwhile"))
    }

    async fn config_text(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        match &self.0.config {
            Some(text) => Ok(text.clone()),
            None => {
                let row = self
                    .reload(
                        ctx,
                        Wanted {
                            config: true,
                            ..Wanted::default()
                        },
                    )
                    .await?;
                Ok(row.config.unwrap_or_default())
            }
        }
    }
}

/// The members `keys` of a JSON object, as text; all of it without keys.
fn restrict(text: String, keys: Option<Vec<String>>) -> async_graphql::Result<JsonText> {
    match keys {
        None => Ok(JsonText::new(text)),
        Some(keys) => Ok(JsonText::new(
            lenient::select_keys(&text, &keys)
                .map_err(|error| async_graphql::Error::new(error.to_string()))?,
        )),
    }
}

/// A run.
#[Object]
impl Run {
    async fn id(&self) -> ID {
        Kind::Run.encode(self.0.id).into()
    }
    /// What users know as the id of the run.
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn display_name(&self) -> Option<&str> {
        Some(&self.0.display_name)
    }
    async fn project_id(&self) -> i64 {
        self.0.project_id
    }
    async fn project(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Project>> {
        let id = self.0.project_id;
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| projects::by_id(db, id))
            .await?
            .map(Project))
    }
    /// The user who started the run.
    async fn user(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<User>> {
        User::named(caller(ctx), &self.0.user_name).await
    }
    async fn state(&self) -> Option<&str> {
        Some(&self.0.state)
    }
    async fn sweep_name(&self) -> Option<&str> {
        self.0.sweep_name.as_deref()
    }
    /// The sweep that the run belongs to, where the server has it.
    async fn sweep(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Sweep>> {
        let (project, name) = (self.0.project_id, self.0.sweep_name.clone());
        let Some(name) = name else {
            return Ok(None);
        };
        let row = caller(ctx)
            .app
            .store
            .read(move |db| sweeps::find(db, project, &name))
            .await?;
        Ok(row.map(Sweep))
    }
    async fn group(&self) -> Option<&str> {
        self.0.group.as_deref()
    }
    async fn job_type(&self) -> Option<&str> {
        self.0.job_type.as_deref()
    }
    async fn commit(&self) -> Option<&str> {
        self.0.commit.as_deref()
    }
    /// The repository of the code.
    async fn github(&self) -> Option<&str> {
        self.0.repo.as_deref()
    }
    async fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }
    async fn read_only(&self) -> Option<bool> {
        Some(false)
    }
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }
    async fn tags(&self) -> async_graphql::Result<Option<Vec<String>>> {
        Ok(Some(serde_json::from_str(&self.0.tags)?))
    }
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
    async fn updated_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.updated_at))
    }
    /// Changes with every write to what `wbPatchRun` can write. Only this server has it.
    async fn wb_revision(&self) -> Option<String> {
        Some(self.0.revision_token())
    }
    async fn heartbeat_at(&self) -> Option<DateTime> {
        Some(DateTime(self.0.heartbeat_at))
    }
    /// Seconds between the start and the end, or the last sign of life.
    async fn compute_seconds(&self) -> Duration {
        let end = self.0.finished_at.unwrap_or(self.0.heartbeat_at);
        Duration((end - self.0.started_at).max(0) / 1_000_000)
    }
    async fn config(
        &self,
        ctx: &Context<'_>,
        keys: Option<Vec<String>>,
    ) -> async_graphql::Result<Option<JsonText>> {
        restrict(self.config_text(ctx).await?, keys).map(Some)
    }
    /// What W&B itself keeps in the config: the members of `_wandb.value`.
    async fn wandb_config(
        &self,
        ctx: &Context<'_>,
        keys: Option<Vec<String>>,
    ) -> async_graphql::Result<Option<JsonText>> {
        let config = self.config_text(ctx).await?;
        restrict(reserved(&config).unwrap_or_else(|| "{}".to_owned()), keys).map(Some)
    }
    async fn summary_metrics(
        &self,
        ctx: &Context<'_>,
        keys: Option<Vec<String>>,
    ) -> async_graphql::Result<Option<JsonText>> {
        let text = match &self.0.summary {
            Some(text) => text.clone(),
            None => {
                let row = self
                    .reload(
                        ctx,
                        Wanted {
                            summary: true,
                            ..Wanted::default()
                        },
                    )
                    .await?;
                row.summary.unwrap_or_default()
            }
        };
        restrict(text, keys).map(Some)
    }
    /// The last row of system metrics.
    async fn system_metrics(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JsonText>> {
        let text = match &self.0.last_event {
            Some(text) => text.clone(),
            None => self
                .reload(
                    ctx,
                    Wanted {
                        last_event: true,
                        ..Wanted::default()
                    },
                )
                .await?
                .last_event
                .flatten(),
        };
        Ok(text.map(JsonText::new))
    }
    /// What is known about each metric; null without history.
    async fn history_keys(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Json>> {
        let text = match &self.0.key_stats {
            Some(text) => text.clone(),
            None => self
                .reload(
                    ctx,
                    Wanted {
                        key_stats: true,
                        ..Wanted::default()
                    },
                )
                .await?
                .key_stats
                .flatten(),
        };
        Ok(text.map(|text| Json(KeyStats::from_stored(&text).to_json())))
    }
    /// How many rows of history there are; under `bucket`, the number of the next line.
    async fn history_line_count(&self) -> Option<i64> {
        Some(self.0.history_rows)
    }
    async fn events_line_count(&self) -> Option<i64> {
        Some(self.0.event_lines)
    }
    async fn log_line_count(&self) -> Option<i64> {
        Some(self.0.log_lines)
    }
    /// The last rows of history: a JSON array of strings, in a string.
    async fn history_tail(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JsonText>> {
        let id = self.0.id;
        let text = caller(ctx)
            .app
            .store
            .read(move |db| history::tail(db, id, Stream::History, TAIL))
            .await?;
        Ok(Some(JsonText::new(text)))
    }
    /// The last rows of system metrics: a JSON array of strings, in a string.
    async fn events_tail(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<JsonText>> {
        let id = self.0.id;
        let text = caller(ctx)
            .app
            .store
            .read(move |db| history::tail(db, id, Stream::Events, TAIL))
            .await?;
        Ok(Some(JsonText::new(text)))
    }
    /// Rows with `minStep <= _step < maxStep` in step order; at most about `samples`, evenly spread.
    async fn history(
        &self,
        ctx: &Context<'_>,
        min_step: Option<Int64>,
        max_step: Option<Int64>,
        samples: Option<i64>,
    ) -> async_graphql::Result<Rows> {
        let id = self.0.id;
        let steps = Steps {
            min: min_step.map_or(Steps::ALL.min, |step| step.0),
            end: max_step.map_or(Steps::ALL.end, |step| step.0),
        };
        let text = caller(ctx)
            .app
            .store
            .read(move |db| history::rows(db, id, steps, samples))
            .await?;
        Ok(Rows::new(text))
    }
    /// Rows of system metrics, at most about `samples`.
    async fn events(&self, ctx: &Context<'_>, samples: Option<i64>) -> async_graphql::Result<Rows> {
        let id = self.0.id;
        Ok(Rows::new(
            caller(ctx)
                .app
                .store
                .read(move |db| history::events(db, id, samples))
                .await?,
        ))
    }
    /// For each spec, the rows that have all its keys.
    async fn sampled_history(
        &self,
        ctx: &Context<'_>,
        specs: Vec<JsonString>,
    ) -> async_graphql::Result<JsonList> {
        if specs.len() > MAX_SPECS {
            return Err(async_graphql::Error::new(format!("more than {MAX_SPECS} specs")));
        }
        let id = self.0.id;
        let text = caller(ctx)
            .app
            .store
            .read(move |db| {
                let mut lists = Vec::with_capacity(specs.len());
                for spec in &specs {
                    lists.push(history::sampled(db, id, &Spec::parse(&spec.0)?)?);
                }
                Ok(format!("[{}]", lists.join(",")))
            })
            .await?;
        Ok(JsonList::new(text))
    }
    /// No Parquet exports are made: every row is live (protocol §2.9).
    async fn parquet_history(&self, live_keys: Vec<String>) -> ParquetHistory {
        ParquetHistory {
            run: self.0.id,
            live_keys,
        }
    }
    #[graphql(complexity = "page::cost(first.or(last), 1000) * child_complexity")]
    async fn log_lines(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(name = "useImprovedPagination")] _use_improved_pagination: Option<bool>,
    ) -> async_graphql::Result<Option<LogLineConnection>> {
        log_lines(caller(ctx), self.0.id, first, after, last, before)
            .await
            .map(Some)
    }
    async fn file_count(
        &self,
        ctx: &Context<'_>,
        names: Option<Vec<Option<String>>>,
        pattern: Option<String>,
    ) -> async_graphql::Result<i64> {
        let id = self.0.id;
        let query = FileQuery {
            names: names.unwrap_or_default().into_iter().flatten().collect(),
            pattern,
        };
        Ok(caller(ctx)
            .app
            .store
            .read(move |db| files::count(db, id, &query))
            .await?)
    }
    #[graphql(complexity = "page::cost(first, 50) * child_complexity")]
    async fn files(
        &self,
        ctx: &Context<'_>,
        names: Option<Vec<Option<String>>>,
        pattern: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<FileConnection>> {
        let query = FileQuery {
            names: names.unwrap_or_default().into_iter().flatten().collect(),
            pattern,
        };
        file_page(caller(ctx), self.0.id, query, first, after)
            .await
            .map(Some)
    }
    /// Versions that the run used.
    #[graphql(complexity = "page::cost(first, 100) * child_complexity")]
    async fn input_artifacts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<InputArtifactConnection>> {
        inputs_page(caller(ctx), self.0.id, first, after.as_deref())
            .await
            .map(Some)
    }
    /// Versions that the run logged.
    #[graphql(complexity = "page::cost(first, 100) * child_complexity")]
    async fn output_artifacts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> async_graphql::Result<Option<ArtifactConnection>> {
        outputs_page(caller(ctx), self.0.id, first, after.as_deref())
            .await
            .map(Some)
    }
    /// True when the process of the run was asked to stop.
    async fn stopped(&self) -> Option<bool> {
        Some(self.0.stop_requested)
    }
    async fn should_stop(&self) -> Option<bool> {
        Some(self.0.stop_requested)
    }
    async fn failed(&self) -> Option<bool> {
        Some(matches!(self.0.state.as_str(), "failed" | "crashed" | "killed"))
    }
    async fn running(&self) -> Option<bool> {
        Some(self.0.state == "running")
    }
    async fn exitcode(&self) -> Option<i64> {
        self.0.exit_code
    }
    async fn run_info(&self) -> Option<RunInfo> {
        Some(RunInfo {
            program: self.0.program.clone(),
            args: None,
            os: None,
            python: None,
            colab: None,
            executable: None,
            code_saved: None,
            cpu_count: None,
            gpu_count: None,
            gpu: None,
            git: (self.0.repo.is_some() || self.0.commit.is_some()).then(|| GitInfo {
                remote: self.0.repo.clone(),
                commit: self.0.commit.clone(),
            }),
        })
    }
}

/// The text of `_wandb.value` in a config.
fn reserved(config: &str) -> Option<String> {
    fn member<'t>(text: &'t str, name: &str) -> Option<&'t str> {
        lenient::members(text)
            .ok()?
            .map_while(Result::ok)
            .find_map(|(key, value)| (key == name).then_some(value.text))
    }
    let value = member(member(config, "_wandb")?, "value")?;
    lenient::members(value).is_ok().then(|| value.to_owned())
}

/// Rows in Parquet files, and those that are not there yet.
#[derive(Debug)]
pub(crate) struct ParquetHistory {
    run: i64,
    live_keys: Vec<String>,
}

/// Rows in Parquet files, and those that are not there yet.
#[Object]
impl ParquetHistory {
    async fn parquet_urls(&self) -> Vec<String> {
        Vec::new()
    }
    async fn live_data(&self, ctx: &Context<'_>) -> async_graphql::Result<JsonItems> {
        let (run, keys) = (self.run, self.live_keys.clone());
        Ok(JsonItems::new(
            caller(ctx)
                .app
                .store
                .read(move |db| history::live(db, run, &keys))
                .await?,
        ))
    }
}

/// The row number of a run that was named by its opaque id.
pub(crate) fn run_number(id: &str) -> async_graphql::Result<i64> {
    Kind::Run
        .decode(id)
        .ok_or_else(|| async_graphql::Error::new(format!("run not found for id {id:?}")))
}
