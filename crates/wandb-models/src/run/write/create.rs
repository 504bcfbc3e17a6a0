//! Creating runs.

use cynic::{MutationBuilder, QueryBuilder};
use wandb_core::{
    Error, ErrorKind, Result, Value,
    path::{EntityName, NameError, ProjectName, ProjectPath, RunId, RunPath},
    retry::Repeat,
    value::Map,
};
use wandb_schema::{operations::run_writes as wire, scalars::JsonString};

use super::{
    change::Document,
    state::{Editable, Edits},
};
use crate::{Api, Run, ids, run::variables};

/// The length of an id that is made up (official).
const ID_LENGTH: usize = 8;

/// How many ids are tried when one is taken.
const ID_TRIES: u32 = 5;

/// A run that is being created. Made by [`Api::create_run`]; nothing is sent until [`create`](Self::create).
#[derive(Debug, Clone)]
#[must_use = "a run is created by create()"]
pub struct NewRun {
    api: Api,
    project: String,
    id: Option<String>,
    pending: bool,
    sweep: Option<String>,
    edits: Edits,
    mistake: Option<Error>,
}

impl NewRun {
    /// The run id. Eight random letters and digits unless set.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The name that users see; the server makes one up unless set.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.edits.display_name = Some(name.into());
        self
    }

    /// A config key.
    pub fn config(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set(Document::Config, key.into(), value.into())
    }

    /// A summary key.
    pub fn summary(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set(Document::Summary, key.into(), value.into())
    }

    /// A tag more.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.edits.tags.add(tag.into());
        self
    }

    /// The notes.
    pub fn notes(mut self, text: impl Into<String>) -> Self {
        self.edits.notes = Some(text.into());
        self
    }

    /// The group.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.edits.group = Some(name.into());
        self
    }

    /// The job type.
    pub fn job_type(mut self, name: impl Into<String>) -> Self {
        self.edits.job_type = Some(name.into());
        self
    }

    /// Makes it a run of a sweep, by the sweep's id.
    pub fn sweep(mut self, id: impl Into<String>) -> Self {
        self.sweep = Some(id.into());
        self
    }

    /// Creates it `pending` and not `running`.
    pub fn pending(mut self) -> Self {
        self.pending = true;
        self
    }

    fn set(mut self, document: Document, key: String, value: Value) -> Self {
        let changes = match document {
            Document::Config => &mut self.edits.config,
            Document::Summary => &mut self.edits.summary,
        };
        if let Err(error) = changes.add(vec![key], Some(value)) {
            self.mistake.get_or_insert(error);
        }
        self
    }

    /// Creates the run and reads it.
    ///
    /// With an id of the caller's, whether there is such a run is asked first: the server would take the creation for a
    /// restart and set it running. Sending it twice has the effect of once.
    ///
    /// # Errors
    /// - [`Conflict`](ErrorKind::Conflict) when there is a run with this id;
    /// - [`InvalidInput`](ErrorKind::InvalidInput) for an id or a project that cannot be created;
    /// - [`NotVisible`](ErrorKind::NotVisible) when the key may not create it.
    pub async fn create(self) -> Result<Run> {
        let project = self.project_path().await?;
        let description = format!("create a run in \"{project}\"");
        let named = |error: Error| error.in_operation(description.clone());
        if let Some(mistake) = self.mistake.clone() {
            return Err(named(mistake));
        }
        project
            .project()
            .check_new()
            .map_err(|error| named(error.into()))?;
        if let Some(id) = &self.id {
            let id = RunId::new(id.as_str()).and_then(|id| id.check_new().map(|()| id));
            let path = project.with_run(id.map_err(|error| named(error.into()))?);
            if self.exists(&path, &description).await? {
                return Err(named(
                    Error::new(ErrorKind::Conflict, format!("run \"{path}\" exists already"))
                        .with_hint("change it with edit, or choose another id"),
                ));
            }
            let path = self.send(&path, &description).await?;
            return Run::fetch(&self.api, path).await;
        }
        for _ in 0..ID_TRIES {
            let id = ids::random(&**self.api.client().runtime(), ID_LENGTH);
            let path = project.with_run(RunId::new(id).map_err(|error| named(error.into()))?);
            if self.exists(&path, &description).await? {
                continue;
            }
            let path = self.send(&path, &description).await?;
            return Run::fetch(&self.api, path).await;
        }
        Err(named(Error::new(
            ErrorKind::Conflict,
            format!("{ID_TRIES} random ids were all taken"),
        )))
    }

    async fn project_path(&self) -> Result<ProjectPath> {
        if !self.project.trim().is_empty() {
            return self.api.project_path(&self.project).await;
        }
        let project = self.api.path_context().project().cloned();
        Ok(ProjectPath::new(
            self.api.default_entity().await?,
            project.unwrap_or_else(ProjectName::uncategorized),
        ))
    }

    async fn exists(&self, path: &RunPath, description: &str) -> Result<bool> {
        let operation = wire::RunState::build(variables(path));
        let answer: Result<wire::RunState> = self.api.execute(&operation, description).await;
        match answer {
            Ok(answer) => Ok(answer.project.and_then(|project| project.run).is_some()),
            // Some servers say so with an error (protocol §2.4). The project comes with its first run.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn send(&self, path: &RunPath, description: &str) -> Result<RunPath> {
        let named = |error: Error| error.in_operation(description);
        let mut state = Editable::empty();
        self.edits.apply(&mut state).map_err(named)?;
        let document = |map: Map| (!map.is_empty()).then(|| JsonString(Value::Map(map).to_wire()));
        let input = wire::UpsertBucketInput {
            id: None,
            name: Some(path.run().as_str().to_owned()),
            model_name: Some(path.project().as_str().to_owned()),
            entity_name: Some(path.entity().as_str().to_owned()),
            group_name: self.edits.group.clone(),
            description: None,
            display_name: self.edits.display_name.clone(),
            notes: self.edits.notes.clone(),
            config: document(state.config),
            job_type: self.edits.job_type.clone(),
            state: Some(if self.pending { "pending" } else { "running" }.to_owned()),
            sweep: self.sweep.clone(),
            tags: (!state.tags.is_empty()).then_some(state.tags),
            summary_metrics: document(state.summary),
        };
        let operation = wire::UpsertBucket::build(wire::UpsertBucketVariables { input });
        let answer: wire::UpsertBucket = self.api.mutate(&operation, Repeat::Always, description).await?;
        let bucket = answer
            .upsert_bucket
            .and_then(|payload| payload.bucket)
            .ok_or_else(|| named(Error::protocol("the server names no run that it created")))?;
        // The server has the last word on where the run is.
        let wrong = |error: NameError| {
            named(Error::protocol("the server named a run in a way that no run is named").with_source(error))
        };
        let run = RunId::new(bucket.name).map_err(wrong)?;
        Ok(match bucket.project {
            None => path.project_path().with_run(run),
            Some(project) => RunPath::new(
                EntityName::new(project.entity_name).map_err(wrong)?,
                ProjectName::new(project.name).map_err(wrong)?,
                run,
            ),
        })
    }
}

impl Api {
    /// Begins a run in a project, by `entity/project` or `project`; an empty text is the configured project, else
    /// `uncategorized`. A project that does not exist comes with its first run.
    ///
    /// It is a run without a process: nothing logs to it, and nothing will end it but [`Run::update_state`].
    pub fn create_run(&self, project: impl Into<String>) -> NewRun {
        NewRun {
            api: self.clone(),
            project: project.into(),
            id: None,
            pending: false,
            sweep: None,
            edits: Edits::default(),
            mistake: None,
        }
    }
}
