//! What the ending of an `--out` file asks for.

use std::path::Path;

use wandb_api::arrow::Format as ColumnFormat;

use super::Format;
use crate::failure::{CommandResult, Failure};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// JSON Lines, JSON or CSV.
    Text(Format),
    /// Parquet or Arrow.
    Columns(ColumnFormat),
}

impl FileFormat {
    /// The format of a name.
    ///
    /// # Errors
    /// For an ending that stands for none.
    pub(crate) fn of(path: &Path) -> CommandResult<Self> {
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("jsonl" | "ndjson") => Ok(Self::Text(Format::Jsonl)),
            Some("csv") => Ok(Self::Text(Format::Csv)),
            Some("json") => Ok(Self::Text(Format::Json)),
            _ => ColumnFormat::from_path(path).map(Self::Columns).map_err(|_| {
                let endings = ".jsonl, .csv, .json, .parquet or .arrow";
                Failure::usage(format!(
                    "the name \"{}\" does not end in {endings}",
                    path.display()
                ))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_format() {
        let of = |name: &str| FileFormat::of(Path::new(name));
        assert_eq!(of("a/rows.JSONL").unwrap(), FileFormat::Text(Format::Jsonl));
        assert_eq!(of("rows.csv").unwrap(), FileFormat::Text(Format::Csv));
        assert_eq!(
            of("rows.parquet").unwrap(),
            FileFormat::Columns(ColumnFormat::Parquet)
        );
        for name in ["rows", "rows.txt", ".csv"] {
            assert_eq!(of(name).unwrap_err().status().code(), 2, "{name}");
        }
    }
}
