//! A whole file as a sink of bytes.

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use wandb_core::{Result, client::Client};
use wandb_storage::{PendingFile, StorageError};

use super::{
    address::AddressSource,
    blocking::{blocking, cancelled},
    early_flush::EarlyFlush,
    progress::Progress,
    receive::{Receive, Sink},
};

/// Looks at the head of an answer.
pub(crate) type HeadCheck = Box<dyn Fn(&HeaderMap) -> Result<()> + Send>;

/// Appends to a file that is not there yet.
pub(crate) struct FileSink {
    /// In the hands of the blocking pool while it is written to, hence an option.
    pending: Option<PendingFile>,
    position: u64,
    early: EarlyFlush,
    check: Option<HeadCheck>,
}

impl FileSink {
    pub(crate) fn new(pending: PendingFile) -> Self {
        Self {
            position: pending.size(),
            early: EarlyFlush::new(pending.writer()),
            pending: Some(pending),
            check: None,
        }
    }

    pub(crate) fn with_check(mut self, check: Option<HeadCheck>) -> Self {
        self.check = check;
        self
    }

    pub(crate) fn into_pending(self) -> Result<PendingFile> {
        self.pending.ok_or_else(cancelled)
    }

    /// Lends the file to the blocking pool. It comes back unless this future is dropped meanwhile, and then the pool drops
    /// it.
    async fn with_pending<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut PendingFile) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T> {
        let mut pending = self.pending.take().ok_or_else(cancelled)?;
        let (pending, result) = blocking(move || {
            let result = work(&mut pending);
            Ok((pending, result))
        })
        .await?;
        self.position = pending.size();
        self.pending = Some(pending);
        Ok(result?)
    }
}

#[async_trait]
impl Sink for FileSink {
    fn position(&self) -> u64 {
        self.position
    }

    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        let before = self.position;
        self.with_pending(move |pending| chunks.iter().try_for_each(|chunk| pending.append(chunk)))
            .await?;
        self.early.note(self.position - before);
        Ok(())
    }

    async fn restart(&mut self) -> Result<Option<u64>> {
        let forgotten = self.position;
        self.with_pending(PendingFile::restart).await?;
        Ok(Some(forgotten))
    }

    fn look_at(&mut self, headers: &HeaderMap) -> Result<()> {
        self.check.as_ref().map_or(Ok(()), |check| check(headers))
    }
}

/// Receives one file into a [`PendingFile`], from where its bytes end, and gives it back with the number of bytes that were
/// transferred. Nothing is verified here: that is [`PendingFile::publish`].
///
/// A connection that breaks is continued by range, guarded by the entity tag, after a pause; an address that is refused
/// is asked for again. There is no deadline for the whole, for a large file may take as long as it needs: a connection
/// without a byte is ended by the transport's idle timeout, and a transfer that brings less than 1 KiB a second over a
/// minute of waiting for bytes ends, too. Dropping the future cancels.
///
/// # Errors
/// [`Timeout`](wandb_core::ErrorKind::Timeout) when the bytes come too slowly, [`Integrity`](wandb_core::ErrorKind::Integrity)
/// when more than `size` bytes come, [`Io`](wandb_core::ErrorKind::Io) when the disk fails; else as any request.
pub async fn receive_file(
    client: &Client,
    name: &str,
    size: Option<u64>,
    addresses: &dyn AddressSource,
    pending: PendingFile,
    progress: &dyn Progress,
) -> Result<(PendingFile, u64)> {
    let mut sink = FileSink::new(pending);
    let mut receive = Receive::new(client, name, addresses, progress, size);
    receive.run(&mut sink).await?;
    let transferred = receive.transferred;
    Ok((sink.into_pending()?, transferred))
}
