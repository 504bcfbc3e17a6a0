//! Verified download of one file.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE},
};
use wandb_core::{
    Error, ErrorKind, Result,
    client::{Fetch, Fetched},
    path::{RelativePath, safe_relative_path},
};
use wandb_storage::{Directory, Existing, Expected, PendingFile};

use super::File;

/// How often a download that breaks off is gone on with, as long as each time brings some bytes.
const MAX_BREAKS: u32 = 100;

/// How often it may break off in a row without a new byte.
const MAX_IDLE_BREAKS: u32 = 4;

/// The cap of the pause before a download that broke off is gone on with; it doubles with each time without a new byte.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The span over which the rate is measured: time spent waiting for bytes, over all connections of a download.
const RATE_SPAN: Duration = Duration::from_secs(60);

/// The bytes that must arrive in such a span: 1 KiB a second.
const RATE_BYTES: u64 = 60 * 1024;

/// How often the file's address is asked for again, because it expired.
const MAX_RENEWALS: u32 = 3;

/// How bytes are collected before they are written, in bytes.
const WRITE_SIZE: usize = 1 << 20;

/// Where and how to download.
#[derive(Debug, Clone)]
#[must_use]
pub struct DownloadOptions {
    root: PathBuf,
    existing: IfExists,
    progress: Arc<dyn Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfExists {
    Refuse,
    KeepIfVerified,
    Replace,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            root: PathBuf::from("."),
            existing: IfExists::Refuse,
            progress: Arc::new(NoProgress),
        }
    }
}

impl DownloadOptions {
    /// Below a directory, which is made if needed. The file's name decides the place below it.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            ..Self::default()
        }
    }

    /// Replaces a file that is there. Without this or [`keep_verified`](Self::keep_verified) it is a
    /// [`Conflict`](ErrorKind::Conflict).
    pub fn replace(mut self) -> Self {
        self.existing = IfExists::Replace;
        self
    }

    /// Keeps a file that is there if its size and digest are the promised ones, without a request; replaces it if not.
    pub fn keep_verified(mut self) -> Self {
        self.existing = IfExists::KeepIfVerified;
        self
    }

    /// Tells someone how far it is.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }
}

/// Hears how far a download is. Calls come in this order: `begin`, any number of `advance` and `restart`, `end`; `end`
/// does not come when the download failed. The methods must not block.
pub trait Progress: Send + Sync + fmt::Debug {
    /// A file of this many bytes begins.
    fn begin(&self, name: &str, size: u64);
    /// So many more bytes are there.
    fn advance(&self, bytes: u64);
    /// What came so far was dropped: the file changed on the server.
    fn restart(&self) {}
    /// The file is complete and verified.
    fn end(&self) {}
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// A file that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub size: u64,
    /// How many bytes were transferred; 0 for a file that was kept.
    pub transferred: u64,
    /// Whether the bytes were compared with a digest. Without one only the size could be checked.
    pub digest_checked: bool,
}

impl File {
    /// Downloads the file below the options' directory.
    ///
    /// The bytes are hashed while they stream, and the file appears under its final name only after size and MD5 match
    /// (temporary file in the same directory, fsync, rename). A connection that breaks is gone on with by range, guarded
    /// by the entity tag, after a pause; the whole is verified in any case. An address that expired is asked for again.
    /// Dropping the future cancels and leaves nothing.
    ///
    /// A large file may take as long as it needs, so there is no deadline for the whole: a connection without a byte is
    /// ended by the transport's idle timeout, and a download that brings less than 1 KiB a second over a minute of waiting
    /// for bytes ends, too.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) when the name would leave the directory;
    /// - [`Conflict`](ErrorKind::Conflict) when the target exists;
    /// - [`Timeout`](ErrorKind::Timeout) when the bytes come too slowly;
    /// - [`Integrity`](ErrorKind::Integrity) when the bytes are not the promised ones;
    /// - [`Io`](ErrorKind::Io) when the disk fails; else as any request.
    pub async fn download(&self, options: &DownloadOptions) -> Result<Downloaded> {
        let operation = format!("download file {:?} of run \"{}\"", self.name, self.run);
        self.download_inner(options)
            .await
            .map_err(|error| error.in_operation(operation))
    }

    async fn download_inner(&self, options: &DownloadOptions) -> Result<Downloaded> {
        let name = safe_relative_path(&self.name)?;
        let expected = self.expected()?;
        let root = options.root.clone();
        let directory = blocking(move || Ok(Directory::create(root)?)).await?;
        if options.existing == IfExists::KeepIfVerified
            && let Some(kept) = self.keep(&directory, &name, &expected).await?
        {
            return Ok(kept);
        }
        let existing = match options.existing {
            IfExists::Refuse => Existing::Refuse,
            IfExists::KeepIfVerified | IfExists::Replace => Existing::Replace,
        };
        let pending = {
            let (directory, name) = (directory.clone(), name.clone());
            blocking(move || Ok(directory.begin(&name, existing, expected.algorithm())?)).await?
        };
        options.progress.begin(&self.name, self.size);
        let mut transfer = Transfer {
            file: self,
            pending: Some(pending),
            etag: None,
            transferred: 0,
            pace: Pace::default(),
            progress: &*options.progress,
        };
        transfer.run().await?;
        let transferred = transfer.transferred;
        let pending = transfer.pending.take().ok_or_else(cancelled)?;
        let digest_checked = expected.digest.is_some();
        let (path, facts) = blocking(move || Ok(pending.publish(&expected)?)).await?;
        options.progress.end();
        Ok(Downloaded {
            path,
            size: facts.size,
            transferred,
            digest_checked,
        })
    }

    async fn keep(
        &self,
        directory: &Directory,
        name: &RelativePath,
        expected: &Expected,
    ) -> Result<Option<Downloaded>> {
        // Without a digest nothing says that the bytes are the same.
        if expected.digest.is_none() {
            return Ok(None);
        }
        let algorithm = expected.algorithm();
        let (found, place) = {
            let (directory, name) = (directory.clone(), name.clone());
            blocking(move || Ok((directory.facts(&name, algorithm)?, directory.path_of(&name)))).await?
        };
        Ok(found
            .filter(|facts| expected.check(facts.size, &facts.digest).is_ok())
            .map(|facts| Downloaded {
                path: place,
                size: facts.size,
                transferred: 0,
                digest_checked: true,
            }))
    }
}

/// The bytes of one file on their way, over as many connections as it takes.
struct Transfer<'a> {
    file: &'a File,
    /// In the hands of the blocking pool while it is written to, hence an option.
    pending: Option<PendingFile>,
    etag: Option<HeaderValue>,
    transferred: u64,
    pace: Pace,
    progress: &'a dyn Progress,
}

/// How fast bytes come, measured span by span.
#[derive(Debug, Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
    too_slow: bool,
}

impl Pace {
    fn note(&mut self, waited: Duration, bytes: usize) {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited >= RATE_SPAN {
            self.too_slow = self.bytes < RATE_BYTES;
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
    }
}

impl Transfer<'_> {
    async fn run(&mut self) -> Result<()> {
        let (mut breaks, mut idle, mut renewals) = (0, 0, 0);
        let mut url = self.file.url.clone();
        loop {
            let before = self.transferred;
            let error = match self.attempt(&url).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // A signed address that expired answers 401, 403 or 404 (protocol §6.3); a new one may work.
            let expired = matches!(error.status(), Some(401 | 403 | 404 | 410));
            if expired && renewals < MAX_RENEWALS {
                renewals += 1;
                let renewed = super::fetch_one(&self.file.api, &self.file.run, &self.file.name).await?;
                if renewed.url == url {
                    return Err(error);
                }
                if renewed.md5 != self.file.md5 {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "the file changed on the server while it was downloaded",
                    )
                    .with_hint("ask for the file again"));
                }
                url = renewed.url.clone();
                continue;
            }
            breaks += 1;
            idle = if self.transferred > before { 0 } else { idle + 1 };
            let broke_off = error.status().is_none() && wandb_core::retry::is_transient(&error);
            if self.pace.too_slow || !broke_off || breaks > MAX_BREAKS || idle > MAX_IDLE_BREAKS {
                return Err(error);
            }
            // Full jitter, so that many downloads that one server broke off do not all come back at once.
            let runtime = self.file.api.client().runtime();
            let cap = FIRST_PAUSE.saturating_mul(1 << idle);
            runtime.sleep(cap.mul_f64(runtime.random())).await;
        }
    }

    /// One connection: from where the bytes end, to the end of the file or of the connection.
    async fn attempt(&mut self, url: &wandb_core::redact::SafeUrl) -> Result<()> {
        let have = self.pending.as_ref().ok_or_else(cancelled)?.size();
        if have > 0 && have == self.file.size {
            return Ok(());
        }
        let mut fetch = Fetch::get(url.clone(), format!("fetch the bytes of {:?}", self.file.name));
        if have > 0 {
            let range = HeaderValue::try_from(format!("bytes={have}-"))
                .map_err(|error| Error::invalid_input("the range cannot be written").with_source(error))?;
            fetch = fetch.header(RANGE, range);
            if let Some(etag) = &self.etag {
                fetch = fetch.header(IF_RANGE, etag.clone());
            }
        }
        let Fetched {
            status,
            headers,
            mut body,
            ..
        } = self.file.api.client().fetch(&fetch).await?;
        if have > 0 && !continues(status, &headers, have) {
            // The whole file again: the server does not do ranges, or the object changed.
            self.with_pending(PendingFile::restart).await?;
            self.progress.restart();
        }
        self.etag = headers
            .get(ETAG)
            .filter(|tag| !tag.as_bytes().starts_with(b"W/"))
            .cloned();
        let mut chunks: Vec<Bytes> = Vec::new();
        let mut collected = 0;
        let runtime = Arc::clone(self.file.api.client().runtime());
        let failed = loop {
            let asked = runtime.now();
            let next = body.next().await;
            let bytes = next
                .as_ref()
                .and_then(|chunk| chunk.as_ref().ok())
                .map_or(0, Bytes::len);
            self.pace.note(runtime.now().saturating_sub(asked), bytes);
            match next {
                // The end of the body is welcome however late it comes.
                Some(_) if self.pace.too_slow => break Some(too_slow()),
                Some(Ok(chunk)) => {
                    collected += chunk.len();
                    chunks.push(chunk);
                    if collected >= WRITE_SIZE {
                        self.write(std::mem::take(&mut chunks)).await?;
                        collected = 0;
                    }
                }
                Some(Err(error)) => break Some(Error::from(error)),
                None => break None,
            }
        };
        self.write(chunks).await?;
        failed.map_or(Ok(()), Err)
    }

    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        let bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        if bytes == 0 {
            return Ok(());
        }
        let size = self.file.size;
        let have = self.with_pending(move |pending| {
            chunks
                .iter()
                .try_for_each(|chunk| pending.append(chunk))
                .map(|()| pending.size())
        });
        let have = have.await?;
        self.transferred += bytes;
        self.progress.advance(bytes);
        // A server that goes on for ever must not fill the disk.
        if have > size {
            return Err(Error::new(
                ErrorKind::Integrity,
                format!("more than the {size} bytes that were promised arrived"),
            ));
        }
        Ok(())
    }

    /// Lends the file to the blocking pool. It comes back unless this future is dropped meanwhile, and then the pool
    /// drops it.
    async fn with_pending<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut PendingFile) -> Result<T, wandb_storage::StorageError> + Send + 'static,
    ) -> Result<T> {
        let mut pending = self.pending.take().ok_or_else(cancelled)?;
        let (pending, result) = blocking(move || {
            let result = work(&mut pending);
            Ok((pending, result))
        })
        .await?;
        self.pending = Some(pending);
        Ok(result?)
    }
}

/// Whether an answer goes on exactly where the bytes end.
fn continues(status: StatusCode, headers: &HeaderMap, have: u64) -> bool {
    status == StatusCode::PARTIAL_CONTENT
        && headers
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| {
                text.strip_prefix("bytes ")?
                    .split_once('-')?
                    .0
                    .trim()
                    .parse()
                    .ok()
            })
            .is_some_and(|start: u64| start == have)
}

fn too_slow() -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "fewer than {RATE_BYTES} bytes came in {} s of waiting",
            RATE_SPAN.as_secs()
        ),
    )
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the download was cancelled")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(cancelled().with_source(error)),
    }
}
