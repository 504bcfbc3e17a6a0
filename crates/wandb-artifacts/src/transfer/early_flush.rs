//! Large files reach the disk while they are received, so that the flush before they are published is short.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use wandb_storage::PartWriter;

/// After how many bytes the disk begins with them. Systems on their own wait until a share of the memory is full, which is
/// more than most files have.
const STEP: u64 = 32 << 20;

/// Flushes one file now and then, one flush at a time, and lets nobody wait for it.
#[derive(Debug)]
pub(crate) struct EarlyFlush {
    writer: PartWriter,
    unflushed: AtomicU64,
    is_busy: Arc<AtomicBool>,
}

impl EarlyFlush {
    pub(crate) fn new(writer: PartWriter) -> Self {
        Self {
            writer,
            unflushed: AtomicU64::new(0),
            is_busy: Arc::default(),
        }
    }

    /// Takes note that bytes were written. Called on the runtime, or on its blocking pool.
    pub(crate) fn note(&self, bytes: u64) {
        let unflushed = self.unflushed.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if unflushed < STEP || self.is_busy.swap(true, Ordering::Relaxed) {
            return;
        }
        self.unflushed.store(0, Ordering::Relaxed);
        let (writer, is_busy) = (self.writer.clone(), Arc::clone(&self.is_busy));
        // It keeps the file open, and so its lock, for a moment after a download that was dropped.
        tokio::task::spawn_blocking(move || {
            writer.flush_early();
            is_busy.store(false, Ordering::Relaxed);
        });
    }
}
