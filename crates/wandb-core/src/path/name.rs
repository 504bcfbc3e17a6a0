//! The parts of a path, each its own type.
//!
//! Reading is lenient and creating is strict: a server may hold an old run whose id the present rules forbid, and it has
//! to stay readable, but nobody should make another one. `new` refuses only what cannot be written in a path or URL;
//! `check_new` adds the rules for new things (inventory §2.5, official: `wandb_settings.py`).

use std::fmt;

/// Longest name of a new project, in characters (inventory §2.5).
const MAXIMUM_PROJECT_LENGTH: usize = 128;

/// Characters that a new run's id may not have (inventory §2.5).
const RESERVED_IN_RUN_IDS: &str = ":;,#?/'";

/// Characters that a new project's name may not have (inventory §2.5).
const RESERVED_IN_PROJECTS: &str = "/\\#?%:\r\n";

/// A text that cannot be the name in question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {problem}")]
pub struct NameError {
    what: &'static str,
    text: String,
    problem: NameProblem,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// White space at the beginning or the end.
    #[error("it begins or ends with white space")]
    SurroundingSpace,
    /// `.` or `..`, which a URL would swallow.
    #[error("it is a dot segment")]
    DotSegment,
    /// A character that the name may not have.
    #[error("it may not hold {0:?}")]
    Character(char),
    /// More characters than allowed.
    #[error("it has more than {0} characters")]
    TooLong(usize),
}

impl NameError {
    /// What is wrong.
    pub fn problem(&self) -> NameProblem {
        self.problem
    }

    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self.problem {
            NameProblem::Empty | NameProblem::TooLong(_) | NameProblem::DotSegment => Vec::new(),
            NameProblem::SurroundingSpace => vec!["remove the white space".to_owned()],
            NameProblem::Character(_) => {
                vec!["write paths as entity/project/run; a whole web address begins with https://".to_owned()]
            }
        }
    }
}

fn check(what: &'static str, text: &str, forbidden: &str) -> Result<(), NameError> {
    let problem = if text.is_empty() {
        NameProblem::Empty
    } else if text.trim().len() != text.len() {
        NameProblem::SurroundingSpace
    } else if text == "." || text == ".." {
        NameProblem::DotSegment
    } else if let Some(character) = text.chars().find(|c| c.is_control() || forbidden.contains(*c)) {
        NameProblem::Character(character)
    } else {
        return Ok(());
    };
    Err(error(what, text, problem))
}

fn error(what: &'static str, text: &str, problem: NameProblem) -> NameError {
    NameError {
        what,
        text: text.chars().take(200).collect(),
        problem,
    }
}

macro_rules! name {
    ($(#[$documentation:meta])* $name:ident, $what:literal, $forbidden:literal) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks a name that exists or may exist on a server.
            ///
            /// # Errors
            /// When it is empty, begins or ends with white space, is `.` or `..`, or holds a control character or one
            #[doc = concat!("of `", $forbidden, "`.")]
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check($what, &text, $forbidden)?;
                Ok(Self(text))
            }

            /// The name itself, not encoded.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
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

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name!(
    /// A user or a team: the first part of every path.
    EntityName, "entity name", r"/\?#"
);
name!(
    /// A project's name.
    ProjectName, "project name", r"/\?#:"
);
name!(
    /// A run's id: `Run.name` on the wire, the last part of its path. Not the display name and not the storage id.
    RunId, "run id", r"/\?#"
);
name!(
    /// A sweep's id: `Sweep.name` on the wire, the last part of its path.
    SweepId, "sweep id", r"/\?#"
);
name!(
    /// A report's id: the view's id without the `=` at its end, as report addresses have it.
    ReportId, "report id", r"/\?#-="
);

impl ProjectName {
    /// The project that runs go to when none is named (official: `"uncategorized"`).
    pub fn uncategorized() -> Self {
        Self("uncategorized".to_owned())
    }

    /// Whether a new project may have this name.
    ///
    /// # Errors
    /// When it has more than 128 characters or one of `/ \ # ? % :`, CR, LF.
    pub fn check_new(&self) -> Result<(), NameError> {
        check("project name", &self.0, RESERVED_IN_PROJECTS)?;
        if self.0.chars().nth(MAXIMUM_PROJECT_LENGTH).is_some() {
            return Err(error(
                "project name",
                &self.0,
                NameProblem::TooLong(MAXIMUM_PROJECT_LENGTH),
            ));
        }
        Ok(())
    }
}

impl RunId {
    /// Whether a new run may have this id.
    ///
    /// # Errors
    /// When it has one of `: ; , # ? / '`.
    pub fn check_new(&self) -> Result<(), NameError> {
        check("run id", &self.0, RESERVED_IN_RUN_IDS)
    }
}
