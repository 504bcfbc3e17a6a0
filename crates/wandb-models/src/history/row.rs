//! Rows, and the batches in which they come.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::Arc,
};

use serde::de::DeserializeOwned;
use wandb_core::{
    Error, Result, Value,
    value::{ParseValueError, Scanner, fit},
};

/// The key of the step.
pub(super) const STEP: &str = "_step";

/// The keys of a batch, each once. Rows refer to them by place, so that a key is stored once and not per row.
#[derive(Debug, Default)]
pub(super) struct KeyTable {
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, u32>,
}

impl KeyTable {
    fn place_of(&self, name: &str) -> Option<u32> {
        self.places.get(name).copied()
    }

    fn intern(&mut self, name: &str) -> u32 {
        if let Some(place) = self.place_of(name) {
            return place;
        }
        // A row is one line of at most about 10 MB, so a batch cannot hold 2^32 keys.
        let place = u32::try_from(self.names.len()).expect("a batch holds fewer than 2^32 keys");
        self.names.push(name.into());
        self.places.insert(name.into(), place);
        place
    }

    fn name(&self, place: u32) -> &str {
        &self.names[place as usize]
    }
}

#[derive(Debug, Clone)]
struct Cell {
    key: u32,
    value: Value,
}

/// One logged row: keys to values. A key that was not logged in this row is absent.
#[derive(Clone)]
pub struct HistoryRow {
    table: Arc<KeyTable>,
    cells: Box<[Cell]>,
    step: i64,
}

impl HistoryRow {
    /// The step. Rows of system metrics and of samples along another axis have none, and count from 0.
    #[must_use]
    pub fn step(&self) -> i64 {
        self.step
    }

    /// The value of a key by its exact name, `_step` included; `None` when it was not logged in this row.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let place = self.table.place_of(key)?;
        // Rows that are alike hold their keys where the table does, which spares wide rows the search.
        let cell = self.cells.get(place as usize).filter(|cell| cell.key == place);
        cell.or_else(|| self.cells.iter().find(|cell| cell.key == place))
            .map(|cell| &cell.value)
    }

    /// The value at a dotted path: the literal key first, then inside a logged object (protocol §4.5).
    #[must_use]
    pub fn get_path(&self, path: &str) -> Option<&Value> {
        self.get(path).or_else(|| {
            path.match_indices('.')
                .find_map(|(dot, _)| match self.get(&path[..dot]) {
                    Some(Value::Map(inner)) => inner.get_path(&path[dot + 1..]),
                    _ => None,
                })
        })
    }

    /// Keys and values in the order of the text that was logged.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.cells
            .iter()
            .map(|cell| (self.table.name(cell.key), &cell.value))
    }

    /// How many keys were logged in this row.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The row as a type of the caller's. `NaN` and infinities arrive as floats.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the row does not fit.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        fit(self.iter()).map_err(|error| {
            Error::invalid_input(format!("the row of step {} does not fit the type", self.step))
                .with_source(error)
        })
    }

    /// Appends the row as one strict JSON object; non-finite numbers are strings.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (place, (key, value)) in self.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            serde_json::to_writer(&mut *out, key).expect("a text can always be written to memory");
            out.push(b':');
            value.write_json(out);
        }
        out.push(b'}');
    }
}

impl fmt::Debug for HistoryRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

/// Rows of consecutive steps, in step order.
#[derive(Debug, Clone, Default)]
pub struct RowBatch {
    rows: Vec<HistoryRow>,
    keys: Arc<KeyTable>,
}

impl RowBatch {
    /// Rows out of lines as W&B keeps them: one JSON object each, with an integer `_step` and with bare `NaN`,
    /// `Infinity` and `-Infinity` allowed (protocol §4.5). For tests, and for rows that were stored.
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) when a line is no such object.
    pub fn from_json_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut builder = BatchBuilder::default();
        for line in lines {
            builder.read(line, |_, value| value)?;
        }
        Ok(builder.finish())
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[HistoryRow] {
        &self.rows
    }

    /// The rows, owned.
    #[must_use]
    pub fn into_rows(self) -> Vec<HistoryRow> {
        self.rows
    }

    /// The keys that occur, in the order in which they first do.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.names.iter().map(|name| &**name)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Collects rows into a batch.
#[derive(Debug, Default)]
pub(super) struct BatchBuilder {
    table: KeyTable,
    rows: Vec<(i64, Box<[Cell]>)>,
    /// The places of the keys of the row before: rows mostly repeat each other's keys in the same order, and a
    /// comparison is cheaper than a hash.
    last: Vec<u32>,
    /// Per key, the number of the last row that had it: a repeated key is found without a search through the row.
    seen: Vec<u32>,
    row: u32,
}

impl BatchBuilder {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Reads one logged line, which must have a step. `convert` sees each value before it is kept.
    pub(super) fn read(
        &mut self,
        text: &str,
        convert: impl Fn(&str, Value) -> Value,
    ) -> std::result::Result<(), RowError> {
        let (step, cells) = self.read_cells(text, convert)?;
        self.rows.push((step.ok_or(RowError::NoStep)?, cells));
        Ok(())
    }

    /// Reads a row that may have no step; it keeps its place.
    pub(super) fn read_in_place(
        &mut self,
        text: &str,
        convert: impl Fn(&str, Value) -> Value,
    ) -> std::result::Result<(), RowError> {
        let (_, cells) = self.read_cells(text, convert)?;
        let place = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        self.rows.push((place, cells));
        Ok(())
    }

    fn read_cells(
        &mut self,
        text: &str,
        convert: impl Fn(&str, Value) -> Value,
    ) -> std::result::Result<(Option<i64>, Box<[Cell]>), RowError> {
        let mut cells: Vec<Cell> = Vec::with_capacity(self.last.len());
        let mut step = None;
        let mut scanner = Scanner::new(text);
        let mut repeated = false;
        self.row += 1;
        scanner.object(|scanner, name| {
            let predicted = self
                .last
                .get(cells.len())
                .copied()
                .filter(|place| self.table.name(*place) == name);
            let key = match predicted {
                Some(place) => place,
                None => self.table.intern(&name),
            };
            repeated |= !is_first(&mut self.seen, self.row, key);
            let value = convert(&name, scanner.value()?);
            if name == STEP {
                step = value.as_i64();
            }
            cells.push(Cell { key, value });
            Ok(())
        })?;
        scanner.end()?;
        if repeated {
            // Of repeated keys the last value counts, as in Python.
            let mut kept: Vec<Cell> = Vec::with_capacity(cells.len());
            let mut places: HashMap<u32, usize> = HashMap::with_capacity(cells.len());
            for cell in cells {
                match places.entry(cell.key) {
                    Entry::Occupied(place) => kept[*place.get()].value = cell.value,
                    Entry::Vacant(place) => {
                        place.insert(kept.len());
                        kept.push(cell);
                    }
                }
            }
            cells = kept;
        }
        self.last.clear();
        self.last.extend(cells.iter().map(|cell| cell.key));
        Ok((step, cells.into_boxed_slice()))
    }

    /// Adds cells of one step, for rows that are joined out of several answers.
    pub(super) fn push(&mut self, step: i64, entries: impl IntoIterator<Item = (String, Value)>) {
        let mut cells: Vec<Cell> = Vec::new();
        self.row += 1;
        for (name, value) in entries {
            let key = self.table.intern(&name);
            if is_first(&mut self.seen, self.row, key) {
                cells.push(Cell { key, value });
            }
        }
        self.rows.push((step, cells.into_boxed_slice()));
    }

    /// The steps of the rows, in the order in which they came.
    pub(super) fn steps(&self) -> Vec<i64> {
        self.rows.iter().map(|(step, _)| *step).collect()
    }

    /// The batch, in step order; rows of the same step keep their order.
    pub(super) fn finish(mut self) -> RowBatch {
        if !self.rows.is_sorted_by_key(|(step, _)| *step) {
            self.rows.sort_by_key(|(step, _)| *step);
        }
        let table = Arc::new(self.table);
        let rows = self
            .rows
            .into_iter()
            .map(|(step, cells)| HistoryRow {
                table: Arc::clone(&table),
                cells,
                step,
            })
            .collect();
        RowBatch { rows, keys: table }
    }

    /// Drops rows outside of a window: a server that gives its edge twice must not make a row come twice.
    pub(super) fn keep_window(&mut self, window: super::plan::Window) {
        self.rows.retain(|(step, _)| window.contains(*step));
    }

    /// Reduces rows to `_step` and the keys, and drops rows that lack one of them (`all`) or every one. A key may be a
    /// dotted path into a logged object, as on the server.
    pub(super) fn project(&mut self, keys: &[String], all: bool) {
        let whole = std::mem::take(self).finish();
        *self = Self::with_capacity(whole.len());
        for row in whole.rows() {
            let found: Vec<(String, Value)> = keys
                .iter()
                .filter_map(|key| row.get_path(key).map(|value| (key.clone(), value.clone())))
                .collect();
            if if all {
                found.len() == keys.len()
            } else {
                !found.is_empty()
            } {
                let step = (STEP.to_owned(), Value::Int(row.step()));
                self.push(row.step(), std::iter::once(step).chain(found));
            }
        }
    }
}

/// Notes that a row has a key, and tells whether it is the first time.
fn is_first(seen: &mut Vec<u32>, row: u32, key: u32) -> bool {
    let key = key as usize;
    if seen.len() <= key {
        seen.resize(key + 1, 0);
    }
    std::mem::replace(&mut seen[key], row) != row
}

/// Why a line is no row.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    /// Not JSON.
    #[error(transparent)]
    Parse(#[from] ParseValueError),
    /// No integer `_step`.
    #[error("a history row has no integer `_step`")]
    NoStep,
}

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        Self::protocol("the server gave a history row that cannot be read").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[&str]) -> RowBatch {
        let mut builder = BatchBuilder::default();
        for line in lines {
            builder.read(line, |_, value| value).unwrap();
        }
        builder.finish()
    }

    #[test]
    fn rows_keep_what_was_logged() {
        let batch = batch(&[
            r#"{"_step":0,"loss":NaN,"d":{"x":1}}"#,
            r#"{"loss":null,"_step":2,"d.x":5}"#,
            r#"{"_step":1,"other":"NaN","loss":2,"loss":3}"#,
        ]);
        let [first, second, third] = batch.rows() else {
            panic!("three rows")
        };
        assert_eq!((first.step(), second.step(), third.step()), (0, 1, 2));
        assert!(first.get("loss").and_then(Value::as_f64).unwrap().is_nan());
        assert_eq!(second.get("loss"), Some(&Value::Int(3)));
        assert_eq!(third.get("loss"), Some(&Value::Null));
        assert_eq!(third.get("other"), None);
        assert_eq!(first.get_path("d.x"), Some(&Value::Int(1)));
        assert_eq!(third.get_path("d.x"), Some(&Value::Int(5)));
        assert_eq!(
            batch.keys().collect::<Vec<_>>(),
            ["_step", "loss", "d", "d.x", "other"]
        );
        let mut out = Vec::new();
        first.write_json(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"_step":0,"loss":"NaN","d":{"x":1}}"#
        );
    }

    #[test]
    fn a_repeated_key_counts_once_wherever_it_stands() {
        let batch = batch(&[
            r#"{"_step":0,"a":0,"b":0,"c":0}"#,
            // The second `c` stands where the row before had it.
            r#"{"_step":1,"c":1,"b":2,"c":3}"#,
            r#"{"_step":2,"_step":3,"a":1,"a":2,"b":1,"a":3}"#,
        ]);
        let lengths: Vec<usize> = batch.rows().iter().map(HistoryRow::len).collect();
        assert_eq!(lengths, [4, 3, 3], "{batch:?}");
        let value = |row: usize, key: &str| batch.rows()[row].get(key).and_then(Value::as_i64);
        assert_eq!(
            (value(1, "c"), value(1, "b"), value(1, "a")),
            (Some(3), Some(2), None)
        );
        assert_eq!(
            (batch.rows()[2].step(), value(2, "a"), value(2, "b")),
            (3, Some(3), Some(1))
        );
    }

    #[test]
    fn very_wide_rows_are_read_in_linear_time() {
        // Quadratic work on so many keys takes minutes in a debug build.
        let keys = 100_000;
        let line = |step: u32, stride: u32| {
            let entries: Vec<String> = (0..keys)
                .map(|key| format!("\"k{}\":{key}", (key * stride) % keys))
                .collect();
            format!("{{\"_step\":{step},{},\"k0\":-1}}", entries.join(","))
        };
        // 7 does not divide the number of keys, so that the second row has them all in another order.
        let batch = batch(&[&line(0, 1), &line(1, 7)]);
        for row in batch.rows() {
            assert_eq!(row.len(), keys as usize + 1);
            assert_eq!(row.get("k0"), Some(&Value::Int(-1)));
        }
        assert_eq!(batch.rows()[1].get("k7"), Some(&Value::Int(1)));
    }

    #[test]
    fn rows_fit_types() {
        #[derive(serde::Deserialize)]
        struct Logged {
            loss: f64,
            other: Option<String>,
        }
        let batch = batch(&[r#"{"_step":0,"loss":-Infinity}"#]);
        let logged: Logged = batch.rows()[0].to().unwrap();
        assert_eq!((logged.loss, logged.other), (f64::NEG_INFINITY, None));
    }

    #[test]
    fn a_line_without_a_step_is_an_error() {
        let mut builder = BatchBuilder::default();
        assert!(builder.read(r#"{"loss":1}"#, |_, value| value).is_err());
        assert!(builder.read(r#"{"_step":"x"}"#, |_, value| value).is_err());
        assert!(builder.read(r#"{"_step":1"#, |_, value| value).is_err());
        assert!(builder.read("[1]", |_, value| value).is_err());
    }
}
