//! What can be wrong with a path, said with what was given and which form was expected.

use std::fmt;

use super::name::NameError;

/// The kinds of object that a path can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// A project.
    Project,
    /// A run.
    Run,
    /// A sweep.
    Sweep,
    /// A report.
    Report,
    /// A group of runs; only web addresses name one.
    Group,
    /// Any of these.
    Any,
}

impl ObjectKind {
    fn forms(self) -> &'static str {
        match self {
            Self::Project => "entity/project or project",
            Self::Run => "entity/project/run, project/run or run",
            Self::Sweep => "entity/project/sweeps/sweep, entity/project/sweep or sweep",
            Self::Report => "entity/project/reports/Title--id",
            Self::Group => "https://wandb.ai/entity/project/groups/group",
            Self::Any => "entity/project or entity/project/TYPE/id where TYPE is runs, sweeps or reports",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Project => "project",
            Self::Run => "run",
            Self::Sweep => "sweep",
            Self::Report => "report",
            Self::Group => "group",
            Self::Any => "project, run, sweep or report",
        })
    }
}

/// A text that does not name an object of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not the path of a {expected}: {problem}")]
pub struct PathError {
    pub(super) given: String,
    pub(super) expected: ObjectKind,
    pub(super) problem: PathProblem,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathProblem {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// No entity is given and there is no default.
    #[error("the entity is missing")]
    MissingEntity,
    /// No project is given and there is no default.
    #[error("the project is missing")]
    MissingProject,
    /// The last part is missing.
    #[error("the id is missing")]
    MissingId,
    /// More parts than any form has.
    #[error("it has {0} parts")]
    TooManyParts(usize),
    /// A part that cannot be a name.
    #[error("{0}")]
    Name(NameError),
    /// It names an object of another kind.
    #[error("it names a {0}")]
    WrongKind(ObjectKind),
    /// The third of four parts is none of `runs`, `sweeps`, `reports`.
    #[error("{0:?} is no type of object")]
    UnknownType(String),
    /// A report's last part has no `--` between title and id.
    #[error("a report is written as Title--id")]
    ReportForm,
    /// Not a URL, though it begins like one.
    #[error("it is not a valid URL")]
    InvalidUrl,
    /// A page of another server than the configured one.
    #[error("{0} is not the configured server")]
    OtherServer(String),
    /// A page that belongs to no project, run, sweep or report.
    #[error("that page belongs to no such object")]
    OtherPage,
}

impl PathError {
    /// What is wrong.
    pub fn problem(&self) -> &PathProblem {
        &self.problem
    }

    /// What was given, with credentials in a URL masked and cut to a readable length.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// What kind of object was expected.
    pub fn expected(&self) -> ObjectKind {
        self.expected
    }

    /// Advice for the user, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        let forms = format!("write it as {}, or paste its web address", self.expected.forms());
        match &self.problem {
            PathProblem::MissingEntity => {
                vec![forms, "or set a default with --entity or WANDB_ENTITY".to_owned()]
            }
            PathProblem::MissingProject => {
                vec![
                    forms,
                    "or set a default with --project or WANDB_PROJECT".to_owned(),
                ]
            }
            PathProblem::OtherServer(_) => {
                vec!["choose the server with --base-url or WANDB_BASE_URL".to_owned()]
            }
            PathProblem::WrongKind(ObjectKind::Group) => {
                vec!["name the project, and filter its runs by group".to_owned()]
            }
            PathProblem::TooManyParts(_) | PathProblem::UnknownType(_) if self.looks_like_a_host() => {
                vec!["a whole web address begins with https://".to_owned(), forms]
            }
            _ => vec![forms],
        }
    }

    fn looks_like_a_host(&self) -> bool {
        let first = self
            .given
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        first.contains('.') || first.starts_with("localhost:")
    }
}
