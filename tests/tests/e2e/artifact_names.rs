//! Names that not every system can hold: refused unless this system decides, of what is touched only.
#![cfg(not(windows))]

use bytes::Bytes;
use tempfile::TempDir;
use wandb_api::artifacts::draft::{AddOptions, Draft};
use wandb_api::artifacts::filenames::PathFault;
use wandb_api::artifacts::{VerifyOptions, verify};
use wandb_api::path::NamePolicy;
use wandb_api::{ArtifactDownloadOptions, ErrorKind};
use wandb_tests::{TestServer, log_version, walk};

const FILES: [(&str, &str); 6] = [
    ("A.txt", "upper"),
    ("a.txt", "lower"),
    ("aux.py", "device"),
    ("end.", "dot"),
    ("q?", "question"),
    ("sub/fine", "fine"),
];

/// Whether the disk takes `A.txt` and `a.txt` for one.
fn folds(root: &TempDir) -> bool {
    std::fs::write(root.path().join("case"), "").unwrap();
    let folds = root.path().join("CASE").exists();
    std::fs::remove_file(root.path().join("case")).unwrap();
    folds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_not_every_system_can_hold_comes_when_this_one_decides() {
    let server = TestServer::open();
    let files = FILES.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
    let artifact = log_version(&server.api(), "data", &files.to_vec()).await;
    let outer = TempDir::new().unwrap();
    let root = outer.path().join("root");

    let portable = ArtifactDownloadOptions::below(&root);
    for error in [
        artifact.download(&portable).await.unwrap_err(),
        artifact.download_plan(&portable).await.unwrap_err(),
        artifact.checkout(&portable).await.unwrap_err(),
        artifact.download_entry("aux.py", &portable).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
        assert!(error.to_string().contains("\"aux.py\""), "{error}");
        assert!(
            error
                .hints()
                .iter()
                .any(|hint| hint.contains("NamePolicy::System")),
            "{error:?}"
        );
    }
    assert!(walk(outer.path()).is_empty() && !root.exists());

    // What is not in scope does not matter.
    let part = artifact.download(&portable.clone().prefix("sub/")).await.unwrap();
    assert_eq!(part.files(), 1);

    let system = portable.names(NamePolicy::System);
    if folds(&outer) {
        let error = artifact.download(&system).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
        assert_eq!(walk(&root).len(), 1, "nothing else was written");
        return;
    }
    let done = artifact.download(&system).await.unwrap();
    assert_eq!((done.files(), done.present), (6, 1));
    for (path, text) in FILES {
        assert_eq!(std::fs::read_to_string(root.join(path)).unwrap(), text, "{path}");
    }
    assert_eq!(walk(outer.path()).len(), FILES.len(), "nothing is left of trying");
    assert_eq!(artifact.download(&system).await.unwrap().present, 6);
    let checkout = artifact.checkout(&system).await.unwrap();
    assert!(checkout.removals().is_empty());
    assert_eq!(checkout.run().await.unwrap().0.present, 6);
    let place = artifact.download_entry("end.", &system).await.unwrap();
    assert_eq!(place, root.join("end."));

    let manifest = artifact.manifest().await.unwrap();
    let options = VerifyOptions {
        names: NamePolicy::System,
        ..VerifyOptions::default()
    };
    assert!(verify(&root, &manifest, &options).unwrap().is_ok());
    let told = verify(&root, &manifest, &VerifyOptions::default()).unwrap();
    assert_eq!((told.verified, told.faults()), (6, 3), "{told}");
    let names: Vec<_> = told.names.iter().map(PathFault::path).collect();
    assert_eq!(names, ["a.txt", "aux.py", "end."]);
}

#[test]
fn a_draft_tells_such_names_and_refuses_hostile_ones() {
    let mut draft = Draft::default();
    for (path, text) in FILES {
        draft.add_bytes(path, text, &AddOptions::default()).unwrap();
    }
    let report = draft.path_report();
    assert_eq!((report.hostile().count, report.unportable().count), (0, 4));
    let error = draft.add_bytes("../x", "no", &AddOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.hints().iter().all(|hint| !hint.contains("server")),
        "{error:?}"
    );
    assert_eq!(draft.len(), FILES.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_on_the_way_is_named() {
    let server = TestServer::open();
    let files = vec![("sub/deep/x".to_owned(), Bytes::from("x"))];
    let artifact = log_version(&server.api(), "data", &files).await;
    let outer = TempDir::new().unwrap();
    let (root, outside) = (outer.path().join("root"), outer.path().join("outside"));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("sub")).unwrap();
    let error = artifact
        .download(&ArtifactDownloadOptions::below(&root))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    let link = format!("{:?} is a symbolic link", root.join("sub"));
    assert!(error.to_string().contains(&link), "{error}");
    assert!(error.hints()[0].contains("nothing is written"), "{error:?}");
    assert!(walk(&outside).is_empty());
}
