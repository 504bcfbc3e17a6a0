//! A process that fills the cache is killed at random moments; nothing wrong is trusted afterwards, and everything that is
//! left is counted.

use std::{
    env,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use wandb_artifacts::{
    Algorithm, Cache,
    cache::{GcPolicy, ObjectKey, Wanted},
};
use wandb_storage::Expected;

/// Tells the child process where the cache is.
const DIRECTORY: &str = "WANDB_ARTIFACTS_TEST_CACHE";

/// Which number the objects of the child begin with.
const START: &str = "WANDB_ARTIFACTS_TEST_START";

fn content(number: usize) -> Vec<u8> {
    format!("{number} ").repeat(500 + number % 300).into_bytes()
}

#[test]
#[ignore = "the process that is killed; run by the test below"]
fn fill_until_killed() {
    let (Some(directory), Ok(start)) = (env::var_os(DIRECTORY), env::var(START)) else {
        return;
    };
    let cache = Cache::open(directory).unwrap();
    for number in start.parse().unwrap().. {
        let bytes = content(number);
        let key = ObjectKey::from(Algorithm::ALL[number % 2].hash(&bytes));
        let mut file = cache.begin(&key).unwrap();
        file.append(&bytes).unwrap();
        let file = file.verify(&Expected::default()).unwrap();
        cache.publish(vec![(key, file)]).pop().unwrap().unwrap();
        if number % 3 == 0 {
            cache.flush().unwrap();
        }
    }
}

#[test]
fn a_cache_survives_killed_writers() {
    let root = tempfile::tempdir().unwrap();
    let mut known = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "fill_until_killed"])
            .env(DIRECTORY, root.path())
            .env(START, (round * 1_000_000).to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Once it works, it is killed somewhere within its work.
        let begun = Instant::now();
        loop {
            let cache = Cache::open(root.path()).unwrap();
            if cache.list().unwrap().len() > known || begun.elapsed() > Duration::from_secs(60) {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(round * 1_370 % 9_000));
        child.kill().unwrap();
        child.wait().unwrap();
        known = Cache::open(root.path()).unwrap().list().unwrap().len();
        assert!(known > 0, "the child did nothing within a minute");
    }
    let cache = Cache::open(root.path()).unwrap();
    let objects = cache.list().unwrap();
    let wanted: Vec<_> = objects
        .iter()
        .map(|object| Wanted {
            key: object.key,
            size: Some(object.size),
        })
        .collect();
    // Whatever is given is right, proven before or read now.
    for object in cache.lookup_many(&wanted).unwrap().into_iter().flatten() {
        let bytes = std::fs::read(cache.path_of(object.key())).unwrap();
        let digest = object.key().content().unwrap();
        assert_eq!(digest.algorithm().hash(&bytes), digest);
    }
    let found = cache.verify().unwrap();
    assert_eq!(found.wrong, []);
    assert_eq!(found.verified.files, objects.len());
    // What the killed processes left is counted, and can be cleared away.
    let usage = cache.usage().unwrap();
    assert_eq!(usage.other.files, 0);
    let plan = cache
        .plan_collection(&GcPolicy {
            temporary_age: Duration::ZERO,
            ..GcPolicy::up_to(0)
        })
        .unwrap();
    assert_eq!(plan.temporary.len(), usage.temporary.files);
    cache.collect(&plan).unwrap();
    assert_eq!(cache.usage().unwrap().total().files, 0);
}
