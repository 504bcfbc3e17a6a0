//! Logging a version, over a script.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use wandb_artifacts::Algorithm;
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::{
    tests::{ID, version},
    *,
};
use crate::testing::api;

const NEW: &str = "QXJ0aWZhY3Q6OQ==";

fn draft() -> ArtifactDraft {
    let mut draft = ArtifactDraft::new("model", "model")
        .unwrap()
        .description("d")
        .metadata_key("acc", f64::NAN)
        .alias("best")
        .tag("good");
    draft.add_bytes("a", "abc", &AddOptions::default()).unwrap();
    draft
        .add_bytes("data/b", "stored before", &AddOptions::default())
        .unwrap();
    draft
}

fn expect_create(script: &ScriptedTransport, id: &str, state: &str) {
    script
        .graphql("CreateArtifact")
        .variables(json!({"input": {"entityName": "e", "projectName": "p", "runName": "r", "artifactTypeName": "model",
            "artifactCollectionName": "model", "digest": draft().digest().to_string(), "digestAlgorithm": "MANIFEST_MD5",
            "description": "d", "metadata": "{\"acc\":null}", "tags": [{"tagName": "good"}],
            "aliases": [{"artifactCollectionName": "model", "alias": "best"},
                {"artifactCollectionName": "model", "alias": "latest"}], "enableDigestDeduplication": true}}))
        .respond_data(json!({"createArtifact": {"artifact": {"id": id, "state": state,
            "artifactSequence": {"latestArtifact": {"id": ID}}}}}));
}

fn expect_upload(script: &ScriptedTransport) {
    let md5 = |text: &str| Algorithm::Md5.hash(text.as_bytes()).to_string();
    script
        .graphql("CreateArtifactManifest")
        .variables(
            json!({"includeUpload": false, "input": {"artifactID": NEW, "baseArtifactID": ID, "digest": "",
            "name": "wandb_manifest.json", "type": "FULL", "runName": "r"}}),
        )
        .respond_data(json!({"createArtifactManifest": {"artifactManifest": {"id": "m"}}}));
    let headers = json!(["Content-MD5:x", "Content-Type:application/octet-stream"]);
    script
        .graphql("CreateArtifactFiles")
        .variables(json!({"input": {"storageLayout": "V2", "artifactFiles": [
            {"artifactID": NEW, "artifactManifestID": "m", "name": "a", "md5": md5("abc")},
            {"artifactID": NEW, "artifactManifestID": "m", "name": "data/b", "md5": md5("stored before")}]}}))
        .respond_data(json!({"createArtifactFiles": {"files": {"edges": [
            {"node": {"storagePath": "s", "uploadUrl": "https://api.example/up/a", "uploadHeaders": headers,
                "uploadMultipartUrls": null, "artifact": {"id": NEW}}},
            {"node": {"storagePath": "s", "uploadUrl": null, "uploadHeaders": null, "uploadMultipartUrls": null,
                "artifact": {"id": ID}}}]}}}));
    script
        .put("/up/a")
        .header_absent("authorization")
        .header("content-type", "application/octet-stream")
        .body("abc")
        .respond_status(200);
    // The bytes of the older version keep their origin.
    let births = [
        ("a".to_owned(), NEW.to_owned()),
        ("data/b".to_owned(), ID.to_owned()),
    ]
    .into();
    let manifest = draft().manifest_with(&births).to_json();
    script
        .graphql("CreateArtifactManifest")
        .variables(json!({"includeUpload": true, "input": {"artifactID": NEW,
            "digest": STANDARD.encode(Algorithm::Md5.hash(&manifest).bytes())}}))
        .respond_data(
            json!({"createArtifactManifest": {"artifactManifest": {"id": "m2", "file":
            {"uploadUrl": "https://api.example/up/manifest", "uploadHeaders": []}}}}),
        );
    script
        .put("/up/manifest")
        .header_absent("authorization")
        .body(manifest)
        .respond_status(200);
}

fn expect_version(script: &ScriptedTransport, digest: &str) {
    script
        .graphql("ArtifactByID")
        .variables(json!({"id": NEW}))
        .respond_data(json!({"artifact": with_aliases(digest, &["latest", "best"])}));
}

fn with_aliases(digest: &str, aliases: &[&str]) -> Json {
    let place = json!({"__typename": "ArtifactSequence", "id": "ArtifactSequence-model", "name": "model",
        "project": {"name": "p", "entityName": "e"}});
    let aliases: Vec<_> = aliases
        .iter()
        .map(|alias| json!({"alias": alias, "artifactCollection": place}))
        .collect();
    version(json!({"id": NEW, "versionIndex": 4, "digest": digest, "aliases": aliases}))
}

fn expect_commit(script: &ScriptedTransport) {
    script
        .graphql("CommitArtifact")
        .variables(json!({"input": {"artifactID": NEW}}))
        .respond_data(json!({"commitArtifact": {"artifact": {"id": NEW, "digest": "d"}}}));
}

fn client_ids(script: &ScriptedTransport) -> Vec<String> {
    let ids = script.requests().into_iter().filter_map(|request| {
        let body: Json = serde_json::from_slice(request.body()).ok()?;
        let id = body.pointer("/variables/input/clientID")?;
        id.as_str().map(str::to_owned)
    });
    ids.collect()
}

#[tokio::test]
async fn a_version_is_created_filled_and_committed() {
    let script = ScriptedTransport::ordered();
    expect_create(&script, NEW, "PENDING");
    expect_upload(&script);
    expect_commit(&script);
    expect_version(&script, &draft().digest().to_string());
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    let logged = draft().log(&run, &UploadOptions::default()).await.unwrap();
    assert!(logged.is_new);
    assert_eq!(logged.artifact.exact_name(), "e/p/model:v4");
    assert_eq!((logged.uploaded.sent, logged.uploaded.stored), (1, 1));
    script.finish();
}

#[tokio::test]
async fn the_same_call_goes_on_with_the_same_version_and_a_lost_commit_is_found_out() {
    let script = ScriptedTransport::ordered();
    // It dies while it uploads.
    expect_create(&script, NEW, "PENDING");
    script
        .graphql("CreateArtifactManifest")
        .respond_json(403, json!({"errors": [{"message": "permission denied"}]}));
    // The same again; the server refuses a second commit, because the first one arrived.
    expect_create(&script, NEW, "PENDING");
    expect_upload(&script);
    script
        .graphql("CommitArtifact")
        .respond_json(409, json!({"errors": [{"message": "already committed"}]}));
    let digest = draft().digest().to_string();
    expect_version(&script, &digest);
    expect_version(&script, &digest);
    // Once more: nothing is sent but the question.
    expect_create(&script, NEW, "COMMITTED");
    expect_version(&script, &digest);
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    let options = UploadOptions::default();
    assert_eq!(
        draft().log(&run, &options).await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );
    assert!(draft().log(&run, &options).await.unwrap().is_new);
    let again = draft().log(&run, &options).await.unwrap();
    assert_eq!((again.is_new, again.uploaded.sent), (false, 0));
    let ids = client_ids(&script);
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 128), "{ids:?}");
    script.finish();
}

#[tokio::test]
async fn deleted_versions_and_other_content_get_other_ids() {
    let script = ScriptedTransport::ordered();
    expect_create(&script, "gone", "DELETED");
    expect_create(&script, NEW, "COMMITTED");
    expect_version(&script, &draft().digest().to_string());
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    draft().log(&run, &UploadOptions::default()).await.unwrap();
    let ids = client_ids(&script);
    assert_ne!(ids[0], ids[1]);
    assert_ne!(
        draft().seed(0).unwrap(),
        draft().description("other").seed(0).unwrap()
    );
    script.finish();
}

#[tokio::test]
async fn aliases_that_another_version_took_since_come_back() {
    let script = ScriptedTransport::ordered();
    let digest = draft().digest().to_string();
    expect_create(&script, NEW, "COMMITTED");
    script
        .graphql("ArtifactByID")
        .respond_data(json!({"artifact": with_aliases(&digest, &[])}));
    expect_create(&script, NEW, "COMMITTED");
    expect_version(&script, &digest);
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    let logged = draft().log(&run, &UploadOptions::default()).await.unwrap();
    assert!(!logged.is_new);
    assert_eq!(logged.artifact.aliases, ["latest", "best"]);
    let ids = client_ids(&script);
    assert_ne!(ids[0], ids[1]);
    script.finish();
}

#[tokio::test]
async fn another_digest_than_the_drafts_is_an_integrity_error() {
    let script = ScriptedTransport::ordered();
    expect_create(&script, NEW, "PENDING");
    expect_upload(&script);
    expect_commit(&script);
    expect_version(&script, "ffffffffffffffffffffffffffffffff");
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    let error = draft().log(&run, &UploadOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    script.finish();
}

#[test]
fn names_that_cannot_be_are_refused() {
    for (artifact_type, name) in [
        ("model", "a b"),
        ("model", ".."),
        ("job", "x"),
        ("wandb-x", "x"),
        ("a/b", "x"),
    ] {
        assert!(
            ArtifactDraft::new(artifact_type, name).is_err(),
            "{artifact_type} {name}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_said_of_a_version_is_refused_before_anything_is_sent() {
    let script = ScriptedTransport::ordered();
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    let draft = || ArtifactDraft::new("model", "m").unwrap();
    draft()
        .alias("best")
        .tag("good")
        .metadata_key("acc", 0.5)
        .check()
        .unwrap();
    for draft in [
        draft().alias("v1"),
        draft().tag("a:b"),
        draft().metadata_key("acc", f64::INFINITY),
        draft().metadata(
            (0..101)
                .map(|key| (key.to_string(), wandb_core::Value::Null))
                .collect(),
        ),
    ] {
        let by_itself = draft.check();
        let by_a_run = draft.log(&run, &UploadOptions::default()).await.map(drop);
        let in_a_project = draft.log_in(run.api(), "e/p", &UploadOptions::default()).await;
        for refused in [by_itself, by_a_run, in_a_project.map(drop)] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }
    script.finish();
}
