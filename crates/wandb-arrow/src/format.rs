//! File formats, and the writers of each.

use std::{
    fmt,
    io::{self, BufWriter},
    path::Path,
};

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding},
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties},
    },
    schema::types::ColumnPath,
};
use wandb_core::{Error, Result};

use crate::{
    collect::STEP,
    error::{io_failed, of_arrow, of_parquet},
    metadata,
    sink::Sink,
};

/// Buffer of writes, in bytes.
const BUFFER: usize = 256 * 1024;

/// The most rows of a Parquet row group.
const GROUP_ROWS: usize = 256 * 1024;

/// About the most bytes of a Parquet row group, encoded: the writer holds one in memory.
const GROUP_BYTES: usize = 32 << 20;

/// A kind of file that history can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Apache Parquet, compressed with Snappy, with statistics, sorted by `_step`.
    Parquet,
    /// An Arrow IPC file, also called Feather version 2, uncompressed: to be mapped into memory.
    ArrowFile,
}

impl Format {
    /// The format that the ending of a name asks for: `.parquet`, `.arrow` or `.feather`, in any case.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for any other ending.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("parquet") => Ok(Self::Parquet),
            Some("arrow" | "feather") => Ok(Self::ArrowFile),
            _ => Err(Error::invalid_input(format!(
                "the name {path:?} does not end in .parquet, .arrow or .feather"
            ))),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Parquet => "Parquet",
            Self::ArrowFile => "Arrow",
        })
    }
}

/// Writes record batches of one schema.
pub(crate) enum TableWriter<'a> {
    Parquet(Box<ArrowWriter<BufWriter<&'a mut Sink>>>),
    ArrowFile(Box<FileWriter<BufWriter<&'a mut Sink>>>),
}

impl<'a> TableWriter<'a> {
    /// Begins a file. `sorted`: the rows come in the order of the first column, which has no nulls.
    pub(crate) fn new(
        format: Format,
        sink: &'a mut Sink,
        schema: &SchemaRef,
        sorted: bool,
        path: &Path,
    ) -> Result<Self> {
        let sink = BufWriter::with_capacity(BUFFER, sink);
        match format {
            Format::Parquet => {
                let mut properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_statistics_enabled(EnabledStatistics::Page)
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .set_max_row_group_bytes(Some(GROUP_BYTES))
                    .set_created_by(concat!("wandb-arrow ", env!("CARGO_PKG_VERSION")).to_owned());
                if sorted {
                    let by_step = SortingColumn {
                        column_idx: 0,
                        descending: false,
                        nulls_first: false,
                    };
                    properties = properties.set_sorting_columns(Some(vec![by_step]));
                }
                for field in schema.fields() {
                    // Whole: a dot in a key does not separate anything.
                    let column = ColumnPath::new(vec![field.name().clone()]);
                    if field.name() == STEP && *field.data_type() == DataType::Int64 {
                        properties = properties
                            .set_column_dictionary_enabled(column.clone(), false)
                            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
                    } else if *field.data_type() == DataType::Float64 {
                        // Measured values hardly repeat: a dictionary of them is slower and larger than they are.
                        properties = properties.set_column_dictionary_enabled(column, false);
                    }
                }
                if let Some(run) = schema.metadata().get(metadata::RUN) {
                    // The Arrow schema holds it too, but only Arrow libraries look there.
                    let run = KeyValue::new(metadata::RUN.to_owned(), run.clone());
                    properties = properties.set_key_value_metadata(Some(vec![run]));
                }
                ArrowWriter::try_new(sink, schema.clone(), Some(properties.build()))
                    .map(|writer| Self::Parquet(Box::new(writer)))
                    .map_err(|error| of_parquet("write", path, error))
            }
            Format::ArrowFile => FileWriter::try_new(sink, schema)
                .map(|writer| Self::ArrowFile(Box::new(writer)))
                .map_err(|error| of_arrow("write", path, error)),
        }
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch, path: &Path) -> Result<()> {
        match self {
            Self::Parquet(writer) => writer
                .write(batch)
                .map_err(|error| of_parquet("write", path, error)),
            Self::ArrowFile(writer) => writer
                .write(batch)
                .map_err(|error| of_arrow("write", path, error)),
        }
    }

    /// Writes the end of the file and everything that is buffered.
    pub(crate) fn finish(self, path: &Path) -> Result<()> {
        let flush = |buffer: BufWriter<&mut Sink>| {
            buffer
                .into_inner()
                .map(drop)
                .map_err(|error| io_failed("write", path, io::Error::from(error.error().kind())))
        };
        match self {
            Self::Parquet(writer) => flush(
                writer
                    .into_inner()
                    .map_err(|error| of_parquet("write", path, error))?,
            ),
            Self::ArrowFile(mut writer) => writer
                .finish()
                .and_then(|()| writer.into_inner())
                .map_err(|error| of_arrow("write", path, error))
                .and_then(flush),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_format() {
        assert_eq!(Format::from_path("a/rows.PARQUET").unwrap(), Format::Parquet);
        assert_eq!(Format::from_path("rows.arrow").unwrap(), Format::ArrowFile);
        assert_eq!(Format::from_path("rows.feather").unwrap(), Format::ArrowFile);
        for name in ["rows", "rows.csv", "parquet", ".parquet"] {
            let error = Format::from_path(name).unwrap_err();
            assert_eq!(error.kind(), wandb_core::ErrorKind::InvalidInput, "{name}");
        }
    }
}
