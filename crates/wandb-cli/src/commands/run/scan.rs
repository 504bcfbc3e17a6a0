//! `wb run scan`: every row.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use futures_util::StreamExt;
use wandb_api::{Run, Scan};

use super::history::columns;
use crate::cli::{KeyList, ScanArgs};
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::{CommandResult, Failure};
use crate::output::out_file::OutFile;
use crate::output::rows::Rows;
use crate::output::{Format, text};

/// Prints every row, or writes it to a file.
pub(crate) async fn scan(context: &mut Context, arguments: &ScanArgs) -> CommandResult {
    if arguments.out.is_none() {
        return to_stdout(context, arguments).await;
    }
    let written = scan_to_file(context, arguments).await?;
    context.note(&format!(
        "wrote {}, {}, to {} in {:.1} s",
        text::counted(written.rows, "row"),
        text::bytes(written.size),
        written.name,
        written.seconds
    ));
    Ok(())
}

/// What a scan into a file left.
#[derive(Debug)]
pub(crate) struct Written {
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes.
    pub(crate) size: u64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// The file, for people.
    name: String,
}

/// The format that a file's ending asks for.
fn format_of(path: &Path) -> CommandResult<Format> {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
        Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        Some(ending @ ("parquet" | "arrow")) => Err(Failure::usage(format!(
            "this version of wb does not write .{ending} files"
        ))
        .hint("write .jsonl or .csv, which every Arrow library reads")),
        _ => Err(Failure::usage(format!(
            "the name \"{}\" does not end in .jsonl or .csv",
            path.display()
        ))),
    }
}

fn request(run: &Run, arguments: &ScanArgs, keys: &[String]) -> Scan {
    let names = keys.iter().map(String::as_str);
    let mut scan = run.scan_history();
    scan = if arguments.any_keys.is_empty() {
        scan.all_keys(names)
    } else {
        scan.any_keys(names)
    };
    // A step is at most i64::MAX on the wire, so a larger bound means the same.
    let step = |step: u64| i64::try_from(step).unwrap_or(i64::MAX);
    if let Some(min) = arguments.min_step {
        scan = scan.min_step(step(min));
    }
    if let Some(max) = arguments.max_step {
        scan = scan.max_step(step(max));
    }
    if let Some(size) = arguments.page_size {
        scan = scan.page_size(size);
    }
    scan
}

fn writer(format: Format, keys: &[String], context: &Context) -> CommandResult<Rows> {
    Rows::new(format, columns("_step", keys), context.screen)
        .map_err(|error| Failure::io("create a temporary file", error))
}

async fn to_stdout(context: &mut Context, arguments: &ScanArgs) -> CommandResult {
    let connection = context.connect()?;
    let run = connection.api().run(&arguments.path).await?;
    let keys = keys(arguments);
    let mut stream = request(&run, arguments, &keys).start().await?;
    let mut rows = writer(context.format(), &keys, context)?;
    while let Some(batch) = next_or_flush(&mut stream, &mut context.out).await? {
        for row in batch?.rows() {
            rows.row(&mut context.out, row)?;
        }
    }
    let count = rows.count();
    let not_shown = rows.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_not_shown(not_shown);
    context.tell_count(count, "row");
    Ok(())
}

/// Scans into the file of `--out`, which appears when it is whole.
pub(crate) async fn scan_to_file(context: &Context, arguments: &ScanArgs) -> CommandResult<Written> {
    let started = Instant::now();
    let path = arguments
        .out
        .as_deref()
        .ok_or_else(|| Failure::usage("--out names no file"))?;
    // A target that cannot be is told before anything is asked of the server.
    let format = format_of(path)?;
    let mut file = OutFile::create(path, arguments.replace)?;
    let connection = context.connect()?;
    let run = connection.api().run(&arguments.path).await?;
    let keys = keys(arguments);
    let mut stream = request(&run, arguments, &keys).start().await?;
    let mut rows = writer(format, &keys, context)?;
    let bar = context.ui.counter(stream.report().counted, "rows");
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        for row in batch.rows() {
            rows.row(&mut file, row).map_err(|error| file.failed(error))?;
        }
        bar.inc(batch.len() as u64);
    }
    let count = rows.count();
    rows.finish(&mut file).map_err(|error| file.failed(error))?;
    bar.finish_and_clear();
    let name = file.name();
    let size = file.publish()?;
    Ok(Written {
        rows: count,
        size,
        seconds: started.elapsed().as_secs_f64(),
        name,
    })
}

fn keys(arguments: &ScanArgs) -> Vec<String> {
    KeyList::join(if arguments.any_keys.is_empty() {
        &arguments.keys
    } else {
        &arguments.any_keys
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_format() {
        assert_eq!(format_of(Path::new("a/rows.JSONL")).unwrap(), Format::Jsonl);
        assert_eq!(format_of(Path::new("rows.csv")).unwrap(), Format::Csv);
        for name in ["rows", "rows.txt", "rows.parquet", "rows.arrow", ".csv"] {
            assert_eq!(
                format_of(Path::new(name)).unwrap_err().status().code(),
                2,
                "{name}"
            );
        }
    }
}
