//! Rows and cells, read out of the text of the table when they are asked for.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use wandb_core::{
    Value,
    timestamp::Timestamp,
    value::{Scanner, fit},
};

use super::{
    StoredArray, Table,
    model::{ArrayCells, Segment},
};
use crate::media::{ArrayView, Context, Media, MediaError, object};

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Row<'t> {
    pub(super) table: &'t Table,
    pub(super) segment: &'t Segment,
    /// In the table.
    pub(super) index: usize,
    /// In the segment.
    pub(super) local: usize,
}

/// What one cell holds. Texts are borrowed from the table unless they had escapes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Cell<'t> {
    /// `null`. Official: a `NaN` that Python saw as a missing value is written as `null`, too.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number: [`Value::Int`], [`Value::UInt`], [`Value::BigInt`] or [`Value::Float`], not finite ones included.
    Number(Value),
    /// A text.
    Text(Cow<'t, str>),
    /// A point in time: a number in a column of timestamps.
    Time(Timestamp),
    /// A list or an object.
    Json(Json<'t>),
    /// Media.
    Media(MediaCell<'t>),
    /// A NumPy array.
    Array(ArrayView<'t>),
    /// A NumPy array that was not read, see [`ReadOptions::arrays`](crate::media::ReadOptions::arrays).
    StoredArray(&'t StoredArray),
}

/// A list or an object in a cell, as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'t>(&'t str);

impl<'t> Json<'t> {
    /// The JSON text, in W&B's form: `NaN` and infinities can occur.
    #[must_use]
    pub fn as_str(&self) -> &'t str {
        self.0
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Value {
        value_of(self.0)
    }
}

/// Media in a cell. Nothing is fetched before the media is asked for its bytes.
#[derive(Debug, Clone)]
pub struct MediaCell<'t> {
    kind: Cow<'t, str>,
    json: &'t str,
    context: &'t Context,
}

impl<'t> MediaCell<'t> {
    /// Its type: `image-file`, `audio-file`, ….
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The object as JSON text.
    #[must_use]
    pub fn json(&self) -> &'t str {
        self.json
    }

    /// The media that the cell describes.
    ///
    /// # Errors
    /// When the object is not what its type promises.
    pub fn media(&self) -> Result<Media, MediaError> {
        object::parse(self.context, Some(&self.kind), &value_of(self.json))
    }
}

/// Reads a text that was scanned already.
fn value_of(json: &str) -> Value {
    Value::parse(json).unwrap_or(Value::Null)
}

impl<'t> Row<'t> {
    /// Its number in the table, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The cells, in the order of the columns.
    #[must_use]
    pub fn cells(&self) -> Cells<'t> {
        Cells {
            row: *self,
            column: 0,
            // Behind the opening bracket.
            at: self.segment.rows[self.local] + 1,
        }
    }

    /// The cell of a column by its place.
    #[must_use]
    pub fn cell(&self, column: usize) -> Option<Cell<'t>> {
        let mut cells = self.cells();
        for _ in 0..column {
            cells.skip_cell()?;
        }
        cells.next()
    }

    /// The cell of a column by its name.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<Cell<'t>> {
        self.cell(self.table.column_index(column)?)
    }

    /// The cells as JSON values, see [`Cell::to_value`].
    #[must_use]
    pub fn to_values(&self) -> Vec<Value> {
        self.cells().map(|cell| cell.to_value()).collect()
    }

    /// The row as a type of the caller's, whose members are the columns, see [`Cell::to_value`].
    ///
    /// # Errors
    /// When the row does not have the type's shape.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, MediaError> {
        let values = self.to_values();
        let names = self.table.columns().iter().map(super::Column::name);
        fit(names.zip(&values)).map_err(|source| MediaError::Row {
            path: self.table.path().to_owned(),
            row: self.index,
            source,
        })
    }
}

impl Cell<'_> {
    /// The cell as a JSON value: times as RFC 3339 texts, arrays as nested lists, media as its object, an array that was
    /// not read as `null`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::StoredArray(_) => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => number.clone(),
            Self::Text(text) => Value::from(&**text),
            Self::Time(time) => Value::String(time.to_string()),
            Self::Json(json) => json.value(),
            Self::Media(media) => value_of(media.json),
            Self::Array(array) => array.to_value(),
        }
    }

    /// The number as a float. Integers beyond 2⁵³ are rounded.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The number as an integer, if it is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// The cells of a row.
#[derive(Debug, Clone)]
pub struct Cells<'t> {
    row: Row<'t>,
    column: usize,
    /// Where the next cell begins in the text of the segment; blanks may come first.
    at: usize,
}

impl<'t> Cells<'t> {
    /// Steps over a cell and gives its text.
    fn raw(&mut self) -> Option<(&'t str, Option<Cow<'t, str>>)> {
        let segment = self.row.segment;
        if self.column >= segment.columns.len() {
            return None;
        }
        let text = segment.text.get(self.at..)?;
        let mut scanner = Scanner::new(text);
        // The text was scanned when the table was read, so that nothing here fails.
        let (json, string) = if scanner.peek() == Some(b'"') {
            ("", Some(scanner.string().ok()?))
        } else {
            (scanner.skip().ok()?, None)
        };
        // A comma or the end of the row.
        scanner.peek();
        self.at += scanner.offset() + 1;
        self.column += 1;
        Some((json, string))
    }

    fn skip_cell(&mut self) -> Option<()> {
        self.raw().map(|_| ())
    }
}

impl<'t> Iterator for Cells<'t> {
    type Item = Cell<'t>;

    fn next(&mut self) -> Option<Cell<'t>> {
        let column = self.row.segment.columns.get(self.column)?;
        let (json, string) = self.raw()?;
        Some(match &column.array {
            Some(ArrayCells::Stored(stored)) => Cell::StoredArray(stored),
            Some(ArrayCells::Read(array)) => array.row(self.row.local).map_or(Cell::Null, Cell::Array),
            None => match string {
                Some(text) => Cell::Text(text),
                None => cell(json, column.timestamp, &self.row.segment.context),
            },
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.row.segment.columns.len() - self.column;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Cells<'_> {}

/// A cell that is no text.
fn cell<'t>(json: &'t str, timestamp: bool, context: &'t Context) -> Cell<'t> {
    match json.as_bytes().first() {
        Some(b'{') => match type_of(json).filter(|kind| object::is_known(kind)) {
            Some(kind) => Cell::Media(MediaCell { kind, json, context }),
            None => Cell::Json(Json(json)),
        },
        Some(b'[') => Cell::Json(Json(json)),
        Some(b't') => Cell::Bool(true),
        Some(b'f') => Cell::Bool(false),
        Some(b'n') => Cell::Null,
        _ => {
            let number = value_of(json);
            match time_of(&number).filter(|_| timestamp) {
                Some(time) => Cell::Time(time),
                None => Cell::Number(number),
            }
        }
    }
}

/// Milliseconds since 1970; what is no time between the years -9999 and 9999 stays a number.
fn time_of(number: &Value) -> Option<Timestamp> {
    match number {
        Value::Int(milliseconds) => Timestamp::from_unix_microseconds(milliseconds.checked_mul(1000)?),
        Value::Float(milliseconds) => Timestamp::from_unix_seconds(milliseconds / 1000.0),
        _ => None,
    }
}

/// The `_type` of an object.
fn type_of(json: &str) -> Option<Cow<'_, str>> {
    let mut kind = None;
    let mut scanner = Scanner::new(json);
    scanner
        .object(|scanner, key| {
            if key == "_type" && scanner.peek() == Some(b'"') {
                kind = Some(scanner.string()?);
                Ok(())
            } else {
                scanner.skip().map(|_| ())
            }
        })
        .ok()?;
    kind
}
