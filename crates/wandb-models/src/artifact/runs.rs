//! The runs around a version, one hop away.

use std::{collections::HashMap, sync::Arc};

use cynic::QueryBuilder;
use futures_util::TryStreamExt;
use wandb_core::{
    Error, ErrorKind, Result, filter,
    page::{ItemStream, Page, Pages},
    path::{EntityName, NameError, ProjectName, RunId, RunPath},
};
use wandb_schema::operations::{
    artifact_lineage as wire,
    artifacts::{ArtifactIdVariables, ArtifactPageVariables},
};

use super::Artifact;
use crate::{
    Api, Run, RunReference,
    listing::{self, Ask, Listing, ListingQuery},
};

impl Artifact {
    /// The run that logged the version; `None` when it was no run, or the run was deleted. Two requests; with
    /// [`logged_by_reference`](Self::logged_by_reference) one.
    ///
    /// # Errors
    /// As [`logged_by_reference`](Self::logged_by_reference); also [`NotFound`](ErrorKind::NotFound) when the server names a run
    /// and does not show it: it was deleted just now, or the key may not see it.
    pub async fn logged_by(&self) -> Result<Option<Run>> {
        match self.logged_by_reference().await? {
            None => Ok(None),
            Some(run) => run.load().await.map(Some),
        }
    }

    /// The place of the run that logged the version, without its data.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the version is gone, [`NotVisible`](ErrorKind::NotVisible) when a run logged it whose
    /// project the key may not see.
    pub async fn logged_by_reference(&self) -> Result<Option<RunReference>> {
        let description = format!("find the run that logged \"{}\"", self.exact_name());
        let operation = wire::ArtifactCreatedBy::build(ArtifactIdVariables {
            id: cynic::Id::new(&*self.id),
        });
        let answer: wire::ArtifactCreatedBy = self.api.execute(&operation, &description).await?;
        let artifact = answer
            .artifact
            .ok_or_else(|| Error::not_found(format!("artifact \"{}\"", self.exact_name())))?;
        match artifact.created_by {
            Some(wire::Initiator::Run(run)) => {
                let path = run_path(&run).and_then(|path| path.ok_or_else(hidden));
                path.map(|path| Some(RunReference::new(self.api.clone(), Arc::new(path))))
                    .map_err(|error| error.in_operation(description))
            }
            Some(wire::Initiator::Other) | None => Ok(None),
        }
    }

    /// The runs that used the version.
    pub fn used_by(&self) -> ArtifactRuns {
        let query = UsedByQuery {
            artifact: self.clone(),
            skip_hidden: false,
        };
        ArtifactRuns::new(query, 100)
    }
}

/// A run whose project is not shown, so that it cannot be named.
fn hidden() -> Error {
    Error::new(
        ErrorKind::NotVisible,
        "the run is in a project that the key may not see",
    )
}

/// Where a run is, as the wire has it; `None` when its project is gone or not shown.
pub(super) fn run_path(run: &wire::LineageRun) -> Result<Option<RunPath>> {
    let wrong = |error: NameError| {
        Error::protocol("the server named a run in a way that no run is named").with_source(error)
    };
    let Some(project) = &run.project else {
        return Ok(None);
    };
    Ok(Some(RunPath::new(
        EntityName::new(&*project.entity_name).map_err(wrong)?,
        ProjectName::new(&*project.name).map_err(wrong)?,
        RunId::new(&*run.name).map_err(wrong)?,
    )))
}

/// A listing of the runs that used a version. Made by [`Artifact::used_by`]. The official client asks for one page and then
/// for each run on its own; this goes on, and asks for the runs of a page together.
///
/// 100 a page. The places of the runs are one request a page; with their data it is one more per project that the page's runs are in.
///
/// A run that the server names without its project, because the key may not see that, is an error, unless such runs are
/// [skipped](ArtifactRuns::skip_hidden). A server may also leave runs of other people's private projects out, as the embedded one does:
/// then the listing and the server's count are of what the key may see.
pub type ArtifactRuns = Listing<UsedByQuery>;

/// What [`ArtifactRuns`] asks.
#[derive(Debug, Clone)]
pub struct UsedByQuery {
    artifact: Artifact,
    skip_hidden: bool,
}

impl ListingQuery for UsedByQuery {
    type Item = Run;

    async fn fetch(&self, ask: Ask) -> Result<Page<Run>> {
        let page = self.paths(ask).await?;
        Ok(Page {
            items: load(&self.artifact.api, &page.items).await?,
            next: page.next,
        })
    }
}

impl ArtifactRuns {
    /// Leaves runs out that the server names without their project. [`Lineage`](super::Lineage) counts them.
    pub fn skip_hidden(mut self) -> Self {
        self.query.skip_hidden = true;
        self
    }

    /// The places of the runs, page by page, one request a page.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a page size that is not possible.
    pub fn reference_pages(self) -> Result<Pages<'static, RunReference>> {
        self.pages_by(|query, ask| async move {
            let page = query.paths(ask).await?;
            let reference = |path| RunReference::new(query.artifact.api.clone(), Arc::new(path));
            Ok(Page {
                items: page.items.into_iter().map(reference).collect(),
                next: page.next,
            })
        })
    }

    /// The places of the runs one by one.
    pub fn references(self) -> ItemStream<'static, RunReference> {
        listing::items(self.reference_pages())
    }
}

impl UsedByQuery {
    async fn paths(&self, ask: Ask) -> Result<Page<RunPath>> {
        let artifact = &self.artifact;
        let description = format!("list the runs that used \"{}\"", artifact.exact_name());
        let operation = wire::ArtifactUsedBy::build(ArtifactPageVariables {
            id: cynic::Id::new(&*artifact.id),
            per_page: ask.first(),
            cursor: ask.cursor,
        });
        let answer: wire::ArtifactUsedBy = artifact.api.execute(&operation, &description).await?;
        let connection = answer
            .artifact
            .ok_or_else(|| Error::not_found(format!("artifact \"{}\"", artifact.exact_name())))?
            .used_by;
        let page = || {
            let mut items = Vec::with_capacity(connection.edges.len());
            for edge in &connection.edges {
                match run_path(&edge.node)? {
                    Some(path) => items.push(path),
                    None if self.skip_hidden => {}
                    None => {
                        return Err(hidden().with_hint("skip_hidden() leaves out what cannot be named"));
                    }
                }
            }
            Ok(Page {
                items,
                next: listing::next(connection.page_info)?,
            })
        };
        page().map_err(|error: Error| error.in_operation(description))
    }
}

/// Several runs with their data, in the order given: one listing per project.
///
/// # Errors
/// [`Incomplete`](ErrorKind::Incomplete) when one of them is not listed.
async fn load(api: &Api, paths: &[RunPath]) -> Result<Vec<Run>> {
    let mut found: HashMap<RunPath, Run> = HashMap::new();
    let mut projects: Vec<_> = paths.iter().map(RunPath::project_path).collect();
    projects.sort_unstable();
    projects.dedup();
    for project in projects {
        let ids = paths
            .iter()
            .filter(|path| path.project_path() == project)
            .map(|path| path.run().as_str());
        let runs = api.runs(project.to_string()).filter(filter::id().is_in(ids));
        let mut runs = runs.stream();
        while let Some(run) = runs.try_next().await? {
            found.insert(run.run_path().clone(), run);
        }
    }
    paths
        .iter()
        .map(|path| {
            found.get(path).cloned().ok_or_else(|| {
                Error::new(
                    ErrorKind::Incomplete,
                    format!("run \"{path}\" used the artifact and is not listed in its project"),
                )
                .with_hint("it may have been deleted just now; ask again, or ask for the references only")
            })
        })
        .collect()
}
