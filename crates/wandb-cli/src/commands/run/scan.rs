//! `wb run scan`: every row.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use futures_util::StreamExt;
use wandb_api::arrow::{HistoryWriter, WriteOptions};
use wandb_api::{RowBatch, RunReference, Scan, ScanStream};

use super::history::{columns, warn_never_logged};
use crate::cli::{KeyList, ScanArgs};
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::file_format::FileFormat;
use crate::output::out_file::OutFile;
use crate::output::rows::Rows;
use crate::output::{Format, text};

/// Prints every row, or writes it to a file.
pub(crate) async fn scan(context: &mut Context, arguments: &ScanArgs) -> CommandResult {
    if arguments.out.is_none() {
        return to_stdout(context, arguments).await;
    }
    let written = scan_to_file(context, arguments).await?;
    let agreement = match written.counted {
        Some(count) if count == written.rows => " (as many as the server counts)",
        _ => "",
    };
    context.note(&format!(
        "wrote {}{agreement}, {}, to {} in {:.1} s",
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
    /// How many rows the server counted, where it counts them exactly: for a whole run, and for one key of it.
    counted: Option<u64>,
    /// Bytes.
    pub(crate) size: u64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// The file, for people.
    name: String,
}

/// A file that the rows go to.
enum Target {
    /// JSON Lines, JSON or CSV.
    Text(Box<TextFile>),
    /// Parquet or Arrow.
    Columns(Box<HistoryWriter>),
}

/// A text file and what writes rows into it.
struct TextFile {
    file: OutFile,
    rows: Rows,
}

impl Target {
    fn create(
        path: &Path,
        format: FileFormat,
        run: String,
        keys: &[String],
        arguments: &ScanArgs,
        context: &Context,
    ) -> CommandResult<Self> {
        match format {
            FileFormat::Text(format) => {
                let file = OutFile::create(path, arguments.replace)?;
                let rows = writer(format, keys, context)?;
                Ok(Self::Text(Box::new(TextFile { file, rows })))
            }
            FileFormat::Columns(format) => {
                let options = WriteOptions::default().run(run).replace(arguments.replace);
                let created = HistoryWriter::create(path, format, options);
                created
                    .map(|writer| Self::Columns(Box::new(writer)))
                    .map_err(|error| {
                        let failure = Failure::from(error);
                        match failure.status() {
                            ExitStatus::Conflict => failure.hint("--replace replaces it"),
                            _ => failure,
                        }
                    })
            }
        }
    }

    fn append(&mut self, batch: &RowBatch) -> CommandResult {
        match self {
            Self::Text(text) => {
                let TextFile { file, rows } = &mut **text;
                for row in batch.rows() {
                    rows.row(file, row).map_err(|error| file.failed(error))?;
                }
                Ok(())
            }
            Self::Columns(writer) => Ok(writer.append(batch)?),
        }
    }

    /// Gives the file its name; returns rows and bytes.
    fn publish(self) -> CommandResult<(u64, u64)> {
        match self {
            Self::Text(text) => {
                let TextFile { mut file, rows } = *text;
                let count = rows.count();
                rows.finish(&mut file).map_err(|error| file.failed(error))?;
                Ok((count, file.publish()?))
            }
            Self::Columns(writer) => {
                let written = writer.finish()?;
                Ok((written.rows, written.bytes))
            }
        }
    }
}

/// Starts the scan, and says which of the keys can give nothing.
async fn start(
    context: &Context,
    run: &RunReference,
    arguments: &ScanArgs,
    keys: &[String],
) -> CommandResult<ScanStream> {
    let stream = request(run, arguments, keys).start().await?;
    warn_never_logged(context, run, stream.never_logged());
    Ok(stream)
}

fn request(run: &RunReference, arguments: &ScanArgs, keys: &[String]) -> Scan {
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
    Rows::new(format, columns("_step", keys), "_step", context.screen)
        .map_err(|error| Failure::io("create a temporary file", error))
}

async fn to_stdout(context: &mut Context, arguments: &ScanArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let keys = keys(arguments);
    let mut stream = start(context, &run, arguments, &keys).await?;
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
    let format = FileFormat::of(path)?;
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let keys = keys(arguments);
    // A target that cannot be is told before the run is asked for.
    let mut target = Target::create(
        path,
        format,
        run.run_path().to_string(),
        &keys,
        arguments,
        context,
    )?;
    let mut stream = start(context, &run, arguments, &keys).await?;
    let bar = context.ui.counter(stream.report().counted, "rows");
    let mut next = stream.next().await;
    while let Some(batch) = next {
        let batch = batch?;
        let count = batch.len() as u64;
        // Encoding and the disk would hold up the network, so the next batch is received while this one is written.
        let writing = off_the_runtime(move || target.append(&batch).map(|()| target));
        let (written, following) = tokio::join!(writing, stream.next());
        target = written?;
        next = following;
        bar.inc(count);
    }
    let (rows, size) = off_the_runtime(move || target.publish()).await?;
    bar.finish_and_clear();
    Ok(Written {
        rows,
        counted: stream.report().counted,
        size,
        seconds: started.elapsed().as_secs_f64(),
        name: path.display().to_string(),
    })
}

/// Runs what blocks on a thread that is made for it. Dropped in the middle, the work goes on to its end, and what it holds
/// (a temporary file) is dropped there.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> CommandResult<T> + Send + 'static,
) -> CommandResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::new(ExitStatus::Failed, "write the file").with_source(error)))
}

fn keys(arguments: &ScanArgs) -> Vec<String> {
    KeyList::join(if arguments.any_keys.is_empty() {
        &arguments.keys
    } else {
        &arguments.any_keys
    })
}
