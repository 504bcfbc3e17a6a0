//! Artifacts over a script.

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::{ErrorKind, Value};
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

fn versions_page(items: Vec<Json>, cursor: Option<&str>) -> Json {
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

#[tokio::test]
async fn versions_are_paged_and_a_page_without_a_match_goes_on() {
    let script = ScriptedTransport::ordered();
    let page = |cursor: Json| {
        script
            .graphql("ProjectArtifacts")
            .variables(json!({"collection": "model", "cursor": cursor,
            "perPage": 2, "order": "-created_at", "filters": "{\"state\":\"COMMITTED\"}"}))
    };
    let tagged = |index: i64, tag: &str| {
        version(json!({"versionIndex": index, "tags": [{"name": tag}, {"name": "x"}]}))
    };
    page(Json::Null).respond_data(versions_page(
        vec![tagged(9, "good"), tagged(8, "bad")],
        Some("a"),
    ));
    page(json!("a")).respond_data(versions_page(vec![tagged(7, "bad"), tagged(6, "bad")], Some("b")));
    page(json!("b")).respond_data(versions_page(vec![tagged(5, "good")], None));
    let versions: Vec<_> = api(&script)
        .artifacts("model", "e/p/model")
        .order("-created_at")
        .tags(["good", "x"])
        .page_size(2)
        .limit(2)
        .stream()
        .try_collect()
        .await
        .unwrap();
    script.finish();
    let names: Vec<_> = versions.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(names, ["model:v9", "model:v5"]);
}

#[tokio::test]
async fn a_collection_of_another_type_and_orders_that_are_none_are_told() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("ProjectArtifacts")
        .respond_data(versions_page(vec![], None));
    let api = api(&script);
    let listing: Result<Vec<_>, _> = api.artifacts("dataset", "e/p/model").stream().try_collect().await;
    assert_eq!(listing.unwrap_err().kind(), ErrorKind::NotFound);
    script.finish();
    for order in ["", "-", "created at", "-a.b"] {
        assert!(
            api.artifacts("model", "e/p/model").order(order).pages().is_err(),
            "{order:?}"
        );
    }
    assert!(
        api.artifacts("model", "e/p/model")
            .filter("text")
            .pages()
            .is_err()
    );
}

#[tokio::test]
async fn an_edit_sends_only_what_changed() {
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    let untouched = artifact
        .edit()
        .add_alias("latest")
        .remove_alias("never there")
        .description("d")
        .add_tag("good")
        .ttl(TimeToLive::Forever)
        .save()
        .await
        .unwrap();
    assert_eq!(untouched.id, ID);
    let alias = |alias: &str| json!([{"entityName": "e", "projectName": "p", "artifactCollectionName": "model", "alias": alias}]);
    // The metadata is read again, and the key goes into what is there then.
    expect_model(&script, json!({"metadata": "{\"other\": 1}"}));
    script
        .graphql("AddAliases")
        .variables(json!({"input": {"artifactID": ID, "aliases": alias("best")}}))
        .respond_data(json!({"addAliases": {"success": true}}));
    script
        .graphql("DeleteAliases")
        .variables(json!({"input": {"artifactID": ID, "aliases": alias("latest")}}))
        .respond_data(json!({"deleteAliases": {"success": true}}));
    script
        .graphql("UpdateArtifact")
        .when("only what changed", |request| {
            let body: Json = serde_json::from_slice(request.body()).unwrap();
            body["variables"]["input"]
                == json!({"artifactID": ID, "metadata": "{\"other\":1,\"acc\":null}", "tagsToDelete": [{"tagName": "good"}],
                    "ttlDurationSeconds": 90})
        })
        .respond_data(json!({"updateArtifact": {"artifact": {"id": ID}}}));
    expect_model(&script, json!({"description": "read again"}));
    let saved = artifact
        .edit()
        .add_alias("best")
        .remove_alias("latest")
        .remove_tag("good")
        .metadata_key("acc", f64::NAN)
        .ttl(TimeToLive::For(std::time::Duration::from_secs(90)))
        .save()
        .await
        .unwrap();
    assert_eq!(saved.description.as_deref(), Some("read again"));
    script.finish();
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_before_anything_is_sent() {
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    let edits = [
        artifact.edit().add_alias("v7"),
        artifact.edit().add_alias("a/b"),
        artifact.edit().add_tag("no:colon"),
        artifact.edit().metadata_key("x", f64::INFINITY),
        artifact
            .edit()
            .metadata((0..101).map(|key| (key.to_string(), Value::Null)).collect()),
        artifact.edit().ttl(TimeToLive::For(std::time::Duration::ZERO)),
    ];
    for edit in edits {
        let shown = format!("{edit:?}");
        assert_eq!(
            edit.save().await.unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{shown}"
        );
    }
    script.finish();
}

#[tokio::test]
async fn a_version_that_changed_meanwhile_is_a_conflict() {
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    expect_model(&script, json!({"description": "somebody else was here"}));
    let error = artifact
        .edit()
        .add_alias("best")
        .if_unchanged()
        .save()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    script.finish();
}

#[tokio::test]
async fn links_are_made_listed_and_taken_back() {
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    script
        .graphql("LinkArtifact")
        .variables(
            json!({"input": {"artifactID": ID, "artifactPortfolioName": "shelf", "entityName": "e",
            "projectName": "registry", "aliases": [{"artifactCollectionName": "shelf", "alias": "prod"}]}}),
        )
        .respond_data(json!({"linkArtifact": {"versionIndex": 4, "artifactMembership":
            member("ArtifactPortfolio", "shelf", 4, &["prod"], version(json!({})))}}));
    let link = artifact.link("registry/shelf", ["prod"]).await.unwrap();
    assert_eq!(link.name, "shelf:v4");
    assert_eq!(
        link.delete(true).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        artifact.unlink().await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    script.graphql("FetchLinkedArtifacts").respond_data(
        json!({"artifact": {"artifactMemberships": {"edges": [
            {"node": member("ArtifactSequence", "model", 3, &[], version(json!({})))},
            {"node": member("ArtifactPortfolio", "shelf", 4, &[], version(json!({})))},
        ], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}),
    );
    let links: Vec<_> = artifact.linked_artifacts().stream().try_collect().await.unwrap();
    assert_eq!(
        links.iter().map(|link| link.name.as_str()).collect::<Vec<_>>(),
        ["shelf:v4"]
    );
    script
        .graphql("UnlinkArtifact")
        .variables(json!({"input": {"artifactID": ID, "artifactPortfolioID": "ArtifactPortfolio-shelf"}}))
        .respond_data(json!({"unlinkArtifact": {"success": true}}));
    link.unlink().await.unwrap();
    script
        .graphql("DeleteArtifact")
        .variables(json!({"input": {"artifactID": ID, "deleteAliases": false}}))
        .respond_graphql_error("cannot delete: the artifact has aliases");
    expect_model(&script, json!({}));
    let error = artifact.delete(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("has the aliases latest"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("cannot delete"), "{source}");
    script.finish();
}

#[tokio::test]
async fn collections_and_types_are_listed_and_changed() {
    let collection = |name: &str, typename: &str| {
        json!({"__typename": typename, "id": name, "name": name, "description": null, "createdAt": "2024-05-01T12:34:56Z",
            "updatedAt": null, "project": {"name": "p", "entityName": "e"}, "defaultArtifactType": {"name": "model"},
            "tags": {"edges": [{"node": {"name": "old"}}]}})
    };
    let script = ScriptedTransport::ordered();
    script
        .graphql("ArtifactTypeArtifactCollections")
        .variables(json!({"artifactType": "model"}))
        .respond_data(
            json!({"project": {"artifactType": {"artifactCollections": {"totalCount": 2, "edges": [
            {"node": collection("a", "ArtifactSequence")}, {"node": collection("b", "ArtifactPortfolio")},
        ], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}),
        );
    let api = api(&script);
    let found: Vec<_> = api
        .artifact_collections("e/p", "model")
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|it| it.is_sequence).collect::<Vec<_>>(),
        [true, false]
    );
    assert!(
        found[1].edit().artifact_type("dataset").save().await.is_err(),
        "a portfolio keeps its type"
    );

    script
        .graphql("ArtifactCollectionAliases")
        .variables(json!({"id": "a", "cursor": null}))
        .respond_data(
            json!({"artifactCollection": {"aliases": {"edges": [{"node": {"alias": "x"}}],
            "pageInfo": {"hasNextPage": true, "endCursor": "1"}}}}),
        );
    script
        .graphql("ArtifactCollectionAliases")
        .variables(json!({"cursor": "1"}))
        .respond_data(
            json!({"artifactCollection": {"aliases": {"edges": [{"node": {"alias": "y"}}],
            "pageInfo": {"hasNextPage": false, "endCursor": null}}}}),
        );
    let aliases: Vec<String> = found[0].aliases().try_collect().await.unwrap();
    assert_eq!(aliases, ["x", "y"]);

    script
        .graphql("UpdateArtifactSequence")
        .variables(json!({"input": {"artifactSequenceID": "a", "name": "c"}}))
        .respond_data(json!({"updateArtifactSequence": {"artifactCollection": {"id": "a"}}}));
    script
        .graphql("MoveArtifactSequence")
        .variables(json!({"input": {"artifactSequenceID": "a", "destinationArtifactTypeName": "dataset"}}))
        .respond_data(json!({"moveArtifactSequence": {"artifactCollection": {"id": "a"}}}));
    script
        .graphql("CreateArtifactCollectionTagAssignments")
        .variables(json!({"input": {"artifactCollectionName": "c", "tags": [{"tagName": "new"}]}}))
        .respond_data(json!({"createArtifactCollectionTagAssignments": {"tags": [{"name": "new"}]}}));
    script
        .graphql("DeleteArtifactCollectionTagAssignments")
        .variables(json!({"input": {"artifactCollectionName": "c", "tags": [{"tagName": "old"}]}}))
        .respond_data(json!({"deleteArtifactCollectionTagAssignments": {"success": true}}));
    script
        .graphql("ProjectArtifactCollection")
        .variables(json!({"name": "c"}))
        .respond_data(json!({"project": {"artifactCollection": collection("c", "ArtifactSequence")}}));
    let renamed = found[0]
        .edit()
        .name("c")
        .artifact_type("dataset")
        .add_tag("new")
        .remove_tag("old")
        .save()
        .await;
    assert_eq!(renamed.unwrap().name, "c");
    script
        .graphql("DeleteArtifactPortfolio")
        .variables(json!({"input": {"artifactPortfolioID": "b"}}))
        .respond_data(json!({"deleteArtifactPortfolio": {"artifactCollection": {"id": "b"}}}));
    found[1].delete().await.unwrap();

    script.graphql("ProjectArtifactTypes").respond_data(
        json!({"project": {"artifactTypes": {"edges": [{"node": {"id": "t", "name": "model",
            "description": null, "createdAt": "2024-05-01T12:34:56Z"}}],
            "pageInfo": {"hasNextPage": false, "endCursor": null}}}}),
    );
    let types: Vec<_> = api.artifact_types("e/p").stream().try_collect().await.unwrap();
    let [listed] = types.as_slice() else {
        panic!("{types:?}")
    };
    script
        .graphql("ProjectArtifactType")
        .variables(json!({"entity": "e", "project": "p", "artifactType": "model"}))
        .respond_data(
            json!({"project": {"artifactType": {"id": "t", "name": "model", "description": "weights",
            "createdAt": "2024-05-01T12:34:56Z"}}}),
        );
    let read = api.artifact_type("model", "e/p").await.unwrap();
    for (found, description) in [(listed, json!(null)), (&read, json!("weights"))] {
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            json!({"id": "t", "name": "model", "description": description, "created_at": "2024-05-01T12:34:56Z",
                "entity": "e", "project": "p"})
        );
    }
    script
        .graphql("ProjectArtifactType")
        .respond_data(json!({"project": {"artifactType": null}}));
    let missing = api.artifact_type("none", "e/p").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    for name in ["c", "of-another-type"] {
        let mut wire = collection(name, "ArtifactSequence");
        if name != "c" {
            wire["defaultArtifactType"]["name"] = json!("dataset");
        }
        script
            .graphql("ProjectArtifactCollection")
            .variables(json!({"entity": "e", "project": "p", "name": name}))
            .respond_data(json!({"project": {"artifactCollection": wire}}));
    }
    assert_eq!(read.collection("c").await.unwrap().name, "c");
    assert_eq!(
        read.collection("of-another-type").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    script.finish();
}

#[tokio::test]
async fn what_a_run_used_and_logged_is_listed_and_recorded() {
    let script = ScriptedTransport::ordered();
    let run = api(&script).run_reference("e/p/r").await.unwrap();
    script
        .graphql("RunInputArtifacts")
        .variables(json!({"entity": "e", "project": "p", "run": "r"}))
        .respond_data(
            json!({"project": {"run": {"inputArtifacts": {"totalCount": 2, "edges": [
            {"usedAs": ["base"], "node": version(json!({}))}, {"usedAs": [], "node": null},
        ], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}),
        );
    let mut places: Vec<_> = run.used_artifacts().places().try_collect().await.unwrap();
    // The second one is not shown.
    assert!(places.len() == 2 && places.remove(1).is_none());
    let used: Vec<_> = places.into_iter().flatten().collect();
    script.graphql("RunInputArtifacts").respond_data(
        json!({"project": {"run": {"inputArtifacts": {"totalCount": 1, "edges": [
            {"usedAs": [], "node": null}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}),
    );
    let shown: Vec<_> = run.used_artifacts().stream().try_collect().await.unwrap();
    assert!(shown.is_empty());
    for _ in 0..2 {
        script
            .graphql("RunOutputArtifacts")
            .respond_data(json!({"project": {"run": {"outputArtifacts": {"totalCount": 2, "edges": [
                {"node": null}, {"node": version(json!({}))}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}}));
    }
    let places: Vec<_> = run.logged_artifacts().places().try_collect().await.unwrap();
    assert!(places.len() == 2 && places[0].is_none());
    let shown: Vec<_> = run.logged_artifacts().stream().try_collect().await.unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (used[0].name.as_str(), used[0].used_as.as_slice()),
        ("model:v3", &["base".to_owned()][..])
    );
    script
        .graphql("UseArtifact")
        .variables(
            json!({"input": {"artifactID": ID, "entityName": "e", "projectName": "p", "runName": "r",
            "usedAs": "base"}}),
        )
        .respond_data(json!({"useArtifact": {"artifact": {"id": ID}}}));
    run.use_artifact(&used[0], Some("base")).await.unwrap();
    for (state, sequence) in [("COMMITTED", Json::Null), ("PENDING", json!({"id": ID}))] {
        script
            .graphql("CreateArtifact")
            .variables(json!({"input": {"runName": "r", "artifactCollectionName": "model", "enableDigestDeduplication": true,
                "aliases": [{"artifactCollectionName": "model", "alias": "best"},
                    {"artifactCollectionName": "model", "alias": "latest"}]}}))
            .respond_data(json!({"createArtifact": {"artifact": {"id": "x", "state": state,
                "artifactSequence": {"latestArtifact": sequence}}}}));
    }
    // The version that was begun instead does not stay.
    script
        .graphql("DeleteArtifact")
        .variables(json!({"input": {"artifactID": "x", "deleteAliases": true}}))
        .respond_data(json!({"deleteArtifact": {"artifact": {"id": "x"}}}));
    run.log_artifact(&used[0], ["best"]).await.unwrap();
    let error = run.log_artifact(&used[0], ["best"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let other = api(&script).run_reference("e/q/r").await.unwrap();
    assert_eq!(
        other.log_artifact(&used[0], ["best"]).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    script.finish();
}

#[tokio::test]
async fn the_runs_around_a_version_are_asked_for_together() {
    let wire_run = |id: &str, project: &str| {
        json!({"id": format!("s-{id}"), "name": id, "displayName": null, "jobType": null, "state": "finished",
            "createdAt": "2024-05-01T12:34:56Z", "project": {"name": project, "entityName": "e"}})
    };
    let script = ScriptedTransport::ordered();
    let artifact = model(&script).await;
    script
        .graphql("ArtifactUsedBy")
        .variables(json!({"id": ID, "cursor": null}))
        .respond_data(json!({"artifact": {"usedBy": {"edges": [{"node": wire_run("a", "p")}, {"node": wire_run("b", "q")},
            {"node": wire_run("c", "p")}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}));
    let references: Vec<_> = artifact.used_by().references().try_collect().await.unwrap();
    let paths: Vec<_> = references.iter().map(|run| run.run_path().to_string()).collect();
    assert_eq!(paths, ["e/p/a", "e/q/b", "e/p/c"]);
    for created_by in [
        json!({"__typename": "Run", "id": "s", "name": "maker", "displayName": null, "jobType": null, "state": null,
            "createdAt": "2024-05-01T12:34:56Z", "project": {"name": "p", "entityName": "e"}}),
        json!({"__typename": "User"}),
        Json::Null,
    ] {
        script
            .graphql("ArtifactCreatedBy")
            .respond_data(json!({"artifact": {"createdBy": created_by}}));
    }
    let maker = artifact.logged_by_reference().await.unwrap().unwrap();
    assert_eq!(maker.run_path().to_string(), "e/p/maker");
    for _ in 0..2 {
        assert!(artifact.logged_by().await.unwrap().is_none());
    }

    // A run whose project is not shown cannot be named, and is not left out in silence.
    let mut hidden = wire_run("d", "p");
    hidden["project"] = Json::Null;
    for _ in 0..2 {
        script.graphql("ArtifactUsedBy").respond_data(
            json!({"artifact": {"usedBy": {"edges": [{"node": hidden}, {"node": wire_run("a", "p")}],
                "pageInfo": {"hasNextPage": false, "endCursor": null}}}}),
        );
    }
    let users = artifact.used_by();
    let error = users.clone().references().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVisible);
    let named: Vec<_> = users.skip_hidden().references().try_collect().await.unwrap();
    assert_eq!(named.len(), 1);
    hidden["__typename"] = "Run".into();
    script
        .graphql("ArtifactCreatedBy")
        .respond_data(json!({"artifact": {"createdBy": hidden}}));
    assert_eq!(
        artifact.logged_by().await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );
    script.finish();
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
