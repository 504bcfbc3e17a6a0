//! How one file of the artifact is fetched: in memory, in one stream, or in ranges.

use std::sync::{Arc, atomic::Ordering, mpsc};

use bytes::Bytes;
use wandb_core::{Error, ErrorKind, Result};
use wandb_storage::{Existing, Expected, HashedBytes, PendingFile, StorageError};

use super::{
    address::Address,
    blocking::{blocking, cancelled},
    engine::{Engine, Job, Written, expected_of},
    file_sink::FileSink,
    publisher::Ready,
    ranges::{Cut, Outcome, RangedTransfer},
    receive::{Receive, Sink},
    urls::EntryAddresses,
};
use crate::manifest::ManifestEntry;

/// Collects a small file.
#[derive(Default)]
struct MemorySink {
    chunks: Vec<Bytes>,
    size: u64,
}

#[async_trait::async_trait]
impl Sink for MemorySink {
    fn position(&self) -> u64 {
        self.size
    }

    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        self.size += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.chunks.extend(chunks);
        Ok(())
    }

    async fn restart(&mut self) -> Result<Option<u64>> {
        self.chunks.clear();
        Ok(Some(std::mem::take(&mut self.size)))
    }
}

impl Engine {
    pub(crate) async fn small(
        &self,
        job: Job,
        size: u64,
        expected: Expected,
        addresses: &EntryAddresses,
        writer: &tokio::sync::mpsc::Sender<Written>,
    ) -> Result<()> {
        let name = self.entry(job).path();
        let kibibytes = u32::try_from(size.div_ceil(1024).max(1)).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.memory)
            .acquire_many_owned(kibibytes)
            .await
            .map_err(|error| cancelled().with_source(error))?;
        self.options.progress.begin(name, size);
        let mut address = None;
        let mut is_second = false;
        loop {
            let mut sink = MemorySink::default();
            let mut receive = Receive::new(
                &self.client,
                name,
                addresses,
                &*self.options.progress,
                expected.size,
            );
            receive.address = address.take();
            let received = receive.run(&mut sink).await;
            self.note(&receive);
            let used = receive.address.take();
            let error = match received {
                Ok(()) => {
                    let bytes = HashedBytes::new(expected.algorithm(), sink.chunks);
                    match bytes.check(&expected) {
                        Ok(()) => {
                            let written = Written {
                                index: job.index,
                                bytes,
                                expected,
                                memory,
                            };
                            return writer.send(written).await.map_err(|_| cancelled());
                        }
                        Err(source) => Error::from(StorageError::Mismatch {
                            path: self.directory.path().join(name),
                            source,
                        }),
                    }
                }
                Err(error) => error,
            };
            if is_second || error.kind() != ErrorKind::Integrity {
                return Err(error);
            }
            // What is wrong may have been damaged on the way: once more, from zero, from another address if there is one.
            is_second = true;
            self.options.progress.retract(receive.transferred);
            address = addresses.after_wrong_bytes(used).await?;
        }
    }

    /// One file that is written as it comes, in one stream.
    pub(crate) async fn streamed(
        &self,
        index: usize,
        expected: Expected,
        addresses: &EntryAddresses,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let name = self.manifest.entries()[index].path();
        self.options.progress.begin(name, expected.size.unwrap_or(0));
        self.stream_into(index, expected, addresses, None, ready).await
    }

    async fn stream_into(
        &self,
        index: usize,
        expected: Expected,
        addresses: &EntryAddresses,
        mut address: Option<Address>,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let entry = &self.manifest.entries()[index];
        let mut wrong = 0;
        loop {
            let pending = self.begin(entry, expected).await?;
            self.options.progress.advance(pending.size());
            let taken_over = pending.size();
            let mut sink = FileSink::new(pending);
            let mut receive = Receive::new(
                &self.client,
                entry.path(),
                addresses,
                &*self.options.progress,
                expected.size,
            );
            receive.limit = self.options.unsized_limit;
            receive.address = address.take();
            let received = receive.run(&mut sink).await;
            self.note(&receive);
            let used = receive.address.take();
            let position = sink.position();
            let pending = sink.into_pending();
            let error = match received {
                Ok(()) => match self.verify(index, pending?, expected, ready).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                Err(error) if error.kind() == ErrorKind::Integrity => {
                    let mut pending = pending?;
                    blocking(move || {
                        pending.discard();
                        Ok(())
                    })
                    .await?;
                    error
                }
                Err(error) => return Err(error),
            };
            // A part that an earlier process left wrong is not the server's fault.
            wrong += u32::from(taken_over == 0);
            if wrong > 1 || error.kind() != ErrorKind::Integrity {
                return Err(error);
            }
            self.options.progress.retract(position);
            address = addresses.after_wrong_bytes(used).await?;
        }
    }

    /// One large file, in ranges if the server can do them.
    pub(crate) async fn large(
        &self,
        job: Job,
        connections: usize,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let entry = self.entry(job);
        let Some(place) = job.place else {
            return Err(cancelled());
        };
        let expected = expected_of(entry);
        let size = entry.size().unwrap_or(0);
        let addresses = self.book.addresses(place);
        self.options.progress.begin(entry.path(), size);
        let mut address = None;
        let mut wrong = 0;
        loop {
            let pending = self.begin_unread(entry, expected).await?;
            let transfer = RangedTransfer {
                client: &self.client,
                name: entry.path(),
                addresses: &addresses,
                progress: &*self.options.progress,
                cut: Cut::new(size, self.options.piece),
                connections,
                first_address: address.take(),
            };
            match transfer.run(pending).await? {
                Outcome::Complete {
                    pending,
                    transferred,
                    used,
                } => {
                    self.transferred.fetch_add(transferred, Ordering::Relaxed);
                    let Err(error) = self.verify(job.index, pending, expected, ready).await else {
                        break;
                    };
                    // What an earlier process left wrong is not the server's fault.
                    wrong += u32::from(transferred == size);
                    if wrong > 1 || error.kind() != ErrorKind::Integrity {
                        return Err(error);
                    }
                    self.options.progress.retract(size);
                    address = addresses.after_wrong_bytes(used).await?;
                }
                Outcome::Wrong { error, used } => {
                    wrong += 1;
                    if wrong > 1 {
                        return Err(error);
                    }
                    address = addresses.after_wrong_bytes(used).await?;
                }
                Outcome::NoRanges { pending, used } => {
                    // Its lock goes before the file is begun again.
                    blocking(move || {
                        drop(pending);
                        Ok(())
                    })
                    .await?;
                    self.stream_into(job.index, expected, &addresses, used, ready)
                        .await?;
                    break;
                }
            }
        }
        self.book.is_done(place);
        Ok(())
    }

    /// Begins a file and reads what an earlier process left of it.
    async fn begin(&self, entry: &ManifestEntry, expected: Expected) -> Result<PendingFile> {
        let mut pending = self.begin_unread(entry, expected).await?;
        blocking(move || {
            let left = pending.left_over();
            if expected.size.is_none_or(|size| left > size) {
                pending.restart()?;
            } else {
                pending.absorb(left)?;
            }
            Ok(pending)
        })
        .await
    }

    async fn begin_unread(&self, entry: &ManifestEntry, expected: Expected) -> Result<PendingFile> {
        let (directory, name) = (self.directory.clone(), entry.relative_path()?);
        blocking(move || {
            Ok(match &expected.digest {
                Some(digest) => directory.begin_resumable(&name, Existing::Replace, digest)?,
                None => directory.begin_one_of_many(&name, Existing::Replace, expected.algorithm())?,
            })
        })
        .await
    }
}
