//! The one paginator: every listing of the client is a [`Pages`] stream, and a stream of items over it.
//!
//! Rules (protocol §2.3, design "Listing"): the page size is not the limit; an empty page with a next page goes on; a
//! page that says "more" without a new cursor is an error, because following it would never end; an error ends the
//! stream. The request for the next page is made when a page is given out; whether it runs while the caller works depends
//! on what `fetch` returns (a spawned task does).

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{Error, Result};

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last page.
    pub next: Option<String>,
}

/// What a listing is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageOptions {
    /// How many items a request asks for, from 1 to [`MAX_PAGE_SIZE`](Self::MAX_PAGE_SIZE).
    pub page_size: u32,
    /// How many items the listing gives at most; `None` for all.
    pub limit: Option<u64>,
}

impl PageOptions {
    /// The largest page that may be asked for. The real service gives at most 1,000 runs a page, whatever was asked for.
    pub const MAX_PAGE_SIZE: u32 = 10_000;

    /// Checks a page size.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when it is 0 or above [`MAX_PAGE_SIZE`](Self::MAX_PAGE_SIZE).
    pub fn new(page_size: u32, limit: Option<u64>) -> Result<Self> {
        if page_size == 0 || page_size > Self::MAX_PAGE_SIZE {
            return Err(Error::invalid_input(format!(
                "a page size of {page_size} is not possible: 1 to {} items fit on a page",
                Self::MAX_PAGE_SIZE
            )));
        }
        Ok(Self { page_size, limit })
    }
}

/// A boxed stream of results, the form in which the client gives out listings.
pub type ItemStream<'a, T> = Pin<Box<dyn Stream<Item = Result<T>> + Send + 'a>>;

type FetchFuture<'a, T> = Pin<Box<dyn Future<Output = Result<Page<T>>> + Send + 'a>>;

/// A stream of pages. See the [module](self) for its rules.
pub struct Pages<'a, T> {
    fetch: Box<dyn Fn(Option<String>, u32) -> FetchFuture<'a, T> + Send + Sync + 'a>,
    options: PageOptions,
    given: u64,
    seen: HashSet<String>,
    pending: Option<FetchFuture<'a, T>>,
    done: bool,
}

impl<T> std::fmt::Debug for Pages<'_, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Pages")
            .field("options", &self.options)
            .field("given", &self.given)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl<'a, T: Send + 'a> Pages<'a, T> {
    /// A listing over `fetch`, which gets the cursor (`None` for the first page) and the number of items to ask for.
    pub fn new<F, R>(options: PageOptions, fetch: F) -> Self
    where
        F: Fn(Option<String>, u32) -> R + Send + Sync + 'a,
        R: Future<Output = Result<Page<T>>> + Send + 'a,
    {
        let mut pages = Self {
            fetch: Box::new(move |cursor, count| Box::pin(fetch(cursor, count))),
            options,
            given: 0,
            seen: HashSet::new(),
            pending: None,
            done: false,
        };
        match pages.wanted() {
            Some(count) => pages.pending = Some((pages.fetch)(None, count)),
            None => pages.done = true,
        }
        pages
    }

    /// How many items the next request asks for; `None` when the limit is reached.
    fn wanted(&self) -> Option<u32> {
        let size = self.options.page_size;
        match self.options.limit {
            None => Some(size),
            Some(limit) => match limit.saturating_sub(self.given) {
                0 => None,
                left => Some(u32::try_from(left).unwrap_or(u32::MAX).min(size)),
            },
        }
    }

    /// The items of all pages, one by one.
    pub fn items(self) -> ItemStream<'a, T> {
        Box::pin(self.map_ok(|page| stream::iter(page.items).map(Ok)).try_flatten())
    }

    fn finish(&mut self, mut page: Page<T>) -> Result<Page<T>> {
        if let Some(limit) = self.options.limit {
            // A server may give more than was asked for.
            let left = usize::try_from(limit.saturating_sub(self.given)).unwrap_or(usize::MAX);
            page.items.truncate(left);
        }
        self.given += page.items.len() as u64;
        match (&page.next, self.wanted()) {
            (Some(cursor), Some(count)) => {
                if !self.seen.insert(cursor.clone()) {
                    self.done = true;
                    return Err(Error::protocol(
                        "the server gave the same page cursor twice, so the listing would never end",
                    ));
                }
                self.pending = Some((self.fetch)(Some(cursor.clone()), count));
            }
            _ => self.done = true,
        }
        Ok(page)
    }
}

impl<'a, T: Send + 'a> Stream for Pages<'a, T> {
    type Item = Result<Page<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        let Some(pending) = self.pending.as_mut() else {
            return Poll::Ready(None);
        };
        let answer = std::task::ready!(pending.as_mut().poll(context));
        self.pending = None;
        let result = answer.and_then(|page| self.finish(page));
        if result.is_err() {
            self.done = true;
        }
        Poll::Ready(Some(result))
    }
}

// Nothing in it is pinned in place: the pending request is in a box of its own.
impl<T> Unpin for Pages<'_, T> {}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    fn run<T>(stream: impl Stream<Item = Result<T>>) -> Result<Vec<T>> {
        stream
            .try_collect()
            .now_or_never()
            .expect("the fetches of these tests are ready at once")
    }

    /// Serves `total` numbers; a page is cut to `cap`, and every `hollow`-th page is empty with a next page.
    fn numbers(
        total: u64,
        cap: u32,
        hollow: usize,
    ) -> impl Fn(Option<String>, u32) -> std::future::Ready<Result<Page<u64>>> {
        let calls = Arc::new(AtomicUsize::new(0));
        move |cursor, count| {
            let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
            let start: u64 = cursor
                .as_deref()
                .map_or(0, |text| text.split(':').next().unwrap().parse().unwrap());
            let size = if hollow > 0 && call.is_multiple_of(hollow) {
                0
            } else {
                u64::from(count.min(cap))
            };
            let end = (start + size).min(total);
            let next = (end < total).then(|| format!("{end}:{call}"));
            std::future::ready(Ok(Page {
                items: (start..end).collect(),
                next,
            }))
        }
    }

    proptest! {
        #[test]
        fn every_item_once_in_order_whatever_the_pages(
            total in 0_u64..300, size in 1_u32..50, cap in 1_u32..60, hollow in 0_usize..4, limit in prop::option::of(0_u64..400),
        ) {
            let hollow = if hollow == 1 { 0 } else { hollow };
            let options = PageOptions::new(size, limit).unwrap();
            let items = run(Pages::new(options, numbers(total, cap, hollow)).items()).unwrap();
            let expected: Vec<u64> = (0..total.min(limit.unwrap_or(u64::MAX))).collect();
            prop_assert_eq!(items, expected);
        }
    }

    #[test]
    fn a_repeated_cursor_is_an_error() {
        let fetch = |_: Option<String>, _: u32| {
            std::future::ready(Ok(Page {
                items: vec![1],
                next: Some("same".to_owned()),
            }))
        };
        let error = run(Pages::new(PageOptions::new(10, None).unwrap(), fetch).items()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Protocol);
    }

    #[test]
    fn an_error_ends_the_stream() {
        let fetch = |_: Option<String>, _: u32| std::future::ready(Err::<Page<u8>, _>(Error::not_found("x")));
        let mut pages = Pages::new(PageOptions::new(10, None).unwrap(), fetch);
        assert!(pages.next().now_or_never().unwrap().unwrap().is_err());
        assert!(pages.next().now_or_never().unwrap().is_none());
    }

    #[test]
    fn a_limit_asks_for_no_more_than_is_left_and_zero_for_nothing() {
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let serve = numbers(1_000, 1_000, 0);
        let fetch = move |cursor, count| {
            log.lock().unwrap().push(count);
            serve(cursor, count)
        };
        run(Pages::new(PageOptions::new(40, Some(100)).unwrap(), fetch).items()).unwrap();
        assert_eq!(*asked.lock().unwrap(), [40, 40, 20]);
        let none = |_: Option<String>, _: u32| -> std::future::Ready<Result<Page<u8>>> {
            panic!("no request is due")
        };
        assert!(
            run(Pages::new(PageOptions::new(40, Some(0)).unwrap(), none))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn page_sizes_are_checked() {
        assert!(PageOptions::new(0, None).is_err());
        assert!(PageOptions::new(PageOptions::MAX_PAGE_SIZE + 1, None).is_err());
    }
}
