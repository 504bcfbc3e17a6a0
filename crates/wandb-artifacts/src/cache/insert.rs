//! Into the cache, and out of it.

use std::{path::PathBuf, sync::PoisonError};

use wandb_core::path::RelativePath;
use wandb_storage::{
    Algorithm, Directory, Existing, FileFacts, FileStat, Found, PendingFile, Placement, StorageError,
    VerifiedFile, publish_many,
};

use super::{
    Cache, CacheError, CachedObject, ObjectKey,
    record::Proof,
    store::{TICK, now},
};

/// How many files wait for each other at most; each of them is open.
const BATCH: usize = 128;

impl Cache {
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
    /// By a hard link only where the user asked for it: whoever writes into the file then writes into the object, which is
    /// noticed at its next use.
    ///
    /// # Errors
    /// [`CacheError::Storage`].
    pub fn adopt(
        &self,
        key: &ObjectKey,
        source: (&Directory, &RelativePath),
        proof: (&FileStat, &FileFacts),
        placement: Placement,
    ) -> Result<Option<VerifiedFile>, CacheError> {
        Ok(self
            .objects
            .place_from(&key.path(), Existing::Replace, source, proof, placement)?)
    }

    /// Takes over a file as [`adopt`](Self::adopt) does, without waiting for the disk: the proof of a copy holds until the
    /// machine is started anew. Where the system does not tell that, and for referenced objects, copies wait for each other,
    /// or for [`flush`](Self::flush), so that many small files do not pay a flush of the disk each. The bytes of the file
    /// must be durable. A hard link gives the times that the file has from then on.
    ///
    /// # Errors
    /// [`CacheError`], also of files that waited; the cache is then without them, and nothing else is wrong.
    pub fn store(
        &self,
        key: ObjectKey,
        source: (&Directory, &RelativePath),
        proof: (&FileStat, &FileFacts),
        placement: Placement,
    ) -> Result<Option<FileStat>, CacheError> {
        let Some(file) = self.adopt(&key, source, proof, placement)? else {
            return Ok(None);
        };
        let boot = self.index().boot();
        if file.is_link() || (boot.is_some() && key.content().is_some()) {
            let is_link = file.is_link();
            check(&key, &file)?;
            let published = file.publish_unflushed()?;
            let Some(stat) = published.stat else {
                return Ok(None);
            };
            let boot = boot.filter(|_| !is_link);
            self.note_in(boot, key, &stat, &published.facts, now());
            return Ok(is_link.then_some(stat));
        }
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((key, file));
            waiting.len()
        };
        if waiting >= BATCH {
            self.publish_waiting()?;
        }
        Ok(None)
    }

    pub(super) fn publish_waiting(&self) -> Result<(), CacheError> {
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        self.publish(waiting)
            .into_iter()
            .find_map(Result::err)
            .map_or(Ok(()), Err)
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
            match check(&key, &file) {
                Ok(()) => {
                    places.push((results.len(), key));
                    publishing.push(file);
                    results.push(None);
                }
                Err(error) => results.push(Some(Err(error))),
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
            is_durable: true,
        })
    }

    /// Begins to place an object into a directory; [`publish_many`] of `wandb-storage` gives it its name. `None` when the
    /// object changed since it was looked up.
    ///
    /// With a hard link whoever writes into the file changes the object, which is noticed at its next use by its modification
    /// time. A link changes the object's `ctime`, which is part of its proof. The proof is carried over to the new `ctime`, so
    /// that objects are not read again for each link: it held until immediately before, and size, inode and modification time
    /// are the same after. Only a program that changes the bytes *and* puts the modification time back within the same moment
    /// is not noticed; at any other time its `ctime` gives it away.
    ///
    /// The bytes of a link must be [durable](Self::make_durable).
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
        // It may have been linked since it was looked up, under another name of the same artifact.
        let stat = match self.index().get(&object.key) {
            Some(proof) if object.stat.is_same_but_changed(&proof.stat) => proof.stat,
            _ => object.stat,
        };
        let proof = (&stat, &object.facts);
        let placed = directory.place_from(name, existing, source, proof, placement)?;
        if let Some(linked) = placed.as_ref().and_then(VerifiedFile::linked_stat) {
            self.carry_over(object.key, &stat, linked);
        }
        Ok(placed)
    }

    /// Notes that an object was linked by [`place`](Self::place) and is as `linked` says now. For links that replaced a file:
    /// they have their final facts only when they are published.
    pub fn note_linked(&self, object: &CachedObject, linked: &FileStat) {
        let known = self.index().get(&object.key).map(|proof| proof.stat);
        if let Some(known) = known {
            self.carry_over(object.key, &known, linked);
        }
    }

    fn carry_over(&self, key: ObjectKey, before: &FileStat, linked: &FileStat) {
        // Within a tick of the clock a change of the bytes would have the same modification time.
        let is_settled = before.modified.saturating_add(2 * TICK) < linked.changed;
        let mut index = self.index();
        if let Some(proof) = index.get(&key).copied()
            && proof.stat == *before
            && is_settled
            && before.is_same_but_changed(linked)
        {
            let stat = *linked;
            index.note(key, Some(Proof { stat, ..proof }));
        }
    }

    /// Makes the bytes of objects durable that were stored without waiting for the disk: hard links to them are as durable as
    /// they are.
    ///
    /// # Errors
    /// [`CacheError::Storage`].
    pub fn make_durable<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a CachedObject>,
    ) -> Result<(), CacheError> {
        let objects: Vec<_> = objects.into_iter().filter(|object| !object.is_durable).collect();
        let names: Vec<_> = objects.iter().map(|object| &object.path).collect();
        self.objects.flush_files(&names)?;
        let mut index = self.index();
        for object in objects {
            if let Some(proof) = index.get(&object.key).copied()
                && proof.stat == object.stat
            {
                index.note(object.key, Some(Proof { boot: None, ..proof }));
            }
        }
        Ok(())
    }

    /// Where an object is, for messages.
    #[must_use]
    pub fn path_of(&self, key: &ObjectKey) -> PathBuf {
        self.objects.path_of(&key.path())
    }
}

/// A file whose digest is not that of its key is no object.
fn check(key: &ObjectKey, file: &VerifiedFile) -> Result<(), CacheError> {
    let is_content = key.content().is_none_or(|digest| digest == file.facts().digest);
    if is_content && *file.name() == key.path() {
        return Ok(());
    }
    let key = key.to_string();
    Err(CacheError::WrongObject { key })
}
