//! What a check finds.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use wandb_core::{Error, ErrorKind};

use super::*;
use crate::{
    digest::Algorithm,
    filenames::{NamePolicy, PathFault},
    manifest::{Manifest, ManifestEntry},
};

fn entry(path: &str, content: &str) -> ManifestEntry {
    ManifestEntry::file(
        path,
        Algorithm::Md5.hash(content.as_bytes()),
        content.len() as u64,
    )
}

fn manifest(files: &[(&str, &str)]) -> Manifest {
    let entries = files.iter().map(|(path, content)| entry(path, content)).collect();
    Manifest::new().with_entries(entries).unwrap()
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

const FILES: &[(&str, &str)] = &[
    ("a.txt", "one"),
    ("dir/b", ""),
    ("dir/sub/ü", "three"),
    ("z", "four"),
];

#[test]
fn a_directory_that_is_right_is_told_so() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), FILES);
    let mut manifest = manifest(FILES);
    manifest.insert(ManifestEntry::file("x.bin", Algorithm::Xxh128.hash(b"bytes"), 5));
    manifest.insert(ManifestEntry::reference("ref", "s3://b/k", "etag"));
    write(root.path(), &[("x.bin", "bytes")]);
    fs::create_dir(root.path().join("empty")).unwrap();
    let found = verify(root.path(), &manifest, &VerifyOptions::default()).unwrap();
    assert!(found.is_ok(), "{found}");
    assert_eq!((found.verified, found.verified_bytes), (5, 17));
    assert_eq!(found.unverified_references, ["ref"]);
    assert_eq!(
        found.to_string(),
        "5 files verified (17 bytes), 0 faults, 1 reference not checked"
    );
    found.into_result().unwrap();
}

#[test]
fn all_faults_are_told_not_the_first() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), FILES);
    let mut manifest = manifest(FILES);
    for (path, content) in [
        ("gone", "x"),
        ("dir/gone", "y"),
        ("is-dir", ""),
        ("short", "long"),
        ("same", "size"),
    ] {
        manifest.insert(entry(path, content));
    }
    write(
        root.path(),
        &[
            ("is-dir/inner", ""),
            ("short", "l"),
            ("same", "else"),
            ("more/extra", ""),
            ("bell\u{7}", ""),
        ],
    );
    let mut wrong_type = vec!["is-dir"];
    let mut extra = vec!["bell\u{7}", "is-dir/inner", "more/extra"];
    #[cfg(unix)]
    {
        // A link is no file, even to the right bytes; nor is what lies behind a link to a directory.
        let outside = tempfile::tempdir().unwrap();
        write(outside.path(), &[("b", "right")]);
        std::os::unix::fs::symlink(root.path().join("a.txt"), root.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
        manifest.insert(entry("link", "one"));
        manifest.insert(entry("out/b", "right"));
        manifest.insert(entry("socket", ""));
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
        wrong_type.extend(["link", "socket"]);
        extra.push("out");
    }
    let found = verify(root.path(), &manifest, &VerifyOptions::default()).unwrap();
    let mut missing = vec!["dir/gone", "gone"];
    if cfg!(unix) {
        missing.push("out/b");
    }
    assert_eq!(found.missing, missing);
    let paths: Vec<_> = found.extra.iter().map(|extra| extra.path.as_str()).collect();
    assert_eq!(paths, extra);
    let paths: Vec<_> = found.wrong_type.iter().map(|wrong| wrong.path.as_str()).collect();
    assert_eq!(paths, wrong_type);
    assert_eq!(
        found.wrong_size,
        [WrongSize {
            path: "short".into(),
            expected: 4,
            actual: 1
        }]
    );
    assert_eq!(
        found.changed,
        [Changed {
            path: "same".into(),
            expected: Algorithm::Md5.hash(b"size"),
            actual: Algorithm::Md5.hash(b"else"),
        }]
    );
    assert_eq!(found.verified, FILES.len());
    let text = found.to_string();
    assert_eq!(text.lines().count(), found.faults() + 1);
    assert!(
        text.contains("wrong size: short (1 bytes instead of 4)"),
        "{text}"
    );
    assert!(text.contains("no file: is-dir (a directory)"), "{text}");
    assert!(!text.contains('\u{7}'));
    let value = serde_json::to_value(&found).unwrap();
    assert_eq!(
        value["changed"][0]["expected"],
        Algorithm::Md5.hash(b"size").to_string()
    );
    assert_eq!(value["wrong_type"][0]["found"], "directory");
    let error = Error::from(found.into_result().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("more"), "{error}");
}

#[test]
fn extra_files_may_be_allowed_and_a_part_may_be_checked() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), FILES);
    write(
        root.path(),
        &[("extra", ""), ("dir/extra", ""), ("other/dir/x", "")],
    );
    let manifest = manifest(FILES);
    let options = VerifyOptions {
        allow_extra: true,
        ..VerifyOptions::default()
    };
    let found = verify(root.path(), &manifest, &options).unwrap();
    assert!(found.is_ok() && found.verified == FILES.len(), "{found}");
    let options = VerifyOptions {
        prefix: "dir/",
        ..VerifyOptions::default()
    };
    let found = verify(root.path(), &manifest, &options).unwrap();
    assert_eq!(found.verified, 2);
    assert_eq!(found.extra.len(), 1);
    assert_eq!(found.extra[0].path, "dir/extra");
    fs::remove_file(root.path().join("dir/sub/ü")).unwrap();
    let options = VerifyOptions {
        prefix: "dir/s",
        allow_extra: true,
        ..VerifyOptions::default()
    };
    let found = verify(root.path(), &manifest, &options).unwrap();
    assert_eq!(found.missing, ["dir/sub/ü"]);
}

#[test]
fn entries_without_a_size_are_checked_by_their_digest() {
    let text = r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1","storagePolicyConfig":{},
        "contents":{"a":{"digest":"kAFQmDzST7DWlj99KOF/cg=="}}}"#;
    let manifest = Manifest::from_json(text.as_bytes()).unwrap();
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("a", "abc")]);
    assert!(
        verify(root.path(), &manifest, &VerifyOptions::default())
            .unwrap()
            .is_ok()
    );
    write(root.path(), &[("a", "abcd")]);
    let found = verify(root.path(), &manifest, &VerifyOptions::default()).unwrap();
    assert_eq!(found.changed.len(), 1);
}

#[test]
fn hostile_names_are_faults_of_their_entries_and_the_rest_is_verified() {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("root");
    write(outside.path(), &[("x", "never read"), ("root/fine", "y")]);
    let many: Vec<String> = (0..1_500).map(|number| format!("../{number}")).collect();
    let mut hostile = manifest(&[
        ("../x", "never read"),
        ("/etc/passwd", ""),
        ("fine", "y"),
        ("fine/x", ""),
    ]);
    for path in &many {
        hostile.insert(entry(path, ""));
    }
    for names in [NamePolicy::Portable, NamePolicy::System] {
        let options = VerifyOptions {
            names,
            ..VerifyOptions::default()
        };
        let found = verify(&root, &hostile, &options).unwrap();
        assert_eq!(
            (found.verified, found.names.len()),
            (1, many.len() + 3),
            "every one is told"
        );
        assert_eq!(found.missing, ["fine/x"]);
        assert_eq!(found.faults(), found.names.len() + 1);
        let told: Vec<_> = found.names.iter().map(PathFault::path).collect();
        assert!(
            told.is_sorted()
                && told.contains(&"../x")
                && told.contains(&"/etc/passwd")
                && told.contains(&"fine")
        );
        assert!(
            found
                .to_string()
                .contains("name: unsafe path \"../x\": it has a dot segment"),
            "{found}"
        );
        let error = Error::from(found.into_result().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }
}

#[cfg(not(windows))]
#[test]
fn unportable_names_are_faults_unless_the_system_decides() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("aux.py", "one"),
        ("end.", "two"),
        ("q\\r", "three"),
        ("plain", "four"),
    ];
    write(root.path(), &files);
    let manifest = manifest(&files);
    let found = verify(root.path(), &manifest, &VerifyOptions::default()).unwrap();
    assert_eq!((found.verified, found.faults()), (4, 3), "{found}");
    let told: Vec<_> = found.names.iter().map(PathFault::path).collect();
    assert_eq!(told, ["aux.py", "end.", "q\\r"]);
    let value = serde_json::to_value(&found).unwrap();
    assert_eq!(value["names"][0]["fault"], "unportable");
    assert_eq!(value["names"][0]["reason"], "it is the name of a Windows device");
    let options = VerifyOptions {
        names: NamePolicy::System,
        ..VerifyOptions::default()
    };
    assert!(verify(root.path(), &manifest, &options).unwrap().is_ok());
    // What is not there is missing under any name.
    fs::remove_file(root.path().join("end.")).unwrap();
    let found = verify(root.path(), &manifest, &options).unwrap();
    assert_eq!((found.verified, found.faults()), (3, 1), "{found}");
    assert_eq!(found.missing, ["end."]);
}

#[test]
fn a_missing_directory_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let missing = root.path().join("none");
    assert!(matches!(
        verify(missing, &manifest(FILES), &VerifyOptions::default()),
        Err(VerifyError::Storage(_))
    ));
}

#[derive(Default)]
struct Watch {
    files: AtomicUsize,
    announced: AtomicU64,
    read: AtomicU64,
    limit: Option<u64>,
}

impl VerifyObserver for Watch {
    fn begin(&self, files: usize, bytes: u64) {
        self.files.store(files, Ordering::Relaxed);
        self.announced.store(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.limit
            .is_some_and(|limit| self.read.load(Ordering::Relaxed) >= limit)
    }
}

#[test]
fn progress_is_heard_and_cancelling_works() {
    let root = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..40).map(|number| format!("f{number}")).collect();
    let content = "x".repeat(1_000);
    let files: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), content.as_str()))
        .collect();
    write(root.path(), &files);
    let manifest = manifest(&files);
    for threads in [1, 3] {
        let watch = Watch::default();
        let options = VerifyOptions {
            observer: Some(&watch),
            threads: std::num::NonZeroUsize::new(threads),
            ..VerifyOptions::default()
        };
        assert!(verify(root.path(), &manifest, &options).unwrap().is_ok());
        assert_eq!(watch.files.load(Ordering::Relaxed), 40);
        assert_eq!(watch.announced.load(Ordering::Relaxed), 40_000);
        assert_eq!(watch.read.load(Ordering::Relaxed), 40_000);
        let watch = Watch {
            limit: Some(5_000),
            ..Watch::default()
        };
        let options = VerifyOptions {
            observer: Some(&watch),
            ..options
        };
        assert!(matches!(
            verify(root.path(), &manifest, &options),
            Err(VerifyError::Cancelled)
        ));
    }
}
