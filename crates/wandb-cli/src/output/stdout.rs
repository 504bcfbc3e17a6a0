//! Buffered stdout.

use std::io::{self, BufWriter, Write};

/// Enough that a system call is paid for many rows.
const CAPACITY: usize = 64 * 1024;

/// Stdout behind a buffer that is written when it is full, when the program waits for more data, and at the end.
#[derive(Debug)]
pub(crate) struct Stdout {
    inner: BufWriter<io::Stdout>,
}

impl Stdout {
    /// The process's stdout.
    pub(crate) fn new() -> Self {
        Self {
            inner: BufWriter::with_capacity(CAPACITY, io::stdout()),
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
