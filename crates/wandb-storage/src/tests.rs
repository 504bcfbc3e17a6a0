//! What a directory promises.

use std::fs;

use md5::{Digest, Md5};
use wandb_core::path::RelativePath;

use crate::{Directory, Existing, Expected, Mismatch, StorageError};

fn name(text: &str) -> RelativePath {
    wandb_core::path::safe_relative_path(text).unwrap()
}

fn md5_of(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

fn entries(path: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_only_when_it_is_complete_and_right() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path().join("new/deeper")).unwrap();
    let path = name("media/a b.txt");
    let mut file = directory.begin(&path, Existing::Refuse).unwrap();
    file.append(b"hello ").unwrap();
    assert!(!directory.path_of(&path).exists());
    file.append(b"world").unwrap();
    let expected = Expected {
        size: Some(11),
        md5: Some(md5_of(b"hello world")),
    };
    let (target, facts) = file.publish(&expected).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"hello world");
    assert_eq!(facts.size, 11);
    assert_eq!(directory.facts(&path).unwrap(), Some(facts));
    assert_eq!(entries(target.parent().unwrap()), ["a b.txt"]);
}

#[test]
fn wrong_bytes_leave_nothing() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let path = name("x");
    for (expected, is_size) in [
        (
            Expected {
                size: Some(4),
                md5: None,
            },
            true,
        ),
        (
            Expected {
                size: Some(3),
                md5: Some(md5_of(b"abd")),
            },
            false,
        ),
    ] {
        let mut file = directory.begin(&path, Existing::Refuse).unwrap();
        file.append(b"abc").unwrap();
        match file.publish(&expected).unwrap_err() {
            StorageError::Mismatch { source, .. } => {
                assert_eq!(matches!(source, Mismatch::Size { .. }), is_size);
            }
            other => panic!("{other}"),
        }
        assert!(entries(root.path()).is_empty());
    }
}

#[test]
fn an_existing_target_is_refused_or_replaced_as_a_whole() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let path = name("x");
    // It appears between the beginning and the end.
    let mut file = directory.begin(&path, Existing::Refuse).unwrap();
    file.append(b"ours").unwrap();
    fs::write(root.path().join("x"), "theirs").unwrap();
    assert!(matches!(
        file.publish(&Expected::default()),
        Err(StorageError::Exists { .. })
    ));
    assert_eq!(fs::read(root.path().join("x")).unwrap(), b"theirs");
    assert!(matches!(
        directory.begin(&path, Existing::Refuse),
        Err(StorageError::Exists { .. })
    ));
    let mut file = directory.begin(&path, Existing::Replace).unwrap();
    file.append(b"new").unwrap();
    assert_eq!(fs::read(root.path().join("x")).unwrap(), b"theirs");
    file.publish(&Expected::default()).unwrap();
    assert_eq!(fs::read(root.path().join("x")).unwrap(), b"new");
    assert_eq!(entries(root.path()), ["x"]);
}

#[test]
fn dropping_and_restarting_forget_what_was_written() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let path = name("x");
    let mut file = directory.begin(&path, Existing::Refuse).unwrap();
    file.append(b"half of someth").unwrap();
    file.restart().unwrap();
    file.append(b"all").unwrap();
    file.publish(&Expected {
        size: Some(3),
        md5: Some(md5_of(b"all")),
    })
    .unwrap();
    let mut file = directory.begin(&name("y"), Existing::Refuse).unwrap();
    file.append(b"gone").unwrap();
    drop(file);
    assert_eq!(entries(root.path()), ["x"]);
}

#[cfg(unix)]
#[test]
fn symbolic_links_do_not_lead_out() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
    assert!(directory.begin(&name("link/x"), Existing::Replace).is_err());
    fs::write(outside.path().join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("file")).unwrap();
    assert!(directory.facts(&name("file")).is_err());
    // Replacing a link replaces the link, not what it points to.
    let mut file = directory.begin(&name("file"), Existing::Replace).unwrap();
    file.append(b"mine").unwrap();
    file.publish(&Expected::default()).unwrap();
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"s");
    assert_eq!(fs::read(root.path().join("file")).unwrap(), b"mine");
    assert_eq!(entries(outside.path()), ["secret"]);
}

#[test]
fn a_directory_in_the_way_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    fs::create_dir(root.path().join("x")).unwrap();
    assert!(directory.begin(&name("x"), Existing::Replace).is_err());
    fs::write(root.path().join("f"), "").unwrap();
    assert!(directory.begin(&name("f/x"), Existing::Replace).is_err());
}

#[test]
fn parts_of_killed_processes_are_removed_when_they_are_old() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let hours_ago = |hours: u64| std::time::SystemTime::now() - std::time::Duration::from_secs(hours * 3_600);
    // The second one is longer than what is kept of it in the name of its part.
    for file_name in ["x".to_owned(), "é".repeat(120)] {
        let path = name(&file_name);
        // Forgotten as by a process that was killed.
        std::mem::forget(directory.begin(&path, Existing::Refuse).unwrap());
        let [part] = &entries(root.path())[..] else {
            panic!("one part")
        };
        let part = root.path().join(part);
        let another = root.path().join(".x.y.0000002a.wb-part");
        for (age, removed) in [(0, false), (2, true)] {
            for file in [&part, &another] {
                let file = fs::File::options().append(true).create(true).open(file).unwrap();
                file.set_modified(hours_ago(age)).unwrap();
            }
            drop(directory.begin(&path, Existing::Refuse).unwrap());
            assert_eq!(part.exists(), !removed, "{age} hours old");
            assert!(another.exists(), "a part of another file");
        }
        fs::remove_file(another).unwrap();
    }
}
