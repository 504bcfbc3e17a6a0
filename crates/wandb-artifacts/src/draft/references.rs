//! Adding references: what is noted of an object that stays where it is (inventory §6.2).

use std::{path::PathBuf, sync::Arc};

use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, ETAG},
};
use wandb_core::{
    Error, ErrorKind, Result,
    client::Client,
    redact::{SafeUrl, redact_url},
    value::{Map, Value},
};
use wandb_storage::open_ordinary;

use super::{
    Draft,
    model::{joined, name_of},
    walk::walk,
};
use crate::{
    digest::{Algorithm, hash_reader},
    manifest::ManifestEntry,
    name::ArtifactReference,
    parallel,
    reference::{ObjectAddress, Scheme, is_signed_blob, path_of_file_url, unquoted},
    transfer::{Address, ArtifactResolver, blocking::blocking, fetch_of},
};

/// How a reference is added.
#[derive(Debug, Clone)]
#[must_use]
pub struct ReferenceOptions {
    checksum: bool,
    overwrite: bool,
    pub(super) max_objects: usize,
    resolver: Option<Arc<dyn ArtifactResolver>>,
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    object_stores: Option<crate::stores::ObjectStores>,
}

impl Default for ReferenceOptions {
    /// The object is looked at; at most 10,000,000 objects behind one address (official).
    fn default() -> Self {
        Self {
            checksum: true,
            overwrite: false,
            max_objects: 10_000_000,
            resolver: None,
            #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
            object_stores: None,
        }
    }
}

impl ReferenceOptions {
    /// Whether the object is looked at. Without that nothing will tell later whether it is the same (official:
    /// `checksum=False`).
    pub fn checksum(mut self, checksum: bool) -> Self {
        self.checksum = checksum;
        self
    }

    /// Replaces what the draft has under the same path; else that is an error.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// How many objects there may be behind an address that names a directory or a prefix.
    pub fn max_objects(mut self, count: usize) -> Self {
        self.max_objects = count.max(1);
        self
    }

    /// Who finds the artifacts that `wandb-artifact://` addresses name.
    pub fn resolver(mut self, resolver: Arc<dyn ArtifactResolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// How to get at `s3://` and `gs://` objects and Azure blobs. Without it such objects cannot be looked at, and a blob is
    /// looked at as any other `https://` address.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    pub fn object_stores(mut self, stores: crate::stores::ObjectStores) -> Self {
        self.object_stores = Some(stores);
        self
    }

    /// The same, if none were given.
    #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
    pub fn object_stores_or(mut self, stores: Option<crate::stores::ObjectStores>) -> Self {
        self.object_stores = self.object_stores.or(stores);
        self
    }
}

impl Draft {
    /// Adds a reference: the bytes stay where they are. Gives how many entries were added, of a directory more than one.
    ///
    /// | scheme | what is noted |
    /// |---|---|
    /// | `http`, `https` | the entity tag, or the address where there is none; the announced size |
    /// | `file` | MD5 and size of each file; a directory is walked, links followed |
    /// | `s3`, `gs`, Azure blobs | the entity tag, the size and the version, if the bucket has versions; of a prefix all objects below it |
    /// | `wandb-artifact` | the digest of the entry that it leads to |
    /// | others | the address; a path must be given |
    ///
    /// Nothing of ours goes to the address: no key, no configured header. Without `path` the entry is named as the last segment
    /// of the address; below a directory or a prefix, as the rest of its path; and an object of a store that is not looked at, as
    /// its whole key (official).
    ///
    /// Stores need the features `s3`, `gs` or `azure`, and [`ReferenceOptions::object_stores`]. `?versionId=…` (`#…` of Google)
    /// names a version. An address where there is no object is a prefix: everything below it as a directory is added, in pages of
    /// 1,000, with the versions; what only stands for a directory is left out, and of S3 every object without bytes (official).
    /// More than [`max_objects`](ReferenceOptions::max_objects) are an error (the official client stops there without a word).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an address without a scheme or a missing path; as any request when the
    /// object cannot be looked at; else as [`add_file`](Self::add_file).
    pub async fn add_reference(
        &mut self,
        client: &Client,
        address: &str,
        path: Option<&str>,
        options: &ReferenceOptions,
    ) -> Result<usize> {
        let entries = self
            .reference_entries(client, address, path, options)
            .await
            .map_err(|error| error.in_operation(format!("add the reference {}", redact_url(address))))?;
        for entry in &entries {
            self.check(entry, options.overwrite)?;
        }
        let count = entries.len();
        for entry in entries {
            self.put(entry, None, options.overwrite)?;
        }
        Ok(count)
    }

    async fn reference_entries(
        &self,
        client: &Client,
        address: &str,
        path: Option<&str>,
        options: &ReferenceOptions,
    ) -> Result<Vec<ManifestEntry>> {
        if !address.contains("://") {
            return Err(Error::invalid_input("a reference is an address with a scheme")
                .with_hint("for a local file: file:///path"));
        }
        let scheme = Scheme::of(address);
        if scheme == Scheme::File {
            return local(address, path, options).await;
        }
        if matches!(scheme, Scheme::S3 | Scheme::Gs | Scheme::Azure) && !is_signed_blob(address) {
            let place = ObjectAddress::parse(address)?;
            if !options.checksum {
                let name = match place.key() {
                    "" => place.container(),
                    key => key,
                };
                let bare = place.bare();
                return Ok(vec![ManifestEntry::reference(
                    path.unwrap_or(name),
                    &*bare,
                    &*bare,
                )]);
            }
            #[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
            if let Some(stores) = &options.object_stores {
                return super::stored::entries(client, stores, &place, path, options).await;
            }
        }
        let named = |path: Option<&str>| match path {
            Some(path) => Ok(path.to_owned()),
            None => default_name(address),
        };
        match scheme {
            Scheme::Artifact => return Ok(vec![artifact(address, &named(path)?, options).await?]),
            Scheme::ClientArtifact => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "references to versions that are not logged are made when both are logged",
                ));
            }
            Scheme::Other if path.is_none() => {
                return Err(Error::invalid_input(
                    "an address of an unknown scheme needs a path",
                ));
            }
            _ => {}
        }
        if scheme == Scheme::Other || !options.checksum {
            return Ok(vec![ManifestEntry::reference(named(path)?, address, address)]);
        }
        match scheme {
            Scheme::Http | Scheme::Azure => Ok(vec![http(client, address, &named(path)?).await?]),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "objects of that store cannot be looked at here: nobody said how to get at it",
            )
            .with_hint("build with the feature of the store and give its settings, or add the reference without a checksum")),
        }
    }
}

async fn http(client: &Client, address: &str, path: &str) -> Result<ManifestEntry> {
    // The answer's head is enough: dropping the body ends the transfer.
    let target = Address::signed(SafeUrl::new(address));
    let answer = client.fetch(&fetch_of(&target, path)).await?;
    let text = |headers: &HeaderMap, name| {
        let value = headers.get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let tag = text(&answer.headers, ETAG);
    let digest = tag.as_deref().map_or(address, unquoted);
    let size = text(&answer.headers, CONTENT_LENGTH)
        .and_then(|length| length.parse().ok())
        .or(answer.body.size());
    let mut entry = ManifestEntry::reference(path, address, digest);
    if let Some(size) = size {
        entry = entry.with_size(size);
    }
    if let Some(tag) = tag {
        let mut extra = Map::new();
        extra.insert("etag", Value::from(tag));
        entry = entry.with_extra(extra);
    }
    Ok(entry)
}

async fn artifact(address: &str, path: &str, options: &ReferenceOptions) -> Result<ManifestEntry> {
    let reference: ArtifactReference = address
        .parse()
        .map_err(|error| Error::invalid_input("this names no entry of an artifact").with_source(error))?;
    let resolver = options.resolver.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            "references to other artifacts cannot be made here: there is nobody to resolve them",
        )
    })?;
    let found = resolver.resolve(reference.artifact_id()).await?;
    let entry = found.manifest.get(reference.path()).ok_or_else(|| {
        Error::not_found(format!(
            "entry {:?} of artifact {}",
            reference.path(),
            reference.artifact_id()
        ))
    })?;
    Ok(ManifestEntry::reference(path, address, entry.digest().to_string()).with_size(0))
}

async fn local(address: &str, path: Option<&str>, options: &ReferenceOptions) -> Result<Vec<ManifestEntry>> {
    let local = path_of_file_url(address)
        .ok_or_else(|| Error::invalid_input(format!("{address:?} is no file of this machine")))?;
    let (address, path) = (address.to_owned(), path.map(str::to_owned));
    let (checksum, most) = (options.checksum, options.max_objects);
    blocking(move || {
        let metadata = std::fs::metadata(&local).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!("file {local:?}")),
            _ => Error::io(format!("look at {local:?}"), error),
        })?;
        if !metadata.is_dir() {
            // To open a pipe is to wait for its writer.
            if !metadata.is_file() {
                return Err(Error::invalid_input(format!("{local:?} is not a file")));
            }
            let path = match path {
                Some(path) => path,
                None => name_of(&local)?,
            };
            return Ok(vec![file_entry(path, address, &local, checksum)?]);
        }
        let files = walk(&local, most)?;
        let base = address.trim_end_matches('/');
        let mut entries = parallel::map(
            files.len(),
            parallel::processors(),
            || (),
            |(), place| {
                let file = &files[place];
                Some(file_entry(
                    joined(path.as_deref(), &file.name),
                    format!("{base}/{}", file.name),
                    &file.path,
                    checksum,
                ))
            },
        );
        entries.sort_unstable_by_key(|(place, _)| *place);
        entries.into_iter().map(|(_, entry)| entry).collect()
    })
    .await
}

fn file_entry(path: String, address: String, local: &PathBuf, checksum: bool) -> Result<ManifestEntry> {
    let failed = |error| Error::io(format!("read {local:?}"), error);
    let file = open_ordinary(local).map_err(failed)?;
    let (digest, size) = if checksum {
        hash_reader(Algorithm::Md5, file).map_err(failed)?
    } else {
        // Official: the hash of the address, by which such a reference is known.
        (
            Algorithm::Md5.hash(address.as_bytes()),
            file.metadata().map_err(failed)?.len(),
        )
    };
    Ok(ManifestEntry::reference(path, address, digest.to_string()).with_size(size))
}

/// The last segment of an address (official: `os.path.basename`), without a query, which may be a signature.
fn default_name(address: &str) -> Result<String> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let (_, rest) = path.split_once("://").unwrap_or(("", path));
    match rest.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Error::invalid_input(
            "the address has no name at its end: give a path",
        )),
    }
}
