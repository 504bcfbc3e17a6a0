//! What a second download costs, and what works without a server.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use wandb_api::{Api, ArtifactDownloadOptions, ErrorKind};
use wandb_tests::{Counting, Files, TestServer, assert_only_members, log_version, noise};

fn files() -> Files {
    let mut files: Files = (0..40)
        .map(|seed| (format!("d{}/f{seed}", seed % 3), noise(seed, 700)))
        .collect();
    files.push(("large".to_owned(), noise(99, 1_200_000)));
    files.push(("twin".to_owned(), noise(99, 1_200_000)));
    files.push(("empty".to_owned(), Bytes::new()));
    files
}

fn client(server: &TestServer, cache: &Path) -> (Api, Counting) {
    let counting = Counting::new(server.transport());
    let builder = server.builder(Arc::new(counting.clone()));
    (builder.artifact_cache(cache).build(), counting)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_download_is_one_request_and_an_offline_one_none() {
    let (server, files) = (TestServer::open(), files());
    log_version(&server.api(), "data", &files).await;
    let folders = TempDir::new().unwrap();
    let (cache, first) = (folders.path().join("cache"), folders.path().join("first"));

    let (api, counting) = client(&server, &cache);
    let artifact = api.artifact("p/data:latest").await.unwrap();
    let digest = artifact.digest.clone();
    let done = artifact
        .download(&ArtifactDownloadOptions::below(&first))
        .await
        .unwrap();
    assert_eq!(assert_only_members(&first, &files), files.len());
    assert_eq!(done.fetched + done.copied, files.len() as u64);
    // The manifest, and each file once; the twin is the same bytes.
    assert_eq!(counting.count("GET"), files.len());

    // Another process, as it were: a client that knows nothing but what is on the disk.
    for name in ["p/data:latest", "p/data:v0"] {
        let (api, counting) = client(&server, &cache);
        let artifact = api.artifact(name).await.unwrap();
        let again = artifact
            .download(&ArtifactDownloadOptions::below(&first))
            .await
            .unwrap();
        assert_eq!((again.present, again.transferred), (files.len() as u64, 0));
        let seen = counting.seen();
        assert_eq!(seen.len(), 1, "{name}: {seen:?}");
        assert_eq!(seen[0].path, "/graphql");
        // Into another folder: out of the cache, for the same price.
        let other = folders.path().join(format!("other-{}", name.len()));
        let cached = artifact
            .download(&ArtifactDownloadOptions::below(&other))
            .await
            .unwrap();
        assert_eq!((cached.fetched, cached.transferred), (0, 0));
        assert_eq!(assert_only_members(&other, &files), files.len());
        assert_eq!(counting.seen().len(), 1);
    }

    let (api, counting) = client(&server, &cache);
    let offline = api.offline();
    for (number, name) in [
        "p/data:v0".to_owned(),
        format!("p/data:{digest}"),
        format!("p/{digest}"),
    ]
    .into_iter()
    .enumerate()
    {
        let root = folders.path().join(format!("offline-{number}"));
        let artifact = offline.artifact(&name).await.unwrap();
        artifact
            .download(&ArtifactDownloadOptions::below(&root))
            .await
            .unwrap();
        assert_eq!(assert_only_members(&root, &files), files.len(), "{name}");
        assert!(artifact.verify(&root).await.unwrap().is_ok(), "{name}");
    }
    for name in ["p/data:latest", "p/data", "p/data:v1", "p/other:v0"] {
        let error = offline.artifact(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{name}");
    }
    assert!(counting.seen().is_empty(), "offline is without requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_nothing_unverified_comes_out_of_the_cache() {
    let (server, files) = (TestServer::open(), files());
    log_version(&server.api(), "data", &files).await;
    let folders = TempDir::new().unwrap();
    let cache = folders.path().join("cache");
    let (api, counting) = client(&server, &cache);
    let artifact = api.artifact("p/data:v0").await.unwrap();
    let first = folders.path().join("first");
    artifact
        .download(&ArtifactDownloadOptions::below(&first))
        .await
        .unwrap();
    // Somebody damages one object, and leaves its size and its time as they were.
    let (_, damaged) = wandb_tests::walk(&cache.join("artifacts/obj"))
        .into_iter()
        .find(|(_, path)| path.metadata().unwrap().len() == 700)
        .unwrap();
    let time = damaged.metadata().unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[350] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&damaged)
        .unwrap()
        .set_modified(time)
        .unwrap();

    let second = folders.path().join("second");
    let offline = api.offline().artifact("p/data:v0").await.unwrap();
    let error = offline
        .download(&ArtifactDownloadOptions::below(&second))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert_only_members(&second, &files);
    // With the server, the one file is fetched, and the rest is not.
    counting.reset();
    let mended = artifact
        .download(&ArtifactDownloadOptions::below(&second))
        .await
        .unwrap();
    assert_eq!((mended.fetched, mended.transferred), (1, 700));
    assert_eq!(counting.count("GET"), 1);
    assert_eq!(assert_only_members(&second, &files), files.len());
}
