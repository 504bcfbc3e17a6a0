//! What is removed, by hand and to keep a budget.

use std::{
    fs::{self, File},
    sync::Barrier,
    thread,
    time::SystemTime,
};

use proptest::prelude::*;
use wandb_storage::{Directory, Placement};

use super::{
    listing::Contents,
    tests::{Fixture, insert, key, place},
    *,
};

fn listed(number: u64, size: u64, last_use: u64) -> ListedObject {
    ListedObject {
        key: key(&number.to_le_bytes()),
        size,
        proven: true,
        last_use,
    }
}

#[test]
fn a_plan_removes_what_was_not_used_for_the_longest_time() {
    let objects = vec![listed(1, 10, 300), listed(2, 10, 100), listed(3, 10, 200)];
    let temporary = |path: &str, last_use| TemporaryFile {
        path: path.into(),
        size: 5,
        last_use,
    };
    let temporary = vec![temporary("tmp/old", 0), temporary("tmp/new", 99_000)];
    let plan = GcPlan::make(
        Contents {
            objects,
            temporary,
            ..Contents::default()
        },
        &GcPolicy::up_to(20),
        100_000,
    );
    let uses: Vec<_> = plan.objects.iter().map(|object| object.last_use).collect();
    assert_eq!(uses, [100, 200]);
    assert_eq!(plan.temporary.len(), 1);
    assert_eq!((plan.before.bytes, plan.after.bytes, plan.freed()), (40, 15, 25));
}

#[test]
fn collecting_keeps_what_is_in_use() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    for content in [b"aa", b"bb"] {
        insert(&cache, key(content), content).unwrap();
    }
    let artifacts = fixture.root.path().join("artifacts");
    fs::create_dir_all(artifacts.join("tmp")).unwrap();
    for file in ["tmp/tmpabc", "obj/md5/.x.0a.wb-part"] {
        let file = File::create(artifacts.join(file)).unwrap();
        file.set_times(
            fs::FileTimes::new()
                .set_accessed(SystemTime::UNIX_EPOCH)
                .set_modified(SystemTime::UNIX_EPOCH),
        )
        .unwrap();
    }
    let plan = cache.plan_collection(&GcPolicy::up_to(0)).unwrap();
    assert_eq!((plan.objects.len(), plan.temporary.len()), (2, 2));
    assert_eq!(cache.usage().unwrap().md5.files, 2, "a plan removes nothing");
    let other = fixture.cache();
    let guard = other.guard().unwrap();
    assert!(matches!(cache.collect(&plan), Err(CacheError::InUse { .. })));
    assert_eq!(cache.usage().unwrap().md5.files, 2);
    drop(guard);
    // Replaced since the plan was made: another size.
    fixture.put_as_official(&key(b"bb"), b"b");
    let collected = cache.collect(&plan).unwrap();
    assert_eq!((collected.removed.files, collected.kept), (3, 1));
    assert_eq!(collected.removed.bytes, 2);
    assert!(!fixture.object(&key(b"aa")).exists() && fixture.object(&key(b"bb")).exists());
    assert!(
        !fixture.object(&key(b"aa")).parent().unwrap().exists(),
        "empty folders go"
    );
    assert_eq!(cache.usage().unwrap().temporary.files, 0);
    assert_eq!(fixture.cache().lookup(key(b"aa"), None).unwrap(), None);
}

#[test]
fn what_others_removed_is_forgotten() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    insert(&cache, key(b"abc"), b"abc").unwrap();
    insert(&cache, key(b"xyz"), b"xyz").unwrap();
    fs::remove_file(fixture.object(&key(b"abc"))).unwrap();
    let plan = cache.plan_collection(&GcPolicy::up_to(100)).unwrap();
    assert_eq!(cache.collect(&plan).unwrap(), Collected::default());
    assert!(cache.index().get(&key(b"abc")).is_none());
    assert!(fixture.cache().index().get(&key(b"xyz")).is_some());
}

/// Puts one of our records there, last written to so many days ago.
fn put_record(fixture: &Fixture, name: &str, text: &str, days: u64) {
    let path = fixture.root.path().join("artifacts/wb").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let then = SystemTime::now() - std::time::Duration::from_secs(days * 24 * 60 * 60 + 60);
    let times = fs::FileTimes::new().set_accessed(then).set_modified(then);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(times)
        .unwrap();
}

#[test]
fn records_are_counted_listed_planned_and_collected() {
    let fixture = Fixture::new();
    let cache = fixture.cache();
    let here = fixture.root.path().to_str().unwrap().to_owned();
    let of_folder = |folder: &str| format!("wb-verified 1 5\n{folder:?}\n");
    let gone = of_folder(&format!("{here}/gone"));
    for (name, text, days) in [
        ("manifests/md5-old.json", "1234567", 91),
        ("manifests/md5-new.json", "12", 80),
        ("versions/old.json", "123", 91),
        ("verified/old.verified", &*of_folder(&here), 91),
        ("verified/gone.verified", &gone, 0),
        ("verified/here.verified", &of_folder(&here), 0),
        ("uploads/md5-old.upload", "1", 8),
        ("uploads/md5-new.upload", "1", 1),
        ("manifests/.md5-x.json.0a.wb-part", "123", 2),
    ] {
        put_record(&fixture, name, text, days);
    }
    let usage = cache.usage().unwrap();
    assert_eq!(
        (
            usage.manifests,
            usage.versions.files,
            usage.verified_folders.files,
            usage.uploads.files
        ),
        (Count { files: 2, bytes: 9 }, 1, 3, 2)
    );
    assert_eq!((usage.temporary.files, usage.temporary.bytes), (1, 3));
    assert_eq!(cache.record_files().unwrap().len(), 8);
    let due = [
        "wb/manifests/md5-old.json",
        "wb/uploads/md5-old.upload",
        "wb/verified/gone.verified",
        "wb/verified/old.verified",
        "wb/versions/old.json",
    ];
    let plan = cache.plan_collection(&GcPolicy::up_to(u64::MAX)).unwrap();
    let mut planned: Vec<_> = plan.records.iter().map(|record| &*record.path).collect();
    planned.sort_unstable();
    assert_eq!(planned, due);
    assert_eq!(plan.freed_records().files, 5);
    assert_eq!(cache.record_files().unwrap().len(), 8, "a plan removes nothing");
    // Used since the plan was made.
    put_record(&fixture, "versions/old.json", "123", 0);
    let collected = cache.collect(&plan).unwrap();
    assert_eq!(
        (collected.records.files, collected.removed.files, collected.kept),
        (4, 1, 1)
    );
    let left: Vec<_> = cache
        .record_files()
        .unwrap()
        .into_iter()
        .map(|record| record.path)
        .collect();
    assert_eq!(
        left,
        [
            "wb/manifests/md5-new.json",
            "wb/uploads/md5-new.upload",
            "wb/verified/here.verified",
            "wb/versions/old.json"
        ]
    );
}

#[test]
fn a_budget_is_kept_by_removing_what_was_not_used_for_the_longest_time() {
    let fixture = Fixture::new();
    let cache = fixture.cache().with_budget(100);
    assert_eq!(fixture.cache().keep_budget().unwrap(), None, "there is none");
    let content = |number: u64| vec![number as u8; 20];
    for number in 0..5 {
        let object = insert(&cache, key(&content(number)), &content(number)).unwrap();
        cache.note_kept(
            *object.key(),
            object.stat(),
            object.facts(),
            4_000_000_000 + number,
        );
    }
    assert_eq!(cache.keep_budget().unwrap(), None, "it is full, and not too full");
    insert(&cache, key(b"one more"), b"one more").unwrap();
    let other = fixture.cache();
    let guard = other.guard().unwrap();
    assert_eq!(cache.keep_budget().unwrap(), None, "it is in use");
    assert_eq!(cache.usage().unwrap().md5.files, 6);
    drop(guard);
    // The new one has the time of this machine, which is before those of the others.
    let collected = cache.keep_budget().unwrap().unwrap();
    assert_eq!((collected.removed.files, collected.removed.bytes), (2, 28));
    let is_there = |number: u64| fixture.object(&key(&content(number))).exists();
    assert_eq!([0, 1, 2, 3, 4].map(is_there), [false, true, true, true, true]);
    assert_eq!(cache.keep_budget().unwrap(), None);

    // What others put there counts, as soon as it was counted.
    fixture.put_as_official(&key(b"others"), &[b'x'; 50]);
    assert_eq!(cache.keep_budget().unwrap(), None, "it was counted a moment ago");
    fs::remove_file(fixture.root.path().join("artifacts/wb/counted")).unwrap();
    let collected = cache.keep_budget().unwrap().unwrap();
    assert_eq!((collected.removed.files, collected.removed.bytes), (1, 50));
    assert_eq!(cache.usage().unwrap().total().bytes, 80);
    for damage in ["", "wb-counted 1 9 x\n", "wb-counted 1 99999999999 5\n"] {
        fs::write(fixture.root.path().join("artifacts/wb/counted"), damage).unwrap();
        assert_eq!(
            cache.keep_budget().unwrap(),
            None,
            "{damage:?}: it is counted again"
        );
    }
}

/// Several processes (a `Cache` each) put in, take out and make room at once.
#[test]
fn a_budget_takes_nothing_away_from_whoever_uses_it() {
    const BUDGET: u64 = 2_000;
    let fixture = Fixture::new();
    let content = |number: usize| format!("{number:0100}").into_bytes();
    let barrier = Barrier::new(4);
    let removed: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..4_usize)
            .map(|worker| {
                let (fixture, barrier) = (&fixture, &barrier);
                scope.spawn(move || {
                    let cache = fixture.cache().with_budget(BUDGET);
                    let target = tempfile::tempdir().unwrap();
                    let mut removed = 0;
                    barrier.wait();
                    for round in 0..40 {
                        let guard = cache.guard().unwrap();
                        let numbers = (0..6).map(|step| (worker * 7 + round * 5 + step * 11) % 60);
                        let mut used = Vec::new();
                        for number in numbers {
                            let bytes = content(number);
                            // Another one may put the same object there at this moment.
                            let placed = (0..100).any(|_| {
                                let object = match cache.lookup(key(&bytes), Some(100)).unwrap() {
                                    Some(object) => object,
                                    None => insert(&cache, key(&bytes), &bytes).unwrap(),
                                };
                                place(&cache, &object, target.path(), "file", Placement::Copy)
                            });
                            assert!(placed, "{number}");
                            assert_eq!(fs::read(target.path().join("file")).unwrap(), bytes);
                            used.push(fixture.object(&key(&bytes)));
                        }
                        for path in used {
                            assert!(path.exists(), "removed while it was in use");
                        }
                        drop(guard);
                        let kept = cache.keep_budget().unwrap();
                        removed += kept.map_or(0, |collected| collected.removed.files);
                    }
                    removed
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let cache = fixture.cache().with_budget(BUDGET);
    let last = cache
        .keep_budget()
        .unwrap()
        .map_or(0, |collected| collected.removed.files);
    assert!(removed + last > 0, "room was made");
    let usage = cache.usage().unwrap();
    assert!(usage.total().bytes <= BUDGET, "{usage:?}");
    assert_eq!(cache.verify().unwrap().wrong, []);
    assert!(Directory::existing(cache.path()).is_ok());
}

proptest! {
    #[test]
    fn plans_reach_their_size_with_the_fewest_recent_objects(
        objects in prop::collection::vec((0_u64..50, 0_u64..20), 0..12),
        max_bytes in 0_u64..200,
    ) {
        let objects: Vec<_> = objects
            .iter()
            .zip(0..)
            .map(|(&(size, last_use), number)| listed(number, size, last_use))
            .collect();
        let plan = GcPlan::make(
            Contents { objects: objects.clone(), ..Contents::default() },
            &GcPolicy::up_to(max_bytes),
            0,
        );
        let total: u64 = objects.iter().map(|object| object.size).sum();
        let removed: u64 = plan.objects.iter().map(|object| object.size).sum();
        prop_assert!(total - removed <= max_bytes);
        prop_assert_eq!(plan.after.bytes, total - removed);
        if let Some(last) = plan.objects.last() {
            prop_assert!(total - removed + last.size > max_bytes, "one fewer would not do");
            let kept = objects.iter().filter(|object| !plan.objects.contains(object));
            prop_assert!(kept.clone().all(|object| object.last_use >= last.last_use));
        }
    }
}
