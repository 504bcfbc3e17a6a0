//! A server that is wrong: no wrong byte gets a name, and no key goes astray.

use std::sync::Arc;

use wandb_core::ErrorKind;

use super::world::{BASE, Fault, Urls, World, noise, url_of};
use crate::manifest::Manifest;

fn wrong() -> [Fault; 4] {
    [Fault::Corrupt, Fault::Truncate, Fault::Grow, Fault::ErrorPage]
}

#[tokio::test]
async fn wrong_bytes_are_fetched_once_more_from_a_fresh_address() {
    let (middle, large) = (noise(2 << 20), noise(5 << 20));
    for fault in wrong() {
        let world = World::new(&[("large", &large), ("middle", &middle), ("small", b"some bytes")]);
        for path in ["large", "middle", "small"] {
            world.network.fault(&url_of(path), fault.clone());
        }
        let options = world.options().large_file(4 << 20, 1 << 20);
        let done = world.download_with(options).run().await.unwrap();
        assert_eq!(done.fetched, 3, "{fault:?}");
        assert_eq!(world.read("large"), large);
        assert_eq!(world.read("middle"), middle);
        assert_eq!(world.read("small"), b"some bytes");
        assert_eq!(world.files().len(), 3, "{:?}", world.files());
    }
}

#[tokio::test]
async fn sizes_beyond_all_measure_cost_no_memory_and_end_in_an_error() {
    let mut world = World::new(&[("a", b"few bytes"), ("b", b"others")]);
    let entries = world.manifest.iter().cloned();
    let entries = entries.map(|entry| entry.with_size(u64::MAX)).collect();
    world.manifest = Arc::new(Manifest::new().with_entries(entries).unwrap());
    let error = world.download().run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    let files = world.files();
    assert!(files.iter().all(|file| wandb_storage::is_part(file)), "{files:?}");
}

#[tokio::test]
async fn bytes_that_stay_wrong_never_get_a_name() {
    let (middle, large) = (noise(2 << 20), noise(5 << 20));
    for fault in wrong() {
        for path in ["large", "middle", "small"] {
            let world = World::new(&[("large", &large), ("middle", &middle), ("small", b"some bytes")]);
            world.network.always(&url_of(path), fault.clone());
            let options = world.options().large_file(4 << 20, 1 << 20);
            let error = world.download_with(options).run().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Integrity, "{fault:?}: {error}");
            assert!(error.to_string().contains(path), "{error}");
            assert!(!world.files().iter().any(|file| file == path));
            // Others may be there, complete, or as parts that nobody trusts.
            for file in world.files() {
                match file.as_str() {
                    "large" => assert_eq!(world.read("large"), large),
                    "middle" => assert_eq!(world.read("middle"), middle),
                    "small" => assert_eq!(world.read("small"), b"some bytes"),
                    part => assert!(wandb_storage::is_part(part), "{part}"),
                }
            }
            // The next call has nothing to trust but what is right.
            world.network.heal();
            let done = world.download().run().await.unwrap();
            assert_eq!(done.present + done.fetched, 3);
            assert_eq!(world.files(), ["large", "middle", "small"]);
            assert_eq!(world.read("large"), large);
        }
    }
}

#[tokio::test]
async fn an_object_that_changes_between_ranges_is_never_mixed() {
    let large = noise(5 << 20);
    let world = World::new(&[("large", &large)]);
    // The first range comes from the old object, then there is another one.
    world.network.fault(&url_of("large"), Fault::BreakAfter(100_000));
    world.network.fault(&url_of("large"), Fault::Change);
    let options = || world.options().large_file(4 << 20, 1 << 20);
    let error = world.download_with(options()).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    assert!(world.files().is_empty(), "{:?}", world.files());
    world
        .network
        .put(&url_of("large"), large.clone(), Some("\"third\""));
    world.download_with(options()).run().await.unwrap();
    assert_eq!(world.read("large"), large);
}

#[tokio::test]
async fn a_server_without_ranges_or_tags_is_read_in_one_stream() {
    let large = noise(5 << 20);
    let world = World::new(&[("large", &large)]);
    let options = || world.options().large_file(4 << 20, 1 << 20);
    world.network.always(&url_of("large"), Fault::NoRange);
    world.download_with(options()).run().await.unwrap();
    assert_eq!(world.read("large"), large);

    let world = World::new(&[]);
    let mut world = world;
    let entry = crate::ManifestEntry::file("x", crate::Algorithm::Xxh128.hash(&large), large.len() as u64);
    world.manifest = std::sync::Arc::new(crate::Manifest::new().with_entries(vec![entry]).unwrap());
    world.network.put(&url_of("x"), large.clone(), None);
    let options = world.options().large_file(4 << 20, 1 << 20);
    world.download_with(options).run().await.unwrap();
    assert_eq!(world.read("x"), large);
    assert!(world.network.take_sent().iter().all(|sent| !sent.if_range));
}

#[tokio::test]
async fn expired_addresses_are_renewed_in_one_batch() {
    let names: Vec<String> = (0..100).map(|index| format!("f{index:03}")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), name.as_bytes()))
        .collect();
    let urls = Urls {
        renews: true,
        ..Urls::default()
    };
    let world = World::with_urls(&files, urls);
    world.network.expired.lock().unwrap().push("sig0".to_owned());
    let done = world.download().run().await.unwrap();
    assert_eq!(done.fetched, 100);
    let asked = world.urls.asked.lock().unwrap().len();
    assert_eq!(asked, 2, "one batch, and one renewal of it");
}

#[tokio::test]
async fn the_servers_own_address_gets_the_key_and_nobody_else_does() {
    let urls = Urls {
        has_fallback: true,
        ..Urls::default()
    };
    urls.nowhere.lock().unwrap().push("unsigned".to_owned());
    let world = World::with_urls(&[("refused", b"1"), ("unsigned", b"2"), ("moved", b"3")], urls);
    let own = |path: &str| format!("{BASE}/artifactsV2/{path}");
    world.network.always(&url_of("refused"), Fault::Status(403));
    world.network.put(&own("refused"), &b"1"[..], None);
    // To a bucket: the key stays here.
    world.network.put(&own("unsigned"), &b"2"[..], None);
    world.network.always(
        &own("unsigned"),
        Fault::Redirect("https://bucket.example.test/2?X-Signature=s".to_owned()),
    );
    world
        .network
        .put("https://bucket.example.test/2", &b"2"[..], None);
    world.network.always(
        &url_of("moved"),
        Fault::Redirect(format!("{BASE}/elsewhere?signature=s")),
    );
    world.network.put(&format!("{BASE}/elsewhere"), &b"3"[..], None);
    let done = world.download().run().await.unwrap();
    assert_eq!(done.fetched, 3);
    let sent = world.network.take_sent();
    for sent in &sent {
        assert_eq!(
            sent.has_key,
            sent.url.starts_with(&format!("{BASE}/artifactsV2/")),
            "{sent:?}"
        );
    }
    assert_eq!(sent.iter().filter(|sent| sent.has_key).count(), 2);
}

#[tokio::test]
async fn failures_are_all_named_and_end_the_rest() {
    let names: Vec<String> = (0..400).map(|index| format!("f{index:03}")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), name.as_bytes()))
        .collect();
    let world = World::new(&files);
    world.network.always(&url_of("f007"), Fault::Status(400));
    let error = world
        .download_with(world.options().connections(4, 4))
        .run()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("f007"), "{error}");
    let sent = world.network.take_sent().len();
    assert!(sent < 300, "the rest was not cancelled: {sent} requests");
    world.network.heal();
    let done = world.download().run().await.unwrap();
    assert_eq!(done.present + done.fetched, 400);
    assert_eq!(world.files().len(), 400);
}

#[tokio::test]
async fn an_overloaded_server_is_asked_again_later() {
    let names: Vec<String> = (0..50).map(|index| format!("f{index}")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), name.as_bytes()))
        .collect();
    let world = World::new(&files);
    for name in names.iter().step_by(3) {
        world.network.fault(&url_of(name), Fault::Status(503));
        world.network.fault(&url_of(name), Fault::Status(429));
    }
    assert_eq!(world.download().run().await.unwrap().fetched, 50);
}

/// Panics when a file ends, on the thread that publishes.
#[derive(Debug)]
struct Broken;

impl crate::transfer::Progress for Broken {
    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, _: u64) {}

    fn end(&self, name: &str) {
        assert_ne!(name, "f150", "the one that publishes panics");
    }
}

#[tokio::test]
async fn a_panic_of_a_thread_behind_the_scenes_comes_out() {
    // More than fit into any queue, so that nobody may wait for the one that is gone.
    let names: Vec<String> = (0..1_500).map(|number| format!("f{number}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, name.as_bytes())).collect();
    for of_writer in [true, false] {
        let world = World::new(&files);
        let mut options = world.options();
        if of_writer {
            options.before_write = Some(|path| assert_ne!(path, "f150", "the one that writes panics"));
        } else {
            options = options.progress(std::sync::Arc::new(Broken));
        }
        let ended = tokio::spawn(world.download_with(options).run())
            .await
            .unwrap_err();
        let message = ended.into_panic().downcast::<String>().unwrap();
        let expected = if of_writer {
            "that writes"
        } else {
            "that publishes"
        };
        assert!(message.contains(expected), "{message}");
        // The next call completes it.
        let done = world.download().run().await.unwrap();
        assert_eq!(done.present + done.fetched, 1_500);
        assert!(done.fetched > 0);
    }
}
