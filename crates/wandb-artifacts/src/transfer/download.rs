//! A whole artifact version, downloaded.

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use wandb_core::{Result, client::Client};
use wandb_storage::{Directory, Existing, Placement};

use super::{
    DownloadOptions, DownloadedArtifact, TrackedReference, UrlSource,
    blocking::blocking,
    cached,
    checkout::is_at_or_below,
    engine::{Engine, Job, lock, memory},
    gate::Gate,
    names,
    present::VerifiedFacts,
    publisher::{Publisher, Ready, Work},
    report::Failures,
    resolved::{ResolvedVersions, reference_of},
    survey::{Survey, survey, sweep},
    urls::UrlBook,
};
use crate::{
    cache::{Cache, CacheGuard},
    manifest::{Manifest, ManifestEntry},
    plan::{DownloadPlan, Location, PlanSummary, RequestSizes},
};

/// A download of an artifact version.
///
/// 1. The paths in scope are checked; one that is hostile, or that the [policy](DownloadOptions::names) does not take, ends it
///    before anything is written.
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
    pub(super) manifest: Arc<Manifest>,
    urls: Arc<dyn UrlSource>,
    pub(super) options: DownloadOptions,
    /// Paths that a plan takes for removed, with everything below them.
    cleared: Arc<BTreeSet<String>>,
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

impl Facts {
    fn read(
        manifest: &Manifest,
        indexes: impl IntoIterator<Item = usize>,
        directory: Directory,
        records: Option<Directory>,
    ) -> Result<Self> {
        let folder = folder_of(directory.path());
        let mut verified = records
            .as_ref()
            .map(|records| VerifiedFacts::load(records, &folder))
            .unwrap_or_default();
        let survey = survey(manifest, indexes, &directory, &mut verified)?;
        Ok(Self {
            directory,
            records,
            verified,
            survey,
        })
    }
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
            cleared: Arc::default(),
        }
    }

    /// The same, planned as if these paths and everything below them were gone.
    pub(super) fn with_cleared(mut self, paths: BTreeSet<String>) -> Self {
        self.cleared = Arc::new(paths);
        self
    }

    /// The entries in scope.
    #[must_use]
    pub fn entries(&self) -> &[ManifestEntry] {
        &self.manifest.entries()[self.scope()]
    }

    pub(crate) fn manifest_and_root(&self) -> (Arc<Manifest>, std::path::PathBuf) {
        (Arc::clone(&self.manifest), self.options.root.clone())
    }

    pub(super) fn scope(&self) -> std::ops::Range<usize> {
        let prefix = self.options.prefix.as_str();
        let start = self
            .manifest
            .entries()
            .partition_point(|entry| entry.path() < prefix);
        start..start + self.manifest.with_prefix(prefix).len()
    }

    /// Looks at the disk and tells what would be done. Sends and writes nothing; so whether the disk takes two names for one is
    /// not tried.
    ///
    /// # Errors
    /// As [`run`](Self::run), as far as it gets.
    pub async fn plan(&self) -> Result<PlanSummary> {
        let needed = self.needed().await?;
        let (manifest, options, scope) = (Arc::clone(&self.manifest), self.options.clone(), self.scope());
        let sizes = RequestSizes {
            addresses: self.urls.batch_size(),
            range_from: options.large_file,
            range: options.piece,
        };
        blocking(move || {
            let entries = manifest.entries();
            let found = match cached::usable(&options) {
                Some(cache) => cached::look_up(cache, needed.iter().map(|&index| &entries[index])),
                None => vec![None; needed.len()],
            };
            let plan = DownloadPlan::make(&entries[scope], |entry| match place(&manifest, &needed, entry) {
                None => Location::Target,
                Some(place) if found[place].is_some() => Location::Cache,
                Some(_) => Location::Server,
            });
            Ok(plan.summary(&sizes))
        })
        .await
    }

    async fn facts(&self) -> Result<Facts> {
        let (manifest, options, scope) = (Arc::clone(&self.manifest), self.options.clone(), self.scope());
        blocking(move || {
            names::admit_on_disk(&manifest, &options)?;
            let directory = Directory::create(&options.root)?;
            let records = cached::records(&options)?;
            Facts::read(&manifest, scope, directory, records)
        })
        .await
    }

    /// What a download would have to get. Writes nothing.
    async fn needed(&self) -> Result<Vec<usize>> {
        let (manifest, options, scope) = (Arc::clone(&self.manifest), self.options.clone(), self.scope());
        let cleared = Arc::clone(&self.cleared);
        blocking(move || {
            names::admit(&manifest, &options)?;
            let Some(directory) = existing(&options.root)? else {
                return Ok(scope.collect());
            };
            let records = cached::existing_records(&options);
            if cleared.is_empty() {
                return Ok(Facts::read(&manifest, scope, directory, records)?.survey.needed);
            }
            let entries = manifest.entries();
            let is_cleared =
                |index: &usize| is_at_or_below(entries[*index].path(), |path| cleared.contains(path));
            let (mut needed, rest): (Vec<usize>, Vec<usize>) = scope.partition(is_cleared);
            needed.extend(Facts::read(&manifest, rest, directory, records)?.survey.needed);
            needed.sort_unstable();
            Ok(needed)
        })
        .await
    }

    /// Downloads.
    ///
    /// # Errors
    /// - [`Protocol`](wandb_core::ErrorKind::Protocol) for paths that lead elsewhere or are files and directories at once;
    ///   nothing is written then;
    /// - [`Conflict`](wandb_core::ErrorKind::Conflict) for names that the [policy](DownloadOptions::names) does not take, and
    ///   for those that the disk takes for one; nothing is written then;
    /// - [`Integrity`](wandb_core::ErrorKind::Integrity) when bytes are not the promised ones;
    /// - [`NotFound`](wandb_core::ErrorKind::NotFound) when an object is gone;
    /// - [`Incomplete`](wandb_core::ErrorKind::Incomplete) when an entry is not accounted for at the end;
    /// - [`Io`](wandb_core::ErrorKind::Io) when the disk fails; else as any request. All files that failed are named.
    pub async fn run(self) -> Result<DownloadedArtifact> {
        let scope = self.scope();
        let count = scope.len();
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
        let work = |facts| Work {
            manifest: Arc::clone(&self.manifest),
            directory: directory.clone(),
            options: self.options.clone(),
            facts,
            failures: Arc::clone(&failures),
            failed: Arc::clone(&failed),
            is_cancelled: Arc::clone(&is_cancelled),
        };
        let in_use = self.use_cache().await?;
        let publisher = Publisher::start(work(verified));
        let wanted = match in_use {
            Some(_) => self.place_cached(needed, &directory, &publisher).await?,
            None => needed,
        };
        let (wanted, repeated) = self.without_repeated(wanted);
        // A manifest can say any sizes.
        let sizes = wanted
            .iter()
            .filter_map(|&index| self.manifest.entries()[index].size());
        let bytes = sizes.fold(0, u64::saturating_add);
        self.options.progress.total(wanted.len() as u64, bytes);

        let (jobs, of_server) = self.jobs(&wanted);
        let engine = Arc::new(Engine {
            book: Arc::new(UrlBook::new(
                Arc::clone(&self.urls),
                Arc::clone(&self.manifest),
                of_server,
            )),
            gate: Gate::new(self.options.connections, self.options.most_connections),
            client: self.client.clone(),
            manifest: Arc::clone(&self.manifest),
            directory: directory.clone(),
            memory: memory(),
            transferred: AtomicU64::new(0),
            tracked: Mutex::default(),
            missing: Mutex::default(),
            failures: Arc::clone(&failures),
            failed: Arc::clone(&failed),
            is_cancelled: Arc::clone(&is_cancelled),
            resolved: ResolvedVersions::new(&self.manifest),
            options: self.options.clone(),
        });
        engine.run(jobs, &publisher).await;
        let (mut counts, mut facts) = publisher.finish().await?;
        if !repeated.is_empty() && lock(&failures).is_empty() {
            let (copied, known) = self.copy_repeated(repeated, work(facts)).await?;
            counts.copied = copied.copied;
            counts.bytes += copied.bytes;
            facts = known;
        }
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
        drop(in_use);
        self.keep_budget().await;
        guard.is_armed = false;
        if let Some(error) = std::mem::take(&mut *lock(&failures)).into_error("download") {
            return Err(error);
        }
        let mut tracked = std::mem::take(&mut *lock(&engine.tracked));
        let mut missing_references = std::mem::take(&mut *lock(&engine.missing));
        tracked.sort();
        missing_references.sort();
        let without_file: HashSet<&str> = tracked
            .iter()
            .chain(&missing_references)
            .map(|reference| reference.path.as_str())
            .collect();
        let unchecked = self.manifest.entries()[scope]
            .iter()
            .filter(|entry| entry.is_unchecked_reference() && !without_file.contains(entry.path()))
            .map(TrackedReference::of)
            .collect();
        let downloaded = DownloadedArtifact {
            root: self.options.root,
            present: survey.present,
            cached: counts.cached,
            fetched: counts.fetched,
            copied: counts.copied,
            transferred: engine.transferred.load(Ordering::Relaxed),
            bytes: survey.present_bytes + counts.bytes,
            tracked,
            missing_references,
            unchecked,
        };
        downloaded.check(count)?;
        Ok(downloaded)
    }

    /// Keeps what is in the cache from being removed while the download runs. `None` where nothing is to be taken from it.
    async fn use_cache(&self) -> Result<Option<CacheGuard>> {
        let options = self.options.clone();
        blocking(move || {
            let Some(cache) = cached::usable(&options) else {
                return Ok(None);
            };
            Ok(cache
                .guard()
                .inspect_err(|error| tracing::debug!(%error, "the cache could not be used"))
                .ok())
        })
        .await
    }

    /// Makes room in a cache that has become too large. That it cannot be done costs space, and is no failure of the download.
    async fn keep_budget(&self) {
        let options = self.options.clone();
        let kept = blocking(move || Ok(cached::usable(&options).map(Cache::keep_budget).transpose()?)).await;
        match kept.map(Option::flatten) {
            Ok(None) => {}
            Ok(Some(collected)) => tracing::debug!(?collected, "room was made in the cache"),
            Err(error) => tracing::debug!(%error, "no room could be made in the cache"),
        }
    }

    /// Places what the cache has; gives what it has not.
    async fn place_cached(
        &self,
        needed: Vec<usize>,
        directory: &Directory,
        publisher: &Publisher,
    ) -> Result<Vec<usize>> {
        let (manifest, options) = (Arc::clone(&self.manifest), self.options.clone());
        let (directory, ready) = (directory.clone(), publisher.sender());
        blocking(move || {
            let Some(cache) = cached::usable(&options) else {
                return Ok(needed);
            };
            let mut found = cached::look_up(cache, needed.iter().map(|&index| &manifest.entries()[index]));
            if options.placement == Placement::HardLink
                && let Err(error) = cache.make_durable(found.iter().flatten())
            {
                tracing::debug!(%error, "the cache could not be used");
                found.fill(None);
            }
            let mut rest = Vec::new();
            for (index, mut found) in needed.into_iter().zip(found) {
                let name = manifest.entries()[index].relative_path()?;
                let placed = match &found {
                    Some(object) => {
                        cache.place(object, &directory, &name, Existing::Replace, options.placement)?
                    }
                    None => None,
                };
                match placed {
                    Some(file) => ready
                        .send(Ready::cached(index, file, found.take()))
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
        let mut jobs: Vec<Job> = wanted
            .iter()
            .map(|&index| {
                let place = (!self.manifest.entries()[index].is_reference()).then(|| {
                    of_server.push(index);
                    of_server.len() - 1
                });
                Job { index, place }
            })
            .collect();
        // References to one version together, so that it need not be kept for long.
        jobs.sort_by_cached_key(|job| {
            let reference = reference_of(&self.manifest, job.index)?;
            Some(reference.artifact_id().to_owned())
        });
        (jobs, of_server)
    }
}

/// A directory, if it is there.
pub(super) fn existing(root: &Path) -> Result<Option<Directory>> {
    match root.try_exists() {
        Ok(false) => Ok(None),
        // Whatever else is wrong is told by opening it.
        _ => Ok(Some(Directory::existing(root)?)),
    }
}

/// Where an entry is among sorted indexes.
pub(super) fn place(manifest: &Manifest, indexes: &[usize], entry: &ManifestEntry) -> Option<usize> {
    indexes
        .binary_search_by(|&index| manifest.entries()[index].path().cmp(entry.path()))
        .ok()
}

/// The folder under the one name that all calls use.
fn folder_of(root: &Path) -> std::path::PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}
