//! Listings of reports.

use cynic::QueryBuilder;
use wandb_core::{Error, Result, page::Page};
use wandb_schema::operations::reports as wire;

use super::{Report, data};
use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
    run::convert::Names,
};

/// A listing of a project's reports, 50 a page. Made by [`Api::reports`]; nothing is sent until it is read. The official client
/// ends at a page that is not full; here the server says where the end is.
pub type Reports = Listing<ReportsQuery>;

/// What [`Reports`] asks.
#[derive(Debug, Clone)]
pub struct ReportsQuery {
    api: Api,
    path: String,
    name: Option<String>,
    drafts: bool,
}

impl Reports {
    pub(super) fn of_project(api: Api, path: String) -> Self {
        let query = ReportsQuery {
            api,
            path,
            name: None,
            drafts: false,
        };
        Self::new(query, 50)
    }

    /// Only the report of this name. Servers compare it with the name or with the title.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.query.name = Some(name.into());
        self
    }

    /// The drafts in place of what is published.
    pub fn drafts(mut self) -> Self {
        self.query.drafts = true;
        self
    }
}

impl ListingQuery for ReportsQuery {
    type Item = Report;

    async fn fetch(&self, ask: Ask) -> Result<Page<Report>> {
        let path = self.api.project_path(&self.path).await?;
        let view_type = if self.drafts { "runs/draft" } else { "runs" };
        let operation = wire::ProjectViews::build(wire::ProjectViewsVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            report_limit: ask.first(),
            report_cursor: ask.cursor,
            view_type: Some(view_type.to_owned()),
            view_name: self.name.clone(),
        });
        let description = format!("list the reports of \"{path}\"");
        let answer: wire::ProjectViews = self.api.execute(&operation, &description).await?;
        let project = answer.project.ok_or_else(|| {
            Error::not_found(format!("project \"{path}\""))
                .with_hint("check the spelling; the key may not see a private project")
                .in_operation(description.clone())
        })?;
        self.page(project)
            .map_err(|error| error.in_operation(description))
    }
}

impl ReportsQuery {
    fn page(&self, project: wire::ViewsProject) -> Result<Page<Report>> {
        let names = Names::new(&project.entity_name, &project.name)?;
        let connection = project.all_views.ok_or_else(|| {
            Error::protocol("the server gave no reports where a page of reports was asked for")
        })?;
        let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
        let items = nodes.into_iter().map(|view| {
            let data = data::from_wire(&self.api, names.project(), view)?;
            Ok(Report::new(self.api.clone(), names.project().clone(), data))
        });
        listing::page(items, connection.page_info)
    }
}
