//! `wb artifact files`.

use std::io::Write;

use wandb_api::ArtifactFile;

use crate::cli::ArtifactFilesArgs;
use crate::commands::cells;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};
use crate::output::text;

const NAMES: &[&str] = &[
    "id",
    "name",
    "size",
    "digest",
    "md5",
    "mimetype",
    "updated_at",
    "url",
];

fn fields(file: &ArtifactFile) -> Fields<'_> {
    vec![
        ("id", Field::text(&file.id)),
        ("name", Field::text(&file.name)),
        ("size", Field::UInt(file.size)),
        ("digest", Field::optional(file.digest.as_deref())),
        ("md5", Field::optional(file.md5.as_deref())),
        ("mimetype", Field::optional(file.mimetype.as_deref())),
        (
            "updated_at",
            file.updated_at
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
        // The address is what was asked for here; it may be a signed one.
        ("url", Field::text(file.url.expose())),
    ]
}

/// Lists the files as the server lists them.
pub(super) async fn files(context: &mut Context, arguments: &ArtifactFilesArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let mut files = artifact.files();
    if !arguments.names.is_empty() {
        files = files.names(&arguments.names);
    }
    let (now, people) = (context.now(), context.screen.width.is_some());
    let schema = Schema::new(NAMES, fields)
        .column(Column::name("NAME"), |file: &ArtifactFile| Cell::new(&file.name))
        .column(Column::number("SIZE"), move |file| {
            Cell::new(if people {
                text::bytes(file.size)
            } else {
                file.size.to_string()
            })
        })
        .column(Column::word("UPDATED"), move |file| {
            cells::time(file.updated_at, now, people)
        })
        .column(Column::text("TYPE"), |file| {
            Cell::new(file.mimetype.as_deref().unwrap_or_default())
        });
    let mut missing = arguments.names.clone();
    let mut list = List::new(schema, context.format(), context.screen);
    let mut stream = files.stream();
    while let Some(file) = next_or_flush(&mut stream, &mut context.out).await? {
        let file = file?;
        missing.retain(|name| *name != file.name);
        list.item(&mut context.out, &file)?;
    }
    if let Some(name) = missing.first() {
        let what = format!("{} has no file \"{name}\"", artifact.exact_name());
        return Err(Failure::new(ExitStatus::NotFound, what).hint(format!(
            "`wb artifact manifest {}` lists the entries",
            artifact.exact_name()
        )));
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "file");
    context.tell_hidden(hidden);
    Ok(())
}
