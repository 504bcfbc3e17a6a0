//! Listings of runs.

use std::collections::HashSet;

use cynic::QueryBuilder;
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;
use wandb_core::{
    Error, ErrorKind, Result,
    filter::{Evaluator, Filter},
    order::Order,
    page::Page,
    timestamp::Timestamp,
};
use wandb_schema::{operations::runs as wire, scalars::JsonString};

use super::{Run, Selection, convert};
use crate::{
    Api,
    listing::{Ask, Listing, ListingQuery},
};

/// How often an exactly-once listing is read again before it gives up.
const PASSES: u32 = 4;

/// A listing of runs, 200 a page (the real service gives 1,000 at most). Made by [`Api::runs`]; nothing is sent until it is read.
/// What changes while it is read can make a run come twice or be missed; [`collect_exactly_once`](Runs::collect_exactly_once) rules
/// that out.
///
/// The order is the server's default, oldest first, unless set: official scripts of 2020 got the newest first, so say
/// what you mean.
pub type Runs = Listing<RunsQuery>;

/// What [`Runs`] asks.
#[derive(Debug, Clone)]
pub struct RunsQuery {
    api: Api,
    path: String,
    filter: Option<Filter>,
    order: Order,
    selection: Selection,
    /// Found out with the first page.
    split: OnceCell<Split>,
}

/// A filter, split by who compares it.
#[derive(Debug, Clone)]
struct Split {
    /// What the server is sent.
    filters: Option<JsonString>,
    /// What is left to check on this side.
    local: Option<Evaluator>,
    /// The selection, with what the check needs.
    selection: Selection,
}

/// What an exactly-once listing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListingReport {
    /// How many runs were given.
    pub returned: u64,
    /// How many times a run came again and was left out.
    pub duplicates: u64,
    /// How many runs matched before the first page was read.
    pub count_before: u64,
    /// How many matched after the last one.
    pub count_after: u64,
    /// How often the listing was read.
    pub passes: u32,
}

impl Runs {
    pub(crate) fn of_project(api: Api, path: String) -> Self {
        let query = RunsQuery {
            api,
            path,
            filter: None,
            order: Order::oldest_first(),
            selection: Selection::default(),
            split: OnceCell::new(),
        };
        // The official client's page size is 50; the answer is the same in fewer requests.
        Self::new(query, 200)
    }

    /// Only runs that match.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.query.filter = Some(filter);
        self
    }

    /// The order; oldest first unless set.
    pub fn order(mut self, order: Order) -> Self {
        self.query.order = order;
        self
    }

    /// Which parts of each run to ask for; all but system metrics and history keys unless set.
    pub fn select(mut self, selection: Selection) -> Self {
        self.query.selection = selection;
        self
    }

    /// How many runs match now, regardless of the limit. A query of its own; where a part of the filter is checked on
    /// this side (see [`Api::explain`]) the runs are listed and counted.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such project.
    pub async fn count(&self) -> Result<u64> {
        let query = &self.query;
        let split = query.split().await?;
        if split.local.is_some() {
            let mut listing = self.clone().select(Selection::attributes());
            listing.limit = None;
            return listing
                .stream()
                .try_fold(0, |count, _| std::future::ready(Ok(count + 1)))
                .await;
        }
        let path = query.api.project_path(&query.path).await?;
        let operation = wire::RunCount::build(wire::RunCountVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            filters: split.filters,
        });
        let answer: wire::RunCount = query
            .api
            .execute(&operation, &format!("count the runs of \"{path}\""))
            .await?;
        let project = answer.project.ok_or_else(|| no_project(&path))?;
        u64::try_from(project.run_count).map_err(|_| Error::protocol("the server counts less than no runs"))
    }

    /// Every matching run that existed when the call began, exactly once, however the project changes meanwhile.
    ///
    /// The listing is bounded by the newest run at its start (by the server's clock, not by this machine's), sorted by
    /// creation (which no later event changes), de-duplicated by id, and counted before and after. Where what came and the
    /// counts disagree it is read again and merged, up to four times. Runs that are deleted meanwhile may be in the result.
    /// The configured order and limit are not used; memory grows with the number of runs.
    ///
    /// # Errors
    /// [`Incomplete`](ErrorKind::Incomplete) when the project changed too fast for the counts ever to agree.
    pub async fn collect_exactly_once(self) -> Result<(Vec<Run>, ListingReport)> {
        let Some(newest) = self.newest().await? else {
            return Ok((Vec::new(), ListingReport::default()));
        };
        // A second more, because a server may print times more coarsely than it compares them.
        let end = newest.created_at.unix_microseconds().saturating_add(1_000_000);
        let end = Timestamp::from_unix_microseconds(end).unwrap_or(newest.created_at);
        let bound = wandb_core::filter::created_at().lte(end.to_string());
        let filter = match &self.query.filter {
            Some(filter) => filter.clone() & bound,
            None => bound,
        };
        let mut listing = self.filter(filter).order(Order::oldest_first());
        listing.limit = None;
        let count_before = listing.count().await?;
        let mut seen = HashSet::new();
        let mut runs = Vec::new();
        let mut duplicates = 0;
        let mut before = count_before;
        for passes in 1..=PASSES {
            let mut pages = listing.clone().pages()?;
            let mut in_pass = HashSet::new();
            while let Some(page) = pages.try_next().await? {
                for run in page.items {
                    if !in_pass.insert(run.storage_id.clone()) {
                        duplicates += 1;
                    } else if seen.insert(run.storage_id.clone()) {
                        runs.push(run);
                    }
                }
            }
            let after = listing.count().await?;
            // Nothing was deleted during this pass and every counted run came, or came in an earlier pass.
            if before == after && in_pass.len() as u64 == after {
                let returned = runs.len() as u64;
                return Ok((
                    runs,
                    ListingReport {
                        returned,
                        duplicates,
                        count_before,
                        count_after: after,
                        passes,
                    },
                ));
            }
            before = after;
        }
        Err(Error::new(
            ErrorKind::Incomplete,
            format!(
                "the runs of {:?} changed during each of {PASSES} readings",
                listing.query.path
            ),
        )
        .with_hint("try again when fewer runs are being created or deleted"))
    }
    /// The matching run that was created last.
    async fn newest(&self) -> Result<Option<Run>> {
        let mut listing = self
            .clone()
            .order(Order::newest_first())
            .select(Selection::attributes());
        listing.limit = Some(1);
        listing.stream().try_next().await
    }
}

impl ListingQuery for RunsQuery {
    type Item = Run;

    async fn fetch(&self, ask: Ask) -> Result<Page<Run>> {
        let split = self.split.get_or_try_init(|| self.split()).await?;
        let ask = if split.local.is_some() { ask.whole() } else { ask };
        self.ask(split, ask).await
    }
}

impl RunsQuery {
    /// Splits the filter into what the server is asked and what is checked on this side.
    async fn split(&self) -> Result<Split> {
        let Some(filter) = &self.filter else {
            return Ok(Split {
                filters: None,
                local: None,
                selection: self.selection.clone(),
            });
        };
        let explanation = self.api.explain(filter).await?;
        let server = explanation.server_part();
        let local = explanation.local_evaluator()?;
        let selection = match &local {
            Some(_) => self.selection.clone().widen(explanation.local_part()),
            None => self.selection.clone(),
        };
        let filters = (!server.is_everything()).then(|| JsonString(server.to_mongo_text()));
        Ok(Split {
            filters,
            local,
            selection,
        })
    }

    async fn ask(&self, split: &Split, ask: Ask) -> Result<Page<Run>> {
        let path = self.api.project_path(&self.path).await?;
        let operation = wire::Runs::build(wire::RunsVariables {
            per_page: ask.first(),
            cursor: ask.cursor,
            order: Some(self.order.to_string()),
            filters: split.filters.clone(),
            ..split.selection.variables(&path)
        });
        let description = format!("list the runs of \"{path}\"");
        let answer: wire::Runs = self.api.execute(&operation, &description).await?;
        let project = answer.project.ok_or_else(|| no_project(&path))?;
        self.page(split, project)
            .map_err(|error| error.in_operation(description))
    }

    fn page(&self, split: &Split, project: wire::ProjectRuns) -> Result<Page<Run>> {
        let names = convert::Names::new(&project.entity_name, &project.name)?;
        let connection = project
            .runs
            .ok_or_else(|| Error::protocol("the server gave no runs where a page of runs was asked for"))?;
        let Page { mut items, next } = convert::page(&self.api, &names, connection, &split.selection)?;
        if let Some(evaluator) = &split.local {
            let mut kept = Vec::with_capacity(items.len());
            for run in items {
                if run.passes(evaluator)? {
                    kept.push(run);
                }
            }
            items = kept;
        }
        Ok(Page { items, next })
    }
}

fn no_project(path: &wandb_core::path::ProjectPath) -> Error {
    Error::not_found(format!("project \"{path}\"")).with_hint(
        "check the spelling, or list the projects of the entity; the key may not see a private one",
    )
}
