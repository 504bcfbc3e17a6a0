//! Addresses of many files, asked for in batches and only when one of a batch is needed.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::Mutex;
use wandb_core::{Error, ErrorKind, Result, redact::SafeUrl};

use super::address::{Address, AddressSource};
use crate::manifest::{Manifest, ManifestEntry};

/// How often the signed address of one file is renewed.
const MAX_RENEWALS: u32 = 3;

/// Where the files of one artifact version are.
#[async_trait]
pub trait UrlSource: Send + Sync + std::fmt::Debug {
    /// The signed URLs of entries, at most [`batch_size`](Self::batch_size) of them. The answer may be in any order; an entry
    /// that is left out has none. Called again for entries whose URLs expired.
    ///
    /// # Errors
    /// As any request.
    async fn urls(&self, paths: &[&str]) -> Result<Vec<(String, SafeUrl)>>;

    /// How many entries are asked for at once; 5,000 unless overridden (official:
    /// `WANDB_ARTIFACT_FETCH_FILE_URL_BATCH_SIZE`).
    fn batch_size(&self) -> usize {
        5_000
    }

    /// The server's own address of an entry, which wants the credential, for when the signed one fails (protocol §5.6). See
    /// [`StorageLayout::fallback_path`](crate::layout::StorageLayout::fallback_path).
    fn fallback(&self, entry: &ManifestEntry) -> Option<SafeUrl>;
}

/// The addresses of the entries that are to be fetched.
#[derive(Debug)]
pub(crate) struct UrlBook {
    source: Arc<dyn UrlSource>,
    manifest: Arc<Manifest>,
    /// Indexes into the manifest's entries, in order.
    wanted: Vec<usize>,
    done: Vec<AtomicBool>,
    batches: Vec<Batch>,
    batch_size: usize,
}

#[derive(Debug)]
struct Batch {
    range: Range<usize>,
    urls: Mutex<Option<Vec<Option<SafeUrl>>>>,
}

impl UrlBook {
    pub(crate) fn new(source: Arc<dyn UrlSource>, manifest: Arc<Manifest>, wanted: Vec<usize>) -> Self {
        let batch_size = source.batch_size().max(1);
        let batches = (0..wanted.len())
            .step_by(batch_size)
            .map(|start| Batch {
                range: start..wanted.len().min(start + batch_size),
                urls: Mutex::new(None),
            })
            .collect();
        Self {
            done: wanted.iter().map(|_| AtomicBool::new(false)).collect(),
            source,
            manifest,
            wanted,
            batches,
            batch_size,
        }
    }

    /// Says that the address of an entry will not be needed again.
    pub(crate) fn is_done(&self, place: usize) {
        self.done[place].store(true, Ordering::Relaxed);
    }

    /// The addresses of one entry; `place` counts the wanted ones.
    pub(crate) fn addresses(self: &Arc<Self>, place: usize) -> EntryAddresses {
        EntryAddresses {
            book: Arc::clone(self),
            place,
            renewals: AtomicU32::new(0),
        }
    }

    async fn url(&self, place: usize, refused: Option<&SafeUrl>) -> Result<Option<SafeUrl>> {
        let batch = &self.batches[place / self.batch_size];
        // One task asks, the others of the batch wait for its answer.
        let mut urls = batch.urls.lock().await;
        let known = urls.as_ref().map(|urls| &urls[place - batch.range.start]);
        if let Some(known) = known
            && (refused.is_none() || known.as_ref() != refused)
        {
            return Ok(known.clone());
        }
        let places: Vec<usize> = batch
            .range
            .clone()
            .filter(|&other| other == place || !self.done[other].load(Ordering::Relaxed))
            .collect();
        let paths: Vec<&str> = places
            .iter()
            .map(|&place| self.manifest.entries()[self.wanted[place]].path())
            .collect();
        let answer = self.source.urls(&paths).await?;
        let fresh = urls.get_or_insert_with(|| vec![None; batch.range.len()]);
        let mut answer: std::collections::HashMap<String, SafeUrl> = answer.into_iter().collect();
        for (&place, path) in places.iter().zip(&paths) {
            fresh[place - batch.range.start] = answer.remove(*path);
        }
        Ok(fresh[place - batch.range.start].clone())
    }
}

/// The addresses of one entry: the signed one, renewed when it expires, then the server's own.
#[derive(Debug)]
pub(crate) struct EntryAddresses {
    book: Arc<UrlBook>,
    place: usize,
    renewals: AtomicU32,
}

impl EntryAddresses {
    fn entry(&self) -> &ManifestEntry {
        &self.book.manifest.entries()[self.book.wanted[self.place]]
    }

    fn fallback(&self) -> Option<Address> {
        self.book.source.fallback(self.entry()).map(Address::of_server)
    }

    /// A new address after the bytes of this one were wrong: a signed one that is asked for anew, else the same again.
    pub(crate) async fn after_wrong_bytes(&self, used: Option<Address>) -> Result<Option<Address>> {
        match used {
            Some(used) if !used.with_credential => {
                let fresh = self.book.url(self.place, Some(&used.url)).await?;
                Ok(Some(fresh.map_or(used, Address::signed)))
            }
            used => Ok(used),
        }
    }
}

#[async_trait]
impl AddressSource for EntryAddresses {
    async fn first(&self) -> Result<Address> {
        match self.book.url(self.place, None).await? {
            Some(url) => Ok(Address::signed(url)),
            None => self.fallback().ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("the server names no address for {:?}", self.entry().path()),
                )
            }),
        }
    }

    async fn renew(&self, refused: &Address) -> Result<Option<Address>> {
        if refused.with_credential {
            return Ok(None);
        }
        if self.renewals.fetch_add(1, Ordering::Relaxed) < MAX_RENEWALS
            && let Some(url) = self.book.url(self.place, Some(&refused.url)).await?
            && url != refused.url
        {
            return Ok(Some(Address::signed(url)));
        }
        Ok(self.fallback())
    }
}
