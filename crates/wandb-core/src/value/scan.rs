//! The scanner: JSON text with bare non-finite tokens, read once from left to right.
//!
//! It is public so that hot paths (history rows, config unwrapping) can walk a text without building values that they
//! would throw away.

use std::{borrow::Cow, ops::Range};

use super::{Map, Value};

/// How deep a value may be nested. Deeper texts are an error, so that no input can exhaust the stack.
pub const MAX_DEPTH: usize = 192;

/// Why a text is not a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset} of a JSON text")]
pub struct ParseValueError {
    problem: &'static str,
    offset: usize,
}

impl ParseValueError {
    /// Where in the text the problem is, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// Walks one JSON text.
#[derive(Debug, Clone)]
pub struct Scanner<'text> {
    text: &'text str,
    bytes: &'text [u8],
    at: usize,
    depth: usize,
    /// Whether something was seen that strict JSON cannot hold as it stands: a bare token, a number beyond the floats, a
    /// lone surrogate.
    irregular: bool,
}

impl<'text> Scanner<'text> {
    /// A scanner at the start of a text.
    #[must_use]
    pub fn new(text: &'text str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
            irregular: false,
        }
    }

    fn error<T>(&self, problem: &'static str) -> Result<T, ParseValueError> {
        Err(ParseValueError {
            problem,
            offset: self.at,
        })
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The first byte of what comes next, blanks skipped.
    pub fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.bytes.get(self.at).copied()
    }

    /// Where the scanner is, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    fn take(&mut self, byte: u8, problem: &'static str) -> Result<(), ParseValueError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.error(problem)
        }
    }

    /// Checks that only blanks are left.
    ///
    /// # Errors
    /// When the text goes on.
    pub fn end(&mut self) -> Result<(), ParseValueError> {
        if self.peek().is_none() {
            Ok(())
        } else {
            self.error("unexpected text after the value")
        }
    }

    /// Walks an object: `visit` is called behind each `"key":` and must consume exactly one value.
    ///
    /// # Errors
    /// When the text is no object here, or `visit` fails.
    pub fn object(
        &mut self,
        mut visit: impl FnMut(&mut Self, Cow<'text, str>) -> Result<(), ParseValueError>,
    ) -> Result<(), ParseValueError> {
        self.take(b'{', "an object was expected")?;
        self.enter()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let key = self.string()?;
                self.take(b':', "a colon was expected")?;
                visit(self, key)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.error("a comma or the end of an object was expected"),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Walks an array: `visit` must consume exactly one value each time.
    ///
    /// # Errors
    /// When the text is no array here, or `visit` fails.
    pub fn array(
        &mut self,
        mut visit: impl FnMut(&mut Self) -> Result<(), ParseValueError>,
    ) -> Result<(), ParseValueError> {
        self.take(b'[', "an array was expected")?;
        self.enter()?;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                visit(self)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.error("a comma or the end of an array was expected"),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), ParseValueError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.error("nesting is too deep")
        } else {
            Ok(())
        }
    }

    /// Reads a string.
    ///
    /// A lone surrogate escape becomes U+FFFD: Python can write one, a Rust text cannot hold it.
    ///
    /// # Errors
    /// When the text is no string here.
    pub fn string(&mut self) -> Result<Cow<'text, str>, ParseValueError> {
        self.take(b'"', "a string was expected")?;
        let start = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let text = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                Some(b'\\') => return self.escaped_string(start),
                Some(0..=0x1f) => return self.error("a control character in a string"),
                Some(_) => self.at += 1,
                None => return self.error("a string without an end"),
            }
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<Cow<'text, str>, ParseValueError> {
        let mut text = String::with_capacity((self.at - start) * 2);
        let mut run = start;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    text.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    text.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    text.push(self.escape()?);
                    run = self.at;
                }
                Some(0..=0x1f) => return self.error("a control character in a string"),
                Some(_) => self.at += 1,
                None => return self.error("a string without an end"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseValueError> {
        let Some(&byte) = self.bytes.get(self.at) else {
            return self.error("a string without an end");
        };
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if (0xd800..0xdc00).contains(&first)
                    && self.bytes.get(self.at) == Some(&b'\\')
                    && self.bytes.get(self.at + 1) == Some(&b'u')
                {
                    let before = self.at;
                    self.at += 2;
                    let second = self.hex()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = before;
                }
                char::from_u32(first).unwrap_or_else(|| {
                    self.irregular = true;
                    char::REPLACEMENT_CHARACTER
                })
            }
            _ => return self.error("an unknown escape in a string"),
        })
    }

    fn hex(&mut self) -> Result<u32, ParseValueError> {
        let digits = self.bytes.get(self.at..self.at + 4);
        let code = digits.and_then(|digits| {
            digits.iter().try_fold(0_u32, |code, &digit| {
                char::from(digit).to_digit(16).map(|value| code * 16 + value)
            })
        });
        match code {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.error("four hexadecimal digits were expected"),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    /// Reads a number, including `NaN`, `Infinity` and `-Infinity`.
    ///
    /// # Errors
    /// When the text is no number here.
    pub fn number(&mut self) -> Result<Value, ParseValueError> {
        if let Some(number) = self.token() {
            return Ok(Value::Float(number));
        }
        let range = self.number_range()?;
        let text = &self.text[range];
        if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) || text == "-0" {
            // The grammar was checked, so this parses; out of range gives an infinity, as in Python.
            return Ok(Value::Float(text.parse().unwrap_or(f64::NAN)));
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Value::Int(number));
        }
        if let Ok(number) = text.parse::<u64>() {
            return Ok(Value::UInt(number));
        }
        Ok(Value::BigInt(text.into()))
    }

    /// Consumes one of the three bare tokens.
    fn token(&mut self) -> Option<f64> {
        let number = match self.peek()? {
            b'N' if self.word("NaN") => f64::NAN,
            b'I' if self.word("Infinity") => f64::INFINITY,
            b'-' if self.word("-Infinity") => f64::NEG_INFINITY,
            _ => return None,
        };
        self.irregular = true;
        Some(number)
    }

    /// Consumes the characters of a strict JSON number.
    fn number_range(&mut self) -> Result<Range<usize>, ParseValueError> {
        let start = self.at;
        let mut at = start;
        let digits = |at: &mut usize| {
            let from = *at;
            while self.bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at - from
        };
        if self.bytes.get(at) == Some(&b'-') {
            at += 1;
        }
        let leading_zero = self.bytes.get(at) == Some(&b'0');
        let count = digits(&mut at);
        let mut fine = count > 0 && !(leading_zero && count > 1);
        if self.bytes.get(at) == Some(&b'.') {
            at += 1;
            fine &= digits(&mut at) > 0;
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(at) {
                at += 1;
            }
            fine &= digits(&mut at) > 0;
        }
        if !fine {
            return self.error("a value was expected");
        }
        self.at = at;
        Ok(start..at)
    }

    /// Reads one value of any type.
    ///
    /// # Errors
    /// When there is no value here.
    pub fn value(&mut self) -> Result<Value, ParseValueError> {
        match self.peek() {
            Some(b'{') => {
                let mut entries = Vec::new();
                self.object(|scanner, key| {
                    let value = scanner.value()?;
                    entries.push((key.into(), value));
                    Ok(())
                })?;
                Ok(Value::Map(Map::from_entries(entries)))
            }
            Some(b'[') => {
                let mut list = Vec::new();
                self.array(|scanner| {
                    list.push(scanner.value()?);
                    Ok(())
                })?;
                Ok(Value::List(list))
            }
            Some(b'"') => Ok(Value::String(self.string()?.into_owned())),
            Some(b't') if self.word("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.word("false") => Ok(Value::Bool(false)),
            Some(b'n') if self.word("null") => Ok(Value::Null),
            _ => self.number(),
        }
    }

    /// Passes over one value and gives its text.
    ///
    /// # Errors
    /// When there is no value here.
    pub fn skip(&mut self) -> Result<&'text str, ParseValueError> {
        self.skip_blanks();
        let start = self.at;
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(|scanner, _| scanner.skip().map(|_| ()))?,
            Some(b'[') => self.array(|scanner| scanner.skip().map(|_| ()))?,
            Some(b'"') => {
                self.string()?;
            }
            Some(b't') if self.word("true") => {}
            Some(b'f') if self.word("false") => {}
            Some(b'n') if self.word("null") => {}
            _ => {
                if self.token().is_none() {
                    let range = self.number_range()?;
                    self.irregular |= is_beyond_floats(&self.text[range]);
                }
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// Copies one value as strict JSON: as it stands, unless it holds what strict JSON cannot (then as
    /// [`Value::write_json`]): a bare token, a number beyond the floats, a lone surrogate.
    ///
    /// # Errors
    /// When there is no value here.
    pub fn copy_strict(&mut self, out: &mut Vec<u8>) -> Result<(), ParseValueError> {
        self.irregular = false;
        let text = self.skip()?;
        if self.irregular {
            Value::parse(text)?.write_json(out);
        } else {
            out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }
}

/// Whether a number that is no integer is beyond the range of floats; only an exponent or very many digits make it so.
fn is_beyond_floats(text: &str) -> bool {
    let may_be = text.len() > 300 || text.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    may_be
        && text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
        && text.parse::<f64>().is_ok_and(f64::is_infinite)
}
