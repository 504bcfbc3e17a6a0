//! Turns rows that were kept as JSON lines into a table:
//! `cargo run -p wandb-arrow --example convert -- rows.jsonl rows.parquet`.

use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader},
};

use wandb_arrow::{Format, HistoryWriter, WriteOptions};
use wandb_models::RowBatch;

/// Lines that are read before they are handed on.
const LINES: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(from), Some(to), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: convert ROWS.jsonl TABLE.{parquet,arrow}".into());
    };
    let mut writer = HistoryWriter::create(&to, Format::from_path(&to)?, WriteOptions::default())?;
    let mut lines = BufReader::new(File::open(from)?).lines();
    loop {
        let page: Vec<String> = lines.by_ref().take(LINES).collect::<Result<_, _>>()?;
        if page.is_empty() {
            break;
        }
        writer.append(&RowBatch::from_json_lines(page.iter().map(String::as_str))?)?;
    }
    writer.finish()?;
    Ok(())
}
