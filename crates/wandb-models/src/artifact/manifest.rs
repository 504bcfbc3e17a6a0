//! The manifest of a version, and what follows from it without a download.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use bytes::{Buf, Bytes};
use cynic::QueryBuilder;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use wandb_artifacts::{
    ArtifactDigest, Limits, Manifest, ManifestEntry, ManifestError, Verification, VerifyOptions,
};
use wandb_core::{
    Error, ErrorKind, Result,
    client::Fetch,
    redact::SafeUrl,
    retry::{Decision, Repeat},
};
use wandb_schema::operations::{artifact_files as wire, artifacts::ArtifactIdVariables};

use super::Artifact;
use crate::runtime::blocking;

/// How often the manifest is asked for at most: a connection breaks off, or its signed address expires.
const ATTEMPTS: u32 = 3;

/// Why a manifest did not come. A single request was repeated by the client as often as its policy says.
enum Failed {
    /// Nothing helps.
    Finally(Error),
    /// The address was refused, or led to other bytes: another one may help.
    Anew(Error),
    /// The connection broke off in the body.
    BrokeOff(Error),
}

impl Failed {
    fn of_request(error: Error) -> Self {
        match error.status() {
            Some(401 | 403 | 404 | 410) => Self::Anew(error),
            _ => Self::Finally(error),
        }
    }

    fn of_content(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Integrity => Self::Anew(error),
            _ => Self::Finally(error),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Finally(error)
    }
}

/// How many pieces of a body wait for the parser.
const WAITING: usize = 16;

impl Artifact {
    /// The manifest: the files of the version with their digests.
    ///
    /// It is read from the artifact cache if it is there, else fetched from a signed address without the credential, parsed
    /// while it streams, and in both cases checked: the digest formula of protocol §5.1 over it must give the version's
    /// digest. It is kept for all clones of this handle, and in the cache.
    ///
    /// # Errors
    /// - [`Integrity`](ErrorKind::Integrity) when it is not the manifest of this version;
    /// - [`NotFound`](ErrorKind::NotFound) when the version is gone, and [`Conflict`](ErrorKind::Conflict) before it is
    ///   committed (see [`ensure_committed`](super::ArtifactData::ensure_committed));
    /// - [`Protocol`](ErrorKind::Protocol) when it cannot be read.
    pub async fn manifest(&self) -> Result<Arc<Manifest>> {
        // What the cache has of a version that was deleted would pass for the version.
        self.ensure_committed()?;
        self.kept_manifest().await
    }

    /// The manifest whatever the state. The files of a version that was deleted live on while another version refers to them
    /// (protocol §5.7), so a reference is followed into it.
    pub(super) async fn kept_manifest(&self) -> Result<Arc<Manifest>> {
        let manifest = self.manifest.get_or_try_init(|| async {
            self.load_manifest().await.map_err(|error| {
                error.in_operation(format!("read the manifest of \"{}\"", self.exact_name()))
            })
        });
        manifest.await.cloned()
    }

    /// One entry of the manifest, by its path.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none, else as [`manifest`](Self::manifest).
    pub async fn entry(&self, path: &str) -> Result<ManifestEntry> {
        let manifest = self.manifest().await?;
        manifest.get(path).cloned().ok_or_else(|| {
            Error::not_found(format!("{path:?} in artifact \"{}\"", self.exact_name()))
                .with_hint("look at the manifest to see the paths")
        })
    }

    /// Compares a directory with the manifest, without any request once the manifest is known. Everything that is missing,
    /// extra or changed is listed; references are told as unverified.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest); [`Io`](ErrorKind::Io) when there is no such directory. What is wrong in it is not an
    /// error but the result.
    pub async fn verify(&self, root: impl AsRef<Path>) -> Result<Verification> {
        let manifest = self.manifest().await?;
        let root = root.as_ref().to_owned();
        blocking(move || {
            Ok(wandb_artifacts::verify(
                root,
                &manifest,
                &VerifyOptions::default(),
            )?)
        })
        .await
    }

    /// The digest as a value. `Unsupported` of an algorithm that is newer than this client.
    pub(super) fn parsed_digest(&self) -> Result<ArtifactDigest> {
        let algorithm = self.digest_algorithm.algorithm()?;
        ArtifactDigest::parse(algorithm, &self.digest).map_err(|error| {
            Error::protocol(format!("the digest {:?} cannot be read", self.digest)).with_source(error)
        })
    }

    async fn load_manifest(&self) -> Result<Arc<Manifest>> {
        let digest = self.parsed_digest()?;
        let memory = self.api.artifact_storage().memory().await?;
        if let Some(memory) = memory.clone()
            && let Some(manifest) = blocking(move || Ok(memory.manifest(digest))).await?
        {
            return Ok(Arc::new(manifest));
        }
        let manifest = Arc::new(self.fetch_manifest(digest).await?);
        if let Some(memory) = memory.filter(|_| self.is_committed()) {
            let (manifest, data) = (Arc::clone(&manifest), Arc::clone(&self.data));
            let server = self.api.base_url().as_str().to_owned();
            let kept = blocking(move || {
                memory.keep_manifest(digest, &manifest)?;
                memory.keep_version(&server, &data)
            });
            // A full disk is no reason to do without a manifest that is here.
            if let Err(error) = kept.await {
                tracing::debug!(%error, "the manifest could not be kept");
            }
        }
        Ok(manifest)
    }

    async fn fetch_manifest(&self, digest: ArtifactDigest) -> Result<Manifest> {
        let client = self.api.client();
        let (runtime, policy) = (client.runtime(), client.retry_policy());
        let started = runtime.now();
        let mut attempt = 1;
        loop {
            let fetched = self.fetch_manifest_once().await.and_then(|manifest| {
                check(&manifest, digest).map_err(Failed::of_content)?;
                Ok(manifest)
            });
            let (error, decision) = match fetched {
                Ok(manifest) => return Ok(manifest),
                Err(Failed::Finally(error)) => return Err(error),
                Err(Failed::Anew(error)) => {
                    let pause = policy.pause(attempt, runtime.random());
                    (error, Decision::After(pause))
                }
                Err(Failed::BrokeOff(error)) => {
                    let elapsed = runtime.now().saturating_sub(started);
                    let decision = policy.decide(&error, Repeat::Always, attempt, elapsed, runtime.random());
                    (error, decision)
                }
            };
            match decision {
                Decision::After(pause) if attempt < ATTEMPTS => runtime.sleep(pause).await,
                _ => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn fetch_manifest_once(&self) -> Result<Manifest, Failed> {
        let description = format!("find the manifest of \"{}\"", self.exact_name());
        let operation = wire::FetchArtifactManifest::build(ArtifactIdVariables {
            id: cynic::Id::new(&*self.id),
        });
        let answer: wire::FetchArtifactManifest = self.api.execute(&operation, &description).await?;
        let artifact = answer
            .artifact
            .ok_or_else(|| Error::not_found(format!("artifact \"{}\"", self.exact_name())))?;
        let manifest = artifact.current_manifest.ok_or_else(|| {
            Error::not_found(format!(
                "the manifest of \"{}\" (it is {})",
                self.exact_name(),
                self.state
            ))
        })?;
        let fetch =
            Fetch::get(SafeUrl::new(manifest.file.direct_url), "fetch the manifest").without_credential();
        let fetched = self.api.client().fetch(&fetch).await;
        let mut body = fetched.map_err(Failed::of_request)?.body;
        let (sender, receiver) = mpsc::channel(WAITING);
        let reading =
            tokio::task::spawn_blocking(move || Manifest::read(Pieces::new(receiver), &Limits::default()));
        let mut broken = None;
        while let Some(chunk) = body.next().await {
            match chunk {
                Ok(chunk) => {
                    // The parser has given up; it says why.
                    if sender.send(chunk).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    broken = Some(Error::from(error));
                    break;
                }
            }
        }
        drop(sender);
        let read: Result<Manifest, ManifestError> = match reading.await {
            Ok(read) => read,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => {
                return Err(Error::new(ErrorKind::Cancelled, "the task was cancelled")
                    .with_source(error)
                    .into());
            }
        };
        match broken {
            // What was parsed of half a body says nothing.
            Some(error) => Err(Failed::BrokeOff(error)),
            None => read.map_err(|error| Failed::of_content(error.into())),
        }
    }
}

fn check(manifest: &Manifest, digest: ArtifactDigest) -> Result<()> {
    let found = manifest.digest_by(digest.algorithm());
    if found == digest {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Integrity,
        format!("the manifest has the digest {found}, and the version {digest}"),
    ))
}

/// The pieces of a body as they come, for a parser that blocks.
struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Pieces {
    fn new(receiver: mpsc::Receiver<Bytes>) -> Self {
        Self {
            receiver,
            current: Bytes::new(),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        let count = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
