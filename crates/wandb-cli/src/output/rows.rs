//! History rows: plain objects keyed by metric, in every format, written as they arrive.

use std::io::{self, Write};

use wandb_api::{HistoryRow, Value, value::Map};

use super::field::{csv_value, display_value, write_entries};
use super::spill::Spill;
use super::table::{Cell, Column, Table};
use super::{Format, Screen, csv};

/// Rows that are held back to find the columns of a table.
const FIRST_PAGE: usize = 100;

/// What can be written as a row.
pub(crate) trait Row {
    /// Keys and values, in the order in which they were logged.
    fn entries(&self) -> impl Iterator<Item = (&str, &Value)>;

    /// The value of a key.
    fn value(&self, key: &str) -> Option<&Value>;

    /// Appends the row as a strict JSON object.
    fn append_json(&self, out: &mut Vec<u8>) {
        write_entries(out, self.entries());
    }
}

impl Row for Map {
    fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.get(key)
    }
}

impl Row for HistoryRow {
    fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.get(key)
    }
}

/// Rows that are being written.
#[derive(Debug)]
pub(crate) struct Rows {
    form: Form,
    count: u64,
    /// Reused for each row.
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Form {
    Json,
    Jsonl,
    /// CSV whose columns were named by the caller.
    Csv {
        columns: Vec<String>,
        header_written: bool,
    },
    /// CSV whose columns are known at the end; without a row, the axis is the one that is known.
    Spill {
        spill: Spill,
        axis: String,
    },
    Table {
        screen: Screen,
        held: Vec<Map>,
        table: Option<RowTable>,
    },
}

/// A table whose columns were found in the first page.
#[derive(Debug)]
struct RowTable {
    keys: Vec<String>,
    table: Table,
    /// Rows that had a key without a column.
    clipped: u64,
}

/// What a table could not show; both zero for every other format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NotShown {
    /// Columns that did not fit the terminal.
    pub(crate) columns: usize,
    /// Rows with a key that no row of the first page had.
    pub(crate) rows: u64,
}

impl Rows {
    /// Rows in a format. `keys` are the columns if the caller named them, the axis first; else they are found. `axis` is the
    /// column that every row has, which is then the header of a CSV without rows (as Parquet has that column).
    ///
    /// # Errors
    /// When the temporary file for CSV without named columns cannot be made.
    pub(crate) fn new(
        format: Format,
        keys: Option<Vec<String>>,
        axis: &str,
        screen: Screen,
    ) -> io::Result<Self> {
        let form = match (format, keys) {
            (Format::Json, _) => Form::Json,
            (Format::Jsonl, _) => Form::Jsonl,
            (Format::Csv, Some(columns)) => Form::Csv {
                columns,
                header_written: false,
            },
            (Format::Csv, None) => Form::Spill {
                spill: Spill::new()?,
                axis: axis.to_owned(),
            },
            (Format::Table, _) => Form::Table {
                screen,
                held: Vec::new(),
                table: None,
            },
        };
        Ok(Self {
            form,
            count: 0,
            buffer: Vec::new(),
        })
    }

    /// How many rows were written.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Writes one row.
    pub(crate) fn row<R: Row>(&mut self, out: &mut dyn Write, row: &R) -> io::Result<()> {
        self.buffer.clear();
        match &mut self.form {
            Form::Json => {
                self.buffer
                    .extend_from_slice(if self.count == 0 { b"[\n" } else { b",\n" });
                row.append_json(&mut self.buffer);
            }
            Form::Jsonl => {
                row.append_json(&mut self.buffer);
                self.buffer.push(b'\n');
            }
            Form::Csv {
                columns,
                header_written,
            } => {
                if !std::mem::replace(header_written, true) {
                    csv::write_line(&mut self.buffer, columns.iter().map(String::as_str));
                }
                let cells: Vec<_> = columns.iter().map(|key| row.value(key).map(csv_value)).collect();
                csv::write_line(
                    &mut self.buffer,
                    cells.iter().map(|cell| cell.as_deref().unwrap_or("")),
                );
            }
            Form::Spill { spill, .. } => spill.row(row.entries())?,
            Form::Table { screen, held, table } => match table {
                Some(table) => table.row(out, row)?,
                None => {
                    held.push(
                        row.entries()
                            .map(|(key, value)| (key.to_owned(), value.clone()))
                            .collect(),
                    );
                    if held.len() >= FIRST_PAGE {
                        *table = Some(RowTable::start(out, &std::mem::take(held), *screen)?);
                    }
                }
            },
        }
        self.count += 1;
        out.write_all(&self.buffer)
    }

    /// Ends the rows. As for lists, called only when all are there.
    pub(crate) fn finish(mut self, out: &mut dyn Write) -> io::Result<NotShown> {
        self.buffer.clear();
        match self.form {
            Form::Json => self
                .buffer
                .extend_from_slice(if self.count == 0 { b"[]\n" } else { b"\n]\n" }),
            Form::Jsonl => {}
            Form::Csv {
                columns,
                header_written: false,
            } => {
                csv::write_line(&mut self.buffer, columns.iter().map(String::as_str));
            }
            Form::Csv { .. } => {}
            Form::Spill { axis, .. } if self.count == 0 => {
                csv::write_line(&mut self.buffer, std::iter::once(axis.as_str()));
            }
            Form::Spill { spill, .. } => {
                spill.finish(out, |names| {
                    let found = std::mem::take(names);
                    *names = ordered(found);
                })?;
            }
            Form::Table { screen, held, table } => {
                let mut table = match table {
                    Some(table) => table,
                    None if held.is_empty() => return Ok(NotShown::default()),
                    None => RowTable::start(out, &held, screen)?,
                };
                return Ok(NotShown {
                    columns: table.table.finish(out)?,
                    rows: table.clipped,
                });
            }
        }
        out.write_all(&self.buffer)?;
        Ok(NotShown::default())
    }
}

impl RowTable {
    fn start(out: &mut dyn Write, rows: &[Map], screen: Screen) -> io::Result<Self> {
        let mut found: Vec<&str> = Vec::new();
        for row in rows {
            for key in row.keys() {
                if !found.contains(&key) {
                    found.push(key);
                }
            }
        }
        let keys: Vec<String> = ordered(found).into_iter().map(str::to_owned).collect();
        let columns = keys.iter().map(|key| Column::value(single(key))).collect();
        let mut table = Self {
            keys,
            table: Table::new(columns, screen.style, screen.width),
            clipped: 0,
        };
        for row in rows {
            table.row(out, row)?;
        }
        Ok(table)
    }

    fn row<R: Row>(&mut self, out: &mut dyn Write, row: &R) -> io::Result<()> {
        let mut shown = 0;
        let cells = self
            .keys
            .iter()
            .map(|key| match row.value(key) {
                Some(value) => {
                    shown += 1;
                    Cell::new(display_value(value))
                }
                None => Cell::empty(),
            })
            .collect();
        if shown < row.entries().count() {
            self.clipped += 1;
        }
        self.table.row(out, cells)
    }
}

fn single(key: &str) -> String {
    super::text::single_line(key).into_owned()
}

/// `_step` first, then metrics in the order found, then W&B's own keys (`_runtime`, `_timestamp`), so that what a
/// narrow terminal leaves out is what matters least.
fn ordered(found: Vec<&str>) -> Vec<&str> {
    let rank = |key: &str| match key {
        "_step" => 0,
        _ if key.starts_with('_') => 2,
        _ => 1,
    };
    let mut keys = found;
    keys.sort_by_key(|key| rank(key));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Map> {
        texts
            .iter()
            .map(|text| Value::parse(text).unwrap().as_map().unwrap().clone())
            .collect()
    }

    fn render(format: Format, keys: Option<&[&str]>, texts: &[&str]) -> (String, NotShown) {
        let mut out = Vec::new();
        let keys = keys.map(|keys| keys.iter().map(|&key| key.to_owned()).collect());
        let mut writer = Rows::new(format, keys, "_step", Screen::plain()).unwrap();
        for row in rows(texts) {
            writer.row(&mut out, &row).unwrap();
        }
        assert_eq!(writer.count(), texts.len() as u64);
        let not_shown = writer.finish(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), not_shown)
    }

    const TEXTS: [&str; 3] = [
        r#"{"_step":0,"_runtime":1.5,"loss":NaN}"#,
        r#"{"_step":1,"acc":null}"#,
        r#"{"loss":0.25,"_step":2}"#,
    ];

    #[test]
    fn absent_keys_stay_absent_in_json() {
        let (text, _) = render(Format::Jsonl, None, &TEXTS);
        assert_eq!(
            text,
            "{\"_step\":0,\"_runtime\":1.5,\"loss\":\"NaN\"}\n{\"_step\":1,\"acc\":null}\n{\"loss\":0.25,\"_step\":2}\n"
        );
        let (text, _) = render(Format::Json, None, &TEXTS);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document.as_array().unwrap().len(), 3);
        assert_eq!(render(Format::Json, None, &[]).0, "[]\n");
    }

    #[test]
    fn csv_finds_every_column_without_knowing_them() {
        let (text, _) = render(Format::Csv, None, &TEXTS);
        assert_eq!(text, "_step,loss,acc,_runtime\n0,NaN,,1.5\n1,,null,\n2,0.25,,\n");
        assert_eq!(render(Format::Csv, None, &[]).0, "_step\n");
    }

    #[test]
    fn csv_with_named_columns_streams() {
        let (text, _) = render(Format::Csv, Some(&["_step", "loss"]), &TEXTS);
        assert_eq!(text, "_step,loss\n0,NaN\n1,\n2,0.25\n");
        assert_eq!(
            render(Format::Csv, Some(&["_step", "loss"]), &[]).0,
            "_step,loss\n"
        );
    }

    #[test]
    fn a_table_counts_the_rows_that_it_cannot_show_whole() {
        let early: Vec<String> = (0..FIRST_PAGE)
            .map(|step| format!("{{\"_step\":{step},\"loss\":0.5}}"))
            .collect();
        let mut texts: Vec<&str> = early.iter().map(String::as_str).collect();
        texts.push(r#"{"_step":1000,"late":1}"#);
        let (text, not_shown) = render(Format::Table, None, &texts);
        assert_eq!(not_shown, NotShown { columns: 0, rows: 1 });
        assert_eq!(text.lines().count(), FIRST_PAGE + 2);
        assert!(text.starts_with("_step  loss\n    0   0.5\n"), "{text}");
        assert_eq!(render(Format::Table, None, &[]).0, "");
    }
}
