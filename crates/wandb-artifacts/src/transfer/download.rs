//! A whole artifact version, downloaded.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use wandb_core::{Result, client::Client};
use wandb_storage::{Directory, Existing};

use super::{
    DownloadOptions, Downloaded, UrlSource,
    blocking::blocking,
    cached,
    engine::{Engine, Job, lock, memory},
    gate::Gate,
    present::VerifiedFacts,
    publisher::{Publisher, Ready, Work},
    report::Failures,
    survey::{Survey, survey, sweep},
    urls::UrlBook,
};
use crate::manifest::{Manifest, ManifestEntry};

/// A download of an artifact version.
///
/// 1. The paths of the whole manifest are checked; one that is hostile ends it before anything is written.
/// 2. What is there is compared: by the record of an earlier verification if size, times and inode are the same, else by
///    reading. Parts of killed downloads are taken over or removed.
/// 3. What the cache has, proven, comes from there.
/// 4. The rest is fetched. Addresses are asked for in batches, and only for what is missing.
///
/// A file appears under its final name only after size and digest match. See
/// [`publish_many`](wandb_storage::publish_many) for what is durable when. Wrong bytes are fetched once more from zero; when
/// they are wrong again, the download ends with an [`Integrity`](wandb_core::ErrorKind::Integrity) error that names the file,
/// the promise and what came. Files that are complete by then stay; the next call goes on with them.
///
/// Dropping the future cancels.
#[derive(Debug, Clone)]
#[must_use]
pub struct Download {
    client: Client,
    manifest: Arc<Manifest>,
    urls: Arc<dyn UrlSource>,
    options: DownloadOptions,
}

/// What a download would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadSummary {
    /// Files that are there and verified, and their bytes.
    pub present: (u64, u64),
    /// Files that the cache has, and their bytes.
    pub cached: (u64, u64),
    /// Files that would be fetched, and their bytes as far as they are known.
    pub fetched: (u64, u64),
}

/// Sets the flag when it is dropped before its time.
struct CancelOnDrop {
    flag: Arc<AtomicBool>,
    is_armed: bool,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if self.is_armed {
            self.flag.store(true, Ordering::Relaxed);
        }
    }
}

/// What the disk says.
struct Facts {
    directory: Directory,
    records: Option<Directory>,
    verified: VerifiedFacts,
    survey: Survey,
}

impl Download {
    /// A download of the version that the manifest describes, from where `urls` says.
    pub fn new(
        client: Client,
        manifest: Arc<Manifest>,
        urls: Arc<dyn UrlSource>,
        options: DownloadOptions,
    ) -> Self {
        Self {
            client,
            manifest,
            urls,
            options,
        }
    }

    /// The entries in scope.
    #[must_use]
    pub fn entries(&self) -> &[ManifestEntry] {
        &self.manifest.entries()[self.scope()]
    }

    pub(crate) fn manifest_and_root(&self) -> (Arc<Manifest>, std::path::PathBuf) {
        (Arc::clone(&self.manifest), self.options.root.clone())
    }

    fn scope(&self) -> std::ops::Range<usize> {
        let prefix = self.options.prefix.as_str();
        let start = self
            .manifest
            .entries()
            .partition_point(|entry| entry.path() < prefix);
        start..start + self.manifest.with_prefix(prefix).len()
    }

    /// Looks at the disk and tells what would be done. Sends nothing. Makes the directory if it is not there.
    ///
    /// # Errors
    /// As [`run`](Self::run), as far as it gets.
    pub async fn plan(&self) -> Result<DownloadSummary> {
        let facts = self.facts().await?;
        let present = (facts.survey.present, facts.survey.present_bytes);
        let (mut cached, mut fetched) = ((0, 0), (0, 0));
        for &index in &facts.survey.needed {
            let entry = &self.manifest.entries()[index];
            let place = if cached::find(&self.options, entry).is_some() {
                &mut cached
            } else {
                &mut fetched
            };
            place.0 += 1;
            place.1 += entry.size().unwrap_or(0);
        }
        Ok(DownloadSummary {
            present,
            cached,
            fetched,
        })
    }

    async fn facts(&self) -> Result<Facts> {
        let (manifest, options, scope) = (Arc::clone(&self.manifest), self.options.clone(), self.scope());
        blocking(move || {
            // The whole manifest: one that is hostile anywhere is not trusted anywhere.
            manifest.check_paths()?;
            let directory = Directory::create(&options.root)?;
            let records = match &options.records {
                Some(records) => Some(records.clone()),
                None => options.cache.as_ref().map(|cache| cache.records()).transpose()?,
            };
            let folder = folder_of(&options.root);
            let mut verified = records
                .as_ref()
                .map(|records| VerifiedFacts::load(records, &folder))
                .unwrap_or_default();
            let survey = survey(&manifest, scope, &directory, &mut verified)?;
            Ok(Facts {
                directory,
                records,
                verified,
                survey,
            })
        })
        .await
    }

    /// Downloads.
    ///
    /// # Errors
    /// - [`Protocol`](wandb_core::ErrorKind::Protocol) for a manifest with paths that lead elsewhere or clash; nothing
    ///   is written then;
    /// - [`Integrity`](wandb_core::ErrorKind::Integrity) when bytes are not the promised ones;
    /// - [`NotFound`](wandb_core::ErrorKind::NotFound) when an object is gone;
    /// - [`Io`](wandb_core::ErrorKind::Io) when the disk fails; else as any request. All files that failed are named.
    pub async fn run(self) -> Result<Downloaded> {
        let scope = self.scope();
        let Facts {
            directory,
            records,
            verified,
            survey,
        } = self.facts().await?;
        let needed = survey.needed;
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let mut guard = CancelOnDrop {
            flag: Arc::clone(&is_cancelled),
            is_armed: true,
        };
        let needed = {
            let (manifest, directory) = (Arc::clone(&self.manifest), directory.clone());
            let scope = scope.clone();
            blocking(move || {
                sweep(&manifest, scope, &needed, &directory)?;
                Ok(needed)
            })
            .await?
        };
        let failures = Arc::new(Mutex::new(Failures::default()));
        let failed = Arc::new(Notify::new());
        let publisher = Publisher::start(Work {
            manifest: Arc::clone(&self.manifest),
            directory: directory.clone(),
            options: self.options.clone(),
            facts: verified,
            failures: Arc::clone(&failures),
            failed: Arc::clone(&failed),
            is_cancelled: Arc::clone(&is_cancelled),
        });
        let wanted = self.place_cached(needed, &directory, &publisher).await?;
        let sizes = wanted
            .iter()
            .map(|&index| self.manifest.entries()[index].size().unwrap_or(0));
        self.options.progress.total(wanted.len() as u64, sizes.sum());

        let (jobs, of_server) = self.jobs(&wanted);
        let engine = Arc::new(Engine {
            book: Arc::new(UrlBook::new(
                Arc::clone(&self.urls),
                Arc::clone(&self.manifest),
                of_server,
            )),
            gate: Gate::new(self.options.connections, self.options.most_connections),
            client: self.client,
            manifest: Arc::clone(&self.manifest),
            directory,
            memory: memory(),
            transferred: AtomicU64::new(0),
            tracked: Mutex::default(),
            missing: Mutex::default(),
            failures: Arc::clone(&failures),
            failed,
            is_cancelled,
            resolved: tokio::sync::Mutex::default(),
            options: self.options.clone(),
        });
        engine.run(jobs, &publisher).await;
        let (counts, mut facts) = publisher.finish().await?;
        // Entries without a file are not known by one either.
        for reference in lock(&engine.tracked).iter() {
            facts.forget(&reference.path);
        }
        if let Some(records) = records {
            let folder = folder_of(&self.options.root);
            let saved = blocking(move || Ok(facts.save(&records, &folder)?)).await;
            if let Err(error) = saved {
                tracing::debug!(%error, "what was verified could not be recorded");
            }
        }
        guard.is_armed = false;
        if let Some(error) = std::mem::take(&mut *lock(&failures)).into_error("download") {
            return Err(error);
        }
        let mut tracked = std::mem::take(&mut *lock(&engine.tracked));
        let mut missing_references = std::mem::take(&mut *lock(&engine.missing));
        tracked.sort();
        missing_references.sort();
        Ok(Downloaded {
            root: self.options.root,
            present: survey.present,
            cached: counts.cached,
            fetched: counts.fetched,
            transferred: engine.transferred.load(Ordering::Relaxed),
            bytes: survey.present_bytes + counts.bytes,
            tracked,
            missing_references,
        })
    }

    /// Places what the cache has; gives what it has not.
    async fn place_cached(
        &self,
        needed: Vec<usize>,
        directory: &Directory,
        publisher: &Publisher,
    ) -> Result<Vec<usize>> {
        if self.options.cache.is_none() || self.options.skip_cache {
            return Ok(needed);
        }
        let (manifest, options) = (Arc::clone(&self.manifest), self.options.clone());
        let (directory, ready) = (directory.clone(), publisher.sender());
        blocking(move || {
            let mut rest = Vec::new();
            for index in needed {
                let entry = &manifest.entries()[index];
                let placed = match cached::find(&options, entry) {
                    Some(found) => directory.place_from(
                        &entry.relative_path()?,
                        Existing::Replace,
                        (&found.directory, &found.name),
                        (&found.stat, &found.facts),
                        options.placement,
                    )?,
                    None => None,
                };
                match placed {
                    Some(file) => ready
                        .send(Ready::cached(index, file))
                        .map_err(|_| super::blocking::cancelled())?,
                    None => rest.push(index),
                }
            }
            Ok(rest)
        })
        .await
    }

    /// The files of this artifact get a place in the book of addresses; references do not.
    fn jobs(&self, wanted: &[usize]) -> (Vec<Job>, Vec<usize>) {
        let mut of_server = Vec::new();
        let jobs = wanted
            .iter()
            .map(|&index| {
                let place = (!self.manifest.entries()[index].is_reference()).then(|| {
                    of_server.push(index);
                    of_server.len() - 1
                });
                Job { index, place }
            })
            .collect();
        (jobs, of_server)
    }
}

/// The folder under the one name that all calls use.
fn folder_of(root: &Path) -> std::path::PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}
