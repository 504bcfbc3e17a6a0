//! `wb artifact types`.

use std::io::Write;

use wandb_api::ArtifactType;

use crate::cli::ArtifactTypesArgs;
use crate::commands::cells;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};

const NAMES: &[&str] = &["id", "name", "description", "entity", "project", "created_at"];

fn fields(kind: &ArtifactType) -> Fields<'_> {
    vec![
        ("id", Field::text(&kind.id)),
        ("name", Field::text(&kind.name)),
        ("description", Field::optional(kind.description.as_deref())),
        ("entity", Field::text(&kind.entity)),
        ("project", Field::text(&kind.project)),
        ("created_at", Field::owned(kind.created_at.to_string())),
    ]
}

/// Lists the types of a project.
pub(super) async fn types(context: &mut Context, arguments: &ArtifactTypesArgs) -> CommandResult {
    let connection = context.connect().await?;
    let path = connection.project_path(arguments.path.as_deref())?;
    let (now, people) = (context.now(), context.screen.width.is_some());
    let schema = Schema::new(NAMES, fields)
        .column(Column::name("NAME"), |kind: &ArtifactType| Cell::new(&kind.name))
        .column(Column::word("CREATED"), move |kind| {
            cells::time(Some(kind.created_at), now, people)
        })
        .column(Column::text("DESCRIPTION"), |kind| {
            Cell::new(kind.description.as_deref().unwrap_or_default())
        });
    let mut list = List::new(schema, context.format(), context.screen);
    let mut stream = connection.api().artifact_types(path).stream();
    while let Some(kind) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &kind?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "type");
    context.tell_hidden(hidden);
    Ok(())
}
