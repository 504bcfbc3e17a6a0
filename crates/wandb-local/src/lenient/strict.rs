//! From lenient to strict JSON.

use std::borrow::Cow;

use super::scan::{LenientError, Raw, parse};

/// The strict form of a document; borrowed when it already is strict.
///
/// # Errors
/// The text is not JSON even when the three bare tokens are allowed, or nests deeper than the limit.
pub(crate) fn strict(text: &str) -> Result<Cow<'_, str>, LenientError> {
    let value = parse(text)?;
    if !value.rewrite {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_strict(&mut out, value);
    Ok(Cow::Owned(out))
}

/// Appends the strict form of a checked value.
pub(super) fn push_strict(out: &mut String, value: Raw<'_>) {
    if value.rewrite {
        rewrite(out, value.text);
    } else {
        out.push_str(value.text);
    }
}

/// Copies a checked text, replacing what is not strict. Outside strings, only the tokens contain `N` or `I`.
fn rewrite(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (length, replacement) = match byte {
            b'"' => {
                let length = string_length(&bytes[at..]);
                let string = &text[at..at + length];
                (length, paired(string).map(Cow::Owned))
            }
            b'N' => (3, Some(Cow::Borrowed("\"NaN\""))),
            b'I' => (8, Some(Cow::Borrowed("\"Infinity\""))),
            b'-' if bytes.get(at + 1) == Some(&b'I') => (9, Some(Cow::Borrowed("\"-Infinity\""))),
            b'-' | b'0'..=b'9' => {
                let rest = &bytes[at..];
                let number = rest
                    .iter()
                    .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E'));
                let length = number.unwrap_or(rest.len());
                (length, overflow(&text[at..at + length]).map(Cow::Borrowed))
            }
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            out.push_str(&text[copied..at]);
            out.push_str(&replacement);
            copied = at + length;
        }
        at += length;
    }
    out.push_str(&text[copied..]);
}

/// The name of the infinity that a number overflows to, if it does.
fn overflow(number: &str) -> Option<&'static str> {
    match number.parse::<f64>() {
        Ok(value) if value == f64::INFINITY => Some("\"Infinity\""),
        Ok(value) if value == f64::NEG_INFINITY => Some("\"-Infinity\""),
        _ => None,
    }
}

/// The length of the string that `bytes` begin with, quotes included.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// The string with its unpaired surrogate escapes replaced, if it has any.
fn paired(string: &str) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(offset) = string[at..].find('\\') {
        at += offset;
        let unit = surrogate_at(string, at);
        let Some(unit) = unit else {
            // The escaped character may be a backslash itself; step over both.
            at += 2;
            continue;
        };
        let low_follows = surrogate_at(string, at + 6).is_some_and(|low| low >= 0xDC00);
        if unit < 0xDC00 && low_follows {
            at += 12;
        } else {
            out.push_str(&string[copied..at]);
            out.push('\u{FFFD}');
            at += 6;
            copied = at;
        }
    }
    (copied > 0).then(|| out + &string[copied..])
}

/// The surrogate unit escaped at `at`, if one is.
fn surrogate_at(string: &str, at: usize) -> Option<u16> {
    let digits = string.get(at..at + 6)?.strip_prefix("\\u")?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xD800..0xE000).contains(&unit).then_some(unit)
}
