//! The outer structure of a manifest, read from a stream.
//!
//! Only brackets, commas and quotes are looked at here; the text of each member is handed on to the scanner of
//! `wandb-core`, which reads the bare non-finite numbers that Python writes and that other JSON readers refuse.

use std::io::{self, Read};

use super::{Limits, ManifestError};

/// Bytes that are read at once.
const BUFFER: usize = 64 * 1024;

/// Walks the structure of one JSON text.
pub(super) struct Splitter<R> {
    reader: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes before `buffer[0]`.
    passed: u64,
    limit: u64,
    depth: usize,
}

/// Where in a value a byte is.
#[derive(Clone, Copy, Default)]
struct Within {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(reader: R, limits: &Limits) -> Self {
        Self {
            reader,
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
            passed: 0,
            limit: limits.bytes,
            depth: limits.depth,
        }
    }

    /// What was read and not yet taken; empty at the end.
    fn rest(&mut self) -> Result<&[u8], ManifestError> {
        while self.start == self.end {
            self.passed += self.end as u64;
            self.start = 0;
            self.end = 0;
            match self.reader.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => self.end = count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ManifestError::Read { source }),
            }
            if self.passed + self.end as u64 > self.limit {
                return Err(ManifestError::TooLarge {
                    what: "too many bytes",
                    limit: self.limit,
                });
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn error<T>(&self, problem: &'static str) -> Result<T, ManifestError> {
        Err(ManifestError::Structure {
            problem,
            offset: self.passed + self.start as u64,
        })
    }

    /// The next byte that is no white space, not taken.
    fn peek(&mut self) -> Result<Option<u8>, ManifestError> {
        loop {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Ok(None);
            }
            match rest
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
            {
                Some(blanks) => {
                    self.start += blanks;
                    return Ok(Some(self.buffer[self.start]));
                }
                None => self.start = self.end,
            }
        }
    }

    fn take(&mut self, byte: u8, problem: &'static str) -> Result<(), ManifestError> {
        if self.peek()? == Some(byte) {
            self.start += 1;
            Ok(())
        } else {
            self.error(problem)
        }
    }

    /// Takes the opening bracket of an object; tells whether a member follows.
    pub(super) fn open(&mut self) -> Result<bool, ManifestError> {
        self.take(b'{', "an object was expected")?;
        if self.peek()? == Some(b'}') {
            self.start += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes the name of a member, with its quotes, and the colon behind it.
    pub(super) fn name(&mut self, text: &mut Vec<u8>, limit: usize) -> Result<(), ManifestError> {
        if self.peek()? != Some(b'"') {
            return self.error("the name of a member was expected");
        }
        self.value(text, limit, "a path that is too long")?;
        self.take(b':', "a colon was expected")
    }

    /// Takes what stands behind a member; tells whether another one follows.
    pub(super) fn next(&mut self) -> Result<bool, ManifestError> {
        match self.peek()? {
            Some(b',') => {
                self.start += 1;
                Ok(true)
            }
            Some(b'}') => {
                self.start += 1;
                Ok(false)
            }
            _ => self.error("a comma or the end of an object was expected"),
        }
    }

    /// Takes the text of one value, whatever it is, into `text`.
    pub(super) fn value(
        &mut self,
        text: &mut Vec<u8>,
        limit: usize,
        what: &'static str,
    ) -> Result<(), ManifestError> {
        text.clear();
        let Some(first) = self.peek()? else {
            return self.error("a value was expected");
        };
        let scalar = !matches!(first, b'"' | b'{' | b'[');
        let mut within = Within::default();
        loop {
            let maximum_depth = self.depth;
            let rest = self.rest()?;
            if rest.is_empty() {
                return match scalar && !text.is_empty() {
                    true => Ok(()),
                    false => self.error("the text ends within a value"),
                };
            }
            let (count, ended) = if scalar {
                let end = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
                (end.unwrap_or(rest.len()), end.is_some())
            } else {
                match within.end(rest, maximum_depth) {
                    Ok(Some(end)) => (end, true),
                    Ok(None) => (rest.len(), false),
                    Err(TooDeep) => {
                        return Err(ManifestError::TooLarge {
                            what: "a value that is nested too deeply",
                            limit: maximum_depth as u64,
                        });
                    }
                }
            };
            if text.len() + count > limit {
                return Err(ManifestError::TooLarge {
                    what,
                    limit: limit as u64,
                });
            }
            text.extend_from_slice(&rest[..count]);
            self.start += count;
            if ended {
                return Ok(());
            }
        }
    }

    /// Checks that only white space is left.
    pub(super) fn end(&mut self) -> Result<(), ManifestError> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => self.error("the text goes on behind the manifest"),
        }
    }
}

struct TooDeep;

impl Within {
    /// Goes on through the text of a string, an object or an array; gives where it ends.
    fn end(&mut self, bytes: &[u8], maximum_depth: usize) -> Result<Option<usize>, TooDeep> {
        for (place, byte) in bytes.iter().enumerate() {
            if self.string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.string = false;
                        if self.depth == 0 {
                            return Ok(Some(place + 1));
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > maximum_depth {
                        return Err(TooDeep);
                    }
                }
                b'}' | b']' => {
                    // The first byte opened a level, so there is one to close.
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(place + 1));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }
}
