//! From rows to columns: every value goes into an array of its own kind, so that nothing is decided too early.
//!
//! A column of a [`Chunk`] has one array for each kind of value that occurred in it, and every row has a value in at
//! most one of them. Nearly always there is one array, and it is the column of the result as it stands.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef,
    builder::{
        ArrayBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, UInt64Builder,
    },
};
use wandb_core::Value;
use wandb_models::HistoryRow;

use crate::kind::{Facts, Kind};

/// The key of the step.
pub(crate) const STEP: &str = "_step";

/// The values of one kind of a column.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// As long as the chunk; null where the row has no value of this kind.
    pub(crate) array: ArrayRef,
}

/// Rows as columns, not yet of their final types.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) rows: usize,
    /// The parts of the columns that occur, by the column's place in the [`Collector`], ascending.
    pub(crate) columns: Vec<(usize, Vec<Part>)>,
}

impl Chunk {
    /// Some of the rows, without a copy.
    pub(crate) fn slice(&self, offset: usize, rows: usize) -> Self {
        let slice = |part: &Part| Part {
            kind: part.kind,
            array: part.array.slice(offset, rows),
        };
        Self {
            rows,
            columns: self
                .columns
                .iter()
                .map(|(place, parts)| (*place, parts.iter().map(slice).collect()))
                .collect(),
        }
    }
}

/// One column while rows arrive.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) key: Box<str>,
    pub(crate) facts: Facts,
    parts: PartBuilders,
}

/// Collects rows into chunks and remembers what it saw of each column.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    columns: Vec<Column>,
    places: HashMap<Box<str>, usize>,
    /// The columns of the row before: rows mostly repeat each other's keys in the same order.
    last: Vec<usize>,
    /// Rows since the last chunk was taken.
    rows: usize,
    /// About how many bytes their values take.
    bytes: usize,
    /// Rows in all.
    total: u64,
    previous_step: Option<i64>,
    unsorted: bool,
}

impl Collector {
    /// Adds one row.
    pub(crate) fn push(&mut self, row: &HistoryRow) {
        let mut step = None;
        for (nth, (key, value)) in row.iter().enumerate() {
            let place = match self.last.get(nth) {
                Some(place) if *self.columns[*place].key == *key => *place,
                _ => self.place_of(key),
            };
            if nth < self.last.len() {
                self.last[nth] = place;
            } else {
                self.last.push(place);
            }
            let column = &mut self.columns[place];
            if *column.key == *STEP {
                step = value.as_i64();
                // A step is a whole number, however it is written.
                let whole = step.map(Value::Int);
                self.bytes += column.push(self.rows, whole.as_ref().unwrap_or(value));
            } else {
                self.bytes += column.push(self.rows, value);
            }
        }
        self.unsorted |= match (step, self.previous_step) {
            (Some(step), Some(previous)) => step < previous,
            (Some(_), None) => self.total > 0,
            (None, _) => true,
        };
        self.previous_step = step;
        self.rows += 1;
        self.total += 1;
    }

    fn place_of(&mut self, key: &str) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.columns.len();
        self.columns.push(Column::new(key));
        self.places.insert(key.into(), place);
        place
    }

    /// Takes what was collected since the last time.
    pub(crate) fn take_chunk(&mut self) -> Chunk {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let columns = self
            .columns
            .iter_mut()
            .enumerate()
            .map(|(place, column)| (place, column.parts.take(rows)))
            .filter(|(_, parts)| !parts.is_empty())
            .collect();
        Chunk { rows, columns }
    }

    /// Every column that occurred, in the order of the first occurrence.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Rows that no chunk was taken of.
    pub(crate) fn buffered_rows(&self) -> usize {
        self.rows
    }

    /// About how many bytes these rows take.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.bytes
    }

    /// Rows in all.
    pub(crate) fn total_rows(&self) -> u64 {
        self.total
    }

    /// Whether every row has a step, and none is smaller than the one before.
    pub(crate) fn is_sorted(&self) -> bool {
        !self.unsorted
    }
}

impl Column {
    /// A column before its first row.
    fn new(key: &str) -> Self {
        Self {
            key: key.into(),
            facts: Facts::default(),
            parts: PartBuilders::default(),
        }
    }

    /// Adds the value of a row, and tells about how many bytes it takes.
    fn push(&mut self, row: usize, value: &Value) -> usize {
        let kind = self.facts.observe(value);
        self.parts.push(kind, row, value)
    }
}

/// The arrays of one column while rows arrive, one for each kind of value.
#[derive(Debug, Default)]
pub(crate) struct PartBuilders(Vec<PartBuilder>);

impl PartBuilders {
    /// Adds the value of a row, which is of the kind, and tells about how many bytes it takes. Rows come in order and may
    /// be left out.
    pub(crate) fn push(&mut self, kind: Kind, row: usize, value: &Value) -> usize {
        let place = match self.0.iter().position(|part| part.kind() == kind) {
            Some(place) => place,
            None => {
                self.0.push(PartBuilder::new(kind));
                self.0.len() - 1
            }
        };
        self.0[place].push(row, value)
    }

    /// Takes the arrays, each of so many rows.
    pub(crate) fn take(&mut self, rows: usize) -> Vec<Part> {
        self.0.drain(..).map(|part| part.finish(rows)).collect()
    }
}

/// Builds the array of one kind of a column.
#[derive(Debug)]
enum PartBuilder {
    Null(BooleanBuilder),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    UInt(UInt64Builder),
    Float(Float64Builder),
    /// [`Kind::Text`], [`Kind::BigInt`] or [`Kind::Json`].
    Text(Kind, StringBuilder),
    IntList(ListBuilder<Int64Builder>),
    FloatList(ListBuilder<Float64Builder>),
}

/// Runs the same code on the builder of whichever kind.
macro_rules! with_builder {
    ($part:expr, $builder:ident => $code:expr) => {
        match $part {
            PartBuilder::Null($builder) | PartBuilder::Bool($builder) => $code,
            PartBuilder::Int($builder) => $code,
            PartBuilder::UInt($builder) => $code,
            PartBuilder::Float($builder) => $code,
            PartBuilder::Text(_, $builder) => $code,
            PartBuilder::IntList($builder) => $code,
            PartBuilder::FloatList($builder) => $code,
        }
    };
}

impl PartBuilder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Null => Self::Null(BooleanBuilder::new()),
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Int => Self::Int(Int64Builder::new()),
            Kind::UInt => Self::UInt(UInt64Builder::new()),
            Kind::Float => Self::Float(Float64Builder::new()),
            Kind::Text | Kind::BigInt | Kind::Json => Self::Text(kind, StringBuilder::new()),
            Kind::IntList => Self::IntList(ListBuilder::new(Int64Builder::new())),
            Kind::FloatList => Self::FloatList(ListBuilder::new(Float64Builder::new())),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Null(_) => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::UInt(_) => Kind::UInt,
            Self::Float(_) => Kind::Float,
            Self::Text(kind, _) => *kind,
            Self::IntList(_) => Kind::IntList,
            Self::FloatList(_) => Kind::FloatList,
        }
    }

    /// Rows without a value of this kind are filled up only when the next value comes.
    fn pad(&mut self, rows: usize) {
        with_builder!(self, builder => {
            let missing = rows.saturating_sub(builder.len());
            if missing > 0 {
                builder.append_nulls(missing);
            }
        });
    }

    fn push(&mut self, row: usize, value: &Value) -> usize {
        self.pad(row);
        match (self, value) {
            (Self::Null(builder), _) => builder.append_value(true),
            (Self::Bool(builder), Value::Bool(truth)) => builder.append_value(*truth),
            (Self::Int(builder), Value::Int(number)) => builder.append_value(*number),
            (Self::UInt(builder), Value::UInt(number)) => builder.append_value(*number),
            (Self::Float(builder), Value::Float(number)) => builder.append_value(*number),
            (Self::Text(Kind::Text, builder), Value::String(text)) => {
                builder.append_value(text);
                return text.len() + 8;
            }
            (Self::Text(_, builder), value) => {
                // W&B's own form keeps NaN apart from the text "NaN".
                let text = value.to_wire();
                builder.append_value(&text);
                return text.len() + 8;
            }
            (Self::IntList(builder), Value::List(items)) => {
                builder.append_value(items.iter().map(Value::as_i64));
                return items.len() * 8 + 8;
            }
            (Self::FloatList(builder), Value::List(items)) => {
                builder.append_value(items.iter().map(Value::as_f64));
                return items.len() * 8 + 8;
            }
            // The kind was taken from this value, so the pairs above are all there are.
            (other, _) => with_builder!(other, builder => builder.append_nulls(1)),
        }
        8
    }

    fn finish(mut self, rows: usize) -> Part {
        self.pad(rows);
        let kind = self.kind();
        let array: ArrayRef = with_builder!(&mut self, builder => Arc::new(builder.finish()));
        Part { kind, array }
    }
}
