//! Whose bytes are whose.

use http::StatusCode;
use serde_json::json;

use crate::support::Caller;
use crate::{
    World, announce, by_key, create, document, link, log, md5, md5_hex, mutate, put, run, send_manifest,
    target, world,
};

#[tokio::test]
async fn whoever_knows_a_digest_has_not_the_bytes() {
    let World {
        ada,
        grace,
        server: _server,
        dir: _dir,
        ..
    } = world().await;
    let bytes = b"only ada has these";
    let secret = log(&ada, "research", "secret", bytes).await;
    let stored = |caller: Caller| async move {
        let answer = caller
            .data("{ entity(name: \"research\") { storageBytes } }", json!({}))
            .await;
        answer["entity"]["storageBytes"].clone()
    };
    assert_eq!(stored(grace.clone()).await, json!(0));

    let artifact = create(&grace, "research", "cats", None).await["id"].clone();
    let node = announce(&grace, &artifact, bytes).await;
    assert!(!node["uploadUrl"].is_null(), "the bytes must come: {node}");
    assert_eq!(node["directUrl"], "");
    assert_eq!(node["artifact"]["id"], artifact);
    send_manifest(&grace, &artifact, bytes, &secret).await;
    let commit = json!({ "input": { "artifactID": artifact } });
    let refusal = grace.refusal(&document("commitArtifact"), commit.clone()).await;
    assert!(refusal.contains("have not been uploaded"), "{refusal}");
    assert_eq!(
        put(&grace, &node["uploadUrl"], b"not them").await,
        StatusCode::BAD_REQUEST
    );
    let digest = md5_hex(bytes);
    let path = format!("/artifacts/research/{digest}");
    assert_eq!(by_key(&grace, &path).await.status, StatusCode::NOT_FOUND);

    // Whoever has them is not told either that they were there.
    assert_eq!(put(&grace, &node["uploadUrl"], bytes).await, StatusCode::OK);
    grace.data(&document("commitArtifact"), commit).await;
    assert_eq!(by_key(&grace, &path).await.status, StatusCode::OK);
    let (of_grace, of_ada) = (stored(grace.clone()).await, stored(ada.clone()).await);
    let sizes = [of_grace.as_u64().unwrap(), of_ada.as_u64().unwrap()];
    assert!(sizes[0] > bytes.len() as u64, "a manifest counts: {sizes:?}");
    assert!(
        sizes[1] > sizes[0] && sizes[1] < 2 * sizes[0],
        "the file counts once: {sizes:?}"
    );

    // What one may see need not be sent again. The manifest said that the bytes were born in ada's version: whoever may
    // not see that does not get it from there.
    let again = create(&grace, "research", "cats", None).await["id"].clone();
    let node = announce(&grace, &again, bytes).await;
    assert!(node["uploadUrl"].is_null(), "{node}");
    assert_eq!(node["artifact"]["id"], again);
    let own = create(&ada, "research", "cats", None).await["id"].clone();
    let node = announce(&ada, &own, bytes).await;
    assert_eq!(node["artifact"]["id"], secret);
    // In an entity of one's own, the bytes of others are not there.
    let own = create(&ada, "ada", "own", None).await["id"].clone();
    assert!(!announce(&ada, &own, bytes).await["uploadUrl"].is_null());
}

#[tokio::test]
async fn a_manifest_of_others_cannot_be_held_up() {
    let World {
        ada,
        eve,
        server: _server,
        dir: _dir,
        ..
    } = world().await;
    let target = target(&ada, "open").await;
    let own = create(&eve, "eve", "own", None).await["id"].clone();
    let file =
        json!({ "artifactID": own, "artifactManifestID": target.manifest, "name": "a", "md5": md5(b"a") });
    let refusal = eve
        .refusal(
            &document("createArtifactFiles"),
            json!({ "input": { "artifactFiles": [file] } }),
        )
        .await;
    assert!(refusal.contains("artifact manifest not found"), "{refusal}");
}

#[tokio::test]
async fn who_may_only_read_gets_no_upload_url() {
    let World {
        ada,
        eve,
        server: _server,
        dir: _dir,
        ..
    } = world().await;
    let announced = ada
        .data(
            "mutation { createRunFiles(input: { entityName: \"research\", projectName: \"open\", runName: \"r\", files: [\"f\"] }) {
             files { uploadUrl } } }",
            json!({}),
        )
        .await;
    let url = &announced["createRunFiles"]["files"][0]["uploadUrl"];
    assert_eq!(put(&ada, url, b"bytes").await, StatusCode::OK);
    let query =
        "{ project(name: \"open\", entityName: \"research\") { run(name: \"r\") { files { edges { node {
        name uploadUrl url(upload: true) directUrl } } } } } }";
    for (caller, writable) in [(&ada, true), (&eve, false)] {
        let seen = caller.data(query, json!({})).await;
        let node = &seen["project"]["run"]["files"]["edges"][0]["node"];
        assert_eq!(node["name"], "f");
        assert_eq!(
            (node["uploadUrl"].is_string(), node["url"].is_string()),
            (writable, writable)
        );
        assert!(node["directUrl"].as_str().unwrap().contains("/dl/"));
    }
}

/// How many contents the server keeps.
fn contents(world: &World) -> usize {
    fn count(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap();
        entries
            .map(|entry| match entry.unwrap().path() {
                path if path.is_dir() => count(&path),
                _ => 1,
            })
            .sum()
    }
    count(&world.dir.path().join("files"))
}

#[tokio::test]
async fn what_is_deleted_gives_its_bytes_back() {
    let world = world().await;
    let ada = &world.ada;
    assert_eq!(contents(&world), 0);
    let kept = log(ada, "research", "cats", b"shared").await;
    assert_eq!(contents(&world), 2, "a file and a manifest");
    log(ada, "research", "secret", b"shared").await;
    let second = log(ada, "research", "secret", b"second").await;
    // A pending version holds bytes, too.
    let pending = create(ada, "research", "secret", None).await["id"].clone();
    let node = announce(ada, &pending, b"pending").await;
    assert_eq!(put(ada, &node["uploadUrl"], b"pending").await, StatusCode::OK);
    assert_eq!(contents(&world), 5, "the manifests of equal versions are equal");
    let pf = link(ada, &kept, "ada", "own").await;
    link(ada, &second, "ada", "own").await;

    let query = "{ project(name: \"secret\", entityName: \"research\") { id } }";
    let id = ada.data(query, json!({})).await["project"]["id"].clone();
    mutate(ada, "deleteModel", json!({ "id": id })).await;
    assert_eq!(contents(&world), 2, "what another version refers to stays");
    let query = "query ($id: ID!) { artifactCollection(id: $id) { artifactMembership(aliasName: \"latest\") { artifact { id } }
        artifactMemberships { totalCount } } }";
    let portfolio = ada.data(query, json!({ "id": pf })).await["artifactCollection"].clone();
    assert_eq!(
        portfolio,
        json!({ "artifactMembership": { "artifact": { "id": kept } }, "artifactMemberships": { "totalCount": 1 } }),
        "a portfolio has a newest version as long as it has one"
    );

    let run = run(ada, "research", "cats").await;
    mutate(ada, "deleteRun", json!({ "id": run, "deleteArtifacts": true })).await;
    assert_eq!(contents(&world), 0);
    let query =
        "query ($id: ID!) { artifact(id: $id) { state } entity(name: \"research\") { storageBytes } }";
    let gone = ada.data(query, json!({ "id": kept })).await;
    assert_eq!(
        gone,
        json!({ "artifact": { "state": "DELETED" }, "entity": { "storageBytes": 0 } })
    );
}
