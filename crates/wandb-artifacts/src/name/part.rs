//! The parts of an artifact's name, each its own type.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::error::{PartError, PartProblem};

/// Longest name of a new collection or type, in characters (official: `NAME_MAXLEN`).
pub const MAXIMUM_LENGTH: usize = 128;

/// What no part may have: it could not be written in a name, or would not be seen.
fn check(what: &'static str, text: &str, forbidden: &str) -> Result<(), PartError> {
    let problem = if text.is_empty() {
        PartProblem::Empty
    } else if let Some(character) = text.chars().find(|c| c.is_control() || forbidden.contains(*c)) {
        PartProblem::Character(character)
    } else {
        return Ok(());
    };
    Err(PartError::new(what, text, problem))
}

macro_rules! part {
    ($(#[$documentation:meta])* $name:ident, $what:literal, $forbidden:literal) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            const WHAT: &'static str = $what;

            /// Takes what exists, or may exist, on a server.
            ///
            /// # Errors
            #[doc = concat!("When it is empty, or holds a control character or one of `", $forbidden, "`.")]
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, PartError> {
                let text = text.into();
                check(Self::WHAT, &text, $forbidden)?;
                Ok(Self(text))
            }

            /// The text itself, not encoded.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = PartError;

            fn from_str(text: &str) -> Result<Self, PartError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

part!(
    /// A collection: a sequence of versions that a project's runs log, or a portfolio that versions are linked to. It is
    /// what an artifact's name is before the colon.
    CollectionName, "collection name", "/:"
);
part!(
    /// A type of artifacts, such as `model` or `dataset`. All versions of a collection have one.
    TypeName, "artifact type", ""
);
part!(
    /// A movable name of one version of a collection, such as `latest` or `best`.
    Alias, "alias", ""
);
part!(
    /// A label of a version or a collection.
    Tag, "tag", ""
);

impl CollectionName {
    /// Whether a new collection may have this name.
    ///
    /// # Errors
    /// When it has more than 128 characters, another character than letters of ASCII, digits, `_`, `-` and `.` (official:
    /// `^[a-zA-Z0-9_\-.]+$`), or is `.` or `..`, which the official client takes and which would be the folder of its
    /// downloads.
    pub fn check_new(&self) -> Result<(), PartError> {
        let text = self.as_str();
        let problem = if let Some(character) = text.chars().find(|c| !is_plain(*c)) {
            PartProblem::Character(character)
        } else if text.len() > MAXIMUM_LENGTH {
            PartProblem::TooLong(MAXIMUM_LENGTH)
        } else if text == "." || text == ".." {
            PartProblem::DotSegment
        } else {
            return Ok(());
        };
        Err(PartError::new(Self::WHAT, text, problem).suggesting(safe_name(text)))
    }

    /// The name of a directory that holds the files of a version, as the official client names it: `model:v3`, with `-` for
    /// the colon on Windows. `None` for an old name that would not stay where it is put.
    #[must_use]
    pub fn directory_name(&self, version: Version) -> Option<String> {
        let separator = if cfg!(windows) { '-' } else { ':' };
        wandb_core::path::safe_relative_path(self.as_str()).ok()?;
        let name = format!("{self}{separator}{version}");
        (name.len() <= 255).then_some(name)
    }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// A valid name that is close: other characters become `_`, and the middle of a long one two dots.
fn safe_name(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|character| if is_plain(character) { character } else { '_' })
        .collect();
    if plain == "." || plain == ".." {
        return String::new();
    }
    if plain.len() <= MAXIMUM_LENGTH {
        return plain;
    }
    format!("{}..{}", &plain[..63], &plain[plain.len() - 63..])
}

impl TypeName {
    /// Whether a new collection of this name may have this type.
    ///
    /// # Errors
    /// When it has more than 128 characters, holds `/` or `:`, begins or ends with white space, or is one that W&B keeps for
    /// itself: `wandb-…` and `job`, `run_table` for `run-…`, `code` for `source-…`.
    pub fn check_new(&self, collection: &CollectionName) -> Result<(), PartError> {
        let text = self.as_str();
        check(Self::WHAT, text, "/:")?;
        let collection = collection.as_str();
        let problem = if text.trim() != text {
            let suggestion = text.trim().to_owned();
            return Err(
                PartError::new(Self::WHAT, text, PartProblem::SurroundingSpace).suggesting(suggestion)
            );
        } else if text.chars().nth(MAXIMUM_LENGTH).is_some() {
            PartProblem::TooLong(MAXIMUM_LENGTH)
        } else if text.starts_with("wandb-") {
            PartProblem::Reserved("types that begin with \"wandb-\" are reserved")
        } else if text == "job" {
            PartProblem::Reserved("it is reserved")
        } else if text == "run_table" && collection.starts_with("run-") {
            PartProblem::Reserved("it is reserved for collections that begin with \"run-\"")
        } else if text == "code" && collection.starts_with("source-") {
            PartProblem::Reserved("it is reserved for collections that begin with \"source-\"")
        } else {
            return Ok(());
        };
        Err(PartError::new(Self::WHAT, text, problem))
    }
}

impl Alias {
    /// The alias that a new version of a collection gets.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".into())
    }

    /// Whether a version may be given this alias.
    ///
    /// # Errors
    /// When it holds `/` or `:`, begins or ends with white space, or is the number of a version (`v3`).
    pub fn check_new(&self) -> Result<(), PartError> {
        let text = self.as_str();
        let error = |problem| PartError::new(Self::WHAT, text, problem);
        if let Some(character) = text.chars().find(|c| matches!(c, '/' | ':')) {
            return Err(error(PartProblem::Character(character)).suggesting(text.replace(['/', ':'], "-")));
        }
        if text.trim() != text {
            return Err(error(PartProblem::SurroundingSpace).suggesting(text.trim().to_owned()));
        }
        let digits = text.strip_prefix('v').unwrap_or_default();
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error(PartProblem::Reserved("it is the number of a version")));
        }
        Ok(())
    }
}

impl Tag {
    /// Whether a version or a collection may be given this tag.
    ///
    /// # Errors
    /// When it is not words of letters, digits, `_` and `-` with spaces between them (official: `^[-\w]+( +[-\w]+)*$`).
    pub fn check_new(&self) -> Result<(), PartError> {
        let text = self.as_str();
        let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
        let problem = if let Some(character) = text.chars().find(|c| !is_word(*c) && *c != ' ') {
            PartProblem::Character(character)
        } else if text.trim() != text {
            PartProblem::SurroundingSpace
        } else {
            return Ok(());
        };
        let better: String = text
            .chars()
            .map(|character| if is_word(character) { character } else { ' ' })
            .collect();
        let words: Vec<_> = better.split_whitespace().collect();
        Err(PartError::new(Self::WHAT, text, problem).suggesting(words.join(" ")))
    }
}

/// The number of a version in its collection: `v0` is the first. Numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{}", self.0)
    }
}

impl FromStr for Version {
    type Err = PartError;

    /// Reads `v` and digits without leading zeros.
    fn from_str(text: &str) -> Result<Self, PartError> {
        let error = |problem| Err(PartError::new("version", text, problem));
        let Some(digits) = text.strip_prefix('v') else {
            return match text.chars().next() {
                None => error(PartProblem::Empty),
                Some(character) => error(PartProblem::Character(character)),
            };
        };
        if let Some(character) = digits.chars().find(|c| !c.is_ascii_digit()) {
            return error(PartProblem::Character(character));
        }
        match digits.parse() {
            _ if digits.is_empty() => error(PartProblem::Empty),
            _ if digits.len() > 1 && digits.starts_with('0') => error(PartProblem::Character('0')),
            Ok(number) => Ok(Self(number)),
            Err(_) => error(PartProblem::TooLong(20)),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
