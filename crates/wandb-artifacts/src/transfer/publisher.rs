//! The thread that makes verified files durable and gives them their names, many at a time.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use wandb_core::Error;
use wandb_storage::{Directory, Publication, Published, VerifiedFile};

use super::{DownloadOptions, engine::lock, present::VerifiedFacts, report::Failures, survey::token_of};
use crate::manifest::Manifest;

/// How many files are published together at most. Each is an open file, of which other systems allow few.
const BATCH: usize = if cfg!(target_os = "linux") { 256 } else { 64 };

/// How many may wait for the next batch: the network goes on while the disk is waited for.
const WAITING: usize = BATCH;

/// How long the publisher waits for more, when there are few.
const LINGER: Duration = Duration::from_millis(40);

/// A verified file, still without its name.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Index into the manifest's entries.
    index: usize,
    file: VerifiedFile,
    origin: Origin,
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Network,
    Cache,
    /// Another file of the same download.
    Copy,
}

impl Ready {
    pub(crate) fn fetched(index: usize, file: VerifiedFile) -> Self {
        Self {
            index,
            file,
            origin: Origin::Network,
        }
    }

    pub(crate) fn copied(index: usize, file: VerifiedFile) -> Self {
        Self {
            index,
            file,
            origin: Origin::Copy,
        }
    }

    pub(crate) fn cached(index: usize, file: VerifiedFile) -> Self {
        Self {
            index,
            file,
            origin: Origin::Cache,
        }
    }
}

/// What was published.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cached: u64,
    pub(crate) fetched: u64,
    pub(crate) copied: u64,
    pub(crate) bytes: u64,
}

/// The thread and the way to it.
#[derive(Debug)]
pub(crate) struct Publisher {
    ready: mpsc::SyncSender<Ready>,
    thread: tokio::task::JoinHandle<(Counts, VerifiedFacts)>,
}

/// What the thread works with.
pub(crate) struct Work {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) directory: Directory,
    pub(crate) options: DownloadOptions,
    pub(crate) facts: VerifiedFacts,
    pub(crate) failures: Arc<Mutex<Failures>>,
    pub(crate) failed: Arc<Notify>,
    pub(crate) is_cancelled: Arc<AtomicBool>,
}

impl Publisher {
    pub(crate) fn start(work: Work) -> Self {
        let (ready, waiting) = mpsc::sync_channel(WAITING);
        Self {
            ready,
            thread: tokio::task::spawn_blocking(move || work.run(&waiting)),
        }
    }

    pub(crate) fn sender(&self) -> mpsc::SyncSender<Ready> {
        self.ready.clone()
    }

    /// Waits until everything that was handed over is published. All other senders must be gone.
    pub(crate) async fn finish(self) -> wandb_core::Result<(Counts, VerifiedFacts)> {
        drop(self.ready);
        match self.thread.await {
            Ok(done) => Ok(done),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(super::blocking::cancelled().with_source(error)),
        }
    }
}

impl Work {
    fn run(mut self, waiting: &mpsc::Receiver<Ready>) -> (Counts, VerifiedFacts) {
        let mut counts = Counts::default();
        let mut publication = Publication::default();
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            let until = Instant::now() + LINGER;
            while batch.len() < BATCH {
                match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(ready) => batch.push(ready),
                    Err(_) => break,
                }
            }
            // What was dropped by its caller is not finished behind his back.
            if self.is_cancelled.load(Ordering::Relaxed) {
                break;
            }
            self.publish(batch, &mut publication, &mut counts);
        }
        // Before anybody records that the files are there.
        if let Err(error) = publication.finish() {
            let root = self.directory.path().display().to_string();
            lock(&self.failures).add(&root, Error::from(error));
        }
        // What waits for more of its kind does not wait any longer. Losing it costs time later.
        if let Some(cache) = super::cached::usable(&self.options)
            && let Err(error) = cache.flush()
        {
            tracing::debug!(%error, "the cache could not be written");
        }
        (counts, self.facts)
    }

    fn publish(&mut self, batch: Vec<Ready>, publication: &mut Publication, counts: &mut Counts) {
        let (origins, files): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|ready| ((ready.index, ready.origin), ready.file))
            .unzip();
        for ((index, origin), published) in origins.into_iter().zip(publication.publish(files)) {
            let entry = &self.manifest.entries()[index];
            let published = match published {
                Ok(published) => published,
                Err(error) => {
                    lock(&self.failures).add(entry.path(), Error::from(error));
                    self.failed.notify_one();
                    continue;
                }
            };
            *match origin {
                Origin::Network => &mut counts.fetched,
                Origin::Cache => &mut counts.cached,
                Origin::Copy => &mut counts.copied,
            } += 1;
            counts.bytes += published.facts.size;
            self.keep(index, origin, &published);
            self.options.progress.end(self.manifest.entries()[index].path());
        }
    }

    /// Records what is known of the file, and puts it into the cache.
    fn keep(&mut self, index: usize, origin: Origin, published: &Published) {
        let entry = &self.manifest.entries()[index];
        let stored = (origin == Origin::Network)
            .then(|| super::cached::store(&self.options, &self.directory, entry, published))
            .flatten();
        let stat = stored.or(published.stat);
        if let Some(stat) = stat {
            self.facts.note(entry.path(), stat, token_of(entry));
        }
    }
}
