//! Names that are to be added to a list and taken out of it: aliases, tags.

use std::collections::BTreeSet;

/// What of a list of names is to change. A name is either added or removed: the last word counts.
#[derive(Debug, Clone, Default)]
pub(super) struct NamesChange {
    add: BTreeSet<String>,
    remove: BTreeSet<String>,
}

impl NamesChange {
    pub(super) fn add(&mut self, name: String) {
        self.remove.remove(&name);
        self.add.insert(name);
    }

    pub(super) fn remove(&mut self, name: String) {
        self.add.remove(&name);
        self.remove.insert(name);
    }

    /// All names that are wanted, there or not.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.add.iter().map(String::as_str)
    }

    /// What a list lacks.
    pub(super) fn missing(&self, there: &[String]) -> Vec<String> {
        let lacking = self.add.iter().filter(|name| !there.contains(name));
        lacking.cloned().collect()
    }

    /// What a list has and should not have.
    pub(super) fn superfluous(&self, there: &[String]) -> Vec<String> {
        let present = self.remove.iter().filter(|name| there.contains(name));
        present.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_only_differences_are_told() {
        let mut change = NamesChange::default();
        for name in ["a", "b", "c"] {
            change.add(name.to_owned());
        }
        change.remove("b".to_owned());
        change.remove("d".to_owned());
        change.add("d".to_owned());
        let there = ["a".to_owned(), "b".to_owned()];
        assert_eq!(change.wanted().collect::<Vec<_>>(), ["a", "c", "d"]);
        assert_eq!(change.missing(&there), ["c", "d"]);
        assert_eq!(change.superfluous(&there), ["b"]);
        assert!(change.superfluous(&[]).is_empty());
    }
}
