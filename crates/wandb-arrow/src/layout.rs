//! The columns of a result: names, types and metadata, and record batches that follow them.

use std::{collections::HashMap, collections::HashSet, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::{
    assemble::Parts,
    collect::{Chunk, Collector, STEP},
    kind::ColumnType,
    metadata,
};

/// Where a column of the result comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A key.
    Values(usize, ColumnType),
    /// The rows in which a key was logged as `null`.
    LoggedNulls(usize),
    /// Nothing was logged at all.
    NoStep,
}

/// The columns of a result, decided when every row was seen.
#[derive(Debug)]
pub(crate) struct Layout {
    sources: Vec<Source>,
    schema: SchemaRef,
}

impl Layout {
    /// Decides types, once every row has gone through the collector.
    pub(crate) fn new(collector: &Collector, run: Option<&str>) -> Self {
        let columns = collector.columns();
        let rows = collector.total_rows();
        let mut order: Vec<usize> = (0..columns.len()).collect();
        // Stable: `_step` comes first, the others keep the order in which they first occurred.
        order.sort_by_key(|place| *columns[*place].key != *STEP);

        let mut taken: HashSet<String> = columns.iter().map(|column| column.key.to_string()).collect();
        let (mut sources, mut fields, mut companions) = (Vec::new(), Vec::new(), Vec::new());
        for place in order {
            let column = &columns[place];
            let column_type = column.facts.column_type();
            let absent = rows - column.facts.values - column.facts.nulls;
            let mut about = HashMap::from([(metadata::KEY.to_owned(), column.key.to_string())]);
            if column_type == ColumnType::Json {
                about.insert(metadata::ENCODING.into(), metadata::JSON.into());
            }
            let nulls = match (column.facts.nulls > 0, absent > 0) {
                (false, false) => None,
                (false, true) => Some(metadata::NULLS_ABSENT),
                (true, false) => Some(metadata::NULLS_LOGGED),
                (true, true) => Some(metadata::NULLS_BOTH),
            };
            if let Some(nulls) = nulls {
                about.insert(metadata::NULLS.into(), nulls.into());
            }
            if nulls == Some(metadata::NULLS_BOTH) {
                let mut name = format!("{}{}", column.key, metadata::LOGGED_NULL_SUFFIX);
                while !taken.insert(name.clone()) {
                    name.push('_');
                }
                let about = HashMap::from([(metadata::LOGGED_NULL_OF.into(), column.key.to_string())]);
                companions.push((
                    Source::LoggedNulls(place),
                    Field::new(name, DataType::Boolean, false).with_metadata(about),
                ));
            }
            sources.push(Source::Values(place, column_type));
            fields.push(Field::new(&*column.key, column_type.arrow(), true).with_metadata(about));
        }
        for (source, field) in companions {
            sources.push(source);
            fields.push(field);
        }
        if sources.is_empty() {
            // Readers of tables stumble over a table without columns.
            sources.push(Source::NoStep);
            let about = HashMap::from([(metadata::KEY.into(), STEP.into())]);
            fields.push(Field::new(STEP, DataType::Int64, true).with_metadata(about));
        }
        let about = run.map(|run| (metadata::RUN.to_owned(), run.to_owned()));
        Self {
            sources,
            schema: Arc::new(Schema::new(fields).with_metadata(about.into_iter().collect::<HashMap<_, _>>())),
        }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether the first column is an integer step.
    pub(crate) fn starts_with_step(&self) -> bool {
        let first = self.schema.field(0);
        first.name() == STEP && *first.data_type() == DataType::Int64
    }

    /// The rows of a chunk under this layout.
    ///
    /// # Errors
    /// When the arrays do not fit the schema, which would be a fault of this crate.
    pub(crate) fn record_batch(&self, chunk: &Chunk) -> Result<RecordBatch, ArrowError> {
        let parts_of = |place: usize| {
            let parts = match chunk.columns.binary_search_by_key(&place, |(place, _)| *place) {
                Ok(found) => &chunk.columns[found].1[..],
                Err(_) => &[],
            };
            Parts::new(chunk.rows, parts)
        };
        let arrays: Vec<ArrayRef> = self
            .sources
            .iter()
            .map(|source| match *source {
                Source::Values(place, column_type) => parts_of(place).assemble(column_type),
                Source::LoggedNulls(place) => parts_of(place).logged_nulls(),
                Source::NoStep => Parts::new(chunk.rows, &[]).assemble(ColumnType::Int64),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(chunk.rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}
