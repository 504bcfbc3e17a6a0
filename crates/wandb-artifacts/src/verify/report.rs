//! What a check found.

use std::fmt;

use serde::{Serialize, Serializer};
use wandb_core::{Error, ErrorKind};
use wandb_storage::{EntryKind, StorageError};

use crate::{digest::ContentDigest, filenames::PathFault};

/// What a check of a directory found. Every list is complete and in the order of the paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How many files have the size and the digest of their entry.
    pub verified: usize,
    /// How many bytes those have.
    pub verified_bytes: u64,
    /// Files that are not there.
    pub missing: Vec<String>,
    /// What is there and not in the manifest.
    pub extra: Vec<Extra>,
    /// Files of the right size with other bytes.
    pub changed: Vec<Changed>,
    /// Files of another size.
    pub wrong_size: Vec<WrongSize>,
    /// Directories, links, pipes and so on where a file should be.
    pub wrong_type: Vec<WrongType>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Names of files that the [policy](super::VerifyOptions::names) does not take. A hostile one has no file, and nothing else is
    /// told of it; of the others it is also told how their files are.
    pub names: Vec<PathFault>,
    /// References: their bytes are not the server's, so nothing is checked. No fault.
    pub unverified_references: Vec<String>,
}

/// Something that is not in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extra {
    /// Its path below the directory.
    pub path: String,
    /// What it is.
    #[serde(serialize_with = "kind_as_text")]
    pub kind: EntryKind,
}

/// A file with other bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its path.
    pub path: String,
    /// The digest in the manifest.
    #[serde(serialize_with = "as_text")]
    pub expected: ContentDigest,
    /// The digest of its bytes.
    #[serde(serialize_with = "as_text")]
    pub actual: ContentDigest,
}

/// A file of another size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongSize {
    /// Its path.
    pub path: String,
    /// The size in the manifest, in bytes.
    pub expected: u64,
    /// Its size, in bytes.
    pub actual: u64,
}

/// Something that is no file where one should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongType {
    /// Its path.
    pub path: String,
    /// What it is.
    #[serde(serialize_with = "kind_as_text")]
    pub found: EntryKind,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its path; empty for the directory itself.
    pub path: String,
    /// Why not.
    pub reason: String,
}

impl Verification {
    /// Whether every file is there, complete and unchanged, and nothing else is (unless that was allowed). References do
    /// not count.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.faults() == 0
    }

    /// How many faults were found.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.missing.len()
            + self.extra.len()
            + self.changed.len()
            + self.wrong_size.len()
            + self.wrong_type.len()
            + self.unreadable.len()
            + self.names.len()
    }

    /// The same, as an error if any fault was found.
    ///
    /// # Errors
    /// [`VerificationFailed`], with all that was found.
    pub fn into_result(self) -> Result<Self, VerificationFailed> {
        if self.is_ok() {
            Ok(self)
        } else {
            Err(VerificationFailed(Box::new(self)))
        }
    }

    /// A line for each fault. Control characters in paths are escaped.
    fn lines(&self) -> impl Iterator<Item = String> {
        let missing = self.missing.iter().map(|path| format!("missing: {path}"));
        let wrong_size = self.wrong_size.iter().map(
            |WrongSize {
                 path,
                 expected,
                 actual,
             }| format!("wrong size: {path} ({actual} bytes instead of {expected})"),
        );
        let changed = self
            .changed
            .iter()
            .map(|changed| format!("changed: {}", changed.path));
        let wrong_type = self
            .wrong_type
            .iter()
            .map(|WrongType { path, found }| format!("no file: {path} (a {})", found.as_str()));
        let unreadable = self
            .unreadable
            .iter()
            .map(|Unreadable { path, reason }| format!("unreadable: {path} ({reason})"));
        let extra = self.extra.iter().map(|Extra { path, kind }| match kind {
            EntryKind::File => format!("extra: {path}"),
            kind => format!("extra: {path} ({})", kind.as_str()),
        });
        let names = self.names.iter().map(|fault| format!("name: {fault}"));
        missing
            .chain(wrong_size)
            .chain(changed)
            .chain(wrong_type)
            .chain(unreadable)
            .chain(extra)
            .chain(names)
            .map(escaped)
    }
}

/// A line without control characters: a path may hold any.
fn escaped(line: String) -> String {
    if !line.contains(char::is_control) {
        return line;
    }
    let mut clean = String::with_capacity(line.len() + 8);
    for character in line.chars() {
        if character.is_control() {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// One line for each fault, and a last one that sums up.
impl fmt::Display for Verification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.lines() {
            writeln!(formatter, "{line}")?;
        }
        write!(
            formatter,
            "{} verified ({}), {}, {} not checked",
            counted(self.verified as u64, "file"),
            counted(self.verified_bytes, "byte"),
            counted(self.faults() as u64, "fault"),
            counted(self.unverified_references.len() as u64, "reference")
        )
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A directory that is not what its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationFailed(pub Box<Verification>);

impl fmt::Display for VerificationFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        formatter.write_str("the files are not those of the manifest: ")?;
        for (place, line) in self.0.lines().take(SHOWN).enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            write!(formatter, "{separator}{line}")?;
        }
        match self.0.faults().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, "; and {more} more"),
        }
    }
}

impl std::error::Error for VerificationFailed {}

impl From<VerificationFailed> for Error {
    fn from(failed: VerificationFailed) -> Self {
        Self::new(ErrorKind::Integrity, failed.to_string())
    }
}

/// A check that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The directory cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The observer cancelled.
    #[error("the verification was cancelled")]
    Cancelled,
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Storage(error) => error.into(),
            VerifyError::Cancelled => Self::new(ErrorKind::Cancelled, error.to_string()),
        }
    }
}

fn as_text<S: Serializer>(text: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

fn kind_as_text<S: Serializer>(kind: &EntryKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}
