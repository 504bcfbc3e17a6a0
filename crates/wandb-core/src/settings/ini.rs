//! Settings files: INI text as Python's `configparser` reads it, because that is what the official client uses.
//!
//! What matters of it: `[section]` lines, `key = value` or `key: value`, keys in lower case, whole-line comments with `#`
//! or `;` (never behind a value), indented lines continue a value, `[DEFAULT]` gives values to every section, a key or
//! section twice is an error, and `%` is special in values: `%%` is a percent sign and `%(key)s` another key's value.
//! One difference: a lone `%` stands for itself, where the official client crashes.
//!
//! Errors name a line or a key and never a value, which may be an API key.

use std::collections::BTreeMap;

/// A bigger file is refused: a settings file has a few lines.
const MAXIMUM_LENGTH: usize = 1 << 20;

/// How many `%(key)s` one value may take in, those of the values it takes in included.
const MAXIMUM_REFERENCES: usize = 1000;

/// How deep `%(key)s` may nest (`configparser`: `MAX_INTERPOLATION_DEPTH`).
const MAXIMUM_DEPTH: usize = 10;

/// The section whose values all sections have.
const COMMON_SECTION: &str = "DEFAULT";

/// An INI file, parsed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Ini {
    sections: Vec<Section>,
}

#[derive(Clone, PartialEq, Eq)]
struct Section {
    name: String,
    /// Index of the header's line; more than one for `[DEFAULT]`, of which the last counts.
    header: usize,
    options: Vec<OptionLines>,
}

#[derive(Clone, PartialEq, Eq)]
struct OptionLines {
    key: String,
    value: String,
    /// Indices of the first line and the one after the last.
    lines: (usize, usize),
}

/// An INI file that cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IniError {
    /// A key before the first `[section]`.
    #[error("line {line} comes before the first [section]")]
    MissingSectionHeader {
        /// Counted from 1.
        line: usize,
    },
    /// Neither a section nor `key = value`.
    #[error("line {line} is neither [section] nor key = value")]
    InvalidLine {
        /// Counted from 1.
        line: usize,
    },
    /// A section that the file has already.
    #[error("line {line} begins a section for the second time")]
    DuplicateSection {
        /// Counted from 1.
        line: usize,
    },
    /// A key that its section has already.
    #[error("line {line} sets a key for the second time")]
    DuplicateKey {
        /// Counted from 1.
        line: usize,
    },
    /// `%(other)s` names no key, itself, or nests too deep.
    #[error("the value of {key:?} refers to another key that cannot be filled in")]
    Reference {
        /// The key whose value it is.
        key: String,
    },
    /// More than one MiB.
    #[error("the file is too large")]
    TooLarge,
    /// A value that cannot be written: empty, with a line break, or with white space around it.
    #[error("the value of {key:?} cannot be written")]
    Unwritable {
        /// The key.
        key: String,
    },
}

impl IniError {
    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Unwritable { .. } => Vec::new(),
            Self::Reference { .. } => vec!["write %% for a percent sign".to_owned()],
            Self::MissingSectionHeader { .. } => vec!["begin the file with the line [default]".to_owned()],
            _ => vec!["mend the file, or move it away".to_owned()],
        }
    }
}

impl std::fmt::Debug for Ini {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be API keys.
        formatter.debug_list().entries(self.section_names()).finish()
    }
}

impl Ini {
    /// Parses the text of a settings file.
    ///
    /// # Errors
    /// When the text is not an INI file; see [`IniError`].
    pub fn parse(text: &str) -> Result<Self, IniError> {
        if text.len() > MAXIMUM_LENGTH {
            return Err(IniError::TooLarge);
        }
        let mut ini = Self::default();
        // Index of the section that lines go to, and the indentation of its last option.
        let mut current: Option<usize> = None;
        let mut continues = false;
        let mut indentation = 0;
        for (index, line) in lines(text).enumerate() {
            let value = line.trim();
            if value.starts_with(['#', ';']) {
                continue;
            }
            let last_option = current
                .filter(|_| continues)
                .and_then(|section| ini.sections[section].options.last_mut());
            if value.is_empty() {
                // An empty line inside of a value is kept; at its end it is stripped below.
                if let Some(option) = last_option {
                    option.value.push('\n');
                }
                continue;
            }
            let line_indentation = line
                .chars()
                .take_while(|character| character.is_whitespace())
                .count();
            if let Some(option) = last_option.filter(|_| line_indentation > indentation) {
                option.value.push('\n');
                option.value.push_str(value);
                option.lines.1 = index + 1;
                continue;
            }
            indentation = line_indentation;
            if let Some(name) = section_name(value) {
                current = Some(ini.begin_section(name, index)?);
                continues = false;
            } else {
                let section = current.ok_or(IniError::MissingSectionHeader { line: index + 1 })?;
                ini.add_option(section, value, index)?;
                continues = true;
            }
        }
        for option in ini.sections.iter_mut().flat_map(|section| &mut section.options) {
            option.value.truncate(option.value.trim_end().len());
        }
        Ok(ini)
    }

    fn begin_section(&mut self, name: &str, index: usize) -> Result<usize, IniError> {
        if let Some(position) = self.sections.iter().position(|section| section.name == name) {
            if name != COMMON_SECTION {
                return Err(IniError::DuplicateSection { line: index + 1 });
            }
            self.sections[position].header = index;
            return Ok(position);
        }
        self.sections.push(Section {
            name: name.to_owned(),
            header: index,
            options: Vec::new(),
        });
        Ok(self.sections.len() - 1)
    }

    fn add_option(&mut self, section: usize, line: &str, index: usize) -> Result<(), IniError> {
        let invalid = IniError::InvalidLine { line: index + 1 };
        let (key, value) = line.split_once(['=', ':']).ok_or(invalid.clone())?;
        let key = key.trim_end().to_lowercase();
        if key.is_empty() {
            return Err(invalid);
        }
        let options = &mut self.sections[section].options;
        if options.iter().any(|option| option.key == key) {
            return Err(IniError::DuplicateKey { line: index + 1 });
        }
        options.push(OptionLines {
            key,
            value: value.trim().to_owned(),
            lines: (index, index + 1),
        });
        Ok(())
    }

    /// The names of the sections but `DEFAULT`, in the file's order.
    pub fn section_names(&self) -> impl Iterator<Item = &str> {
        self.sections
            .iter()
            .map(|section| section.name.as_str())
            .filter(|name| *name != COMMON_SECTION)
    }

    /// The keys and values of a section, with those of `DEFAULT` and with `%(key)s` filled in. `None` when there is no
    /// such section.
    ///
    /// # Errors
    /// When a value refers to a key that is missing, to itself, or too deep.
    pub fn section(&self, name: &str) -> Option<Result<BTreeMap<String, String>, IniError>> {
        if name == COMMON_SECTION {
            return None;
        }
        let section = self.sections.iter().find(|section| section.name == name)?;
        let common = self
            .sections
            .iter()
            .find(|section| section.name == COMMON_SECTION);
        let mut raw: BTreeMap<&str, &str> = BTreeMap::new();
        for option in common
            .into_iter()
            .chain([section])
            .flat_map(|section| &section.options)
        {
            raw.insert(&option.key, &option.value);
        }
        let mut values = BTreeMap::new();
        for (key, value) in &raw {
            let mut output = String::new();
            let mut budget = MAXIMUM_REFERENCES;
            if interpolate(value, &raw, MAXIMUM_DEPTH, &mut budget, &mut output).is_err() {
                return Some(Err(IniError::Reference {
                    key: (*key).to_owned(),
                }));
            }
            values.insert((*key).to_owned(), output);
        }
        Some(Ok(values))
    }
}

/// Python reads files with every kind of line end turned into `\n`. A byte order mark is no part of the first line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines()
}

/// `[name]`, with anything behind the last bracket, as `configparser` takes it.
fn section_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('[')?;
    let end = rest.rfind(']')?;
    (end > 0).then(|| &rest[..end])
}

struct BadReference;

fn interpolate(
    value: &str,
    raw: &BTreeMap<&str, &str>,
    depth: usize,
    budget: &mut usize,
    output: &mut String,
) -> Result<(), BadReference> {
    let depth = depth.checked_sub(1).ok_or(BadReference)?;
    let mut rest = value;
    while let Some(index) = rest.find('%') {
        output.push_str(&rest[..index]);
        let after = &rest[index + 1..];
        if let Some(after) = after.strip_prefix('%') {
            output.push('%');
            rest = after;
        } else if let Some((key, after)) = after
            .strip_prefix('(')
            .and_then(|reference| reference.split_once(")s"))
        {
            let value = raw.get(key.to_lowercase().as_str()).ok_or(BadReference)?;
            // Ten levels of doubling would otherwise take forever, or fill the memory.
            *budget = budget.checked_sub(1).ok_or(BadReference)?;
            interpolate(value, raw, depth, budget, output)?;
            rest = after;
        } else {
            output.push('%');
            rest = after;
        }
    }
    output.push_str(rest);
    if output.len() > MAXIMUM_LENGTH {
        Err(BadReference)
    } else {
        Ok(())
    }
}

/// The text of a settings file with keys of one section set (`Some`) or removed (`None`). All else stays as it is,
/// comments, other sections and the order of lines included. A missing section is added at the end.
///
/// # Errors
/// When the text is not an INI file, or when a value is empty, has a line break or has white space around it.
pub fn set_values(text: &str, section: &str, changes: &[(&str, Option<&str>)]) -> Result<String, IniError> {
    let ini = Ini::parse(text)?;
    let found = ini.sections.iter().find(|candidate| candidate.name == section);
    let mut lines: Vec<Option<String>> = lines(text).map(|line| Some(line.to_owned())).collect();
    let mut added = Vec::new();
    // A line that is indented less than the next one would take that for its own continuation, so new and changed lines
    // keep the indentation that is there.
    let indentation_of = |index: usize, lines: &[Option<String>]| {
        let line = lines[index].as_deref().unwrap_or_default();
        line[..line.len() - line.trim_start().len()].to_owned()
    };
    let new_indentation = found.map_or(String::new(), |section| match section.options.last() {
        Some(option) => indentation_of(option.lines.0, &lines),
        // Behind a section's line the next one may be indented as it likes, but not behind a new key's line.
        None => {
            let is_other = |line: &&Option<String>| {
                let text = line.as_deref().unwrap_or_default().trim();
                !text.is_empty() && !text.starts_with(['#', ';'])
            };
            let next = lines[section.header + 1..]
                .iter()
                .position(|line| is_other(&line));
            let next = next
                .map(|offset| indentation_of(section.header + 1 + offset, &lines))
                .unwrap_or_default();
            let own = indentation_of(section.header, &lines);
            if next.chars().count() > own.chars().count() {
                next
            } else {
                own
            }
        }
    });
    for (key, value) in changes {
        let line = value.map(|value| option_line(key, value)).transpose()?;
        match found.and_then(|section| section.options.iter().find(|option| option.key == *key)) {
            Some(option) => {
                // Comments between a value's lines are kept; the value's own lines go.
                let indentation = indentation_of(option.lines.0, &lines);
                for index in option.lines.0..option.lines.1 {
                    let is_comment = lines[index]
                        .as_ref()
                        .is_some_and(|line| line.trim_start().starts_with(['#', ';']));
                    if !is_comment {
                        lines[index] = None;
                    }
                }
                lines[option.lines.0] = line.map(|line| indentation + &line);
            }
            None => added.extend(line.map(|line| format!("{new_indentation}{line}"))),
        }
    }
    let insertion = match found {
        Some(section) => section
            .options
            .iter()
            .map(|option| option.lines.1)
            .fold(section.header + 1, usize::max),
        None => {
            if !added.is_empty() {
                added.insert(0, format!("[{section}]"));
                if lines
                    .last()
                    .is_some_and(|line| line.as_ref().is_some_and(|line| !line.trim().is_empty()))
                {
                    added.insert(0, String::new());
                }
            }
            lines.len()
        }
    };
    let mut output = String::new();
    for (index, line) in lines.iter().map(Option::as_ref).enumerate() {
        if index == insertion {
            added.drain(..).for_each(|line| push_line(&mut output, &line));
        }
        if let Some(line) = line {
            push_line(&mut output, line);
        }
    }
    added.drain(..).for_each(|line| push_line(&mut output, &line));
    Ok(output)
}

fn push_line(output: &mut String, line: &str) {
    output.push_str(line);
    output.push('\n');
}

fn option_line(key: &str, value: &str) -> Result<String, IniError> {
    let is_key = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_key || value.is_empty() || value.trim() != value || value.chars().any(char::is_control) {
        return Err(IniError::Unwritable { key: key.to_owned() });
    }
    Ok(format!("{key} = {}", value.replace('%', "%%")))
}

#[cfg(test)]
mod tests;
