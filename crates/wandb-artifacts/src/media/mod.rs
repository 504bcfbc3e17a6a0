//! Typed media: what `artifact.add(wandb.Table(…), "results")` logged, as types.
//!
//! | to | see |
//! |---|---|
//! | read an object of an artifact by its name | [`Media::read`] |
//! | understand an object in a run's summary | [`Media::from_value`] |
//! | say where entries come from | [`EntryReader`]; a folder: [`DirectoryReader`], memory: [`MemoryReader`] |
//! | walk a table | [`Table::rows`], [`Table::rows_as`], [`Row`], [`Cell`] |
//! | know what a column holds | [`Column::column_type`], [`ColumnType`] |
//! | open media of a cell, files of an image | [`MediaCell::media`], [`MediaFile`] |
//! | limit what a read may take | [`ReadOptions`] |
//!
//! Only what is needed is fetched, every byte is verified on the way, and what a file claims is never believed: sizes,
//! numbers of rows, shapes and paths are checked, nesting and memory are bounded, and circles of references are errors
//! ([`MediaError`]). Nothing that was downloaded is run: saved models are paths, pickled arrays are refused.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use wandb_artifacts::media::{Cell, EntryReader, Media, MediaError, MemoryReader};
//!
//! # fn main() -> Result<(), MediaError> { futures_util::FutureExt::now_or_never(run()).unwrap() }
//! # async fn run() -> Result<(), MediaError> {
//! // Entries come from an artifact; here they are in memory.
//! let reader = MemoryReader::new("my-artifact").with(
//!     "results.table.json",
//!     r#"{"_type": "table", "columns": ["name", "score", "when"],
//!         "data": [["ann", 0.5, 1704164645678], ["bob", NaN, null]], "ncols": 3, "nrows": 2,
//!         "column_types": {"wb_type": "typedDict", "params": {"type_map": {
//!             "name": {"wb_type": "string"},
//!             "score": {"wb_type": "number"},
//!             "when": {"wb_type": "union", "params": {"allowed_types":
//!                 [{"wb_type": "none"}, {"wb_type": "timestamp"}]}}}}}}"#,
//! );
//! let reader: Arc<dyn EntryReader> = Arc::new(reader);
//!
//! let table = Media::read(&reader, "results").await?.and_then(Media::into_table).expect("it is a table");
//! assert!(table.columns()[2].column_type().unwrap().is_timestamp());
//! let row = table.row(0).unwrap();
//! assert_eq!(row.get("name").unwrap().as_str(), Some("ann"));
//! assert!(matches!(row.get("when"), Some(Cell::Time(time)) if time.to_string() == "2024-01-02T03:04:05.678Z"));
//!
//! #[derive(serde::Deserialize)]
//! struct Result { name: String, score: f64 }
//! let rows = table.rows_as::<Result>().collect::<std::result::Result<Vec<_>, _>>()?;
//! assert!(rows[1].name == "bob" && rows[1].score.is_nan());
//! # Ok(())
//! # }
//! ```

mod array;
mod batch;
mod boxes;
mod classes;
mod context;
mod directory;
mod error;
mod fields;
mod file;
mod image;
mod lookup;
mod object;
mod options;
mod reader;
mod simple;
mod table;

use context::Context;

pub use array::{ArrayError, ArrayView, Element, NdArray};
pub use boxes::{BoundingBox, BoundingBoxes, BoxDomain, BoxLayer, BoxPosition};
pub use classes::{Class, Classes, ClassesFile};
pub use directory::DirectoryReader;
pub use error::MediaError;
pub use file::MediaFile;
pub use image::{Image, Mask};
pub use object::Media;
pub use options::ReadOptions;
pub use reader::{EntryInfo, EntryReader, MemoryReader};
pub use simple::{FileMedia, Histogram, SavedModel, Video};
pub use table::{
    AnyTable, Cell, Cells, Column, ColumnType, Increment, JoinKey, JoinedTable, Json, LogMode, MediaCell,
    PartitionedTable, Row, Rows, StoredArray, Table, TableFile, TableReference,
};

#[cfg(test)]
mod tests;
