//! `wb run download`: files, verified.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use wandb_api::artifacts::filenames::{PathFaults, PathReport};
use wandb_api::path::{NameFault, NamePolicy};
use wandb_api::{DownloadedFile, File, FileDownloadOptions, RunReference};

use super::files::no_such_file;
use super::root;
use crate::cli::DownloadArgs;
use crate::commands::names;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::style::Paint;
use crate::output::table::{Cell, Column};
use crate::output::{Format, text};
use crate::ui::TransferBar;

/// Files that are transferred at the same time.
const CONCURRENCY: usize = 4;
/// Files that could not be downloaded and get a line each; the number of the others is told.
const REPORTED: usize = 20;

/// A file that is on the disk, with its name on the server.
#[derive(Debug)]
struct Arrived {
    name: String,
    path: String,
    downloaded: DownloadedFile,
}

const NAMES: &[&str] = &["name", "path", "size", "transferred", "md5_verified"];

fn fields(arrived: &Arrived) -> Fields<'_> {
    vec![
        ("name", Field::text(&arrived.name)),
        ("path", Field::text(&arrived.path)),
        ("size", Field::UInt(arrived.downloaded.size)),
        ("transferred", Field::UInt(arrived.downloaded.transferred)),
        ("md5_verified", Field::Bool(arrived.downloaded.digest_checked)),
    ]
}

fn schema(people: bool) -> Schema<Arrived> {
    Schema::new(NAMES, fields)
        .column(Column::name("NAME"), |arrived: &Arrived| Cell::new(&arrived.name))
        .column(Column::number("SIZE"), move |arrived| {
            let size = arrived.downloaded.size;
            Cell::new(if people {
                text::bytes(size)
            } else {
                size.to_string()
            })
        })
        .column(Column::word("STATE"), |arrived| {
            let (state, paint) = state(&arrived.downloaded);
            Cell::new(state).painted(paint)
        })
        .column(Column::text("PATH"), |arrived| Cell::new(&arrived.path))
}

fn state(downloaded: &DownloadedFile) -> (&'static str, Paint) {
    match (downloaded.transferred, downloaded.digest_checked) {
        (0, true) if downloaded.size > 0 => ("unchanged", Paint::Dim),
        (_, true) => ("verified", Paint::Green),
        // The server promised no digest.
        (_, false) => ("size only", Paint::Yellow),
    }
}

/// Downloads the named files, or all of them.
pub(crate) async fn download(context: &mut Context, arguments: &DownloadArgs) -> CommandResult {
    root::check(&arguments.root, arguments.replace).await?;
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let files = choose(&run, &arguments.names).await?;
    let policy = NamePolicy::from(arguments.name_policy);
    let doubtful = check_names(&files, arguments.root.clone(), policy).await?;
    names::warn(context.ui, &doubtful, "a copy there may lose files");
    // The sizes are the server's word: a sum beyond all bounds is no reason to stop, and only the bar shows it.
    let total = files
        .iter()
        .fold(0, |total: u64, file| total.saturating_add(file.size));
    let bar = context
        .ui
        .transfer(Some(total), &text::counted(files.len() as u64, "file"));
    let mut options = FileDownloadOptions::below(&arguments.root)
        .names(policy)
        .progress(Arc::new(TransferBar(bar.clone())));
    if arguments.replace {
        options = options.keep_verified();
    }
    let options = &options;
    // In the order of the files, whatever arrives first.
    let mut arriving = stream::iter(files)
        .map(|file| async move { (file.name.clone(), file.download(options).await) })
        .buffered(CONCURRENCY);
    let mut list = List::new(
        schema(context.screen.width.is_some()),
        context.format(),
        context.screen,
    );
    let mut failures: Vec<Failure> = Vec::new();
    let mut count = 0_u64;
    while let Some((name, result)) = arriving.next().await {
        count += 1;
        match result {
            Ok(downloaded) => {
                let path = downloaded.path.display().to_string();
                bar.suspend(|| {
                    list.item(
                        &mut context.out,
                        &Arrived {
                            name,
                            path,
                            downloaded,
                        },
                    )
                })?;
            }
            Err(error) => failures.push(error.into()),
        }
    }
    drop(arriving);
    bar.finish_and_clear();
    let failed = failures.len() as u64;
    let mut failures = failures.into_iter();
    if let Some(first) = failures.next() {
        // A table tells what did arrive; a document in another format stays open, because it is not whole.
        if context.format() == Format::Table {
            list.finish(&mut context.out)?;
        }
        let in_the_way = first.status() == ExitStatus::Conflict
            || failures
                .as_slice()
                .iter()
                .any(|failure| failure.status() == ExitStatus::Conflict);
        let mut failure = first.and(failures.take(REPORTED - 1));
        if count > 1 {
            let all = text::counted(count, "file");
            let failed_of = text::grouped(failed);
            failure = failure.hint(if failed > REPORTED as u64 {
                format!("{failed_of} of {all} could not be downloaded; these are the first")
            } else {
                format!("{failed_of} of {all} could not be downloaded")
            });
        }
        if in_the_way {
            failure = failure.hint("give --replace to replace files that differ");
        }
        return Err(failure);
    }
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "file");
    context.tell_hidden(hidden);
    Ok(())
}

/// Refuses names that the policy does not take, and those that would be in each other's way on this disk. Gives those that are
/// taken and that other systems could not hold. A hostile name is left out: its file is refused by itself.
async fn check_names(files: &[File], root: PathBuf, policy: NamePolicy) -> CommandResult<PathFaults> {
    let names: Vec<String> = files
        .iter()
        .filter(|file| !matches!(NameFault::of(&file.name), Some(NameFault::Hostile(_))))
        .map(|file| file.name.clone())
        .collect();
    let checked = tokio::task::spawn_blocking(move || {
        let report = PathReport::of(names.iter().map(String::as_str));
        report.admit(policy)?;
        report.check_disk(&root)?;
        Ok::<_, wandb_api::Error>(report.unportable().clone())
    });
    let broken =
        |error| Failure::new(ExitStatus::Failed, "the check of the names ended early").with_source(error);
    Ok(checked.await.map_err(broken)??)
}

/// The files to download: all of the run, or those that were named, of which none may be missing.
async fn choose(run: &RunReference, names: &[String]) -> CommandResult<Vec<File>> {
    let files: Vec<File> = run.files().names(names).stream().try_collect().await?;
    let found: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    match names.iter().find(|name| !found.contains(name.as_str())) {
        Some(missing) => Err(no_such_file(missing, &run.run_path().to_string())),
        None => Ok(files),
    }
}
