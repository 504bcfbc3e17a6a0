//! Times how rows become files: `cargo run --release -p wandb-arrow --example speed -- [ROWS] [FLOAT_COLUMNS]`.

use std::{io::Write, time::Instant};

use wandb_arrow::{Format, HistoryWriter, WriteOptions, to_record_batches};
use wandb_models::RowBatch;

/// Rows of one page of a scan.
const PAGE: u64 = 5000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let rows = arguments.next().transpose()?.unwrap_or(100_000);
    let columns = arguments.next().transpose()?.unwrap_or(20);
    let mut out = std::io::stdout().lock();

    let started = Instant::now();
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut pages = Vec::new();
    for first in (0..rows).step_by(usize::try_from(PAGE)?) {
        let lines: Vec<String> = (first..rows.min(first + PAGE))
            .map(|step| {
                let cells: Vec<String> = (0..columns)
                    .map(|column| format!(r#""metric_{column}":{}"#, random()))
                    .collect();
                format!(r#"{{"_step":{step},{}}}"#, cells.join(","))
            })
            .collect();
        pages.push(RowBatch::from_json_lines(lines.iter().map(String::as_str))?);
    }
    writeln!(
        out,
        "{rows} rows of {columns} floats made in {:?}",
        started.elapsed()
    )?;

    let started = Instant::now();
    let batches = to_record_batches(&pages)?;
    writeln!(out, "{} record batches in {:?}", batches.len(), started.elapsed())?;

    let directory = tempfile::tempdir()?;
    for format in [Format::Parquet, Format::ArrowFile] {
        let path = directory.path().join("rows");
        let started = Instant::now();
        let mut writer = HistoryWriter::create(&path, format, WriteOptions::default().replace(true))?;
        for page in &pages {
            writer.append(page)?;
        }
        let appended = started.elapsed();
        let written = writer.finish()?;
        writeln!(
            out,
            "{format}: {} bytes in {:?}, of which collecting took {appended:?}",
            written.bytes,
            started.elapsed()
        )?;
    }
    Ok(())
}
