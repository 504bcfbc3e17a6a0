//! The rows of a table, or of two that were joined, in every format and into files.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use wandb_api::Value;
use wandb_api::arrow::tables::{unique_names, write_file};
use wandb_api::arrow::{Format as ColumnFormat, WriteOptions};
use wandb_api::artifacts::media::Table;

use super::Tables;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::field::{csv_value, display_value, write_entries, write_string};
use crate::output::file_format::FileFormat;
use crate::output::out_file::OutFile;
use crate::output::table::{Cell, Column, Table as Lines};
use crate::output::{Format, csv, text};

/// The most rows that a join may have: their places are in memory, 32 bytes each.
const MAX_JOINED: usize = 10_000_000;

/// A row; `None` where a joined row has no partner, which is not the same as a logged null.
type Cells = Vec<Option<Value>>;

/// Rows with the names of their columns.
#[derive(Debug)]
pub(super) struct Sheet<'t> {
    columns: Vec<String>,
    source: Source<'t>,
}

#[derive(Debug)]
enum Source<'t> {
    Table(&'t Table),
    Joined {
        left: &'t Table,
        right: &'t Table,
        /// For each joined row its place in each table: every row of both occurs.
        pairs: Vec<(Option<usize>, Option<usize>)>,
    },
}

impl<'t> Sheet<'t> {
    pub(super) fn of(table: &'t Table) -> Self {
        Self {
            columns: names(table),
            source: Source::Table(table),
        }
    }

    /// A full outer join: each row of the left table with every row of the right one that has the same key, then the rows of
    /// the right table that have no partner. So nothing that was logged is dropped. A null is no key.
    ///
    /// # Errors
    /// For more than [`MAX_JOINED`] rows: equal keys on both sides multiply.
    pub(super) fn joined(left: &'t Table, right: &'t Table, key: (&str, &str)) -> CommandResult<Self> {
        let keys = |table: &Table, column: &str| -> Vec<Option<String>> {
            let place = table.column_index(column);
            table
                .rows()
                .map(|row| {
                    let value = row.cell(place?)?.to_value();
                    (value != Value::Null).then(|| value.to_json())
                })
                .collect()
        };
        let right_keys = keys(right, key.1);
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, key) in right_keys.iter().enumerate() {
            if let Some(key) = key {
                places.entry(key).or_default().push(place);
            }
        }
        let mut pairs = Vec::new();
        let mut met = HashSet::new();
        for (place, key) in keys(left, key.0).iter().enumerate() {
            let partners = key.as_deref().and_then(|key| places.get(key));
            match partners {
                Some(partners) => {
                    if pairs.len().saturating_add(partners.len()) > MAX_JOINED {
                        let limit = text::grouped(MAX_JOINED as u64);
                        let what = format!("the joined table has more than {limit} rows");
                        return Err(Failure::new(ExitStatus::Failed, what)
                            .hint("get its two tables by themselves, and join them elsewhere"));
                    }
                    met.extend(partners.iter().copied());
                    pairs.extend(partners.iter().map(|partner| (Some(place), Some(*partner))));
                }
                None => pairs.push((Some(place), None)),
            }
        }
        let alone = (0..right.len()).filter(|place| !met.contains(place));
        pairs.extend(alone.map(|place| (None, Some(place))));
        let mut columns = names(left);
        columns.extend(names(right));
        Ok(Self {
            columns,
            source: Source::Joined { left, right, pairs },
        })
    }

    /// The columns as they were logged; two may share a name.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The columns by names of their own.
    fn keys(&self) -> Vec<String> {
        unique_names(self.columns.iter().map(String::as_str))
    }

    fn len(&self) -> usize {
        match &self.source {
            Source::Table(table) => table.len(),
            Source::Joined { pairs, .. } => pairs.len(),
        }
    }

    pub(super) fn rows(&self) -> Box<dyn Iterator<Item = Cells> + '_> {
        match &self.source {
            Source::Table(table) => Box::new(
                table
                    .rows()
                    .map(|row| row.to_values().into_iter().map(Some).collect()),
            ),
            Source::Joined { left, right, pairs } => Box::new(pairs.iter().map(|(one, other)| {
                let mut cells = half(left, *one);
                cells.extend(half(right, *other));
                cells
            })),
        }
    }
}

fn names(table: &Table) -> Vec<String> {
    table
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect()
}

fn half(table: &Table, place: Option<usize>) -> Cells {
    match place.and_then(|place| table.row(place)) {
        Some(row) => row.to_values().into_iter().map(Some).collect(),
        None => vec![None; table.columns().len()],
    }
}

/// Writes the rows in the output format.
pub(super) fn to_stdout(context: &mut Context, sheet: &Sheet<'_>) -> CommandResult {
    if context.format() != Format::Table {
        write(sheet, context.format(), &mut context.out)?;
        return Ok(context.out.flush()?);
    }
    let titles = sheet
        .columns()
        .iter()
        .map(|name| Column::value(text::single_line(name).into_owned()))
        .collect();
    let mut lines = Lines::new(titles, context.screen.style, context.screen.width);
    for row in sheet.rows() {
        let cells = row
            .iter()
            .map(|cell| {
                cell.as_ref()
                    .map_or_else(Cell::empty, |value| Cell::new(display_value(value)))
            })
            .collect();
        lines.row(&mut context.out, cells)?;
    }
    let hidden = lines.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(sheet.len() as u64, "row");
    context.tell_hidden(hidden);
    Ok(())
}

/// Rows as objects in JSON lines, rows as lists beside the columns in JSON, lines in CSV.
fn write(sheet: &Sheet<'_>, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    match format {
        Format::Csv => {
            csv::write_line(&mut line, sheet.keys().iter().map(String::as_str));
            out.write_all(&line)?;
            for row in sheet.rows() {
                line.clear();
                let texts: Vec<_> = row.iter().map(|cell| cell.as_ref().map(csv_value)).collect();
                csv::write_line(&mut line, texts.iter().map(|text| text.as_deref().unwrap_or("")));
                out.write_all(&line)?;
            }
        }
        Format::Jsonl => {
            let keys = sheet.keys();
            for row in sheet.rows() {
                line.clear();
                let cells = keys.iter().zip(&row);
                let logged = cells.filter_map(|(key, cell)| cell.as_ref().map(|value| (key.as_str(), value)));
                write_entries(&mut line, logged);
                line.push(b'\n');
                out.write_all(&line)?;
            }
        }
        Format::Json | Format::Table => {
            line.extend_from_slice(b"{\"type\":\"table\",\"columns\":[");
            for (index, name) in sheet.columns().iter().enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                write_string(&mut line, name);
            }
            line.extend_from_slice(b"],\"rows\":[");
            for (index, row) in sheet.rows().enumerate() {
                line.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
                let cells = row.into_iter().map(|cell| cell.unwrap_or(Value::Null));
                Value::List(cells.collect()).write_json(&mut line);
                out.write_all(&line)?;
                line.clear();
            }
            line.extend_from_slice(b"\n]}\n");
            out.write_all(&line)?;
        }
    }
    Ok(())
}

/// Writes the rows into a file, which appears when it is whole.
pub(super) async fn to_file(
    context: &Context,
    tables: Tables,
    path: &Path,
    format: FileFormat,
    replace: bool,
) -> CommandResult {
    let target = path.to_owned();
    let writing = tokio::task::spawn_blocking(move || match format {
        FileFormat::Text(format) => text_file(&tables, &target, format, replace),
        FileFormat::Columns(format) => column_file(&tables, &target, format, replace),
    });
    let (rows, bytes) = writing
        .await
        .unwrap_or_else(|error| Err(Failure::new(ExitStatus::Failed, "write the file").with_source(error)))?;
    context.note(&format!(
        "wrote {}, {}, to {}",
        text::counted(rows, "row"),
        text::bytes(bytes),
        path.display()
    ));
    Ok(())
}

fn text_file(tables: &Tables, target: &Path, format: Format, replace: bool) -> CommandResult<(u64, u64)> {
    let mut file = OutFile::create(target, replace)?;
    let sheet = tables.sheet()?;
    write(&sheet, format, &mut file).map_err(|error| file.failed(error))?;
    Ok((sheet.len() as u64, file.publish()?))
}

fn column_file(
    tables: &Tables,
    target: &Path,
    format: ColumnFormat,
    replace: bool,
) -> CommandResult<(u64, u64)> {
    let Tables::One(table) = tables else {
        return Err(Failure::usage(format!("a joined table has no {format} form"))
            .hint("write it as .csv or .jsonl, or get its two tables by themselves"));
    };
    let options = WriteOptions::default().replace(replace);
    let written = write_file(table, target, format, &options).map_err(|error| {
        let failure = Failure::from(error);
        match failure.status() {
            ExitStatus::Conflict => failure.hint("--replace replaces it"),
            _ => failure,
        }
    })?;
    Ok((written.rows, written.bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use wandb_api::artifacts::media::{EntryReader, Media, MemoryReader};

    use super::*;

    fn table(document: &str) -> Table {
        let reader = MemoryReader::new("a").with("t.table.json", document.to_owned());
        let reader: Arc<dyn EntryReader> = Arc::new(reader);
        let read = async { Media::read(&reader, "t").await.unwrap().unwrap() };
        read.now_or_never().unwrap().into_table().unwrap()
    }

    fn rendered(sheet: &Sheet<'_>, format: Format) -> String {
        let mut out = Vec::new();
        write(sheet, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_of_one_name_are_told_apart() {
        let table = table(r#"{"columns": ["x", "x"], "data": [[1, null], ["a", NaN]]}"#);
        let sheet = Sheet::of(&table);
        assert_eq!(
            rendered(&sheet, Format::Jsonl),
            "{\"x\":1,\"x.1\":null}\n{\"x\":\"a\",\"x.1\":\"NaN\"}\n"
        );
        assert_eq!(rendered(&sheet, Format::Csv), "x,x.1\n1,null\na,NaN\n");
        assert_eq!(
            rendered(&sheet, Format::Json),
            "{\"type\":\"table\",\"columns\":[\"x\",\"x\"],\"rows\":[\n[1,null],\n[\"a\",\"NaN\"]\n]}\n"
        );
    }

    #[test]
    fn a_join_keeps_every_row_of_both() {
        let left = table(r#"{"columns": ["id", "a"], "data": [[1, "x"], [2, "y"], [null, "z"], [1, "w"]]}"#);
        let right = table(r#"{"columns": ["id", "b"], "data": [[1, true], [3, false], [null, null]]}"#);
        let sheet = Sheet::joined(&left, &right, ("id", "id")).unwrap();
        assert_eq!(
            rendered(&sheet, Format::Jsonl),
            "{\"id\":1,\"a\":\"x\",\"id.1\":1,\"b\":true}\n\
             {\"id\":2,\"a\":\"y\"}\n\
             {\"id\":null,\"a\":\"z\"}\n\
             {\"id\":1,\"a\":\"w\",\"id.1\":1,\"b\":true}\n\
             {\"id.1\":3,\"b\":false}\n\
             {\"id.1\":null,\"b\":null}\n"
        );
        assert_eq!(sheet.len(), 6);
        // A column that is not there joins nothing, and loses nothing.
        assert_eq!(Sheet::joined(&left, &right, ("none", "id")).unwrap().len(), 7);
    }
}
