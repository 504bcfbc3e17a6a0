//! Text as a terminal shows it: display width, clean single lines, cutting with an ellipsis.
//!
//! Everything that comes from a server is shown through [`single_line`], so that a run name cannot move the cursor,
//! change colours or break a table.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of terminal columns that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    // ASCII is by far the most common content of a cell, and needs no table look-up.
    if text.is_ascii() { text.len() } else { text.width() }
}

/// `text` with every control character (line breaks, tabs, escape sequences, bidirectional overrides) made visible.
pub(crate) fn single_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => clean.push('⏎'),
            '\r' => {}
            '\t' => clean.push(' '),
            other if is_unsafe(other) => clean.push('\u{fffd}'),
            other => clean.push(other),
        }
    }
    Cow::Owned(clean)
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The longest beginning of `text` that fits `limit` columns, ending in `…` if anything was cut.
pub(crate) fn truncate(text: &str, limit: usize) -> Cow<'_, str> {
    if width(text) <= limit {
        return Cow::Borrowed(text);
    }
    if limit == 0 {
        return Cow::Borrowed("");
    }
    let mut cut = String::new();
    let mut used = 0;
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns > limit - 1 {
            break;
        }
        used += columns;
        cut.push(character);
    }
    cut.push('…');
    // A sequence of characters can be wider than the sum of its parts (emoji presentation selectors).
    while width(&cut) > limit {
        cut.pop();
        cut.pop();
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// `1` and `run` or `2` and `runs`, with the number grouped by thousands.
pub(crate) fn counted(count: u64, singular: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", grouped(count))
}

/// A number with its thousands grouped: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes for people, in binary units: `17 B`, `1.5 KiB`, `2.0 GiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be rounded up to `1024.0`.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A floating-point number for a table: at most six significant digits, no superfluous zeros, exponents where short.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs();
    if magnitude.fract() == 0.0 && magnitude < 1e15 {
        return format!("{value:.0}");
    }
    if (1e9..1e15).contains(&magnitude) {
        // Times and counts: digits say more than an exponent.
        return format!("{value:.0}");
    }
    if !(1e-4..1e9).contains(&magnitude) {
        let text = format!("{value:.5e}");
        // `1.50000e-7` reads better as `1.5e-7`.
        return match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", without_trailing_zeros(mantissa)),
            None => text,
        };
    }
    let decimals = (5 - magnitude.log10().floor() as i64).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    without_trailing_zeros(&text).to_owned()
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_columns_and_not_bytes() {
        assert_eq!(width("loss"), 4);
        assert_eq!(width("損失"), 4);
        assert_eq!(width("é"), 1);
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(single_line("a\nb\tc"), "a⏎b c");
        assert_eq!(single_line("\u{1b}[31mred\u{202e}"), "\u{fffd}[31mred\u{fffd}");
        assert!(matches!(single_line("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn truncates_on_columns() {
        assert_eq!(truncate("abcdef", 6), "abcdef");
        assert_eq!(truncate("abcdef", 4), "abc…");
        assert_eq!(truncate("損失損失", 5), "損失…");
        assert_eq!(truncate("損失損失", 4), "損…");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(truncate("abc", 1), "…");
    }

    #[test]
    fn numbers_are_short_and_true() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-3.0, "-3"),
            (0.123_456_789, "0.123457"),
            (1_234.567_89, "1234.57"),
            (0.001, "0.001"),
            (0.000_01, "1e-5"),
            (1.5e-7, "1.5e-7"),
            (2.5e12, "2500000000000"),
            (2.5e18, "2.5e18"),
            (1_794_990_000.25, "1794990000"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (99.999_999, "100"),
        ] {
            assert_eq!(number(value), expected, "{value}");
        }
    }

    #[test]
    fn sizes_and_counts() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123), "123");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(1200, "row"), "1,200 rows");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn truncation_never_exceeds_the_limit(text in ".{0,40}", limit in 0usize..30) {
            let clean = single_line(&text).into_owned();
            prop_assert!(width(&truncate(&clean, limit)) <= limit);
        }

        #[test]
        fn a_shown_number_is_near_its_value(value in proptest::num::f64::NORMAL) {
            let shown: f64 = number(value).parse().unwrap();
            prop_assert!((shown - value).abs() <= value.abs() * 1e-5, "{} shown as {}", value, number(value));
        }
    }
}
