//! Lists of objects (runs, projects, files) and single objects, in every format, written as they arrive.

use std::fmt;
use std::io::{self, Write};

use super::field::{Field, write_object};
use super::table::{Cell, Column, Table};
use super::{Format, Screen, csv, json};
use crate::failure::CommandResult;

/// The fields of one object, in their documented order.
pub(crate) type Fields<'a> = Vec<(&'static str, Field<'a>)>;
/// Reads a column that only CSV has.
type ExtraField<T> = Box<dyn for<'a> Fn(&'a T) -> Field<'a> + Send>;
/// Appends the JSON object.
type WriteJson<T> = fn(&T, &mut Vec<u8>) -> wandb_api::Result<()>;
/// Finds what cannot be read in an object.
type Check<T> = fn(&T) -> wandb_api::Result<()>;
/// Makes the cell of a table.
type MakeCell<T> = Box<dyn Fn(&T) -> Cell + Send>;

/// How objects of one kind are shown.
pub(crate) struct Schema<T> {
    /// The names of the fields, for a CSV header before (or without) the first object.
    names: &'static [&'static str],
    fields: for<'a> fn(&'a T) -> Fields<'a>,
    /// Writes the JSON object where the library has a quicker way than through the fields.
    write_json: Option<WriteJson<T>>,
    /// Finds out whether the object can be read, before it becomes a line of CSV or of a table.
    check: Option<Check<T>>,
    table: Vec<(Column, MakeCell<T>)>,
    csv_without: &'static [&'static str],
    csv_extra: Vec<(String, ExtraField<T>)>,
}

impl<T> fmt::Debug for Schema<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Schema")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl<T> Schema<T> {
    /// The JSON and CSV form of a kind of object.
    pub(crate) fn new(names: &'static [&'static str], fields: for<'a> fn(&'a T) -> Fields<'a>) -> Self {
        Self {
            names,
            fields,
            write_json: None,
            check: None,
            table: Vec::new(),
            csv_without: &[],
            csv_extra: Vec::new(),
        }
    }

    /// Writes JSON by this function instead of through the fields.
    pub(crate) fn json_by(mut self, write_json: WriteJson<T>) -> Self {
        self.write_json = Some(write_json);
        self
    }

    /// Refuses objects that cannot be read: fields and cells have no way to say so themselves.
    pub(crate) fn checked_by(mut self, check: Check<T>) -> Self {
        self.check = Some(check);
        self
    }

    /// Adds a column to the table.
    pub(crate) fn column(mut self, column: Column, cell: impl Fn(&T) -> Cell + Send + 'static) -> Self {
        self.table.push((column, Box::new(cell)));
        self
    }

    /// Leaves fields out of the CSV form.
    pub(crate) fn csv_without(mut self, names: &'static [&'static str]) -> Self {
        self.csv_without = names;
        self
    }

    /// Adds a column to the CSV form.
    pub(crate) fn csv_column(
        mut self,
        name: impl Into<String>,
        field: impl for<'a> Fn(&'a T) -> Field<'a> + Send + 'static,
    ) -> Self {
        self.csv_extra.push((name.into(), Box::new(field)));
        self
    }

    fn write_json(&self, buffer: &mut Vec<u8>, item: &T) -> wandb_api::Result<()> {
        match self.write_json {
            Some(write_json) => write_json(item, buffer)?,
            None => write_object(buffer, &(self.fields)(item)),
        }
        Ok(())
    }

    fn check(&self, item: &T) -> wandb_api::Result<()> {
        self.check.map_or(Ok(()), |check| check(item))
    }

    fn csv_header(&self) -> impl Iterator<Item = &str> {
        let own = self
            .names
            .iter()
            .copied()
            .filter(|name| !self.csv_without.contains(name));
        own.chain(self.csv_extra.iter().map(|(name, _)| name.as_str()))
    }

    fn write_csv(&self, buffer: &mut Vec<u8>, item: &T) {
        let fields = (self.fields)(item);
        debug_assert!(
            fields
                .iter()
                .map(|(name, _)| *name)
                .eq(self.names.iter().copied())
        );
        let own = fields
            .iter()
            .filter(|(name, _)| !self.csv_without.contains(name))
            .map(|(_, field)| field);
        let extra: Vec<Field<'_>> = self.csv_extra.iter().map(|(_, read)| read(item)).collect();
        let texts: Vec<_> = own.chain(&extra).map(Field::csv_text).collect();
        csv::write_line(buffer, texts.iter().map(|text| &**text));
    }
}

/// A list that is being written.
#[derive(Debug)]
pub(crate) struct List<T> {
    schema: Schema<T>,
    format: Format,
    table: Table,
    count: u64,
    /// Reused for each object.
    buffer: Vec<u8>,
}

impl<T> List<T> {
    /// A list of objects in a format.
    pub(crate) fn new(schema: Schema<T>, format: Format, screen: Screen) -> Self {
        let columns = schema.table.iter().map(|(column, _)| column.clone()).collect();
        let table = Table::new(columns, screen.style, screen.width);
        Self {
            schema,
            format,
            table,
            count: 0,
            buffer: Vec::new(),
        }
    }

    /// How many objects were written.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Writes one object, whole or (if it cannot be read) not at all.
    pub(crate) fn item(&mut self, out: &mut dyn Write, item: &T) -> CommandResult {
        self.buffer.clear();
        match self.format {
            Format::Table => {
                self.schema.check(item)?;
                let row = self.schema.table.iter().map(|(_, cell)| cell(item)).collect();
                self.table.row(out, row)?;
            }
            Format::Json => {
                self.buffer
                    .extend_from_slice(if self.count == 0 { b"[\n" } else { b",\n" });
                self.schema.write_json(&mut self.buffer, item)?;
            }
            Format::Jsonl => {
                self.schema.write_json(&mut self.buffer, item)?;
                self.buffer.push(b'\n');
            }
            Format::Csv => {
                self.schema.check(item)?;
                if self.count == 0 {
                    csv::write_line(&mut self.buffer, self.schema.csv_header());
                }
                self.schema.write_csv(&mut self.buffer, item);
            }
        }
        self.count += 1;
        Ok(out.write_all(&self.buffer)?)
    }

    /// Ends the list; returns how many columns of the table did not fit the terminal.
    ///
    /// Called only when the list is whole: a JSON document that was cut short stays without its closing bracket, so
    /// that nobody can take it for a whole one.
    pub(crate) fn finish(mut self, out: &mut dyn Write) -> io::Result<usize> {
        self.buffer.clear();
        match self.format {
            Format::Table => return self.table.finish(out),
            Format::Json => self
                .buffer
                .extend_from_slice(if self.count == 0 { b"[]\n" } else { b"\n]\n" }),
            Format::Jsonl => {}
            Format::Csv if self.count == 0 => csv::write_line(&mut self.buffer, self.schema.csv_header()),
            Format::Csv => {}
        }
        out.write_all(&self.buffer)?;
        Ok(0)
    }
}

/// Writes one object as JSON, JSON Lines or CSV; a table of one object is the caller's to draw.
pub(crate) fn write_single<T>(
    out: &mut dyn Write,
    schema: &Schema<T>,
    format: Format,
    item: &T,
) -> CommandResult {
    let mut buffer = Vec::new();
    match format {
        Format::Csv => {
            schema.check(item)?;
            csv::write_line(&mut buffer, schema.csv_header());
            schema.write_csv(&mut buffer, item);
        }
        Format::Table | Format::Json => {
            schema.write_json(&mut buffer, item)?;
            buffer = json::indented(&buffer);
            buffer.push(b'\n');
        }
        Format::Jsonl => {
            schema.write_json(&mut buffer, item)?;
            buffer.push(b'\n');
        }
    }
    Ok(out.write_all(&buffer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pet {
        name: &'static str,
        legs: u64,
    }

    fn schema() -> Schema<Pet> {
        fn fields(pet: &Pet) -> Fields<'_> {
            vec![("name", Field::text(pet.name)), ("legs", Field::UInt(pet.legs))]
        }
        Schema::new(&["name", "legs"], fields)
            .column(Column::text("NAME"), |pet| Cell::new(pet.name))
            .column(Column::number("LEGS"), |pet| Cell::new(pet.legs.to_string()))
    }

    fn render(format: Format, pets: &[Pet]) -> String {
        let mut out = Vec::new();
        let mut list = List::new(schema(), format, Screen::plain());
        for pet in pets {
            list.item(&mut out, pet).unwrap();
        }
        list.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const PETS: [Pet; 2] = [
        Pet {
            name: "Rex, the dog",
            legs: 4,
        },
        Pet {
            name: "Tweety",
            legs: 2,
        },
    ];

    #[test]
    fn each_format_has_its_form() {
        assert_eq!(
            render(Format::Table, &PETS),
            "NAME          LEGS\nRex, the dog     4\nTweety           2\n"
        );
        assert_eq!(
            render(Format::Json, &PETS),
            "[\n{\"name\":\"Rex, the dog\",\"legs\":4},\n{\"name\":\"Tweety\",\"legs\":2}\n]\n"
        );
        assert_eq!(
            render(Format::Jsonl, &PETS),
            "{\"name\":\"Rex, the dog\",\"legs\":4}\n{\"name\":\"Tweety\",\"legs\":2}\n"
        );
        assert_eq!(
            render(Format::Csv, &PETS),
            "name,legs\n\"Rex, the dog\",4\nTweety,2\n"
        );
    }

    #[test]
    fn an_empty_list_is_a_valid_document() {
        assert_eq!(render(Format::Table, &[]), "");
        assert_eq!(render(Format::Json, &[]), "[]\n");
        assert_eq!(render(Format::Jsonl, &[]), "");
        assert_eq!(render(Format::Csv, &[]), "name,legs\n");
    }

    #[test]
    fn csv_can_replace_nested_fields_by_columns() {
        let schema = schema()
            .csv_without(&["legs"])
            .csv_column("pairs", |pet: &Pet| Field::UInt(pet.legs / 2));
        let mut out = Vec::new();
        write_single(&mut out, &schema, Format::Csv, &PETS[0]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "name,pairs\n\"Rex, the dog\",2\n"
        );
    }
}
