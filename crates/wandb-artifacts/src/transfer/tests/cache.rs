//! Downloads with a cache.

use std::{fs, sync::Arc};

use wandb_storage::Placement;

use super::world::{Fault, World, noise, url_of};
use crate::{cache::Cache, manifest::ManifestEntry};

fn with_cache(
    world: &World,
    folder: &tempfile::TempDir,
    target: &tempfile::TempDir,
) -> super::DownloadOptions {
    let cache = Arc::new(Cache::open(folder.path()).unwrap());
    let _ = world;
    super::DownloadOptions::below(target.path()).cache(cache)
}

#[tokio::test]
async fn what_was_fetched_once_comes_from_the_cache() {
    let middle = noise(2 << 20);
    let folder = tempfile::tempdir().unwrap();
    for placement in [Placement::Copy, Placement::HardLink] {
        let mut world = World::new(&[("deep/middle", &middle), ("small", b"content")]);
        let address = "https://data.example.test/x";
        let mut entries = world.manifest.entries().to_vec();
        entries.push(ManifestEntry::reference("tagged", address, "abc").with_size(5));
        world.manifest = Arc::new(crate::Manifest::new().with_entries(entries).unwrap());
        world.network.put(address, &b"12345"[..], Some("\"abc\""));
        let first = tempfile::tempdir().unwrap();
        let options = with_cache(&world, &folder, &first).placement(placement);
        let done = world.download_with(options.clone()).run().await.unwrap();
        assert_eq!(done.cached + done.fetched, 3);
        drop(options);
        world.network.take_sent();
        let second = tempfile::tempdir().unwrap();
        let options = with_cache(&world, &folder, &second).placement(placement);
        let plan = world.download_with(options.clone()).plan().await.unwrap();
        assert_eq!((plan.cached_files, plan.fetched_files), (2, 0));
        let done = world.download_with(options.clone()).run().await.unwrap();
        assert_eq!(
            (done.cached, done.fetched, done.transferred),
            (3, 0, 0),
            "{placement:?}"
        );
        assert!(world.network.take_sent().is_empty());
        assert_eq!(fs::read(second.path().join("deep/middle")).unwrap(), middle);
        assert_eq!(fs::read(second.path().join("tagged")).unwrap(), b"12345");
        // The record of what is verified is beside the cache, not in the folder.
        assert_eq!(fs::read_dir(second.path()).unwrap().count(), 3);
        let skipping = options.skip_cache(true);
        fs::remove_file(second.path().join("small")).unwrap();
        let done = world.download_with(skipping).run().await.unwrap();
        // A reference without a digest of bytes that was written a moment ago is not sure to be unchanged.
        assert_eq!((done.cached, done.present + done.fetched), (0, 3));
        assert!(done.fetched >= 1);
    }
}

#[tokio::test]
async fn a_damaged_object_of_the_cache_is_never_used() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&[("x", b"content")]);
    let first = tempfile::tempdir().unwrap();
    world
        .download_with(with_cache(&world, &folder, &first))
        .run()
        .await
        .unwrap();
    let digest = world.manifest.entries()[0].content_digest().unwrap().hex();
    let object = folder
        .path()
        .join("artifacts/obj/md5")
        .join(&digest[..2])
        .join(&digest[2..]);
    assert_eq!(fs::read(&object).unwrap(), b"content");
    let modified = fs::metadata(&object).unwrap().modified().unwrap();
    let mut permissions = fs::metadata(&object).unwrap().permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(&object, permissions).unwrap();
    fs::write(&object, b"CONTENT").unwrap();
    fs::File::options()
        .append(true)
        .open(&object)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    world.network.take_sent();
    let second = tempfile::tempdir().unwrap();
    let done = world
        .download_with(with_cache(&world, &folder, &second))
        .run()
        .await
        .unwrap();
    assert_eq!((done.cached, done.fetched), (0, 1));
    assert_eq!(fs::read(second.path().join("x")).unwrap(), b"content");
}

#[tokio::test]
async fn wrong_bytes_do_not_get_into_the_cache() {
    for fault in [Fault::Corrupt, Fault::Truncate, Fault::Grow, Fault::ErrorPage] {
        let folder = tempfile::tempdir().unwrap();
        let large = noise(3 << 20);
        let world = World::new(&[("large", &large), ("small", b"content")]);
        for path in ["large", "small"] {
            world.network.always(&url_of(path), fault.clone());
        }
        let target = tempfile::tempdir().unwrap();
        let options = with_cache(&world, &folder, &target).large_file(2 << 20, 1 << 20);
        world.download_with(options).run().await.unwrap_err();
        let objects = folder.path().join("artifacts/obj");
        assert_eq!(fs::read_dir(objects).unwrap().count(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn the_same_bytes_are_fetched_once() {
    let world = World::new(&[("a", b"same"), ("b/c", b"same"), ("d", b"other"), ("e", b"same")]);
    let done = world.download().run().await.unwrap();
    assert_eq!((done.fetched, done.copied, done.bytes), (2, 2, 17));
    assert_eq!(world.network.take_sent().len(), 2);
    for path in ["a", "b/c", "e"] {
        assert_eq!(world.read(path), b"same");
    }
    assert_eq!(world.files(), ["a", "b/c", "d", "e"]);
    assert_eq!(world.download().run().await.unwrap().present, 4);
}

#[tokio::test]
async fn a_download_keeps_the_budget_and_what_was_removed_is_fetched_again() {
    let (one, two) = (noise(30_000), noise(40_000));
    let world = World::new(&[("one", &one), ("two", &two)]);
    let folder = tempfile::tempdir().unwrap();
    let cache = |bytes| Arc::new(Cache::open(folder.path()).unwrap().with_budget(bytes));
    let mut fetched = Vec::new();
    for budget in [100_000, 100_000, 45_000, 100_000, 0, 100_000] {
        let target = tempfile::tempdir().unwrap();
        let options = super::DownloadOptions::below(target.path()).cache(cache(budget));
        let done = world.download_with(options).run().await.unwrap();
        fetched.push((done.cached, done.fetched));
        assert_eq!(fs::read(target.path().join("one")).unwrap(), one);
        assert_eq!(fs::read(target.path().join("two")).unwrap(), two);
        let usage = cache(0).usage().unwrap();
        assert!(usage.total().bytes <= budget, "{usage:?}");
    }
    // From the second on the cache has both; the third makes room for one of them; the fifth for none.
    assert_eq!(fetched[..3], [(0, 2), (2, 0), (2, 0)]);
    assert!(matches!(fetched[3], (1, 1)), "{fetched:?}");
    assert_eq!(fetched[4..], [(2, 0), (0, 2)]);
    // The records of the first four folders, which are gone, went with the fifth download.
    assert_eq!(cache(0).usage().unwrap().verified_folders.files, 2);
}

#[tokio::test]
async fn nothing_is_removed_while_another_download_uses_the_cache() {
    let world = World::new(&[("one", &noise(30_000))]);
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::open(folder.path()).unwrap().with_budget(0));
    let other = Cache::open(folder.path()).unwrap();
    let in_use = other.guard().unwrap();
    let run = async || {
        let target = tempfile::tempdir().unwrap();
        let options = super::DownloadOptions::below(target.path()).cache(Arc::clone(&cache));
        world.download_with(options).run().await.unwrap()
    };
    assert_eq!(run().await.fetched, 1);
    assert_eq!(run().await.cached, 1, "it stays as long as it may be used");
    drop(in_use);
    assert_eq!(run().await.cached, 1);
    assert_eq!(run().await.fetched, 1, "the one before made room");
}
