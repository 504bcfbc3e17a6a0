//! Checkouts over directories in which other things stand.

use std::{fs, path::Path};

use wandb_core::ErrorKind;

use super::world::{World, url_of};

fn shown(checkout: &crate::transfer::Checkout) -> Vec<&str> {
    let removals = checkout.removals().iter();
    removals.map(|removal| removal.path.as_str()).collect()
}

#[tokio::test]
async fn a_checkout_shows_what_it_removes_and_then_removes_it() {
    let world = World::new(&[("keep/a", b"1"), ("b", b"2")]);
    world.download().run().await.unwrap();
    fs::create_dir_all(world.target.path().join("old/deep")).unwrap();
    for file in ["keep/x", "old/deep/y", "z"] {
        fs::write(world.target.path().join(file), "extra").unwrap();
    }
    fs::remove_file(world.target.path().join("b")).unwrap();
    let checkout = world.download().checkout().await.unwrap();
    assert_eq!(shown(&checkout), ["keep/x", "old", "old/deep", "old/deep/y", "z"]);
    assert_eq!(
        world.files(),
        ["keep/a", "keep/x", "old/deep/y", "z"],
        "nothing is done yet"
    );
    let (done, removed) = checkout.run().await.unwrap();
    assert_eq!((done.fetched, removed.len()), (1, 5));
    assert_eq!(world.files(), ["b", "keep/a"]);
    assert!(!world.target.path().join("old").exists());
}

/// A directory where a file must be, a file where a folder must be, and links in both places.
fn clashing(root: &Path, outside: &Path) {
    fs::create_dir_all(root.join("file/deep")).unwrap();
    fs::write(root.join("file/deep/x"), "in the way").unwrap();
    fs::write(root.join("folder"), "in the way").unwrap();
    fs::write(root.join("extra"), "not in the way").unwrap();
    fs::write(outside.join("c"), "somebody else's").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside, root.join("linked")).unwrap();
        std::os::unix::fs::symlink(outside.join("c"), root.join("member")).unwrap();
    }
}

const FILES: [(&str, &[u8]); 4] = [
    ("file", b"1"),
    ("folder/a/b", b"22"),
    ("linked/c", b"333"),
    ("member", b"4444"),
];

#[cfg(unix)]
#[tokio::test]
async fn what_stands_in_the_way_goes_first() {
    let world = World::new(&FILES);
    let outside = tempfile::tempdir().unwrap();
    clashing(world.target.path(), outside.path());
    // A plain download does not remove what it did not write.
    let error = world.download().run().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Io),
        "{error}"
    );
    assert!(world.target.path().join("file/deep/x").exists());

    let checkout = world.download().checkout().await.unwrap();
    assert_eq!(
        shown(&checkout),
        ["extra", "file", "file/deep", "file/deep/x", "folder", "linked"]
    );
    world.network.take_sent();
    let plan = checkout.plan().await.unwrap();
    assert_eq!((plan.fetched_files, plan.present_files), (4, 0));
    assert!(world.network.take_sent().is_empty(), "a plan asks for nothing");

    let (done, removed) = checkout.run().await.unwrap();
    assert_eq!((done.fetched, removed.len()), (4, 6));
    assert_eq!(world.files(), ["file", "folder/a/b", "linked/c", "member"]);
    for (path, bytes) in FILES {
        assert_eq!(world.read(path), bytes);
        let kind = fs::symlink_metadata(world.target.path().join(path)).unwrap();
        assert!(kind.is_file(), "{path}");
    }
    assert_eq!(fs::read(outside.path().join("c")).unwrap(), b"somebody else's");
}

#[cfg(unix)]
#[tokio::test]
async fn a_checkout_that_ends_in_between_is_completed_by_the_next() {
    let world = World::new(&FILES);
    let outside = tempfile::tempdir().unwrap();
    clashing(world.target.path(), outside.path());
    world
        .network
        .always(&url_of("linked/c"), super::world::Fault::Status(404));
    let error = world
        .download()
        .checkout()
        .await
        .unwrap()
        .run()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    // What was not in the way is still there.
    assert!(world.target.path().join("extra").exists());
    assert!(!world.target.path().join("file/deep").exists());

    world.network.heal();
    let checkout = world.download().checkout().await.unwrap();
    assert!(shown(&checkout).contains(&"extra"));
    checkout.run().await.unwrap();
    assert_eq!(world.files(), ["file", "folder/a/b", "linked/c", "member"]);
}

#[tokio::test]
async fn what_was_not_shown_is_not_removed() {
    let world = World::new(&[("file", b"1")]);
    fs::create_dir(world.target.path().join("file")).unwrap();
    let checkout = world.download().checkout().await.unwrap();
    fs::write(world.target.path().join("file/new"), "just written").unwrap();
    let error = checkout.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(world.files(), ["file/new"]);
    assert!(world.network.take_sent().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_name_that_cannot_be_said_ends_it_before_anything_is_done() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new(&[("a", b"1")]);
    let name = std::ffi::OsStr::from_bytes(b"x\xff");
    if fs::write(world.target.path().join(name), "").is_err() {
        // Some file systems take Unicode only.
        return;
    }
    let error = world.download().checkout().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn things_are_removed_whatever_their_names() {
    let world = World::new(&[("a", b"1")]);
    let odd = if cfg!(windows) { "odd" } else { "odd.\\ name. " };
    fs::write(world.target.path().join(odd), "").unwrap();
    let checkout = world.download().checkout().await.unwrap();
    assert_eq!(shown(&checkout), [odd]);
    checkout.run().await.unwrap();
    assert_eq!(world.files(), ["a"]);
}
