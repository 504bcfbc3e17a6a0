//! Reading of paths as people write them; web addresses are in [`super::web`].

use super::error::{ObjectKind, PathError, PathProblem};
use super::name::{EntityName, NameError, ProjectName, ReportId, RunId, SweepId};
use super::object::{AnyPath, ProjectPath, ReportPath, RunPath, SweepPath};
use super::web;
use crate::base_url::{AppUrl, BaseUrl};
use crate::redact::redact_url;

/// What a short path leaves out: the default entity and project, and the server whose web addresses are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathContext {
    pub(super) entity: Option<EntityName>,
    pub(super) project: Option<ProjectName>,
    pub(super) server: Option<(BaseUrl, AppUrl)>,
}

impl PathContext {
    /// No defaults, and the public service's web addresses.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a default entity.
    #[must_use]
    pub fn with_entity(mut self, entity: EntityName) -> Self {
        self.entity = Some(entity);
        self
    }

    /// With a default project.
    #[must_use]
    pub fn with_project(mut self, project: ProjectName) -> Self {
        self.project = Some(project);
        self
    }

    /// With a configured server: its web addresses are understood, and those of other servers are refused.
    #[must_use]
    pub fn with_server(mut self, base_url: BaseUrl, app_url: AppUrl) -> Self {
        self.server = Some((base_url, app_url));
        self
    }

    /// The default entity.
    pub fn entity(&self) -> Option<&EntityName> {
        self.entity.as_ref()
    }

    /// The default project.
    pub fn project(&self) -> Option<&ProjectName> {
        self.project.as_ref()
    }

    /// The project when no path is given at all: the default one, or `uncategorized` (inventory §2.2). `None` without a
    /// default entity.
    pub fn default_project_path(&self) -> Option<ProjectPath> {
        let project = self.project.clone().unwrap_or_else(ProjectName::uncategorized);
        Some(ProjectPath::new(self.entity.clone()?, project))
    }
}

type Outcome<T> = Result<T, PathProblem>;

impl From<NameError> for PathProblem {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// Whether a part says what the next part is, where the form has such a word.
pub(super) fn is_type_word(part: &str) -> bool {
    matches!(part, "runs" | "sweeps")
}

pub(super) fn named(expected: ObjectKind, text: &str) -> impl Fn(PathProblem) -> PathError + '_ {
    move |problem| {
        let shown = if text.contains("://") {
            redact_url(text)
        } else {
            text.to_owned()
        };
        PathError {
            given: shown.chars().take(300).collect(),
            expected,
            problem,
        }
    }
}

pub(super) fn project(text: &str, context: &PathContext) -> Result<ProjectPath, PathError> {
    let read = || match web::parse(text, context) {
        Some(found) => match found? {
            AnyPath::Project(project) => Ok(project),
            other => Err(PathProblem::WrongKind(other.kind())),
        },
        None => match Parts::of(text).parts.as_slice() {
            [""] => Err(PathProblem::Empty),
            [project] => project_path(default_entity(context), project),
            [entity, project] => project_path(Some(entity), project),
            parts => Err(PathProblem::TooManyParts(parts.len())),
        },
    };
    read().map_err(named(ObjectKind::Project, text))
}

pub(super) fn run(text: &str, context: &PathContext) -> Result<RunPath, PathError> {
    let read = || {
        if let Some(found) = web::parse(text, context) {
            return match found? {
                AnyPath::Run(run) => Ok(run),
                other => Err(PathProblem::WrongKind(other.kind())),
            };
        }
        match Parts::of(text).with_id(context)? {
            (Some(ObjectKind::Run) | None, project, id) => Ok(project.with_run(RunId::new(id)?)),
            (Some(other), ..) => Err(PathProblem::WrongKind(other)),
        }
    };
    read().map_err(named(ObjectKind::Run, text))
}

pub(super) fn sweep(text: &str, context: &PathContext) -> Result<SweepPath, PathError> {
    let read = || {
        if let Some(found) = web::parse(text, context) {
            return match found? {
                AnyPath::Sweep(sweep) => Ok(sweep),
                other => Err(PathProblem::WrongKind(other.kind())),
            };
        }
        match Parts::of(text).with_id(context)? {
            (Some(ObjectKind::Sweep) | None, project, id) => Ok(project.with_sweep(SweepId::new(id)?)),
            (Some(other), ..) => Err(PathProblem::WrongKind(other)),
        }
    };
    read().map_err(named(ObjectKind::Sweep, text))
}

pub(super) fn report(text: &str, context: &PathContext) -> Result<ReportPath, PathError> {
    let read = || {
        if let Some(found) = web::parse(text, context) {
            return match found? {
                AnyPath::Report(report) => Ok(report),
                other => Err(PathProblem::WrongKind(other.kind())),
            };
        }
        match Parts::of(text).parts.as_slice() {
            [""] => Err(PathProblem::Empty),
            [entity, project, "reports" | "report", last] => {
                report_path(project_path(Some(entity), project)?, last)
            }
            [project, "reports", last] => report_path(project_path(default_entity(context), project)?, last),
            [_, _, other, _] => Err(type_word(other).map_or_else(
                || PathProblem::UnknownType((*other).to_owned()),
                PathProblem::WrongKind,
            )),
            parts if parts.len() > 4 => Err(PathProblem::TooManyParts(parts.len())),
            _ => Err(PathProblem::ReportForm),
        }
    };
    read().map_err(named(ObjectKind::Report, text))
}

pub(super) fn any(text: &str, context: &PathContext) -> Result<AnyPath, PathError> {
    let read = || {
        if let Some(found) = web::parse(text, context) {
            return found;
        }
        let parts = Parts::of(text);
        match parts.parts.as_slice() {
            [""] => Err(PathProblem::Empty),
            [project] if !project.contains(':') && !parts.begins_with_type_word() => {
                project_path(default_entity(context), project).map(AnyPath::Project)
            }
            [entity, project] if !project.contains(':') && !parts.begins_with_type_word() => {
                project_path(Some(entity), project).map(AnyPath::Project)
            }
            [entity, project, "reports" | "report", last] => {
                report_path(project_path(Some(entity), project)?, last).map(AnyPath::Report)
            }
            _ => match parts.with_id(context)? {
                (Some(ObjectKind::Sweep), project, id) => {
                    Ok(AnyPath::Sweep(project.with_sweep(SweepId::new(id)?)))
                }
                (_, project, id) => Ok(AnyPath::Run(project.with_run(RunId::new(id)?))),
            },
        }
    };
    read().map_err(named(ObjectKind::Any, text))
}

/// A path at its slashes, with white space and slashes around it and white space around each part gone.
struct Parts<'a> {
    /// At least one, which is empty for an empty path.
    parts: Vec<&'a str>,
    leading_slash: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let leading_slash = text.trim_start().starts_with('/');
        let core = text.trim_matches(|character: char| character == '/' || character.is_whitespace());
        Self {
            parts: core.split('/').map(str::trim).collect(),
            leading_slash,
        }
    }

    /// `/runs/…` and `/sweeps/…`. Without the slash in front, `runs/x` is the run x of a project called "runs".
    fn begins_with_type_word(&self) -> bool {
        self.leading_slash && is_type_word(self.parts[0])
    }

    /// The forms that end in an id: kind if it is said, project, id.
    fn with_id(&self, context: &PathContext) -> Outcome<(Option<ObjectKind>, ProjectPath, &'a str)> {
        let (said, parts) = if self.begins_with_type_word() {
            (type_word(self.parts[0]), &self.parts[1..])
        } else {
            (None, self.parts.as_slice())
        };
        let default_project = || context.project.as_ref().map_or("", ProjectName::as_str);
        let (said, entity, project, id) = match *parts {
            [] => return Err(PathProblem::MissingId),
            [""] => return Err(PathProblem::Empty),
            [entity, project, word, id] => match type_word(word) {
                Some(kind) => (Some(kind), Some(entity), project, id),
                None => return Err(PathProblem::UnknownType(word.to_owned())),
            },
            [project, word, id] if is_type_word(word) => {
                (type_word(word), default_entity(context), project, id)
            }
            [entity, project, id] => (said, Some(entity), project, id),
            [entity, last] => match last.split_once(':') {
                Some((project, id)) => (said, Some(entity), project.trim(), id.trim()),
                None => (said, default_entity(context), entity, last),
            },
            [last] => match last.split_once(':') {
                Some((project, id)) => (said, default_entity(context), project.trim(), id.trim()),
                None => (said, default_entity(context), default_project(), last),
            },
            _ => return Err(PathProblem::TooManyParts(parts.len())),
        };
        let project = project_path(entity, project)?;
        if id.is_empty() {
            return Err(PathProblem::MissingId);
        }
        Ok((said, project, id))
    }
}

fn default_entity(context: &PathContext) -> Option<&str> {
    context.entity.as_ref().map(EntityName::as_str)
}

fn type_word(part: &str) -> Option<ObjectKind> {
    match part {
        "runs" | "run" => Some(ObjectKind::Run),
        "sweeps" | "sweep" => Some(ObjectKind::Sweep),
        "reports" | "report" => Some(ObjectKind::Report),
        _ => None,
    }
}

pub(super) fn project_path(entity: Option<&str>, project: &str) -> Outcome<ProjectPath> {
    let entity = entity
        .filter(|entity| !entity.is_empty())
        .ok_or(PathProblem::MissingEntity)?;
    if project.is_empty() {
        return Err(PathProblem::MissingProject);
    }
    Ok(ProjectPath::new(
        EntityName::new(entity)?,
        ProjectName::new(project)?,
    ))
}

/// `Title--id`, or the id alone. The id has no dash, so the last `--` is the border.
pub(super) fn report_path(project: ProjectPath, last: &str) -> Outcome<ReportPath> {
    let (slug, id) = match last.rsplit_once("--") {
        Some(pair) => pair,
        None if last.contains('-') => return Err(PathProblem::ReportForm),
        None => ("", last),
    };
    if id.is_empty() {
        return Err(PathProblem::MissingId);
    }
    if id.contains('-') {
        return Err(PathProblem::ReportForm);
    }
    Ok(ReportPath::from_slug(
        project,
        slug,
        ReportId::new(id.trim_end_matches('='))?,
    ))
}
