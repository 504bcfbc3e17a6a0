//! Console lines (inventory §1.14).

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_core::{Error, Result, page::Page, timestamp::Timestamp};
use wandb_schema::operations::console as wire;

use crate::{
    RunReference,
    listing::{self, Ask, Listing, ListingQuery},
};

/// One line that the run's process wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConsoleLogLine {
    /// Its number, from 0; `None` from a server that does not count.
    pub number: Option<u64>,
    /// When it was written, if the server knows.
    pub timestamp: Option<Timestamp>,
    /// `error` for the error stream; another word or nothing for the rest.
    pub level: Option<String>,
    /// Which of several processes wrote it.
    pub label: Option<String>,
    /// The text, without the end of the line.
    pub content: String,
}

/// The console lines of a run, in the order in which they were written, 1,000 a page. Made by [`RunReference::console_logs`];
/// nothing is sent until they are read. All of them need a server of version 0.77 or later.
pub type ConsoleLogs = Listing<ConsoleLogsQuery>;

/// What [`ConsoleLogs`] asks.
#[derive(Debug, Clone)]
pub struct ConsoleLogsQuery {
    run: RunReference,
    last: Option<u32>,
}

impl ConsoleLogs {
    /// Only the last lines, in one request.
    pub fn last(mut self, lines: u32) -> Self {
        self.query.last = Some(lines);
        self
    }
}

impl ListingQuery for ConsoleLogsQuery {
    type Item = ConsoleLogLine;

    async fn fetch(&self, ask: Ask) -> Result<Page<ConsoleLogLine>> {
        match self.last {
            Some(0) => Ok(Page {
                items: Vec::new(),
                next: None,
            }),
            Some(last) => self.tail(last).await,
            None => self.page(ask).await,
        }
    }
}

impl ConsoleLogsQuery {
    fn description(&self) -> String {
        format!("read the console of run \"{}\"", self.run.run_path())
    }

    async fn page(&self, ask: Ask) -> Result<Page<ConsoleLogLine>> {
        let path = self.run.run_path();
        let operation = wire::RunConsoleLogPage::build(wire::RunConsoleLogPageVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            run_name: path.run().as_str().to_owned(),
            first: ask.first(),
            after: ask.cursor,
        });
        let description = self.description();
        let answer: wire::RunConsoleLogPage = self.run.api().execute(&operation, &description).await?;
        let run = answer
            .project
            .and_then(|project| project.run)
            .ok_or_else(|| self.gone())?;
        let read = || {
            let connection = run.log_lines.ok_or_else(no_lines)?;
            let next = listing::next(connection.page_info)?;
            Ok(Page {
                items: lines(connection.edges)?,
                next,
            })
        };
        read().map_err(|error: Error| error.in_operation(description))
    }

    async fn tail(&self, last: u32) -> Result<Page<ConsoleLogLine>> {
        let path = self.run.run_path();
        let operation = wire::RunConsoleLogTail::build(wire::RunConsoleLogTailVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            run_name: path.run().as_str().to_owned(),
            last: i32::try_from(last).unwrap_or(i32::MAX),
        });
        let description = self.description();
        let answer: wire::RunConsoleLogTail = self.run.api().execute(&operation, &description).await?;
        let run = answer
            .project
            .and_then(|project| project.run)
            .ok_or_else(|| self.gone())?;
        let items = run
            .log_lines
            .ok_or_else(no_lines)
            .and_then(|connection| lines(connection.edges));
        Ok(Page {
            items: items.map_err(|error| error.in_operation(description))?,
            next: None,
        })
    }

    fn gone(&self) -> Error {
        Error::not_found(format!("run \"{}\"", self.run.run_path())).in_operation(self.description())
    }
}

fn no_lines() -> Error {
    Error::protocol("the server gave no lines where console lines were asked for")
}

fn lines(edges: Vec<wire::LogLineEdge>) -> Result<Vec<ConsoleLogLine>> {
    edges
        .into_iter()
        .map(|edge| {
            let line = edge.node;
            let timestamp = line.timestamp.map(|text| Timestamp::parse(&text.0)).transpose();
            Ok(ConsoleLogLine {
                number: line.number.and_then(|number| u64::try_from(number).ok()),
                timestamp: timestamp.map_err(|error| {
                    Error::protocol("the time of a console line cannot be read").with_source(error)
                })?,
                level: line.level.filter(|level| !level.is_empty()),
                label: line.label.filter(|label| !label.is_empty()),
                content: line.line.unwrap_or_default(),
            })
        })
        .collect()
}

impl RunReference {
    /// The console lines of the run: `console_logs().stream()` for all, `console_logs().last(100).stream()` for the end.
    pub fn console_logs(&self) -> ConsoleLogs {
        let query = ConsoleLogsQuery {
            run: self.clone(),
            last: None,
        };
        // The official client's page size.
        ConsoleLogs::new(query, 1_000)
    }
}
