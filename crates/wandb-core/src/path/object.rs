//! Whole paths: what each names, and how it is printed.
//!
//! Law (property-tested): every path that can be built reads back from what it prints, both from `Display` and from its
//! web address.

use std::fmt;

use super::error::{ObjectKind, PathError};
use super::name::{EntityName, ProjectName, ReportId, RunId, SweepId};
use super::parse::{self, PathContext};
use crate::base_url::encode_segment;

/// A project: `entity/project`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectPath {
    entity: EntityName,
    project: ProjectName,
}

impl ProjectPath {
    /// The project of that name in that entity.
    pub fn new(entity: EntityName, project: ProjectName) -> Self {
        Self { entity, project }
    }

    /// Reads `entity/project`, `project` (with the default entity) or the web address of a project's page.
    /// White space and slashes around the text and white space around a part are ignored.
    ///
    /// # Errors
    /// When the text has none of these forms, names an object of another kind, or leaves out the entity where there is
    /// no default.
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, PathError> {
        parse::project(text, context)
    }

    /// The entity.
    pub fn entity(&self) -> &EntityName {
        &self.entity
    }

    /// The project's name.
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The run of that id in this project.
    pub fn with_run(&self, run: RunId) -> RunPath {
        RunPath {
            project: self.clone(),
            run,
        }
    }

    /// The sweep of that id in this project.
    pub fn with_sweep(&self, sweep: SweepId) -> SweepPath {
        SweepPath {
            project: self.clone(),
            sweep,
        }
    }

    /// The path for a URL, each part percent-encoded: `entity/project`.
    pub fn to_url_path(&self) -> String {
        format!(
            "{}/{}",
            encode_segment(self.entity.as_str()),
            encode_segment(self.project.as_str())
        )
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.entity, self.project)
    }
}

/// A run: `entity/project/run`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunPath {
    project: ProjectPath,
    run: RunId,
}

impl RunPath {
    /// The run of that id.
    pub fn new(entity: EntityName, project: ProjectName, run: RunId) -> Self {
        Self {
            project: ProjectPath::new(entity, project),
            run,
        }
    }

    /// Reads a run's path: `entity/project/run`, `entity/project/runs/run`, `entity/project:run`, `project/run`,
    /// `project/runs/run`, `project:run`, `/runs/run`, `run`, or the web address of one of the run's pages.
    /// White space and slashes around the text and white space around a part are ignored.
    ///
    /// As wandb 0.31.0 reads it (inventory §2.1), with three faults mended: `runs` counts as the word only where the
    /// form has it, so that a project may be called so; a path that says `sweeps` is no run; web addresses are read.
    ///
    /// # Errors
    /// When the text has none of these forms, names an object of another kind, or leaves out what has no default.
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, PathError> {
        parse::run(text, context)
    }

    /// The project that the run is in.
    pub fn project_path(&self) -> &ProjectPath {
        &self.project
    }

    /// The entity.
    pub fn entity(&self) -> &EntityName {
        self.project.entity()
    }

    /// The project's name.
    pub fn project(&self) -> &ProjectName {
        self.project.project()
    }

    /// The run's id.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The path for a URL, each part percent-encoded: `entity/project/runs/run`.
    pub fn to_url_path(&self) -> String {
        format!(
            "{}/runs/{}",
            self.project.to_url_path(),
            encode_segment(self.run.as_str())
        )
    }
}

impl fmt::Display for RunPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // "e/runs/x" reads as the run x of project e, so a project of such a name needs the long form.
        let infix = if parse::is_type_word(self.project().as_str()) {
            "/runs"
        } else {
            ""
        };
        write!(formatter, "{}{infix}/{}", self.project, self.run)
    }
}

/// A sweep: `entity/project/sweeps/sweep`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SweepPath {
    project: ProjectPath,
    sweep: SweepId,
}

impl SweepPath {
    /// The sweep of that id.
    pub fn new(entity: EntityName, project: ProjectName, sweep: SweepId) -> Self {
        Self {
            project: ProjectPath::new(entity, project),
            sweep,
        }
    }

    /// Reads a sweep's path, in the same forms as a run's, with `sweeps` in place of `runs`.
    ///
    /// # Errors
    /// As [`RunPath::parse`].
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, PathError> {
        parse::sweep(text, context)
    }

    /// The project that the sweep is in.
    pub fn project_path(&self) -> &ProjectPath {
        &self.project
    }

    /// The entity.
    pub fn entity(&self) -> &EntityName {
        self.project.entity()
    }

    /// The project's name.
    pub fn project(&self) -> &ProjectName {
        self.project.project()
    }

    /// The sweep's id.
    pub fn sweep(&self) -> &SweepId {
        &self.sweep
    }

    /// The path for a URL, each part percent-encoded: `entity/project/sweeps/sweep`.
    pub fn to_url_path(&self) -> String {
        format!(
            "{}/sweeps/{}",
            self.project.to_url_path(),
            encode_segment(self.sweep.as_str())
        )
    }
}

impl fmt::Display for SweepPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/sweeps/{}", self.project, self.sweep)
    }
}

/// A report: `entity/project/reports/Title-with-dashes--id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportPath {
    project: ProjectPath,
    /// The title as addresses have it; empty when only the id is known.
    slug: String,
    id: ReportId,
}

impl ReportPath {
    /// The report of that id. `title` is the report's title; an address shows its words joined by dashes
    /// (official: `BetaReport.url`). The `=` at the end of a view's id may be given or left out.
    ///
    /// # Errors
    /// When the id cannot be one.
    pub fn new(project: ProjectPath, title: &str, id: &str) -> Result<Self, super::NameError> {
        let id = ReportId::new(id.trim_end_matches('='))?;
        Ok(Self {
            project,
            slug: slug(title),
            id,
        })
    }

    pub(super) fn from_slug(project: ProjectPath, slug: &str, id: ReportId) -> Self {
        Self {
            project,
            slug: slug.to_owned(),
            id,
        }
    }

    /// Reads `entity/project/reports/Title--id`, the same with the id alone, `project/reports/Title--id`, or the web
    /// address of a report.
    ///
    /// # Errors
    /// When the text has none of these forms, names an object of another kind, or leaves out the entity where there is
    /// no default.
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, PathError> {
        parse::report(text, context)
    }

    /// The project that the report is in.
    pub fn project_path(&self) -> &ProjectPath {
        &self.project
    }

    /// The view's id, without `=`.
    pub fn id(&self) -> &ReportId {
        &self.id
    }

    /// The title as far as the path has it: dashes stand for spaces and for what an address leaves out.
    pub fn title(&self) -> Option<String> {
        (!self.slug.is_empty()).then(|| self.slug.replace('-', " "))
    }

    /// `Title-with-dashes--id`, not encoded.
    pub(crate) fn last_segment(&self) -> String {
        format!("{}--{}", self.slug, self.id)
    }

    /// The path for a URL, each part percent-encoded: `entity/project/reports/Title--id`.
    pub fn to_url_path(&self) -> String {
        format!(
            "{}/reports/{}",
            self.project.to_url_path(),
            encode_segment(&self.last_segment())
        )
    }
}

impl fmt::Display for ReportPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/reports/{}", self.project, self.last_segment())
    }
}

/// Every run of characters that are no word characters becomes one dash; none at the ends.
fn slug(title: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let words: Vec<&str> = title
        .split(|character| !is_word(character))
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

/// Whatever a path or web address names (official: `Api.from_path`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnyPath {
    /// A project, or one of its pages.
    Project(ProjectPath),
    /// A run.
    Run(RunPath),
    /// A sweep.
    Sweep(SweepPath),
    /// A report.
    Report(ReportPath),
    /// A group of runs of a project, by its web address: the runs whose `group` is this name.
    Group {
        /// The project.
        project: ProjectPath,
        /// The group's name.
        group: String,
    },
}

impl AnyPath {
    /// Reads a path or web address of any kind. One part is a project (or `project:run`), two are `entity/project`,
    /// three a run, and four say the kind: `entity/project/{runs,sweeps,reports}/id` (inventory §2.4).
    ///
    /// # Errors
    /// When the text has none of these forms or leaves out the entity where there is no default.
    pub fn parse(text: &str, context: &PathContext) -> Result<Self, PathError> {
        parse::any(text, context)
    }

    /// The project that the object is, or is in.
    pub fn project_path(&self) -> &ProjectPath {
        match self {
            Self::Project(project) | Self::Group { project, .. } => project,
            Self::Run(run) => run.project_path(),
            Self::Sweep(sweep) => sweep.project_path(),
            Self::Report(report) => report.project_path(),
        }
    }

    /// What kind of object it is.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::Project(_) => ObjectKind::Project,
            Self::Run(_) => ObjectKind::Run,
            Self::Sweep(_) => ObjectKind::Sweep,
            Self::Report(_) => ObjectKind::Report,
            Self::Group { .. } => ObjectKind::Group,
        }
    }
}
