//! Listings of reports.

use std::sync::Arc;

use cynic::QueryBuilder;
use wandb_core::{
    Error, Result,
    page::{ItemStream, Page, Pages},
};
use wandb_schema::operations::reports as wire;

use super::{Report, data};
use crate::{
    Api,
    listing::{self, Paging},
    run::convert::Names,
};

/// A listing of a project's reports. Made by [`Api::reports`]; nothing is sent until it is read.
#[derive(Debug, Clone)]
#[must_use]
pub struct Reports {
    api: Api,
    path: String,
    name: Option<String>,
    drafts: bool,
    paging: Paging,
}

impl Reports {
    pub(super) fn new(api: Api, path: String) -> Self {
        Self {
            api,
            path,
            name: None,
            drafts: false,
            paging: Paging::new(50),
        }
    }

    /// Only the report of this name. Servers compare it with the name or with the title.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The drafts in place of what is published.
    pub fn drafts(mut self) -> Self {
        self.drafts = true;
        self
    }

    /// How many reports a request asks for; 50 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many reports are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// The listing page by page: one page is one request. The official client ends at a page that is not full; here the
    /// server says where the end is.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible.
    pub fn pages(self) -> Result<Pages<'static, Report>> {
        let paging = self.paging;
        let listing = Arc::new(self);
        paging.pages(move |cursor, count| {
            let listing = Arc::clone(&listing);
            async move { listing.fetch(cursor, count).await }
        })
    }

    /// The reports one by one.
    pub fn stream(self) -> ItemStream<'static, Report> {
        listing::items(self.pages())
    }

    async fn fetch(&self, cursor: Option<String>, count: u32) -> Result<Page<Report>> {
        let path = self.api.project_path(&self.path).await?;
        let view_type = if self.drafts { "runs/draft" } else { "runs" };
        let operation = wire::ProjectViews::build(wire::ProjectViewsVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            report_cursor: cursor,
            report_limit: i32::try_from(count).unwrap_or(i32::MAX),
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
        Ok(Page {
            items: items.collect::<Result<_>>()?,
            next: listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?,
        })
    }
}
