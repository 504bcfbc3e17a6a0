//! What is in the cache.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Directory, EntryKind, FileStat, Found, Walked};

use crate::parallel;

use super::{
    Cache, CacheError, ObjectKey, RecordFile, RecordKind,
    own_records::is_orphan,
    record::Proof,
    store::{is_settled, read_object},
};

/// Files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How many files.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// What the cache takes on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// Objects named by an MD5.
    pub md5: Count,
    /// Objects named by an XXH128.
    pub xxh128: Count,
    /// Referenced objects, named by address and `ETag`.
    pub etag: Count,
    /// Of all objects, those with a proof that still holds.
    pub proven: Count,
    /// Leftovers: parts of objects and of records that are being written or were abandoned, and files in `artifacts/tmp`.
    pub temporary: Count,
    /// What else lies among the objects.
    pub other: Count,
    /// Our own records: the index, locks, and the kinds below.
    pub records: Count,
    /// Of our records, manifests.
    pub manifests: Count,
    /// Of our records, what was said of versions.
    pub versions: Count,
    /// Of our records, those of verified folders.
    pub verified_folders: Count,
    /// Of our records, those of uploads that are not finished.
    pub uploads: Count,
}

impl Usage {
    /// What the size limit of a collection is compared with: objects, leftovers and strangers.
    #[must_use]
    pub fn total(&self) -> Count {
        let counts = [self.md5, self.xxh128, self.etag, self.temporary, self.other];
        counts.into_iter().fold(Count::default(), |total, count| Count {
            files: total.files + count.files,
            bytes: total.bytes.saturating_add(count.bytes),
        })
    }
}

impl Count {
    pub(super) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// One object of the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedObject {
    /// Its key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it was verified and has not changed since.
    pub proven: bool,
    /// When it was last used, in seconds since 1970: by this client as noted, by others as the file system noted.
    pub last_use: u64,
}

/// A leftover: a part of an object or of a record, or a file in `artifacts/tmp`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TemporaryFile {
    /// Its path below `artifacts`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written to or read, in seconds since 1970.
    pub last_use: u64,
}

/// What a check of all objects found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheVerification {
    /// Objects with the bytes that they should have.
    pub verified: Count,
    /// Objects with other bytes. [`Cache::verify`] removed them.
    pub wrong: Vec<WrongObject>,
    /// Referenced objects without a proof: nobody knows what their bytes should be.
    pub unverifiable: Vec<ObjectKey>,
    /// Objects that could not be read.
    pub unreadable: Vec<ObjectKey>,
}

/// An object with other bytes than it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongObject {
    /// Its key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
}

/// Everything in the cache.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) objects: Vec<ListedObject>,
    pub(super) temporary: Vec<TemporaryFile>,
    pub(super) records: Vec<RecordFile>,
    /// What else lies among the objects.
    pub(super) other: Count,
    /// Our index, locks, and whatever else lies among our records.
    pub(super) own: Count,
}

impl Contents {
    /// What a size limit is compared with, in bytes.
    pub(super) fn total(&self) -> u64 {
        let objects = self.objects.iter().map(|object| object.size);
        let temporary = self.temporary.iter().map(|file| file.size);
        objects
            .chain(temporary)
            .fold(self.other.bytes, u64::saturating_add)
    }
}

impl Cache {
    /// Counts what the cache takes on the disk.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn usage(&self) -> Result<Usage, CacheError> {
        let contents = self.contents()?;
        let mut usage = Usage {
            other: contents.other,
            records: contents.own,
            ..Usage::default()
        };
        for object in &contents.objects {
            let count = match object.key.folder() {
                "md5" => &mut usage.md5,
                "xxh128" => &mut usage.xxh128,
                _ => &mut usage.etag,
            };
            count.add(object.size);
            if object.proven {
                usage.proven.add(object.size);
            }
        }
        for file in &contents.temporary {
            usage.temporary.add(file.size);
        }
        for record in &contents.records {
            usage.records.add(record.size);
            let count = match record.kind {
                RecordKind::Manifest => &mut usage.manifests,
                RecordKind::Version => &mut usage.versions,
                RecordKind::VerifiedFolder => &mut usage.verified_folders,
                RecordKind::Upload => &mut usage.uploads,
            };
            count.add(record.size);
        }
        Ok(usage)
    }

    /// All objects, in the order of their keys.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn list(&self) -> Result<Vec<ListedObject>, CacheError> {
        let mut objects = self.contents()?.objects;
        objects.sort_unstable_by_key(|object| object.key);
        Ok(objects)
    }

    /// All leftovers, in the order of their paths.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn temporary_files(&self) -> Result<Vec<TemporaryFile>, CacheError> {
        let mut files = self.contents()?.temporary;
        files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    /// All our own records but the index and the locks, in the order of their paths.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn record_files(&self) -> Result<Vec<RecordFile>, CacheError> {
        let mut records = self.contents()?.records;
        records.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(records)
    }

    pub(super) fn contents(&self) -> Result<Contents, CacheError> {
        let mut index = self.index();
        index.refresh()?;
        let mut contents = Contents::default();
        each_file(&self.objects, |name, stat| {
            let size = stat.size;
            let last_access = seconds(self.objects.last_access(name));
            if wandb_storage::is_part(name.file_name()) {
                contents.temporary.push(TemporaryFile {
                    path: format!("obj/{name}"),
                    size,
                    last_use: last_access,
                });
                return;
            }
            let Some(key) = ObjectKey::from_path(name.as_str()) else {
                contents.other.add(size);
                return;
            };
            let proof = index.get(&key);
            // Reading to verify is no use, though the file system counts it.
            let is_use = |proof: &Proof| last_access > proof.read_at + 2;
            contents.objects.push(ListedObject {
                key,
                size,
                proven: proof.is_some_and(|proof| proof.stat == stat),
                last_use: match proof {
                    Some(proof) if !is_use(proof) => proof.last_use,
                    Some(proof) => proof.last_use.max(last_access),
                    None => last_access,
                },
            });
        });
        drop(index);
        if let Ok(temporary) = Directory::existing(self.path().join("tmp")) {
            each_file(&temporary, |name, stat| {
                contents.temporary.push(TemporaryFile {
                    path: format!("tmp/{name}"),
                    size: stat.size,
                    last_use: seconds(temporary.last_access(name)),
                });
            });
        }
        self.add_records(&mut contents);
        Ok(contents)
    }

    fn add_records(&self, contents: &mut Contents) {
        each_file(&self.records, |name, stat| {
            let size = stat.size;
            let path = format!("wb/{name}");
            let last_use = seconds(self.records.last_access(name));
            if wandb_storage::is_part(name.file_name()) {
                contents.temporary.push(TemporaryFile { path, size, last_use });
                return;
            }
            let Some(kind) = RecordKind::of(name.as_str()) else {
                contents.own.add(size);
                return;
            };
            let is_of_folder = kind == RecordKind::VerifiedFolder;
            // Looking which folder it is of is no use. It is written anew while it is in use.
            let last_use = if is_of_folder {
                u64::try_from(stat.modified / 1_000_000_000).unwrap_or(0)
            } else {
                last_use
            };
            let is_orphan = is_of_folder && is_orphan(&self.records, name.as_str());
            contents.records.push(RecordFile {
                path,
                kind,
                size,
                last_use,
                is_orphan,
            });
        });
    }

    /// Reads every object, in parallel, and compares its bytes with what they should be. What is wrong is removed.
    ///
    /// # Errors
    /// When the index cannot be read, or an object with wrong bytes cannot be removed.
    pub fn verify(&self) -> Result<CacheVerification, CacheError> {
        self.examine(true)
    }

    /// As [`verify`](Self::verify), and changes nothing: what is wrong stays, and no proof is noted.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn check(&self) -> Result<CacheVerification, CacheError> {
        self.examine(false)
    }

    fn examine(&self, mend: bool) -> Result<CacheVerification, CacheError> {
        let mut objects = self.list()?;
        // The largest first, so that no thread begins one when the others are done.
        objects.sort_by_key(|object| std::cmp::Reverse(object.size));
        let digests: Vec<_> = {
            let index = self.index();
            let known = |object: &ListedObject| {
                let noted = || index.get(&object.key).map(|proof| proof.digest);
                object.key.content().or_else(noted)
            };
            objects.iter().map(known).collect()
        };
        let read = parallel::map(
            objects.len(),
            self.threads(),
            || (),
            |(), place| {
                let digest = digests[place];
                Some(digest.map(|digest| {
                    let path = objects[place].key.path();
                    read_object(&self.objects, &path, digest.algorithm())
                }))
            },
        );
        let mut result = CacheVerification::default();
        for (place, read) in read {
            let ListedObject { key, size, .. } = objects[place];
            match read {
                None => result.unverifiable.push(key),
                Some(Ok(Some((stat, facts)))) if Some(facts.digest) == digests[place] => {
                    result.verified.add(facts.size);
                    if mend && is_settled(&stat) {
                        self.note_kept(key, &stat, &facts, objects[place].last_use);
                    }
                }
                Some(Ok(Some(_))) => {
                    if mend {
                        self.discard(&key, &key.path())?;
                    }
                    result.wrong.push(WrongObject { key, size });
                }
                // It is gone or being written to.
                Some(Ok(None)) => {}
                Some(Err(_)) => result.unreadable.push(key),
            }
        }
        result.wrong.sort_unstable_by_key(|wrong| wrong.key);
        result.unverifiable.sort_unstable();
        result.unreadable.sort_unstable();
        if mend {
            self.flush()?;
        }
        Ok(result)
    }
}

/// Calls with the path and the facts of each ordinary file below a directory.
fn each_file(directory: &Directory, mut visit: impl FnMut(&RelativePath, FileStat)) {
    let mut names = Vec::new();
    directory.walk(&mut |walked| {
        if let Walked::Entry {
            path,
            kind: EntryKind::File,
            ..
        } = walked
        {
            names.extend(safe_relative_path(path));
        }
        true
    });
    for name in names {
        if let Ok(Found::File(stat)) = directory.look_at(&name) {
            visit(&name, stat);
        }
    }
}

fn seconds(time: Option<SystemTime>) -> u64 {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}
