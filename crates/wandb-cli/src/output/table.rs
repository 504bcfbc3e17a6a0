//! Tables of unknown length that fit the terminal.
//!
//! The widths of the columns are chosen from a bounded first page of rows; after that every row is written as it
//! arrives, so memory does not grow with the number of rows. On a terminal, text columns shrink (and are cut with `…`)
//! until the table fits, and if that is not enough the last columns are left out and said so. A number is never cut: a
//! cut number is a wrong number. Into a pipe nothing is cut or left out.

use std::io::{self, Write};

use super::style::{Paint, Style};
use super::text;

/// Rows that are held back to choose the widths.
const FIRST_PAGE: usize = 100;
/// Between two columns.
const GAP: &str = "  ";
/// A text column is not shrunk below this, and one of names not below the other.
const MIN_WIDTH: usize = 8;
const MIN_NAME_WIDTH: usize = 24;

/// How the cells of a column lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
    /// Right if every cell of the first page is a number, else left.
    Found,
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    title: String,
    align: Align,
    /// Whether its cells may be cut to make the table fit.
    shrinks: bool,
    /// The width below which it is not shrunk; the columns behind it are left out first.
    least: usize,
}

impl Column {
    /// A column of text, which may be cut to fit.
    pub(crate) fn text(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            align: Align::Left,
            shrinks: true,
            least: MIN_WIDTH,
        }
    }

    /// A column of the names of what is listed: cut only where there is no room for anything else.
    pub(crate) fn name(title: impl Into<String>) -> Self {
        Self {
            least: MIN_NAME_WIDTH,
            ..Self::text(title)
        }
    }

    /// A column of short words that are never cut: states, times, identifiers to copy.
    pub(crate) fn word(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            align: Align::Left,
            shrinks: false,
            least: MIN_WIDTH,
        }
    }

    /// A column of logged values, which may be numbers or texts.
    pub(crate) fn value(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            align: Align::Found,
            shrinks: true,
            least: MIN_WIDTH,
        }
    }

    /// A column of numbers.
    pub(crate) fn number(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            align: Align::Right,
            shrinks: false,
            least: MIN_WIDTH,
        }
    }
}

impl Column {
    /// Decides a column of values by what is in it: numbers stand right and are never cut.
    fn settle<'a>(&mut self, mut cells: impl Iterator<Item = &'a Cell>) {
        if self.align == Align::Found
            && cells.all(|cell| cell.text.is_empty() || cell.text.parse::<f64>().is_ok())
        {
            self.align = Align::Right;
            self.shrinks = false;
        }
    }
}

/// One cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    paint: Option<Paint>,
}

impl Cell {
    /// A cell with the text, made safe for a terminal.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: text::single_line(text.as_ref()).into_owned(),
            paint: None,
        }
    }

    /// An empty cell.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// The same cell in an emphasis.
    pub(crate) fn painted(mut self, paint: impl Into<Option<Paint>>) -> Self {
        self.paint = paint.into();
        self
    }
}

/// A table that is being written.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    style: Style,
    /// Columns of the terminal; `None` into a pipe or file.
    terminal: Option<usize>,
    held: Vec<Vec<Cell>>,
    /// Chosen with the first page; `None` until then.
    layout: Option<Layout>,
}

/// The chosen widths: one per shown column, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layout {
    widths: Vec<usize>,
}

impl Table {
    /// A table of these columns, for a terminal of that many columns or (`None`) for a pipe.
    pub(crate) fn new(columns: Vec<Column>, style: Style, terminal: Option<usize>) -> Self {
        Self {
            columns,
            style,
            terminal,
            held: Vec::new(),
            layout: None,
        }
    }

    /// Adds a row; missing cells are empty.
    pub(crate) fn row(&mut self, out: &mut dyn Write, row: Vec<Cell>) -> io::Result<()> {
        if self.layout.is_some() {
            return self.write_row(out, &row);
        }
        self.held.push(row);
        if self.held.len() >= FIRST_PAGE {
            self.write_first_page(out)
        } else {
            Ok(())
        }
    }

    /// Writes what is still held back and returns how many columns did not fit the terminal.
    /// A table without rows prints nothing at all.
    pub(crate) fn finish(&mut self, out: &mut dyn Write) -> io::Result<usize> {
        if self.layout.is_none() {
            if self.held.is_empty() {
                return Ok(0);
            }
            self.write_first_page(out)?;
        }
        let shown = self
            .layout
            .as_ref()
            .map_or(self.columns.len(), |layout| layout.widths.len());
        Ok(self.columns.len() - shown)
    }

    fn write_first_page(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for (index, column) in self.columns.iter_mut().enumerate() {
            column.settle(self.held.iter().filter_map(|row| row.get(index)));
        }
        self.layout = Some(choose_layout(&self.columns, &self.held, self.terminal));
        let title = |column: &Column| Cell::new(&column.title).painted(Paint::Bold);
        let titles: Vec<Cell> = self.columns.iter().map(title).collect();
        self.write_row(out, &titles)?;
        for row in std::mem::take(&mut self.held) {
            self.write_row(out, &row)?;
        }
        Ok(())
    }

    fn write_row(&self, out: &mut dyn Write, row: &[Cell]) -> io::Result<()> {
        let layout = self
            .layout
            .as_ref()
            .expect("rows are written only after the layout was chosen");
        let empty = Cell::empty();
        let mut line = String::new();
        for (index, (column, &width)) in self.columns.iter().zip(&layout.widths).enumerate() {
            let cell = row.get(index).unwrap_or(&empty);
            let text = if column.shrinks && self.terminal.is_some() {
                text::truncate(&cell.text, width)
            } else {
                cell.text.as_str().into()
            };
            let padding = width.saturating_sub(text::width(&text));
            let painted = match cell.paint {
                Some(paint) => self.style.paint(paint, &text),
                None => text.into_owned(),
            };
            if index > 0 {
                line.push_str(GAP);
            }
            match column.align {
                Align::Right => {
                    line.extend(std::iter::repeat_n(' ', padding));
                    line.push_str(&painted);
                }
                Align::Left | Align::Found => {
                    line.push_str(&painted);
                    line.extend(std::iter::repeat_n(' ', padding));
                }
            }
        }
        out.write_all(line.trim_end_matches(' ').as_bytes())?;
        out.write_all(b"\n")
    }
}

/// Chooses the widths: natural ones, then text columns shrunk from the widest down, then the last columns left out.
fn choose_layout(columns: &[Column], rows: &[Vec<Cell>], terminal: Option<usize>) -> Layout {
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(index))
                .map(|cell| text::width(&cell.text));
            cells.chain([text::width(&column.title)]).max().unwrap_or(0)
        })
        .collect();
    let Some(terminal) = terminal else {
        return Layout { widths };
    };
    // A column of which every cell is empty says nothing; it goes first when there is no room.
    loop {
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(terminal);
        if excess == 0 {
            return Layout { widths };
        }
        let room: usize = columns
            .iter()
            .zip(&widths)
            .filter(|(column, _)| column.shrinks)
            .map(|(column, &width)| width.saturating_sub(floor(column)))
            .sum();
        if room < excess {
            if widths.len() == 1 {
                return Layout { widths };
            }
            widths.pop();
            continue;
        }
        // One column at a time from the widest: what is long gives way to what is short.
        while excess > 0 {
            let widest = columns
                .iter()
                .zip(widths.iter_mut())
                .filter(|(column, width)| column.shrinks && **width > floor(column))
                .max_by_key(|(_, width)| **width);
            let Some((_, width)) = widest else { break };
            *width -= 1;
            excess -= 1;
        }
        return Layout { widths };
    }
}

/// The width below which a text column is not shrunk.
fn floor(column: &Column) -> usize {
    column.least.max(text::width(&column.title))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn render(columns: Vec<Column>, rows: &[&[&str]], terminal: Option<usize>) -> (String, usize) {
        let mut out = Vec::new();
        let mut table = Table::new(columns, Style::new(false), terminal);
        for row in rows {
            table.row(&mut out, row.iter().map(Cell::new).collect()).unwrap();
        }
        let hidden = table.finish(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), hidden)
    }

    #[test]
    fn aligns_text_left_and_numbers_right() {
        let columns = vec![Column::text("NAME"), Column::number("LOSS")];
        let (text, hidden) = render(columns, &[&["a", "0.5"], &["longer", "12.25"]], None);
        assert_eq!(text, "NAME     LOSS\na         0.5\nlonger  12.25\n");
        assert_eq!(hidden, 0);
    }

    #[test]
    fn columns_of_values_are_aligned_by_what_is_in_them() {
        let columns = vec![Column::value("LR"), Column::value("MODEL")];
        let (text, _) = render(columns, &[&["0.1", "cnn"], &["", "7"], &["NaN", ""]], None);
        assert_eq!(text, " LR  MODEL\n0.1  cnn\n     7\nNaN\n");
    }

    #[test]
    fn prints_nothing_without_rows() {
        assert_eq!(
            render(vec![Column::text("NAME")], &[], Some(80)),
            (String::new(), 0)
        );
    }

    #[test]
    fn cuts_the_widest_text_on_a_terminal_only() {
        let long = "x".repeat(60);
        let columns = || vec![Column::text("NAME"), Column::word("ID"), Column::text("NOTES")];
        let (text, _) = render(columns(), &[&[&long, "abc123", "short"]], Some(40));
        assert!(text.lines().all(|line| text::width(line) <= 40), "{text}");
        assert!(text.contains('…') && text.contains("abc123") && text.contains("short"));
        let (text, _) = render(columns(), &[&[&long, "abc123", "short"]], None);
        assert!(text.contains(&long));
    }

    #[test]
    fn leaves_out_the_last_columns_and_counts_them() {
        let columns: Vec<Column> = (0..10)
            .map(|index| Column::number(format!("METRIC_{index}")))
            .collect();
        let row: Vec<String> = (0..10).map(|index| format!("0.12345{index}")).collect();
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        let (text, hidden) = render(columns, &[&row], Some(40));
        assert!(hidden >= 5, "{hidden}");
        assert!(text.lines().all(|line| text::width(line) <= 40), "{text}");
        assert!(text.contains("0.123450"), "numbers are whole: {text}");
    }

    #[test]
    fn long_lists_are_written_before_they_end() {
        let mut out = Vec::new();
        let mut table = Table::new(vec![Column::text("NAME")], Style::new(false), None);
        for index in 0..FIRST_PAGE {
            table.row(&mut out, vec![Cell::new(index.to_string())]).unwrap();
        }
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), FIRST_PAGE + 1);
        assert!(table.held.is_empty());
        table
            .row(&mut out, vec![Cell::new("a late, longer one")])
            .unwrap();
        assert!(out.ends_with(b"a late, longer one\n"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn no_line_is_wider_than_the_terminal(
            rows in proptest::collection::vec(proptest::collection::vec(".{0,30}", 4), 1..8),
            terminal in 20usize..90,
        ) {
            let columns = (0..4).map(|index| Column::text(format!("C{index}"))).collect();
            let mut out = Vec::new();
            let mut table = Table::new(columns, Style::new(false), Some(terminal));
            for row in &rows {
                table.row(&mut out, row.iter().map(Cell::new).collect()).unwrap();
            }
            table.finish(&mut out).unwrap();
            for line in String::from_utf8(out).unwrap().lines() {
                prop_assert!(text::width(line) <= terminal, "{line:?}");
            }
        }
    }
}
