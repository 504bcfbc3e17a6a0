//! CSV of rows whose columns are known only when the last row was read.
//!
//! History rows need not have the same keys, and a running run can log a new key at any time, so a header that is
//! written first can be wrong. Memory must not grow with the number of rows either. So the finished cells go to an
//! unnamed temporary file, and when all rows are there, the header and the lines are written from it: two passes over
//! the disk, one over the network.
//!
//! A record of the file is a `u32` of how many cells follow, and each cell is a `u32` column, a `u32` length, and the
//! text (little endian; read back by the same process only).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use wandb_api::Value;

use super::csv;
use super::field::csv_value;

/// The first pass.
#[derive(Debug)]
pub(crate) struct Spill {
    file: BufWriter<File>,
    columns: HashMap<Box<str>, u32>,
    rows: u64,
    record: Vec<u8>,
}

impl Spill {
    /// An empty spill in the system's temporary directory (`TMPDIR`); it vanishes with the process.
    pub(crate) fn new() -> io::Result<Self> {
        let file = BufWriter::with_capacity(256 * 1024, tempfile::tempfile()?);
        Ok(Self {
            file,
            columns: HashMap::new(),
            rows: 0,
            record: Vec::new(),
        })
    }

    /// Stores one row.
    pub(crate) fn row<'a>(&mut self, entries: impl Iterator<Item = (&'a str, &'a Value)>) -> io::Result<()> {
        self.record.clear();
        // The count is filled in when it is known.
        self.record.extend_from_slice(&[0; 4]);
        let mut cells = 0_usize;
        for (key, value) in entries {
            cells += 1;
            let column = if let Some(&column) = self.columns.get(key) {
                column
            } else {
                let column = length(self.columns.len())?;
                self.columns.insert(key.into(), column);
                column
            };
            let text = csv_value(value);
            self.record.extend_from_slice(&column.to_le_bytes());
            self.record.extend_from_slice(&length(text.len())?.to_le_bytes());
            self.record.extend_from_slice(text.as_bytes());
        }
        self.record[..4].copy_from_slice(&length(cells)?.to_le_bytes());
        self.rows += 1;
        self.file.write_all(&self.record)
    }

    /// The second pass: header and lines. `order` sorts the column names, which come in the order of first sight.
    pub(crate) fn finish(self, out: &mut dyn Write, order: impl FnOnce(&mut Vec<&str>)) -> io::Result<()> {
        let mut by_number: Vec<(&str, u32)> = self
            .columns
            .iter()
            .map(|(name, &column)| (&**name, column))
            .collect();
        by_number.sort_unstable_by_key(|&(_, column)| column);
        let mut names: Vec<&str> = by_number.iter().map(|&(name, _)| name).collect();
        order(&mut names);
        // places[column] is where the column stands in a line.
        let mut places = vec![0_usize; names.len()];
        for (place, name) in names.iter().enumerate() {
            if let Some(&column) = self.columns.get(*name) {
                places[column as usize] = place;
            }
        }
        let mut line = Vec::new();
        if !names.is_empty() {
            csv::write_line(&mut line, names.iter().copied());
        }
        out.write_all(&line)?;

        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let mut texts: Vec<String> = vec![String::new(); names.len()];
        for _ in 0..self.rows {
            texts.iter_mut().for_each(String::clear);
            for _ in 0..read_number(&mut reader)? {
                let column = read_number(&mut reader)? as usize;
                let size = u64::from(read_number(&mut reader)?);
                let place = places.get(column).copied().ok_or(io::ErrorKind::InvalidData)?;
                (&mut reader).take(size).read_to_string(&mut texts[place])?;
            }
            line.clear();
            csv::write_line(&mut line, texts.iter().map(String::as_str));
            out.write_all(&line)?;
        }
        Ok(())
    }
}

fn length(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "a cell of 4 GiB or more"))
}

fn read_number(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
