//! Verified download of one file.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use wandb_artifacts::transfer::{Address, AddressSource, receive_file};
use wandb_core::{
    Error, ErrorKind, Result,
    path::{NamePolicy, RelativePath},
};
use wandb_storage::{Directory, Existing, Expected};

use super::File;
use crate::runtime::blocking;

pub use wandb_artifacts::transfer::{NoProgress, Progress};

/// Where and how to download.
#[derive(Debug, Clone)]
#[must_use]
pub struct FileDownloadOptions {
    root: PathBuf,
    existing: IfExists,
    names: NamePolicy,
    progress: Arc<dyn Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfExists {
    Refuse,
    KeepIfVerified,
    Replace,
}

impl Default for FileDownloadOptions {
    fn default() -> Self {
        Self {
            root: PathBuf::from("."),
            existing: IfExists::Refuse,
            names: NamePolicy::Portable,
            progress: Arc::new(NoProgress),
        }
    }
}

impl FileDownloadOptions {
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

    /// Which names are taken. [`NamePolicy::Portable`] unless set: one that not every system can hold is a
    /// [`Conflict`](ErrorKind::Conflict). A file knows only its own name: whoever downloads many and replaces what is there looks
    /// for names that the disk takes for one with a [`PathReport`](wandb_artifacts::filenames::PathReport).
    pub fn names(mut self, policy: NamePolicy) -> Self {
        self.names = policy;
        self
    }

    /// Tells someone how far it is.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }
}

/// A file that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedFile {
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
    /// (temporary file in the same directory, fsync, rename). A connection that breaks is continued by range, guarded
    /// by the entity tag, after a pause; the whole is verified in any case. An address that expired is asked for again.
    /// Dropping the future cancels and leaves nothing.
    ///
    /// A large file may take as long as it needs, so there is no deadline for the whole: a connection without a byte is
    /// ended by the transport's idle timeout, and a download that brings less than 1 KiB a second over a minute of waiting
    /// for bytes ends, too.
    ///
    /// # Errors
    /// - [`InvalidInput`](ErrorKind::InvalidInput) when the name would leave the directory;
    /// - [`Conflict`](ErrorKind::Conflict) when the target exists, or the [policy](FileDownloadOptions::names) does not take the name;
    /// - [`Timeout`](ErrorKind::Timeout) when the bytes come too slowly;
    /// - [`Integrity`](ErrorKind::Integrity) when the bytes are not the promised ones;
    /// - [`Io`](ErrorKind::Io) when the disk fails; else as any request.
    pub async fn download(&self, options: &FileDownloadOptions) -> Result<DownloadedFile> {
        let operation = format!("download file {:?} of run \"{}\"", self.name, self.run);
        self.download_inner(options)
            .await
            .map_err(|error| error.in_operation(operation))
    }

    async fn download_inner(&self, options: &FileDownloadOptions) -> Result<DownloadedFile> {
        let name = options.names.check(&self.name).map_err(|error| {
            Error::from(error).with_hint(
                "nothing was written; the file can be read to memory, or saved under a name of your own",
            )
        })?;
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
        let progress = &*options.progress;
        let (pending, transferred) = receive_file(
            self.api.client(),
            &self.name,
            Some(self.size),
            &Addresses(self),
            pending,
            progress,
        )
        .await?;
        let digest_checked = expected.digest.is_some();
        let (path, facts) = blocking(move || Ok(pending.publish(&expected)?)).await?;
        options.progress.end(&self.name);
        Ok(DownloadedFile {
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
    ) -> Result<Option<DownloadedFile>> {
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
            .map(|facts| DownloadedFile {
                path: place,
                size: facts.size,
                transferred: 0,
                digest_checked: true,
            }))
    }
}

/// The file's address, asked for again when it expired.
struct Addresses<'a>(&'a File);

#[async_trait]
impl AddressSource for Addresses<'_> {
    async fn first(&self) -> Result<Address> {
        // The credential goes along only below the base URL (protocol §1.3).
        Ok(Address::of_server(self.0.url.clone()))
    }

    async fn renew(&self, _: &Address) -> Result<Option<Address>> {
        let file = self.0;
        let renewed = super::fetch_one(&file.api, &file.run, &file.name).await?;
        if renewed.md5 != file.md5 {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the file changed on the server while it was downloaded",
            )
            .with_hint("ask for the file again"));
        }
        Ok(Some(Address::of_server(renewed.url.clone())))
    }
}
