//! `wb artifact cache …`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use wandb_api::Environment;
use wandb_api::artifacts::cache::{Cache, CacheError, Count, GcPolicy, ListedObject, RecordFile};
use wandb_api::settings::Layer;
use wandb_api::timestamp::Timestamp;

use crate::cli::{CacheArgs, CacheCommand, CacheGcArgs, CacheVerifyArgs};
use crate::commands::details::Details;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::field::Field;
use crate::output::list::{Fields, List, Schema};
use crate::output::style::Paint;
use crate::output::table::{Cell, Column};
use crate::output::text;
use crate::output::time::ago;

/// Runs one verb.
pub(super) async fn dispatch(context: &mut Context, command: CacheCommand) -> CommandResult {
    match command {
        CacheCommand::Du(arguments) => du(context, &arguments).await,
        CacheCommand::Ls(arguments) => ls(context, &arguments).await,
        CacheCommand::Verify(arguments) => verify(context, &arguments).await,
        CacheCommand::Gc(arguments) => gc(context, &arguments).await,
    }
}

/// Works on the cache, on a thread for blocking work.
async fn with_cache<T: Send + 'static>(
    arguments: &CacheArgs,
    work: impl FnOnce(&Cache) -> Result<T, CacheError> + Send + 'static,
) -> CommandResult<T> {
    let directory = directory(arguments)?;
    let done = tokio::task::spawn_blocking(move || work(&Cache::open(directory)?))
        .await
        .map_err(|error| {
            Failure::new(ExitStatus::Failed, "the work on the cache ended early").with_source(error)
        })?;
    Ok(done.map_err(wandb_api::Error::from)?)
}

fn directory(arguments: &CacheArgs) -> CommandResult<PathBuf> {
    if let Some(directory) = &arguments.cache_dir {
        return Ok(directory.clone());
    }
    Environment::read(Layer::explicit(), None)?
        .artifact_cache()
        .ok_or_else(|| {
            Failure::usage("there is no home directory").hint("give --cache-dir, or set WANDB_CACHE_DIR")
        })
}

fn write_json(context: &mut Context, value: &impl Serialize) -> CommandResult {
    let broken =
        |error| wandb_api::Error::protocol("the result cannot be written as JSON").with_source(error);
    let mut json = match context.format() {
        Format::Jsonl => serde_json::to_vec(value).map_err(broken)?,
        _ => serde_json::to_vec_pretty(value).map_err(broken)?,
    };
    json.push(b'\n');
    context.out.write_all(&json)?;
    Ok(context.out.flush()?)
}

fn refuse_csv(context: &Context) -> CommandResult {
    if context.format() == Format::Csv {
        return Err(Failure::usage("this result has no CSV form").hint("give --output json or jsonl"));
    }
    Ok(())
}

fn amount(count: Count) -> String {
    format!(
        "{} in {}",
        text::bytes(count.bytes),
        text::counted(count.files as u64, "file")
    )
}

async fn du(context: &mut Context, arguments: &CacheArgs) -> CommandResult {
    refuse_csv(context)?;
    let (path, usage) = with_cache(arguments, |cache| Ok((cache.path().to_owned(), cache.usage()?))).await?;
    if context.format() != Format::Table {
        return write_json(context, &usage);
    }
    let mut details = Details::new(&path.display().to_string(), context.screen);
    details.line("files by MD5", &amount(usage.md5));
    details.line("files by XXH128", &amount(usage.xxh128));
    details.line("files of references", &amount(usage.etag));
    details.line("of these verified by us", &amount(usage.proven));
    details.line("leftovers", &amount(usage.temporary));
    details.line("other", &amount(usage.other));
    details.line("our records", &amount(usage.records));
    details.line("of these manifests", &amount(usage.manifests));
    details.line("of these versions", &amount(usage.versions));
    details.line("of these verified folders", &amount(usage.verified_folders));
    details.line("of these unfinished uploads", &amount(usage.uploads));
    details.line("together", &amount(usage.total()));
    context.out.write_all(details.render().as_bytes())?;
    Ok(context.out.flush()?)
}

const NAMES: &[&str] = &["key", "size", "verified", "last_use"];

/// A file of the cache: an object, or a record of ours.
#[derive(Debug)]
struct Shown {
    key: String,
    size: u64,
    /// `None` for a record, which is checked when it is used.
    is_verified: Option<bool>,
    last_use: u64,
}

fn fields(shown: &Shown) -> Fields<'_> {
    vec![
        ("key", Field::text(&shown.key)),
        ("size", Field::UInt(shown.size)),
        ("verified", shown.is_verified.map_or(Field::Null, Field::Bool)),
        ("last_use", time_of(shown.last_use)),
    ]
}

/// Seconds since 1970 as a time; a time that nobody's clock shows is none.
fn time_of(seconds: u64) -> Field<'static> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_unix_microseconds(seconds.checked_mul(1_000_000)?))
        .map_or(Field::Null, |time| Field::owned(time.to_string()))
}

fn schema(context: &Context) -> Schema<Shown> {
    let people = context.screen.width.is_some();
    let now = context.now().unix_microseconds() / 1_000_000;
    Schema::new(NAMES, fields)
        .column(Column::word("KEY"), |shown: &Shown| Cell::new(&shown.key))
        .column(Column::number("SIZE"), move |shown| {
            Cell::new(if people {
                text::bytes(shown.size)
            } else {
                shown.size.to_string()
            })
        })
        .column(Column::word("VERIFIED"), |shown| match shown.is_verified {
            Some(true) => Cell::new("yes").painted(Paint::Green),
            Some(false) => Cell::new("no"),
            None => Cell::new("record"),
        })
        .column(Column::word("LAST USE"), move |shown| {
            let seconds = i64::try_from(shown.last_use).unwrap_or(i64::MAX);
            Cell::new(ago(now.saturating_sub(seconds)))
        })
}

fn of_object(object: &ListedObject) -> Shown {
    Shown {
        key: format!("{}/{}", object.key.folder(), object.key.hex()),
        size: object.size,
        is_verified: Some(object.proven),
        last_use: object.last_use,
    }
}

fn of_record(record: RecordFile) -> Shown {
    Shown {
        key: record.path,
        size: record.size,
        is_verified: None,
        last_use: record.last_use,
    }
}

async fn ls(context: &mut Context, arguments: &CacheArgs) -> CommandResult {
    let (objects, records) =
        with_cache(arguments, |cache| Ok((cache.list()?, cache.record_files()?))).await?;
    let mut shown: Vec<Shown> = objects.iter().map(of_object).collect();
    shown.extend(records.into_iter().map(of_record));
    shown.sort_by_key(|shown| shown.last_use);
    let mut list = List::new(schema(context), context.format(), context.screen);
    for shown in shown {
        list.item(&mut context.out, &shown)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "file");
    context.tell_hidden(hidden);
    Ok(())
}

async fn verify(context: &mut Context, arguments: &CacheVerifyArgs) -> CommandResult {
    refuse_csv(context)?;
    let dry_run = arguments.dry_run;
    let look = if dry_run { Cache::check } else { Cache::verify };
    let result = with_cache(&arguments.place, look).await?;
    if context.format() == Format::Table {
        let mut details = Details::new("cache", context.screen);
        details.line("verified", &amount(result.verified));
        let wrong = if dry_run { "wrong, kept" } else { "wrong, removed" };
        details.line(wrong, &result.wrong.len().to_string());
        details.line("unreadable", &result.unreadable.len().to_string());
        details.line("not verifiable", &result.unverifiable.len().to_string());
        context.out.write_all(details.render().as_bytes())?;
        context.out.flush()?;
    } else {
        write_json(context, &result)?;
    }
    if result.wrong.is_empty() && result.unreadable.is_empty() {
        return Ok(());
    }
    let wrong = (result.wrong.len() + result.unreadable.len()) as u64;
    Err(Failure::new(
        ExitStatus::Integrity,
        format!(
            "{} of the cache had other bytes than they should",
            text::counted(wrong, "file")
        ),
    )
    .hint(if dry_run {
        "without --dry-run wrong files are removed; they are fetched again when they are needed"
    } else {
        "wrong files were removed; they are fetched again when they are needed"
    }))
}

async fn gc(context: &mut Context, arguments: &CacheGcArgs) -> CommandResult {
    refuse_csv(context)?;
    let mut policy = GcPolicy::up_to(arguments.max);
    policy.record_age = arguments.record_age;
    let dry_run = arguments.dry_run;
    let (plan, collected) = with_cache(&arguments.place, move |cache| {
        let plan = cache.plan_collection(&policy)?;
        let collected = if dry_run {
            None
        } else {
            Some(cache.collect(&plan)?)
        };
        Ok((plan, collected))
    })
    .await?;
    if context.format() != Format::Table {
        return match &collected {
            Some(collected) => write_json(context, collected),
            None => write_json(context, &plan),
        };
    }
    let line = match &collected {
        Some(collected) => format!(
            "removed {}, and of our records {}\n",
            amount(collected.removed),
            amount(collected.records)
        ),
        None => format!(
            "would remove {} of {}, and of our records {}\n",
            text::bytes(plan.freed()),
            amount(plan.before),
            amount(plan.freed_records())
        ),
    };
    context.out.write_all(line.as_bytes())?;
    context.out.flush()?;
    context.note(&format!("{} stay", amount(plan.after)));
    Ok(())
}
