//! The thread that makes verified files durable and gives them their names, many at a time, and those that copy them into
//! the cache.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use wandb_core::Error;
use wandb_storage::{Directory, FileStat, Placement, Publication, Published, VerifiedFile};

use super::{DownloadOptions, engine::lock, present::VerifiedFacts, report::Failures, survey::token_of};
use crate::{cache::CachedObject, manifest::Manifest};

/// How many files are published together at most. Each is an open file, of which other systems allow few.
const BATCH: usize = if cfg!(target_os = "linux") { 256 } else { 64 };

/// How many may wait for the next batch: the network goes on while the disk is waited for.
const WAITING: usize = BATCH;

/// How many threads copy into the cache at most; more would only wait for the memory.
const MOST_COPIERS: usize = 4;

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
#[derive(Debug)]
enum Origin {
    Network,
    /// With the object that it is a new link to, if that is still to be noted.
    Cache(Option<CachedObject>),
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

    pub(crate) fn cached(index: usize, file: VerifiedFile, object: Option<CachedObject>) -> Self {
        // A link that has its name is noted already.
        let object = object.filter(|_| file.is_link() && file.linked_stat().is_none());
        Self {
            index,
            file,
            origin: Origin::Cache(object),
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
        let shelf = Shelf {
            manifest: Arc::clone(&self.manifest),
            directory: self.directory.clone(),
            options: self.options.clone(),
            is_cancelled: Arc::clone(&self.is_cancelled),
        };
        let (copies, for_copiers) = mpsc::sync_channel(WAITING);
        let for_copiers = Arc::new(Mutex::new(for_copiers));
        thread::scope(|scope| {
            for _ in 0..shelf.copiers() {
                let (shelf, for_copiers) = (&shelf, Arc::clone(&for_copiers));
                scope.spawn(move || shelf.run(&for_copiers));
            }
            // It is theirs alone: when all of them have panicked, nobody waits for them.
            drop(for_copiers);
            self.publish_all(waiting, &shelf, &copies, &mut counts);
            // The copiers end when nothing more can come.
            drop(copies);
        });
        // What waits for more of its kind does not wait any longer. Losing it costs time later.
        if let Some(cache) = super::cached::usable(&self.options)
            && let Err(error) = cache.flush()
        {
            tracing::debug!(%error, "the cache could not be written");
        }
        (counts, self.facts)
    }

    fn publish_all(
        &mut self,
        waiting: &mpsc::Receiver<Ready>,
        shelf: &Shelf,
        copies: &mpsc::SyncSender<Copied>,
        counts: &mut Counts,
    ) {
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
            self.publish(batch, &mut publication, shelf, copies, counts);
        }
        // Before anybody records that the files are there.
        if let Err(error) = publication.finish() {
            let root = self.directory.path().display().to_string();
            lock(&self.failures).add(&root, Error::from(error));
        }
    }

    fn publish(
        &mut self,
        batch: Vec<Ready>,
        publication: &mut Publication,
        shelf: &Shelf,
        copies: &mpsc::SyncSender<Copied>,
        counts: &mut Counts,
    ) {
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
            *match &origin {
                Origin::Network => &mut counts.fetched,
                Origin::Cache(_) => &mut counts.cached,
                Origin::Copy => &mut counts.copied,
            } += 1;
            counts.bytes += published.facts.size;
            self.keep(index, &origin, published, shelf, copies);
            self.options.progress.end(self.manifest.entries()[index].path());
        }
    }

    /// Records what is known of the file, and has it put into the cache.
    fn keep(
        &mut self,
        index: usize,
        origin: &Origin,
        published: Published,
        shelf: &Shelf,
        copies: &mpsc::SyncSender<Copied>,
    ) {
        let entry = &self.manifest.entries()[index];
        let mut stat = published.stat;
        match origin {
            Origin::Network if shelf.copiers() > 0 => {
                // It fails only when the copiers have panicked, which ends this thread, too.
                let _ = copies.send((index, published));
            }
            Origin::Network => stat = shelf.store(index, &published).or(stat),
            Origin::Cache(Some(object)) => {
                if let (Some(cache), Some(stat)) = (super::cached::usable(&self.options), &stat) {
                    cache.note_linked(object, stat);
                }
            }
            Origin::Cache(None) | Origin::Copy => {}
        }
        if let Some(stat) = stat {
            self.facts.note(entry.path(), stat, token_of(entry));
        }
    }
}

/// A published file that is to be copied into the cache: an index into the manifest's entries, and what it is.
type Copied = (usize, Published);

/// Puts what was fetched into the cache. Where bytes are copied for that, threads of its own do it: large files often end
/// together, and a copy takes about as long as the download of the file from a near server.
struct Shelf {
    manifest: Arc<Manifest>,
    directory: Directory,
    options: DownloadOptions,
    is_cancelled: Arc<AtomicBool>,
}

impl Shelf {
    /// How many threads copy. None for links, which change the facts of the file, which are then to be recorded.
    fn copiers(&self) -> usize {
        let is_copied = self.options.placement == Placement::Copy;
        match super::cached::usable(&self.options) {
            Some(_) if is_copied => crate::parallel::processors().get().min(MOST_COPIERS),
            _ => 0,
        }
    }

    fn run(&self, waiting: &Mutex<mpsc::Receiver<Copied>>) {
        loop {
            let next = lock(waiting).recv();
            let Ok((index, published)) = next else { return };
            if !self.is_cancelled.load(Ordering::Relaxed) {
                self.store(index, &published);
            }
        }
    }

    fn store(&self, index: usize, published: &Published) -> Option<FileStat> {
        let entry = &self.manifest.entries()[index];
        super::cached::store(&self.options, &self.directory, entry, published)
    }
}
