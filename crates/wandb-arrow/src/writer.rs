//! From a stream of rows to one file, in bounded memory.

use std::path::{Path, PathBuf};

use wandb_core::{Error, ErrorKind, Result, path::safe_relative_path};
use wandb_models::RowBatch;
use wandb_storage::{Algorithm, Directory, Existing, Expected};

use crate::{
    collect::{Chunk, Collector},
    error::{arrow_failed, io_failed},
    format::{Format, TableWriter},
    layout::Layout,
    sink::Sink,
    spill::Spill,
};

/// The most rows that are held before they are spilled, unless [`WriteOptions::buffered_rows`] says otherwise.
const BUFFERED_ROWS: usize = 16 * 1024;

/// About the most bytes of values that are held, in rows or in columns.
const BUFFERED_BYTES: usize = 16 << 20;

/// The most cells (rows times columns) that are held or built at once: an absent value takes space in a column, too.
const CELLS: usize = 1 << 20;

/// How to write a file of history.
#[derive(Debug, Clone)]
#[must_use]
pub struct WriteOptions {
    run: Option<String>,
    existing: Existing,
    buffered_rows: usize,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            run: None,
            existing: Existing::Refuse,
            buffered_rows: BUFFERED_ROWS,
        }
    }
}

impl WriteOptions {
    /// Notes the path of the run in the file's metadata ([`metadata::RUN`](crate::metadata::RUN)). Not noted unless set.
    pub fn run(mut self, path: impl Into<String>) -> Self {
        self.run = Some(path.into());
        self
    }

    /// Whether a file of the same name is replaced; refused unless set.
    pub fn replace(mut self, replace: bool) -> Self {
        self.existing = if replace {
            Existing::Replace
        } else {
            Existing::Refuse
        };
        self
    }

    /// The most rows that are held in memory; 16,384 unless set, and at least one. Fewer are held when rows are wide.
    pub fn buffered_rows(mut self, rows: usize) -> Self {
        self.buffered_rows = rows.max(1);
        self
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
    /// How many columns it has.
    pub columns: usize,
}

/// The directory of a target.
fn folder(target: &Path) -> &Path {
    let parent = target.parent();
    parent
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Begins a file that appears under its name when it is published; what cannot be written is refused here.
pub(crate) fn begin(target: &Path, options: &WriteOptions) -> Result<Sink> {
    let name = target
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Error::invalid_input(format!("{target:?} does not name a file in Unicode")))?;
    let directory = folder(target);
    // A mistyped directory is told, not made.
    std::fs::metadata(directory).map_err(|error| io_failed("open directory", directory, error))?;
    // Its hints are about names that a server gave.
    let name = safe_relative_path(name).map_err(|error| Error::invalid_input(error.to_string()))?;
    let pending = Directory::create(directory)
        .and_then(|directory| directory.begin(&name, options.existing, Algorithm::Md5))?;
    Ok(Sink::new(pending))
}

/// Writes the rows of a scan into one Parquet or Arrow file, under the [mapping](crate#mapping) of this crate.
///
/// The columns and their types are known only after the last row. So rows are spilled to a nameless temporary file
/// beside the target, and [`finish`](Self::finish) writes the target out of it. Memory is bounded by the options and
/// by the number of distinct keys, not by the number of rows.
///
/// The file appears under its name when it is complete, and not before. A writer that is dropped, or whose process is
/// killed, leaves nothing under that name.
///
/// Everything here blocks on the disk; async callers use their runtime's blocking pool.
#[derive(Debug)]
pub struct HistoryWriter {
    sink: Sink,
    directory: PathBuf,
    target: PathBuf,
    format: Format,
    options: WriteOptions,
    collector: Collector,
    spill: Option<Spill>,
    /// Rows were lost, so nothing may be published.
    broken: bool,
}

impl HistoryWriter {
    /// Prepares a file. The directory must exist; what cannot be written is refused here, before any row is asked for.
    ///
    /// # Errors
    /// - [`Conflict`](ErrorKind::Conflict): the target exists and may not be replaced.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): the path has no file name, or one that no system can hold.
    /// - [`Io`](ErrorKind::Io): the directory is not there, is read-only, or the disk is full.
    pub fn create(target: impl AsRef<Path>, format: Format, options: WriteOptions) -> Result<Self> {
        let target = target.as_ref();
        let sink = begin(target, &options)?;
        Ok(Self {
            sink,
            directory: folder(target).to_owned(),
            target: target.to_owned(),
            format,
            options,
            collector: Collector::default(),
            spill: None,
            broken: false,
        })
    }

    /// Adds rows. They must come in step order if the file is to say that it is sorted, as a scan gives them.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) when the disk is full or fails. Rows are lost then, and [`finish`](Self::finish) refuses.
    pub fn append(&mut self, batch: &RowBatch) -> Result<()> {
        for row in batch.rows() {
            self.collector.push(row);
            let rows = self.collector.buffered_rows();
            if rows >= self.options.buffered_rows
                || self.collector.buffered_bytes() >= BUFFERED_BYTES
                || rows.saturating_mul(self.collector.columns().len()) >= CELLS
            {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// How many rows were added.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.collector.total_rows()
    }

    /// How many of them are in memory at this moment.
    #[must_use]
    pub fn buffered_rows(&self) -> usize {
        self.collector.buffered_rows()
    }

    fn spill(&mut self) -> Result<()> {
        let chunk = self.collector.take_chunk();
        let spilled = match &mut self.spill {
            Some(spill) => spill.write(chunk),
            none => {
                Spill::create(&self.directory, &self.target).and_then(|spill| none.insert(spill).write(chunk))
            }
        };
        self.broken |= spilled.is_err();
        spilled
    }

    /// Decides the types, writes the file, makes it durable and gives it its name.
    ///
    /// # Errors
    /// - [`Conflict`](ErrorKind::Conflict): the target appeared meanwhile and may not be replaced.
    /// - [`Incomplete`](ErrorKind::Incomplete): an earlier [`append`](Self::append) failed.
    /// - [`Io`](ErrorKind::Io): the disk is full or fails.
    ///
    /// Nothing is published then.
    pub fn finish(mut self) -> Result<Written> {
        if self.broken {
            return Err(Error::new(
                ErrorKind::Incomplete,
                format!(
                    "rows for {:?} could not be kept, so it is not written",
                    self.target
                ),
            ));
        }
        let layout = Layout::new(&self.collector, self.options.run.as_deref());
        self.write_table(&layout)
            .map_err(|error| self.sink.explain(error))?;
        let (path, facts) = self.sink.into_pending().publish(&Expected::default())?;
        Ok(Written {
            path,
            bytes: facts.size,
            rows: self.collector.total_rows(),
            columns: layout.schema().fields().len(),
        })
    }

    fn write_table(&mut self, layout: &Layout) -> Result<()> {
        let sorted = self.collector.is_sorted() && layout.starts_with_step();
        let last = self.collector.take_chunk();
        let target = &self.target;
        let mut table = TableWriter::new(self.format, &mut self.sink, layout.schema(), sorted, target)?;
        // A chunk was narrow when it was spilled, but the table may have become wide.
        let most = (CELLS / layout.schema().fields().len()).max(1);
        let mut write = |chunk: Chunk| {
            for offset in (0..chunk.rows).step_by(most) {
                let slice = chunk.slice(offset, most.min(chunk.rows - offset));
                let batch = layout
                    .record_batch(&slice)
                    .map_err(|error| arrow_failed(&format!("write {target:?}"), error))?;
                table.write(&batch, target)?;
            }
            Ok(())
        };
        if let Some(spill) = self.spill.take() {
            spill.read(&mut write)?;
        }
        write(last)?;
        table.finish(target)
    }
}
