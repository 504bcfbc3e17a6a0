//! What all listings have.

use wandb_core::Result;
use wandb_core::page::{ItemStream, Pages};
use wandb_models::ListingQuery;

use crate::mirror::Mirror as _;
use crate::{Blocking, Items};

/// [`Listing`](wandb_models::Listing) whose methods wait. What narrows a listing is on its own name.
pub type Listing<Q> = Blocking<wandb_models::Listing<Q>>;

impl<Q> Listing<Q> {
    /// As [`Listing::page_size`](wandb_models::Listing::page_size).
    pub fn page_size(self, size: u32) -> Self {
        let Self { inner, runtime } = self;
        Self {
            inner: inner.page_size(size),
            runtime,
        }
    }

    /// As [`Listing::limit`](wandb_models::Listing::limit).
    pub fn limit(self, limit: u64) -> Self {
        let Self { inner, runtime } = self;
        Self {
            inner: inner.limit(limit),
            runtime,
        }
    }
}

impl<Q: ListingQuery> Listing<Q> {
    /// As [`Listing::pages`](wandb_models::Listing::pages).
    ///
    /// # Errors
    /// As there.
    pub fn pages(self) -> Result<Items<Pages<'static, Q::Item>>> {
        self.inner.pages().mirror(&self.runtime)
    }

    /// As [`Listing::stream`](wandb_models::Listing::stream).
    pub fn stream(self) -> Items<ItemStream<'static, Q::Item>> {
        self.inner.stream().mirror(&self.runtime)
    }
}

/// What is written out above, for the check.
#[cfg(test)]
pub(crate) const WRITTEN: super::Written = &[("Listing", &[&["page_size", "limit", "pages", "stream"]])];
