//! The parity page: `docs/parity.md` names a test for every row, and every test that it names exists.
//!
//! A row is a line of a table with five cells: the official name, how it is called here, in `wb`, the difference, and the
//! tests. A test is written as `path/to/file.rs::function` (or `.py`) in backticks.

use std::path::Path;

use crate::failure::{Failure, Result};

const PAGE: &str = "docs/parity.md";

/// Cells of a row: official, library, `wb`, difference, tests.
const CELLS: usize = 5;

/// One row of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    line: usize,
    official: String,
    tests: Vec<(String, String)>,
}

/// The rows of the page; none without it.
///
/// # Errors
/// When the page cannot be read.
pub(super) fn read(root: &Path) -> Result<Vec<Row>> {
    let path = root.join(PAGE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|cause| Failure::about(format!("cannot read {}", path.display()), cause))?;
    Ok(rows(&text))
}

fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(inner) = line
            .strip_prefix('|')
            .and_then(|rest| rest.trim_end().strip_suffix('|'))
        else {
            continue;
        };
        let cells = cells(inner);
        let is_head = cells.first().is_some_and(|cell| cell == "official");
        let is_rule = cells
            .iter()
            .all(|cell| cell.bytes().all(|byte| byte == b'-' || byte == b':'));
        if is_head || is_rule {
            continue;
        }
        rows.push(Row {
            line: index + 1,
            official: cells.first().cloned().unwrap_or_default(),
            tests: if cells.len() == CELLS {
                tests(&cells[CELLS - 1])
            } else {
                Vec::new()
            },
        });
    }
    rows
}

/// Splits at bars; `\|` is a bar inside a cell.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' if rest.peek() == Some(&'|') => {
                rest.next();
                cells.last_mut().expect("there is always a cell").push('|');
            }
            '|' => cells.push(String::new()),
            other => cells.last_mut().expect("there is always a cell").push(other),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Every `file::function` between backticks.
fn tests(cell: &str) -> Vec<(String, String)> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once("::"))
        .map(|(file, function)| (file.to_owned(), function.to_owned()))
        .collect()
}

/// Rows without a test, and tests that are not there. `source` gives the text of a file of the tree.
pub(super) fn check(rows: &[Row], source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut broken = Vec::new();
    for row in rows {
        let place = format!("{PAGE}:{}: {}", row.line, row.official);
        if row.tests.is_empty() {
            broken.push(format!("{place} names no test in its {CELLS}th cell"));
        }
        for (file, function) in &row.tests {
            let name = function.rsplit("::").next().unwrap_or(function);
            let found = source(file).map(|text| {
                [format!("fn {name}("), format!("def {name}(")]
                    .iter()
                    .any(|definition| text.contains(definition))
            });
            match found {
                Some(true) => {}
                Some(false) => broken.push(format!("{place}: there is no {name} in {file}")),
                None => broken.push(format!("{place}: there is no file {file}")),
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Parity

| official | library | `wb` | difference | test |
|---|---|---|---|---|
| `Api.run` | `Api::run` | `wb run view` | a \\| b | `tests/a.rs::reads_a_run`, `tests/b.py::reads` |
| `Run.x` | `Run::x` | none | none | soon |
";

    fn source(file: &str) -> Option<String> {
        match file {
            "tests/a.rs" => Some("async fn reads_a_run() {}".to_owned()),
            "tests/b.py" => Some("def reads_not(): pass".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn rows_and_their_tests_are_read() {
        let rows = rows(TEXT);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].line, 5);
        assert_eq!(rows[0].tests.len(), 2);
    }

    #[test]
    fn a_missing_test_is_found() {
        let broken = check(&rows(TEXT), source);
        assert_eq!(
            broken,
            [
                "docs/parity.md:5: `Api.run`: there is no reads in tests/b.py",
                "docs/parity.md:6: `Run.x` names no test in its 5th cell",
            ]
        );
        let elsewhere = TEXT.replace("tests/b.py", "tests/c.rs");
        assert!(check(&rows(&elsewhere), source)[0].ends_with("there is no file tests/c.rs"));
    }
}
