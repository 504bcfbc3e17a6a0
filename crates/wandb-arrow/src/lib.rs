//! History as Arrow record batches, and as Parquet and Arrow files.
//!
//! | to | see |
//! |---|---|
//! | turn the rows of one page into columns | [`to_record_batch`] |
//! | turn several into columns of one schema | [`to_record_batches`] |
//! | write a whole scan into a file, in bounded memory | [`HistoryWriter`] |
//! | turn a table of an artifact into columns (feature `tables`) | `tables::TableBatches` |
//!
//! # Example
//! ```
//! use wandb_arrow::{Format, HistoryWriter, WriteOptions};
//! use wandb_models::RowBatch;
//!
//! # fn main() -> wandb_core::Result<()> {
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("rows.parquet");
//! let options = WriteOptions::default().run("my-team/my-project/1a2b3c4d");
//! let mut writer = HistoryWriter::create(&path, Format::from_path(&path)?, options)?;
//! // Batches come from `run.scan_history().start()`; here are two of our own.
//! writer.append(&RowBatch::from_json_lines([r#"{"_step":0,"loss":0.5}"#])?)?;
//! writer.append(&RowBatch::from_json_lines([r#"{"_step":1,"loss":NaN,"note":"diverged"}"#])?)?;
//! let written = writer.finish()?;
//! assert_eq!((written.rows, written.columns), (2, 3));
//! assert!(path.exists());
//! # Ok(())
//! # }
//! ```
//!
//! # Mapping
//!
//! There is one column for each key, in the order in which keys first occur, `_step` first. Its type is the narrowest
//! that holds every value of the column without loss; what no type holds becomes JSON text, so no value is ever
//! rounded, dropped or made null. The result does not depend on how a scan was cut into batches.
//!
//! | values of the column | Arrow type |
//! |---|---|
//! | integers of 64 bits with a sign | `Int64` |
//! | integers from 0, some above `i64::MAX` | `UInt64` |
//! | floats, perhaps with integers that floats stand for exactly | `Float64`; `NaN` and infinities are kept |
//! | `true`, `false` | `Boolean` |
//! | texts | `Utf8` |
//! | lists of integers; empty lists | `List<Int64>` |
//! | lists of floats, perhaps with such integers | `List<Float64>` |
//! | nothing but `null` | `Null` |
//! | objects, other lists, larger integers, and mixtures of the above | `Utf8` with the field metadata `wandb.encoding = "json"` |
//!
//! - *Integers among floats* are common, because JSON writers print `1.0` as `1`. An integer counts as a float if it
//!   equals one, or if it has the shortest decimal digits of one (so Go prints large floats). One integer that is
//!   neither, such as 2⁵³ + 1, makes the whole column JSON text. In a list that holds a float, the integers are floats.
//! - *`_step`* is an integer even where it is written as `5.0`.
//! - *JSON text* is W&B's own form: bare `NaN`, `Infinity` and `-Infinity` (which Python's `json` reads), and strict JSON
//!   where none of them occurs. So the number stays apart from the text `"NaN"`.
//! - *Nested keys* stay inside of their object; ask the scan for `a.b` to have a column of it.
//! - *No column at all* (a run without history) is written as an empty column `_step`.
//!
//! ## Nulls
//!
//! A key that was not logged in a row and a key that was logged as `null` are both an Arrow null, in JSON columns too.
//! The difference stays reachable: the field metadata `wandb.nulls` says whether the nulls of a column are `absent`,
//! `logged`, or `both`. Only where both occur, a Boolean column without nulls follows after all others. It is named
//! `<key>.logged_null`, has the field metadata `wandb.logged_null_of = <key>`, and is true where `null` was logged.
//!
//! # Metadata
//!
//! The names are in [`metadata`]. The schema holds the path of the run when the writer was told it, each field its key.
//! In a Parquet file they are in the Arrow schema that it embeds, which pyarrow and Polars read, and the run's path is a
//! key-value pair of the file, too.

mod assemble;
mod batch;
mod collect;
mod error;
mod format;
mod kind;
mod layout;
pub mod metadata;
mod sink;
mod spill;
#[cfg(feature = "tables")]
pub mod tables;
mod writer;

pub use arrow_array;
pub use arrow_schema;
pub use batch::{to_record_batch, to_record_batches};
pub use format::Format;
pub use writer::{HistoryWriter, WriteOptions, Written};

#[cfg(test)]
mod tests;
