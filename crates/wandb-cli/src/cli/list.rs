//! Comma-separated lists of keys.

use std::convert::Infallible;
use std::str::FromStr;

/// `a,b` as one option value. A comma inside a key is written `\,`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyList(Vec<String>);

impl FromStr for KeyList {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut keys = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' if characters.peek() == Some(&',') => {
                    characters.next();
                    push(&mut keys, ',');
                }
                ',' => keys.push(String::new()),
                other => push(&mut keys, other),
            }
        }
        Ok(Self(keys.into_iter().map(|key| key.trim().to_owned()).collect()))
    }
}

fn push(keys: &mut [String], character: char) {
    if let Some(key) = keys.last_mut() {
        key.push(character);
    }
}

impl KeyList {
    /// For clap: as [`FromStr`], and an empty key is refused, as it is never a metric and usually a typing mistake.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Ok(list) = text.parse::<Self>();
        if list.0.iter().any(String::is_empty) {
            return Err("a key is empty; write keys as a,b".to_owned());
        }
        Ok(list)
    }

    /// The keys of all lists, each once, in order.
    pub(crate) fn join(lists: &[Self]) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in lists.iter().flat_map(|list| &list.0) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::KeyList;

    #[test]
    fn splits_on_commas_that_are_not_escaped() {
        let list = |text: &str| KeyList::parse(text).map(|list| KeyList::join(&[list]));
        assert_eq!(list("loss, acc"), Ok(vec!["loss".to_owned(), "acc".to_owned()]));
        assert_eq!(list(r"a\,b,c\d"), Ok(vec!["a,b".to_owned(), r"c\d".to_owned()]));
        assert_eq!(list("a,a"), Ok(vec!["a".to_owned()]));
        assert!(list("a,,b").is_err());
        assert!(list("").is_err());
    }
}
