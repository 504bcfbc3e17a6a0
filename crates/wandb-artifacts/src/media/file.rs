//! The file behind a media object.

use std::{fs::File, io::Read, path::Path, path::PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use wandb_core::{Error, Value};

use super::{
    Context, MediaError,
    context::{Resolved, parse, read_failed},
    fields::Fields,
};

/// Bytes that are hashed at a time.
const BLOCK: usize = 256 << 10;

/// A file that a media object names. Nothing is fetched before it is asked for.
///
/// Its bytes are verified twice: against the digest of the manifest by the [`EntryReader`](super::EntryReader), and
/// against the sha256 of the object, where there is one.
#[derive(Debug, Clone)]
pub struct MediaFile {
    context: Context,
    place: Place,
    sha256: Option<String>,
    size: Option<u64>,
}

#[derive(Debug, Clone)]
enum Place {
    /// An entry of the same artifact, or a file of the same run.
    Entry(String),
    /// An entry of another artifact, by its reference.
    Artifact(String),
}

impl MediaFile {
    /// The file of an object with `path` (or, in a run's summary, `artifact_path`), `sha256` and `size`.
    pub(super) fn of(context: &Context, fields: &Fields<'_>) -> Result<Self, MediaError> {
        let place = match (fields.path("path")?, fields.text("artifact_path")?) {
            (Some(path), _) => Place::Entry(path.to_owned()),
            (None, Some(uri)) => Place::Artifact(uri.to_owned()),
            (None, None) => return Err(fields.missing("path")),
        };
        Ok(Self {
            context: context.clone(),
            place,
            sha256: fields.text("sha256")?.map(str::to_ascii_lowercase),
            size: fields.count("size")?,
        })
    }

    /// A file of which only the path is known; the path was checked.
    pub(super) fn at(context: &Context, path: &str) -> Self {
        Self {
            context: context.clone(),
            place: Place::Entry(path.to_owned()),
            sha256: None,
            size: None,
        }
    }

    /// An entry of another artifact.
    pub(super) fn elsewhere(context: &Context, uri: &str) -> Self {
        Self {
            context: context.clone(),
            place: Place::Artifact(uri.to_owned()),
            sha256: None,
            size: None,
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The path of the entry in its artifact or run, or the reference to another artifact's entry.
    #[must_use]
    pub fn path(&self) -> &str {
        match &self.place {
            Place::Entry(path) | Place::Artifact(path) => path,
        }
    }

    /// The sha256 that was logged, hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// The size that was logged, in bytes. Artifacts do not have it here, runs do.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    pub(super) async fn resolve(&self) -> Result<Resolved, MediaError> {
        match &self.place {
            Place::Entry(path) => self.context.need(path).await,
            Place::Artifact(uri) => {
                let (reader, path) = self.context.artifact(self.context.reader(), uri).await?;
                let there = self.context.moved_to(reader, &path);
                there.need(&path).await
            }
        }
    }

    /// The verified bytes, at most as many as [`ReadOptions::file_bytes`](super::ReadOptions::file_bytes) allows.
    ///
    /// # Errors
    /// When the file is absent, larger, cannot be had, or does not have the logged sha256.
    pub async fn bytes(&self) -> Result<Bytes, MediaError> {
        self.limited("bytes", self.context.options().file_bytes).await
    }

    pub(super) async fn limited(&self, what: &'static str, limit: u64) -> Result<Bytes, MediaError> {
        let resolved = self.resolve().await?;
        let bytes = resolved.bytes(what, limit).await?;
        let digest = || Ok(hexadecimal(&Sha256::digest(&bytes)));
        self.check(resolved.external.as_deref(), digest)?;
        Ok(bytes)
    }

    /// The verified text of the file.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it is not UTF-8.
    pub async fn text(&self) -> Result<String, MediaError> {
        let bytes = self.bytes().await?;
        String::from_utf8(Vec::from(bytes)).map_err(|_| MediaError::NotText {
            path: self.path().to_owned(),
        })
    }

    /// The file as JSON: Plotly, Bokeh, point clouds.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it is not JSON.
    pub async fn json(&self) -> Result<Value, MediaError> {
        let limit = self.context.options().json_bytes;
        let bytes = self.limited("bytes of JSON", limit).await?;
        parse(self.path(), &bytes)
    }

    /// A verified file on the disk. It is hashed once more, on the thread of the caller.
    ///
    /// # Errors
    /// When the file is absent, cannot be had or read, or does not have the logged sha256.
    pub async fn local_path(&self) -> Result<PathBuf, MediaError> {
        let resolved = self.resolve().await?;
        let local = resolved.local_path().await?;
        self.check(resolved.external.as_deref(), || {
            hash(&local).map_err(|source| {
                read_failed(
                    self.path(),
                    Error::io(format!("failed to read {local:?}"), source),
                )
            })
        })?;
        Ok(local)
    }

    /// Compares the sha256. Official: media that was made of an address (`s3://…`) has the sha256 of the address.
    fn check(
        &self,
        external: Option<&str>,
        digest: impl FnOnce() -> Result<String, MediaError>,
    ) -> Result<(), MediaError> {
        let Some(expected) = &self.sha256 else {
            return Ok(());
        };
        if external.is_some_and(|address| hexadecimal(&Sha256::digest(address)) == *expected) {
            return Ok(());
        }
        let actual = digest()?;
        if actual == *expected {
            Ok(())
        } else {
            Err(MediaError::Sha256 {
                path: self.path().to_owned(),
                expected: expected.clone(),
                actual,
            })
        }
    }
}

fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hexadecimal(&hasher.finalize())),
            Ok(count) => hasher.update(&block[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}
