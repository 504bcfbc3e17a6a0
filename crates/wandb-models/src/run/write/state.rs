//! What of a run can be written, as it is at one moment: read, compared, changed.

use wandb_core::{Error, Result, Value, value::Map};
use wandb_schema::operations::run_writes as wire;

use super::change::{Changes, Document};
use crate::run::data::RunData;

/// What of a run can be written.
#[derive(Debug, Clone)]
pub(super) struct Editable {
    pub(super) name: String,
    pub(super) notes: String,
    pub(super) group: String,
    pub(super) job_type: String,
    pub(super) tags: Vec<String>,
    /// As the server holds it: wrapped, with W&B's own keys.
    pub(super) config: Map,
    pub(super) summary: Map,
}

/// The changes of one edit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Edits {
    pub(super) config: Changes,
    pub(super) summary: Changes,
    pub(super) tags: TagChanges,
    pub(super) notes: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) group: Option<String>,
    pub(super) job_type: Option<String>,
}

/// Changes of the tags; what is said last counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TagChanges {
    /// All tags, if they were set as a whole.
    pub(super) replace: Option<Vec<String>>,
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
}

impl TagChanges {
    pub(super) fn is_empty(&self) -> bool {
        self.replace.is_none() && self.add.is_empty() && self.remove.is_empty()
    }

    pub(super) fn set(&mut self, tags: Vec<String>) {
        *self = Self {
            replace: Some(Vec::new()),
            ..Self::default()
        };
        for tag in tags {
            self.add(tag);
        }
    }

    pub(super) fn add(&mut self, tag: String) {
        self.remove.retain(|other| *other != tag);
        let list = self.replace.as_mut().unwrap_or(&mut self.add);
        if !list.contains(&tag) {
            list.push(tag);
        }
    }

    pub(super) fn remove(&mut self, tag: String) {
        self.add.retain(|other| *other != tag);
        match &mut self.replace {
            Some(tags) => tags.retain(|other| *other != tag),
            None if !self.remove.contains(&tag) => self.remove.push(tag),
            None => {}
        }
    }

    /// The tags after the changes.
    pub(super) fn apply(&self, tags: &[String]) -> Vec<String> {
        if let Some(all) = &self.replace {
            return all.clone();
        }
        let mut result: Vec<String> = tags
            .iter()
            .filter(|tag| !self.remove.contains(tag))
            .cloned()
            .collect();
        for tag in &self.add {
            if !result.contains(tag) {
                result.push(tag.clone());
            }
        }
        result
    }

    /// The same changes as additions and removals, for a run that has these tags.
    pub(super) fn relative_to(&self, tags: &[String]) -> (Vec<String>, Vec<String>) {
        match &self.replace {
            None => (self.add.clone(), self.remove.clone()),
            Some(all) => (
                all.clone(),
                tags.iter().filter(|tag| !all.contains(tag)).cloned().collect(),
            ),
        }
    }
}

impl Edits {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the changes depend on what is there.
    pub(super) fn need_base(&self) -> bool {
        !self.config.is_empty() || !self.summary.is_empty() || self.tags.replace.is_some()
    }

    pub(super) fn apply(&self, state: &mut Editable) -> Result<()> {
        self.config.apply(Document::Config, &mut state.config)?;
        self.summary.apply(Document::Summary, &mut state.summary)?;
        state.tags = self.tags.apply(&state.tags);
        let set = |place: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                place.clone_from(value);
            }
        };
        set(&mut state.name, &self.display_name);
        set(&mut state.notes, &self.notes);
        set(&mut state.group, &self.group);
        set(&mut state.job_type, &self.job_type);
        Ok(())
    }

    /// Whether a run has what the changes say.
    pub(super) fn hold_in(&self, state: &Editable) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.config.hold_in(Document::Config, &state.config)
            && self.summary.hold_in(Document::Summary, &state.summary)
            && same_tags(&self.tags.apply(&state.tags), &state.tags)
            && (is(&self.display_name, &state.name) || self.display_name.as_deref() == Some(""))
            && is(&self.notes, &state.notes)
            && is(&self.group, &state.group)
            && is(&self.job_type, &state.job_type)
    }
}

/// Tags are a set: servers may sort them.
fn same_tags(left: &[String], right: &[String]) -> bool {
    let sorted = |tags: &[String]| {
        let mut tags = tags.to_vec();
        tags.sort();
        tags.dedup();
        tags
    };
    sorted(left) == sorted(right)
}

impl Editable {
    /// A run that does not exist yet.
    pub(super) fn empty() -> Self {
        Self {
            name: String::new(),
            notes: String::new(),
            group: String::new(),
            job_type: String::new(),
            tags: Vec::new(),
            config: Map::new(),
            summary: Map::new(),
        }
    }

    /// What a run carried when it was read; `None` when a listing left out a part of it.
    pub(super) fn of_data(run: &RunData) -> Result<Option<Self>> {
        let (Some(config), Some(summary)) = (run.config.whole_text(), run.summary.whole_text()) else {
            return Ok(None);
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Some(Self {
            name: run.name.clone(),
            notes: text(&run.notes),
            group: text(&run.group),
            job_type: text(&run.job_type),
            tags: run.tags.clone(),
            config: read_map("config", config)?,
            summary: read_map("summary", summary)?,
        }))
    }

    pub(super) fn from_wire(id: &str, wire: wire::WritableRun) -> Result<Self> {
        let map = |what, text: Option<wandb_schema::scalars::JsonString>| {
            read_map(what, text.as_ref().map_or("{}", |text| text.0.as_str()))
        };
        Ok(Self {
            // The same rule as for a run that is read.
            name: wire
                .display_name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| id.to_owned()),
            notes: wire.notes.unwrap_or_default(),
            group: wire.group.unwrap_or_default(),
            job_type: wire.job_type.unwrap_or_default(),
            tags: wire.tags.unwrap_or_default(),
            config: map("config", wire.config)?,
            summary: map("summary", wire.summary_metrics)?,
        })
    }

    /// In what two moments of a run differ, in the words of the official names.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |differs: bool, what: &str| {
            if differs {
                found.push(what.to_owned());
            }
        };
        note(self.name != other.name, "name");
        note(self.notes != other.notes, "notes");
        note(self.group != other.group, "group");
        note(self.job_type != other.job_type, "job_type");
        note(!same_tags(&self.tags, &other.tags), "tags");
        for (document, left, right) in [
            ("config", &self.config, &other.config),
            ("summary", &self.summary, &other.summary),
        ] {
            found.extend(different_keys(left, right).map(|key| format!("{document}.{key}")));
        }
        found
    }
}

fn different_keys<'a>(left: &'a Map, right: &'a Map) -> impl Iterator<Item = &'a str> {
    let changed = left.iter().filter_map(|(key, value)| match right.get(key) {
        Some(other) if other.same_as(value) => None,
        _ => Some(key),
    });
    changed.chain(right.keys().filter(|key| left.get(key).is_none()))
}

fn read_map(what: &str, text: &str) -> Result<Map> {
    match Value::parse(text) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Error::protocol(format!(
            "the {what} of the run is not a JSON object"
        ))),
        Err(error) => Err(Error::protocol(format!("the {what} of the run is not JSON")).with_source(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_said_last_of_a_tag_counts() {
        let mut changes = TagChanges::default();
        changes.add("a".into());
        changes.remove("b".into());
        changes.remove("a".into());
        changes.add("b".into());
        changes.add("c".into());
        changes.add("c".into());
        assert_eq!(changes.apply(&tags("a d b")), tags("d b c"));
        assert_eq!(changes.relative_to(&[]), (tags("b c"), tags("a")));
        changes.set(tags("x y x"));
        changes.add("z".into());
        changes.remove("y".into());
        assert_eq!(changes.apply(&tags("a x")), tags("x z"));
        assert_eq!(changes.relative_to(&tags("a x")), (tags("x z"), tags("a")));
    }
}
