//! The object that is being read: its reader, its limits, and the objects that led to it.

use std::{fmt, path::PathBuf, sync::Arc};

use bytes::Bytes;
use wandb_core::{Error, Value};

use super::{EntryReader, MediaError, ReadOptions, fields::check_path};

/// How many references may follow each other before an entry has bytes.
const MAX_HOPS: usize = 16;

/// An object of an artifact. Cheap to clone; whatever is read out of the object keeps it.
#[derive(Clone)]
pub(super) struct Context(Arc<Inner>);

struct Inner {
    reader: Arc<dyn EntryReader>,
    options: ReadOptions,
    path: String,
    /// The object that referred to this one. At most `options.depth` of them, so that dropping them stays shallow.
    parent: Option<Context>,
    depth: u8,
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.0.reader.id(), self.0.path)
    }
}

/// An entry behind all references to other artifacts.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) reader: Arc<dyn EntryReader>,
    pub(super) path: String,
    /// Where the bytes are, if they are in no artifact.
    pub(super) external: Option<String>,
    /// Bytes, as the manifest claims.
    pub(super) size: Option<u64>,
}

impl Context {
    pub(super) fn new(reader: Arc<dyn EntryReader>, options: ReadOptions, path: &str) -> Self {
        Self(Arc::new(Inner {
            reader,
            options,
            path: path.to_owned(),
            parent: None,
            depth: 0,
        }))
    }

    pub(super) fn reader(&self) -> &Arc<dyn EntryReader> {
        &self.0.reader
    }

    pub(super) fn options(&self) -> &ReadOptions {
        &self.0.options
    }

    /// The entry that is being read.
    pub(super) fn path(&self) -> &str {
        &self.0.path
    }

    /// The context of an object that this one refers to.
    ///
    /// # Errors
    /// When that object led here, or too many did.
    pub(super) fn enter(&self, reader: Arc<dyn EntryReader>, path: &str) -> Result<Self, MediaError> {
        let mut chain = vec![path.to_owned()];
        let mut next = Some(self);
        while let Some(context) = next {
            chain.push(context.path().to_owned());
            if context.path() == path && context.reader().id() == reader.id() {
                chain.reverse();
                return Err(MediaError::Cycle { chain });
            }
            next = context.0.parent.as_ref();
        }
        if self.0.depth >= self.0.options.depth {
            return Err(MediaError::TooLarge {
                path: path.to_owned(),
                what: "objects that refer to each other",
                limit: u64::from(self.0.options.depth),
            });
        }
        Ok(Self(Arc::new(Inner {
            reader,
            options: self.0.options,
            path: path.to_owned(),
            parent: Some(self.clone()),
            depth: self.0.depth + 1,
        })))
    }

    /// The same place in the chain under another name: the object turned out to be there.
    pub(super) fn moved_to(&self, reader: Arc<dyn EntryReader>, path: &str) -> Self {
        Self(Arc::new(Inner {
            reader,
            options: self.0.options,
            path: path.to_owned(),
            parent: self.0.parent.clone(),
            depth: self.0.depth,
        }))
    }

    /// The artifact of a reference and the entry that is meant.
    pub(super) async fn artifact(
        &self,
        reader: &Arc<dyn EntryReader>,
        uri: &str,
    ) -> Result<(Arc<dyn EntryReader>, String), MediaError> {
        let path = entry_of(uri).ok_or_else(|| {
            MediaError::shape(
                self.path(),
                format!(
                    "the reference {:?} does not name an entry",
                    uri.chars().take(200).collect::<String>()
                ),
            )
        })?;
        check_path(self.path(), path)?;
        let artifact = reader
            .artifact(uri)
            .await
            .map_err(|source| read_failed(uri, source))?;
        Ok((artifact, path.to_owned()))
    }

    /// Follows the references of an entry to other artifacts; `None` when this artifact has no such entry.
    pub(super) async fn resolve(&self, path: &str) -> Result<Option<Resolved>, MediaError> {
        resolve(self, Arc::clone(self.reader()), path.to_owned()).await
    }

    /// The bytes of an entry, wherever they are.
    pub(super) async fn fetch(
        &self,
        path: &str,
        what: &'static str,
        limit: u64,
    ) -> Result<Bytes, MediaError> {
        let resolved = self.need(path).await?;
        resolved.bytes(what, limit).await
    }

    /// An entry that must be there.
    pub(super) async fn need(&self, path: &str) -> Result<Resolved, MediaError> {
        self.resolve(path).await?.ok_or_else(|| MediaError::Missing {
            path: self.path().to_owned(),
            target: path.to_owned(),
        })
    }

    /// The JSON of an entry that is not a table.
    pub(super) async fn json(&self, path: &str) -> Result<Value, MediaError> {
        let bytes = self
            .fetch(path, "bytes of JSON", self.options().json_bytes)
            .await?;
        parse(path, &bytes)
    }
}

async fn resolve(
    context: &Context,
    mut reader: Arc<dyn EntryReader>,
    mut path: String,
) -> Result<Option<Resolved>, MediaError> {
    let mut chain: Vec<(String, String)> = Vec::new();
    loop {
        let entry = reader
            .entry(&path)
            .await
            .map_err(|source| read_failed(&path, source))?;
        let Some(entry) = entry else {
            return match chain.last() {
                // The first one may be absent; a reference to nothing is broken.
                None => Ok(None),
                Some((_, from)) => Err(MediaError::Missing {
                    path: from.clone(),
                    target: path,
                }),
            };
        };
        let Some(uri) = entry.reference.as_deref().filter(|uri| entry_of(uri).is_some()) else {
            return Ok(Some(Resolved {
                reader,
                path,
                external: entry.reference,
                size: entry.size,
            }));
        };
        let here = (reader.id().to_owned(), path);
        let repeated = chain.contains(&here);
        chain.push(here);
        if repeated || chain.len() > MAX_HOPS {
            return Err(MediaError::Cycle {
                chain: chain.into_iter().map(|(_, path)| path).collect(),
            });
        }
        (reader, path) = context.artifact(&reader, uri).await?;
    }
}

impl Resolved {
    pub(super) async fn bytes(&self, what: &'static str, limit: u64) -> Result<Bytes, MediaError> {
        let too_large = || MediaError::TooLarge {
            path: self.path.clone(),
            what,
            limit,
        };
        // Nothing is fetched to be refused.
        if self.size.is_some_and(|size| size > limit) {
            return Err(too_large());
        }
        let bytes = self
            .reader
            .bytes(&self.path, limit)
            .await
            .map_err(|source| read_failed(&self.path, source))?;
        if bytes.len() as u64 > limit {
            return Err(too_large());
        }
        Ok(bytes)
    }

    pub(super) async fn local_path(&self) -> Result<PathBuf, MediaError> {
        self.reader
            .path(&self.path)
            .await
            .map_err(|source| read_failed(&self.path, source))
    }
}

/// The entry that a reference to an artifact names: what follows the first slash behind the artifact.
///
/// Official: the path is written as it is, not percent-encoded.
pub(super) fn entry_of(uri: &str) -> Option<&str> {
    uri.strip_prefix("wandb-artifact://")
        .or_else(|| uri.strip_prefix("wandb-client-artifact://"))?
        .split_once('/')
        .map(|(_, path)| path)
}

pub(super) fn read_failed(path: &str, source: Error) -> MediaError {
    MediaError::Read {
        path: path.to_owned(),
        source,
    }
}

pub(super) fn parse(path: &str, bytes: &[u8]) -> Result<Value, MediaError> {
    let text = std::str::from_utf8(bytes).map_err(|_| MediaError::NotText {
        path: path.to_owned(),
    })?;
    Value::parse(text).map_err(|source| MediaError::Json {
        path: path.to_owned(),
        source,
    })
}
