//! Decision records: `docs/decisions/NNNN-title.md`, numbered from 0001 without a gap.

use std::collections::BTreeMap;
use std::path::Path;

use crate::failure::{Failure, Result};

/// The file names in `docs/decisions`, sorted; none without the folder.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("docs/decisions");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let cannot_read = |cause| Failure::about(format!("cannot read {}", folder.display()), cause);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(cannot_read)? {
        names.push(
            entry
                .map_err(cannot_read)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

/// Names of another form, numbers that are used twice, and gaps.
pub(super) fn check(names: &[String]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut numbers: BTreeMap<u32, &str> = BTreeMap::new();
    for name in names.iter().filter(|name| *name != "README.md") {
        let Some(number) = number_of(name) else {
            broken.push(format!("docs/decisions/{name} is not named NNNN-title.md"));
            continue;
        };
        if let Some(other) = numbers.insert(number, name) {
            broken.push(format!("docs/decisions/{other} and {name} have the same number"));
        }
    }
    for (expected, (number, name)) in (1..).zip(&numbers) {
        if expected != *number {
            broken.push(format!("docs/decisions/{name} should be number {expected:04}"));
            break;
        }
    }
    broken
}

fn number_of(name: &str) -> Option<u32> {
    let (digits, title) = name.strip_suffix(".md")?.split_once('-')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if digits.len() != 4 || title.is_empty() || !title.bytes().all(plain) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_names(names: &[&str]) -> Vec<String> {
        check(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_plain_sequence_is_fine() {
        assert!(check_names(&["0001-one.md", "0002-two-things.md", "README.md"]).is_empty());
        assert!(check_names(&[]).is_empty());
    }

    #[test]
    fn wrong_names_gaps_and_twins_are_found() {
        assert_eq!(
            check_names(&["1-one.md"]),
            ["docs/decisions/1-one.md is not named NNNN-title.md"]
        );
        assert_eq!(check_names(&["0001-One Thing.md"]).len(), 1);
        assert_eq!(
            check_names(&["0001-a.md", "0003-b.md"]),
            ["docs/decisions/0003-b.md should be number 0002"]
        );
        assert_eq!(
            check_names(&["0001-a.md", "0001-b.md"]),
            ["docs/decisions/0001-a.md and 0001-b.md have the same number"]
        );
    }
}
