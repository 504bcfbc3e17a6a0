//! `wb artifact manifest`.

use std::io::Write;

use wandb_api::artifacts::manifest::ManifestEntry;

use crate::cli::ManifestArgs;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::style::Paint;
use crate::output::table::{Cell, Column};
use crate::output::text;

const NAMES: &[&str] = &["path", "digest", "size", "ref", "birth_artifact_id", "extra"];

/// An entry with its further members, which are parsed when they are asked for.
#[derive(Debug)]
struct Shown<'a> {
    entry: &'a ManifestEntry,
    digest: String,
    extra: wandb_api::value::Map,
}

fn fields<'a>(shown: &'a Shown<'_>) -> Fields<'a> {
    let entry = shown.entry;
    vec![
        ("path", Field::text(entry.path())),
        ("digest", Field::text(&shown.digest)),
        ("size", entry.size().map_or(Field::Null, Field::UInt)),
        ("ref", Field::optional(entry.address())),
        ("birth_artifact_id", Field::optional(entry.birth_artifact_id())),
        ("extra", Field::Map(&shown.extra)),
    ]
}

fn schema<'a>(people: bool) -> Schema<Shown<'a>> {
    Schema::new(NAMES, fields)
        .column(Column::name("PATH"), |shown: &Shown<'_>| {
            Cell::new(shown.entry.path())
        })
        .column(Column::number("SIZE"), move |shown| match shown.entry.size() {
            Some(size) if people => Cell::new(text::bytes(size)),
            Some(size) => Cell::new(size.to_string()),
            None => Cell::empty(),
        })
        .column(Column::word("DIGEST"), |shown| Cell::new(&shown.digest))
        .column(Column::text("REFERENCE"), |shown| {
            Cell::new(shown.entry.address().unwrap_or_default()).painted(Paint::Cyan)
        })
}

/// Lists the entries.
pub(super) async fn manifest(context: &mut Context, arguments: &ManifestArgs) -> CommandResult {
    let connection = context.connect_with_cache(arguments.offline).await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let manifest = artifact.manifest().await?;
    if arguments.raw {
        manifest.write(&mut context.out)?;
        context.out.write_all(b"\n")?;
        return Ok(context.out.flush()?);
    }
    let mut list = List::new(
        schema(context.screen.width.is_some()),
        context.format(),
        context.screen,
    );
    for entry in manifest.with_prefix(arguments.prefix.as_deref().unwrap_or_default()) {
        let shown = Shown {
            entry,
            digest: entry.digest().to_string(),
            extra: entry.extra(),
        };
        list.item(&mut context.out, &shown)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "entry");
    context.tell_hidden(hidden);
    Ok(())
}
