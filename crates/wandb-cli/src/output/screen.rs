//! The chosen output format, and what is known about the place that it goes to.

use std::io::IsTerminal;

use clap::ValueEnum;

use super::style::{ColorChoice, Style};

/// The value of `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people, fitted to the terminal.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line, as they arrive.
    Jsonl,
    /// A header and one line an object.
    Csv,
}

/// Where stdout goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Colours, or none.
    pub(crate) style: Style,
    /// Columns of the terminal; `None` when stdout is none, and then nothing is cut to fit.
    pub(crate) width: Option<usize>,
}

impl Screen {
    /// Looks at stdout.
    pub(crate) fn detect(color: ColorChoice) -> Self {
        let width = std::io::stdout().is_terminal().then(|| {
            let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
            // A terminal that does not tell its size reports 0; 80 columns is what everyone assumes.
            columns.filter(|&columns| columns > 0).unwrap_or(80)
        });
        Self {
            style: color.stdout(),
            width,
        }
    }

    /// Neither colours nor a width, as in a pipe.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self {
            style: Style::new(false),
            width: None,
        }
    }

    /// Columns for what is drawn and not tabulated (plots, headings): bounded, so that a wide screen stays readable.
    pub(crate) fn drawing_width(self) -> usize {
        self.width.unwrap_or(80).clamp(24, 100)
    }
}
