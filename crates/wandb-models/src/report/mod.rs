//! Reports (inventory 1.9, protocol §2.13): what Python users know as `BetaReport`.

mod data;
mod listing;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use cynic::{Id, QueryBuilder};
use wandb_core::{
    Error, Result,
    path::{ProjectPath, ReportPath},
    timestamp::Timestamp,
};
use wandb_schema::operations::reports as wire;

use crate::{Api, Project, Runs, run::convert::Names};

pub use data::{ReportData, ReportUser};
pub use listing::Reports;
pub use spec::{ReportForm, ReportSection, ReportSpec, RunSet, RunSetQuery};
pub use write::{NewReport, ReportEdit};

/// One report: its data (through [`Deref`]), its sections, and their runs.
#[derive(Clone)]
pub struct Report {
    api: Api,
    project: Arc<ProjectPath>,
    data: Arc<ReportData>,
    content: Arc<OnceLock<Result<ReportSpec>>>,
}

impl Deref for Report {
    type Target = ReportData;

    fn deref(&self) -> &ReportData {
        &self.data
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Report")
            .field("id", &self.id)
            .field("display_name", &self.display_name)
            .finish_non_exhaustive()
    }
}

impl Report {
    fn new(api: Api, project: ProjectPath, data: ReportData) -> Self {
        Self {
            api,
            project: Arc::new(project),
            data: Arc::new(data),
            content: Arc::default(),
        }
    }

    fn from_placed(api: &Api, placed: wire::PlacedView) -> Result<Self> {
        let project = placed
            .project
            .ok_or_else(|| Error::protocol("the server does not say in which project the report is"))?;
        let names = Names::new(&project.entity_name, &project.name)?;
        let data = data::from_wire(api, names.project(), placed.view)?;
        Ok(Self::new(api.clone(), names.project().clone(), data))
    }

    async fn fetch(api: &Api, id: &str) -> Result<Self> {
        let description = format!("read report {id:?}");
        let operation = wire::GetView::build(wire::GetViewVariables { id: Id::new(id) });
        let answer: wire::GetView = api.execute(&operation, &description).await?;
        let view = answer
            .view
            .ok_or_else(|| Error::not_found(format!("report {id:?}")))?;
        Self::from_placed(api, view).map_err(|error| error.in_operation(description))
    }

    /// The report's data, apart from its handle.
    #[must_use]
    pub fn data(&self) -> &ReportData {
        &self.data
    }

    /// The project that the report is in.
    #[must_use]
    pub fn project_path(&self) -> &ProjectPath {
        &self.project
    }

    /// The content, read once when first asked for. The text itself is [`ReportData::spec`].
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) when it is no JSON object.
    pub fn content(&self) -> Result<&ReportSpec> {
        self.content
            .get_or_init(|| ReportSpec::parse(&self.data.spec).map_err(|error| self.named(error)))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The sections with their run sets, of old reports and of new ones.
    ///
    /// # Errors
    /// As [`content`](Self::content), or [`Unsupported`](wandb_core::ErrorKind::Unsupported) when the content is of a
    /// version that has neither form.
    pub fn sections(&self) -> Result<Vec<ReportSection>> {
        self.content()?.sections().map_err(|error| self.named(error))
    }

    /// The runs of a section: of the run set that is [open](ReportSection::open_run_set) in it, as the official client
    /// gives them. Others by [`runs_of`](Self::runs_of).
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when the section has no such run set; else as
    /// [`RunSet::query`].
    pub fn runs(&self, section: &ReportSection, only_selected: bool) -> Result<Runs> {
        let open = section.open_run_set();
        let run_set = section.run_sets.get(open).ok_or_else(|| {
            let found = section.run_sets.len();
            self.named(Error::invalid_input(format!(
                "the section has no run set {open}: it has {found}"
            )))
        })?;
        self.runs_of(run_set, only_selected)
    }

    /// The runs of a run set, in its order, from the project that it names or else from the report's. Page size and limit
    /// are set on the listing.
    ///
    /// # Errors
    /// As [`RunSet::query`].
    pub fn runs_of(&self, run_set: &RunSet, only_selected: bool) -> Result<Runs> {
        let seconds = self.api.client().runtime().unix_seconds();
        let now = Timestamp::from_unix_microseconds(seconds.saturating_mul(1_000_000))
            .ok_or_else(|| Error::invalid_input("the clock of this machine is out of bounds"))?;
        let query = run_set
            .query(only_selected, now)
            .map_err(|error| self.named(error))?;
        let path = match &query.project {
            Some((entity, project)) => format!("{entity}/{project}"),
            None => self.project.to_string(),
        };
        let runs = self.api.runs(path).filter(query.filter);
        Ok(match query.order {
            Some(order) => runs.order(order),
            None => runs,
        })
    }

    /// Reads the report again.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when it was deleted meanwhile.
    pub async fn reload(&self) -> Result<Self> {
        Self::fetch(&self.api, &self.id).await
    }

    fn named(&self, error: Error) -> Error {
        error.in_operation(format!("read the content of report {:?}", self.id))
    }
}

impl Api {
    /// The reports of a project, by `entity/project`, `project`, or its web address. Nothing is sent until the listing is
    /// read.
    pub fn reports(&self, path: impl Into<String>) -> Reports {
        Reports::of_project(self.clone(), path.into())
    }

    /// One report, by its path or web address: `entity/project/reports/Title--id`. The title may be left out.
    ///
    /// # Errors
    /// [`NotFound`](wandb_core::ErrorKind::NotFound) when there is none or the key may not see it.
    pub async fn report(&self, path: &str) -> Result<Report> {
        let path = self
            .parse_path(|context| ReportPath::parse(path, context))
            .await?;
        // Addresses leave out the padding of the id, which is Base64 of the real service; the embedded server's has none.
        let id = path.id().as_str();
        let padded = format!("{id}{}", "=".repeat((4 - id.len() % 4) % 4));
        match Report::fetch(self, &padded).await {
            Err(error) if error.kind() == wandb_core::ErrorKind::NotFound && padded != id => {
                Report::fetch(self, id).await
            }
            result => result,
        }
    }
}

impl Project {
    /// The reports of this project.
    pub fn reports(&self, api: &Api) -> Reports {
        api.reports(format!("{}/{}", self.entity, self.name))
    }
}
