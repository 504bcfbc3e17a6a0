//! What the cache promises.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Barrier,
    thread,
    time::{Duration, SystemTime},
};

use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Directory, Existing, Expected, FileStat, Found, Placement, StorageError, publish_many};

use super::*;
use crate::digest::Algorithm;

pub(super) struct Fixture {
    pub(super) root: tempfile::TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn cache(&self) -> Cache {
        Cache::open(self.root.path()).unwrap()
    }

    pub(super) fn object(&self, key: &ObjectKey) -> PathBuf {
        self.root.path().join("artifacts/obj").join(key.path().as_str())
    }

    /// Puts bytes where the official client puts an object.
    pub(super) fn put_as_official(&self, key: &ObjectKey, bytes: &[u8]) {
        let path = self.object(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        settle(&path);
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.path().join("artifacts/wb/index")
    }
}

/// Waits until a change would show in the file's times.
fn settle(path: &Path) {
    let modified = || {
        let stat = Directory::existing(path.parent().unwrap())
            .unwrap()
            .look_at(&safe_relative_path(path.file_name().unwrap().to_str().unwrap()).unwrap());
        match stat.unwrap() {
            Found::File(stat) => stat,
            other => panic!("{other:?}"),
        }
    };
    while !super::store::is_settled(&modified()) {
        thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn key(bytes: &[u8]) -> ObjectKey {
    Algorithm::Md5.hash(bytes).into()
}

pub(super) fn insert(cache: &Cache, key: ObjectKey, bytes: &[u8]) -> Result<CachedObject, CacheError> {
    let mut file = cache.begin(&key)?;
    file.append(bytes)?;
    let expected = Expected {
        size: Some(bytes.len() as u64),
        digest: key.content(),
    };
    let file = file.verify(&expected)?;
    cache.publish(vec![(key, file)]).pop().unwrap()
}

pub(super) fn place(
    cache: &Cache,
    object: &CachedObject,
    target: &Path,
    name: &str,
    placement: Placement,
) -> bool {
    let directory = Directory::create(target).unwrap();
    let name = safe_relative_path(name).unwrap();
    let placed = cache
        .place(object, &directory, &name, Existing::Replace, placement)
        .unwrap();
    let Some(placed) = placed else { return false };
    publish_many(vec![placed]).pop().unwrap().unwrap();
    true
}

#[test]
fn what_was_inserted_is_found_by_this_and_by_other_processes() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let object = insert(&cache, key(b"abc"), b"abc").unwrap();
    let xxh128 = ObjectKey::from(Algorithm::Xxh128.hash(b"abc"));
    insert(&cache, xxh128, b"abc").unwrap();
    assert_eq!(
        cache.lookup(key(b"abc"), Some(3)).unwrap().as_ref(),
        Some(&object)
    );
    assert_eq!(cache.lookup(key(b"abc"), Some(4)).unwrap(), None);
    assert_eq!(cache.lookup(key(b"other"), None).unwrap(), None);
    cache.flush().unwrap();
    let other = fixture.cache();
    assert_eq!(other.lookup(key(b"abc"), None).unwrap(), Some(object));
    // What one writes, the other reads without being opened anew.
    insert(&cache, key(b"later"), b"later").unwrap();
    cache.flush().unwrap();
    let wanted = [key(b"later"), xxh128, key(b"none")].map(|key| Wanted { key, size: None });
    let found = other.lookup_many(&wanted).unwrap();
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(fs::read(fixture.object(&key(b"later"))).unwrap(), b"later");
}

#[test]
fn wrong_bytes_do_not_get_in() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    match insert(&cache, key(b"abc"), b"abd") {
        Err(CacheError::Storage(StorageError::Mismatch { .. })) => {}
        other => panic!("{other:?}"),
    }
    // Verified, but as something else.
    let mut file = cache.begin(&key(b"abc")).unwrap();
    file.append(b"abd").unwrap();
    let file = file.verify(&Expected::default()).unwrap();
    let result = cache.publish(vec![(key(b"abc"), file)]).pop().unwrap();
    assert!(matches!(result, Err(CacheError::WrongObject { .. })));
    let mut file = cache.begin(&key(b"abc")).unwrap();
    file.append(b"abd").unwrap();
    let file = file.verify(&Expected::default()).unwrap();
    let result = cache.publish(vec![(key(b"abd"), file)]).pop().unwrap();
    assert!(matches!(result, Err(CacheError::WrongObject { .. })));
    let usage = cache.usage().unwrap();
    assert_eq!(usage.total(), Count::default());
    assert!(!fixture.object(&key(b"abc")).exists());
}

#[test]
fn objects_of_the_official_client_are_read_before_they_are_trusted() {
    let fixture = Fixture::new();
    fixture.put_as_official(&key(b"right"), b"right");
    fixture.put_as_official(&key(b"wrong"), b"wrnog");
    let etag = ObjectKey::etag("s3://b/k", "e");
    fixture.put_as_official(&etag, b"anything");
    let cache = fixture.cache();
    assert_eq!(cache.usage().unwrap().proven.files, 0);
    let wanted = [key(b"right"), key(b"wrong"), etag].map(|key| Wanted { key, size: None });
    let found = cache.lookup_many(&wanted).unwrap();
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert!(!fixture.object(&key(b"wrong")).exists(), "removed");
    assert!(fixture.object(&etag).exists(), "nobody knows");
    let usage = cache.usage().unwrap();
    assert_eq!((usage.proven.files, usage.md5.files, usage.etag.files), (1, 1, 1));
    // A referenced object that was fetched here is proven.
    let fetched = ObjectKey::etag("s3://b/k", "f");
    insert(&cache, fetched, b"anything").unwrap();
    let object = cache.lookup(fetched, None).unwrap().unwrap();
    assert_eq!(object.facts().digest, Algorithm::Md5.hash(b"anything"));
}

#[test]
fn a_changed_object_is_not_trusted() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let etag = ObjectKey::etag("s3://b/k", "e");
    for key in [key(b"abc"), etag] {
        insert(&cache, key, b"abc").unwrap();
        let path = fixture.object(&key);
        settle(&path);
        let old = fs::metadata(&path).unwrap().modified().unwrap();
        // In place, of the same size, and with its time put back.
        let mut file = File::options().write(true).open(&path).unwrap();
        file.write_all(b"abd").unwrap();
        file.set_modified(old).unwrap();
        drop(file);
        assert_eq!(cache.lookup(key, Some(3)).unwrap(), None);
        assert!(!path.exists(), "removed");
    }
    // Touched but not changed: it is read once, and trusted again.
    insert(&cache, key(b"abc"), b"abc").unwrap();
    File::options()
        .write(true)
        .open(fixture.object(&key(b"abc")))
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(9))
        .unwrap();
    assert!(cache.lookup(key(b"abc"), None).unwrap().is_some());
    assert_eq!(cache.usage().unwrap().proven.files, 0, "it may be changing still");
    settle(&fixture.object(&key(b"abc")));
    assert_eq!(cache.usage().unwrap().proven.files, 0);
    assert!(cache.lookup(key(b"abc"), None).unwrap().is_some());
    assert_eq!(cache.usage().unwrap().proven.files, 1);
}

#[test]
fn objects_are_placed_by_copy_and_by_link() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let object = insert(&cache, key(b"abc"), b"abc").unwrap();
    let target = fixture.root.path().join("target");
    assert!(place(&cache, &object, &target, "dir/copy", Placement::Copy));
    fs::write(target.join("dir/copy"), "xyz").unwrap();
    assert!(cache.lookup(key(b"abc"), None).unwrap().is_some());
    assert!(place(&cache, &object, &target, "link", Placement::HardLink));
    assert_eq!(fs::read(target.join("link")).unwrap(), b"abc");
    let linked = cache.lookup(key(b"abc"), None).unwrap().unwrap();
    settle(&target.join("link"));
    fs::write(target.join("link"), "xyz").unwrap();
    // Whether that changed the object depends on the file system; that nothing wrong is placed does not.
    assert!(!place(&cache, &linked, &target, "again", Placement::Copy) || !cfg!(unix));
    assert_eq!(target.join("again").exists(), !cfg!(unix));
    if cfg!(unix) {
        assert_eq!(cache.lookup(key(b"abc"), None).unwrap(), None);
    }
}

#[test]
fn links_carry_the_proof_over_and_changes_end_it() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let object = insert(&cache, key(b"abc"), b"abc").unwrap();
    let target = fixture.root.path().join("target");
    let written = SystemTime::now();
    while written
        .elapsed()
        .is_ok_and(|age| age < Duration::from_millis(200))
    {
        thread::sleep(Duration::from_millis(20));
    }
    let is_proven = || cache.usage().unwrap().proven.files == 1;
    // Two names of one artifact, looked up together.
    assert!(place(&cache, &object, &target, "deep/one", Placement::HardLink));
    assert!(is_proven());
    assert!(place(&cache, &object, &target, "deep/two", Placement::HardLink));
    assert!(is_proven());
    // Over a file that is there: the facts are final when it is published.
    fs::write(target.join("three"), "old").unwrap();
    let directory = Directory::create(&target).unwrap();
    let name = safe_relative_path("three").unwrap();
    let link = (Existing::Replace, Placement::HardLink);
    let placed = cache
        .place(&object, &directory, &name, link.0, link.1)
        .unwrap()
        .unwrap();
    assert!(placed.is_link() && placed.linked_stat().is_none());
    let published = publish_many(vec![placed]).pop().unwrap().unwrap();
    assert!(!is_proven() || !cfg!(unix));
    cache.note_linked(&object, &published.stat.unwrap());
    assert!(is_proven());
    cache.flush().unwrap();
    assert_eq!(fixture.cache().usage().unwrap().proven.files, 1);
    for name in ["deep/one", "deep/two", "three"] {
        assert_eq!(fs::read(target.join(name)).unwrap(), b"abc");
    }
    // Other bytes, with the old modification time: the `ctime` tells.
    let old = fs::metadata(target.join("three")).unwrap().modified().unwrap();
    fs::write(target.join("three"), "xyz").unwrap();
    File::options()
        .write(true)
        .open(target.join("three"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    assert!(!is_proven() || !cfg!(unix));
    assert!(!place(&cache, &object, &target, "four", Placement::HardLink) || !cfg!(unix));
    assert_eq!(target.join("four").exists(), !cfg!(unix));
}

#[test]
fn what_was_not_flushed_is_flushed_before_it_is_linked() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let directory = Directory::create(fixture.root.path().join("target")).unwrap();
    let contents: Vec<Vec<u8>> = (0..20_u8).map(|number| vec![number; 9]).collect();
    for bytes in &contents {
        let name = safe_relative_path(&key(bytes).hex()).unwrap();
        let mut file = directory.begin(&name, Existing::Refuse, Algorithm::Md5).unwrap();
        file.append(bytes).unwrap();
        let file = file.verify(&Expected::default()).unwrap();
        let published = publish_many(vec![file]).pop().unwrap().unwrap();
        let (stat, facts) = (published.stat.unwrap(), published.facts);
        cache
            .store(key(bytes), (&directory, &name), (&stat, &facts), Placement::Copy)
            .unwrap();
    }
    let wanted: Vec<Wanted> = contents
        .iter()
        .map(|bytes| Wanted {
            key: key(bytes),
            size: None,
        })
        .collect();
    let found = || {
        cache
            .lookup_many(&wanted)
            .unwrap()
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    // Where the system tells one run from another, copies were not flushed.
    assert_eq!(
        found().iter().any(|object| object.is_durable),
        cache.index().boot().is_none()
    );
    cache.make_durable(&found()).unwrap();
    assert!(found().iter().all(|object| object.is_durable));
    // One of few, and one that is gone.
    fs::remove_file(fixture.object(&key(&contents[0]))).unwrap();
    cache.make_durable(&found()[..2]).unwrap();
}

#[test]
fn files_of_a_user_are_adopted_by_copy() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let directory = Directory::create(fixture.root.path().join("target")).unwrap();
    let name = safe_relative_path("x").unwrap();
    let mut file = directory.begin(&name, Existing::Refuse, Algorithm::Md5).unwrap();
    file.append(b"abc").unwrap();
    let file = file.verify(&Expected::default()).unwrap();
    let published = publish_many(vec![file]).pop().unwrap().unwrap();
    let proof = (published.stat.unwrap(), published.facts);
    let adopted = cache
        .adopt(
            &key(b"abc"),
            (&directory, &name),
            (&proof.0, &proof.1),
            Placement::Copy,
        )
        .unwrap();
    cache
        .publish(vec![(key(b"abc"), adopted.unwrap())])
        .pop()
        .unwrap()
        .unwrap();
    fs::write(directory.path_of(&name), "xyz").unwrap();
    let object = cache.lookup(key(b"abc"), None).unwrap().unwrap();
    assert_eq!(object.facts().size, 3);
    let again = cache
        .adopt(
            &key(b"abc"),
            (&directory, &name),
            (&proof.0, &proof.1),
            Placement::Copy,
        )
        .unwrap();
    assert!(again.is_none(), "the file changed");
}

#[test]
fn only_copies_that_nothing_else_proves_wait_for_the_disk() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let directory = Directory::create(fixture.root.path().join("target")).unwrap();
    let store = |number: usize, is_content: bool, placement| {
        let bytes = format!("file {number}").into_bytes();
        let name = safe_relative_path(&number.to_string()).unwrap();
        let mut file = directory.begin(&name, Existing::Refuse, Algorithm::Md5).unwrap();
        file.append(&bytes).unwrap();
        let published = publish_many(vec![file.verify(&Expected::default()).unwrap()]);
        let published = published.into_iter().next().unwrap().unwrap();
        let proof = (&published.stat.unwrap(), &published.facts);
        let key = if is_content {
            key(&bytes)
        } else {
            ObjectKey::etag("https://example.test/object", &number.to_string())
        };
        let stat = cache.store(key, (&directory, &name), proof, placement).unwrap();
        (key, name, stat)
    };
    let are_there = |keys: &[(ObjectKey, RelativePath, Option<FileStat>)]| {
        keys.iter()
            .filter(|(key, ..)| fixture.object(key).exists())
            .count()
    };
    let waiting: Vec<_> = (0..130)
        .map(|number| store(number, false, Placement::Copy))
        .collect();
    assert_eq!(are_there(&waiting), 128);
    let copy = store(150, true, Placement::Copy);
    // Elsewhere nothing tells one run of the machine from the next.
    #[cfg(target_os = "linux")]
    assert_eq!(are_there(std::slice::from_ref(&copy)), 1);
    cache.flush().unwrap();
    assert_eq!(are_there(&waiting), 130);
    assert!(cache.lookup(copy.0, None).unwrap().is_some());
    assert_eq!(cache.usage().unwrap().proven.files, 131);
    let (linked, name, stat) = store(200, true, Placement::HardLink);
    assert_eq!(directory.look_at(&name).unwrap(), Found::File(stat.unwrap()));
    assert!(cache.lookup(linked, None).unwrap().is_some());
}

#[test]
fn what_was_not_flushed_is_not_trusted_after_the_machine_was_started_anew() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let object = insert(&cache, key(b"abc"), b"abc").unwrap();
    let note = |cache: &Cache, boot| cache.note_in(boot, key(b"abc"), object.stat(), object.facts(), 5);
    let this = cache.index().boot();
    for (boot, is_proven) in [(None, true), (Some([9; 16]), false), (this, true)] {
        note(&cache, boot);
        cache.flush().unwrap();
        let other = fixture.cache();
        assert_eq!(other.usage().unwrap().proven.files == 1, is_proven, "{boot:?}");
    }
    // Read again, it is trusted; damaged, it is not.
    note(&cache, Some([9; 16]));
    drop(cache);
    let cache = fixture.cache();
    assert!(cache.lookup(key(b"abc"), None).unwrap().is_some());
    note(&cache, Some([9; 16]));
    drop(cache);
    fs::write(fixture.object(&key(b"abc")), [0; 3]).unwrap();
    let cache = fixture.cache();
    assert!(cache.lookup(key(b"abc"), None).unwrap().is_none());
}

#[test]
fn a_damaged_index_costs_reading_and_nothing_else() {
    let contents: Vec<_> = (0..20)
        .map(|number| format!("object {number}").into_bytes())
        .collect();
    let wanted: Vec<_> = contents
        .iter()
        .map(|content| Wanted {
            key: key(content),
            size: None,
        })
        .collect();
    let damages: [fn(&mut Vec<u8>); 8] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() - 40),
        |bytes| bytes.truncate(50),
        |bytes| bytes[5] ^= 1,
        |bytes| bytes[400] ^= 1,
        |bytes| bytes.extend(vec![0; 1_000]),
        |bytes| bytes.extend(b"garbage"),
        |bytes| bytes.fill(0),
    ];
    for (number, damage) in damages.iter().enumerate() {
        let fixture = Fixture::new();
        let cache = fixture.cache();
        for content in &contents {
            insert(&cache, key(content), content).unwrap();
        }
        drop(cache);
        let mut bytes = fs::read(fixture.index()).unwrap();
        damage(&mut bytes);
        fs::write(fixture.index(), bytes).unwrap();
        // One object is wrong, and no damage may hide it: its old proof does not fit.
        fs::write(fixture.object(&key(&contents[7])), "changed!").unwrap();
        for content in &contents {
            settle(&fixture.object(&key(content)));
        }
        let cache = fixture.cache();
        let found = cache.lookup_many(&wanted).unwrap();
        for (place, found) in found.iter().enumerate() {
            assert_eq!(found.is_some(), place != 7, "damage {number}, object {place}");
        }
        insert(&cache, key(b"new"), b"new").unwrap();
        drop(cache);
        let cache = fixture.cache();
        assert_eq!(cache.usage().unwrap().proven.files, 20, "damage {number}");
        let mut bytes = fs::read(fixture.index()).unwrap();
        bytes.truncate(bytes.len() / 104 * 104);
        assert_eq!(bytes, fs::read(fixture.index()).unwrap(), "whole records");
    }
}

#[test]
fn the_index_is_written_anew_when_most_of_it_is_old() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let other = fixture.cache();
    let object = insert(&cache, key(b"abc"), b"abc").unwrap();
    insert(&cache, key(b"xyz"), b"xyz").unwrap();
    cache.flush().unwrap();
    assert!(other.lookup(key(b"xyz"), None).unwrap().is_some());
    for _ in 0..10_050 {
        cache.note_kept(key(b"abc"), object.stat(), object.facts(), 5);
    }
    cache.flush().unwrap();
    assert_eq!(fs::metadata(fixture.index()).unwrap().len(), 104 * 3);
    insert(&cache, key(b"more"), b"more").unwrap();
    cache.flush().unwrap();
    let wanted = [key(b"abc"), key(b"xyz"), key(b"more")].map(|key| Wanted { key, size: None });
    assert!(other.lookup_many(&wanted).unwrap().iter().all(Option::is_some));
    assert_eq!(other.usage().unwrap().proven.files, 3);
}

#[test]
fn several_writers_lose_nothing() {
    let fixture = Fixture::new();
    let barrier = Barrier::new(4);
    let content = |writer: usize, number: usize| format!("{writer} {number}").into_bytes();
    thread::scope(|scope| {
        for writer in 0..4 {
            let (fixture, barrier) = (&fixture, &barrier);
            scope.spawn(move || {
                // A cache each, as processes have.
                let cache = fixture.cache();
                barrier.wait();
                for number in 0..25 {
                    let bytes = content(writer, number);
                    insert(&cache, key(&bytes), &bytes).unwrap();
                    // Also what all of them write.
                    insert(&cache, key(b"shared"), b"shared").unwrap();
                    cache.flush().unwrap();
                }
            });
        }
    });
    let cache = fixture.cache();
    let usage = cache.usage().unwrap();
    assert_eq!(usage.md5.files, 101);
    // Also the shared one, whose file each of them replaced many times.
    assert_eq!(usage.proven.files, 101, "{usage:?}");
    let wanted: Vec<_> = (0..100)
        .map(|number| Wanted {
            key: key(&content(number / 25, number % 25)),
            size: None,
        })
        .collect();
    assert!(cache.lookup_many(&wanted).unwrap().iter().all(Option::is_some));
}

#[test]
fn of_two_proofs_of_one_object_the_one_of_the_file_that_is_there_stays() {
    for last_writes_first in [true, false] {
        let fixture = Fixture::new();
        let (one, other) = (fixture.cache(), fixture.cache());
        insert(&one, key(b"mine"), b"mine").unwrap();
        insert(&other, key(b"theirs"), b"theirs").unwrap();
        // Two downloads of one version: each fetches before the other has written a proof.
        insert(&one, key(b"abc"), b"abc").unwrap();
        let there = insert(&other, key(b"abc"), b"abc").unwrap();
        let order = if last_writes_first {
            [&other, &one]
        } else {
            [&one, &other]
        };
        for cache in order {
            cache.flush().unwrap();
        }
        let usage = fixture.cache().usage().unwrap();
        assert_eq!(usage.proven.files, 3, "{last_writes_first} {usage:?}");
        let fresh = fixture.cache();
        let proof = fresh.index().get(&key(b"abc")).map(|proof| proof.stat);
        assert_eq!(proof, Some(*there.stat()), "{last_writes_first}");
    }
}

#[test]
fn an_object_that_one_removed_and_another_put_back_stays_proven() {
    let fixture = Fixture::new();
    let (one, other) = (fixture.cache(), fixture.cache());
    insert(&one, key(b"abc"), b"abc").unwrap();
    one.flush().unwrap();
    one.discard(&key(b"abc"), &key(b"abc").path()).unwrap();
    insert(&other, key(b"abc"), b"abc").unwrap();
    other.flush().unwrap();
    one.flush().unwrap();
    assert_eq!(fixture.cache().usage().unwrap().proven.files, 1);
}

#[test]
fn everything_is_counted_listed_and_verified() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    insert(&cache, key(b"abc"), b"abc").unwrap();
    insert(&cache, ObjectKey::from(Algorithm::Xxh128.hash(b"four")), b"four").unwrap();
    fixture.put_as_official(&key(b"wrong"), b"wrnog");
    fixture.put_as_official(&key(b"right"), b"right");
    let etag = ObjectKey::etag("s3://b/k", "e");
    fixture.put_as_official(&etag, b"anything");
    let artifacts = fixture.root.path().join("artifacts");
    fs::create_dir_all(artifacts.join("tmp")).unwrap();
    fs::write(artifacts.join("tmp/tmpabc"), "12").unwrap();
    fs::write(artifacts.join("obj/md5/stranger"), "1234567").unwrap();
    let mut part = cache.begin(&key(b"never")).unwrap();
    part.append(b"nev").unwrap();
    let usage = cache.usage().unwrap();
    let count = |files, bytes| Count { files, bytes };
    assert_eq!(usage.md5, count(3, 13));
    assert_eq!(usage.xxh128, count(1, 4));
    assert_eq!(usage.etag, count(1, 8));
    assert_eq!(usage.proven, count(2, 7));
    assert_eq!(usage.temporary, count(2, 5));
    assert_eq!(usage.other, count(1, 7));
    assert_eq!(usage.total(), count(8, 37));
    drop(part);
    let listed = cache.list().unwrap();
    assert_eq!(listed.len(), 5);
    assert!(listed.is_sorted_by_key(|object| object.key));
    // Looking alone changes nothing.
    let looked = cache.check().unwrap();
    assert!(fixture.object(&key(b"wrong")).exists());
    assert_eq!(cache.usage().unwrap().proven, count(2, 7));
    let found = cache.verify().unwrap();
    assert_eq!(looked, found);
    assert_eq!(found.verified, count(3, 12));
    assert_eq!(
        found.wrong,
        [WrongObject {
            key: key(b"wrong"),
            size: 5
        }]
    );
    assert_eq!(found.unverifiable, [etag]);
    assert!(!fixture.object(&key(b"wrong")).exists());
    assert_eq!(fixture.cache().usage().unwrap().proven, count(3, 12));
}

#[test]
fn verifying_is_no_use() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let object = insert(&cache, key(b"abc"), b"abc").unwrap();
    cache.note_kept(key(b"abc"), object.stat(), object.facts(), 1_000);
    cache.verify().unwrap();
    assert_eq!(cache.list().unwrap()[0].last_use, 1_000);
    cache.lookup(key(b"abc"), None).unwrap().unwrap();
    assert!(cache.list().unwrap()[0].last_use > 1_000_000);
}
