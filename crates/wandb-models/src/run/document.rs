//! A run as a filter sees it, for what the server is not trusted to compare.

use std::borrow::Cow;

use wandb_core::{
    Result, Value,
    filter::{Evaluator, Filter, RunAttribute, RunDocument},
    timestamp::Timestamp,
    value::Map,
};

use super::data::RunData;

struct Document<'a> {
    run: &'a RunData,
    config: Cow<'a, Map>,
    summary: Cow<'a, Map>,
    history_keys: Cow<'a, Map>,
}

impl RunData {
    /// Whether a filter holds for this run, evaluated on this side with the rules of the
    /// [filter language](wandb_core::filter).
    ///
    /// Parts that a listing did not select count as empty.
    ///
    /// # Errors
    /// When the filter has conditions that only the server can evaluate, or config or summary cannot be read.
    pub fn matches(&self, filter: &Filter) -> Result<bool> {
        self.passes(&Evaluator::new(filter)?)
    }

    pub(super) fn passes(&self, evaluator: &Evaluator) -> Result<bool> {
        fn part(part: Result<&Map>, asked: bool) -> Result<Cow<'_, Map>> {
            match part {
                Ok(map) => Ok(Cow::Borrowed(map)),
                Err(_) if !asked => Ok(Cow::Owned(Map::new())),
                Err(error) => Err(error),
            }
        }
        let document = Document {
            run: self,
            config: part(self.config(), self.config.asked())?,
            summary: part(self.summary(), self.summary.asked())?,
            history_keys: part(self.history_keys(), self.history_keys.asked())?,
        };
        Ok(evaluator.matches(&document))
    }
}

impl RunDocument for Document<'_> {
    fn attribute(&self, attribute: RunAttribute) -> Option<Cow<'_, Value>> {
        let run = self.run;
        let text = |text: &str| Some(Value::from(text));
        let time = |time: Timestamp| Some(Value::from(time.to_string()));
        let value = match attribute {
            RunAttribute::Name => text(&run.id),
            RunAttribute::DisplayName => text(&run.name),
            RunAttribute::State => text(run.state.as_str()),
            RunAttribute::Group => run.group.as_deref().and_then(text),
            RunAttribute::JobType => run.job_type.as_deref().and_then(text),
            RunAttribute::Host => run.host.as_deref().and_then(text),
            RunAttribute::Sweep => run.sweep_name.as_deref().and_then(text),
            RunAttribute::Username | RunAttribute::User => run.username().and_then(text),
            RunAttribute::Tags => Some(Value::List(
                run.tags.iter().map(|tag| Value::from(tag.as_str())).collect(),
            )),
            RunAttribute::Notes => run.notes.as_deref().and_then(text),
            RunAttribute::Commit => run.commit.as_deref().and_then(text),
            RunAttribute::Duration => run.duration_seconds().map(Value::Float),
            RunAttribute::CreatedAt => time(run.created_at),
            RunAttribute::HeartbeatAt => run.heartbeat_at.and_then(time),
            RunAttribute::UpdatedAt => run.updated_at.and_then(time),
            // The evaluator refuses conditions on these.
            _ => None,
        };
        value.map(Cow::Owned)
    }

    fn config(&self) -> &Map {
        &self.config
    }

    fn summary(&self) -> &Map {
        &self.summary
    }

    fn has_metric(&self, name: &str) -> bool {
        self.history_keys
            .get("keys")
            .and_then(Value::as_map)
            .is_some_and(|keys| keys.get(name).is_some())
    }
}
