//! Record batches in memory.

use arrow_array::RecordBatch;
use wandb_core::{Error, Result};
use wandb_models::RowBatch;

use crate::{collect::Collector, error::arrow_failed, layout::Layout};

/// About how many bytes of values one record batch may hold: text and list columns count with 32 bits, and a text can
/// grow sixfold when it becomes JSON.
const BATCH_BYTES: usize = 256 << 20;

/// The rows of a batch as columns, under the [mapping](crate#mapping) of this crate.
///
/// The types follow from the rows of this batch, so two batches of one scan can differ in columns and types. For one
/// schema over all of them use [`to_record_batches`], or [`HistoryWriter`](crate::HistoryWriter) when they do not fit
/// into memory.
///
/// # Errors
/// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the values take more than about 256 MiB, which a page of a
/// scan never does.
pub fn to_record_batch(batch: &RowBatch) -> Result<RecordBatch> {
    let mut batches = to_record_batches([batch])?;
    Ok(batches.remove(0))
}

/// Several batches under one schema: a record batch for each of them, and at least one.
///
/// # Errors
/// As [`to_record_batch`].
///
/// # Example
/// ```
/// use wandb_arrow::{arrow_array::cast::AsArray, to_record_batches};
/// use wandb_models::RowBatch;
///
/// # fn main() -> wandb_core::Result<()> {
/// let early = RowBatch::from_json_lines([r#"{"_step":0,"loss":2}"#])?;
/// let late = RowBatch::from_json_lines([r#"{"_step":1,"loss":NaN,"note":"diverged"}"#])?;
/// let batches = to_record_batches([&early, &late])?;
/// let names: Vec<_> = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
/// assert_eq!(names, ["_step", "loss", "note"]);
/// // The whole numbers of a float column are floats in every batch.
/// let loss = batches[0].column(1).as_primitive::<wandb_arrow::arrow_array::types::Float64Type>();
/// assert_eq!(loss.value(0), 2.0);
/// # Ok(())
/// # }
/// ```
pub fn to_record_batches<'a>(batches: impl IntoIterator<Item = &'a RowBatch>) -> Result<Vec<RecordBatch>> {
    let mut collector = Collector::default();
    let mut chunks = Vec::new();
    for batch in batches {
        for row in batch.rows() {
            collector.push(row);
        }
        if collector.buffered_bytes() > BATCH_BYTES {
            return Err(Error::invalid_input(format!(
                "{} rows are too large for one record batch",
                batch.len()
            ))
            .with_hint("write them with HistoryWriter, or split them"));
        }
        chunks.push(collector.take_chunk());
    }
    if chunks.is_empty() {
        chunks.push(collector.take_chunk());
    }
    let layout = Layout::new(&collector, None);
    chunks
        .iter()
        .map(|chunk| {
            layout
                .record_batch(chunk)
                .map_err(|error| arrow_failed("make a record batch", error))
        })
        .collect()
}
