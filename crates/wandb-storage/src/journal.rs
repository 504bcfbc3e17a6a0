//! Which pieces of a file that is fetched in parallel ranges are on the disk.
//!
//! The journal lies beside the part and is appended to after a piece was written. It is a hint and no proof: the whole file
//! is compared with its digest in any case, so a journal that outlived a power failure costs time and no correctness.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use cap_std::fs::OpenOptions;

use crate::Directory;

/// The longest journal that is read, in bytes: a line per piece, 100,000 pieces.
const LONGEST: u64 = 1 << 20;

/// The pieces of one part.
#[derive(Debug)]
pub struct RangeJournal {
    file: File,
    head: String,
    done: Vec<bool>,
}

impl RangeJournal {
    /// Opens the journal of a part. What it says counts only if its head is the given one (object, size, cut); else it begins
    /// anew.
    pub(crate) fn open(directory: &Directory, name: &str, head: &str, pieces: usize) -> io::Result<Self> {
        let mut file = directory
            .handle()
            .open_with(name, OpenOptions::new().read(true).write(true).create(true))?
            .into_std();
        let mut text = Vec::new();
        Read::by_ref(&mut file).take(LONGEST).read_to_end(&mut text)?;
        let mut journal = Self {
            file,
            head: head.to_owned(),
            done: vec![false; pieces],
        };
        if !journal.read(&text) {
            journal.done.fill(false);
            journal.rewrite()?;
        }
        Ok(journal)
    }

    /// Whether the text is a journal of the same object.
    fn read(&mut self, text: &[u8]) -> bool {
        // A last line without its end was cut off by a kill.
        let Some(end) = text.iter().rposition(|&byte| byte == b'\n') else {
            return false;
        };
        let Ok(text) = std::str::from_utf8(&text[..end]) else {
            return false;
        };
        let mut lines = text.split('\n');
        if lines.next() != Some(self.head.as_str()) {
            return false;
        }
        for line in lines {
            match line
                .parse::<usize>()
                .ok()
                .and_then(|piece| self.done.get_mut(piece))
            {
                Some(done) => *done = true,
                None => return false,
            }
        }
        true
    }

    fn rewrite(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        self.file.write_all(format!("{}\n", self.head).as_bytes())
    }

    /// Whether a piece is complete on the disk.
    #[must_use]
    pub fn is_done(&self, piece: usize) -> bool {
        self.done.get(piece).copied().unwrap_or(false)
    }

    /// Notes that a piece is complete.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note(&mut self, piece: usize) -> io::Result<()> {
        if let Some(done) = self.done.get_mut(piece)
            && !*done
        {
            *done = true;
            self.file.seek(SeekFrom::End(0))?;
            self.file.write_all(format!("{piece}\n").as_bytes())?;
        }
        Ok(())
    }
}
