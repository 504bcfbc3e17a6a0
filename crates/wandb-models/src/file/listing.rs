//! Listings of files.

use std::sync::Arc;

use cynic::QueryBuilder;
use wandb_core::{Error, Result, page::Page, path::RunPath};
use wandb_schema::operations::files as wire;

use super::File;
use crate::{
    Api,
    listing::{self, Ask, Listing, ListingQuery},
};

/// A listing of a run's files, 200 a page. Made by [`Run::files`](crate::Run::files). Names and a pattern at once are refused (the
/// official client does so, too).
pub type Files = Listing<FilesQuery>;

/// What [`Files`] asks.
#[derive(Debug, Clone)]
pub struct FilesQuery {
    api: Api,
    run: Arc<RunPath>,
    names: Vec<String>,
    pattern: Option<String>,
}

impl Files {
    pub(crate) fn of_run(api: Api, run: Arc<RunPath>) -> Self {
        let query = FilesQuery {
            api,
            run,
            names: Vec::new(),
            pattern: None,
        };
        Self::new(query, 200)
    }

    /// Only files with these exact names. No names means all files.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.query.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Only names that match, in SQL's `LIKE` form: `%` for any text, `_` for one character.
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.query.pattern = Some(pattern.into());
        self
    }
}

impl ListingQuery for FilesQuery {
    type Item = File;

    fn check(&self) -> Result<()> {
        if self.pattern.is_some() && !self.names.is_empty() {
            return Err(Error::invalid_input(
                "files are chosen by names or by a pattern, not by both",
            ));
        }
        Ok(())
    }

    async fn fetch(&self, ask: Ask) -> Result<Page<File>> {
        let run = &self.run;
        let operation = wire::RunFiles::build(wire::RunFilesVariables {
            project: run.project().as_str().to_owned(),
            entity: Some(run.entity().as_str().to_owned()),
            name: run.run().as_str().to_owned(),
            file_limit: ask.first(),
            file_cursor: ask.cursor,
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
}

impl FilesQuery {
    fn page(&self, found: wire::RunFilesRun) -> Result<Page<File>> {
        let connection = found
            .files
            .ok_or_else(|| Error::protocol("the server gave no files where a page of files was asked for"))?;
        let nodes = listing::nodes(connection.edges.into_iter().map(|edge| edge.node))?;
        listing::page(
            nodes
                .into_iter()
                .map(|node| File::from_wire(&self.api, &self.run, node)),
            connection.page_info,
        )
    }
}

pub(crate) async fn fetch_one(api: &Api, run: &Arc<RunPath>, name: &str) -> Result<File> {
    let listing = Files::of_run(api.clone(), Arc::clone(run)).names([name]);
    let page = listing.query.fetch(Ask::of(10)).await?;
    // A server that ignores the name must not make another file pass for this one.
    page.items
        .into_iter()
        .find(|file| file.name == name)
        .ok_or_else(|| {
            Error::not_found(format!("file {name:?} of run \"{run}\""))
                .with_hint("list the run's files to see their names")
        })
}
