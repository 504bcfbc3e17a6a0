//! The Arrow type of each column, decided over all rows.

use std::{collections::HashMap, sync::Arc};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use wandb_artifacts::media::{Cell, Column, ColumnType, Table};

use super::arrays;
use crate::{
    kind::{ColumnType as ValueType, Facts},
    metadata,
};

/// How a column of the result is made.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    /// By the rules of histories.
    Values(ValueType),
    /// Points in time; whether they are counted in microseconds.
    Times { fine: bool },
    /// NumPy arrays of this type.
    Arrays(DataType),
    /// Nothing but nulls, under this type.
    Nulls(DataType),
}

/// What was seen of a column.
#[derive(Debug, Default)]
struct Seen {
    facts: Facts,
    times: u64,
    fine: bool,
    /// The type of the arrays, or nothing once two of them differ.
    arrays: Option<Option<DataType>>,
    stored: bool,
}

impl Seen {
    fn observe(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Array(array) => {
                let this = arrays::data_type(array);
                self.arrays = Some(match self.arrays.take() {
                    None => this,
                    Some(known) if known == this => known,
                    Some(_) => None,
                });
            }
            Cell::StoredArray(_) => self.stored = true,
            Cell::Time(time) => {
                self.times += 1;
                self.fine |= time.unix_microseconds() % 1000 != 0;
            }
            other => {
                self.facts.observe(&other.to_value());
            }
        }
    }

    fn plan(&self, declared: Option<&ColumnType>) -> Plan {
        match &self.arrays {
            Some(Some(data_type)) if self.facts.values == 0 && self.times == 0 => {
                return Plan::Arrays(data_type.clone());
            }
            Some(_) => return Plan::Values(ValueType::Json),
            None => {}
        }
        if self.stored {
            return Plan::Nulls(DataType::Null);
        }
        match (self.times, self.facts.values) {
            (0, 0) => Plan::Nulls(declared.map_or(DataType::Null, of_nulls)),
            (0, _) => Plan::Values(self.facts.column_type()),
            (_, 0) => Plan::Times { fine: self.fine },
            _ => Plan::Values(ValueType::Json),
        }
    }
}

/// The type of a column without values.
fn of_nulls(declared: &ColumnType) -> DataType {
    let mut types = declared
        .alternatives()
        .filter(|allowed| **allowed != ColumnType::None);
    match (types.next(), types.next()) {
        (Some(ColumnType::String), None) => DataType::Utf8,
        (Some(ColumnType::Number), None) => DataType::Float64,
        (Some(ColumnType::Boolean), None) => DataType::Boolean,
        (Some(ColumnType::Timestamp), None) => time_type(false),
        _ => DataType::Null,
    }
}

fn time_type(fine: bool) -> DataType {
    let unit = if fine {
        TimeUnit::Microsecond
    } else {
        TimeUnit::Millisecond
    };
    DataType::Timestamp(unit, Some("UTC".into()))
}

impl Plan {
    pub(super) fn arrow(&self) -> DataType {
        match self {
            Self::Values(values) => values.arrow(),
            Self::Times { fine } => time_type(*fine),
            Self::Arrays(data_type) | Self::Nulls(data_type) => data_type.clone(),
        }
    }
}

/// Looks at every row, and decides.
pub(super) fn plan(table: &Table) -> (Vec<Plan>, SchemaRef) {
    let mut seen: Vec<Seen> = table.columns().iter().map(|_| Seen::default()).collect();
    for row in table {
        for (cell, seen) in row.cells().zip(&mut seen) {
            seen.observe(&cell);
        }
    }
    let plans: Vec<Plan> = table
        .columns()
        .iter()
        .zip(&seen)
        .map(|(column, seen)| seen.plan(column.column_type()))
        .collect();
    let fields: Vec<Field> = table
        .columns()
        .iter()
        .zip(plans.iter().zip(&seen))
        .map(|(column, (plan, seen))| field(column, plan, seen.stored))
        .collect();
    (plans, Arc::new(Schema::new(fields)))
}

fn field(column: &Column, plan: &Plan, stored: bool) -> Field {
    let mut about = HashMap::from([(metadata::KEY.to_owned(), column.name().to_owned())]);
    if *plan == Plan::Values(ValueType::Json) {
        about.insert(metadata::ENCODING.to_owned(), metadata::JSON.to_owned());
    }
    if let Some(declared) = column.column_type() {
        let names: Vec<&str> = declared.alternatives().map(name).collect();
        about.insert(metadata::COLUMN_TYPE.to_owned(), names.join("|"));
        if let Some(array) = declared.stored_array().filter(|_| stored) {
            about.insert(metadata::STORED_ARRAY.to_owned(), array.path.clone());
        }
    }
    Field::new(column.name(), plan.arrow(), true).with_metadata(about)
}

/// The name of a type as the table writes it.
fn name(column_type: &ColumnType) -> &str {
    match column_type {
        ColumnType::None => "none",
        ColumnType::String => "string",
        ColumnType::Number => "number",
        ColumnType::Timestamp => "timestamp",
        ColumnType::Boolean => "boolean",
        ColumnType::Any => "any",
        ColumnType::Invalid => "invalid",
        ColumnType::Object { .. } => "pythonObject",
        ColumnType::Const { .. } => "const",
        ColumnType::Union(_) => "union",
        ColumnType::List { .. } => "list",
        ColumnType::Array { .. } => "ndarray",
        ColumnType::Dictionary(_) => "typedDict",
        ColumnType::Table(_) => "table",
        ColumnType::ClassId { .. } => "classesId",
        ColumnType::PrimaryKey => "primaryKey",
        ColumnType::ForeignKey { .. } => "foreignKey",
        ColumnType::ForeignIndex { .. } => "foreignIndex",
        ColumnType::ArtifactVersion => "artifactVersion",
        ColumnType::Other { name, .. } => name,
        _ => "unknown",
    }
}
