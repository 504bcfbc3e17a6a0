//! The scanner: finds where values begin and end, and checks them, without building anything.

use std::borrow::Cow;

use thiserror::Error;

/// The deepest nesting accepted. `serde_json` gives up at 128 and readers wrap rows in a few levels of their own.
pub(crate) const MAX_DEPTH: usize = 120;

/// Why a text is not JSON, even leniently.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid JSON at byte {offset}: {reason}")]
pub(crate) struct LenientError {
    /// Where the scanner stopped, in bytes from the start of the text.
    pub(crate) offset: usize,
    /// What it wanted there.
    pub(crate) reason: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    /// A finite number (or one with so many digits that it overflows a double).
    Number,
    /// One of the bare tokens `NaN`, `Infinity`, `-Infinity`.
    NonFinite,
    String,
    Array,
    Object,
}

/// A checked value inside a larger text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    /// The value's text, without blanks around it.
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
    /// The text is not its own strict form (see the module header).
    pub(crate) rewrite: bool,
}

/// Bytes that end a run of plain characters inside a string: the quote, the backslash and control characters.
const STRING_STOP: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// A position in a text. Every method either moves forward or fails.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

/// Whether a string needs work before it can be used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StringFacts {
    /// It holds at least one escape.
    pub(super) escaped: bool,
    /// It holds an unpaired surrogate escape.
    pub(super) unpaired: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn error<T>(&self, reason: &'static str) -> Result<T, LenientError> {
        Err(LenientError {
            offset: self.position,
            reason,
        })
    }

    pub(super) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.position += 1;
        }
    }

    /// Takes `byte` if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), LenientError> {
        if self.take(byte) {
            Ok(())
        } else {
            self.error(reason)
        }
    }

    pub(super) fn expect_end(&mut self) -> Result<(), LenientError> {
        self.skip_blanks();
        if self.position == self.text.len() {
            Ok(())
        } else {
            self.error("unexpected text after the value")
        }
    }

    /// A string with its quotes; the text returned is what stands between them.
    pub(super) fn string(&mut self) -> Result<(&'a str, StringFacts), LenientError> {
        self.expect(b'"', "expected a string")?;
        let bytes = self.text.as_bytes();
        let start = self.position;
        let mut facts = StringFacts::default();
        loop {
            while let Some(&byte) = bytes.get(self.position)
                && !STRING_STOP[usize::from(byte)]
            {
                self.position += 1;
            }
            match self.peek() {
                Some(b'"') => {
                    let inner = &self.text[start..self.position];
                    self.position += 1;
                    return Ok((inner, facts));
                }
                Some(b'\\') => {
                    facts.escaped = true;
                    facts.unpaired |= self.escape()?;
                }
                Some(_) => return self.error("control character in a string"),
                None => return self.error("unterminated string"),
            }
        }
    }

    /// One escape, or a surrogate pair of two; says whether it was an unpaired surrogate.
    fn escape(&mut self) -> Result<bool, LenientError> {
        self.position += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.position += 1;
                Ok(false)
            }
            Some(b'u') => {
                let unit = hex_unit(self.text.as_bytes(), self.position + 1);
                let Some(unit) = unit else {
                    return self.error("expected four hexadecimal digits");
                };
                self.position += 5;
                if !(0xD800..0xE000).contains(&unit) {
                    return Ok(false);
                }
                let bytes = self.text.as_bytes();
                let low = (unit < 0xDC00 && bytes[self.position..].starts_with(b"\\u"))
                    .then(|| hex_unit(bytes, self.position + 2))
                    .flatten()
                    .filter(|low| (0xDC00..0xE000).contains(low));
                if low.is_some() {
                    self.position += 6;
                }
                Ok(low.is_none())
            }
            _ => self.error("unknown escape"),
        }
    }

    fn literal(&mut self, literal: &'static str, reason: &'static str) -> Result<(), LenientError> {
        if self.text.as_bytes()[self.position..].starts_with(literal.as_bytes()) {
            self.position += literal.len();
            Ok(())
        } else {
            self.error(reason)
        }
    }

    fn digits(&mut self) -> Result<(), LenientError> {
        let start = self.position;
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        if self.position > start {
            Ok(())
        } else {
            self.error("expected a digit")
        }
    }

    /// A number, or `-Infinity`; says which, and whether a double cannot hold it.
    fn number(&mut self) -> Result<(Kind, bool), LenientError> {
        let start = self.position;
        if self.take(b'-') && self.peek() == Some(b'I') {
            self.literal("Infinity", "expected -Infinity")?;
            return Ok((Kind::NonFinite, true));
        }
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        let exponent = self.take(b'e') || self.take(b'E');
        if exponent {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        // Without an exponent, only more than 308 digits can leave the range of a double.
        let text = &self.text[start..self.position];
        let overflows = (exponent || text.len() > 308) && text.parse::<f64>().is_ok_and(f64::is_infinite);
        Ok((Kind::Number, overflows))
    }

    /// Anything but an array or object.
    fn scalar(&mut self) -> Result<(Kind, bool), LenientError> {
        match self.peek() {
            Some(b'"') => {
                let (_, facts) = self.string()?;
                Ok((Kind::String, facts.unpaired))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self
                .literal("null", "expected null")
                .map(|()| (Kind::Null, false)),
            Some(b't') => self
                .literal("true", "expected true")
                .map(|()| (Kind::Bool, false)),
            Some(b'f') => self
                .literal("false", "expected false")
                .map(|()| (Kind::Bool, false)),
            Some(b'N') => self
                .literal("NaN", "expected NaN")
                .map(|()| (Kind::NonFinite, true)),
            Some(b'I') => self
                .literal("Infinity", "expected Infinity")
                .map(|()| (Kind::NonFinite, true)),
            Some(_) => self.error("expected a value"),
            None => self.error("unexpected end of text"),
        }
    }

    /// A key and its colon, inside an object.
    pub(super) fn key(&mut self) -> Result<(&'a str, StringFacts), LenientError> {
        self.skip_blanks();
        let key = self.string()?;
        self.skip_blanks();
        self.expect(b':', "expected a colon after a key")?;
        Ok(key)
    }

    /// A whole value, checked to its end. Nesting is tracked in a bit set (one bit a level: object or array), so that
    /// hostile input costs neither stack nor heap.
    pub(super) fn value(&mut self) -> Result<Raw<'a>, LenientError> {
        self.skip_blanks();
        let start = self.position;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            _ => {
                let (kind, rewrite) = self.scalar()?;
                return Ok(Raw {
                    text: &self.text[start..self.position],
                    kind,
                    rewrite,
                });
            }
        };
        let mut objects: u128 = 0;
        let mut depth = 0;
        let mut rewrite = false;
        'value: loop {
            self.skip_blanks();
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    if depth == MAX_DEPTH {
                        return self.error("nested too deeply");
                    }
                    self.position += 1;
                    depth += 1;
                    let object = open == b'{';
                    objects = (objects << 1) | u128::from(object);
                    self.skip_blanks();
                    let close = if object { b'}' } else { b']' };
                    if self.peek() != Some(close) {
                        if object {
                            rewrite |= self.key()?.1.unpaired;
                        }
                        continue 'value;
                    }
                }
                _ => rewrite |= self.scalar()?.1,
            }
            // A value has ended (or a container is about to): close what closes, then go on to the next one.
            while depth > 0 {
                self.skip_blanks();
                let object = objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.position += 1;
                        if object {
                            rewrite |= self.key()?.1.unpaired;
                        }
                        continue 'value;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    Some(_) => return self.error("expected a comma or the end of the container"),
                    None => return self.error("unexpected end of text"),
                }
                self.position += 1;
                depth -= 1;
                objects >>= 1;
            }
            return Ok(Raw {
                text: &self.text[start..self.position],
                kind,
                rewrite,
            });
        }
    }
}

/// The UTF-16 unit written as four hexadecimal digits at `at`.
fn hex_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0u16, |unit, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some((unit << 4) | value as u16)
    })
}

/// Checks a whole document.
pub(crate) fn parse(text: &str) -> Result<Raw<'_>, LenientError> {
    let mut scanner = Scanner::new(text);
    let value = scanner.value()?;
    scanner.expect_end()?;
    Ok(value)
}

/// The inside of a string with its escapes resolved. `raw` comes from the scanner, so its escapes are well formed;
/// an unpaired surrogate becomes U+FFFD.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(first) = raw.find('\\') else {
        return Cow::Borrowed(raw);
    };
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(at) = next {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else { break };
        rest = &rest[escape.len_utf8()..];
        match escape {
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => {
                let unit = hex_unit(rest.as_bytes(), 0).unwrap_or(0xFFFD);
                rest = rest.get(4..).unwrap_or_default();
                let low = rest
                    .strip_prefix("\\u")
                    .and_then(|low| hex_unit(low.as_bytes(), 0));
                let mut units = char::decode_utf16([Some(unit), low].into_iter().flatten());
                let character = units.next().and_then(Result::ok);
                if character.is_some_and(|character| character as u32 > 0xFFFF) {
                    rest = rest.get(6..).unwrap_or_default();
                }
                text.push(character.unwrap_or('\u{FFFD}'));
            }
            other => text.push(other),
        }
        next = rest.find('\\');
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The members of an object, in order, checked as they are reached. Ends after the first error.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    scanner: Scanner<'a>,
    state: MemberState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberState {
    First,
    Later,
    Ended,
}

/// The members of the object in `text`; anything but an object is an error.
pub(crate) fn members(text: &str) -> Result<Members<'_>, LenientError> {
    let mut scanner = Scanner::new(text);
    scanner.skip_blanks();
    scanner.expect(b'{', "expected an object")?;
    Ok(Members {
        scanner,
        state: MemberState::First,
    })
}

impl<'a> Members<'a> {
    fn advance(&mut self) -> Result<Option<(&'a str, Raw<'a>)>, LenientError> {
        let scanner = &mut self.scanner;
        scanner.skip_blanks();
        if scanner.take(b'}') {
            scanner.expect_end()?;
            return Ok(None);
        }
        if self.state == MemberState::Later {
            scanner.expect(b',', "expected a comma or the end of the object")?;
        }
        let (key, _) = scanner.key()?;
        let value = scanner.value()?;
        self.state = MemberState::Later;
        Ok(Some((key, value)))
    }
}

impl<'a> Iterator for Members<'a> {
    /// The key as written (see [`unescape`]) and the value.
    type Item = Result<(&'a str, Raw<'a>), LenientError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == MemberState::Ended {
            return None;
        }
        let item = self.advance().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.state = MemberState::Ended;
        }
        item
    }
}

/// The elements of the array in `text`, which the scanner has checked; none if it is not an array.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = Raw<'_>> {
    let mut scanner = Scanner::new(text);
    scanner.skip_blanks();
    let mut open = scanner.take(b'[');
    scanner.skip_blanks();
    open &= !scanner.take(b']');
    std::iter::from_fn(move || {
        if !open {
            return None;
        }
        let element = scanner.value().ok();
        scanner.skip_blanks();
        open = element.is_some() && scanner.take(b',');
        element
    })
}
