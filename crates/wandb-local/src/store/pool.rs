//! The threads that own the SQLite connections, and the way jobs reach them.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

use super::{StoreError, StoreResult, migrations};

/// Readers beside the one writer. History pages are asked for concurrently; more threads than this only compete.
const READERS: usize = 4;
/// How long a connection waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of the database each reader maps, in bytes. Each mapping counts in the server's resident memory, so it is
/// bounded, whatever the database's size; what lies behind it is read as usual.
const MAPPED: i64 = 64 << 20;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 128;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on the database; cheap to clone. The threads end when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

struct Inner {
    path: PathBuf,
    writer: Option<Sender<Job>>,
    readers: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Closing the channels ends the threads; waiting for them means that the files are free when drop returns.
        self.writer = None;
        self.readers = None;
        let own = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last handle may be dropped by a job, on one of these threads.
            if thread.thread().id() != own {
                let _ = thread.join();
            }
        }
    }
}

impl Store {
    /// Opens or creates the database at `path` and brings its tables up to date.
    ///
    /// Blocks for the few milliseconds that this takes.
    pub(crate) fn open(path: &Path) -> StoreResult<Self> {
        let mut writing = connect(path)?;
        migrations::apply(&mut writing)?;
        let (writer, jobs) = channel::<Job>();
        let mut threads = vec![spawn("wandb-local-writer", move || {
            let mut connection = writing;
            while let Ok(job) = jobs.recv() {
                run(job, &mut connection);
            }
        })?];
        let (readers, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..READERS {
            let mut connection = connect(path)?;
            connection.pragma_update(None, "query_only", true)?;
            // Pages are read where the system caches them, instead of being copied into each reader's own cache. Only
            // servers that hold the directory's lock change the file, and its size only grows.
            connection.pragma_update(None, "mmap_size", MAPPED)?;
            let jobs = Arc::clone(&jobs);
            threads.push(spawn("wandb-local-reader", move || {
                while let Some(job) = next(&jobs) {
                    run(job, &mut connection);
                }
            })?);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                writer: Some(writer),
                readers: Some(readers),
                threads,
            }),
        })
    }

    /// Runs `job` on a reading connection, inside one snapshot of the database.
    pub(crate) async fn read<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    {
        let answer = submit(self.inner.readers.as_ref(), move |connection| {
            let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            job(&snapshot)
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `job` in a transaction of its own on the writing connection; commits when it returns `Ok`.
    ///
    /// When this returns, the change survives `kill -9` of the process: it is in the write-ahead log, which belongs
    /// to the operating system by then. (`synchronous=NORMAL`: a power cut may take the last commits with it, never
    /// the consistency of the file.)
    pub(crate) async fn write<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    {
        let answer = submit(self.inner.writer.as_ref(), move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = job(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// [`write`](Self::write) for the time before there is a runtime.
    pub(crate) fn write_blocking<T, F>(&self, job: F) -> StoreResult<T>
    where
        T: Send,
        F: FnOnce(&Connection) -> StoreResult<T> + Send,
    {
        write_once(&self.inner.path, job)
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> &Path {
        &self.inner.path
    }
}

/// Runs `job` in a transaction of its own, on a connection for it alone: for callers without a [`Store`], also beside a
/// process that has one. Blocks.
pub(crate) fn write_once<T>(path: &Path, job: impl FnOnce(&Connection) -> StoreResult<T>) -> StoreResult<T> {
    let mut connection = connect(path)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = job(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Brings the tables of a database that no server has open up to date.
pub(crate) fn update(path: &Path) -> StoreResult<()> {
    migrations::apply(&mut connect(path)?)
}

/// Makes sure that the tables are as this version knows them, for a change beside a running server.
///
/// # Errors
/// [`StoreError::Newer`], also for an older one: whoever has it open is of another version.
pub(crate) fn require_current(path: &Path) -> StoreResult<()> {
    migrations::require_current(&connect(path)?)
}

fn submit<T, F>(queue: Option<&Sender<Job>>, job: F) -> StoreResult<oneshot::Receiver<StoreResult<T>>>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> StoreResult<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let boxed: Job = Box::new(move |connection| {
        // Nobody waiting any more is the caller's choice; the job still runs to its end.
        let _ = reply.send(job(connection));
    });
    queue
        .ok_or(StoreError::Closed)?
        .send(boxed)
        .map_err(|_| StoreError::Closed)?;
    Ok(answer)
}

/// Runs one job. A panic in it must not take the thread, and with it the whole store, along: the transaction rolls
/// back while unwinding, and the caller, whose reply channel is gone, gets an error.
fn run(job: Job, connection: &mut Connection) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(connection)));
    if outcome.is_err() {
        tracing::error!("a database job panicked; its transaction was rolled back");
    }
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> StoreResult<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|source| StoreError::Io {
            doing: format!("start the thread {name}"),
            source,
        })
}

fn connect(path: &Path) -> StoreResult<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    crate::filter::register_functions(&connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    Ok(connection)
}
