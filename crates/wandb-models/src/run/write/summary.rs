//! The summary as a map that is changed here and sent when asked to: what Python users know as `run.summary`.

use wandb_core::{Result, Value, value::Map};

use super::{change::Document, edit::RunEdit};
use crate::Run;

/// The summary of a run, to read and change. Made by [`Run::edit_summary`].
///
/// Setting changes this map only; [`commit`](Self::commit) sends the keys that were touched, and no others. The official
/// `run.summary.update()` sends the whole summary and so takes back what others wrote meanwhile (inventory §9.2).
///
/// ```no_run
/// # async fn example(run: wandb_models::Run) -> wandb_core::Result<()> {
/// let mut summary = run.edit_summary()?;
/// summary.set("best_accuracy", 0.97);
/// summary.set_path(["test", "loss"], 0.1)?;
/// summary.commit().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RunSummary {
    values: Map,
    edit: RunEdit,
}

impl RunSummary {
    /// The value of a key, with what was set here.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The value at a dotted path; see [`Map::get_path`].
    #[must_use]
    pub fn get_path(&self, path: &str) -> Option<&Value> {
        self.values.get_path(path)
    }

    /// All of it.
    #[must_use]
    pub fn values(&self) -> &Map {
        &self.values
    }

    /// Whether something was touched and not sent.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.edit.edits.is_empty()
    }

    /// Sets a key. A dot is part of the key.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        // A path of one key leads through nothing.
        let _ = self.change(vec![key.into()], Some(value.into()));
    }

    /// Sets a value inside a value. Objects on the way are made.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a path without keys, or through a value that is no object.
    pub fn set_path<K: Into<String>>(
        &mut self,
        path: impl IntoIterator<Item = K>,
        value: impl Into<Value>,
    ) -> Result<()> {
        self.change(path.into_iter().map(Into::into).collect(), Some(value.into()))
    }

    /// Removes a key.
    pub fn remove(&mut self, key: impl Into<String>) {
        let _ = self.change(vec![key.into()], None);
    }

    /// Sets many keys. Without `overwrite`, keys that are there stay as they are (official: `update(…, overwrite)`).
    pub fn update<K: Into<String>, V: Into<Value>>(
        &mut self,
        entries: impl IntoIterator<Item = (K, V)>,
        overwrite: bool,
    ) {
        for (key, value) in entries {
            let key = key.into();
            if overwrite || self.values.get(&key).is_none() {
                self.set(key, value);
            }
        }
    }

    /// Sends the keys that were touched, and takes the run's summary as it is then. Without changes nothing is sent.
    ///
    /// # Errors
    /// As [`RunEdit::save`]. The changes stay, so it can be tried again.
    pub async fn commit(&mut self) -> Result<Run> {
        let run = self.edit.clone().save().await?;
        self.values = run.summary()?.clone();
        self.edit = RunEdit::new(run.clone());
        Ok(run)
    }

    fn change(&mut self, path: Vec<String>, value: Option<Value>) -> Result<()> {
        let mut edits = self.edit.edits.clone();
        edits.summary.add(path, value)?;
        let mut values = self.values.clone();
        edits.summary.apply(Document::Summary, &mut values)?;
        self.values = values;
        self.edit.edits = edits;
        Ok(())
    }
}

impl Run {
    /// The summary as a map that can be changed; see [`RunSummary`].
    ///
    /// # Errors
    /// As [`RunData::summary`](crate::RunData::summary).
    pub fn edit_summary(&self) -> Result<RunSummary> {
        Ok(RunSummary {
            values: self.summary()?.clone(),
            edit: self.edit(),
        })
    }
}
