//! A small file in memory, verified.

use bytes::Bytes;
use wandb_core::{Error, ErrorKind, Result, client::Fetch};
use wandb_storage::Hasher;

use super::File;

impl File {
    /// The bytes of a small file, in memory. Size and MD5 are compared with what the server promises; nothing is kept on
    /// the disk. For large files use [`download`](Self::download), which goes on where a connection broke off.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) when the file has more than `limit` bytes;
    /// - [`Integrity`](ErrorKind::Integrity) when the bytes are not the promised ones; else as any request.
    pub async fn bytes(&self, limit: usize) -> Result<Bytes> {
        let operation = format!("read file {:?} of run \"{}\"", self.name, self.run);
        let named = |error: Error| error.in_operation(operation.clone());
        if self.size > limit as u64 {
            return Err(named(Error::invalid_input(format!(
                "it has {} bytes where at most {limit} are taken",
                self.size
            ))));
        }
        let expected = self.expected().map_err(named)?;
        let fetch = Fetch::get(self.url.clone(), operation.clone());
        let fetched = self.api.client().fetch(&fetch).await?;
        let bytes = fetched
            .body
            .collect(limit)
            .await
            .map_err(|error| named(error.into()))?;
        let mut hasher = Hasher::new(expected.algorithm());
        hasher.update(&bytes);
        expected
            .check(bytes.len() as u64, &hasher.finish())
            .map_err(|mismatch| {
                named(
                    Error::new(ErrorKind::Integrity, "the bytes are not the promised ones")
                        .with_source(mismatch),
                )
            })?;
        Ok(bytes)
    }
}
