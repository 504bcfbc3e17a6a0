//! Console lines.

use async_graphql::SimpleObject;

use super::Caller;
use super::page::{self, PageInfo};
use super::scalars::DateTime;
use crate::store::console::{self, ConsoleLine, Window};
use crate::store::ids;

/// Lines per page where the caller names no number (protocol §2.3).
const LINES: u64 = 1000;
/// Most lines per page.
const MAX_LINES: u64 = 10_000;

/// Console lines.
#[derive(Debug, SimpleObject)]
pub(crate) struct LogLineConnection {
    edges: Vec<LogLineEdge>,
    page_info: PageInfo,
}

/// A console line in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct LogLineEdge {
    cursor: String,
    node: LogLine,
}

/// A console line, its prefix taken off.
#[derive(Debug, SimpleObject)]
pub(crate) struct LogLine {
    number: Option<i64>,
    timestamp: Option<DateTime>,
    /// `error` for stderr.
    level: Option<String>,
    /// The process of a shared run.
    label: Option<String>,
    line: Option<String>,
}

/// A page of a run's console lines. A cursor names the line by its number, so that a rewritten line keeps its place.
pub(crate) async fn log_lines(
    caller: &Caller,
    run: i64,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> async_graphql::Result<LogLineConnection> {
    let number = |cursor: Option<&str>| -> async_graphql::Result<Option<i64>> {
        Ok(page::offset(cursor)?.map(|offset| i64::try_from(offset).unwrap_or(i64::MAX)))
    };
    let window = match last {
        Some(_) => Window::Last {
            before: number(before.as_deref())?,
            limit: page::size(last, LINES, MAX_LINES)?,
        },
        None => Window::First {
            after: number(after.as_deref())?,
            limit: page::size(first, LINES, MAX_LINES)?,
        },
    };
    let found = caller
        .app
        .store
        .read(move |db| console::page(db, run, window))
        .await?;
    let cursor = |line: &ConsoleLine| ids::cursor(line.number.unsigned_abs());
    let page_info = PageInfo {
        has_next_page: found.more_after,
        has_previous_page: found.more_before,
        start_cursor: found.lines.first().map(cursor),
        end_cursor: found.lines.last().map(cursor),
    };
    let edges = found
        .lines
        .into_iter()
        .map(|line| LogLineEdge {
            cursor: cursor(&line),
            node: LogLine {
                number: Some(line.number),
                timestamp: line.timestamp.map(DateTime),
                level: line.level,
                label: line.label,
                line: Some(line.line),
            },
        })
        .collect();
    Ok(LogLineConnection { edges, page_info })
}
