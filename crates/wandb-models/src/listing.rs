//! What all listings are: a question with a page size and a limit, read page by page or item by item.

use std::{future::Future, sync::Arc};

use wandb_core::{
    Result,
    page::{ItemStream, Page, PageOptions, Pages},
};
use wandb_schema::operations::shared::PageInfo;

use crate::runtime::in_background;

/// A listing of what a question finds: runs, files, versions …. Nothing is sent until it is read.
///
/// The listings have names of their own ([`Runs`](crate::Runs), [`Files`](crate::Files) …), with methods that narrow the question;
/// what is here they have in common.
#[derive(Debug, Clone)]
#[must_use]
pub struct Listing<Q> {
    pub(crate) query: Q,
    pub(crate) page_size: u32,
    pub(crate) limit: Option<u64>,
}

/// The question of a [`Listing`]. It is sealed: what it is asked with cannot be had outside of this crate.
pub trait ListingQuery: Send + Sync + 'static {
    /// What is listed.
    type Item: Send + 'static;

    /// Refuses what need not be sent to be refused.
    #[doc(hidden)]
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// One page, in one request.
    #[doc(hidden)]
    fn fetch(&self, ask: Ask) -> impl Future<Output = Result<Page<Self::Item>>> + Send;
}

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(crate) cursor: Option<String>,
    /// How many items are wanted: the page size, or less before the limit.
    pub(crate) count: u32,
    /// How many a whole page has, for a question that drops some on this side.
    pub(crate) page_size: u32,
}

impl Ask {
    /// The count, as the wire has it.
    pub(crate) fn first(&self) -> i32 {
        i32::try_from(self.count).unwrap_or(i32::MAX)
    }

    /// From the beginning, as many items.
    pub(crate) fn of(count: u32) -> Self {
        Self {
            cursor: None,
            count,
            page_size: count,
        }
    }

    /// The whole page, where what is dropped on this side does not count for the limit.
    pub(crate) fn whole(self) -> Self {
        Self {
            count: self.page_size,
            ..self
        }
    }
}

impl<Q> Listing<Q> {
    pub(crate) fn new(query: Q, page_size: u32) -> Self {
        Self {
            query,
            page_size,
            limit: None,
        }
    }

    /// How many items a request asks for. Unless it is set, as many as the listing's own page says.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = size;
        self
    }

    /// How many items are given at most. It is not the page size.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl<Q: ListingQuery> Listing<Q> {
    /// The listing page by page: one page is one request, unless the listing says otherwise. While the caller works on a page,
    /// the next one is fetched.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a page size that is not possible, and for what the listing
    /// refuses before it is sent.
    pub fn pages(self) -> Result<Pages<'static, Q::Item>> {
        self.pages_by(|query, ask| async move { query.fetch(ask).await })
    }

    /// The items one by one.
    ///
    /// The server's cursors are offsets: when something is created or deleted while the listing is read, an item can come twice or
    /// be missed.
    pub fn stream(self) -> ItemStream<'static, Q::Item> {
        items(self.pages())
    }

    /// The pages of another reading of the same question. Each page is fetched as a task of its own, so the next one arrives while
    /// the caller works on the current one.
    pub(crate) fn pages_by<T, F, R>(self, fetch: F) -> Result<Pages<'static, T>>
    where
        T: Send + 'static,
        F: Fn(Arc<Q>, Ask) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Page<T>>> + Send + 'static,
    {
        let Self {
            query,
            page_size,
            limit,
        } = self;
        let options = PageOptions::new(page_size, limit)?;
        query.check()?;
        let query = Arc::new(query);
        Ok(Pages::new(options, move |cursor, count| {
            let ask = Ask {
                cursor,
                count,
                page_size,
            };
            in_background(fetch(Arc::clone(&query), ask))
        }))
    }
}

/// Flattens pages that may have failed to start.
pub(crate) fn items<T: Send + 'static>(pages: Result<Pages<'static, T>>) -> ItemStream<'static, T> {
    match pages {
        Ok(pages) => pages.items(),
        Err(error) => Box::pin(futures_util::stream::once(std::future::ready(Err(error)))),
    }
}

/// The nodes of a connection. One that is missing is an error: without it the listing would not be whole.
pub(crate) fn nodes<N>(nodes: impl IntoIterator<Item = Option<N>>) -> Result<Vec<N>> {
    nodes
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| wandb_core::Error::protocol("the server left out an item of a page"))
}

/// The nodes of a list in which some may be missing because they are not visible, and how many are.
pub(crate) fn shown<N>(nodes: impl IntoIterator<Item = Option<N>>) -> (Vec<N>, u64) {
    let mut hidden = 0;
    let shown = nodes
        .into_iter()
        .filter_map(|node| {
            hidden += u64::from(node.is_none());
            node
        })
        .collect();
    (shown, hidden)
}

/// A page of what was read of its items; the first that cannot be read is the error.
pub(crate) fn page<T>(items: impl IntoIterator<Item = Result<T>>, page: PageInfo) -> Result<Page<T>> {
    Ok(Page {
        items: items.into_iter().collect::<Result<_>>()?,
        next: next(page)?,
    })
}

/// Reads where the page of a connection ends: `None` ends the listing.
///
/// "More" without a cursor would begin again at the first page, so it is an error.
pub(crate) fn next(page: PageInfo) -> Result<Option<String>> {
    match (page.has_next_page, page.end_cursor) {
        (false, _) => Ok(None),
        (true, Some(cursor)) => Ok(Some(cursor)),
        (true, None) => Err(wandb_core::Error::protocol(
            "the server says that there are more pages but not where",
        )),
    }
}
