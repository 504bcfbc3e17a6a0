//! Listings of versions, collections and types, and changes of collections, over a script.

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::tests::{version, versions_page};
use crate::testing::api;

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
