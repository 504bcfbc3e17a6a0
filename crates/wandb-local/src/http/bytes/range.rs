//! Conditions and ranges of a download (RFC 9110, sections 13 and 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{self, HeaderValue};

/// Which bytes are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Requested {
    Whole,
    /// Never empty, and within the file.
    Part(Range<u64>),
    Unsatisfiable,
}

/// Whether the receiver has the current bytes already (`If-None-Match`).
pub(super) fn none_match(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| {
            list.split(',')
                .map(str::trim)
                .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == *tag)
        })
}

/// What `Range` and `If-Range` ask for. A range of another unit, a malformed one, several at once, and one of a version
/// that is not current are answered with the whole, as the RFC allows or demands.
pub(super) fn requested(headers: &HeaderMap, tag: &HeaderValue, size: u64) -> Requested {
    // Dates never match: the tag is the only validator that is given out.
    let current = headers.get(header::IF_RANGE).is_none_or(|value| value == tag);
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    match range.filter(|_| current).and_then(parse) {
        None => Requested::Whole,
        Some(Spec::From(first, last)) => {
            let end = last.map_or(size, |last| last.saturating_add(1).min(size));
            if first < end {
                Requested::Part(first..end)
            } else {
                Requested::Unsatisfiable
            }
        }
        Some(Spec::Last(count)) => {
            let first = size.saturating_sub(count);
            if first < size {
                Requested::Part(first..size)
            } else {
                Requested::Unsatisfiable
            }
        }
    }
}

/// A single range as it is written.
enum Spec {
    /// `a-b` and `a-`; the last byte is included.
    From(u64, Option<u64>),
    /// `-n`
    Last(u64),
}

fn parse(text: &str) -> Option<Spec> {
    let (unit, spec) = text.split_once('=')?;
    let (first, last) = spec.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // More digits than a u64 holds still mean a number, one beyond every file.
    let number = |digits: &str| {
        let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    match (number(first), last) {
        (Some(first), "") => Some(Spec::From(first, None)),
        (Some(first), last) => number(last)
            .filter(|last| first <= *last)
            .map(|last| Spec::From(first, Some(last))),
        (None, last) if first.is_empty() => number(last).map(Spec::Last),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(range: &str, size: u64) -> Requested {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(range).unwrap())]);
        requested(&headers, &HeaderValue::from_static("\"tag\""), size)
    }

    #[test]
    fn single_ranges_are_cut_to_the_file() {
        assert_eq!(ask("bytes=0-0", 10), Requested::Part(0..1));
        assert_eq!(ask("bytes=2-4", 10), Requested::Part(2..5));
        assert_eq!(ask("Bytes = 2-", 10), Requested::Part(2..10));
        assert_eq!(ask("bytes=8-99999999999999999999999", 10), Requested::Part(8..10));
        assert_eq!(ask("bytes=-3", 10), Requested::Part(7..10));
        assert_eq!(ask("bytes=-30", 10), Requested::Part(0..10));
        for outside in [
            "bytes=10-",
            "bytes=10-11",
            "bytes=99999999999999999999999-",
            "bytes=-0",
        ] {
            assert_eq!(ask(outside, 10), Requested::Unsatisfiable, "{outside}");
        }
        assert_eq!(ask("bytes=0-", 0), Requested::Unsatisfiable);
        assert_eq!(ask("bytes=-1", 0), Requested::Unsatisfiable);
    }

    #[test]
    fn what_is_not_one_range_of_bytes_is_ignored() {
        for text in [
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=",
            "bytes=-",
            "bytes=4-2",
            "bytes=a-b",
            "bytes 0-1",
            "bytes=+1-2",
        ] {
            assert_eq!(ask(text, 10), Requested::Whole, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_never_empty_nor_outside(text in "bytes=[0-9, -]{0,8}", size in 0..100_u64) {
            if let Requested::Part(part) = ask(&text, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
