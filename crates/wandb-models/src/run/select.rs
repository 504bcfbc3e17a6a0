//! What a listing of runs asks for.

use wandb_core::{
    filter::{FieldPath, Filter},
    path::ProjectPath,
};
use wandb_schema::operations::runs::RunsVariables;

/// Which parts of each run a listing asks for. One page is one query, whatever is selected.
///
/// The default is everything but the history keys, which are several kilobytes a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Selection {
    pub(super) config: Part,
    pub(super) summary: Part,
    pub(super) system_metrics: bool,
    pub(super) history_keys: bool,
}

/// A part that can be asked for whole, by key, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    None,
    Keys(Vec<String>),
    All,
}

impl Part {
    pub(super) fn wanted(&self) -> bool {
        *self != Self::None
    }

    pub(super) fn keys(&self) -> Option<Vec<String>> {
        match self {
            Self::Keys(keys) => Some(keys.clone()),
            Self::None | Self::All => None,
        }
    }

    fn add(&mut self, key: String) {
        match self {
            Self::Keys(keys) if keys.contains(&key) => {}
            Self::Keys(keys) => keys.push(key),
            Self::None => *self = Self::Keys(vec![key]),
            Self::All => {}
        }
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            config: Part::All,
            summary: Part::All,
            system_metrics: true,
            history_keys: false,
        }
    }
}

impl Selection {
    /// Only the attributes: no config, no summary.
    pub fn attributes() -> Self {
        Self {
            config: Part::None,
            summary: Part::None,
            system_metrics: false,
            history_keys: false,
        }
    }

    /// Everything, the history keys included.
    pub fn everything() -> Self {
        Self {
            history_keys: true,
            ..Self::default()
        }
    }

    /// Reads fields as a user writes them: `config.lr`, `summary.loss` or `summary_metrics.loss`, `config`, `summary`;
    /// names of attributes are always there and add nothing.
    ///
    /// The server selects by top-level key, so `config.model.depth` asks for `model`; a key that holds dots itself is
    /// asked for too.
    pub fn of<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> Self {
        let mut selection = Self::attributes();
        for field in fields {
            let field = field.as_ref().trim();
            match field.split_once('.') {
                Some(("config", key)) => add_path(&mut selection.config, key),
                Some(("summary" | "summary_metrics", key)) => add_path(&mut selection.summary, key),
                None if field == "config" => selection.config = Part::All,
                None if matches!(field, "summary" | "summary_metrics") => selection.summary = Part::All,
                None if field == "system_metrics" => selection.system_metrics = true,
                None if field == "history_keys" => selection.history_keys = true,
                _ => {}
            }
        }
        selection
    }

    /// Adds one top-level config key.
    pub fn config(mut self, key: impl Into<String>) -> Self {
        self.config.add(key.into());
        self
    }

    /// Adds one top-level summary key.
    pub fn summary(mut self, key: impl Into<String>) -> Self {
        self.summary.add(key.into());
        self
    }

    /// Adds the latest system metrics.
    pub fn system_metrics(mut self) -> Self {
        self.system_metrics = true;
        self
    }

    /// Adds the history keys.
    pub fn history_keys(mut self) -> Self {
        self.history_keys = true;
        self
    }
}

impl Selection {
    /// The variables that ask for these parts; the operation adds what it is about.
    pub(crate) fn variables(&self, path: &ProjectPath) -> RunsVariables {
        RunsVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            name: String::new(),
            cursor: None,
            per_page: 0,
            order: None,
            filters: None,
            config_keys: self.config.keys(),
            summary_keys: self.summary.keys(),
            with_config: self.config.wanted(),
            with_summary: self.summary.wanted(),
            with_system_metrics: self.system_metrics,
            with_history_keys: self.history_keys,
            sweep: String::new(),
            agent: String::new(),
        }
    }

    /// Adds what a filter needs to be evaluated on this side.
    pub(super) fn widen(mut self, filter: &Filter) -> Self {
        for condition in filter.conditions() {
            match &condition.field {
                FieldPath::Config(key) => add_path(&mut self.config, key.as_str()),
                FieldPath::Summary(key) => add_path(&mut self.summary, key.as_str()),
                FieldPath::KeysInfo(_) => self.history_keys = true,
                _ => {}
            }
        }
        self
    }
}

fn add_path(part: &mut Part, path: &str) {
    part.add(path.to_owned());
    // Each prefix may be the literal key of an object that holds the rest.
    for (dot, _) in path.match_indices('.') {
        part.add(path[..dot].to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_users_write_them() {
        let selection = Selection::of([
            "config.lr",
            "config.model.depth",
            "summary_metrics.loss",
            "name",
            "config.lr",
        ]);
        assert_eq!(selection.config.keys().unwrap(), ["lr", "model.depth", "model"]);
        assert_eq!(selection.summary.keys().unwrap(), ["loss"]);
        assert!(!selection.history_keys);
        assert!(!Selection::of(["name"]).config.wanted());
        assert_eq!(Selection::of(["config", "config.lr"]).config, Part::All);
    }
}
