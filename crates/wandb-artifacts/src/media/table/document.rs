//! One table file: its text, and where the rows begin in it.
//!
//! The text is scanned once, which proves that it is JSON and that every row has a cell for each column. Rows are read
//! out of it afterwards, when they are asked for: a table takes the size of its file and eight bytes a row.

use wandb_core::{
    Value,
    value::{ParseValueError, Scanner},
};

use crate::media::MediaError;

/// A table file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) text: String,
    /// Where in the text the rows begin.
    pub(super) rows: Vec<usize>,
    pub(super) columns: Vec<String>,
    pub(super) column_types: Option<Value>,
    pub(super) log_mode: Option<String>,
    pub(super) increment: Option<u64>,
}

/// What the scan of a text gives.
#[derive(Debug, Default)]
struct Scan {
    kind: Option<Value>,
    rows: Option<Vec<usize>>,
    /// Cells of the first row.
    width: usize,
    /// The first row that has another number of cells, and that number.
    ragged: Option<(usize, usize)>,
    columns: Option<Value>,
    column_types: Option<Value>,
    log_mode: Option<Value>,
    increment: Option<Value>,
    row_count: Option<Value>,
    column_count: Option<Value>,
}

impl Document {
    /// Reads a table file: of an artifact (`"_type": "table"`), or of a run (no `_type`, only columns and rows).
    pub(super) fn parse(path: &str, text: String) -> Result<Self, MediaError> {
        let scan = scan(&text).map_err(|source| MediaError::Json {
            path: path.to_owned(),
            source,
        })?;
        let shape = |problem: String| MediaError::shape(path, problem);
        match &scan.kind {
            None => {}
            Some(Value::String(kind)) if kind == "table" || kind == "eval-table" => {}
            Some(kind) => return Err(shape(format!("_type is {}, not \"table\"", short(kind)))),
        }
        let columns = columns(scan.columns.as_ref()).map_err(shape)?;
        let mut rows = scan.rows.ok_or_else(|| shape("data is missing".to_owned()))?;
        let promised = |count: &Option<Value>, name: &str, there: usize| match count {
            None | Some(Value::Null) => Ok(()),
            Some(count) if count.as_i64() == i64::try_from(there).ok() => Ok(()),
            Some(count) => Err(shape(format!(
                "{name} is {}, but there are {there}",
                short(count)
            ))),
        };
        promised(&scan.column_count, "ncols", columns.len())?;
        promised(&scan.row_count, "nrows", rows.len())?;
        let ragged = match scan.ragged {
            _ if rows.is_empty() => None,
            _ if scan.width != columns.len() => Some((0, scan.width)),
            other => other,
        };
        if let Some((row, width)) = ragged {
            return Err(shape(format!(
                "data[{row}] has {width} cells for {} columns",
                columns.len()
            )));
        }
        rows.shrink_to_fit();
        Ok(Self {
            rows,
            columns,
            column_types: scan.column_types.filter(|types| !types.is_null()),
            log_mode: scan.log_mode.as_ref().and_then(Value::as_str).map(str::to_owned),
            increment: scan
                .increment
                .as_ref()
                .and_then(Value::as_i64)
                .and_then(|number| u64::try_from(number).ok()),
            text,
        })
    }
}

fn scan(text: &str) -> Result<Scan, ParseValueError> {
    let mut scan = Scan::default();
    let mut scanner = Scanner::new(text);
    scanner.object(|scanner, key| {
        let member = match &*key {
            "data" => return data(scanner, &mut scan),
            "_type" => &mut scan.kind,
            "columns" => &mut scan.columns,
            "column_types" => &mut scan.column_types,
            "log_mode" => &mut scan.log_mode,
            "increment_num" => &mut scan.increment,
            "nrows" => &mut scan.row_count,
            "ncols" => &mut scan.column_count,
            _ => return scanner.skip().map(|_| ()),
        };
        *member = Some(scanner.value()?);
        Ok(())
    })?;
    scanner.end()?;
    Ok(scan)
}

fn data(scanner: &mut Scanner<'_>, scan: &mut Scan) -> Result<(), ParseValueError> {
    let mut rows = Vec::new();
    (scan.width, scan.ragged) = (0, None);
    scanner.array(|scanner| {
        // Blanks are passed over, so that the offset is the row's bracket.
        scanner.peek();
        let start = scanner.offset();
        let mut width = 0;
        scanner.array(|scanner| {
            width += 1;
            scanner.skip().map(|_| ())
        })?;
        if rows.is_empty() {
            scan.width = width;
        } else if width != scan.width && scan.ragged.is_none() {
            scan.ragged = Some((rows.len(), width));
        }
        rows.push(start);
        Ok(())
    })?;
    scan.rows = Some(rows);
    Ok(())
}

/// A value for a message, cut to a readable length.
fn short(value: &Value) -> String {
    value.to_json().chars().take(40).collect()
}

/// Names of columns: texts, or integers (official), which become their digits.
fn columns(columns: Option<&Value>) -> Result<Vec<String>, String> {
    let list = columns
        .ok_or_else(|| "columns is missing".to_owned())?
        .as_list()
        .ok_or_else(|| "columns is not a list".to_owned())?;
    list.iter()
        .enumerate()
        .map(|(place, name)| match name {
            Value::String(name) => Ok(name.clone()),
            Value::Int(_) | Value::UInt(_) | Value::BigInt(_) => Ok(name.to_json()),
            _ => Err(format!("columns[{place}] is neither a text nor an integer")),
        })
        .collect()
}
