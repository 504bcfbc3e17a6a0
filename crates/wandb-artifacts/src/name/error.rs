//! What can be wrong with a name, with a better one where there is one.

use wandb_core::{
    Error,
    path::{NameError, PathError, PathProblem},
};

/// A text that cannot be the part of a name in question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {problem}")]
pub struct PartError {
    pub(super) what: &'static str,
    pub(super) text: String,
    pub(super) problem: PartProblem,
    pub(super) suggestion: Option<String>,
}

/// What is wrong with a part of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartProblem {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// White space at the beginning or the end.
    #[error("it begins or ends with white space")]
    SurroundingSpace,
    /// `.` or `..`, which would become a directory.
    #[error("it is a dot segment")]
    DotSegment,
    /// A character that it may not have.
    #[error("it may not hold {0:?}")]
    Character(char),
    /// More characters than allowed.
    #[error("it has more than {0} characters")]
    TooLong(usize),
    /// W&B keeps it for itself.
    #[error("{0}")]
    Reserved(&'static str),
}

impl PartError {
    pub(super) fn new(what: &'static str, text: &str, problem: PartProblem) -> Self {
        Self {
            what,
            text: text.chars().take(200).collect(),
            problem,
            suggestion: None,
        }
    }

    pub(super) fn suggesting(mut self, suggestion: String) -> Self {
        if !suggestion.is_empty() && suggestion != self.text {
            self.suggestion = Some(suggestion);
        }
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &PartProblem {
        &self.problem
    }

    /// A name that is valid and close.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// Advice for the user, one sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let suggestion = self.suggestion.as_ref();
        suggestion
            .map(|better| format!("{better:?} would be valid"))
            .into_iter()
            .collect()
    }
}

impl From<PartError> for Error {
    fn from(error: PartError) -> Self {
        let hints = error.hints();
        hints
            .into_iter()
            .fold(Self::invalid_input(error.to_string()), Self::with_hint)
    }
}

/// A text that names no artifact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not the name of an artifact: {problem}")]
pub struct ArtifactNameError {
    pub(super) given: String,
    pub(super) problem: ArtifactNameProblem,
}

/// What is wrong with an artifact's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactNameProblem {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More parts before the colon than entity, project and collection.
    #[error("it has {0} parts")]
    TooManyParts(usize),
    /// An address, where a name was expected, or of no version's page.
    #[error("it is the address of something else")]
    Address,
    /// A web address whose beginning names no project of the configured server.
    #[error("{}", .0.problem())]
    Project(Box<PathError>),
    /// Nothing follows the colon.
    #[error("no version or alias follows the colon")]
    MissingSelector,
    /// No entity is given and there is no default.
    #[error("the entity is missing")]
    MissingEntity,
    /// An entity or a project that cannot be one.
    #[error("{0}")]
    Name(NameError),
    /// A collection or an alias that cannot be one.
    #[error("{0}")]
    Part(PartError),
}

impl ArtifactNameError {
    pub(super) fn new(given: &str, problem: ArtifactNameProblem) -> Self {
        Self {
            given: given.chars().take(200).collect(),
            problem,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &ArtifactNameProblem {
        &self.problem
    }

    /// Advice for the user, one sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        const FORMS: &str =
            "write it as entity/project/collection:version, project/collection:alias or collection";
        match &self.problem {
            ArtifactNameProblem::MissingEntity => vec![
                FORMS.to_owned(),
                "or set a default with --entity or WANDB_ENTITY".to_owned(),
            ],
            ArtifactNameProblem::MissingSelector => {
                let name = self.given.trim_end_matches(':');
                vec![format!("write {name:?} or {:?}", format!("{name}:latest"))]
            }
            ArtifactNameProblem::Part(error) if error.suggestion.is_some() => error.hints(),
            ArtifactNameProblem::Project(error)
                if matches!(error.problem(), PathProblem::OtherServer(_)) =>
            {
                error.hints()
            }
            ArtifactNameProblem::Project(_) | ArtifactNameProblem::Address => vec![
                FORMS.to_owned(),
                "or paste the web address of a version: https://wandb.ai/entity/project/artifacts/type/collection/v0"
                    .to_owned(),
            ],
            _ => vec![FORMS.to_owned()],
        }
    }
}

impl From<ArtifactNameError> for Error {
    fn from(error: ArtifactNameError) -> Self {
        let hints = error.hints();
        hints
            .into_iter()
            .fold(Self::invalid_input(error.to_string()), Self::with_hint)
    }
}

/// A text that is no address of the `wandb-artifact://` family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no artifact address: {problem}")]
pub struct AddressError {
    pub(super) given: String,
    pub(super) problem: &'static str,
}

impl AddressError {
    pub(super) fn new(given: &str, problem: &'static str) -> Self {
        Self {
            given: given.chars().take(200).collect(),
            problem,
        }
    }
}

impl From<AddressError> for Error {
    fn from(error: AddressError) -> Self {
        Self::invalid_input(error.to_string())
    }
}
