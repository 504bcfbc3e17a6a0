//! Files: listing, verified downloads, names and disks that mean no good.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use futures_util::TryStreamExt;
use md5::{Digest, Md5};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use wandb_api::path::NamePolicy;
use wandb_api::transport::{ScriptedResponse, ScriptedTransport};
use wandb_api::{ErrorKind, File, FileDownloadOptions, Files, Run};
use wandb_tests::{NewRun, TestServer, scripted_api};

/// Bytes that are nowhere alike.
pub(crate) fn bytes(size: usize) -> Vec<u8> {
    (0..size as u64)
        .map(|place| (place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Md5::digest(bytes))
}

/// Every file below a directory, links not followed, with its bytes.
pub(crate) fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

async fn run_with(server: &TestServer, files: &[(&str, &[u8])]) -> Run {
    let writer = server.log("p", NewRun::named("r")).await;
    for (name, bytes) in files {
        writer.upload(name, bytes.to_vec()).await;
    }
    server.api().run("p/r").await.unwrap()
}

async fn names(files: Files) -> Vec<String> {
    let files: Vec<File> = files.stream().try_collect().await.unwrap();
    let mut names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_are_listed() {
    let server = TestServer::open();
    let all = [
        "config.yaml",
        "empty",
        "größe ✓.txt",
        "media/images/a b.png",
        "media/images/c_d.png",
        "output.log",
    ];
    let contents: Vec<(&str, &[u8])> = all
        .iter()
        .map(|name| {
            (
                *name,
                if *name == "empty" {
                    &b""[..]
                } else {
                    name.as_bytes()
                },
            )
        })
        .collect();
    let run = run_with(&server, &contents).await;
    for page_size in [1, 4, 200] {
        assert_eq!(names(run.files().page_size(page_size)).await, all);
    }
    assert_eq!(names(run.files().limit(2)).await.len(), 2);
    assert_eq!(
        names(run.files().names(["output.log", "absent"])).await,
        ["output.log"]
    );
    assert_eq!(names(run.files().pattern("media/%")).await, all[3..5]);
    assert_eq!(names(run.files().pattern("%.png")).await, all[3..5]);
    let both = run
        .files()
        .names(["x"])
        .pattern("%")
        .stream()
        .try_next()
        .await
        .unwrap_err();
    assert_eq!(both.kind(), ErrorKind::InvalidInput);
    let file = run.file("output.log").await.unwrap();
    assert_eq!(file.size, 10);
    assert_eq!(file.md5.as_deref(), Some(md5(b"output.log").as_str()));
    assert!(file.updated_at.is_some());
    assert_eq!(
        (file.name.as_str(), file.mimetype.as_deref()),
        ("output.log", Some("text/plain"))
    );
    assert!(!file.id.is_empty());
    assert_eq!(run.file("absent").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn bytes_arrive_whole_and_are_checked() {
    let server = TestServer::open();
    let big = bytes(3 << 20);
    let run = run_with(
        &server,
        &[
            ("big.bin", &big),
            ("empty", b""),
            ("a/b/größe ✓.txt", b"x"),
            (".hidden", b"y"),
        ],
    )
    .await;
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("made/on/the/way");
    let mut files = run.files().stream();
    while let Some(file) = files.try_next().await.unwrap() {
        let done = file.download(&FileDownloadOptions::below(&root)).await.unwrap();
        assert_eq!(done.path, root.join(&file.name));
        assert_eq!((done.size, done.transferred), (file.size, file.size));
        assert!(done.digest_checked);
    }
    let found = tree(&root);
    let expected: Vec<(PathBuf, Vec<u8>)> = vec![
        (".hidden".into(), b"y".to_vec()),
        ("a/b/größe ✓.txt".into(), b"x".to_vec()),
        ("big.bin".into(), big),
        ("empty".into(), Vec::new()),
    ];
    assert!(
        found == expected,
        "{:?}",
        found
            .iter()
            .map(|(name, bytes)| (name, bytes.len()))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_target_that_exists_is_refused_replaced_or_kept() {
    let server = TestServer::open();
    let content = bytes(10_000);
    let writer = server.log("p", NewRun::named("r")).await;
    writer.upload("f.bin", content.clone()).await;
    let (api, counting) = server.counted();
    let file = api.run("p/r").await.unwrap().file("f.bin").await.unwrap();
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("f.bin");
    let below = || FileDownloadOptions::below(dir.path());

    fs::write(&target, b"mine").unwrap();
    counting.reset();
    let error = file.download(&below()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fs::read(&target).unwrap(), b"mine");
    assert!(counting.seen().is_empty(), "a refusal needs no request");

    let kept = file.download(&below().keep_verified()).await.unwrap();
    assert_eq!(kept.transferred, 10_000, "other bytes are not kept");
    assert_eq!(fs::read(&target).unwrap(), content);
    counting.reset();
    let kept = file.download(&below().keep_verified()).await.unwrap();
    assert_eq!(
        (kept.transferred, kept.size, kept.digest_checked),
        (0, 10_000, true)
    );
    assert!(counting.seen().is_empty(), "what is verified costs no request");
    // The right size is not enough.
    let mut other = content.clone();
    other[5_000] ^= 1;
    fs::write(&target, &other).unwrap();
    assert_eq!(
        file.download(&below().keep_verified()).await.unwrap().transferred,
        10_000
    );
    assert_eq!(fs::read(&target).unwrap(), content);

    fs::write(&target, b"mine").unwrap();
    assert_eq!(
        file.download(&below().replace()).await.unwrap().transferred,
        10_000
    );
    assert_eq!(tree(dir.path()), [(PathBuf::from("f.bin"), content)]);
}

fn files_answer(files: &[Json]) -> Json {
    let edges: Vec<Json> = files.iter().map(|file| json!({ "node": file })).collect();
    json!({ "project": { "run": { "files": {
        "edges": edges, "pageInfo": { "hasNextPage": false, "endCursor": null },
    } } } })
}

pub(crate) fn file_node(name: &str, url: &str, size: i64, md5: Option<&str>) -> Json {
    json!({
        "id": "file", "name": name, "url": url, "directUrl": url, "sizeBytes": size, "mimetype": null, "md5": md5,
        "updatedAt": "2024-05-01T12:34:56Z",
    })
}

/// The one file of a run, as a script says it.
pub(crate) async fn scripted_file(script: &ScriptedTransport, node: Json) -> File {
    let (api, _) = scripted_api(script);
    let run = json!({
        "id": "storage", "name": "r", "displayName": "r", "state": "finished", "sweepName": null, "group": null, "jobType": null,
        "commit": null, "host": null, "readOnly": false, "createdAt": "2024-05-01T12:34:56", "heartbeatAt": null,
        "updatedAt": null, "description": null, "notes": null, "tags": [], "historyLineCount": 0, "user": null,
        "config": null, "summaryMetrics": null, "systemMetrics": null, "historyKeys": null,
    });
    script
        .graphql("Run")
        .respond_data(json!({ "project": { "name": "p", "entityName": "e", "run": run } }));
    script.graphql("RunFiles").respond_data(files_answer(&[node]));
    let run = api.run("e/p/r").await.unwrap();
    run.files().stream().try_next().await.unwrap().unwrap()
}

#[tokio::test]
async fn hostile_names_write_nothing_anywhere() {
    let outer = TempDir::new().unwrap();
    let root = outer.path().join("root");
    let absolute = outer.path().join("absolute").display().to_string();
    let long = "x".repeat(300);
    for name in [
        "../x",
        "a/../../x",
        "..",
        ".",
        "",
        "/etc/wb-x",
        &absolute,
        "a//b",
        "a/",
        "a\\..\\x",
        "C:/x",
        "nul",
        "a/aux.txt",
        "a\0b",
        "line\nbreak",
        "trailing.",
        "trailing ",
        &long,
        "./x",
        "a/./x",
    ] {
        // What only some systems cannot hold is another thing than what leads elsewhere.
        let unportable = ["nul", "a/aux.txt", "line\nbreak", "trailing.", "trailing "];
        let kind = if unportable.contains(&name) {
            ErrorKind::Conflict
        } else {
            ErrorKind::InvalidInput
        };
        let script = ScriptedTransport::ordered();
        let node = file_node(name, "https://api.example/files/x", 1, Some(&md5(b"x")));
        let file = scripted_file(&script, node).await;
        for options in [
            FileDownloadOptions::below(&root),
            FileDownloadOptions::below(&root).replace(),
            FileDownloadOptions::below(&root).keep_verified(),
        ] {
            let error = file.download(&options).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{name:?}: {error:?}");
        }
        if kind == ErrorKind::InvalidInput {
            let options = FileDownloadOptions::below(&root).names(NamePolicy::System);
            assert_eq!(
                file.download(&options).await.unwrap_err().kind(),
                kind,
                "{name:?}"
            );
        }
        script.finish();
    }
    assert!(tree(outer.path()).is_empty(), "{:?}", tree(outer.path()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_on_the_way_is_not_followed_out() {
    let server = TestServer::open();
    let run = run_with(&server, &[("link/x", b"escaped"), ("file", b"escaped")]).await;
    let outer = TempDir::new().unwrap();
    let (root, outside) = (outer.path().join("root"), outer.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("victim"), b"precious").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    std::os::unix::fs::symlink(outside.join("victim"), root.join("file")).unwrap();
    for options in [
        FileDownloadOptions::below(&root),
        FileDownloadOptions::below(&root).replace(),
        FileDownloadOptions::below(&root).keep_verified(),
    ] {
        let error = run
            .file("link/x")
            .await
            .unwrap()
            .download(&options)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    }
    let error = run
        .file("file")
        .await
        .unwrap()
        .download(&FileDownloadOptions::below(&root))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    // Replacing replaces the link itself.
    run.file("file")
        .await
        .unwrap()
        .download(&FileDownloadOptions::below(&root).replace())
        .await
        .unwrap();
    assert_eq!(fs::read(root.join("file")).unwrap(), b"escaped");
    assert_eq!(tree(&outside), [(PathBuf::from("victim"), b"precious".to_vec())]);
}

#[tokio::test]
async fn a_disk_that_refuses_is_an_io_error() {
    let server = TestServer::open();
    let run = run_with(&server, &[("a/b", b"x"), ("f", b"y")]).await;
    let (nested, flat) = (run.file("a/b").await.unwrap(), run.file("f").await.unwrap());
    let dir = TempDir::new().unwrap();

    // The target is a directory.
    let root = dir.path().join("one");
    fs::create_dir_all(root.join("f")).unwrap();
    for options in [
        FileDownloadOptions::below(&root).replace(),
        FileDownloadOptions::below(&root).keep_verified(),
    ] {
        assert_eq!(flat.download(&options).await.unwrap_err().kind(), ErrorKind::Io);
    }
    assert_eq!(
        flat.download(&FileDownloadOptions::below(&root))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Conflict
    );
    // A parent is a file.
    let root = dir.path().join("two");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), b"file").unwrap();
    let error = nested
        .download(&FileDownloadOptions::below(&root))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("a/b"), "{error}");
    let error = flat
        .download(&FileDownloadOptions::below(root.join("a")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "the root itself is a file");
    assert_eq!(tree(dir.path()), [(PathBuf::from("two/a"), b"file".to_vec())]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_directory_is_an_io_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TestServer::open();
    let run = run_with(&server, &[("f", b"y")]).await;
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("read-only");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may write anyway; then there is nothing to see.
    if fs::write(root.join("probe"), b"").is_err() {
        let error = run
            .file("f")
            .await
            .unwrap()
            .download(&FileDownloadOptions::below(&root))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(fs::read_dir(&root).unwrap().next().is_none());
    }
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn promises_that_the_bytes_do_not_keep() {
    let right = md5(b"hello");
    let wrong = md5(b"other");
    for (size, digest, body, kind) in [
        (5, Some(right.as_str()), "hello", None),
        (5, None, "hello", None),
        (5, Some(wrong.as_str()), "hello", Some(ErrorKind::Integrity)),
        (4, Some(right.as_str()), "hello", Some(ErrorKind::Integrity)),
        (6, Some(right.as_str()), "hello", Some(ErrorKind::Integrity)),
        (6, None, "hello", Some(ErrorKind::Integrity)),
        (5, None, "hello and much more", Some(ErrorKind::Integrity)),
        (0, None, "hello", Some(ErrorKind::Integrity)),
        (5, Some("not a digest"), "hello", Some(ErrorKind::Protocol)),
    ] {
        let script = ScriptedTransport::unordered();
        let file = scripted_file(
            &script,
            file_node("f", "https://api.example/files/f", size, digest),
        )
        .await;
        script
            .get("/files/f")
            .any_number_of_times()
            .respond(ScriptedResponse::new(200).bytes(body));
        let dir = TempDir::new().unwrap();
        let result = file.download(&FileDownloadOptions::below(dir.path())).await;
        assert_eq!(
            result.as_ref().err().map(wandb_api::Error::kind),
            kind,
            "{size} {digest:?} {body}: {result:?}"
        );
        match result {
            Ok(done) => {
                assert_eq!(done.digest_checked, digest.is_some());
                assert_eq!(tree(dir.path()), [(PathBuf::from("f"), body.as_bytes().to_vec())]);
            }
            Err(_) => assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path())),
        }
    }
}
