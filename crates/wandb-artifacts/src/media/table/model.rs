//! The table: its columns, and its rows in one segment for each file that they came from.

use std::{collections::HashMap, ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use wandb_core::Value;

use super::{ColumnType, Row, StoredArray, TableReference, document::Document};
use crate::media::{ArrayError, Context, Media, MediaError, MediaFile, NdArray, array::read_npz, object};

/// `wandb.Table`.
///
/// It keeps the text of its file; rows and cells are read out of it when they are asked for, so that a table takes about
/// the size of its file in memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Table {
    context: Context,
    columns: Arc<[Column]>,
    segments: Arc<[Segment]>,
    /// The first row of each segment.
    starts: Arc<[usize]>,
    rows: usize,
    log_mode: LogMode,
    increments: Arc<[Increment]>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    name: String,
    column_type: Option<ColumnType>,
}

impl Column {
    /// Its name. Official tables may have integers here; these are their digits.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type. Older files, and the files of runs, have none.
    #[must_use]
    pub fn column_type(&self) -> Option<&ColumnType> {
        self.column_type.as_ref()
    }
}

/// What happens when the table is logged again after it was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogMode {
    /// Nothing: it is logged once. Files that do not say are of this mode.
    Immutable,
    /// It is logged as a whole.
    Mutable,
    /// Only what is new is logged, as a file of its own.
    Incremental,
    /// A mode that is not known here.
    Other(String),
}

/// One file of a table that was logged in increments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Increment {
    /// The entry.
    pub path: String,
    /// Which one it is, from 0.
    pub number: u64,
    /// Its rows in the table.
    pub rows: Range<usize>,
}

/// Rows that came from one file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) context: Context,
    pub(super) text: String,
    pub(super) rows: Vec<usize>,
    pub(super) columns: Vec<SegmentColumn>,
}

/// How the cells of a column are to be read in one segment.
#[derive(Debug)]
pub(super) struct SegmentColumn {
    pub(super) timestamp: bool,
    pub(super) array: Option<ArrayCells>,
}

/// The arrays of a column in one segment.
#[derive(Debug)]
pub(super) enum ArrayCells {
    Read(NdArray),
    Stored(StoredArray),
}

/// A file of a table, with its column types.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) context: Context,
    pub(super) document: Document,
    pub(super) types: Vec<Option<ColumnType>>,
}

impl Part {
    pub(super) fn new(context: Context, document: Document) -> Result<Self, MediaError> {
        let mut types = vec![None; document.columns.len()];
        if let Some(value) = &document.column_types {
            let whole = ColumnType::parse(context.path(), "column_types", value)?;
            let ColumnType::Dictionary(members) = whole else {
                return Err(MediaError::shape(
                    context.path(),
                    "column_types is no dictionary of types",
                ));
            };
            let members: HashMap<String, ColumnType> = members.into_iter().collect();
            for (column, name) in types.iter_mut().zip(&document.columns) {
                // Columns of the same name share their type.
                *column = members.get(name).cloned();
            }
        }
        Ok(Self {
            context,
            document,
            types,
        })
    }
}

impl Table {
    /// Joins files of the same columns, in their order. The types of the columns are those of the last file, which saw
    /// the most.
    pub(super) async fn assemble(context: &Context, parts: Vec<Part>) -> Result<Self, MediaError> {
        let Some(last) = parts.last() else {
            return Err(MediaError::shape(context.path(), "the table has no parts"));
        };
        let names = last.document.columns.clone();
        let columns = names
            .iter()
            .zip(&last.types)
            .map(|(name, column_type)| Column {
                name: name.clone(),
                column_type: column_type.clone(),
            })
            .collect();
        let log_mode = match last.document.log_mode.as_deref() {
            None | Some("IMMUTABLE") => LogMode::Immutable,
            Some("MUTABLE") => LogMode::Mutable,
            Some("INCREMENTAL") => LogMode::Incremental,
            Some(other) => LogMode::Other(other.to_owned()),
        };
        let mut budget = context.options().array_bytes;
        let (mut segments, mut starts, mut increments, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for part in parts {
            if part.document.columns != names {
                let differs = part
                    .document
                    .columns
                    .iter()
                    .zip(&names)
                    .position(|(this, other)| this != other);
                return Err(MediaError::shape(
                    part.context.path(),
                    match differs {
                        Some(place) => format!("columns[{place}] has another name than in the other parts"),
                        None => format!(
                            "there are {} columns, in the other parts {}",
                            part.document.columns.len(),
                            names.len()
                        ),
                    },
                ));
            }
            let there = part.document.rows.len();
            if let Some(number) = part.document.increment {
                increments.push(Increment {
                    path: part.context.path().to_owned(),
                    number,
                    rows: rows..rows + there,
                });
            }
            starts.push(rows);
            rows += there;
            segments.push(Segment::read(part, &names, &mut budget).await?);
        }
        Ok(Self {
            context: context.clone(),
            columns,
            segments: segments.into(),
            starts: starts.into(),
            rows,
            log_mode,
            increments: increments.into(),
        })
    }

    /// The entry that the table was read from.
    #[must_use]
    pub fn path(&self) -> &str {
        self.context.path()
    }

    /// The columns, in their order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The place of a column by its name.
    #[must_use]
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How it was logged.
    #[must_use]
    pub fn log_mode(&self) -> &LogMode {
        &self.log_mode
    }

    /// The increments it was logged in, in their order; none for other tables.
    #[must_use]
    pub fn increments(&self) -> &[Increment] {
        &self.increments
    }

    /// The numbers of increments that are not there although later ones are. With some, the table is a part of what was
    /// logged.
    #[must_use]
    pub fn missing_increments(&self) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut next = 0;
        for increment in self.increments.iter() {
            if increment.number > next {
                missing.push(next..increment.number);
            }
            next = next.max(increment.number.saturating_add(1));
        }
        missing
    }

    /// A row by its number, from 0.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        if index >= self.rows {
            return None;
        }
        // The last segment that starts at or before the row; empty ones share their start with the next.
        let place = self.starts.partition_point(|start| *start <= index) - 1;
        Some(Row {
            table: self,
            segment: &self.segments[place],
            index,
            local: index - self.starts[place],
        })
    }

    /// All rows, in their order, without a copy.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows {
            table: self,
            next: 0..self.rows,
        }
    }

    /// All rows as a type of the caller's, whose members are the columns, see [`Cell::to_value`](super::Cell::to_value).
    pub fn rows_as<T: DeserializeOwned>(&self) -> impl Iterator<Item = Result<T, MediaError>> + '_ {
        self.rows().map(|row| row.to())
    }

    /// The table that a foreign key or a foreign index refers to.
    #[must_use]
    pub fn foreign_table(&self, column: &str) -> Option<TableReference> {
        let column = &self.columns[self.column_index(column)?];
        column
            .column_type
            .as_ref()?
            .alternatives()
            .find_map(|allowed| match allowed {
                ColumnType::ForeignKey { table, .. } | ColumnType::ForeignIndex { table } => {
                    Some(TableReference::new(MediaFile::at(&self.context, table)))
                }
                _ => None,
            })
    }

    /// Media inside of a list or an object of a cell, by its object.
    ///
    /// # Errors
    /// When the object is not what its type promises.
    pub fn media(&self, object: &Value) -> Result<Media, MediaError> {
        object::parse(&self.context, None, object)
    }
}

impl Segment {
    async fn read(part: Part, names: &[String], budget: &mut u64) -> Result<Self, MediaError> {
        let mut columns = Vec::with_capacity(names.len());
        for (name, column_type) in names.iter().zip(&part.types) {
            let array = match column_type.as_ref().and_then(ColumnType::stored_array) {
                None => None,
                Some(stored) if !part.context.options().arrays => Some(ArrayCells::Stored(stored.clone())),
                Some(stored) => {
                    let array = read_array(&part, name, stored, *budget).await?;
                    *budget = budget.saturating_sub(array.bytes() as u64);
                    Some(ArrayCells::Read(array))
                }
            };
            columns.push(SegmentColumn {
                timestamp: column_type.as_ref().is_some_and(ColumnType::is_timestamp),
                array,
            });
        }
        Ok(Self {
            context: part.context,
            text: part.document.text,
            rows: part.document.rows,
            columns,
        })
    }
}

async fn read_array(
    part: &Part,
    column: &str,
    stored: &StoredArray,
    limit: u64,
) -> Result<NdArray, MediaError> {
    let archive = part.context.fetch(&stored.path, "bytes of arrays", limit).await?;
    let expected = part.document.rows.len();
    let array = read_npz(&archive, &stored.key, limit).and_then(|array| {
        let found = array.shape().first().copied().unwrap_or(0);
        if found == expected {
            Ok(array)
        } else {
            Err(ArrayError::Rows { found, expected })
        }
    });
    array.map_err(|source| MediaError::Array {
        path: part.context.path().to_owned(),
        column: column.to_owned(),
        source,
    })
}

/// The rows of a table.
#[derive(Debug, Clone)]
pub struct Rows<'t> {
    table: &'t Table,
    next: Range<usize>,
}

impl<'t> Iterator for Rows<'t> {
    type Item = Row<'t>;

    fn next(&mut self) -> Option<Row<'t>> {
        self.table.row(self.next.next()?)
    }

    fn nth(&mut self, count: usize) -> Option<Row<'t>> {
        self.table.row(self.next.nth(count)?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.next.size_hint()
    }
}

impl ExactSizeIterator for Rows<'_> {}

impl<'t> IntoIterator for &'t Table {
    type Item = Row<'t>;
    type IntoIter = Rows<'t>;

    fn into_iter(self) -> Rows<'t> {
        self.rows()
    }
}
