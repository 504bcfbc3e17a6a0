//! The runs around a version, over a script.

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::tests::{ID, model, version};
use crate::testing::api;

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
