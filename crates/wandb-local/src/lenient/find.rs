//! Finding a dotted path in a document.
//!
//! Users write `config.optimizer.lr` for nested values, and also have keys that contain dots. At every level the literal
//! key wins over the path: `a.b` is the key `"a.b"` if there is one, else `b` inside the object `a`. Splits are tried from
//! the shortest first part on. Arrays are not entered.

use super::scan::{Kind, LenientError, Raw, members, unescape};

/// What stands at `path` in the object `document`; `None` if nothing does.
///
/// Each nested object is visited at most once for a given path, since the keys that lead to it fix what remains of the
/// path: the cost is linear in the document.
///
/// # Errors
/// The part of the document that had to be read is not JSON.
pub(crate) fn find<'a>(document: &'a str, path: &str) -> Result<Option<Raw<'a>>, LenientError> {
    let mut nested: Vec<(usize, Raw<'a>)> = Vec::new();
    let dotted = path.contains('.');
    for member in members(document)? {
        let (key, value) = member?;
        let key = unescape(key);
        if key == path {
            return Ok(Some(value));
        }
        if dotted && value.kind == Kind::Object && leads_to(&key, path) {
            nested.push((key.len(), value));
        }
    }
    nested.sort_by_key(|(length, _)| *length);
    nested.dedup_by_key(|(length, _)| *length);
    for (length, object) in nested {
        // Each level uses up at least the dot, and the scanner has bounded the depth of the document.
        if let Some(found) = find(object.text, &path[length + 1..])? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether `path` goes on with a dot after `key`.
pub(super) fn leads_to(key: &str, path: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
}

/// As [`find`] in an unwrapped config, also for paths that name the wrapper: `lr.value` (the web front end's spelling)
/// finds `lr`, and `optimizer.value.lr` finds `lr` in `optimizer`. The path as it stands wins.
///
/// # Errors
/// As [`find`].
pub(crate) fn find_config<'a>(config: &'a str, path: &str) -> Result<Option<Raw<'a>>, LenientError> {
    if let Some(found) = find(config, path)? {
        return Ok(Some(found));
    }
    for (at, component) in path.match_indices(".value") {
        let rest = &path[at + component.len()..];
        if !(rest.is_empty() || rest.starts_with('.')) {
            continue;
        }
        if let Some(found) = find(config, &format!("{}{rest}", &path[..at]))? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
