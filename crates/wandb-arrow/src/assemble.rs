//! The final array of a column out of the arrays of its kinds.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Float64Array, Int64Array, ListArray, NullArray,
    PrimitiveArray, StringArray, UInt64Array,
    builder::{BooleanBuilder, Float64Builder, ListBuilder, StringBuilder, UInt64Builder},
    cast::AsArray,
    new_null_array,
    types::{Float64Type, Int64Type, UInt64Type},
};
use wandb_core::Value;

use crate::{
    collect::Part,
    kind::{ColumnType, Kind},
};

/// The parts of one column, each under its kind. Empty for a column that does not occur in the chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    rows: usize,
    parts: &'a [Part],
}

impl<'a> Parts<'a> {
    pub(crate) fn new(rows: usize, parts: &'a [Part]) -> Self {
        Self { rows, parts }
    }

    fn of(self, kind: Kind) -> Option<&'a ArrayRef> {
        self.parts
            .iter()
            .find(|part| part.kind == kind)
            .map(|part| &part.array)
    }

    fn bools(self, kind: Kind) -> Option<&'a BooleanArray> {
        self.of(kind).and_then(|array| array.as_boolean_opt())
    }

    fn numbers<T: ArrowPrimitiveType>(self, kind: Kind) -> Option<&'a PrimitiveArray<T>> {
        self.of(kind).and_then(|array| array.as_primitive_opt())
    }

    fn texts(self, kind: Kind) -> Option<&'a StringArray> {
        self.of(kind).and_then(|array| array.as_string_opt())
    }

    fn lists(self, kind: Kind) -> Option<&'a ListArray> {
        self.of(kind).and_then(|array| array.as_list_opt())
    }

    /// The part that is the whole column, when there is one and it has the type already.
    fn whole(self, kind: Kind, column: ColumnType) -> ArrayRef {
        self.of(kind)
            .cloned()
            .unwrap_or_else(|| new_null_array(&column.arrow(), self.rows))
    }

    /// The column as its final type. The type must hold every kind that occurs, see
    /// [`Facts::column_type`](crate::kind::Facts::column_type).
    pub(crate) fn assemble(self, column: ColumnType) -> ArrayRef {
        match column {
            ColumnType::Null => Arc::new(NullArray::new(self.rows)),
            ColumnType::Boolean => self.whole(Kind::Bool, column),
            ColumnType::Int64 => self.whole(Kind::Int, column),
            ColumnType::Utf8 => self.whole(Kind::Text, column),
            ColumnType::Int64List => self.whole(Kind::IntList, column),
            ColumnType::UInt64 => match self.of(Kind::Int) {
                Some(_) => self.uints(),
                None => self.whole(Kind::UInt, column),
            },
            ColumnType::Float64 => {
                if [Kind::Int, Kind::UInt, Kind::BigInt]
                    .iter()
                    .any(|kind| self.of(*kind).is_some())
                {
                    self.floats()
                } else {
                    self.whole(Kind::Float, column)
                }
            }
            ColumnType::Float64List => match self.of(Kind::IntList) {
                Some(_) => self.float_lists(),
                None => self.whole(Kind::FloatList, column),
            },
            ColumnType::Json => self.json(),
        }
    }

    /// Where `null` was logged, as a column without nulls.
    pub(crate) fn logged_nulls(self) -> ArrayRef {
        let logged = self.bools(Kind::Null);
        let mut builder = BooleanBuilder::with_capacity(self.rows);
        for row in 0..self.rows {
            builder.append_value(logged.is_some_and(|logged| logged.is_valid(row)));
        }
        Arc::new(builder.finish())
    }

    fn uints(self) -> ArrayRef {
        let ints: Option<&Int64Array> = self.numbers::<Int64Type>(Kind::Int);
        let uints: Option<&UInt64Array> = self.numbers::<UInt64Type>(Kind::UInt);
        let mut builder = UInt64Builder::with_capacity(self.rows);
        for row in 0..self.rows {
            builder.append_option(
                number(ints, row)
                    .map(i64::cast_unsigned)
                    .or_else(|| number(uints, row)),
            );
        }
        Arc::new(builder.finish())
    }

    fn floats(self) -> ArrayRef {
        let floats: Option<&Float64Array> = self.numbers::<Float64Type>(Kind::Float);
        let ints: Option<&Int64Array> = self.numbers::<Int64Type>(Kind::Int);
        let uints: Option<&UInt64Array> = self.numbers::<UInt64Type>(Kind::UInt);
        let digits = self.texts(Kind::BigInt);
        let mut builder = Float64Builder::with_capacity(self.rows);
        for row in 0..self.rows {
            builder.append_option(
                number(floats, row)
                    .or_else(|| number(ints, row).map(|number| number as f64))
                    .or_else(|| number(uints, row).map(|number| number as f64))
                    .or_else(|| text(digits, row).and_then(|digits| digits.parse().ok())),
            );
        }
        Arc::new(builder.finish())
    }

    fn float_lists(self) -> ArrayRef {
        let (ints, floats) = (self.lists(Kind::IntList), self.lists(Kind::FloatList));
        let mut builder = ListBuilder::new(Float64Builder::new());
        for row in 0..self.rows {
            if let Some(items) = list::<Int64Type>(ints, row) {
                builder.append_value(items.iter().map(|item| item.map(|number| number as f64)));
            } else if let Some(items) = list::<Float64Type>(floats, row) {
                builder.append_value(items.iter());
            } else {
                builder.append(false);
            }
        }
        Arc::new(builder.finish())
    }

    fn json(self) -> ArrayRef {
        let mut builder = StringBuilder::new();
        for row in 0..self.rows {
            builder.append_option(self.json_at(row));
        }
        Arc::new(builder.finish())
    }

    /// The JSON text of a row, in W&B's form. A logged `null` is an Arrow null here too.
    fn json_at(self, row: usize) -> Option<String> {
        self.parts
            .iter()
            .filter(|part| part.kind != Kind::Null && part.array.is_valid(row))
            .find_map(|part| {
                let array = &part.array;
                let value = match part.kind {
                    Kind::Null => return None,
                    Kind::Json | Kind::BigInt => return text(array.as_string_opt(), row).map(str::to_owned),
                    Kind::Bool => Value::Bool(array.as_boolean_opt()?.value(row)),
                    Kind::Int => Value::Int(number(array.as_primitive_opt::<Int64Type>(), row)?),
                    Kind::UInt => Value::UInt(number(array.as_primitive_opt::<UInt64Type>(), row)?),
                    Kind::Float => Value::Float(number(array.as_primitive_opt::<Float64Type>(), row)?),
                    Kind::Text => Value::from(text(array.as_string_opt(), row)?),
                    Kind::IntList => list_value(&list::<Int64Type>(array.as_list_opt(), row)?, Value::Int),
                    Kind::FloatList => {
                        list_value(&list::<Float64Type>(array.as_list_opt(), row)?, Value::Float)
                    }
                };
                Some(value.to_wire())
            })
    }
}

fn number<T: ArrowPrimitiveType>(array: Option<&PrimitiveArray<T>>, row: usize) -> Option<T::Native> {
    array
        .filter(|array| array.is_valid(row))
        .map(|array| array.value(row))
}

fn text(array: Option<&StringArray>, row: usize) -> Option<&str> {
    array
        .filter(|array| array.is_valid(row))
        .map(|array| array.value(row))
}

fn list<T: ArrowPrimitiveType>(array: Option<&ListArray>, row: usize) -> Option<PrimitiveArray<T>> {
    array
        .filter(|array| array.is_valid(row))
        .and_then(|array| array.value(row).as_primitive_opt().cloned())
}

fn list_value<T: ArrowPrimitiveType>(items: &PrimitiveArray<T>, wrap: impl Fn(T::Native) -> Value) -> Value {
    Value::List(items.iter().map(|item| item.map_or(Value::Null, &wrap)).collect())
}
