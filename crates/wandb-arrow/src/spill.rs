//! Chunks on the disk, while the final types are not known.
//!
//! The file lies beside the target, where there must be room for about as much anyway. It has no name (or is deleted on
//! closing, on Windows), so that not even a killed process leaves it behind. Each chunk is one Arrow IPC stream with a
//! schema of its own: one field for each part, its name the column's place and the letter of the kind.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_ipc::{reader::StreamReader, writer::StreamWriter};
use arrow_schema::{ArrowError, Field, Schema};
use wandb_core::Result;

use crate::{
    collect::{Chunk, Part},
    error::{io_failed, of_arrow},
    kind::Kind,
};

/// Buffer of reads and writes, in bytes.
const BUFFER: usize = 256 * 1024;

/// Chunks that were written and can be read once.
#[derive(Debug)]
pub(crate) struct Spill {
    writer: BufWriter<File>,
    chunks: u64,
    /// The target, for messages: the spill itself has no name.
    target: PathBuf,
}

impl Spill {
    /// Opens a spill in the directory of the target.
    pub(crate) fn create(directory: &Path, target: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(directory).map_err(|error| {
            // tempfile's own text names the directory, which the message does already.
            io_failed(
                "create a temporary file in",
                directory,
                std::io::Error::from(error.kind()),
            )
        })?;
        Ok(Self {
            writer: BufWriter::with_capacity(BUFFER, file),
            chunks: 0,
            target: target.to_owned(),
        })
    }

    pub(crate) fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.try_write(chunk)
            .map_err(|error| of_arrow("write rows for", &self.target, error))
    }

    fn try_write(&mut self, chunk: Chunk) -> std::result::Result<(), ArrowError> {
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (place, parts) in chunk.columns {
            for part in parts {
                let name = format!("{place}{}", part.kind.letter());
                fields.push(Field::new(name, part.array.data_type().clone(), true));
                arrays.push(part.array);
            }
        }
        let schema = Arc::new(Schema::new(fields));
        let options = RecordBatchOptions::new().with_row_count(Some(chunk.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
        let mut stream = StreamWriter::try_new(&mut self.writer, &schema)?;
        stream.write(&batch)?;
        stream.finish()?;
        self.chunks += 1;
        Ok(())
    }

    /// Reads the chunks back, in the order in which they were written.
    pub(crate) fn read(self, mut each: impl FnMut(Chunk) -> Result<()>) -> Result<()> {
        let Self {
            mut writer,
            chunks,
            target,
        } = self;
        writer
            .flush()
            .map_err(|error| io_failed("write rows for", &target, error))?;
        let mut file = writer
            .into_inner()
            .map_err(|error| io_failed("write rows for", &target, error.into_error()))?;
        file.rewind()
            .map_err(|error| io_failed("read rows for", &target, error))?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        for _ in 0..chunks {
            each(read_chunk(&mut reader).map_err(|error| of_arrow("read rows for", &target, error))?)?;
        }
        Ok(())
    }
}

fn read_chunk(reader: &mut BufReader<File>) -> std::result::Result<Chunk, ArrowError> {
    let damaged = || ArrowError::IpcError("the temporary file was changed".into());
    let mut stream = StreamReader::try_new(reader, None)?;
    let batch = stream.next().ok_or_else(damaged)??;
    // Reads the end of this stream, so that the next one begins here.
    if stream.next().is_some() {
        return Err(damaged());
    }
    let mut columns: Vec<(usize, Vec<Part>)> = Vec::new();
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let mut digits = field.name().chars();
        let kind = digits
            .next_back()
            .and_then(Kind::from_letter)
            .ok_or_else(damaged)?;
        let place: usize = digits.as_str().parse().map_err(|_| damaged())?;
        let part = Part {
            kind,
            array: Arc::clone(array),
        };
        match columns.last_mut() {
            Some((last, parts)) if *last == place => parts.push(part),
            _ => columns.push((place, vec![part])),
        }
    }
    Ok(Chunk {
        rows: batch.num_rows(),
        columns,
    })
}
