//! `wb api-key …`: the keys of the user behind the key in use.

use std::io::Write;

use wandb_api::ApiKeyLabel;

use crate::cli::{ApiKeyCreateArgs, ApiKeyDeleteArgs};
use crate::commands::plan::{self, Step, agreed};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};

const LABEL: &[&str] = &["id", "name", "description"];

fn label_fields(label: &ApiKeyLabel) -> Fields<'_> {
    vec![
        ("id", Field::text(&label.id)),
        ("name", Field::text(&label.name)),
        ("description", Field::optional(label.description.as_deref())),
    ]
}

/// Lists the keys by their labels.
pub(super) async fn list(context: &mut Context) -> CommandResult {
    let connection = context.connect().await?;
    let user = connection.api().current_user().await?;
    let schema = Schema::new(LABEL, label_fields)
        .column(Column::word("ID"), |label: &ApiKeyLabel| Cell::new(&label.id))
        .column(Column::word("KEY"), |label| Cell::new(&label.name))
        .column(Column::text("DESCRIPTION"), |label| {
            Cell::new(label.description.as_deref().unwrap_or_default())
        });
    let mut list = List::new(schema, context.format(), context.screen);
    for label in &user.api_keys {
        list.item(&mut context.out, label)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "key");
    context.tell_hidden(hidden);
    Ok(())
}

/// A key that was made for somebody: the one place, beside `wb local`, where a key is printed, since nobody could have it
/// otherwise.
#[derive(Debug)]
pub(super) struct NewKey<'k> {
    pub(super) id: &'k str,
    pub(super) api_key: &'k str,
    pub(super) description: Option<&'k str>,
}

const NEW: &[&str] = &["id", "api_key", "description"];

fn new_fields<'a>(key: &'a NewKey<'_>) -> Fields<'a> {
    vec![
        ("id", Field::text(key.id)),
        ("api_key", Field::text(key.api_key)),
        ("description", Field::optional(key.description)),
    ]
}

impl NewKey<'_> {
    /// The key alone for people, the object otherwise.
    pub(super) fn print(&self, context: &mut Context) -> CommandResult {
        if context.format() == Format::Table {
            context.out.write_all(format!("{}\n", self.api_key).as_bytes())?;
        } else {
            context.write_single(&Schema::new(NEW, new_fields), self)?;
        }
        Ok(context.out.flush()?)
    }
}

/// Makes a key, and prints it.
pub(super) async fn create(context: &mut Context, arguments: &ApiKeyCreateArgs) -> CommandResult {
    let connection = context.connect().await?;
    let description = arguments.description.as_deref();
    let made = connection.api().generate_api_key(description).await?;
    context.note("this is the only time that the key is shown");
    let key = NewKey {
        id: &made.id,
        api_key: made.secret.expose(),
        description: made.description.as_deref(),
    };
    key.print(context)
}

/// Takes a key away.
pub(super) async fn delete(context: &mut Context, arguments: &ApiKeyDeleteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let user = connection.api().current_user().await?;
    let label = user.api_keys.iter().find(|label| label.id == arguments.id);
    let label = label.ok_or_else(|| {
        Failure::new(
            ExitStatus::NotFound,
            format!("no API key has the id \"{}\"", arguments.id),
        )
        .hint("`wb api-key list` lists the keys with their ids")
    })?;
    let description = label.description.as_deref().unwrap_or_default();
    let note = format!("{} {description}", label.name);
    let steps = [Step::new("delete", "api-key", &label.id).note(note.trim())];
    let question = format!("Delete the API key {} ({})?", label.id, label.name);
    if agreed(context, arguments.consent, &question, &steps).await? {
        connection.api().delete_api_key(&label.id).await?;
        plan::done(context, &steps, &format!("deleted the API key {}", label.id))?;
    }
    Ok(())
}
