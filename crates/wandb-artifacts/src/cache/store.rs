//! The cache itself: look up, insert, place.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{
    Algorithm, Directory, Existing, FileFacts, FileStat, Found, PendingFile, Placement, StorageError,
    VerifiedFile, publish_many,
};

use crate::parallel;

use super::{CacheError, CacheGuard, ObjectKey, index::Index, record::Proof};

/// How long a use is not written again, in seconds: to order objects by their last use, hours are fine enough.
const USE_STEP: u64 = 60 * 60;

/// Longer than any tick of a file system's clock, in nanoseconds.
const TICK: i128 = 50_000_000;

/// The content cache. See the [module](super) for what it promises.
///
/// It may be shared between threads; what was noted is written at [`flush`](Self::flush) and when it is dropped.
#[derive(Debug)]
pub struct Cache {
    pub(super) root: Directory,
    pub(super) objects: Directory,
    pub(super) records: Directory,
    index: Mutex<Index>,
    threads: NonZeroUsize,
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
    key: ObjectKey,
    path: RelativePath,
    stat: FileStat,
    facts: FileFacts,
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
        let mut index = Index::new(records.clone());
        index.refresh()?;
        Ok(Self {
            root,
            objects,
            records,
            index: Mutex::new(index),
            threads: parallel::processors(),
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

    /// The folder for records of whoever uses the cache, `artifacts/wb`. The names `index`, `index-lock` and `use-lock` are
    /// the cache's own.
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
        self.index().refresh()?;
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
        let now = now();
        let mut index = self.index();
        for (place, found) in found {
            let Wanted { key, size } = wanted[place];
            let (path, stat) = match found {
                (path, Ok(Found::File(stat))) if size.is_none_or(|size| size == stat.size) => (path, stat),
                _ => continue,
            };
            match index.get(&key).copied() {
                Some(proof) if proof.stat == stat => {
                    if proof.last_use + USE_STEP <= now {
                        let last_use = now;
                        index.note(key, Some(Proof { last_use, ..proof }));
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
                        self.note(key, &stat, &facts);
                    }
                    results[*place] = Some(CachedObject {
                        key,
                        path: path.clone(),
                        stat,
                        facts,
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

    fn note(&self, key: ObjectKey, stat: &FileStat, facts: &FileFacts) {
        self.note_kept(key, stat, facts, now());
    }

    /// Notes a proof for an object whose last use was at some other time.
    pub(super) fn note_kept(&self, key: ObjectKey, stat: &FileStat, facts: &FileFacts, last_use: u64) {
        let proof = Proof {
            digest: facts.digest,
            stat: *stat,
            last_use,
            read_at: now(),
        };
        self.index().note(key, Some(proof));
    }

    /// Begins to write an object. Once its bytes are [verified](PendingFile::verify), [`publish`](Self::publish) makes it
    /// one.
    ///
    /// # Errors
    /// [`CacheError::Storage`].
    pub fn begin(&self, key: &ObjectKey) -> Result<PendingFile, CacheError> {
        let algorithm = key
            .content()
            .map_or_else(Algorithm::default, |digest| digest.algorithm());
        Ok(self
            .objects
            .begin_one_of_many(&key.path(), Existing::Replace, algorithm)?)
    }

    /// Begins to write an object, or goes on with what a killed process left of it. Of a referenced object nothing is gone on
    /// with: no digest tells whether the pieces belong together.
    ///
    /// # Errors
    /// [`CacheError::Storage`].
    pub fn begin_resumable(&self, key: &ObjectKey) -> Result<PendingFile, CacheError> {
        match key {
            ObjectKey::Content(digest) => {
                Ok(self
                    .objects
                    .begin_resumable(&key.path(), Existing::Replace, digest)?)
            }
            ObjectKey::Etag(_) => self.begin(key),
        }
    }

    /// Begins to take over a file of another directory whose bytes are known, by `proof`, to have the given size and digest.
    /// [`publish`](Self::publish) makes it an object. `None` when the file is no longer what the proof says.
    ///
    /// # Errors
    /// [`CacheError::Storage`].
    pub fn adopt(
        &self,
        key: &ObjectKey,
        source: (&Directory, &RelativePath),
        proof: (&FileStat, &FileFacts),
    ) -> Result<Option<VerifiedFile>, CacheError> {
        // Never by a hard link: the file belongs to the user, who may write into it.
        let placed =
            self.objects
                .place_from(&key.path(), Existing::Replace, source, proof, Placement::Copy)?;
        Ok(placed)
    }

    /// Makes verified files objects: durable, under their names, and proven. One result for each, in order.
    ///
    /// The files are those of [`begin`](Self::begin), [`begin_resumable`](Self::begin_resumable) and [`adopt`](Self::adopt)
    /// for the same keys. A file whose digest is not that of its key is refused.
    pub fn publish(&self, files: Vec<(ObjectKey, VerifiedFile)>) -> Vec<Result<CachedObject, CacheError>> {
        let mut results: Vec<Option<Result<CachedObject, CacheError>>> = Vec::new();
        let mut places = Vec::new();
        let mut publishing = Vec::new();
        for (key, file) in files {
            let is_content = key.content().is_none_or(|digest| digest == file.facts().digest);
            if is_content && *file.name() == key.path() {
                places.push((results.len(), key));
                publishing.push(file);
                results.push(None);
            } else {
                let key = key.to_string();
                results.push(Some(Err(CacheError::WrongObject { key })));
            }
        }
        for ((place, key), published) in places.into_iter().zip(publish_many(publishing)) {
            results[place] = Some(self.published(key, published));
        }
        results.into_iter().flatten().collect()
    }

    fn published(
        &self,
        key: ObjectKey,
        published: Result<wandb_storage::Published, StorageError>,
    ) -> Result<CachedObject, CacheError> {
        let published = published?;
        let path = key.path();
        let stat = match published.stat {
            Some(stat) => stat,
            None => match self.objects.look_at(&path)? {
                Found::File(stat) => stat,
                _ => {
                    let key = key.to_string();
                    return Err(CacheError::WrongObject { key });
                }
            },
        };
        self.note(key, &stat, &published.facts);
        Ok(CachedObject {
            key,
            path,
            stat,
            facts: published.facts,
        })
    }

    /// Begins to place an object into a directory; [`publish_many`] of `wandb-storage` gives it its name. `None` when the
    /// object changed since it was looked up.
    ///
    /// With a hard link whoever writes into the file changes the object, which is noticed at its next use: a link changes the
    /// object's times, so that it is read again.
    ///
    /// # Errors
    /// [`CacheError::Storage`].
    pub fn place(
        &self,
        object: &CachedObject,
        directory: &Directory,
        name: &RelativePath,
        existing: Existing,
        placement: Placement,
    ) -> Result<Option<VerifiedFile>, CacheError> {
        let source = (&self.objects, &object.path);
        let proof = (&object.stat, &object.facts);
        Ok(directory.place_from(name, existing, source, proof, placement)?)
    }

    /// Writes what was noted since: proofs, uses, removals.
    ///
    /// # Errors
    /// When the index cannot be written. Nothing is lost but time.
    pub fn flush(&self) -> Result<(), CacheError> {
        self.index().flush()
    }

    /// Where an object is, for messages.
    #[must_use]
    pub fn path_of(&self, key: &ObjectKey) -> PathBuf {
        self.objects.path_of(&key.path())
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
    let now = i128::try_from(since_1970().as_nanos()).unwrap_or(i128::MAX);
    stat.changed.max(stat.modified) + TICK < now
}
