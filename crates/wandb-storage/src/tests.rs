//! What a directory promises.

use std::fs;

use wandb_core::path::RelativePath;

use crate::{
    Algorithm, ContentDigest, Directory, Existing, Expected, Found, Mismatch, Placement, StorageError,
    publish_many,
};

fn name(text: &str) -> RelativePath {
    wandb_core::path::safe_relative_path(text).unwrap()
}

fn md5_of(bytes: &[u8]) -> ContentDigest {
    Algorithm::Md5.hash(bytes)
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
    let mut file = directory.begin(&path, Existing::Refuse, Algorithm::Md5).unwrap();
    file.append(b"hello ").unwrap();
    assert!(!directory.path_of(&path).exists());
    file.append(b"world").unwrap();
    let expected = Expected {
        size: Some(11),
        digest: Some(md5_of(b"hello world")),
    };
    let (target, facts) = file.publish(&expected).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"hello world");
    assert_eq!(facts.size, 11);
    assert_eq!(directory.facts(&path, Algorithm::Md5).unwrap(), Some(facts));
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
                digest: None,
            },
            true,
        ),
        (
            Expected {
                size: Some(3),
                digest: Some(md5_of(b"abd")),
            },
            false,
        ),
    ] {
        let mut file = directory.begin(&path, Existing::Refuse, Algorithm::Md5).unwrap();
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
    let mut file = directory.begin(&path, Existing::Refuse, Algorithm::Md5).unwrap();
    file.append(b"ours").unwrap();
    fs::write(root.path().join("x"), "theirs").unwrap();
    assert!(matches!(
        file.publish(&Expected::default()),
        Err(StorageError::Exists { .. })
    ));
    assert_eq!(fs::read(root.path().join("x")).unwrap(), b"theirs");
    assert!(matches!(
        directory.begin(&path, Existing::Refuse, Algorithm::Md5),
        Err(StorageError::Exists { .. })
    ));
    let mut file = directory.begin(&path, Existing::Replace, Algorithm::Md5).unwrap();
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
    let mut file = directory.begin(&path, Existing::Refuse, Algorithm::Md5).unwrap();
    file.append(b"half of someth").unwrap();
    file.restart().unwrap();
    file.append(b"all").unwrap();
    file.publish(&Expected {
        size: Some(3),
        digest: Some(md5_of(b"all")),
    })
    .unwrap();
    let mut file = directory
        .begin(&name("y"), Existing::Refuse, Algorithm::Md5)
        .unwrap();
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
    // A link that stays inside, and behind it one that does not: the second is told.
    fs::create_dir(root.path().join("in")).unwrap();
    std::os::unix::fs::symlink("in", root.path().join("alias")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("in/link")).unwrap();
    let names = ["in/link/x", "alias/link/x", "in/link/deep/er/x"];
    for (path, link) in names.into_iter().zip(["in/link", "alias/link", "in/link"]) {
        let link = root.path().join(link);
        let begun = directory.begin(&name(path), Existing::Replace, Algorithm::Md5);
        for error in [
            begun.map(|_| ()).unwrap_err(),
            directory.look_at(&name(path)).unwrap_err(),
        ] {
            assert!(
                matches!(&error, StorageError::Link { link: told } if *told == link),
                "{error:?}"
            );
            let error = wandb_core::Error::from(error);
            assert!(error.to_string().contains("is a symbolic link"), "{error}");
            assert!(error.hints()[0].contains("nothing is written"), "{error:?}");
        }
    }
    fs::write(outside.path().join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("file")).unwrap();
    assert!(directory.facts(&name("file"), Algorithm::Md5).is_err());
    // Replacing a link replaces the link, not what it points to.
    let mut file = directory
        .begin(&name("file"), Existing::Replace, Algorithm::Md5)
        .unwrap();
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
    assert!(
        directory
            .begin(&name("x"), Existing::Replace, Algorithm::Md5)
            .is_err()
    );
    fs::write(root.path().join("f"), "").unwrap();
    assert!(
        directory
            .begin(&name("f/x"), Existing::Replace, Algorithm::Md5)
            .is_err()
    );
}

#[test]
fn parts_of_dead_processes_are_removed_and_those_of_live_ones_stay() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    // The second one is longer than what is kept of it in the name of its part.
    for file_name in ["x".to_owned(), "é".repeat(120)] {
        let path = name(&file_name);
        let alive = directory.begin(&path, Existing::Refuse, Algorithm::Md5).unwrap();
        let [part] = &entries(root.path())[..] else {
            panic!("one part")
        };
        let stem = part.rsplit_once('.').unwrap().0.rsplit_once('.').unwrap().0;
        let dead = root.path().join(format!("{stem}.0000002a.wb-part"));
        let another = root.path().join(".x.y.0000002a.wb-part");
        fs::write(&dead, "half").unwrap();
        fs::write(&another, "half").unwrap();
        drop(directory.begin(&path, Existing::Refuse, Algorithm::Md5).unwrap());
        assert!(root.path().join(part).exists(), "it is being written");
        assert!(!dead.exists(), "nobody has it locked");
        assert!(another.exists(), "a part of another file");
        fs::write(&dead, "half").unwrap();
        assert_eq!(
            directory.sweep_parts(None, &|text| text == ".x.y.0000002a.wb-part"),
            1
        );
        assert!(another.exists() && !dead.exists());
        drop(alive);
        assert_eq!(directory.sweep_parts(None, &|_| false), 1);
        assert!(entries(root.path()).is_empty());
    }
}

#[test]
fn a_resumable_file_is_continued_where_it_was_left() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let path = name("models/big");
    let digest = md5_of(b"hello world");
    let expected = Expected {
        size: Some(11),
        digest: Some(digest),
    };
    let mut file = directory
        .begin_resumable(&path, Existing::Replace, &digest)
        .unwrap();
    file.append(b"hello ").unwrap();
    // Someone else who wants the same at this moment does not touch it.
    let other = directory
        .begin_resumable(&path, Existing::Replace, &digest)
        .unwrap();
    assert_eq!(other.left_over(), 0);
    drop(other);
    drop(file);
    let [part, _] = Directory::resumable_part_names(&path, &digest);
    assert_eq!(entries(&root.path().join("models")), [&*part]);
    assert_eq!(directory.sweep_parts(Some("models"), &|text| text == part), 0);

    let mut file = directory
        .begin_resumable(&path, Existing::Replace, &digest)
        .unwrap();
    assert_eq!(file.left_over(), 6);
    file.absorb(6).unwrap();
    assert!(file.absorb(7).is_err(), "there is no seventh byte");
    file.append(b"world").unwrap();
    file.publish(&expected).unwrap();
    assert_eq!(entries(&root.path().join("models")), ["big"]);

    // What is wrong does not stay to be continued.
    let mut file = directory
        .begin_resumable(&path, Existing::Replace, &digest)
        .unwrap();
    file.append(b"hello wurld").unwrap();
    assert!(matches!(
        file.publish(&expected),
        Err(StorageError::Mismatch { .. })
    ));
    assert_eq!(entries(&root.path().join("models")), ["big"]);
}

#[test]
fn a_journal_survives_a_kill_and_belongs_to_one_object() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let path = name("big");
    let digest = md5_of(b"aabbcc");
    let begin = || {
        directory
            .begin_resumable(&path, Existing::Replace, &digest)
            .unwrap()
    };
    let mut file = begin();
    let mut journal = file.journal("6 2 tag", 3).unwrap().unwrap();
    file.writer().write_at(b"cc", 4).unwrap();
    journal.note(2).unwrap();
    drop((file, journal));

    let [_, journal_name] = Directory::resumable_part_names(&path, &digest);
    // The kill came in the middle of a line.
    let mut text = fs::read(root.path().join(&journal_name)).unwrap();
    text.extend_from_slice(b"1");
    fs::write(root.path().join(&journal_name), text).unwrap();
    let mut file = begin();
    let journal = file.journal("6 2 tag", 3).unwrap().unwrap();
    assert_eq!(
        [0, 1, 2].map(|piece| journal.is_done(piece)),
        [false, false, true]
    );
    file.append(b"aa").unwrap();
    file.writer().write_at(b"bb", 2).unwrap();
    file.absorb(6).unwrap();
    drop(journal);
    file.publish(&Expected {
        size: Some(6),
        digest: Some(digest),
    })
    .unwrap();
    assert_eq!(fs::read(root.path().join("big")).unwrap(), b"aabbcc");
    assert_eq!(entries(root.path()), ["big"]);

    for (head, text) in [
        ("6 2 new", "6 2 tag\n2\n"),
        ("h", "h\n3\n"),
        ("h", "h\nx\n"),
        ("h", "\u{0}"),
        ("h", ""),
    ] {
        fs::write(root.path().join(&journal_name), text).unwrap();
        let mut file = begin();
        let journal = file.journal(head, 3).unwrap().unwrap();
        assert!((0..9).all(|piece| !journal.is_done(piece)), "{text:?}");
        assert_eq!(
            fs::read_to_string(root.path().join(&journal_name)).unwrap(),
            format!("{head}\n")
        );
    }
}

#[test]
fn many_files_are_published_together_and_each_has_its_own_result() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::create(root.path()).unwrap();
    let mut batch = Vec::new();
    for index in 0..40 {
        let path = name(&format!("d{}/f{index}", index % 3));
        let mut file = directory
            .begin_one_of_many(&path, Existing::Refuse, Algorithm::Xxh128)
            .unwrap();
        file.append(&[index]).unwrap();
        batch.push(file.verify(&Expected::default()).unwrap());
    }
    fs::write(root.path().join("d1/f1"), "in the way").unwrap();
    assert!(!root.path().join("d0/f0").exists());
    let results = publish_many(batch);
    for (index, result) in (0_u8..).zip(&results) {
        if index == 1 {
            assert!(matches!(result, Err(StorageError::Exists { .. })));
            continue;
        }
        let published = result.as_ref().unwrap();
        assert_eq!(fs::read(&published.path).unwrap(), [index]);
        assert_eq!(published.facts.digest, Algorithm::Xxh128.hash(&[index]));
        let path = name(&format!("d{}/f{index}", index % 3));
        assert_eq!(
            directory.look_at(&path).unwrap(),
            Found::File(published.stat.unwrap())
        );
    }
    assert_eq!(fs::read(root.path().join("d1/f1")).unwrap(), b"in the way");
    for folder in ["d0", "d1", "d2"] {
        assert!(
            entries(&root.path().join(folder))
                .iter()
                .all(|name| name.starts_with('f'))
        );
    }
}

#[test]
fn a_file_is_placed_from_elsewhere_only_while_its_proof_holds() {
    let (root, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (directory, source) = (
        Directory::create(root.path()).unwrap(),
        Directory::create(cache.path()).unwrap(),
    );
    let blob = name("blob");
    for placement in [Placement::Copy, Placement::HardLink] {
        let path = name("deep/file");
        let mut file = source.begin(&blob, Existing::Replace, Algorithm::Md5).unwrap();
        file.append(b"content").unwrap();
        file.publish(&Expected::default()).unwrap();
        let facts = source.facts(&blob, Algorithm::Md5).unwrap().unwrap();
        let place = |existing| {
            let Found::File(stat) = source.look_at(&blob).unwrap() else {
                panic!()
            };
            directory.place_from(&path, existing, (&source, &blob), (&stat, &facts), placement)
        };
        let placed = place(Existing::Refuse).unwrap().unwrap();
        // A link to where nothing is has its name at once.
        let is_link = placement == Placement::HardLink;
        assert_eq!(placed.linked_stat().is_some(), is_link);
        assert_eq!(directory.path_of(&path).exists(), is_link);
        for result in publish_many(vec![placed]) {
            assert_eq!(fs::read(result.unwrap().path).unwrap(), b"content");
        }
        assert!(place(Existing::Refuse).is_err());
        // Also onto itself: two names of one file are not renamed over each other by the system.
        let placed = place(Existing::Replace).unwrap().unwrap();
        publish_many(vec![placed]).pop().unwrap().unwrap();
        assert_eq!(entries(&root.path().join("deep")), ["file"]);

        let Found::File(stat) = source.look_at(&blob).unwrap() else {
            panic!()
        };
        fs::write(cache.path().join("blob"), "CONTENT").unwrap();
        let stale = directory.place_from(
            &path,
            Existing::Replace,
            (&source, &blob),
            (&stat, &facts),
            placement,
        );
        assert!(stale.unwrap().is_none());
        fs::remove_file(cache.path().join("blob")).unwrap();
        fs::remove_file(root.path().join("deep/file")).unwrap();
        let stale = directory.place_from(
            &path,
            Existing::Replace,
            (&source, &blob),
            (&stat, &facts),
            placement,
        );
        assert!(stale.unwrap().is_none());
    }
    assert!(entries(&root.path().join("deep")).is_empty());
}
