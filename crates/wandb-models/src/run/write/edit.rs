//! Changing a run: field-level patches.
//!
//! # What two writers do to each other
//!
//! On the embedded server the changes are applied to single members in one transaction: writers of different keys never
//! meet, and a condition is checked in the same transaction. Any other server knows only whole documents (protocol §2.7):
//! whoever sends a config replaces it. There the run is read just before, the changes are made in what was read, and the
//! run is read again just after; when the changes are not there any more (another writer sent an older document over
//! them) they are made again. That leaves two gaps that no client can close: a writer of another program whose change falls
//! between the reading and the writing is overwritten, and of a condition the same moment is not covered; the second
//! reading tells when that happened under a condition.

use cynic::{Id, MutationBuilder, QueryBuilder};
use wandb_core::{Error, ErrorKind, Result, Value, retry::Repeat, value::Map};
use wandb_schema::{operations::run_writes as wire, scalars::JsonString};

use super::{
    change::Document,
    state::{Editable, Edits},
};
use crate::run::{Run, config, variables};

/// The feature by which the embedded server says that it can change single members.
const RUN_PATCH: &str = "WB_RUN_PATCH";

/// How often whole documents are written when others overwrite them.
const WRITES: u32 = 4;

/// The longest tag, in characters (inventory §2.5).
const LONGEST_TAG: usize = 64;

/// Changes of one run: what is not named stays as it is, and is not sent. Made by [`Run::edit`]; nothing is sent until
/// [`save`](Self::save).
///
/// Of the same member the last word counts. A mistake in a name is reported by `save`.
#[derive(Debug, Clone)]
#[must_use = "changes are sent by save()"]
pub struct RunEdit {
    pub(super) run: Run,
    pub(super) edits: Edits,
    if_unchanged: bool,
    mistake: Option<Error>,
}

impl RunEdit {
    pub(super) fn new(run: Run) -> Self {
        Self {
            run,
            edits: Edits::default(),
            if_unchanged: false,
            mistake: None,
        }
    }

    /// Sets a config key. A description beside it stays. A dot is part of the key.
    pub fn config(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.change(Document::Config, [key.into()], Some(value.into()))
    }

    /// Sets a value inside a config value: `["model", "depth"]`. Objects on the way are made; a value that is no object is
    /// an error.
    pub fn config_path<K: Into<String>>(
        self,
        path: impl IntoIterator<Item = K>,
        value: impl Into<Value>,
    ) -> Self {
        self.change(Document::Config, path, Some(value.into()))
    }

    /// Removes a config key, or with a longer path a value inside. One that is not there is passed over.
    pub fn remove_config<K: Into<String>>(self, path: impl IntoIterator<Item = K>) -> Self {
        self.change(Document::Config, path, None)
    }

    /// Sets a summary key. A dot is part of the key.
    pub fn summary(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.change(Document::Summary, [key.into()], Some(value.into()))
    }

    /// Sets a value inside a summary value, as [`config_path`](Self::config_path).
    pub fn summary_path<K: Into<String>>(
        self,
        path: impl IntoIterator<Item = K>,
        value: impl Into<Value>,
    ) -> Self {
        self.change(Document::Summary, path, Some(value.into()))
    }

    /// Removes a summary key, or with a longer path a value inside.
    pub fn remove_summary<K: Into<String>>(self, path: impl IntoIterator<Item = K>) -> Self {
        self.change(Document::Summary, path, None)
    }

    /// Adds a tag.
    pub fn add_tag(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        self.check_tag(&tag);
        self.edits.tags.add(tag);
        self
    }

    /// Removes a tag.
    pub fn remove_tag(mut self, tag: impl Into<String>) -> Self {
        self.edits.tags.remove(tag.into());
        self
    }

    /// Sets all tags.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        for tag in &tags {
            self.check_tag(tag);
        }
        self.edits.tags.set(tags);
        self
    }

    /// Sets the notes.
    pub fn notes(mut self, text: impl Into<String>) -> Self {
        self.edits.notes = Some(text.into());
        self
    }

    /// Sets the name that users see.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.edits.display_name = Some(name.into());
        self
    }

    /// Sets the group.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.edits.group = Some(name.into());
        self
    }

    /// Sets the job type.
    pub fn job_type(mut self, name: impl Into<String>) -> Self {
        self.edits.job_type = Some(name.into());
        self
    }

    /// Only if nothing that can be written has changed since the run was read: config, summary, tags, notes, name, group,
    /// job type. Otherwise [`save`](Self::save) is a [`Conflict`](ErrorKind::Conflict) and changes nothing.
    ///
    /// The embedded server checks that in the transaction of the change. Any other server knows no condition: the run is read
    /// just before and just after the write, so another program's write in that moment is told, and may be overwritten.
    pub fn if_unchanged(mut self) -> Self {
        self.if_unchanged = true;
        self
    }

    /// Sends the changes, and gives the run as it is then, whole. Without changes and condition nothing is sent.
    ///
    /// # Errors
    /// - [`Conflict`](ErrorKind::Conflict) when the run has changed and the edit was [conditional](Self::if_unchanged), or
    ///   when other writers overwrite the changes each time;
    /// - [`InvalidInput`](ErrorKind::InvalidInput) for a key of W&B's own, an empty path or tag, a path through a value
    ///   that is no object, or a condition on a run of which a listing left out config or summary;
    /// - [`NotFound`](ErrorKind::NotFound), [`NotVisible`](ErrorKind::NotVisible) when the run is gone, or the key may
    ///   not change it.
    pub async fn save(mut self) -> Result<Run> {
        let description = format!("change run \"{}\"", self.run.run_path());
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake.in_operation(description));
        }
        if self.edits.is_empty() && !self.if_unchanged {
            return Ok(self.run);
        }
        let snapshot = self
            .snapshot()
            .map_err(|error| error.in_operation(description.clone()))?;
        if self.run.api().has_feature(RUN_PATCH).await? {
            self.patch(snapshot.as_ref(), &description).await
        } else {
            self.rewrite(snapshot.as_ref(), &description).await
        }
    }

    /// The run as it was read, if there is a condition on it.
    fn snapshot(&self) -> Result<Option<Editable>> {
        if !self.if_unchanged {
            return Ok(None);
        }
        Editable::of_data(self.run.data())?.map(Some).ok_or_else(|| {
            Error::invalid_input("a listing left out a part of the run, so whether it changed cannot be told")
                .with_hint("reload the run before the edit")
        })
    }

    async fn patch(&self, snapshot: Option<&Editable>, description: &str) -> Result<Run> {
        let named = |error: Error| error.in_operation(description);
        let mut id = self.run.storage_id.clone();
        let mut base = None;
        let mut token = None;
        if snapshot.is_some() || self.edits.need_base() {
            let operation = wire::RunRevision::build(variables(self.run.run_path()));
            let answer: wire::RunRevision = self.run.api().execute(&operation, description).await?;
            let found = answer
                .project
                .and_then(|project| project.run)
                .ok_or_else(|| self.gone(description))?;
            id = found.run.id.inner().to_owned();
            let state = Editable::from_wire(&self.run.id, found.run).map_err(named)?;
            if let Some(snapshot) = snapshot {
                unchanged(snapshot, &state).map_err(named)?;
                token = Some(found.wb_revision.ok_or_else(|| {
                    named(Error::protocol(
                        "the server gives no revision where it said that it would",
                    ))
                })?);
            }
            base = Some(state);
        }
        let input = self.input(id, base.as_ref(), token.clone()).map_err(named)?;
        let operation = wire::WbPatchRun::build(wire::WbPatchRunVariables { input });
        // Twice the same changes have the effect of once; but the revision is another one after the first time.
        let repeat = if token.is_some() {
            Repeat::OnlyIfRefused
        } else {
            Repeat::Always
        };
        let answer: Result<wire::WbPatchRun> = self.run.api().mutate(&operation, repeat, description).await;
        let answer = answer.map_err(|error| match error.kind() {
            ErrorKind::Conflict => error.with_hint("read the run again and repeat the edit"),
            _ => error,
        })?;
        if answer.wb_patch_run.is_none() {
            return Err(named(Error::protocol(
                "the server does not say what became of the run",
            )));
        }
        self.run.reload().await
    }

    fn input(
        &self,
        id: String,
        base: Option<&Editable>,
        token: Option<String>,
    ) -> Result<wire::WbPatchRunInput> {
        let none = Map::new();
        let config = self
            .edits
            .config
            .to_wire(Document::Config, base.map_or(&none, |base| &base.config))?;
        let summary = self
            .edits
            .summary
            .to_wire(Document::Summary, base.map_or(&none, |base| &base.summary))?;
        let (add, remove) = self
            .edits
            .tags
            .relative_to(base.map_or(&[], |base| base.tags.as_slice()));
        let text = |patch: Option<Map>| patch.map(|map| JsonString(Value::Map(map).to_wire()));
        let list = |list: Vec<String>| (!list.is_empty()).then_some(list);
        Ok(wire::WbPatchRunInput {
            id: Id::new(id),
            config_patch: text(config.patch),
            summary_patch: text(summary.patch),
            remove_config_keys: list(config.remove),
            remove_summary_keys: list(summary.remove),
            add_tags: list(add),
            remove_tags: list(remove),
            display_name: self.edits.display_name.clone(),
            notes: self.edits.notes.clone(),
            group_name: self.edits.group.clone(),
            job_type: self.edits.job_type.clone(),
            if_unchanged_token: token,
        })
    }

    async fn rewrite(&self, snapshot: Option<&Editable>, description: &str) -> Result<Run> {
        let named = |error: Error| error.in_operation(description);
        for _ in 0..WRITES {
            let (id, mut state) = self.read(description).await?;
            if let Some(snapshot) = snapshot {
                unchanged(snapshot, &state).map_err(named)?;
            }
            self.edits.apply(&mut state).map_err(named)?;
            if !self.edits.is_empty() {
                self.send_whole(id, &state, description).await?;
            }
            let run = self.run.reload().await?;
            let after = Editable::of_data(run.data())
                .map_err(named)?
                .ok_or_else(|| named(Error::protocol("a whole run was asked for and a part came")))?;
            if snapshot.is_some() {
                let others = state.differences(&after);
                return if others.is_empty() {
                    Ok(run)
                } else {
                    Err(named(conflict(
                        &others,
                        "while this change was sent, which the server has taken",
                    )))
                };
            }
            if self.edits.hold_in(&after) {
                return Ok(run);
            }
        }
        Err(named(
            Error::new(
                ErrorKind::Conflict,
                format!("other writers overwrote the change {WRITES} times"),
            )
            .with_hint(
                "the run's own process may be writing its config or summary; try again when it has finished",
            ),
        ))
    }

    async fn read(&self, description: &str) -> Result<(String, Editable)> {
        let operation = wire::RunForUpdate::build(variables(self.run.run_path()));
        let answer: wire::RunForUpdate = self.run.api().execute(&operation, description).await?;
        let found = answer
            .project
            .and_then(|project| project.run)
            .ok_or_else(|| self.gone(description))?;
        let id = found.id.inner().to_owned();
        let state =
            Editable::from_wire(&self.run.id, found).map_err(|error| error.in_operation(description))?;
        Ok((id, state))
    }

    /// Sends the documents in which something changed, whole: this server knows no other way.
    async fn send_whole(&self, id: String, state: &Editable, description: &str) -> Result<()> {
        let edits = &self.edits;
        let document =
            |touched: bool, map: &Map| touched.then(|| JsonString(Value::Map(map.clone()).to_wire()));
        let input = wire::UpsertBucketInput {
            id: Some(id),
            display_name: edits.display_name.clone(),
            notes: edits.notes.clone(),
            group_name: edits.group.clone(),
            job_type: edits.job_type.clone(),
            tags: (!edits.tags.is_empty()).then(|| state.tags.clone()),
            config: document(!edits.config.is_empty(), &state.config),
            summary_metrics: document(!edits.summary.is_empty(), &state.summary),
            ..wire::UpsertBucketInput::default()
        };
        let operation = wire::UpsertBucket::build(wire::UpsertBucketVariables { input });
        let answer: wire::UpsertBucket = self
            .run
            .api()
            .mutate(&operation, Repeat::Always, description)
            .await?;
        match answer.upsert_bucket.and_then(|payload| payload.bucket) {
            Some(_) => Ok(()),
            None => {
                Err(Error::protocol("the server does not say what became of the run")
                    .in_operation(description))
            }
        }
    }

    fn gone(&self, description: &str) -> Error {
        Error::not_found(format!("run \"{}\"", self.run.run_path())).in_operation(description)
    }

    pub(super) fn change<K: Into<String>>(
        mut self,
        document: Document,
        path: impl IntoIterator<Item = K>,
        value: Option<Value>,
    ) -> Self {
        let path: Vec<String> = path.into_iter().map(Into::into).collect();
        let result = match path.first() {
            None => Err(Error::invalid_input("a path needs at least one key")),
            Some(key) if document == Document::Config && config::is_internal(key) => Err(
                Error::invalid_input(format!("the config key {key:?} is W&B's own and is not changed")),
            ),
            Some(_) => match document {
                Document::Config => self.edits.config.add(path, value),
                Document::Summary => self.edits.summary.add(path, value),
            },
        };
        self.note(result);
        self
    }

    fn check_tag(&mut self, tag: &str) {
        let length = tag.chars().count();
        if length == 0 || length > LONGEST_TAG {
            self.note(Err(Error::invalid_input(format!(
                "a tag has 1 to {LONGEST_TAG} characters, and this one has {length}"
            ))));
        }
    }

    fn note(&mut self, result: Result<()>) {
        if let Err(error) = result {
            self.mistake.get_or_insert(error);
        }
    }
}

fn unchanged(snapshot: &Editable, now: &Editable) -> Result<()> {
    let differences = snapshot.differences(now);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(conflict(&differences, "since the run was read"))
    }
}

fn conflict(differences: &[String], when: &str) -> Error {
    const SHOWN: usize = 5;
    let mut list = differences
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if differences.len() > SHOWN {
        list.push_str(&format!(" and {} more", differences.len() - SHOWN));
    }
    Error::new(
        ErrorKind::Conflict,
        format!("another writer changed {list} {when}"),
    )
    .with_hint("read the run again and repeat the edit")
}

impl Run {
    /// Begins to change the run: only what is named is sent, and what is not stays as it is, whoever wrote it.
    ///
    /// ```no_run
    /// # async fn example(run: wandb_models::Run) -> wandb_core::Result<()> {
    /// let run = run.edit().config("lr", 0.01).summary("best", 0.97).add_tag("winner").save().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit(&self) -> RunEdit {
        RunEdit::new(self.clone())
    }
}
