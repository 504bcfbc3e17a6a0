//! Entity tags as digests.

/// The object behind an address is not the one that was logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entity tag is {} where {expected:?} was recorded", describe(actual.as_deref()))]
pub struct EtagFault {
    expected: String,
    actual: Option<String>,
}

fn describe(tag: Option<&str>) -> String {
    tag.map_or_else(|| "missing".to_owned(), |tag| format!("{tag:?}"))
}

/// A tag without its quotes, as digests have it (official: the quotes are stripped, a weak tag's mark stays).
#[must_use]
pub fn unquoted(tag: &str) -> &str {
    tag.trim().trim_matches('"')
}

/// Compares the tag of an answer with the digest of a reference. A reference that was logged without a tag has its address
/// as digest, and nothing can be compared then.
///
/// # Errors
/// When they differ, or the answer has none.
pub fn check_etag(digest: &str, address: &str, tag: Option<&str>) -> Result<(), EtagFault> {
    if digest == address {
        return Ok(());
    }
    // Python strips quotes from the ends only, so a weak tag is recorded as `W/"x`.
    let simple = |tag: &str| -> String { tag.chars().filter(|&character| character != '"').collect() };
    match tag {
        Some(tag) if unquoted(tag) == unquoted(digest) || simple(tag) == simple(digest) => Ok(()),
        _ => Err(EtagFault {
            expected: digest.chars().take(200).collect(),
            actual: tag.map(|tag| tag.chars().take(200).collect()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_without_quotes() {
        let address = "https://h/x";
        for (digest, tag, is_right) in [
            ("abc", Some("\"abc\""), true),
            ("abc", Some("abc"), true),
            ("W/\"abc", Some("W/\"abc\""), true),
            ("abc", Some("\"abd\""), false),
            ("abc", None, false),
            (address, None, true),
            (address, Some("\"abc\""), true),
        ] {
            assert_eq!(
                check_etag(digest, address, tag).is_ok(),
                is_right,
                "{digest} {tag:?}"
            );
        }
        let fault = check_etag("abc", address, None).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the entity tag is missing where \"abc\" was recorded"
        );
    }
}
