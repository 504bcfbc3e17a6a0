//! What may be a name (inventory §2.5). The server takes more than the official client lets through, and nothing that
//! could be taken for something else.

use crate::store::{StoreError, StoreResult};

/// Longest name of a collection or type, in characters.
const NAME_LIMIT: usize = 128;
/// Longest path of a file in an artifact, in bytes.
const PATH_LIMIT: usize = 4096;
const NAME_FORBIDDEN: &[char] = &['/', '\\', '#', '?', '%', ':'];

fn refused<T>(text: String) -> StoreResult<T> {
    Err(StoreError::Refused(text))
}

/// Checks the name of a collection.
pub(super) fn collection(name: &str) -> StoreResult<()> {
    let sound = !name.is_empty()
        && name.chars().count() <= NAME_LIMIT
        && !name.contains(NAME_FORBIDDEN)
        && !name.contains(char::is_control);
    if sound {
        return Ok(());
    }
    refused(format!(
        "invalid artifact name {name:?}: 1 to {NAME_LIMIT} characters, none of / \\ # ? % :"
    ))
}

/// Checks the name of a type. The official client takes any text for one.
pub(super) fn kind(name: &str) -> StoreResult<()> {
    if !name.is_empty() && name.chars().count() <= NAME_LIMIT && !name.contains(char::is_control) {
        return Ok(());
    }
    refused(format!(
        "invalid artifact type {name:?}: 1 to {NAME_LIMIT} characters, no control characters"
    ))
}

/// The index in `v12`, which names a version.
pub(super) fn version(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('v')?;
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| digits.parse().ok())?
}

/// Checks an alias. `v12` is the name of a version and can be no alias of another.
pub(super) fn alias(alias: &str) -> StoreResult<()> {
    if alias.is_empty() || alias.contains(['/', ':']) || alias.contains(char::is_control) {
        return refused(format!("invalid alias {alias:?}: not empty, none of / :"));
    }
    if version(alias).is_some() {
        return refused(format!(
            "alias {alias:?} is reserved for the version of that index"
        ));
    }
    Ok(())
}

/// Checks a tag: words of letters, digits, `_` and `-`, with spaces in between.
pub(super) fn tag(tag: &str) -> StoreResult<()> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let sound = !tag.is_empty()
        && !tag.starts_with(' ')
        && !tag.ends_with(' ')
        && tag.chars().all(|c| word(c) || c == ' ');
    if sound {
        return Ok(());
    }
    refused(format!("invalid tag {tag:?}: words of letters, digits, _ and -"))
}

/// Checks the path of a file: relative, with `/`, and never up.
pub(super) fn path(path: &str) -> StoreResult<()> {
    let sound = !path.is_empty()
        && path.len() <= PATH_LIMIT
        && !path.contains('\0')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    if sound {
        return Ok(());
    }
    refused(format!("invalid path {path:?} of a file in an artifact"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_things() {
        assert!(collection("model-1.0_x").is_ok() && collection("ü b").is_ok());
        for name in ["", "a/b", "a:b", "a%b", &"x".repeat(129)] {
            assert!(collection(name).is_err(), "{name}");
        }
        assert_eq!((version("v0"), version("v12")), (Some(0), Some(12)));
        for text in ["v", "v-1", "v1a", "12", "v99999999999999999999"] {
            assert_eq!(version(text), None, "{text}");
        }
        assert!(alias("best one").is_ok() && alias("v1-beta").is_ok());
        for name in ["", "a:b", "a/b", "v3"] {
            assert!(alias(name).is_err(), "{name}");
        }
        assert!(tag("two  words").is_ok() && tag(" x").is_err() && tag("a/b").is_err());
        assert!(path("a/b c/#.txt").is_ok());
        for name in ["", "/a", "a/../b", "a//b", "./a", "a\0", "a/"] {
            assert!(path(name).is_err(), "{name}");
        }
    }
}
