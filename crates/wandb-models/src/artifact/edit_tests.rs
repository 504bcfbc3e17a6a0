//! Changes and links of versions, over a script.

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::{ErrorKind, Value};
use wandb_transport::ScriptedTransport;

use super::{
    tests::{ID, expect_model, member, model, version},
    *,
};

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
