//! The bytes behind references, by scheme.
//!
//! Nothing of ours goes to them: no API key, no configured header. What cannot be compared with a digest is compared with
//! its entity tag and size; the file is written and published like any other.

use std::{
    collections::HashSet,
    io::{self, Read},
    sync::{Arc, mpsc},
};

use http::header::ETAG;
use wandb_core::{Error, ErrorKind, Result, redact::SafeUrl};
use wandb_storage::{Existing, Expected, open_ordinary};

use super::{
    address::{Address, FixedAddress},
    blocking::blocking,
    engine::{Engine, Job, expected_of, lock},
    file_sink::{FileSink, HeadCheck},
    publisher::Ready,
    receive::Receive,
    report::TrackedReference,
    resolved::ResolvedVersion,
};
use crate::{
    manifest::ManifestEntry,
    name::ArtifactReference,
    reference::{Scheme, check_etag, path_of_file_url},
};

/// How many references to references are followed.
const DEEPEST: usize = 16;

/// Buffer of local copies, in bytes.
const BUFFER: usize = 256 << 10;

impl Engine {
    /// One reference: fetched, or noted as one that is only tracked, or as one whose object is gone.
    pub(crate) async fn reference(&self, job: Job, ready: &mpsc::SyncSender<Ready>) -> Result<()> {
        let entry = self.entry(job);
        let address = entry.address().unwrap_or_default();
        let noted = || TrackedReference::of(entry);
        let scheme = Scheme::of(address);
        if self.options.skip_references || scheme == Scheme::Other {
            lock(&self.tracked).push(noted());
            return Ok(());
        }
        let fetched = match scheme {
            Scheme::Artifact => self.behind_artifact(job.index, address, ready).await,
            _ => self.behind(job.index, entry, ready).await,
        };
        match fetched {
            Err(error) if self.options.allow_missing_references && error.kind() == ErrorKind::NotFound => {
                lock(&self.missing).push(noted());
                Ok(())
            }
            other => other.map_err(|error| {
                error.in_operation(format!(
                    "fetch the reference {}",
                    wandb_core::redact::redact_url(address)
                ))
            }),
        }
    }

    /// Fetches what a reference of a scheme with bytes of its own leads to, for the entry `index` of our manifest.
    /// `reference` is that entry, or the one of another artifact that it leads to.
    async fn behind(
        &self,
        index: usize,
        reference: &ManifestEntry,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let address = reference.address().unwrap_or_default();
        match Scheme::of(address) {
            Scheme::Http => self.http(index, reference, ready).await,
            Scheme::File => self.local(index, reference, ready).await,
            Scheme::S3 | Scheme::Gs | Scheme::Azure => self.object(index, reference, ready).await,
            Scheme::ClientArtifact => Err(Error::new(
                ErrorKind::InvalidInput,
                "the reference leads to a version that was never logged",
            )),
            Scheme::Artifact | Scheme::Other => Err(Error::new(
                ErrorKind::Unsupported,
                format!("nothing can be fetched from {address:?}"),
            )),
        }
    }

    async fn http(
        &self,
        index: usize,
        reference: &ManifestEntry,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let address = reference.address().unwrap_or_default();
        let (digest, address_text) = (reference.digest().to_string(), address.to_owned());
        let check: HeadCheck = Box::new(move |headers| {
            let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
            check_etag(&digest, &address_text, tag).map_err(|fault| {
                Error::new(ErrorKind::Integrity, "the object is not the one that was logged")
                    .with_source(fault)
            })
        });
        let expected = Expected {
            // An object without an announced length was logged with size zero.
            size: reference.size().filter(|&size| size > 0),
            digest: None,
        };
        let source = FixedAddress(Address::signed(SafeUrl::new(address)));
        let path = self.manifest.entries()[index].path();
        self.options.progress.begin(path, expected.size.unwrap_or(0));
        let pending = self.begin_reference(index, expected).await?;
        let mut sink = FileSink::new(pending).with_check(Some(check));
        let progress = &*self.options.progress;
        let mut receive = Receive::new(&self.client, path, &source, progress, expected.size);
        receive.limit = self.options.unsized_limit;
        let received = receive.run(&mut sink).await;
        self.note(&receive);
        received?;
        self.verify(index, sink.into_pending()?, expected, ready).await
    }

    pub(crate) async fn begin_reference(
        &self,
        index: usize,
        expected: Expected,
    ) -> Result<wandb_storage::PendingFile> {
        let (directory, name) = (
            self.directory.clone(),
            self.manifest.entries()[index].relative_path()?,
        );
        blocking(move || Ok(directory.begin_one_of_many(&name, Existing::Replace, expected.algorithm())?))
            .await
    }

    async fn local(
        &self,
        index: usize,
        reference: &ManifestEntry,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let address = reference.address().unwrap_or_default();
        let source = path_of_file_url(address).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("{address:?} is no file of this machine"),
            )
        })?;
        let expected = if reference.is_unchecked_reference() {
            // Logged without being looked at: there is nothing to compare with.
            Expected::default()
        } else {
            let expected = expected_of(reference);
            if expected.digest.is_none() {
                return Err(Error::new(
                    ErrorKind::Integrity,
                    format!("the digest of {address:?} is not one of bytes"),
                ));
            }
            expected
        };
        let path = self.manifest.entries()[index].path();
        self.options.progress.begin(path, expected.size.unwrap_or(0));
        let mut pending = self.begin_reference(index, expected).await?;
        let progress = Arc::clone(&self.options.progress);
        let pending = blocking(move || {
            let failed = |error: io::Error| match error.kind() {
                io::ErrorKind::NotFound => Error::not_found(format!("file {source:?}")).with_source(error),
                _ => Error::io(format!("read {source:?}"), error),
            };
            let mut file = open_ordinary(&source).map_err(failed)?;
            let mut buffer = vec![0; BUFFER];
            loop {
                match file.read(&mut buffer).map_err(failed)? {
                    0 => return Ok(pending),
                    count => {
                        pending.append(&buffer[..count])?;
                        progress.advance(count as u64);
                    }
                }
            }
        })
        .await?;
        self.verify(index, pending, expected, ready).await
    }

    /// Follows references to entries of other versions until one has bytes.
    async fn behind_artifact(
        &self,
        index: usize,
        address: &str,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let promised = self.manifest.entries()[index].content_digest();
        let mut next = address.to_owned();
        let mut seen = HashSet::new();
        for _ in 0..DEEPEST {
            let reference: ArtifactReference = next.parse().map_err(|error| {
                Error::protocol(format!("{next:?} names no entry of an artifact")).with_source(error)
            })?;
            if !seen.insert((reference.artifact_id().to_owned(), reference.path().to_owned())) {
                return Err(Error::protocol(format!(
                    "the reference {address:?} leads back to itself"
                )));
            }
            let (artifact, book) = self.resolved(reference.artifact_id()).await?;
            let target = artifact
                .manifest
                .entries()
                .binary_search_by(|entry| entry.path().cmp(reference.path()))
                .map_err(|_| {
                    Error::not_found(format!(
                        "entry {:?} of artifact {}",
                        reference.path(),
                        reference.artifact_id()
                    ))
                })?;
            let entry = &artifact.manifest.entries()[target];
            if let (Some(promised), Some(found)) = (promised, entry.content_digest())
                && promised != found
            {
                return Err(Error::new(
                    ErrorKind::Integrity,
                    format!(
                        "entry {:?} has the digest {found} where {promised} was logged",
                        entry.path()
                    ),
                ));
            }
            match entry.address() {
                None => {
                    let expected = Expected {
                        size: entry.size(),
                        digest: promised.or(entry.content_digest()),
                    };
                    // The book has one place for each entry of the manifest that it was made for.
                    let addresses = book.addresses(target);
                    self.streamed(index, expected, &addresses, ready).await?;
                    book.is_done(target);
                    return Ok(());
                }
                Some(address) if Scheme::of(address) == Scheme::Artifact => next = address.to_owned(),
                Some(_) => return self.behind(index, entry, ready).await,
            }
        }
        Err(Error::protocol(format!(
            "the reference {address:?} leads through more than {DEEPEST} artifacts"
        )))
    }

    /// The version of an id.
    async fn resolved(&self, id: &str) -> Result<ResolvedVersion> {
        let resolver = self.options.resolver.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "references to other artifacts cannot be followed here: there is nobody to resolve them",
            )
        })?;
        self.resolved.get(id, &self.manifest, &**resolver).await
    }

    async fn object(
        &self,
        index: usize,
        reference: &ManifestEntry,
        ready: &mpsc::SyncSender<Ready>,
    ) -> Result<()> {
        let address = reference.address().unwrap_or_default();
        let is_azure = Scheme::of(address) == Scheme::Azure;
        #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
        if let Some(stores) = &self.options.object_stores
            && !crate::reference::is_signed_blob(address)
        {
            return self.stored_object(index, reference, stores, ready).await;
        }
        // A public or signed blob is an http object like any other.
        if is_azure {
            return self.http(index, reference, ready).await;
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            "nobody said how to get at that object store",
        )
        .with_hint(
            "build with the feature of the store and give the download its object stores, or skip references",
        ))
    }
}
