//! Artifacts with a cache: what is remembered, what is downloaded twice, what works without a network.

use std::{path::Path, sync::Arc};

use serde_json::json;
use wandb_core::ErrorKind;
use wandb_transport::{ScriptedResponse, ScriptedTransport};

use super::{
    tests::{expect_manifest, expect_model, found, manifest_of, member, version},
    *,
};

pub(super) fn client(script: &ScriptedTransport, cache: &Path, offline: bool) -> Api {
    Api::builder(Arc::new(script.clone()))
        .base_url("https://api.example")
        .and_then(|builder| builder.entity("e"))
        .and_then(|builder| builder.api_key(crate::testing::KEY))
        .unwrap()
        .retry(wandb_core::retry::RetryPolicy::never())
        .artifact_cache(cache)
        .offline(offline)
        .build()
}

#[tokio::test]
async fn a_cache_that_cannot_be_opened_is_named_and_can_be_skipped() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let script = ScriptedTransport::ordered();
    let api = client(&script, &folder.path().join("file/cache"), false);
    for error in [
        api.artifact_cache().await.unwrap_err(),
        api.artifact_storage().memory().await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("artifact cache"), "{error}");
        assert!(
            error.hints().iter().any(|hint| hint.contains("--skip-cache")),
            "{:?}",
            error.hints()
        );
    }
    let without = api.without_artifact_cache();
    assert!(without.artifact_cache().await.unwrap().is_none());
    assert!(without.artifact_storage().memory().await.unwrap().is_none());
    script.finish();
}

#[tokio::test]
async fn what_was_read_is_known_offline_by_exact_names_only() {
    let cache = tempfile::tempdir().unwrap();
    let manifest = manifest_of(&[("a", b"abc")]);
    let digest = manifest.digest().to_string();
    let script = ScriptedTransport::ordered();
    let online = client(&script, cache.path(), false);
    expect_model(&script, json!({"digest": digest}));
    let seen = online.artifact("e/p/model:v3").await.unwrap();
    expect_manifest(&script, manifest.to_json());
    seen.manifest().await.unwrap();
    // Another handle: one metadata request and no other.
    expect_model(&script, json!({"digest": digest}));
    let again = online.artifact("e/p/model:v3").await.unwrap();
    assert_eq!(again.manifest().await.unwrap().len(), 1);
    // A server that cannot be reached.
    script
        .graphql("ArtifactMembershipByName")
        .fail(wandb_transport::TransportErrorKind::Connect);
    let remembered = online.artifact("e/p/model:v3").await.unwrap();
    assert!(remembered.is_remembered && !again.is_remembered);
    let (mut now, then) = (remembered.data().clone(), again.data());
    now.is_remembered = false;
    assert!(
        now.metadata.same_as(&then.metadata),
        "a NaN is not equal to itself, and still the same"
    );
    assert_eq!(
        serde_json::to_value(&now).unwrap(),
        serde_json::to_value(then).unwrap()
    );
    // What is remembered may be old: an alias that it has, and the server no more, is set.
    let elsewhere = |aliases: &[&str]| {
        let member = member(
            "ArtifactSequence",
            "model",
            3,
            aliases,
            version(json!({"digest": digest})),
        );
        found(member)
    };
    script
        .graphql("ArtifactMembershipByName")
        .respond_data(elsewhere(&[]));
    script
        .graphql("AddAliases")
        .respond_data(json!({"addAliases": {"success": true}}));
    script
        .graphql("ArtifactMembershipByName")
        .respond_data(elsewhere(&["latest"]));
    let edited = remembered.edit().add_alias("latest").save().await.unwrap();
    assert_eq!(edited.aliases, ["latest"]);
    assert!(!edited.is_remembered);
    // One that answers with an error is not offline.
    script.graphql("ArtifactMembershipByName").respond_status(500);
    assert_eq!(
        online.artifact("e/p/model:v3").await.unwrap_err().kind(),
        ErrorKind::Server
    );

    let offline = client(&script, cache.path(), true);
    for name in [
        "e/p/model:v3".to_owned(),
        format!("e/p/{digest}"),
        format!("e/p/model:{digest}"),
    ] {
        let artifact = offline.artifact(&name).await.unwrap();
        assert_eq!(artifact.manifest().await.unwrap().len(), 1, "{name}");
    }
    for name in ["e/p/model", "e/p/model:latest", "e/p/model:v4", "e/q/model:v3"] {
        assert_eq!(
            offline.artifact(name).await.unwrap_err().kind(),
            ErrorKind::NotFound,
            "{name}"
        );
    }
    let error = offline.viewer().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    // Damage is not trusted, and is mended by the next reading.
    for entry in std::fs::read_dir(cache.path().join("artifacts/wb/manifests")).unwrap() {
        std::fs::write(entry.unwrap().path(), manifest_of(&[("a", b"abd")]).to_json()).unwrap();
    }
    let damaged = offline.artifact("e/p/model:v3").await.unwrap();
    assert_eq!(
        damaged.manifest().await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    expect_model(&script, json!({"digest": digest}));
    let mended = online.artifact("e/p/model:v3").await.unwrap();
    expect_manifest(&script, manifest.to_json());
    mended.manifest().await.unwrap();
    assert!(
        offline
            .artifact("e/p/model:v3")
            .await
            .unwrap()
            .manifest()
            .await
            .is_ok()
    );
    script.finish();
}

/// Answers a request for addresses with one for each path.
pub(super) fn expect_urls(script: &ScriptedTransport, names: &[&str]) {
    let edges: Vec<_> = names
        .iter()
        .map(|name| json!({"node": {"name": name, "directUrl": format!("https://api.example/dl/{name}")}}))
        .collect();
    script
        .graphql("GetArtifactMembershipFileUrls")
        .variables(json!({"collection": "model", "alias": "v3", "names": names}))
        .respond_data(
            json!({"project": {"artifactCollection": {"artifactMembership": {"files": {
            "edges": edges, "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}}),
        );
}

pub(super) fn expect_file(script: &ScriptedTransport, name: &str, bytes: &'static [u8]) {
    script
        .get(&format!("/dl/{name}"))
        .header_absent("authorization")
        .respond(ScriptedResponse::new(200).bytes(bytes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_download_asks_for_metadata_only_and_offline_for_nothing() {
    let (cache, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files: [(&str, &'static [u8]); 3] = [("a", b"abc"), ("data/b", b"bytes"), ("empty", b"")];
    let manifest = manifest_of(&files);
    let digest = json!({"digest": manifest.digest().to_string()});
    let script = ScriptedTransport::unordered();
    let online = client(&script, cache.path(), false);
    let first = ArtifactDownloadOptions::below(target.path().join("first"));

    expect_model(&script, digest.clone());
    let artifact = online.artifact("e/p/model:v3").await.unwrap();
    expect_manifest(&script, manifest.to_json());
    expect_urls(&script, &["data/b"]);
    expect_file(&script, "data/b", b"bytes");
    // Only what is below the prefix is asked for.
    let part = artifact.download(&first.clone().prefix("data/")).await.unwrap();
    assert_eq!((part.fetched, part.transferred), (1, 5));
    let plan = artifact.download_plan(&first).await.unwrap();
    assert_eq!((plan.present_files, plan.present_bytes), (1, 5));
    assert_eq!((plan.fetched_files, plan.fetched_bytes), (2, 3));
    expect_urls(&script, &["a", "empty"]);
    expect_file(&script, "a", b"abc");
    expect_file(&script, "empty", b"");
    let whole = artifact.download(&first).await.unwrap();
    assert_eq!((whole.present, whole.fetched), (1, 2));
    assert!(
        artifact
            .verify(target.path().join("first"))
            .await
            .unwrap()
            .is_ok()
    );

    // Another handle, the same directory: one request for metadata, and no other.
    let before = script.requests().len();
    expect_model(&script, digest.clone());
    let again = online.artifact("e/p/model:v3").await.unwrap();
    let again = again.download(&first).await.unwrap();
    assert_eq!((again.present, again.cached, again.fetched), (3, 0, 0));
    assert_eq!(script.requests().len(), before + 1);

    // No server, another directory: everything comes out of the cache.
    let offline = client(&script, cache.path(), true);
    let remembered = offline.artifact("e/p/model:v3").await.unwrap();
    let second = ArtifactDownloadOptions::below(target.path().join("second"));
    let copied = remembered.download(&second).await.unwrap();
    assert_eq!((copied.cached, copied.fetched), (3, 0));
    for (name, bytes) in files {
        assert_eq!(
            std::fs::read(target.path().join("second").join(name)).unwrap(),
            bytes
        );
    }
    // What the cache has not, offline, is an error that says so.
    let third = ArtifactDownloadOptions::below(target.path().join("third")).skip_cache(true);
    let error = remembered.download(&third).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(script.requests().len(), before + 1);
    script.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_file_of_several_and_checkouts_that_show_what_goes() {
    let (cache, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manifest = manifest_of(&[("a", b"abc"), ("a.txt", b"x")]);
    let script = ScriptedTransport::unordered();
    let online = client(&script, cache.path(), false);
    expect_model(&script, json!({"digest": manifest.digest().to_string()}));
    let artifact = online.artifact("e/p/model:v3").await.unwrap();
    expect_manifest(&script, manifest.to_json());
    let root = target.path().join("m");
    let options = ArtifactDownloadOptions::below(&root);
    assert_eq!(
        artifact.file(&options).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    expect_urls(&script, &["a"]);
    expect_file(&script, "a", b"abc");
    let place = artifact.download_entry("a", &options).await.unwrap();
    assert_eq!(std::fs::read(place).unwrap(), b"abc");
    assert!(!root.join("a.txt").exists());
    assert_eq!(
        artifact.download_entry("b", &options).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );

    std::fs::create_dir(root.join("old")).unwrap();
    std::fs::write(root.join("old/x"), "not a member").unwrap();
    let checkout = artifact.checkout(&options).await.unwrap();
    let shown: Vec<_> = checkout
        .removals()
        .iter()
        .map(|removal| removal.path.as_str())
        .collect();
    assert_eq!(shown, ["old", "old/x"]);
    assert!(root.join("old/x").exists(), "a plan removes nothing");
    expect_urls(&script, &["a.txt"]);
    expect_file(&script, "a.txt", b"x");
    checkout.run().await.unwrap();
    assert!(!root.join("old").exists());
    assert!(artifact.verify(&root).await.unwrap().is_ok());
    script.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_a_signed_address_comes_from_the_server_with_the_key() {
    let (cache, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manifest = manifest_of(&[("d/b c#.txt", b"abc")]);
    let script = ScriptedTransport::unordered();
    let online = client(&script, cache.path(), false);
    expect_model(&script, json!({"digest": manifest.digest().to_string()}));
    let artifact = online.artifact("e/p/model:v3").await.unwrap();
    expect_manifest(&script, manifest.to_json());
    script.graphql("GetArtifactMembershipFileUrls").respond_data(
        json!({"project": {"artifactCollection": {"artifactMembership": {"files": {
            "edges": [], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}}),
    );
    script
        .get("/artifactsV2/default/e/p/model//900150983cd24fb0d6963f7d28e17f72/b%20c%23.txt")
        .header_present("authorization")
        .respond(ScriptedResponse::new(200).bytes("abc"));
    let options = ArtifactDownloadOptions::below(target.path().join("m"));
    assert_eq!(artifact.download(&options).await.unwrap().fetched, 1);
    assert_eq!(
        artifact.default_root().unwrap(),
        Path::new("artifacts").join(if cfg!(windows) { "model-v3" } else { "model:v3" })
    );
    script.finish();
}
