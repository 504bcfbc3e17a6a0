//! `wb run files` and `wb run delete-files`.

use std::io::Write;

use futures_util::TryStreamExt;
use wandb_api::File;

use crate::cli::{FilesArgs, RunDeleteFilesArgs};
use crate::commands::cells;
use crate::commands::plan::{self, Step, agreed};
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::table::{Cell, Column};
use crate::output::text;

const NAMES: &[&str] = &["id", "name", "size", "md5", "mimetype", "updated_at", "url"];

fn fields(file: &File) -> Fields<'_> {
    vec![
        ("id", Field::text(&file.id)),
        ("name", Field::text(&file.name)),
        ("size", Field::UInt(file.size)),
        ("md5", Field::optional(file.md5.as_deref())),
        ("mimetype", Field::optional(file.mimetype.as_deref())),
        (
            "updated_at",
            file.updated_at
                .map_or(Field::Null, |time| Field::owned(time.to_string())),
        ),
        // The address is what was asked for here, and the one place where a signed one is shown.
        ("url", Field::text(file.url.expose())),
    ]
}

pub(super) fn schema(context: &Context) -> Schema<File> {
    let now = context.now();
    let people = context.screen.width.is_some();
    Schema::new(NAMES, fields)
        .column(Column::name("NAME"), |file: &File| Cell::new(&file.name))
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
        })
        .column(Column::word("MD5"), |file| {
            Cell::new(file.md5.as_deref().unwrap_or_default())
        })
}

/// Lists the files of a run.
pub(crate) async fn files(context: &mut Context, arguments: &FilesArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let mut files = run.files();
    if let Some(pattern) = &arguments.pattern {
        files = files.pattern(pattern.as_str());
    }
    files = files.names(&arguments.names);
    let mut missing = arguments.names.clone();
    let mut list = List::new(schema(context), context.format(), context.screen);
    let mut stream = files.stream();
    while let Some(file) = next_or_flush(&mut stream, &mut context.out).await? {
        let file = file?;
        missing.retain(|name| *name != file.name);
        list.item(&mut context.out, &file)?;
    }
    if let Some(name) = missing.first() {
        return Err(no_such_file(name, &run.run_path().to_string()));
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "file");
    context.tell_hidden(hidden);
    Ok(())
}

/// Deletes files, or none if one of them is not there.
pub(super) async fn delete(context: &mut Context, arguments: &RunDeleteFilesArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run(&arguments.path).await?;
    let files: Vec<File> = run.files().names(&arguments.names).stream().try_collect().await?;
    let is_there = |name: &String| files.iter().any(|file| file.name == *name);
    if let Some(name) = arguments.names.iter().find(|name| !is_there(name)) {
        return Err(no_such_file(name, &run.run_path().to_string()));
    }
    let step = |file: &File| {
        let step = Step::new("delete", "file", &file.name).size(file.size);
        match &file.md5 {
            Some(md5) => step.digest(md5),
            None => step,
        }
    };
    let steps: Vec<Step> = files.iter().map(step).collect();
    let count = text::counted(files.len() as u64, "file");
    let what = format!("{count} of run {}", run.run_path());
    if agreed(context, arguments.consent, &format!("Delete {what}?"), &steps).await? {
        run.delete_files(&files).await?;
        plan::done(context, &steps, &format!("deleted {what}"))?;
    }
    Ok(())
}

/// A file that was named and is not there.
pub(super) fn no_such_file(name: &str, run: &str) -> Failure {
    Failure::new(
        ExitStatus::NotFound,
        format!("run \"{run}\" has no file \"{name}\""),
    )
    .hint(format!("`wb run files {run}` lists the files"))
}
