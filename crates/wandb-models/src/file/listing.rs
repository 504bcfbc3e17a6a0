//! Listings of files.

use std::sync::Arc;

use cynic::QueryBuilder;
use wandb_core::{
    Error, Result,
    page::{ItemStream, Page, Pages},
    path::RunPath,
};
use wandb_schema::operations::files as wire;

use super::File;
use crate::{
    Api,
    listing::{self, Paging},
};

/// A listing of a run's files. Made by [`Run::files`](crate::Run::files).
#[derive(Debug, Clone)]
#[must_use]
pub struct Files {
    api: Api,
    run: Arc<RunPath>,
    names: Vec<String>,
    pattern: Option<String>,
    paging: Paging,
}

impl Files {
    pub(crate) fn new(api: Api, run: Arc<RunPath>) -> Self {
        Self {
            api,
            run,
            names: Vec::new(),
            pattern: None,
            paging: Paging::new(200),
        }
    }

    /// Only files with these exact names. No names means all files.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Only names that match, in SQL's `LIKE` form: `%` for any text, `_` for one character.
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// How many files a request asks for; 200 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many files are given at most.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// The listing page by page.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible, or when both names and
    /// a pattern are given (the official client refuses that, too).
    pub fn pages(self) -> Result<Pages<'static, File>> {
        if self.pattern.is_some() && !self.names.is_empty() {
            return Err(Error::invalid_input(
                "files are chosen by names or by a pattern, not by both",
            ));
        }
        let paging = self.paging;
        let listing = Arc::new(self);
        paging.pages(move |cursor, count| {
            let listing = Arc::clone(&listing);
            async move { listing.fetch(cursor, count).await }
        })
    }

    /// The files one by one.
    pub fn stream(self) -> ItemStream<'static, File> {
        listing::items(self.pages())
    }

    async fn fetch(&self, cursor: Option<String>, count: u32) -> Result<Page<File>> {
        let run = &self.run;
        let operation = wire::RunFiles::build(wire::RunFilesVariables {
            project: run.project().as_str().to_owned(),
            entity: Some(run.entity().as_str().to_owned()),
            name: run.run().as_str().to_owned(),
            file_cursor: cursor,
            file_limit: i32::try_from(count).unwrap_or(i32::MAX),
            file_names: Some(self.names.iter().cloned().map(Some).collect()),
            pattern: self.pattern.clone(),
        });
        let description = format!("list the files of run \"{run}\"");
        let answer: wire::RunFiles = self.api.execute(&operation, &description).await?;
        let found = answer
            .project
            .and_then(|project| project.run)
            .ok_or_else(|| Error::not_found(format!("run \"{run}\"")))?;
        self.page(found).map_err(|error| error.in_operation(description))
    }

    fn page(&self, found: wire::RunFilesRun) -> Result<Page<File>> {
        let connection = found
            .files
            .ok_or_else(|| Error::protocol("the server gave no files where a page of files was asked for"))?;
        let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
        Ok(Page {
            items: nodes
                .into_iter()
                .map(|node| File::from_wire(&self.api, &self.run, node))
                .collect::<Result<_>>()?,
            next: listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?,
        })
    }
}

pub(crate) async fn fetch_one(api: &Api, run: &Arc<RunPath>, name: &str) -> Result<File> {
    let page = Files::new(api.clone(), Arc::clone(run))
        .names([name])
        .fetch(None, 10)
        .await?;
    // A server that ignores the name must not make another file pass for this one.
    page.items
        .into_iter()
        .find(|file| file.name == name)
        .ok_or_else(|| {
            Error::not_found(format!("file {name:?} of run \"{run}\""))
                .with_hint("list the run's files to see their names")
        })
}
