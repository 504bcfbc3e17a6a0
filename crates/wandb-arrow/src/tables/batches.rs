//! Record batches of a table, made one after the other.

use std::{iter::FusedIterator, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray, TimestampMillisecondArray,
    new_null_array,
};
use arrow_schema::{ArrowError, SchemaRef};
use wandb_artifacts::media::{ArrayView, Cell, Table};
use wandb_core::{Error, Result};

use super::{
    arrays,
    plan::{Plan, plan},
};
use crate::{assemble::Parts, collect::PartBuilders, error::arrow_failed, kind::Facts};

/// Rows of a batch unless told otherwise.
const ROWS: usize = 8192;

/// About how many bytes of values a batch may hold: text columns count with 32 bits.
const BATCH_BYTES: usize = 256 << 20;

/// Longest cell, for the same reason.
const CELL_BYTES: usize = 256 << 20;

/// The rows of a table as record batches of one schema, under the [mapping](super#mapping) of this module. At least one
/// batch, which has no rows when the table has none.
///
/// The table is read twice, and only one batch is in memory at a time.
#[derive(Debug)]
pub struct TableBatches<'t> {
    table: &'t Table,
    plans: Vec<Plan>,
    schema: SchemaRef,
    rows: usize,
    next: usize,
    finished: bool,
}

impl<'t> TableBatches<'t> {
    /// Looks at every row to find the types.
    #[must_use]
    pub fn new(table: &'t Table) -> Self {
        let (plans, schema) = plan(table);
        Self {
            table,
            plans,
            schema,
            rows: ROWS,
            next: 0,
            finished: false,
        }
    }

    /// How many rows a batch has at most. By default 8,192; 0 counts as 1. A batch of large values has fewer.
    #[must_use]
    pub fn rows_per_batch(mut self, rows: usize) -> Self {
        self.rows = rows.max(1);
        self
    }

    /// The schema of all batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let mut columns: Vec<Builder<'t>> = self.plans.iter().map(Builder::new).collect();
        let (mut count, mut bytes) = (0, 0);
        while count < self.rows && bytes < BATCH_BYTES {
            let Some(row) = self.table.row(self.next) else {
                break;
            };
            for (column, cell) in columns.iter_mut().zip(row.cells()) {
                bytes += column.push(count, &cell).ok_or_else(|| {
                    Error::invalid_input(format!(
                        "a cell of row {} of {:?} is too large for a record batch",
                        row.index(),
                        self.table.path()
                    ))
                })?;
            }
            self.next += 1;
            count += 1;
        }
        let failed = |error: ArrowError| arrow_failed("make a record batch", error);
        let arrays: Vec<ArrayRef> = columns
            .into_iter()
            .zip(&self.plans)
            .map(|(column, plan)| column.finish(count, plan))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(failed)
    }
}

impl Iterator for TableBatches<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if self.finished {
            return None;
        }
        let batch = self.batch();
        self.finished = batch.is_err() || self.next >= self.table.len();
        Some(batch)
    }
}

impl FusedIterator for TableBatches<'_> {}

/// One column of a batch while rows arrive.
#[derive(Debug)]
enum Builder<'t> {
    Values(PartBuilders),
    /// In microseconds.
    Times(Vec<Option<i64>>),
    Arrays(Vec<ArrayView<'t>>),
    Nulls,
}

impl<'t> Builder<'t> {
    fn new(plan: &Plan) -> Self {
        match plan {
            Plan::Values(_) => Self::Values(PartBuilders::default()),
            Plan::Times { .. } => Self::Times(Vec::new()),
            Plan::Arrays(_) => Self::Arrays(Vec::new()),
            Plan::Nulls(_) => Self::Nulls,
        }
    }

    /// Adds a cell, and tells about how many bytes it takes; `None` when it is too large.
    fn push(&mut self, row: usize, cell: &Cell<'t>) -> Option<usize> {
        match self {
            Self::Values(parts) => {
                let length = match cell {
                    Cell::Text(text) => text.len(),
                    Cell::Json(json) => json.as_str().len(),
                    Cell::Media(media) => media.json().len(),
                    Cell::Array(array) => array.len().saturating_mul(32),
                    _ => 0,
                };
                if length > CELL_BYTES {
                    return None;
                }
                let value = cell.to_value();
                let kind = Facts::default().observe(&value);
                Some(parts.push(kind, row, &value))
            }
            Self::Times(times) => {
                times.push(match cell {
                    Cell::Time(time) => Some(time.unix_microseconds()),
                    _ => None,
                });
                Some(8)
            }
            Self::Arrays(arrays) => match cell {
                Cell::Array(array) => {
                    arrays.push(*array);
                    Some(array.len().saturating_mul(array.element().size()))
                }
                _ => None,
            },
            Self::Nulls => Some(0),
        }
    }

    fn finish(self, rows: usize, plan: &Plan) -> Result<ArrayRef, ArrowError> {
        Ok(match (self, plan) {
            (Self::Values(mut parts), Plan::Values(values)) => {
                Parts::new(rows, &parts.take(rows)).assemble(*values)
            }
            (Self::Times(times), Plan::Times { fine: true }) => {
                Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))
            }
            (Self::Times(times), _) => {
                let whole = |time: Option<i64>| time.map(|time| time / 1000);
                let times: TimestampMillisecondArray = times.into_iter().map(whole).collect();
                Arc::new(times.with_timezone("UTC"))
            }
            (Self::Arrays(cells), Plan::Arrays(data_type)) => arrays::build(&cells, data_type)?,
            (_, plan) => new_null_array(&plan.arrow(), rows),
        })
    }
}
