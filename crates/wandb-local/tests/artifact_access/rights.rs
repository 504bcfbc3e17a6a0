//! Who sees, uses and changes versions.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::Caller;
use crate::{World, access, by_key, document, link, log, md5_hex, mutate, target, world};

#[tokio::test]
async fn what_may_not_be_seen_is_not_there() {
    let World {
        ada,
        grace,
        eve,
        server: _server,
        dir: _dir,
    } = world().await;
    let target = target(&ada, "secret").await;
    let before = target.look(&ada).await;
    assert_eq!(before["artifact"]["state"], "COMMITTED");
    assert_eq!(before["clientIDMapping"]["serverID"], target.pending);
    for (caller, name) in [(&grace, "grace"), (&eve, "eve")] {
        let nothing = json!({ "artifact": null, "pending": null, "sequence": null, "portfolio": null,
            "clientIDMapping": null, "project": null });
        assert_eq!(target.look(caller).await, nothing);
        let own =
            json!({ "artifactID": target.version, "entityName": name, "projectName": "own", "runName": "r" });
        let into_own = json!({ "artifactID": target.version, "entityName": name, "projectName": "own",
            "artifactPortfolioName": "mine" });
        let client = json!({ "clientID": "client-secret", "entityName": name, "projectName": "own",
            "artifactTypeName": "dataset", "artifactCollectionName": "x", "digest": "", "digestAlgorithm": "MANIFEST_MD5" });
        let by_client = json!({ "clientID": "client-secret", "entityName": name, "projectName": "own", "artifactPortfolioName": "mine" });
        let mut changes = target.changes();
        changes.extend([
            ("useArtifact", true, own),
            ("linkArtifact", true, into_own),
            ("createArtifact", true, client),
            ("linkArtifact", true, by_client),
            (
                "addAliases",
                true,
                json!({ "artifactID": target.version, "aliases": [] }),
            ),
            (
                "deleteAliases",
                true,
                json!({ "artifactID": target.version, "aliases": [] }),
            ),
        ]);
        for (mutation, by_id, input) in changes {
            let refusal = caller
                .graphql(&document(mutation), json!({ "input": input }))
                .await;
            let error = &refusal["errors"][0];
            let text = error["message"].as_str().unwrap_or_default();
            // These make a project that is not there. A member of the team learns that the name is taken; eve, who may
            // make none, learns nothing.
            if !by_id && matches!(mutation, "createArtifact" | "createArtifactType") {
                assert_eq!(error["extensions"]["code"], "PERMISSION_ERROR", "{refusal}");
                assert_eq!(text.contains("secret"), name == "grace", "{text}");
                continue;
            }
            assert!(text.contains("not found"), "{name} {mutation}: {refusal}");
            assert!(
                !by_id || !text.contains("ds") && !text.contains("pf"),
                "{mutation} tells a name: {text}"
            );
        }
        for path in target.paths() {
            assert_eq!(by_key(caller, &path).await.status, StatusCode::NOT_FOUND);
        }
    }
    assert_eq!(target.look(&ada).await, before, "nothing was changed");
    for path in target.paths() {
        let answer = by_key(&ada, &path).await;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (StatusCode::OK, &target.bytes[..])
        );
    }
}

#[tokio::test]
async fn what_may_be_seen_may_be_used_and_not_changed() {
    let World {
        ada,
        eve,
        server: _server,
        dir: _dir,
        ..
    } = world().await;
    let target = target(&ada, "open").await;
    let before = target.look(&ada).await;
    assert_eq!(target.look(&eve).await, before);
    for (mutation, _, input) in target.changes() {
        let refusal = eve.graphql(&document(mutation), json!({ "input": input })).await;
        let error = &refusal["errors"][0];
        assert_eq!(
            error["extensions"]["code"], "PERMISSION_ERROR",
            "{mutation}: {refusal}"
        );
        let text = error["message"].as_str().unwrap();
        assert!(text.contains("permission denied"), "{mutation}: {text}");
    }
    let touched = json!({ "artifactID": target.version, "aliases": [] });
    mutate(&eve, "addAliases", touched).await;
    assert_eq!(target.look(&ada).await, before, "nothing was changed");
    for path in target.paths() {
        let answer = by_key(&eve, &path).await;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (StatusCode::OK, &target.bytes[..])
        );
    }
    let own =
        json!({ "artifactID": target.version, "entityName": "eve", "projectName": "own", "runName": "r" });
    mutate(&eve, "useArtifact", own).await;
    let portfolio = link(&eve, &target.version, "eve", "own").await;
    // The linked version is found through eve's own entity, as clients ask for it then.
    let linked = format!("/artifacts/eve/{}", md5_hex(&target.bytes));
    assert_eq!(by_key(&eve, &linked).await.status, StatusCode::OK);
    let updated = target.look(&ada).await["artifact"]["updatedAt"].clone();
    let alias = json!({ "artifactID": target.version, "aliases": [
        { "entityName": "eve", "projectName": "own", "artifactCollectionName": "pf", "alias": "best" }] });
    mutate(&eve, "addAliases", alias).await;
    assert_eq!(target.look(&ada).await["artifact"]["updatedAt"], updated);
    // Ada does not see eve's project, and so not the place of her version in it.
    let seen = &target.look(&ada).await["artifact"];
    assert_eq!(
        seen["artifactMemberships"],
        before["artifact"]["artifactMemberships"]
    );
    assert_eq!(seen["aliases"], before["artifact"]["aliases"]);
    // Once the project is closed, the link shows nothing any more, and can be taken away all the same.
    access(&ada, "open", "ENTITY_WRITE").await;
    assert_eq!(by_key(&eve, &linked).await.status, StatusCode::NOT_FOUND);
    let unlink = json!({ "artifactID": target.version, "artifactPortfolioID": portfolio });
    mutate(&eve, "unlinkArtifact", unlink).await;
}

#[tokio::test]
async fn a_link_opens_nothing() {
    let World {
        ada,
        grace,
        eve,
        server: _server,
        dir: _dir,
    } = world().await;
    let secret = log(&ada, "research", "secret", b"secret").await;
    let portfolio = link(&ada, &secret, "research", "cats").await;
    let query = "query ($id: ID!) { artifactCollection(id: $id) { name
        aliases { totalCount edges { node { alias } } } artifacts { totalCount edges { node { id } } }
        artifactMembership(aliasName: \"prod\") { id } artifactMemberships { totalCount edges { node { id } } } }
      project(name: \"cats\", entityName: \"research\") { artifact(name: \"pf:v0\") { id }
        artifactCollectionMembership(name: \"pf:prod\") { id } artifactType(name: \"dataset\") { artifact(name: \"pf\") { id } } } }";
    let seen = grace.data(query, json!({ "id": portfolio })).await;
    let none = json!({ "totalCount": 0, "edges": [] });
    assert_eq!(
        seen["artifactCollection"],
        json!({ "name": "pf", "aliases": none, "artifacts": none, "artifactMembership": null, "artifactMemberships": none })
    );
    assert_eq!(
        seen["project"],
        json!({ "artifact": null, "artifactCollectionMembership": null, "artifactType": { "artifact": null } })
    );
    let seen = ada.data(query, json!({ "id": portfolio })).await;
    assert_eq!(seen["artifactCollection"]["artifactMemberships"]["totalCount"], 1);
    assert_eq!(seen["project"]["artifact"]["id"], secret);

    // The other way about: a version that all see, in a portfolio that they do not.
    let open = log(&ada, "research", "open", b"open").await;
    link(&ada, &open, "research", "secret").await;
    let query = "query ($id: ID!) { artifact(id: $id) { aliases { alias } versionIndex(artifactCollectionName: \"pf\")
        artifactMemberships { totalCount } artifactCollections { edges { node { name } } } } }";
    let seen = eve.data(query, json!({ "id": open })).await;
    assert_eq!(
        seen["artifact"],
        json!({ "aliases": [{ "alias": "latest" }], "versionIndex": null, "artifactMemberships": { "totalCount": 1 },
            "artifactCollections": { "edges": [{ "node": { "name": "ds" } }] } })
    );
    let seen = ada.data(query, json!({ "id": open })).await;
    assert_eq!(seen["artifact"]["versionIndex"], 0);
    assert_eq!(seen["artifact"]["artifactMemberships"]["totalCount"], 2);
    let delete = document("deleteArtifact");
    let input = json!({ "input": { "artifactID": open } });
    let refusal = grace.refusal(&delete, input.clone()).await;
    assert!(
        refusal.contains("one in another project") && !refusal.contains("prod"),
        "{refusal}"
    );
    assert!(ada.refusal(&delete, input).await.contains("prod"));
}

#[tokio::test]
async fn lineage_ends_where_one_may_not_look() {
    let World {
        ada,
        grace,
        eve,
        server: _server,
        dir: _dir,
    } = world().await;
    let open = log(&ada, "research", "open", b"open").await;
    let secret = log(&ada, "research", "secret", b"secret").await;
    let use_in = |artifact: &Value, project: &str| json!({ "artifactID": artifact, "entityName": "research", "projectName": project, "runName": "r" });
    mutate(&ada, "useArtifact", use_in(&open, "cats")).await;
    mutate(&ada, "useArtifact", use_in(&secret, "open")).await;
    mutate(&ada, "useArtifact", use_in(&open, "open")).await;
    let query = "query ($id: ID!) { artifact(id: $id) { usedCount usedBy { totalCount edges { node { project { name } } } }
        createdBy { __typename ... on Run { name } } }
      project(name: \"open\", entityName: \"research\") { run(name: \"r\") {
        inputArtifacts { totalCount edges { node { id } } } outputArtifacts { totalCount } } } }";
    for (caller, users, inputs) in [(&ada, 2, 2), (&grace, 2, 1), (&eve, 1, 1)] {
        let seen = caller.data(query, json!({ "id": open })).await;
        let artifact = &seen["artifact"];
        assert_eq!(artifact["usedCount"], users);
        assert_eq!(artifact["usedBy"]["totalCount"], users);
        assert_eq!(artifact["usedBy"]["edges"].as_array().unwrap().len(), users);
        assert_eq!(artifact["createdBy"], json!({ "__typename": "Run", "name": "r" }));
        let run = &seen["project"]["run"];
        assert_eq!(run["inputArtifacts"]["totalCount"], inputs);
        assert_eq!(run["inputArtifacts"]["edges"].as_array().unwrap().len(), inputs);
        assert_eq!(run["outputArtifacts"]["totalCount"], 1);
    }
}

#[tokio::test]
async fn the_digest_algorithm_is_offered_by_the_entity_and_the_server_alike() {
    let World {
        server, dir: _dir, ..
    } = world().await;
    let query = "{ entity { xxhashDigestsEnabled } serverInfo { features { name isEnabled } } }";
    let answer = Caller::of(&server).data(query, json!({})).await;
    let features = answer["serverInfo"]["features"].as_array().unwrap();
    let offered = features
        .iter()
        .any(|feature| feature["name"] == "ARTIFACT_DIGEST_ALGORITHM" && feature["isEnabled"] == true);
    assert_eq!(answer["entity"]["xxhashDigestsEnabled"], offered);
    assert!(offered);
}
