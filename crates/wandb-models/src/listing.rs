//! What all listings share: page size, limit, and a stream over [`Pages`].

use std::future::Future;

use wandb_core::{
    Result,
    page::{ItemStream, Page, PageOptions, Pages},
};

use crate::runtime::in_background;

/// Page size and limit as the caller set them; checked when the listing starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) page_size: u32,
    pub(crate) limit: Option<u64>,
}

impl Paging {
    pub(crate) fn new(page_size: u32) -> Self {
        Self {
            page_size,
            limit: None,
        }
    }

    /// The pages of a listing. Each page is fetched as a task of its own, so the next one arrives while the caller works
    /// on the current one.
    pub(crate) fn pages<T, F, R>(self, fetch: F) -> Result<Pages<'static, T>>
    where
        T: Send + 'static,
        F: Fn(Option<String>, u32) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Page<T>>> + Send + 'static,
    {
        let options = PageOptions::new(self.page_size, self.limit)?;
        Ok(Pages::new(options, move |cursor, count| {
            in_background(fetch(cursor, count))
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

/// Reads the cursor of a connection: `None` ends the listing.
///
/// "More" without a cursor would begin again at the first page, so it is an error.
pub(crate) fn next_cursor(more: bool, cursor: Option<String>) -> Result<Option<String>> {
    match (more, cursor) {
        (false, _) => Ok(None),
        (true, Some(cursor)) => Ok(Some(cursor)),
        (true, None) => Err(wandb_core::Error::protocol(
            "the server says that there are more pages but not where",
        )),
    }
}
