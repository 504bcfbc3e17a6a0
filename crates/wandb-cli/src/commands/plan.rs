//! What a dry run tells: the steps that would be done, as data. Once they are done, the same steps are the result.
//!
//! One form for every verb, so that a script reads them all alike: a list of objects with the fields of [`NAMES`].

use std::io::Write;

use crate::cli::Consent;
use crate::confirm::confirm;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};
use crate::output::{Format, text};

/// Steps that are shown one by one before the question; the number of the others is told.
const SHOWN: usize = 50;

/// One thing that would be done to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// What is done: `delete`, `stop`, `unlink`, `log`, ….
    action: &'static str,
    /// To what kind of thing: `run`, `file`, `artifact`, ….
    object: &'static str,
    /// Which one: a path as other commands take it.
    name: String,
    /// Bytes.
    size: Option<u64>,
    /// As a manifest has it.
    digest: Option<String>,
    /// What else is worth knowing.
    note: Option<String>,
}

impl Step {
    /// A step with nothing to add.
    pub(crate) fn new(action: &'static str, object: &'static str, name: impl Into<String>) -> Self {
        Self {
            action,
            object,
            name: name.into(),
            size: None,
            digest: None,
            note: None,
        }
    }

    /// How many bytes it is about.
    pub(crate) fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// The digest of what it is about.
    pub(crate) fn digest(mut self, digest: impl Into<String>) -> Self {
        self.digest = Some(digest.into());
        self
    }

    /// Adds what else is worth knowing; an empty text is nothing.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into()).filter(|note| !note.is_empty());
        self
    }

    fn line(&self) -> String {
        let size = self
            .size
            .map(|size| format!(" ({})", text::bytes(size)))
            .unwrap_or_default();
        let line = format!("  {} {} {}{size}", self.action, self.object, self.name);
        text::single_line(&line).into_owned()
    }
}

const NAMES: &[&str] = &["action", "object", "name", "size", "digest", "note"];

fn fields(step: &Step) -> Fields<'_> {
    vec![
        ("action", Field::text(step.action)),
        ("object", Field::text(step.object)),
        ("name", Field::text(&step.name)),
        ("size", step.size.map_or(Field::Null, Field::UInt)),
        ("digest", Field::optional(step.digest.as_deref())),
        ("note", Field::optional(step.note.as_deref())),
    ]
}

fn schema(people: bool) -> Schema<Step> {
    Schema::new(NAMES, fields)
        .column(Column::word("WOULD"), |step: &Step| Cell::new(step.action))
        .column(Column::word("OBJECT"), |step| Cell::new(step.object))
        .column(Column::name("NAME"), |step| Cell::new(&step.name))
        .column(Column::number("SIZE"), move |step| match step.size {
            Some(size) if people => Cell::new(text::bytes(size)),
            Some(size) => Cell::new(size.to_string()),
            None => Cell::empty(),
        })
        .column(Column::text("NOTE"), |step| {
            Cell::new(step.note.as_deref().unwrap_or_default())
        })
}

/// Writes steps that were not done.
pub(crate) fn show(context: &mut Context, steps: &[Step]) -> CommandResult {
    write(context, steps)?;
    context.note("nothing was done: this was a dry run");
    Ok(())
}

fn write(context: &mut Context, steps: &[Step]) -> CommandResult {
    let schema = schema(context.screen.width.is_some());
    let mut list = List::new(schema, context.format(), context.screen);
    for step in steps {
        list.item(&mut context.out, step)?;
    }
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_hidden(hidden);
    Ok(())
}

/// Tells that the steps were done: in words to people, and to programs as the data that the dry run shows. What is gone has
/// no object of its own to print.
pub(crate) fn done(context: &mut Context, steps: &[Step], told: &str) -> CommandResult {
    if context.format() != Format::Table {
        write(context, steps)?;
    }
    context.note(told);
    Ok(())
}

/// Whether the steps are to be done. A dry run writes them instead; otherwise they are shown and `question` is asked, unless
/// `--yes` answered it already.
///
/// # Errors
/// As [`confirm`]: a question that nobody can answer, or that was answered with no.
pub(crate) async fn agreed(
    context: &mut Context,
    consent: Consent,
    question: &str,
    steps: &[Step],
) -> CommandResult<bool> {
    if consent.dry_run {
        show(context, steps)?;
        return Ok(false);
    }
    // The question itself names a single thing.
    if steps.len() > 1 && !consent.yes {
        for step in steps.iter().take(SHOWN) {
            context.note(&step.line());
        }
        if steps.len() > SHOWN {
            let others = (steps.len() - SHOWN) as u64;
            context.note(&format!("  and {} more", text::grouped(others)));
        }
    }
    confirm(context.ui, question, consent.yes).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Screen;

    fn rendered(format: Format, steps: &[Step]) -> String {
        let mut out = Vec::new();
        let mut list = List::new(schema(false), format, Screen::plain());
        for step in steps {
            list.item(&mut out, step).unwrap();
        }
        list.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn steps_are_data_in_every_format() {
        let steps = [
            Step::new("delete", "run", "e/p/r").note(""),
            Step::new("delete", "artifact", "e/p/m:v0")
                .size(5)
                .digest("d")
                .note("alias best"),
        ];
        assert_eq!(
            rendered(Format::Jsonl, &steps),
            "{\"action\":\"delete\",\"object\":\"run\",\"name\":\"e/p/r\",\"size\":null,\"digest\":null,\"note\":null}\n\
             {\"action\":\"delete\",\"object\":\"artifact\",\"name\":\"e/p/m:v0\",\"size\":5,\"digest\":\"d\",\"note\":\"alias best\"}\n"
        );
        assert_eq!(
            rendered(Format::Csv, &steps),
            "action,object,name,size,digest,note\ndelete,run,e/p/r,,,\ndelete,artifact,e/p/m:v0,5,d,alias best\n"
        );
        assert_eq!(rendered(Format::Json, &[]), "[]\n");
        assert!(rendered(Format::Table, &steps).starts_with("WOULD   OBJECT    NAME"));
    }

    #[test]
    fn a_name_of_a_server_cannot_break_the_line() {
        let step = Step::new("delete", "file", "a\nb").size(1);
        assert_eq!(step.line(), "  delete file a⏎b (1 B)");
    }
}
