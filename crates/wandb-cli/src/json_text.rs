//! JSON that a person typed or wrote into a file.

use std::collections::HashSet;

use wandb_api::value::{ParseValueError, Scanner};

use crate::failure::{CommandResult, Failure};

/// Refuses JSON in which an object has a key twice: of the two values one would be dropped without a word, as every reader of
/// JSON does. Text that is no JSON passes; whoever reads it says what is wrong with it.
///
/// # Errors
/// A usage error that names `what` was read and the key.
pub(crate) fn check_keys(what: &str, text: &str) -> CommandResult {
    match repeated_key(text) {
        None => Ok(()),
        Some(key) => Err(Failure::usage(format!("{what} has the key \"{key}\" twice"))
            .hint("an object has one value for each key: which of the two is meant?")),
    }
}

/// The first key that an object has twice, with the keys around it in front: `optimizer.lr`.
fn repeated_key(text: &str) -> Option<String> {
    let mut search = Search::default();
    let mut scanner = Scanner::new(text);
    search
        .value(&mut scanner)
        .and_then(|()| scanner.end())
        .ok()
        .and(search.found)
}

#[derive(Debug, Default)]
struct Search {
    /// The keys on the way to where the scanner is.
    path: Vec<String>,
    found: Option<String>,
}

impl Search {
    /// The scanner refuses what is nested too deeply, which bounds the recursion.
    fn value(&mut self, scanner: &mut Scanner<'_>) -> Result<(), ParseValueError> {
        match scanner.peek() {
            Some(b'{') => {
                let mut keys = HashSet::new();
                scanner.object(|scanner, key| {
                    self.path.push(key.clone().into_owned());
                    if !keys.insert(key) && self.found.is_none() {
                        self.found = Some(self.path.join("."));
                    }
                    self.value(scanner)?;
                    self.path.pop();
                    Ok(())
                })
            }
            Some(b'[') => scanner.array(|scanner| self.value(scanner)),
            _ => scanner.skip().map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_named_with_its_place() {
        for (text, expected) in [
            (r#"{"a": 1, "a": 2}"#, Some("a")),
            (r#"{"o": {"lr": 1, "x": [], "lr": 1}}"#, Some("o.lr")),
            (r#"[{"a": 1}, {"b": {"c": 1, "c": NaN}}]"#, Some("b.c")),
            // The same key, written in two ways.
            (r#"{"a": 1, "\u0061": 2}"#, Some("a")),
            (r#"{"a": {"a": 1}, "b": {"a": 1}}"#, None),
            (r#"[{"a": 1}, {"a": 1}]"#, None),
            ("1", None),
            // No JSON: its own error comes from elsewhere.
            (r#"{"a": 1, "a": 2"#, None),
            (r#"{"a": 1, "a": 2} x"#, None),
            ("resnet", None),
        ] {
            assert_eq!(repeated_key(text).as_deref(), expected, "{text}");
        }
        let refused = check_keys("--metadata", r#"{"a": 1, "a": 2}"#).unwrap_err();
        assert_eq!(refused.to_string(), "--metadata has the key \"a\" twice");
        assert_eq!(refused.status(), crate::exit::ExitStatus::Usage);
    }

    #[test]
    fn deep_texts_do_no_harm() {
        assert_eq!(repeated_key(&"[".repeat(1_000_000)), None);
        assert_eq!(repeated_key(&"{\"a\":".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[\\[\\]{}:,\"ab0-9 \\\\]{0,60}") {
            let _ = repeated_key(&text);
        }

        #[test]
        fn a_key_is_found_exactly_when_it_is_there_twice(keys in prop::collection::vec("[a-d]{1,2}", 0..6)) {
            let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\": 1")).collect();
            let distinct: HashSet<&String> = keys.iter().collect();
            let found = repeated_key(&format!("{{{}}}", members.join(", ")));
            prop_assert_eq!(found.is_some(), distinct.len() < keys.len());
        }
    }
}
