//! A run as an output object: the fields of design §4, in that order.

use wandb_api::value::Map;
use wandb_api::{Error, ErrorKind, Result, Run, RunData, Selection, Value};

use crate::commands::cells;
use crate::context::Context;
use crate::output::field::Field;
use crate::output::list::{Fields, Schema};
use crate::output::style::state_paint;
use crate::output::table::{Cell, Column};

/// The names of the fields.
pub(super) const NAMES: &[&str] = &[
    "id",
    "name",
    "storage_id",
    "entity",
    "project",
    "path",
    "url",
    "state",
    "tags",
    "notes",
    "description",
    "group",
    "job_type",
    "commit",
    "created_at",
    "heartbeat_at",
    "read_only",
    "user",
    "sweep_name",
    "config",
    "summary",
    "system_metrics",
    "history_line_count",
];

/// A logged value by the path that users write: `config.KEY`, `summary.KEY`, or `KEY` in the summary, then the config.
/// `None` when it was not logged, or not asked for. (A broken part does not come here: see [`check`].)
pub(super) fn selected_value<'a>(run: &'a RunData, column: &SelectedColumn) -> Option<&'a Value> {
    let config = || run.config().ok().and_then(|map| map.get_path(&column.key));
    let summary = || run.summary().ok().and_then(|map| map.get_path(&column.key));
    match column.part {
        SelectedPart::Config => config(),
        SelectedPart::Summary => summary(),
        SelectedPart::Either => summary().or_else(config),
    }
}

/// The JSON and CSV form of runs.
pub(crate) fn schema() -> Schema<Run> {
    Schema::new(NAMES, fields)
        .json_by(|run, out| run.write_json(out))
        .checked_by(|run| check(run))
}

/// The usual columns of a list of runs.
pub(crate) fn plain_schema(context: &Context) -> Schema<Run> {
    let (now, relative) = (context.now(), context.screen.width.is_some());
    schema()
        .column(Column::word("ID"), |run: &Run| Cell::new(&run.id))
        .column(Column::name("NAME"), |run| Cell::new(&run.name))
        .column(Column::word("STATE"), |run| {
            Cell::new(run.state.as_str()).painted(state_paint(run.state.as_str()))
        })
        .column(Column::word("CREATED"), move |run| {
            cells::time(Some(run.created_at), now, relative)
        })
        .column(Column::text("GROUP"), |run| {
            Cell::new(run.group.as_deref().unwrap_or_default())
        })
        .column(Column::text("TAGS"), |run| Cell::new(run.tags.join(", ")))
}

/// Reads every part that was asked for, so that broken ones are told and never shown as absent.
fn check(run: &RunData) -> Result<()> {
    for part in [run.config(), run.summary(), run.system_metrics()] {
        match part {
            Ok(_) => {}
            Err(error) if not_asked_for(&error) => {}
            Err(error) => return Err(error.in_operation(format!("read run {:?}", run.path.join("/")))),
        }
    }
    Ok(())
}

/// The one error of reading a part that is the caller's doing: the listing did not select it.
fn not_asked_for(error: &Error) -> bool {
    error.kind() == ErrorKind::InvalidInput
}

fn fields(run: &Run) -> Fields<'_> {
    vec![
        ("id", Field::text(&run.id)),
        ("name", Field::text(&run.name)),
        ("storage_id", Field::text(&run.storage_id)),
        ("entity", Field::text(&run.entity)),
        ("project", Field::text(&run.project)),
        ("path", Field::texts(&run.path)),
        ("url", Field::text(&run.url)),
        ("state", Field::text(run.state.as_str())),
        ("tags", Field::texts(&run.tags)),
        ("notes", Field::optional(run.notes.as_deref())),
        ("description", Field::optional(run.description.as_deref())),
        ("group", Field::optional(run.group.as_deref())),
        ("job_type", Field::optional(run.job_type.as_deref())),
        ("commit", Field::optional(run.commit.as_deref())),
        ("created_at", Field::owned(run.created_at.to_string())),
        (
            "heartbeat_at",
            run.heartbeat_at
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
        ("read_only", Field::Bool(run.read_only)),
        ("user", user(run)),
        ("sweep_name", Field::optional(run.sweep_name.as_deref())),
        ("config", part(run.config())),
        ("summary", part(run.summary())),
        ("system_metrics", part(run.system_metrics())),
        (
            "history_line_count",
            run.history_line_count.map_or(Field::Null, Field::Int),
        ),
    ]
}

/// A part that was not asked for is not known, and so null and never `{}`. One that is broken does not come here: see
/// [`check`].
fn part(map: Result<&Map>) -> Field<'_> {
    map.map_or(Field::Null, Field::Map)
}

fn user(run: &RunData) -> Field<'_> {
    run.user.as_ref().map_or(Field::Null, |user| {
        Field::Object(vec![
            ("name", Field::text(&user.name)),
            ("username", Field::optional(user.username.as_deref())),
        ])
    })
}

/// One key of `--select`, or of the order, as a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SelectedColumn {
    /// As the user wrote it; the title of the column.
    pub(super) title: String,
    /// Where to look.
    pub(super) part: SelectedPart,
    /// The key within the part.
    pub(super) key: String,
}

/// The part of a run that a selected key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SelectedPart {
    /// `config.KEY`.
    Config,
    /// `summary.KEY` or `summary_metrics.KEY`.
    Summary,
    /// `KEY`.
    Either,
}

impl SelectedColumn {
    /// Reads a field as users write it. `None` for the names of attributes, which are always there.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (part, key) = match text.split_once('.') {
            Some(("config", key)) => (SelectedPart::Config, key),
            Some(("summary" | "summary_metrics", key)) => (SelectedPart::Summary, key),
            _ if NAMES.contains(&text) => return None,
            _ => (SelectedPart::Either, text),
        };
        Some(Self {
            title: text.to_owned(),
            part,
            key: key.to_owned(),
        })
    }

    /// Where a key without the name of a part is looked for, as the end of a sentence; nothing for one that has it.
    pub(super) fn places(&self) -> &'static str {
        match self.part {
            SelectedPart::Either => " in its summary or its config; the names are config.KEY and summary.KEY",
            SelectedPart::Config | SelectedPart::Summary => "",
        }
    }

    /// Adds what this column needs to what the server is asked for. The server selects by top-level key, so for `a.b`
    /// both the key `a.b` and the object `a` are asked for.
    pub(super) fn add_to(&self, mut selection: Selection) -> Selection {
        let top = self.key.split_once('.').map(|(top, _)| top);
        for key in [Some(self.key.as_str()), top].into_iter().flatten() {
            if self.part != SelectedPart::Summary {
                selection = selection.config(key);
            }
            if self.part != SelectedPart::Config {
                selection = selection.summary(key);
            }
        }
        selection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_keys_are_read_as_users_write_them() {
        let parse = |text: &str| SelectedColumn::parse(text).map(|column| (column.part, column.key));
        assert_eq!(parse("config.lr"), Some((SelectedPart::Config, "lr".to_owned())));
        assert_eq!(
            parse("summary_metrics.a.b"),
            Some((SelectedPart::Summary, "a.b".to_owned()))
        );
        assert_eq!(parse("loss"), Some((SelectedPart::Either, "loss".to_owned())));
        assert_eq!(
            parse("val.loss"),
            Some((SelectedPart::Either, "val.loss".to_owned()))
        );
        assert_eq!(parse("state"), None);
        assert_eq!(parse("summary"), None);
    }
}
