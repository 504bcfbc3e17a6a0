//! Artifacts over a script.

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::*;
use crate::testing::api;

pub(super) const ID: &str = "QXJ0aWZhY3Q6MQ==";

/// A version as the wire has it; `overlay` replaces members.
pub(super) fn version(overlay: Json) -> Json {
    let mut version = json!({
        "id": ID, "state": "COMMITTED", "digest": "0123456789abcdef0123456789abcdef", "digestAlgorithm": "MANIFEST_MD5",
        "versionIndex": 3, "commitHash": "c", "description": "d", "metadata": "{\"acc\": 0.5, \"bad\": NaN}", "size": 12,
        "fileCount": 2, "historyStep": 8, "ttlDurationSeconds": -2, "ttlIsInherited": false,
        "createdAt": "2024-05-01T12:34:56", "updatedAt": "2024-05-02T00:00:00Z", "tags": [{"name": "good"}],
        "aliases": [
            {"alias": "latest", "artifactCollection": place("ArtifactSequence", "model")},
            {"alias": "prod", "artifactCollection": place("ArtifactPortfolio", "shelf")},
        ],
        "artifactType": {"name": "model"},
        "artifactSequence": {"id": "ArtifactSequence-model", "name": "model", "project": {"name": "p", "entityName": "e"}},
    });
    merge(&mut version, overlay);
    version
}

pub(super) fn merge(into: &mut Json, overlay: Json) {
    if let (Json::Object(into), Json::Object(overlay)) = (into, overlay) {
        into.extend(overlay);
    }
}

fn place(typename: &str, name: &str) -> Json {
    json!({"__typename": typename, "id": format!("{typename}-{name}"), "name": name,
        "project": {"name": "p", "entityName": "e"}})
}

pub(super) fn member(
    typename: &str,
    collection: &str,
    index: i64,
    aliases: &[&str],
    artifact: impl Into<Json>,
) -> Json {
    let artifact = artifact.into();
    json!({"id": "m", "versionIndex": index, "artifactCollection": place(typename, collection), "artifact": artifact,
        "aliases": aliases.iter().map(|alias| json!({"alias": alias})).collect::<Vec<_>>()})
}

pub(super) fn found(membership: impl Into<Json>) -> Json {
    let membership = membership.into();
    json!({"project": {"artifactCollectionMembership": membership}})
}

/// Answers one look-up with the version as it is by default.
pub(super) fn expect_model(script: &ScriptedTransport, overlay: Json) {
    script
        .graphql("ArtifactMembershipByName")
        .variables(json!({"entity": "e", "project": "p", "name": "model:v3"}))
        .respond_data(found(member(
            "ArtifactSequence",
            "model",
            3,
            &["latest"],
            version(overlay),
        )));
}

pub(super) async fn model(script: &ScriptedTransport) -> Artifact {
    expect_model(script, json!({}));
    api(script).artifact("e/p/model:v3").await.unwrap()
}

#[tokio::test]
async fn a_version_has_the_official_names() {
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    script.finish();
    let object = serde_json::to_value(artifact.data()).unwrap();
    assert_eq!(
        object,
        json!({"id": ID, "name": "model:v3", "type": "model", "entity": "e", "project": "p", "collection": "model",
            "version": "v3", "aliases": ["latest"], "tags": ["good"], "digest": "0123456789abcdef0123456789abcdef",
            "state": "COMMITTED", "size": 12, "file_count": 2, "description": "d",
            "metadata": {"acc": 0.5, "bad": "NaN"}, "ttl": null, "created_at": "2024-05-01T12:34:56Z",
            "updated_at": "2024-05-02T00:00:00Z"})
    );
    assert_eq!(artifact.history_step, Some(7));
    assert_eq!(artifact.source_qualified_name(), "e/p/model:v3");
    assert!(!artifact.is_link);
    assert!(
        artifact.url().ends_with("/e/p/artifacts/model/model/v3"),
        "{}",
        artifact.url()
    );
    // The address that is given is one that is taken, and names exactly this version.
    expect_model(&script, json!({}));
    let api = api(&script);
    let tab = format!("{}/files?x=1", artifact.url());
    assert_eq!(api.artifact(&tab).await.unwrap().id, artifact.id);
    script.finish();
    let error = api.artifact_versions(artifact.url()).stream().try_next().await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_is_pending_or_deleted_is_neither_read_nor_changed() {
    let script = ScriptedTransport::ordered();
    let target = tempfile::tempdir().unwrap();
    let options = ArtifactDownloadOptions::below(target.path().join("v"));
    for (state, kind) in [
        ("PENDING", ErrorKind::Conflict),
        ("DELETED", ErrorKind::NotFound),
        ("PENDING_DELETION", ErrorKind::NotFound),
        ("GARBAGE_COLLECTED", ErrorKind::NotFound),
    ] {
        script
            .graphql("ArtifactByID")
            .respond_data(json!({"artifact": version(json!({"state": state}))}));
        let artifact = api(&script).artifact(ID).await.unwrap();
        assert_eq!((artifact.state.as_str(), artifact.is_committed()), (state, false));
        for refused in [
            artifact.manifest().await.map(drop),
            artifact.entry("a").await.map(drop),
            artifact.download(&options).await.map(drop),
            artifact.download_plan(&options).await.map(drop),
            artifact.checkout(&options).await.map(drop),
            artifact.file(&options).await.map(drop),
            artifact.verify(target.path()).await.map(drop),
            artifact.new_draft().await.map(drop),
            artifact.edit().description("other").save().await.map(drop),
            artifact.link("shelf", ["prod"]).await.map(drop),
            artifact.delete(true).await,
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(state), "{error}");
        }
    }
    // A state that is newer than this client is no reason not to look.
    script
        .graphql("ArtifactByID")
        .respond_data(json!({"artifact": version(json!({"state": "ARCHIVED"}))}));
    let artifact = api(&script).artifact(ID).await.unwrap();
    artifact.ensure_committed().unwrap();
    // Nothing else was asked, and nothing written.
    script.finish();
    assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_broken_in_a_version_does_not_hide_it_or_its_neighbours() {
    let script = ScriptedTransport::ordered();
    let broken = json!({"versionIndex": 9, "metadata": "[1]", "size": -1, "fileCount": -5});
    script.graphql("ProjectArtifacts").respond_data(versions_page(
        vec![
            version(broken),
            version(json!({"versionIndex": 8, "metadata": "{\"a\": "})),
            version(json!({"versionIndex": 7, "metadata": null})),
        ],
        None,
    ));
    let versions: Vec<_> = api(&script)
        .artifacts("model", "e/p/model")
        .stream()
        .try_collect()
        .await
        .unwrap();
    script.finish();
    let [first, second, third] = versions.as_slice() else {
        panic!("{versions:?}")
    };
    assert_eq!((first.size, first.file_count), (None, None));
    for (artifact, text) in [(first, "[1]"), (second, "{\"a\": ")] {
        assert_eq!(artifact.raw_metadata(), Some(text));
        let error = artifact.metadata().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains(&artifact.name), "{error}");
        let printed = serde_json::to_value(artifact.data()).unwrap();
        assert_eq!(printed["metadata"], text);
        // What the change does not look at is not looked at.
        assert!(artifact.edit().description("d").save().await.is_ok());
        let error = artifact.edit().metadata_key("k", 1).save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    assert!(third.metadata().unwrap().is_empty());
    assert_eq!((third.size, third.raw_metadata()), (Some(12), None));
}

#[tokio::test]
async fn a_link_has_its_own_name_and_aliases_and_unknown_states_survive() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("ArtifactMembershipByName")
        .variables(json!({"name": "shelf:prod"}))
        .respond_data(found(member(
            "ArtifactPortfolio",
            "shelf",
            0,
            &["prod"],
            version(json!({"state": "GARBAGE_COLLECTED", "digestAlgorithm": "MANIFEST_BLAKE3", "ttlDurationSeconds": 60})),
        )));
    let artifact = api(&script).artifact("e/p/shelf:prod").await.unwrap();
    assert_eq!(artifact.name, "shelf:prod");
    assert_eq!(artifact.exact_name(), "e/p/shelf:v0");
    assert_eq!(artifact.source_name(), "model:v3");
    assert_eq!(
        (artifact.aliases.as_slice(), artifact.is_link),
        (&["prod".to_owned()][..], true)
    );
    assert_eq!(artifact.state, "GARBAGE_COLLECTED");
    assert_eq!(artifact.digest_algorithm, "MANIFEST_BLAKE3");
    assert_eq!(artifact.ttl, Some(std::time::Duration::from_secs(60)));
    // By its id the same version is shown where it was logged, with the aliases of that place.
    script
        .graphql("ArtifactByID")
        .variables(json!({"id": ID}))
        .respond_data(json!({"artifact": version(json!({}))}));
    let source = artifact.source().await.unwrap();
    assert_eq!(
        (source.name.as_str(), source.aliases.as_slice()),
        ("model:v3", &["latest".to_owned()][..])
    );
    script.finish();
}

#[tokio::test]
async fn a_digest_is_found_when_it_is_no_name() {
    let digest = "0123456789abcdef0123456789abcdef";
    let script = ScriptedTransport::ordered();
    // The second one is a server that gives another version; it is not believed.
    for overlay in [json!({}), json!({"digest": "ffff"})] {
        script
            .graphql("ArtifactMembershipByName")
            .variables(json!({"name": digest}))
            .respond_data(found(Json::Null));
        script
            .graphql("ArtifactByDigest")
            .variables(json!({"name": digest}))
            .respond_data(json!({"project": {"artifact": version(overlay)}}));
    }
    let api = api(&script);
    let path = format!("e/p/{digest}");
    assert_eq!(api.artifact(&path).await.unwrap().id, ID);
    assert_eq!(api.artifact(&path).await.unwrap_err().kind(), ErrorKind::NotFound);
    script.finish();
}

#[tokio::test]
async fn only_not_found_is_false() {
    let script = ScriptedTransport::ordered();
    let by_name = || script.graphql("ArtifactMembershipByName");
    by_name().respond_data(found(Json::Null));
    by_name().respond_data(json!({"project": null}));
    by_name().respond_json(404, json!({"errors": [{"message": "could not find project"}]}));
    by_name().respond_status(404);
    by_name().respond_json(403, json!({"errors": [{"message": "permission denied"}]}));
    by_name().respond_graphql_error("something broke");
    let api = api(&script);
    for _ in 0..3 {
        assert!(!api.artifact_exists("e/p/model").await.unwrap());
    }
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(api.artifact_exists("e/p/model").await.unwrap_err().kind());
    }
    assert_eq!(
        kinds,
        [ErrorKind::Protocol, ErrorKind::NotVisible, ErrorKind::Server]
    );
    script.finish();
}

pub(super) fn versions_page(items: Vec<Json>, cursor: Option<&str>) -> Json {
    let mut collection = place("ArtifactSequence", "model");
    let edges: Vec<_> = items
        .into_iter()
        .map(|node| json!({"version": format!("v{}", node["versionIndex"]), "node": node}))
        .collect();
    merge(
        &mut collection,
        json!({"defaultArtifactType": {"name": "model"}, "artifacts": {"edges": edges,
            "pageInfo": {"hasNextPage": cursor.is_some(), "endCursor": cursor}}}),
    );
    json!({"project": {"artifactCollection": collection}})
}

pub(super) fn manifest_of(entries: &[(&str, &[u8])]) -> Manifest {
    let entries = entries
        .iter()
        .map(|(path, bytes)| {
            wandb_artifacts::ManifestEntry::file(
                *path,
                wandb_artifacts::Algorithm::Md5.hash(bytes),
                bytes.len() as u64,
            )
        })
        .collect();
    Manifest::new().with_entries(entries).unwrap()
}

pub(super) fn expect_manifest(script: &ScriptedTransport, body: Vec<u8>) {
    script
        .graphql("FetchArtifactManifest")
        .variables(json!({"id": ID}))
        .respond_data(json!({"artifact": {"currentManifest": {"file":
            {"directUrl": "https://api.example/dl/token"}}}}));
    // Below the base URL, and yet without the key: the address is its own credential.
    script
        .get("/dl/token")
        .header_absent("authorization")
        .respond(wandb_transport::ScriptedResponse::new(200).bytes(body));
}
