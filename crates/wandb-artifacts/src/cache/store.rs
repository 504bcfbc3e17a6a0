//! The cache itself: look up, insert, place.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Algorithm, Directory, FileFacts, FileStat, Found, StorageError, VerifiedFile};

use crate::parallel;

use super::{
    CacheError, CacheGuard, ObjectKey,
    index::Index,
    record::{Boot, Proof},
};

/// How long a use is not written again, in seconds: to order objects by their last use, hours are fine enough.
const USE_STEP: u64 = 60 * 60;

/// After how long, in nanoseconds, what was written is on the disk although nobody flushed it. Systems do that within seconds
/// to minutes.
const WRITTEN_BACK: i128 = 60 * 60 * 1_000_000_000;

/// Longer than any tick of a file system's clock, in nanoseconds.
pub(super) const TICK: i128 = 50_000_000;

/// The content cache. See the [module](super) for what it promises.
///
/// It may be shared between threads; what was noted is written at [`flush`](Self::flush) and when it is dropped.
#[derive(Debug)]
pub struct Cache {
    pub(super) root: Directory,
    pub(super) objects: Directory,
    pub(super) records: Directory,
    index: Mutex<Index>,
    /// Files that are to become objects with the next flush.
    pub(super) waiting: Mutex<Vec<(ObjectKey, VerifiedFile)>>,
    threads: NonZeroUsize,
    pub(super) budget: Option<u64>,
}

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The object.
    pub key: ObjectKey,
    /// Its size in bytes, if it is known.
    pub size: Option<u64>,
}

/// An object whose bytes were verified and have not changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedObject {
    pub(super) key: ObjectKey,
    pub(super) path: RelativePath,
    pub(super) stat: FileStat,
    pub(super) facts: FileFacts,
    /// Whether its bytes are on the disk, as far as is known.
    pub(super) is_durable: bool,
}

impl CachedObject {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// Its size, and the digest of its bytes.
    #[must_use]
    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }

    /// By what it is known to be unchanged.
    #[must_use]
    pub fn stat(&self) -> &FileStat {
        &self.stat
    }
}

impl Cache {
    /// Opens the cache below the official client's cache directory, `$WANDB_CACHE_DIR` or the platform's, and makes what is
    /// not there.
    ///
    /// # Errors
    /// When a folder cannot be made or the index cannot be read.
    pub fn open(cache_directory: impl AsRef<Path>) -> Result<Self, CacheError> {
        let name = |text| safe_relative_path(text).expect("a plain name is safe");
        let root = Directory::create(cache_directory.as_ref().join("artifacts"))?;
        let objects = root.subdirectory(&name("obj"))?;
        let records = root.subdirectory(&name("wb"))?;
        let mut index = Index::new(records.clone(), objects.clone());
        index.refresh()?;
        Ok(Self {
            root,
            objects,
            records,
            index: Mutex::new(index),
            waiting: Mutex::default(),
            threads: parallel::processors(),
            budget: None,
        })
    }

    /// How many objects are read at once where they have to be; by default as many as there are processors.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Its folder: `artifacts` below the cache directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// The folder for records of whoever uses the cache, `artifacts/wb`. Those in the folders of a
    /// [`RecordKind`](super::RecordKind) are collected when they are old. The names `index`, `index-lock`, `use-lock` and
    /// `counted` are the cache's own.
    #[must_use]
    pub fn records(&self) -> &Directory {
        &self.records
    }

    /// The folder of the objects, `artifacts/obj`: what is in it is not proven.
    #[must_use]
    pub fn objects(&self) -> &Directory {
        &self.objects
    }

    /// Keeps objects from being removed while the guard lives. Waits while objects are being removed.
    ///
    /// # Errors
    /// When the lock cannot be made.
    pub fn guard(&self) -> Result<CacheGuard, CacheError> {
        CacheGuard::share(&self.records, &Self::use_lock())
    }

    pub(super) fn use_lock() -> RelativePath {
        safe_relative_path("use-lock").expect("a plain name is safe")
    }

    pub(super) fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        // What the index knows is checked against the disk at each use, so half a change does no harm.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks one object up, see [`lookup_many`](Self::lookup_many).
    ///
    /// # Errors
    /// As [`lookup_many`](Self::lookup_many).
    pub fn lookup(&self, key: ObjectKey, size: Option<u64>) -> Result<Option<CachedObject>, CacheError> {
        let found = self.lookup_many(&[Wanted { key, size }])?;
        Ok(found.into_iter().next().flatten())
    }

    /// Looks objects up, and gives in order those that are there, of the right size, and proven.
    ///
    /// An object that is there without a proof, because the official client put it there or it changed since, is read: it
    /// becomes proven, or is removed when its bytes are not those of its digest. Referenced objects have no digest in their
    /// name, so that without a proof they are not given. An object that cannot be read is as good as none.
    ///
    /// # Errors
    /// When the index cannot be read, or an object with wrong bytes cannot be removed.
    pub fn lookup_many(&self, wanted: &[Wanted]) -> Result<Vec<Option<CachedObject>>, CacheError> {
        let mut results = vec![None; wanted.len()];
        let mut unproven = Vec::new();
        let found = parallel::map(
            wanted.len(),
            // Below some hundred, threads cost more than the looks.
            if wanted.len() < 256 {
                NonZeroUsize::MIN
            } else {
                self.threads
            },
            || (),
            |(), place| {
                let path = wanted[place].key.path();
                let found = self.objects.look_at(&path);
                Some((path, found))
            },
        );
        let found: Vec<_> = found
            .into_iter()
            .filter_map(|(place, (path, found))| match found {
                Ok(Found::File(stat)) if wanted[place].size.is_none_or(|size| size == stat.size) => {
                    Some((place, path, stat))
                }
                _ => None,
            })
            .collect();
        let now = now();
        let mut index = self.index();
        let is_proven = |index: &Index, place: usize, stat: &FileStat| {
            index
                .get(&wanted[place].key)
                .is_some_and(|proof| proof.stat == *stat)
        };
        // Another process may have proven what this one does not know.
        if found
            .iter()
            .any(|(place, _, stat)| !is_proven(&index, *place, stat))
        {
            index.refresh()?;
        }
        for (place, path, stat) in found {
            let key = wanted[place].key;
            match index.get(&key).copied() {
                Some(proof) if proof.stat == stat => {
                    if proof.last_use + USE_STEP <= now {
                        let last_use = now;
                        let boot = proof.boot.filter(|_| !is_written_back(&stat));
                        index.note(
                            key,
                            Some(Proof {
                                last_use,
                                boot,
                                ..proof
                            }),
                        );
                    }
                    let facts = FileFacts {
                        size: stat.size,
                        digest: proof.digest,
                    };
                    results[place] = Some(CachedObject {
                        key,
                        path,
                        stat,
                        facts,
                        is_durable: proof.boot.is_none() || is_written_back(&stat),
                    });
                }
                proof => {
                    let digest = key.content().or(proof.map(|proof| proof.digest));
                    unproven.extend(digest.map(|digest| (place, path, digest)));
                }
            }
        }
        drop(index);
        let read = parallel::map(
            unproven.len(),
            self.threads,
            || (),
            |(), at| {
                let (_, path, digest) = &unproven[at];
                Some(read_object(&self.objects, path, digest.algorithm()))
            },
        );
        for (at, read) in read {
            let (place, path, digest) = &unproven[at];
            let key = wanted[*place].key;
            match read {
                Ok(Some((stat, facts))) if facts.digest == *digest => {
                    if is_settled(&stat) {
                        self.note_kept(key, &stat, &facts, now);
                    }
                    results[*place] = Some(CachedObject {
                        key,
                        path: path.clone(),
                        stat,
                        facts,
                        is_durable: is_written_back(&stat),
                    });
                }
                Ok(Some(_)) => self.discard(&key, path)?,
                // It is being written to, or gone, or another user's.
                Ok(None) | Err(_) => {}
            }
        }
        Ok(results)
    }

    /// Removes an object with wrong bytes.
    pub(super) fn discard(&self, key: &ObjectKey, path: &RelativePath) -> Result<(), CacheError> {
        self.objects.remove(path)?;
        self.index().note(*key, None);
        Ok(())
    }

    /// Notes a proof for an object whose bytes are on the disk.
    pub(super) fn note(&self, key: ObjectKey, stat: &FileStat, facts: &FileFacts) {
        self.note_in(None, key, stat, facts, now());
    }

    /// Notes a proof for an object that was read, whoever wrote it: it may have come out of the memory only.
    pub(super) fn note_kept(&self, key: ObjectKey, stat: &FileStat, facts: &FileFacts, last_use: u64) {
        let boot = self.index().boot().filter(|_| !is_written_back(stat));
        self.note_in(boot, key, stat, facts, last_use);
    }

    /// Notes a proof that holds in one run of the machine only, if one is given.
    pub(super) fn note_in(
        &self,
        boot: Option<Boot>,
        key: ObjectKey,
        stat: &FileStat,
        facts: &FileFacts,
        last_use: u64,
    ) {
        let proof = Proof {
            digest: facts.digest,
            stat: *stat,
            last_use,
            read_at: now(),
            boot,
        };
        self.index().note(key, Some(proof));
    }

    /// Publishes what is waiting, and writes what was noted: proofs, uses, removals.
    ///
    /// # Errors
    /// When an object or the index cannot be written. Nothing is lost but time.
    pub fn flush(&self) -> Result<(), CacheError> {
        let published = self.publish_waiting();
        self.index().flush()?;
        published
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // Without the records the objects are read once more.
        let _ = self.flush();
    }
}

/// Reads an object that must not change meanwhile; `None` when it does, or is gone.
pub(super) fn read_object(
    objects: &Directory,
    path: &RelativePath,
    algorithm: Algorithm,
) -> Result<Option<(FileStat, FileFacts)>, StorageError> {
    let Found::File(stat) = objects.look_at(path)? else {
        return Ok(None);
    };
    let Some(facts) = objects.facts(path, algorithm)? else {
        return Ok(None);
    };
    Ok((objects.look_at(path)? == Found::File(stat) && facts.size == stat.size).then_some((stat, facts)))
}

fn is_written_back(stat: &FileStat) -> bool {
    is_older(stat, WRITTEN_BACK)
}

fn is_older(stat: &FileStat, age: i128) -> bool {
    let now = i128::try_from(since_1970().as_nanos()).unwrap_or(i128::MAX);
    stat.changed.max(stat.modified).saturating_add(age) < now
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    since_1970().as_secs()
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whether an object that others may write to changed so long ago that a further change would give it another time. The
/// clock of a file system ticks coarsely, so two changes within a tick look like one.
pub(super) fn is_settled(stat: &FileStat) -> bool {
    is_older(stat, TICK)
}
