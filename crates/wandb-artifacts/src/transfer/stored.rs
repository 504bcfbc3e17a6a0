//! References to objects of stores.

use std::sync::{atomic::Ordering, mpsc};

use bytes::Bytes;
use futures_util::StreamExt;
use wandb_core::{Error, ErrorKind, Result};
use wandb_storage::Expected;

use super::{
    engine::Engine,
    file_sink::FileSink,
    publisher::Ready,
    receive::{Sink, too_long},
};
use crate::{
    manifest::ManifestEntry,
    reference::ObjectAddress,
    stores::{ObjectStores, Recorded, failed},
};

/// How bytes are collected before they are written, in bytes.
const WRITE_SIZE: usize = 1 << 20;

impl Engine {
    /// An object of a store: the one that was recorded, or an error.
    pub(crate) async fn stored_object(
        &self,
        index: usize,
        reference: &ManifestEntry,
        stores: &ObjectStores,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let place = ObjectAddress::parse(reference.address().unwrap_or_default())?;
        let store = stores.open(&place, &self.client)?;
        let found = store.recorded(&Recorded::of(reference)).await?;
        let name = self.manifest.entries()[index].path();
        let recorded = reference.size().filter(|&size| size > 0);
        let size = recorded.unwrap_or(found.meta.size);
        if recorded.is_none() && size > self.options.unsized_limit {
            return Err(too_long(name, self.options.unsized_limit));
        }
        let expected = Expected {
            size: Some(size),
            digest: None,
        };
        self.options.progress.begin(name, size);
        let mut sink = FileSink::new(self.begin_reference(index, expected).await?);
        let mut stream = found.into_stream();
        let (mut chunks, mut collected): (Vec<Bytes>, usize) = (Vec::new(), 0);
        loop {
            let next = stream.next().await.transpose().map_err(failed)?;
            let is_last = next.is_none();
            if let Some(chunk) = next {
                collected += chunk.len();
                chunks.push(chunk);
            }
            // A store that goes on for ever must not fill the disk.
            if sink.position().saturating_add(collected as u64) > size {
                return Err(Error::new(
                    ErrorKind::Integrity,
                    format!("more bytes than were promised arrived for {name:?}"),
                ));
            }
            if collected >= WRITE_SIZE || (is_last && collected > 0) {
                sink.write(std::mem::take(&mut chunks)).await?;
                self.options.progress.advance(collected as u64);
                self.transferred.fetch_add(collected as u64, Ordering::Relaxed);
                collected = 0;
            }
            if is_last {
                break;
            }
        }
        self.verify(index, sink.into_pending()?, expected, ready).await
    }
}
