//! Tables.
//!
//! | file | holds |
//! |---|---|
//! | `document` | one table file, parsed once: where its rows are |
//! | `column` | column types (`column_types`) |
//! | `cell` | rows and cells, read out of the text when asked for |
//! | `model` | the table: columns and segments of rows |
//! | `increments` | tables that were logged in increments |
//! | `composed` | partitioned and joined tables, references to tables, table files of runs |

mod cell;
mod column;
mod composed;
mod document;
mod increments;
mod model;

pub use cell::{Cell, Cells, Json, MediaCell, Row};
pub use column::{ColumnType, StoredArray};
pub use composed::{AnyTable, JoinKey, JoinedTable, PartitionedTable, TableFile, TableReference};
pub(super) use increments::read_table;
pub use model::{Column, Increment, LogMode, Rows, Table};

#[cfg(test)]
mod tests;
