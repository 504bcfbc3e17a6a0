//! Adding files, directories and bytes.

use std::{io, path::Path};

use bytes::Bytes;
use wandb_core::{Error, Result};
use wandb_storage::open_ordinary;

use super::{
    Draft,
    model::{joined, name_of},
    walk::walk,
};
use crate::{
    digest::{Algorithm, hash_reader},
    manifest::ManifestEntry,
    parallel,
    transfer::{LocalSource, blocking::blocking},
};

/// How something is added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AddOptions {
    overwrite: bool,
    most: usize,
}

impl Default for AddOptions {
    /// Nothing is overwritten; at most 10,000,000 files at a time.
    fn default() -> Self {
        Self {
            overwrite: false,
            most: 10_000_000,
        }
    }
}

impl AddOptions {
    /// Replaces what the draft has under the same path with another content; else that is an error.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// How many files a directory may have at most.
    pub fn most_files(mut self, count: usize) -> Self {
        self.most = count;
        self
    }
}

impl Draft {
    /// Adds a local file under a path; without one, under its own name. It is read once, to be hashed, and must not change
    /// until the version is logged.
    ///
    /// # Errors
    /// [`Io`](wandb_core::ErrorKind::Io) when it cannot be read, [`Conflict`](wandb_core::ErrorKind::Conflict) when the draft
    /// has the path with another content, [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for a path that could not be
    /// downloaded anywhere. One that only some systems can hold is told by [`path_report`](Self::path_report).
    pub async fn add_file(
        &mut self,
        local: impl AsRef<Path>,
        path: Option<&str>,
        options: &AddOptions,
    ) -> Result<&ManifestEntry> {
        let local = local.as_ref().to_owned();
        let path = match path {
            Some(path) => path.trim_start_matches("./").to_owned(),
            None => name_of(&local)?,
        };
        let algorithm = self.algorithm();
        let (entry, source) = blocking(move || hashed(algorithm, path, &local)).await?;
        let path = entry.path().to_owned();
        self.put(entry, Some(source), options.overwrite)?;
        self.get(&path)
            .ok_or_else(|| Error::not_found(format!("entry {path:?}")))
    }

    /// Adds every file below a local directory, below `prefix` if one is given. Gives how many. Symbolic links are followed.
    /// Files are hashed in parallel. Either all are added or none.
    ///
    /// # Errors
    /// As [`add_file`](Self::add_file); also when a symbolic link leads in a circle, when something is neither a file nor a
    /// directory, and when there are more files than allowed.
    pub async fn add_directory(
        &mut self,
        local: impl AsRef<Path>,
        prefix: Option<&str>,
        options: &AddOptions,
    ) -> Result<usize> {
        let (local, most, algorithm) = (local.as_ref().to_owned(), options.most, self.algorithm());
        let prefix = prefix.map(str::to_owned);
        let added = blocking(move || {
            let files = walk(&local, most)?;
            let mut results = parallel::map(
                files.len(),
                parallel::processors(),
                || (),
                |(), place| {
                    let file = &files[place];
                    Some(hashed(
                        algorithm,
                        joined(prefix.as_deref(), &file.name),
                        &file.path,
                    ))
                },
            );
            results.sort_unstable_by_key(|(place, _)| *place);
            results
                .into_iter()
                .map(|(_, result)| result)
                .collect::<Result<Vec<_>>>()
        })
        .await?;
        for (entry, _) in &added {
            self.check(entry, options.overwrite)?;
        }
        let count = added.len();
        for (entry, source) in added {
            self.put(entry, Some(source), options.overwrite)?;
        }
        Ok(count)
    }

    /// Adds bytes from memory.
    ///
    /// # Errors
    /// As [`add_file`](Self::add_file), but for reading.
    pub fn add_bytes(
        &mut self,
        path: impl Into<String>,
        bytes: impl Into<Bytes>,
        options: &AddOptions,
    ) -> Result<&ManifestEntry> {
        let (path, bytes) = (path.into(), bytes.into());
        let digest = self.algorithm().hash(&bytes);
        let entry = ManifestEntry::file(path.as_str(), digest, bytes.len() as u64);
        self.put(entry, Some(LocalSource::Bytes(bytes)), options.overwrite)?;
        self.get(&path)
            .ok_or_else(|| Error::not_found(format!("entry {path:?}")))
    }
}

/// Hashes a file.
fn hashed(algorithm: Algorithm, path: String, local: &Path) -> Result<(ManifestEntry, LocalSource)> {
    // Whatever directory the program is in when it is uploaded.
    let local = std::path::absolute(local).map_err(|error| Error::io(format!("find {local:?}"), error))?;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidInput => Error::invalid_input(format!("{local:?} is not a file")),
        _ => Error::io(format!("read {local:?}"), error),
    };
    let file = open_ordinary(&local).map_err(failed)?;
    let (digest, size) = hash_reader(algorithm, file).map_err(failed)?;
    Ok((ManifestEntry::file(path, digest, size), LocalSource::File(local)))
}
