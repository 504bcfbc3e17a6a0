//! Runs an upload: places in batches, files at once, failures a second time.

use std::{collections::HashMap, sync::Arc};

use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_LENGTH};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use wandb_core::{
    Error, ErrorKind, Result,
    client::{Client, Put},
};
use wandb_storage::Directory;

use super::{
    body::Section,
    journal::UploadJournal,
    multipart::{Multipart, hash_parts, part_size},
    source::LocalFile,
    target::{PartDigest, UploadRequest, UploadSlot, UploadTarget},
};
use crate::transfer::{
    NoProgress, Progress,
    blocking::{blocking, cancelled},
    report::Failures,
};

/// How files are uploaded.
#[derive(Debug, Clone)]
#[must_use]
pub struct UploadOptions {
    connections: usize,
    multipart_threshold: u64,
    part_size: u64,
    records: Option<Directory>,
    progress: Arc<dyn Progress>,
}

impl Default for UploadOptions {
    /// 16 bodies at once; parts of 100 MiB from 2 GiB on (official).
    fn default() -> Self {
        Self {
            connections: 16,
            multipart_threshold: 2 << 30,
            part_size: 100 << 20,
            records: None,
            progress: Arc::new(NoProgress),
        }
    }
}

impl UploadOptions {
    /// How many bodies are sent at once, files or parts of them. Each takes up to 2 MiB of memory, whatever its size.
    pub fn connections(mut self, count: usize) -> Self {
        self.connections = count.max(1);
        self
    }

    /// From which size on files are sent in parts, and how long a part is, in bytes.
    pub fn multipart(mut self, threshold: u64, part_size: u64) -> Self {
        (self.multipart_threshold, self.part_size) = (threshold, part_size.max(1));
        self
    }

    /// Where to remember which parts of large files are with the server. Without it, an interrupted upload of a large file
    /// begins at its first part.
    pub fn records(mut self, directory: Directory) -> Self {
        self.records = Some(directory);
        self
    }

    /// Tells someone how far it is.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }
}

/// An upload of files.
///
/// Places are asked for in batches, the small files first. What the server has already is not sent: so an upload that was
/// interrupted and is run again sends only what is missing. Bodies stream, in bounded memory (16 at once, 2 MiB each, unless
/// set; of a large file up to 6 parts), and are hashed once more on the way: a file that changed since it was added ends the upload, and the server gets no whole body of it.
///
/// A file that fails after the usual retries is asked for again with the others that failed, as long as more than half of
/// them succeed each time (official). Nothing is committed here.
#[derive(Debug)]
#[must_use]
pub struct Upload {
    client: Client,
    target: Arc<dyn UploadTarget>,
    files: Vec<LocalFile>,
    options: UploadOptions,
    /// How many bodies may be on their way.
    bodies: Semaphore,
}

/// A finished upload: the server has every file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Uploaded {
    /// How many files were sent.
    pub sent: u64,
    /// How many the server had already.
    pub stored: u64,
    /// How many bytes were sent.
    pub transferred: u64,
    /// For each path the version in which its bytes first appeared, for the manifest.
    pub birth_artifact_ids: HashMap<String, String>,
}

/// What came of one file.
struct Sent {
    birth_artifact_id: String,
    was_stored: bool,
    bytes: u64,
}

impl Upload {
    /// An upload of these files.
    pub fn new(
        client: Client,
        target: Arc<dyn UploadTarget>,
        files: Vec<LocalFile>,
        options: UploadOptions,
    ) -> Self {
        Self {
            client,
            target,
            files,
            bodies: Semaphore::new(options.connections),
            options,
        }
    }

    /// Uploads. Dropping the future cancels.
    ///
    /// # Errors
    /// - [`Conflict`](ErrorKind::Conflict) when a file changed since it was added;
    /// - [`Io`](ErrorKind::Io) when one cannot be read;
    /// - [`Protocol`](ErrorKind::Protocol) when the server gives other places than were asked for;
    /// - else as any request. All files that failed are named.
    pub async fn run(mut self) -> Result<Uploaded> {
        self.files.sort_by(|left, right| {
            left.size
                .cmp(&right.size)
                .then_with(|| left.path.cmp(&right.path))
        });
        let sizes = self.files.iter().map(|file| file.size);
        let bytes = sizes.fold(0, u64::saturating_add);
        self.options.progress.total(self.files.len() as u64, bytes);
        let mut done = Uploaded::default();
        let mut left: Vec<usize> = (0..self.files.len()).collect();
        while !left.is_empty() {
            let count = left.len();
            let mut failed = Vec::new();
            for batch in left.chunks(self.target.batch_size().max(1)) {
                self.batch(batch, &mut done, &mut failed).await?;
            }
            // Nothing to gain from asking again when most of it fails.
            if !failed.is_empty() && failed.len() * 2 >= count {
                return Err(self.error_of(failed));
            }
            left = failed.into_iter().map(|(index, _)| index).collect();
            left.sort_unstable();
        }
        Ok(done)
    }

    fn error_of(&self, failed: Vec<(usize, Error)>) -> Error {
        let mut failures = Failures::default();
        for (index, error) in failed {
            failures.add(&self.files[index].path, error);
        }
        failures
            .into_error("upload")
            .unwrap_or_else(|| Error::new(ErrorKind::Server, "no file could be uploaded"))
    }

    async fn batch(
        &self,
        batch: &[usize],
        done: &mut Uploaded,
        failed: &mut Vec<(usize, Error)>,
    ) -> Result<()> {
        let mut requests = Vec::with_capacity(batch.len());
        for &index in batch {
            let file = &self.files[index];
            let parts = if file.size >= self.options.multipart_threshold && file.size > 0 {
                hash_parts(file, self.part_size_of(file)).await?
            } else {
                Vec::new()
            };
            requests.push(UploadRequest {
                path: file.path.clone(),
                digest: file.digest,
                size: file.size,
                parts,
            });
        }
        let slots = self.target.request_uploads(&requests).await?;
        if slots.len() != requests.len() {
            return Err(Error::protocol(format!(
                "the server gave {} places for {} files",
                slots.len(),
                requests.len()
            )));
        }
        let mut jobs: Vec<futures_util::future::BoxFuture<'_, (usize, Result<Sent>)>> = Vec::new();
        for ((&index, request), slot) in batch.iter().zip(&requests).zip(&slots) {
            jobs.push(Box::pin(async move {
                (index, self.one(index, &request.parts, slot).await)
            }));
        }
        let mut running = stream::iter(jobs).buffer_unordered(self.options.connections);
        while let Some((index, result)) = running.next().await {
            let file = &self.files[index];
            match result {
                Ok(sent) => {
                    if sent.was_stored {
                        done.stored += 1;
                    } else {
                        done.sent += 1;
                    }
                    done.transferred += sent.bytes;
                    done.birth_artifact_ids
                        .insert(file.path.clone(), sent.birth_artifact_id);
                    self.options.progress.end(&file.path);
                }
                // What is wrong on this machine stays wrong.
                Err(error)
                    if matches!(error.kind(), ErrorKind::Io | ErrorKind::Protocol)
                        || (error.kind() == ErrorKind::Conflict && error.status().is_none()) =>
                {
                    return Err(self.error_of(vec![(index, error)]));
                }
                Err(error) => failed.push((index, error)),
            }
        }
        Ok(())
    }

    fn part_size_of(&self, file: &LocalFile) -> u64 {
        part_size(file.size, self.options.part_size)
    }

    async fn one(&self, index: usize, parts: &[PartDigest], slot: &UploadSlot) -> Result<Sent> {
        let file = &self.files[index];
        let progress = &self.options.progress;
        progress.begin(&file.path, file.size);
        let birth_artifact_id = slot.birth_artifact_id.clone();
        let Some(url) = &slot.upload_url else {
            progress.advance(file.size);
            return Ok(Sent {
                birth_artifact_id,
                was_stored: true,
                bytes: 0,
            });
        };
        let bytes = match &slot.multipart {
            // A server that does not do parts gives one address.
            Some(places) if !parts.is_empty() && !places.parts.is_empty() => {
                let part_size = self.part_size_of(file);
                let journal = match self.options.records.clone() {
                    None => None,
                    Some(records) => {
                        let (digest, id, size) = (file.digest, places.upload_id.clone(), file.size);
                        Some(
                            blocking(move || UploadJournal::open(&records, &digest, &id, size, part_size))
                                .await?,
                        )
                    }
                };
                let multipart = Multipart {
                    client: &self.client,
                    target: &*self.target,
                    file,
                    slot,
                    parts,
                    part_size,
                    journal,
                    progress,
                    bodies: &self.bodies,
                };
                multipart.run(places).await?
            }
            _ => {
                let section = Section::new(file.source.clone(), (0, file.size), file.digest, progress);
                let mut put =
                    Put::new(url.clone(), format!("upload {:?}", file.path)).headers(headers_of(slot)?);
                if self.target.sends_credential() {
                    put = put.with_credential();
                }
                let _body = room(&self.bodies).await?;
                section.put(&self.client, &put).await?;
                file.size
            }
        };
        Ok(Sent {
            birth_artifact_id,
            was_stored: false,
            bytes,
        })
    }
}

/// Waits until another body may be sent.
pub(super) async fn room(bodies: &Semaphore) -> Result<SemaphorePermit<'_>> {
    bodies
        .acquire()
        .await
        .map_err(|error| cancelled().with_source(error))
}

/// The headers of a slot. They may hold tokens of the store. The length is the transport's affair.
pub(super) fn headers_of(slot: &UploadSlot) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in &slot.headers {
        let parsed = line.split_once(':').and_then(|(name, value)| {
            let name: HeaderName = name.trim().parse().ok()?;
            let mut value: HeaderValue = value.trim().parse().ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let (name, value) =
            parsed.ok_or_else(|| Error::protocol("the server gave an upload header that cannot be sent"))?;
        if name != CONTENT_LENGTH {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_or_refused() {
        let of = |line: &str| {
            headers_of(&UploadSlot {
                headers: vec![line.to_owned()],
                ..UploadSlot::default()
            })
        };
        let headers = of("x-ms-blob-type: BlockBlob").unwrap();
        assert_eq!(headers["x-ms-blob-type"], "BlockBlob");
        assert!(headers["x-ms-blob-type"].is_sensitive());
        assert_eq!(of("a:b:c").unwrap()["a"], "b:c");
        assert!(of("Content-Length: 5").unwrap().is_empty());
        for line in ["", "no colon", "b ad:x", "a:\u{7f}\n"] {
            assert!(of(line).is_err(), "{line:?}");
        }
    }
}
