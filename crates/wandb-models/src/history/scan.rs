//! The exact scan.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use wandb_core::{
    Error, ErrorKind, Result,
    page::{ItemStream, PageOptions},
    path::RunPath,
};

use super::{
    HistoryRow, RowBatch,
    extent::{self, Extent},
    fetch::{Answer, Source},
    keys::{KeyChoice, tidy},
    plan::{Planner, Window},
};
use crate::{Api, runtime::in_background};

/// How many windows are asked for at the same time unless the caller says.
const DEFAULT_CONCURRENCY: usize = 4;

/// The most windows at the same time. More would only run into the server's rate limit.
const MAX_CONCURRENCY: usize = 32;

/// A request for every row. Made by [`Run::scan_history`](crate::Run::scan_history).
///
/// It covers what the server had when the scan began; rows that a running process logs later are not waited for.
#[derive(Debug, Clone)]
#[must_use]
pub struct Scan {
    api: Api,
    path: Arc<RunPath>,
    choice: KeyChoice,
    page_size: u32,
    min_step: i64,
    max_step: Option<i64>,
    concurrency: usize,
}

/// What a scan did, and whether that was everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ScanReport {
    /// How many rows were given.
    pub rows: u64,
    /// How many windows were asked for, the ones that had to be split included.
    pub requests: u64,
    /// How many rows the server counted when the scan began, if the scan covered all of them.
    pub counted: Option<u64>,
    /// The largest step when the scan began.
    pub last_step: Option<i64>,
}

impl Scan {
    pub(crate) fn new(api: Api, path: Arc<RunPath>) -> Self {
        Self {
            api,
            path,
            choice: KeyChoice::Everything,
            // The official client's page (protocol §2.9).
            page_size: 1_000,
            min_step: 0,
            max_step: None,
            concurrency: DEFAULT_CONCURRENCY,
        }
    }

    /// Only rows that have **all** of these keys, reduced to `_step` and them: `scan_history(keys=…)` of the reference
    /// page. No keys means every row.
    pub fn all_keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        let keys = tidy(keys);
        self.choice = if keys.is_empty() {
            KeyChoice::Everything
        } else {
            KeyChoice::All(keys)
        };
        self
    }

    /// Only rows that have **at least one** of these keys, reduced to `_step` and those that they have: an outer join of
    /// metrics that were logged at different steps. No keys means every row.
    pub fn any_keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        let keys = tidy(keys);
        self.choice = if keys.is_empty() {
            KeyChoice::Everything
        } else {
            KeyChoice::Any(keys)
        };
        self
    }

    /// About how many rows a request asks for; 1,000 unless set. The rows that come are the same whatever it is.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = size;
        self
    }

    /// The first step, inclusive; 0 unless set.
    pub fn min_step(mut self, step: i64) -> Self {
        self.min_step = step;
        self
    }

    /// The step to stop before, exclusive, as in the official client; behind the last one unless set.
    pub fn max_step(mut self, step: i64) -> Self {
        self.max_step = Some(step);
        self
    }

    /// How many requests are made at the same time, 1 to 32; 4 unless set. Memory is bounded by this many pages.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.clamp(1, MAX_CONCURRENCY);
        self
    }

    /// Starts the scan: one small request for the run's extent, then the stream of batches.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a page size or a range that is not possible,
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone, [`Incomplete`](ErrorKind::Incomplete) when the server counts
    /// rows but does not say how far they go.
    pub async fn start(self) -> Result<ScanStream> {
        let options = PageOptions::new(self.page_size, None)?;
        if self.max_step.is_some_and(|max| max < self.min_step) {
            return Err(Error::invalid_input(format!(
                "the range of steps ends ({}) before it begins ({})",
                self.max_step.unwrap_or_default(),
                self.min_step
            )));
        }
        let extent = extent::extent(&self.api, &self.path).await?;
        let end = extent
            .checked_last_step(&self.path)?
            .map_or(0, |step| step.saturating_add(1));
        let low = self.min_step.max(0);
        let high = self.max_step.map_or(end, |max| max.min(end));
        let whole = low == 0 && high == end;
        let planner = Planner::new(
            low,
            high,
            options.page_size,
            extent.line_count,
            extent.last_step.unwrap_or(-1),
        );
        let counted = whole.then(|| promised_rows(&self.choice, &extent)).flatten();
        let report = ScanReport {
            counted,
            last_step: extent.last_step,
            ..ScanReport::default()
        };
        let source = Source::new(self.api, self.path, self.choice, extent);
        Ok(ScanStream {
            source: Arc::new(source),
            planner,
            queue: VecDeque::new(),
            concurrency: self.concurrency,
            report,
            done: false,
        })
    }

    /// Every row, one by one.
    pub fn rows(self) -> ItemStream<'static, HistoryRow> {
        let start = stream::once(self.start());
        Box::pin(
            start
                .try_flatten()
                .map_ok(|batch| stream::iter(batch.into_rows()).map(Ok))
                .try_flatten(),
        )
    }
}

/// How many rows a scan of the whole run must give, where the server's counts say so exactly.
fn promised_rows(choice: &KeyChoice, extent: &Extent) -> Option<u64> {
    match choice {
        KeyChoice::Everything => extent.line_count,
        KeyChoice::All(keys) | KeyChoice::Any(keys) => match keys.as_slice() {
            // A dotted name counts both the key itself and what stands in an object, so one row may count twice.
            [key] if !key.contains('.') => extent
                .types
                .get(key)
                .map(|types| types.count)
                .filter(|count| *count > 0),
            _ => None,
        },
    }
}

type Task = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

enum Slot {
    /// Not asked for yet.
    Waiting(Window),
    /// Asked for.
    InFlight(Window, Task),
    /// Answered before it was its turn.
    Ready(Window, Answer),
}

/// The batches of a scan, in step order. It ends with an [`Incomplete`](ErrorKind::Incomplete) error when fewer rows
/// came than the server counted when the scan began.
pub struct ScanStream {
    source: Arc<Source>,
    planner: Planner,
    queue: VecDeque<Slot>,
    concurrency: usize,
    report: ScanReport,
    done: bool,
}

impl std::fmt::Debug for ScanStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ScanStream")
            .field("run", &self.source.path)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl ScanStream {
    /// What the scan did so far.
    #[must_use]
    pub fn report(&self) -> ScanReport {
        self.report
    }

    /// The keys of the scan that this run never logged, as far as the server says: a misspelled key gives no rows, and
    /// this is how to tell. Empty for a scan of everything, and for a run without history.
    #[must_use]
    pub fn never_logged(&self) -> Vec<&str> {
        self.source.never_logged()
    }

    /// The rows one by one.
    pub fn rows(self) -> ItemStream<'static, HistoryRow> {
        Box::pin(
            self.map_ok(|batch| stream::iter(batch.into_rows()).map(Ok))
                .try_flatten(),
        )
    }

    /// Keeps `concurrency` windows asked for, the first ones first.
    fn fill(&mut self) {
        while self.queue.len() < self.concurrency {
            match self.planner.next_window() {
                Some(window) => self.queue.push_back(Slot::Waiting(window)),
                None => break,
            }
        }
        for slot in self.queue.iter_mut().take(self.concurrency) {
            if let Slot::Waiting(window) = *slot {
                let source = Arc::clone(&self.source);
                self.report.requests += 1;
                let task = in_background(async move { source.window(window).await });
                *slot = Slot::InFlight(window, Box::pin(task));
            }
        }
    }

    fn end(&mut self) -> Option<Result<RowBatch>> {
        self.done = true;
        let counted = self.report.counted?;
        (self.report.rows < counted).then(|| {
            Err(Error::new(
                ErrorKind::Incomplete,
                format!(
                    "the scan of run \"{}\" gave {} rows where the server counts {counted}",
                    self.source.path, self.report.rows
                ),
            )
            .with_hint(
                "rows may be stored in another form on this server, or the run was changed during the scan",
            ))
        })
    }
}

impl Stream for ScanStream {
    type Item = Result<RowBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.done {
                return Poll::Ready(None);
            }
            self.fill();
            // All of the windows in flight are polled, so that each one's task is started and wakes this stream.
            let concurrency = self.concurrency;
            for slot in self.queue.iter_mut().take(concurrency) {
                if let Slot::InFlight(window, task) = slot
                    && let Poll::Ready(answer) = task.as_mut().poll(context)
                {
                    match answer {
                        Ok(answer) => *slot = Slot::Ready(*window, answer),
                        Err(error) => {
                            self.done = true;
                            self.queue.clear();
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                }
            }
            match self.queue.pop_front() {
                None => return Poll::Ready(self.end()),
                Some(Slot::Ready(window, Answer::Rows(batch))) => {
                    self.planner.learn(window, batch.len());
                    self.report.rows += batch.len() as u64;
                    if !batch.is_empty() {
                        return Poll::Ready(Some(Ok(batch)));
                    }
                }
                Some(Slot::Ready(_, Answer::Split(windows))) => {
                    self.planner.learn_split(&windows);
                    for window in windows.into_iter().rev() {
                        self.queue.push_front(Slot::Waiting(window));
                    }
                }
                Some(slot) => {
                    self.queue.push_front(slot);
                    return Poll::Pending;
                }
            }
        }
    }
}
