//! Writing one entry of a netrc file, leaving every other byte as it is.
//!
//! Pure: text in, text out. The official client rewrites the file by lines and appends at the end, where an entry is
//! out of reach for readers that stop at `default`; entries of other hosts were damaged on the way (users P11). Here
//! the old entry's bytes are replaced in place, or the new entry is put before `default` or at the end.

use std::fmt;
use std::ops::Range;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    span: Range<usize>,
}

/// The file is not a netrc file, so that a new entry would be read as something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokenNetrc;

impl fmt::Display for BrokenNetrc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the file is not a complete netrc file (an open quote, or a word without its value)")
    }
}

impl std::error::Error for BrokenNetrc {}

/// The text of a netrc file with the entry of `machine` set to `login user` and this password.
///
/// `machine` and `password` must not hold white space, quotes or `#`; see [`is_plain`].
///
/// # Errors
/// When the entry could not be found again in the result, because what stands before it is broken.
pub(crate) fn with_entry(text: &str, machine: &str, password: &str) -> Result<String, BrokenNetrc> {
    let result = insert(text, machine, password);
    let written = format!("machine {machine}\n  login user\n  password {password}\n");
    let found = entries(&result)
        .iter()
        .any(|entry| entry.machine.as_deref() == Some(machine) && result[entry.span.clone()] == written);
    if found { Ok(result) } else { Err(BrokenNetrc) }
}

fn insert(text: &str, machine: &str, password: &str) -> String {
    let entry = format!("machine {machine}\n  login user\n  password {password}\n");
    let entries = entries(text);
    let mut result = String::with_capacity(text.len() + entry.len());
    let mut replaced = false;
    let mut copied = 0;
    for old in entries.iter().filter(|old| old.machine.as_deref() == Some(machine)) {
        result.push_str(&text[copied..old.span.start]);
        // The first one is replaced; further ones of the same host go, as readers differ in which of them counts.
        if !std::mem::replace(&mut replaced, true) {
            start_line(&mut result);
            result.push_str(&entry);
        }
        copied = old.span.end;
    }
    if replaced {
        result.push_str(&text[copied..]);
        return result;
    }
    let default = entries.iter().find(|found| found.machine.is_none());
    let at = default.map_or(text.len(), |found| found.span.start);
    result.push_str(&text[..at]);
    start_line(&mut result);
    if in_macro(text) && at == text.len() {
        result.push('\n');
    }
    result.push_str(&entry);
    result.push_str(&text[at..]);
    result
}

/// Whether the file ends inside a macro, which only an empty line would end.
fn in_macro(text: &str) -> bool {
    let last = tokens(text).pop();
    last.is_some_and(|token| {
        token.text == "macdef" && macro_end(text.as_bytes(), token.span.end) == text.len()
    })
}

/// Whether a word can stand in a netrc file without quotes, for every reader of such files.
pub(crate) fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|character| {
            !character.is_whitespace() && !character.is_control() && !matches!(character, '"' | '\'' | '\\' | '#')
        })
}

fn start_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// One entry: `machine NAME …`, or `default …` (no name).
#[derive(Debug)]
struct Entry {
    machine: Option<String>,
    /// From its first word to the end of the line of its last word.
    span: Range<usize>,
}

fn entries(text: &str) -> Vec<Entry> {
    let tokens = tokens(text);
    let mut entries: Vec<Entry> = Vec::new();
    let mut open = false;
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match token.text.as_str() {
            "machine" => {
                let Some(name) = tokens.get(index) else { break };
                index += 1;
                entries.push(Entry { machine: Some(name.text.clone()), span: token.span.start..name.span.end });
                open = true;
            }
            "default" => {
                entries.push(Entry { machine: None, span: token.span.clone() });
                open = true;
            }
            // A macro stands alone; the reader of tokens skipped its body.
            "macdef" => open = false,
            "login" | "user" | "account" | "password" => {
                let Some(value) = tokens.get(index) else { break };
                index += 1;
                if let (true, Some(entry)) = (open, entries.last_mut()) {
                    entry.span.end = value.span.end;
                }
            }
            _ => {
                if let (true, Some(entry)) = (open, entries.last_mut()) {
                    entry.span.end = token.span.end;
                }
            }
        }
    }
    // What follows on the last line up to its end (spaces, the line break) belongs to the entry, a comment does not.
    for entry in &mut entries {
        let rest = &text[entry.span.end..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        if rest[spaces..].starts_with('\n') {
            entry.span.end += spaces + 1;
        } else if rest[spaces..].is_empty() {
            entry.span.end += spaces;
        }
    }
    entries
}

/// Words, quoted words, without comments and without the bodies of macros.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            byte if byte.is_ascii_whitespace() => at += 1,
            b'#' => at = line_end(bytes, at),
            b'"' => {
                let start = at;
                let mut word = Vec::new();
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    if bytes[at] == b'\\' && at + 1 < bytes.len() {
                        at += 1;
                    }
                    word.push(bytes[at]);
                    at += 1;
                }
                at = (at + 1).min(bytes.len());
                tokens.push(Token { text: String::from_utf8_lossy(&word).into_owned(), span: start..at });
            }
            _ => {
                let start = at;
                while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
                    at += 1;
                }
                let word = &text[start..at];
                tokens.push(Token { text: word.to_owned(), span: start..at });
                if word == "macdef" {
                    at = macro_end(bytes, at);
                }
            }
        }
    }
    tokens
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |offset| from + offset)
}

/// A macro ends with an empty line.
fn macro_end(bytes: &[u8], from: usize) -> usize {
    let mut at = line_end(bytes, from);
    while at < bytes.len() {
        let start = at + 1;
        if start >= bytes.len() {
            return bytes.len();
        }
        at = line_end(bytes, start);
        if bytes[start..at].iter().all(u8::is_ascii_whitespace) {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_entry(text: &str, machine: &str, password: &str) -> String {
        super::with_entry(text, machine, password).unwrap()
    }

    const KEY: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn a_new_file_and_a_new_entry() {
        let entry = format!("machine api.wandb.ai\n  login user\n  password {KEY}\n");
        assert_eq!(with_entry("", "api.wandb.ai", KEY), entry);
        assert_eq!(with_entry("machine a login b password c", "api.wandb.ai", KEY), format!("machine a login b password c\n{entry}"));
    }

    #[test]
    fn replaces_in_place_and_keeps_every_other_byte() {
        let before = "# mine\nmachine github.com login me password p#1\n\nmachine api.wandb.ai\n\tlogin old\n\tpassword old # gone soon\nmachine last password z\n";
        let after = with_entry(before, "api.wandb.ai", KEY);
        assert_eq!(
            after,
            format!("# mine\nmachine github.com login me password p#1\n\nmachine api.wandb.ai\n  login user\n  password {KEY}\n # gone soon\nmachine last password z\n")
        );
        assert_eq!(with_entry(&after, "api.wandb.ai", KEY), after, "writing twice changes nothing");
    }

    #[test]
    fn goes_before_default_and_ignores_macros() {
        let before = "macdef init\nmachine api.wandb.ai\n\ndefault login anonymous password x\n";
        let after = with_entry(before, "api.wandb.ai", KEY);
        assert_eq!(
            after,
            format!("macdef init\nmachine api.wandb.ai\n\nmachine api.wandb.ai\n  login user\n  password {KEY}\ndefault login anonymous password x\n")
        );
    }

    #[test]
    fn a_macro_at_the_end_is_closed_and_a_broken_file_is_left_alone() {
        let after = with_entry("macdef init\ncd /tmp", "wandb", KEY);
        assert!(after.starts_with("macdef init\ncd /tmp\n\nmachine wandb\n"), "{after}");
        for broken in ["machine a password", "machine \"a", "machine"] {
            assert_eq!(super::with_entry(broken, "wandb", KEY), Err(BrokenNetrc), "{broken}");
        }
    }

    #[test]
    fn ports_are_part_of_the_name() {
        let before = "machine localhost password x\n";
        let after = with_entry(before, "localhost:8080", KEY);
        assert!(after.starts_with(before) && after.contains("machine localhost:8080\n"));
    }

    #[test]
    fn words_that_would_need_quotes_are_told() {
        assert!(is_plain(KEY) && is_plain("127.0.0.1:8080"));
        for word in ["", "a b", "a\"b", "a#b", "a\nb", "a\\b"] {
            assert!(!is_plain(word), "{word:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_file_keeps_its_other_entries(
            text in "((machine|default|macdef|login|password|a|b|wandb|\"|#|é)( |\n|\n\n)){0,12}",
        ) {
            if let Ok(after) = super::with_entry(&text, "wandb", KEY) {
                let names = |text: &str| -> Vec<Option<String>> {
                    let names = entries(text).into_iter().map(|entry| entry.machine);
                    names.filter(|name| name.as_deref() != Some("wandb")).collect()
                };
                prop_assert_eq!(names(&text), names(&after), "{}", after);
                prop_assert_eq!(super::with_entry(&after, "wandb", KEY), Ok(after));
            }
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,60}") {
            let _ = super::with_entry(&text, "wandb", KEY);
        }
    }
}
