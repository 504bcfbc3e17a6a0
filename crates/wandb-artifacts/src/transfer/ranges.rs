//! One large file in parallel ranges.
//!
//! The file is cut into pieces. The first answer tells whether the server does ranges and has a strong entity tag; with
//! both, the others are fetched at the same time, each guarded by the tag. Hashing follows in the order of the file: bytes
//! that arrive where the hashing stands are hashed from memory, the others are read back from the page cache when their
//! turn comes. A journal beside the part says which pieces are complete, so that a killed process loses only what was in
//! flight. The whole is verified in any case.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use http::HeaderValue;
use wandb_core::{Error, ErrorKind, Result, client::Client};
use wandb_storage::{PartWriter, PendingFile, RangeJournal, StorageError};

use super::{
    address::{Address, AddressSource},
    blocking::blocking,
    early_flush::EarlyFlush,
    progress::Progress,
    receive::{Receive, Sink, no_range},
};

/// What came of an attempt in ranges.
pub(crate) enum Outcome {
    /// All bytes are there and hashed, not verified.
    Complete {
        pending: PendingFile,
        transferred: u64,
        used: Option<Address>,
    },
    /// The server does not give ranges of this object: it has to come in one stream. The part is removed when it is
    /// dropped.
    NoRanges {
        pending: PendingFile,
        used: Option<Address>,
    },
    /// Too many or too few bytes came. The part is gone.
    Wrong { error: Error, used: Option<Address> },
}

/// The most pieces that a file is cut into; of a larger file they are longer. A manifest can say any size, and what is kept of
/// each piece takes memory before a byte has come.
const MOST_PIECES: u64 = 8_192;

/// How a file is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    size: u64,
    piece: u64,
}

impl Cut {
    /// Cuts a file into pieces of about this size, which is not zero.
    pub(crate) fn new(size: u64, piece: u64) -> Self {
        Self {
            size,
            piece: piece.max(size.div_ceil(MOST_PIECES)).max(1),
        }
    }

    fn pieces(self) -> usize {
        usize::try_from(self.size.div_ceil(self.piece)).unwrap_or(usize::MAX)
    }

    fn start(self, piece: usize) -> u64 {
        (piece as u64).saturating_mul(self.piece)
    }

    fn end(self, piece: usize) -> u64 {
        self.size.min(self.start(piece).saturating_add(self.piece))
    }

    fn head(self) -> String {
        format!("wb-ranges 1 {} {}", self.size, self.piece)
    }
}

/// What the pieces of a file share.
struct Shared {
    cut: Cut,
    pending: Mutex<PendingFile>,
    writer: PartWriter,
    early: EarlyFlush,
    journal: Mutex<Option<RangeJournal>>,
    /// How many bytes of each piece are written.
    written: Mutex<Vec<u64>>,
}

impl Shared {
    /// Takes over a part with its journal, if there is one.
    fn open(mut pending: PendingFile, cut: Cut) -> Result<Self> {
        let mut journal = pending.journal(&cut.head(), cut.pieces())?;
        let left = pending.left_over();
        let mut written = vec![0; cut.pieces()];
        if let Some(journal) = &mut journal {
            for (piece, written) in written.iter_mut().enumerate() {
                // The journal may say more than there is, after a power failure.
                if journal.is_done(piece) && cut.end(piece) <= left {
                    *written = cut.end(piece) - cut.start(piece);
                }
            }
        }
        Ok(Self {
            cut,
            early: EarlyFlush::new(pending.writer()),
            writer: pending.writer(),
            pending: Mutex::new(pending),
            journal: Mutex::new(journal),
            written: Mutex::new(written),
        })
    }

    /// Up to where the file is written without a gap, from where it is hashed.
    fn contiguous(&self, hashed: u64) -> u64 {
        let written = lock(&self.written);
        let mut end = hashed;
        while end < self.cut.size {
            let piece = usize::try_from(end / self.cut.piece).unwrap_or(usize::MAX);
            let reached = self.cut.start(piece) + written[piece];
            if reached <= end {
                break;
            }
            end = reached;
            if reached < self.cut.end(piece) {
                break;
            }
        }
        end
    }

    fn write(&self, piece: usize, offset: u64, chunks: &[Bytes]) -> Result<(), StorageError> {
        let mut end = offset;
        for chunk in chunks {
            self.writer.write_at(chunk, end)?;
            end += chunk.len() as u64;
        }
        lock(&self.written)[piece] = end - self.cut.start(piece);
        self.early.note(end - offset);
        // Whoever finds the hashing free does all that is due; nobody waits for it.
        let mut pending = match self.pending.try_lock() {
            Ok(pending) => pending,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        if pending.size() == offset {
            chunks.iter().for_each(|chunk| pending.hash(chunk));
        }
        let due = self.contiguous(pending.size());
        pending.absorb(due)
    }

    fn complete(&self, piece: usize) -> Result<(), StorageError> {
        let Some(journal) = &mut *lock(&self.journal) else {
            return Ok(());
        };
        journal.note(piece).map_err(|source| StorageError::Io {
            action: "write the journal of",
            path: lock(&self.pending).target().to_owned(),
            source,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One piece.
struct PieceSink {
    shared: Arc<Shared>,
    piece: usize,
    position: u64,
}

#[async_trait]
impl Sink for PieceSink {
    fn position(&self) -> u64 {
        self.position
    }

    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        let (shared, piece, offset) = (Arc::clone(&self.shared), self.piece, self.position);
        let bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        blocking(move || Ok(shared.write(piece, offset, &chunks)?)).await?;
        self.position += bytes;
        Ok(())
    }

    async fn restart(&mut self) -> Result<Option<u64>> {
        Ok(None)
    }
}

/// A transfer in ranges.
pub(crate) struct RangedTransfer<'a> {
    pub(crate) client: &'a Client,
    pub(crate) name: &'a str,
    pub(crate) addresses: &'a dyn AddressSource,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cut: Cut,
    /// How many ranges at a time.
    pub(crate) connections: usize,
    pub(crate) first_address: Option<Address>,
}

impl RangedTransfer<'_> {
    pub(crate) async fn run(self, pending: PendingFile) -> Result<Outcome> {
        let cut = self.cut;
        let shared = Arc::new(blocking(move || Shared::open(pending, cut)).await?);
        let missing: Vec<usize> = {
            let written = lock(&shared.written);
            (0..cut.pieces())
                .filter(|&piece| written[piece] < cut.end(piece) - cut.start(piece))
                .collect()
        };
        let there: u64 = lock(&shared.written).iter().sum();
        if there > 0 {
            self.progress.advance(there);
        }
        let mut transferred = 0;
        let mut used = self.first_address.clone();
        if let Some((&first, rest)) = missing.split_first() {
            // Alone, to learn what the server can do.
            let (etag, address) = match self.piece(&shared, first, None, used.clone()).await {
                Ok(received) => (received.0, received.1),
                Err(error) => return self.after_failure(shared, used, error).await,
            };
            used = address;
            // Without a tag nothing says that two answers are of one object, so they come one after the other; the digest
            // of the whole decides.
            let connections = if etag.is_some() {
                self.connections.max(1)
            } else {
                1
            };
            let mut others: Vec<BoxFuture<'_, Result<_>>> = Vec::with_capacity(rest.len());
            for &piece in rest {
                others.push(Box::pin(self.piece(&shared, piece, etag.clone(), used.clone())));
            }
            let received = stream::iter(others)
                .buffer_unordered(connections)
                .try_for_each(|_| async { Ok(()) })
                .await;
            if let Err(error) = received {
                return self.after_failure(shared, used, error).await;
            }
            transferred = missing
                .iter()
                .map(|&piece| cut.end(piece) - cut.start(piece))
                .sum();
        }
        let pending = blocking(move || {
            lock(&shared.pending).absorb(cut.size)?;
            Ok(unwrap_shared(shared))
        })
        .await?;
        Ok(Outcome::Complete {
            pending,
            transferred,
            used,
        })
    }

    async fn piece(
        &self,
        shared: &Arc<Shared>,
        piece: usize,
        etag: Option<HeaderValue>,
        address: Option<Address>,
    ) -> Result<(Option<HeaderValue>, Option<Address>)> {
        let mut sink = PieceSink {
            shared: Arc::clone(shared),
            piece,
            position: self.cut.start(piece),
        };
        let end = self.cut.end(piece);
        let mut receive = Receive::new(self.client, self.name, self.addresses, self.progress, Some(end));
        receive.is_range = true;
        receive.etag = etag.clone();
        receive.address = address;
        receive.run(&mut sink).await?;
        if sink.position != end {
            return Err(Error::new(
                ErrorKind::Integrity,
                format!("fewer bytes than were promised arrived for {:?}", self.name),
            ));
        }
        if etag.is_some() && receive.etag != etag {
            return Err(no_range());
        }
        let shared = Arc::clone(shared);
        blocking(move || Ok(shared.complete(piece)?)).await?;
        Ok((receive.etag, receive.address))
    }

    /// Waits until nothing writes to the file any more. Without ranges it is begun anew, wrong bytes are removed, and after
    /// any other failure it stays, to be continued.
    async fn after_failure(
        &self,
        shared: Arc<Shared>,
        used: Option<Address>,
        error: Error,
    ) -> Result<Outcome> {
        let counted: u64 = lock(&shared.written).iter().sum();
        let is_no_range = is_no_range(&error);
        let is_wrong = error.kind() == ErrorKind::Integrity;
        if is_no_range || is_wrong {
            self.progress.retract(counted);
        }
        let pending = blocking(move || {
            let mut pending = unwrap_shared(shared);
            if is_wrong || is_no_range {
                pending.discard();
            }
            Ok(pending)
        })
        .await?;
        if is_no_range {
            Ok(Outcome::NoRanges { pending, used })
        } else if is_wrong {
            Ok(Outcome::Wrong { error, used })
        } else {
            Err(error)
        }
    }
}

/// Takes the file back. The pieces that wrote to it have ended: their futures were dropped or finished, and what they had
/// on the blocking pool holds the lock until it is done.
fn unwrap_shared(mut shared: Arc<Shared>) -> PendingFile {
    loop {
        match Arc::try_unwrap(shared) {
            Ok(shared) => {
                return shared
                    .pending
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner);
            }
            // A write of a piece that was given up is still on the pool, for a moment.
            Err(still) => {
                shared = still;
                std::thread::yield_now();
            }
        }
    }
}

fn is_no_range(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict && error.status().is_none() || error.status() == Some(416)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_file() {
        for (size, piece, pieces) in [
            (10, 4, 3),
            (8, 4, 2),
            (1, 4, 1),
            (u64::MAX, 4, 8_192),
            (u64::MAX, u64::MAX, 1),
        ] {
            let cut = Cut::new(size, piece);
            assert_eq!(cut.pieces(), pieces);
            assert_eq!(cut.end(pieces - 1), size);
            assert!((1..pieces).all(|piece| cut.start(piece) == cut.end(piece - 1)));
        }
    }
}
