//! The tasks of a download: who fetches what, who writes it, who publishes it.
//!
//! ```text
//!   workers (async, gate) ──bytes, hashed──▶ writer thread ──parts──▶ publisher thread ──▶ facts
//!   large files (async)   ──parts──────────────────────────────────▶          └──▶ copiers ──▶ cache
//! ```
//!
//! Small files are collected in memory, within a budget of bytes, and hashed where they were received; the writer thread
//! writes them in one go each. The publisher flushes and renames in batches. Queues are bounded, so that the network waits for
//! the disk, and open files stay few.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    mpsc,
};

use bytes::Bytes;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use wandb_core::{Error, Result, client::Client};
use wandb_storage::{Directory, Existing, Expected, HashedBytes, VerifiedFile};

use super::{
    DownloadOptions,
    blocking::{blocking, cancelled},
    gate::Gate,
    publisher::{Publisher, Ready},
    receive::Receive,
    report::{Failures, TrackedReference},
    resolved::ResolvedVersions,
    urls::UrlBook,
};
use crate::manifest::{Manifest, ManifestEntry};

/// Up to this size, in bytes, a file is collected in memory before it is written.
pub(crate) const SMALL: u64 = 1 << 20;

/// How many bytes may be in memory at once, in KiB.
const MEMORY: usize = 24 << 10;

/// How many small files may wait for the writer.
const WAITING: usize = 256;

/// How many large files are fetched at once.
const LARGE_FILES: usize = 4;

/// What all tasks of a download share.
pub(crate) struct Engine {
    pub(crate) client: Client,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) directory: Directory,
    pub(crate) options: DownloadOptions,
    pub(crate) book: Arc<UrlBook>,
    pub(crate) gate: Gate,
    pub(crate) memory: Arc<Semaphore>,
    pub(crate) transferred: AtomicU64,
    pub(crate) tracked: Mutex<Vec<TrackedReference>>,
    pub(crate) missing: Mutex<Vec<TrackedReference>>,
    pub(crate) failures: Arc<Mutex<Failures>>,
    pub(crate) failed: Arc<Notify>,
    pub(crate) is_cancelled: Arc<AtomicBool>,
    /// Artifacts that references lead to, by id.
    pub(crate) resolved: ResolvedVersions,
}

/// One file on its way: an index into the manifest's entries, and, for a file of this artifact, its place in the book.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) index: usize,
    pub(crate) place: Option<usize>,
}

/// A small file in memory, for the writer.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) index: usize,
    pub(crate) bytes: HashedBytes<Bytes>,
    pub(crate) expected: Expected,
    /// What its bytes take of the budget, until they are written.
    pub(crate) memory: OwnedSemaphorePermit,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    pub(crate) fn entry(&self, job: Job) -> &ManifestEntry {
        &self.manifest.entries()[job.index]
    }

    /// Runs all jobs. The publisher is finished afterwards, whatever happened.
    pub(crate) async fn run(self: &Arc<Self>, jobs: Vec<Job>, publisher: &Publisher) {
        let size_of = |job: &Job| self.entry(*job).size().unwrap_or(0);
        let is_large =
            |job: &Job| job.place.is_some() && size_of(job) >= self.options.large_file.max(SMALL + 1);
        let (large, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_large);
        let mut tasks: JoinSet<Result<(), (usize, Error)>> = JoinSet::new();

        let (writer, written) = tokio::sync::mpsc::channel(WAITING);
        let writing = self.spawn_writer(written, publisher.sender());

        let others = Arc::new(others);
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..self.options.most_connections.min(others.len()) {
            let (engine, others, next) = (Arc::clone(self), Arc::clone(&others), Arc::clone(&next));
            let (writer, ready) = (writer.clone(), publisher.sender());
            tasks.spawn(async move {
                loop {
                    let inside = engine.gate.enter().await;
                    let Some(&job) = others.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        return Ok(());
                    };
                    engine
                        .one(job, &writer, &ready)
                        .await
                        .map_err(|error| (job.index, error))?;
                    drop(inside);
                }
            });
        }
        drop(writer);

        let at_once = LARGE_FILES.min(large.len());
        let large = Arc::new(large);
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..at_once {
            let (engine, large, next) = (Arc::clone(self), Arc::clone(&large), Arc::clone(&next));
            let ready = publisher.sender();
            tasks.spawn(async move {
                let connections = (engine.options.large_connections / at_once).max(1);
                while let Some(&job) = large.get(next.fetch_add(1, Ordering::Relaxed)) {
                    engine
                        .large(job, connections, &ready)
                        .await
                        .map_err(|error| (job.index, error))?;
                }
                Ok(())
            });
        }
        self.supervise(tasks).await;
        match writing.await {
            Ok(()) => {}
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down, and what was handed over was not written.
            Err(error) => {
                let error = cancelled().with_source(error);
                lock(&self.failures).add(&self.directory.path().display().to_string(), error);
            }
        }
    }

    /// Waits for the tasks; the first failure, here or on the disk, ends the others.
    async fn supervise(&self, mut tasks: JoinSet<Result<(), (usize, Error)>>) {
        loop {
            let joined = tokio::select! {
                joined = tasks.join_next() => joined,
                () = self.failed.notified() => {
                    tasks.abort_all();
                    continue;
                }
            };
            match joined {
                None => return,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err((index, error)))) => {
                    lock(&self.failures).add(self.manifest.entries()[index].path(), error);
                    tasks.abort_all();
                }
                Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // Ended because of another failure.
                Some(Err(_)) => {}
            }
        }
    }

    /// The thread that writes small files.
    fn spawn_writer(
        self: &Arc<Self>,
        mut written: tokio::sync::mpsc::Receiver<Written>,
        ready: mpsc::SyncSender<Ready>,
    ) -> tokio::task::JoinHandle<()> {
        let engine = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            while let Some(file) = written.blocking_recv() {
                if engine.is_cancelled.load(Ordering::Relaxed) {
                    return;
                }
                let entry = &engine.manifest.entries()[file.index];
                #[cfg(test)]
                if let Some(before_write) = engine.options.before_write {
                    before_write(entry.path());
                }
                let placed = entry.relative_path().map_err(Error::from).and_then(|name| {
                    let (bytes, expected) = (&file.bytes, &file.expected);
                    Ok(engine
                        .directory
                        .write_whole(&name, Existing::Replace, bytes, expected)?)
                });
                drop(file.memory);
                match placed {
                    // It fails only when the publisher has ended because of a failure of its own.
                    Ok(verified) => {
                        if ready.send(Ready::fetched(file.index, verified)).is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        lock(&engine.failures).add(entry.path(), error);
                        engine.failed.notify_one();
                        return;
                    }
                }
            }
        })
    }

    /// One file that is not large, or one reference.
    async fn one(
        &self,
        job: Job,
        writer: &tokio::sync::mpsc::Sender<Written>,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let entry = self.entry(job);
        let Some(place) = job.place else {
            return self.reference(job, ready).await;
        };
        let expected = expected_of(entry);
        let addresses = self.book.addresses(place);
        match expected.size {
            Some(size) if size <= SMALL => self.small(job, size, expected, &addresses, writer).await?,
            _ => self.streamed(job.index, expected, &addresses, ready).await?,
        }
        self.book.is_done(place);
        Ok(())
    }

    /// Compares, and hands over to the publisher.
    pub(crate) async fn verify(
        &self,
        index: usize,
        pending: wandb_storage::PendingFile,
        expected: Expected,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let ready = ready.clone();
        blocking(move || {
            let verified: VerifiedFile = pending.verify(&expected)?;
            ready
                .send(Ready::fetched(index, verified))
                .map_err(|_| cancelled())
        })
        .await
    }

    pub(crate) fn note(&self, receive: &Receive<'_>) {
        self.transferred.fetch_add(receive.transferred, Ordering::Relaxed);
        if receive.was_pushed_back {
            self.gate.narrow(self.client.runtime().now());
        } else {
            self.gate.widen();
        }
    }
}

/// The memory that bodies of small files may take.
pub(crate) fn memory() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MEMORY))
}

pub(crate) fn expected_of(entry: &ManifestEntry) -> Expected {
    Expected {
        size: entry.size(),
        digest: entry.content_digest(),
    }
}
