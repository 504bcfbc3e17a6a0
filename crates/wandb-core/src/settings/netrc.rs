//! The netrc file: where `wandb login` keeps API keys.
//!
//! Read as the `netrc` module of Python 3.11 reads it, because that is what the official client uses; the differences
//! are lenient: `#word` begins a comment anywhere a keyword may stand, and a quoted empty word is an error where Python
//! silently ignores the rest of the file. Errors name a line and never a word of the file, which may be a password.

use std::fmt;

use crate::base_url::BaseUrl;
use crate::secret::Secret;

/// A bigger file is refused: a netrc file has a few lines.
const MAXIMUM_LENGTH: usize = 1 << 20;

/// A netrc file, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc {
    entries: Vec<NetrcEntry>,
}

/// One `machine` or `default` entry.
#[derive(Clone, PartialEq, Eq)]
pub struct NetrcEntry {
    machine: String,
    login: String,
    account: String,
    password: Secret,
    /// Where the entry stands in the text, from its keyword to the end of its last word.
    span: (usize, usize),
}

/// The machine name of a `default` entry (Python keeps it under this name).
const DEFAULT: &str = "default";

/// A netrc file that cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetrcError {
    /// A word where `machine`, `default` or `macdef` should be.
    #[error("line {line} of the netrc file does not begin an entry")]
    UnexpectedTopLevelWord {
        /// Counted from 1.
        line: usize,
    },
    /// A word where `login`, `account` or `password` should be.
    #[error("line {line} of the netrc file has a word that belongs to no entry")]
    UnexpectedWord {
        /// Counted from 1.
        line: usize,
    },
    /// `machine` or `macdef` at the end of the file, or with an empty name.
    #[error("line {line} of the netrc file lacks a name")]
    MissingName {
        /// Counted from 1.
        line: usize,
    },
    /// A macro that no empty line ends.
    #[error("the macro on line {line} of the netrc file is not ended by an empty line")]
    UnfinishedMacro {
        /// Counted from 1.
        line: usize,
    },
    /// More than one MiB.
    #[error("the netrc file is too large")]
    TooLarge,
    /// A machine, login or password that cannot be written: empty, or with a control character.
    #[error("the {0} cannot be written to a netrc file")]
    Unwritable(&'static str),
}

impl NetrcError {
    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Unwritable(_) => Vec::new(),
            _ => vec!["mend the file, or give the API key in WANDB_API_KEY".to_owned()],
        }
    }
}

impl NetrcEntry {
    /// The machine as it is written, with the port if there is one; `default` for the entry of that name.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// The login, empty when there is none. W&B ignores it; the official client writes `user`.
    pub fn login(&self) -> &str {
        &self.login
    }

    /// The account, empty when there is none.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The password, which is the API key; empty when there is none.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// Whether this is the entry for machines that have none of their own.
    pub fn is_default(&self) -> bool {
        self.machine == DEFAULT
    }
}

impl fmt::Debug for NetrcEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NetrcEntry")
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

impl Netrc {
    /// Parses the text of a netrc file.
    ///
    /// # Errors
    /// When the text is not a netrc file; see [`NetrcError`].
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        if text.len() > MAXIMUM_LENGTH {
            return Err(NetrcError::TooLarge);
        }
        let mut lexer = Lexer {
            text,
            position: 0,
            line: 1,
        };
        let mut entries = Vec::new();
        let mut pushed_back = None;
        while let Some(word) = pushed_back.take().or_else(|| lexer.word()) {
            let mut end = word.end;
            let machine = match word.text.as_str() {
                "machine" => {
                    let name = lexer.word().ok_or(NetrcError::MissingName { line: word.line })?;
                    end = name.end;
                    name.text
                }
                "default" => DEFAULT.to_owned(),
                "macdef" => {
                    lexer.macro_body(word.line)?;
                    continue;
                }
                keyword if keyword.starts_with('#') => {
                    lexer.comment(&word);
                    continue;
                }
                _ => return Err(NetrcError::UnexpectedTopLevelWord { line: word.line }),
            };
            if machine.is_empty() {
                return Err(NetrcError::MissingName { line: word.line });
            }
            let mut entry = NetrcEntry {
                machine,
                login: String::new(),
                account: String::new(),
                password: Secret::new(""),
                span: (word.start, end),
            };
            pushed_back = lexer.entry(&mut entry)?;
            entries.push(entry);
        }
        Ok(Self { entries })
    }

    /// All entries, in the file's order.
    pub fn entries(&self) -> &[NetrcEntry] {
        &self.entries
    }

    /// The entry of exactly this machine. The last one counts if there are several, as in Python.
    pub fn machine(&self, machine: &str) -> Option<&NetrcEntry> {
        self.entries.iter().rev().find(|entry| entry.machine == machine)
    }

    /// The entry with the key of a server: that of its host and port, else of another name of the same server
    /// ([`BaseUrl::netrc_aliases`]), else the `default` entry.
    ///
    /// The official client looks at `default` before the other name; an entry for the service itself is the better
    /// answer, as a default login is hardly ever an API key.
    pub fn entry_for(&self, base_url: &BaseUrl) -> Option<&NetrcEntry> {
        self.specific_entry_for(base_url)
            .or_else(|| self.machine(DEFAULT))
    }

    /// As [`Netrc::entry_for`], without the `default` entry.
    pub fn specific_entry_for(&self, base_url: &BaseUrl) -> Option<&NetrcEntry> {
        let aliases = base_url.netrc_aliases();
        std::iter::once(base_url.netrc_machine())
            .chain(aliases)
            .find_map(|machine| self.machine(&machine))
    }
}

/// The text of a netrc file with this machine's entry set. All else stays as it is, comments and macros included.
///
/// An entry of the machine is replaced where it stands, and further ones of the same machine are dropped. A new one is
/// added before a `default` entry, which for other programs ends the search, or at the end. Give the file mode 0600.
///
/// # Errors
/// When the text is not a netrc file (nothing could read the key from it afterwards), or when a value is empty or has a
/// control character. No error holds a part of the file.
pub fn set_entry(text: &str, machine: &str, login: &str, password: &Secret) -> Result<String, NetrcError> {
    let netrc = Netrc::parse(text)?;
    let block = format!(
        "machine {}\n  login {}\n  password {}\n",
        quote(machine, "machine")?,
        quote(login, "login")?,
        quote(password.expose(), "password")?
    );
    let mut output = String::with_capacity(text.len() + block.len() + 2);
    let mut copied = 0;
    let mut written = false;
    for entry in &netrc.entries {
        let is_same = entry.machine == machine;
        let (start, end) = entry.span;
        if is_same || (entry.is_default() && !written && netrc.machine(machine).is_none()) {
            output.push_str(&text[copied..start]);
            copied = start;
            if !written {
                end_line(&mut output);
                output.push_str(&block);
                written = true;
            }
            if is_same {
                copied = end_of_blank_rest(text, end);
            }
        }
    }
    output.push_str(&text[copied..]);
    if !written {
        end_line(&mut output);
        output.push_str(&block);
    }
    Ok(output)
}

fn end_line(output: &mut String) {
    if !output.is_empty() && !output.ends_with('\n') {
        output.push('\n');
    }
}

/// The beginning of the next line if only white space is left on this one.
fn end_of_blank_rest(text: &str, position: usize) -> usize {
    let rest = &text[position..];
    let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    match rest[blank..].chars().next() {
        Some('\n') => position + blank + 1,
        None => text.len(),
        Some(_) => position,
    }
}

fn quote(word: &str, what: &'static str) -> Result<String, NetrcError> {
    if word.is_empty() || word.chars().any(char::is_control) {
        return Err(NetrcError::Unwritable(what));
    }
    let is_plain = |character: char| !matches!(character, '"' | '\\' | '\'' | '#' | ' ');
    if word.chars().all(is_plain) {
        return Ok(word.to_owned());
    }
    Ok(format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")))
}

struct Word {
    text: String,
    start: usize,
    end: usize,
    line: usize,
    /// Whether the white space that ended the word, and is read with it, ended the line too.
    ended_line: bool,
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<char> {
        let character = self.text[self.position..].chars().next()?;
        self.position += character.len_utf8();
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    /// The next word. A quote at its beginning makes white space part of it until the next quote; a backslash makes any
    /// character part of it. `None` at the end of the text.
    fn word(&mut self) -> Option<Word> {
        let is_space = |character| matches!(character, ' ' | '\t' | '\r' | '\n');
        let (mut start, mut line) = (self.position, self.line);
        let mut first = self.next()?;
        while is_space(first) {
            (start, line) = (self.position, self.line);
            first = self.next()?;
        }
        let mut word = Word {
            text: String::new(),
            start,
            end: start,
            line,
            ended_line: false,
        };
        let quoted = first == '"';
        let mut character = if quoted { self.next() } else { Some(first) };
        loop {
            match character {
                None => {
                    word.end = self.position;
                    break;
                }
                Some('"') if quoted => {
                    word.end = self.position;
                    break;
                }
                Some(space) if !quoted && is_space(space) => {
                    word.end = self.position - 1;
                    word.ended_line = space == '\n';
                    break;
                }
                Some('\\') => word.text.extend(self.next()),
                Some(other) => word.text.push(other),
            }
            character = self.next();
        }
        Some(word)
    }

    /// The rest of the line, its end included. `None` at the end of the text.
    fn rest_of_line(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.position..];
        if rest.is_empty() {
            return None;
        }
        let end = rest.find('\n').map_or(rest.len(), |index| index + 1);
        self.position += end;
        self.line += usize::from(rest[..end].ends_with('\n'));
        Some(&rest[..end])
    }

    fn comment(&mut self, word: &Word) {
        if !word.ended_line {
            self.rest_of_line();
        }
    }

    /// A macro's name and its lines up to an empty one.
    fn macro_body(&mut self, line: usize) -> Result<(), NetrcError> {
        if self.word().is_none_or(|name| name.text.is_empty()) {
            return Err(NetrcError::MissingName { line });
        }
        loop {
            match self.rest_of_line() {
                None => return Err(NetrcError::UnfinishedMacro { line }),
                Some("\n" | "\r\n") => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// The pairs of an entry, up to the keyword that begins the next one, which is given back.
    fn entry(&mut self, entry: &mut NetrcEntry) -> Result<Option<Word>, NetrcError> {
        while let Some(word) = self.word() {
            match word.text.as_str() {
                "machine" | "default" | "macdef" => return Ok(Some(word)),
                comment if comment.starts_with('#') => {
                    self.comment(&word);
                    continue;
                }
                "login" | "user" | "account" | "password" => {}
                _ => return Err(NetrcError::UnexpectedWord { line: word.line }),
            }
            let value = self.word();
            entry.span.1 = value.as_ref().map_or(word.end, |value| value.end);
            let value = value.map(|value| value.text).unwrap_or_default();
            match word.text.as_str() {
                "account" => entry.account = value,
                "password" => entry.password = Secret::new(value),
                _ => entry.login = value,
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
