//! Transfers that end in the middle.

use super::world::{Fault, World, noise, url_of};

/// Runs the download until the network has been asked this often, then drops it.
async fn interrupt(world: &World, options: super::DownloadOptions, requests: usize) {
    let running = tokio::spawn(world.download_with(options).run());
    while world.network.sent.lock().unwrap().len() < requests {
        tokio::task::yield_now().await;
    }
    // What arrived is on the way to the disk.
    for _ in 0..200 {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    // Work that was on the blocking pool ends, and lets go of its locks.
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while !world.files().iter().all(|part| is_free(world, part)) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

fn is_free(world: &World, part: &str) -> bool {
    let Ok(file) = std::fs::File::options()
        .write(true)
        .open(world.target.path().join(part))
    else {
        return true;
    };
    file.try_lock().is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_on_where_a_dropped_one_ended() {
    let middle = noise(3 << 20);
    let world = World::new(&[("dir/middle", &middle)]);
    world
        .network
        .fault(&url_of("dir/middle"), Fault::HangAfter(2_500_000));
    interrupt(&world, world.options(), 1).await;
    assert_eq!(world.files().len(), 1);
    assert!(wandb_storage::is_part(
        world.files()[0].strip_prefix("dir/").unwrap()
    ));
    world.network.take_sent();
    let done = world.download().run().await.unwrap();
    let sent = world.network.take_sent();
    // Bytes are written by the mebibyte: at most that much is lost.
    assert_eq!(sent.len(), 1);
    assert!(sent[0].range.is_some(), "{sent:?}");
    assert!(
        done.transferred < (3 << 20) - 1_000_000,
        "{} bytes again",
        done.transferred
    );
    assert_eq!(world.read("dir/middle"), middle);
    assert_eq!(world.files(), ["dir/middle"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_that_are_complete_are_not_fetched_again() {
    let large = noise(6 << 20);
    let world = World::new(&[("large", &large)]);
    let options = || world.options().large_file(4 << 20, 1 << 20).large_connections(1);
    // The first three come, the fourth hangs.
    for _ in 0..3 {
        world.network.fault(&url_of("large"), Fault::BreakAfter(1 << 20));
    }
    world.network.fault(&url_of("large"), Fault::HangAfter(10));
    world.network.heal();
    let network = std::sync::Arc::clone(&world.network);
    let hang = tokio::spawn(async move {
        while network.sent.lock().unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        network.always(&url_of("large"), Fault::HangAfter(10));
    });
    let running = tokio::spawn(world.download_with(options()).run());
    hang.await.unwrap();
    let journal = |world: &World| {
        world
            .files()
            .into_iter()
            .find(|file| file.ends_with("-ranges.wb-part"))
            .map(|file| String::from_utf8(world.read(&file)).unwrap().lines().count() - 1)
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while journal(&world).unwrap_or(0) < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    running.abort();
    let _ = running.await;
    let complete = journal(&world).unwrap() as u64;
    assert!(complete < 6 && !world.target.path().join("large").exists());
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while !world.files().iter().all(|part| is_free(&world, part)) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    world.network.heal();
    world.network.take_sent();
    let done = world.download_with(options()).run().await.unwrap();
    assert_eq!(done.transferred, (6 - complete) << 20);
    assert_eq!(world.network.take_sent().len() as u64, 6 - complete);
    assert_eq!(world.read("large"), large);
    assert_eq!(world.files(), ["large"]);
}

#[tokio::test]
async fn a_part_that_was_damaged_meanwhile_costs_time_and_no_correctness() {
    let middle = noise(3 << 20);
    let large = noise(6 << 20);
    let world = World::new(&[("large", &large), ("middle", &middle)]);
    let options = || world.options().large_file(4 << 20, 1 << 20);
    for (entry, has_journal) in [(0, true), (1, false)] {
        let entry = &world.manifest.entries()[entry];
        let digest = entry.content_digest().unwrap();
        let names = wandb_storage::Directory::resumable_part_names(&entry.relative_path().unwrap(), &digest);
        let [part, journal] = names.map(|name| world.target.path().join(name));
        std::fs::write(part, vec![7; 2 << 20]).unwrap();
        if has_journal {
            std::fs::write(journal, format!("wb-ranges 1 {} {}\n0\n1\n5\n", 6 << 20, 1 << 20)).unwrap();
        }
    }
    std::fs::write(world.target.path().join(".small.00000001.wb-part"), "half").unwrap();
    world.download_with(options()).run().await.unwrap();
    assert_eq!(world.read("large"), large);
    assert_eq!(world.read("middle"), middle);
    assert_eq!(world.files(), ["large", "middle"], "what nobody wants is removed");
}

#[tokio::test]
async fn connections_that_break_are_gone_on_with() {
    let (middle, large) = (noise(3 << 20), noise(5 << 20));
    let world = World::new(&[("large", &large), ("middle", &middle), ("small", b"0123456789")]);
    for _ in 0..3 {
        world.network.fault(&url_of("small"), Fault::BreakAfter(3));
        world.network.fault(&url_of("middle"), Fault::BreakAfter(700_001));
        world.network.fault(&url_of("large"), Fault::BreakAfter(300_001));
    }
    let options = world.options().large_file(4 << 20, 1 << 20);
    let done = world.download_with(options).run().await.unwrap();
    assert_eq!(done.transferred, (8 << 20) + 10, "no byte came twice");
    assert_eq!(world.read("large"), large);
    assert_eq!(world.read("middle"), middle);
    assert_eq!(world.read("small"), b"0123456789");
}
