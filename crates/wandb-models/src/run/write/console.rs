//! Console lines (inventory §1.14).

use std::sync::Arc;

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_core::{
    Error, Result,
    page::{ItemStream, Page, Pages},
    timestamp::Timestamp,
};
use wandb_schema::operations::console as wire;

use crate::{
    RunReference,
    listing::{self, Paging},
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

/// The console lines of a run. Made by [`RunReference::console_logs`]; nothing is sent until they are read.
#[derive(Debug, Clone)]
#[must_use]
pub struct ConsoleLogs {
    run: RunReference,
    last: Option<u32>,
    paging: Paging,
}

impl ConsoleLogs {
    /// How many lines a request asks for; 1,000 unless set.
    pub fn page_size(mut self, size: u32) -> Self {
        self.paging.page_size = size;
        self
    }

    /// How many lines are given at most, from the first.
    pub fn limit(mut self, limit: u64) -> Self {
        self.paging.limit = Some(limit);
        self
    }

    /// Only the last lines, in one request.
    pub fn last(mut self, lines: u32) -> Self {
        self.last = Some(lines);
        self
    }

    /// The lines page by page, in the order in which they were written. Without [`last`](Self::last) that needs a server
    /// of version 0.77 or later.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible.
    pub fn pages(self) -> Result<Pages<'static, ConsoleLogLine>> {
        let paging = self.paging;
        let logs = Arc::new(self);
        paging.pages(move |cursor, count| {
            let logs = Arc::clone(&logs);
            async move {
                match logs.last {
                    Some(0) => Ok(Page {
                        items: Vec::new(),
                        next: None,
                    }),
                    Some(last) => logs.tail(last).await,
                    None => logs.page(cursor, count).await,
                }
            }
        })
    }

    /// The lines one by one.
    pub fn stream(self) -> ItemStream<'static, ConsoleLogLine> {
        listing::items(self.pages())
    }

    fn description(&self) -> String {
        format!("read the console of run \"{}\"", self.run.run_path())
    }

    async fn page(&self, cursor: Option<String>, count: u32) -> Result<Page<ConsoleLogLine>> {
        let path = self.run.run_path();
        let operation = wire::RunConsoleLogPage::build(wire::RunConsoleLogPageVariables {
            project: path.project().as_str().to_owned(),
            entity: Some(path.entity().as_str().to_owned()),
            run_name: path.run().as_str().to_owned(),
            first: i32::try_from(count).unwrap_or(i32::MAX),
            after: cursor,
        });
        let description = self.description();
        let answer: wire::RunConsoleLogPage = self.run.api().execute(&operation, &description).await?;
        let run = answer
            .project
            .and_then(|project| project.run)
            .ok_or_else(|| self.gone())?;
        let read = || {
            let connection = run.log_lines.ok_or_else(no_lines)?;
            let next = listing::next_cursor(
                connection.page_info.has_next_page,
                connection.page_info.end_cursor,
            )?;
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
        ConsoleLogs {
            run: self.clone(),
            last: None,
            // The official client's page size.
            paging: Paging::new(1_000),
        }
    }
}
