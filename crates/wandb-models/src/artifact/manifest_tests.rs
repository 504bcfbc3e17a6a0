//! Manifests and the files of a version, over a script.

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::{
    tests::{expect_manifest, expect_model, manifest_of, model},
    *,
};
use crate::testing::api;

#[tokio::test]
async fn a_manifest_is_checked_and_fetched_once() {
    let manifest = manifest_of(&[("a", b"abc"), ("b/c", b"")]);
    let script = ScriptedTransport::ordered();
    expect_model(&script, json!({"digest": manifest.digest().to_string()}));
    let artifact = api(&script).artifact("e/p/model:v3").await.unwrap();
    // Manifests of other versions, twice, and then the right one.
    expect_manifest(&script, manifest_of(&[("a", b"abd")]).to_json());
    expect_manifest(&script, manifest_of(&[("x", b"")]).to_json());
    expect_manifest(&script, manifest.to_json());
    let clone = artifact.clone();
    assert_eq!(artifact.manifest().await.unwrap().len(), 2);
    assert_eq!(clone.entry("b/c").await.unwrap().size(), Some(0));
    assert_eq!(clone.entry("b").await.unwrap_err().kind(), ErrorKind::NotFound);
    script.finish();
}

#[tokio::test]
async fn a_manifest_that_breaks_off_is_asked_for_again_after_a_pause() {
    let manifest = manifest_of(&[("a", b"abc")]);
    let script = ScriptedTransport::ordered();
    let broken = || {
        let json = manifest.to_json();
        let half = json[..json.len() / 2].to_vec();
        wandb_transport::ScriptedResponse::new(200)
            .chunks([half])
            .then_failing(wandb_transport::TransportErrorKind::Interrupted)
    };
    let expect = |response| {
        script
            .graphql("FetchArtifactManifest")
            .respond_data(json!({"artifact": {"currentManifest": {"file":
                {"directUrl": "https://api.example/dl/token"}}}}));
        script.get("/dl/token").respond(response);
    };
    expect_model(&script, json!({"digest": manifest.digest().to_string()}));
    let artifact = api(&script).artifact("e/p/model:v3").await.unwrap();
    let runtime = Arc::clone(artifact.api.client().runtime());
    let before = runtime.now();
    expect(broken());
    expect(broken());
    expect(wandb_transport::ScriptedResponse::new(200).bytes(manifest.to_json()));
    assert_eq!(artifact.manifest().await.unwrap().len(), 1);
    assert!(runtime.now() > before, "it did not wait");
    script.finish();

    // Who wants no repetition gets none.
    let script = ScriptedTransport::ordered();
    let api = crate::testing::builder(&script)
        .retry(wandb_core::retry::RetryPolicy::never())
        .build();
    let expect = |response| {
        script
            .graphql("FetchArtifactManifest")
            .respond_data(json!({"artifact": {"currentManifest": {"file":
                {"directUrl": "https://api.example/dl/token"}}}}));
        script.get("/dl/token").respond(response);
    };
    expect_model(&script, json!({"digest": manifest.digest().to_string()}));
    let artifact = api.artifact("e/p/model:v3").await.unwrap();
    expect(broken());
    let error = artifact.manifest().await.unwrap_err();
    assert!(wandb_core::retry::is_transient(&error), "{error}");
    script.finish();
}

#[tokio::test]
async fn a_wrong_manifest_is_an_integrity_error() {
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    for _ in 0..3 {
        expect_manifest(&script, manifest_of(&[("a", b"abd")]).to_json());
    }
    let error = artifact.manifest().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("e/p/model:v3"), "{error}");
    script.finish();
}

#[tokio::test]
async fn files_are_listed_with_their_whole_paths() {
    let file = |name: &str, shown: Json| {
        json!({"node": {"id": "f", "name": name, "displayName": shown, "sizeBytes": 3, "mimetype": null, "updatedAt": null,
            "digest": "d", "md5": "d", "directUrl": "https://s.example/x?X-Amz-Signature=abcdef"}})
    };
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    script
        .graphql("ArtifactMembershipFiles")
        .variables(json!({"collection": "model", "alias": "v3", "names": ["a/b"], "perPage": 50}))
        .respond_data(
            json!({"project": {"artifactCollection": {"artifactMembership": {"files": {
            "edges": [file("b", json!("a/b")), file("c", Json::Null)],
            "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}}),
        );
    let files: Vec<_> = artifact
        .files()
        .names(["a/b"])
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
        ["a/b", "c"]
    );
    assert!(!format!("{files:?}").contains("abcdef"));
    script.finish();
}
