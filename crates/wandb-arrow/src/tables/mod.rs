//! Tables of artifacts (`wandb.Table`) as record batches.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use wandb_arrow::{arrow_schema::DataType, tables::TableBatches};
//! use wandb_artifacts::media::{EntryReader, Media, MemoryReader};
//!
//! # fn main() -> wandb_core::Result<()> { futures_util::FutureExt::now_or_never(run()).unwrap() }
//! # async fn run() -> wandb_core::Result<()> {
//! let text = r#"{"columns": ["name", "score"], "data": [["ann", 1], ["bob", NaN]]}"#;
//! let reader: Arc<dyn EntryReader> = Arc::new(MemoryReader::new("a").with("t.table.json", text));
//! let table = Media::read(&reader, "t").await?.and_then(Media::into_table).expect("it is a table");
//! let batches = TableBatches::new(&table).collect::<wandb_core::Result<Vec<_>>>()?;
//! assert_eq!(batches[0].num_rows(), 2);
//! assert_eq!(batches[0].schema().field(1).data_type(), &DataType::Float64);
//! # Ok(())
//! # }
//! ```
//!
//! # Mapping
//!
//! There is one column for each column of the table, in its order and under its name; all batches have one schema. Every
//! row is looked at before the first batch is made, and the type follows from the values, as in the
//! [mapping of a history](crate#mapping): the narrowest that holds every value without loss, and JSON text (with the
//! field metadata `wandb.encoding = "json"`) where no type does. The type that the table says its column has is in the
//! field metadata `wandb.column_type`, and decides where the values do not:
//!
//! | column | Arrow type |
//! |---|---|
//! | points in time | `Timestamp(Millisecond, "UTC")`; microseconds where some are not whole milliseconds |
//! | NumPy arrays | nested `FixedSizeList` of the array's own element type; JSON text for complex numbers |
//! | NumPy arrays that were not read | `Null`, with the entry in the metadata `wandb.stored_array` |
//! | nothing but `null`, said to be text, numbers, truth values or times | that type, all null |
//! | media, objects | JSON text |
//! | times mixed with other values | JSON text, the times as RFC 3339 |
//!
//! `NaN` and infinities are kept.

mod arrays;
mod batches;
mod file;
mod plan;

pub use batches::TableBatches;
pub use file::{unique_names, write_file};

#[cfg(test)]
mod tests;
