//! What a download does when nothing is wrong.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use wandb_core::ErrorKind;

use super::world::{Urls, World, noise, url_of};
use crate::{
    manifest::{Manifest, ManifestEntry},
    transfer::Progress,
};

/// Puts times back, so that a file does not look as if it had changed a moment ago.
fn age(world: &World) {
    std::thread::sleep(Duration::from_millis(60));
    for file in world.files() {
        let file = fs::File::options()
            .append(true)
            .open(world.target.path().join(file))
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60))
            .unwrap();
    }
    std::thread::sleep(Duration::from_millis(60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_every_size_arrive_once() {
    let (middle, large) = (noise(3 << 20), noise(5_000_000));
    let files: &[(&str, &[u8])] = &[
        ("a b#c.txt", b"hello"),
        ("deep/er/empty", b""),
        ("deep/large", &large),
        ("deep/middle", &middle),
    ];
    let world = World::new(files);
    let options = || world.options().large_file(4 << 20, 700_000);
    let plan = world.download_with(options()).plan().await.unwrap();
    assert_eq!(
        (plan.present_files, plan.fetched_files, plan.address_requests),
        (0, 4, 1)
    );
    assert!(world.network.take_sent().is_empty());
    let done = world.download_with(options()).run().await.unwrap();
    assert_eq!((done.present, done.cached, done.fetched), (0, 0, 4));
    let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!((done.bytes, done.transferred), (size as u64, size as u64));
    for (path, bytes) in files {
        assert_eq!(world.read(path), *bytes, "{path}");
    }
    assert_eq!(world.files().len(), 4, "no part is left: {:?}", world.files());
    let sent = world.network.take_sent();
    assert!(
        sent.iter().all(|sent| !sent.has_key),
        "signed addresses get no key"
    );
    let ranges = sent.iter().filter(|sent| sent.range.is_some()).count();
    assert_eq!(ranges, 5_000_000_usize.div_ceil(700_000));
    // All but the first, which learns the tag, are guarded by it.
    assert_eq!(sent.iter().filter(|sent| sent.if_range).count(), ranges - 1);
    assert_eq!(world.urls.asked.lock().unwrap().len(), 1);

    // Nothing is asked for again, and once the times are settled, nothing is read again either.
    for _ in 0..2 {
        let done = world.download_with(options()).run().await.unwrap();
        assert_eq!((done.present, done.fetched, done.transferred), (4, 0, 0));
        assert!(world.network.take_sent().is_empty());
        age(&world);
    }
    assert_eq!(world.urls.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_changed_is_fetched_again_even_if_its_times_lie() {
    let world = World::new(&[("x", b"content"), ("y", b"other")]);
    world.download().run().await.unwrap();
    age(&world);
    world.download().run().await.unwrap();
    let x = world.target.path().join("x");
    let modified = fs::metadata(&x).unwrap().modified().unwrap();
    fs::write(&x, b"CONTENT").unwrap();
    fs::File::options()
        .append(true)
        .open(&x)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    world.network.take_sent();
    let done = world.download().run().await.unwrap();
    assert_eq!((done.present, done.fetched), (1, 1));
    assert_eq!(world.read("x"), b"content");
    assert_eq!(world.network.take_sent().len(), 1);
    // Without any record, what is there is read and not fetched.
    let options = super::DownloadOptions::below(world.target.path());
    let done = world.download_with(options).run().await.unwrap();
    assert_eq!((done.present, done.fetched), (2, 0));
}

#[tokio::test]
async fn only_what_is_below_the_prefix_is_asked_for() {
    let world = World::new(&[("a/1", b"1"), ("a/2", b"2"), ("ab", b"3"), ("b", b"4")]);
    let done = world
        .download_with(world.options().prefix("a/"))
        .run()
        .await
        .unwrap();
    assert_eq!(done.fetched, 2);
    assert_eq!(world.files(), ["a/1", "a/2"]);
    assert_eq!(*world.urls.asked.lock().unwrap(), [["a/1", "a/2"]]);
    let done = world
        .download_with(world.options().prefix("a"))
        .run()
        .await
        .unwrap();
    assert_eq!((done.present, done.fetched), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_files_are_asked_for_in_batches() {
    let names: Vec<String> = (0..1_000)
        .map(|index| format!("d{}/{index}", index % 7))
        .collect();
    let contents: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().repeat(9)).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&contents)
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let urls = Urls {
        batch: Some(300),
        ..Urls::default()
    };
    let world = World::with_urls(&files, urls);
    let done = world.download().run().await.unwrap();
    assert_eq!(done.fetched, 1_000);
    for (path, bytes) in files {
        assert_eq!(world.read(path), bytes);
    }
    let asked: Vec<usize> = world.urls.asked.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked.iter().sum::<usize>(), 1_000);
}

#[tokio::test]
async fn a_hostile_manifest_writes_and_asks_nothing() {
    let hostile =
        ["../x", "/x", "a//b", "a/\0", "c:x", "fine/x", "..\\b"].map(|path| (path, ErrorKind::Protocol));
    let unportable = ["aux.txt", "a\\b", "Fine"].map(|path| (path, ErrorKind::Conflict));
    for (path, kind) in hostile.into_iter().chain(unportable) {
        let mut world = World::new(&[("fine", b"1")]);
        let mut entries = world.manifest.entries().to_vec();
        entries.push(ManifestEntry::file(path, entries[0].content_digest().unwrap(), 1));
        world.manifest = Arc::new(Manifest::new().with_entries(entries).unwrap());
        let error = world.download().run().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path:?}: {error}");
        assert!(world.files().is_empty());
        assert!(world.network.take_sent().is_empty());
        // What is not in scope is not touched, and ends nothing.
        if !path.starts_with("fine") {
            let part = world.download_with(world.options().prefix("fine"));
            assert_eq!(part.run().await.unwrap().fetched, 1, "{path:?}");
            assert_eq!(world.files(), ["fine"]);
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_on_the_way_leads_nowhere() {
    let world = World::new(&[("link/x", b"1")]);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), world.target.path().join("link")).unwrap();
    assert!(world.download().run().await.is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[derive(Debug, Default)]
struct Heard(Mutex<(u64, u64, i64, u64)>);

impl Progress for Heard {
    fn total(&self, files: u64, bytes: u64) {
        let mut heard = self.0.lock().unwrap();
        (heard.0, heard.1) = (files, bytes);
    }

    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, bytes: u64) {
        self.0.lock().unwrap().2 += i64::try_from(bytes).unwrap();
    }

    fn retract(&self, bytes: u64) {
        self.0.lock().unwrap().2 -= i64::try_from(bytes).unwrap();
    }

    fn end(&self, _: &str) {
        self.0.lock().unwrap().3 += 1;
    }
}

#[tokio::test]
async fn progress_adds_up_whatever_goes_wrong_on_the_way() {
    use super::world::Fault;
    let (middle, large) = (noise(2 << 20), noise(5 << 20));
    let world = World::new(&[("large", &large), ("middle", &middle), ("small", b"123456789")]);
    world.network.fault(&url_of("small"), Fault::Corrupt);
    world.network.fault(&url_of("middle"), Fault::Corrupt);
    world.network.fault(&url_of("middle"), Fault::BreakAfter(100_000));
    world.network.fault(&url_of("large"), Fault::Corrupt);
    let heard = Arc::new(Heard::default());
    let options = world.options().large_file(4 << 20, 1 << 20);
    world
        .download_with(options.progress(Arc::clone(&heard) as _))
        .run()
        .await
        .unwrap();
    let total = (7 << 20) + 9;
    assert_eq!(
        *heard.0.lock().unwrap(),
        (3, total, i64::try_from(total).unwrap(), 3)
    );
}

#[tokio::test]
async fn plans_write_nothing() {
    let world = World::new(&[("a", b"abc"), ("b/c", b"def")]);
    let root = world.target.path().join("new/root");
    let options = || crate::transfer::DownloadOptions::below(&root);
    let plan = world.download_with(options()).plan().await.unwrap();
    assert_eq!((plan.fetched_files, plan.fetched_bytes), (2, 6));
    let checkout = world.download_with(options()).checkout().await.unwrap();
    assert_eq!(checkout.removals(), []);
    assert!(world.files().is_empty());
    assert!(!root.parent().unwrap().exists());
    assert!(world.network.take_sent().is_empty());
    checkout.run().await.unwrap();
    assert!(root.join("b/c").exists());
}
