//! Artifacts: written as the official client writes them, read, edited, linked, deleted, over loopback HTTP.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use support::{Answer, Caller};
use wandb_local::{FaultPlan, LocalServer};

fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// The digest of a version with these files (protocol §5.1).
fn version_digest(files: &[(&str, &[u8])]) -> String {
    let mut files = files.to_vec();
    files.sort_unstable();
    let mut text = "wandb-artifact-manifest-v1\n".to_owned();
    for (path, bytes) in files {
        text.push_str(&format!("{path}:{}\n", md5(bytes)));
    }
    md5_hex(text.as_bytes())
}

fn manifest(files: &[(&str, &[u8])]) -> Value {
    let contents: serde_json::Map<String, Value> = files
        .iter()
        .map(|(path, bytes)| {
            (
                (*path).to_owned(),
                json!({ "digest": md5(bytes), "size": bytes.len() }),
            )
        })
        .collect();
    json!({ "version": 1, "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": { "storageLayout": "V2" }, "contents": contents })
}

const CREATE: &str = "mutation ($input: CreateArtifactInput!) { createArtifact(input: $input) {
    artifact { id state versionIndex artifactSequence { id latestArtifact { id } } } } }";
const FILES: &str = "mutation ($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) { files { edges { node {
    name storagePath uploadUrl uploadHeaders uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } } artifact { id } } } } } }";
const MANIFEST: &str =
    "mutation ($input: CreateArtifactManifestInput!) { createArtifactManifest(input: $input) {
    artifactManifest { id file { uploadUrl uploadHeaders } } } }";
const COMMIT: &str = "mutation ($id: ID!) { commitArtifact(input: { artifactID: $id }) { artifact {
    id digest state versionIndex size fileCount aliases { alias } currentManifest { digest type file { directUrl } } } } }";

fn new_artifact(name: &str, files: &[(&str, &[u8])]) -> Value {
    json!({ "entityName": "", "projectName": "p", "runName": "r", "artifactTypeName": "dataset", "artifactCollectionName": name,
            "digest": version_digest(files), "digestAlgorithm": "MANIFEST_MD5", "enableDigestDeduplication": true,
            "aliases": [{ "artifactCollectionName": name, "alias": "latest" }] })
}

async fn create(caller: &Caller, input: Value) -> Value {
    caller.data(CREATE, json!({ "input": input })).await["createArtifact"]["artifact"].clone()
}

async fn announce(caller: &Caller, id: &Value, files: &[(&str, &[u8])]) -> Vec<Value> {
    let specs: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| json!({ "artifactID": id, "name": path, "md5": md5(bytes) }))
        .collect();
    let answer = caller
        .data(
            FILES,
            json!({ "input": { "artifactFiles": specs, "storageLayout": "V2" } }),
        )
        .await;
    let edges = answer["createArtifactFiles"]["files"]["edges"]
        .as_array()
        .unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

/// Puts bytes without credentials.
async fn put(caller: &Caller, url: &Value, bytes: &[u8]) -> Answer {
    let request = Request::put(url.as_str().unwrap());
    caller
        .raw(request.body(Bytes::copy_from_slice(bytes)).unwrap())
        .await
}

async fn get(caller: &Caller, url: &Value) -> Answer {
    caller
        .raw(Request::get(url.as_str().unwrap()).body(Bytes::new()).unwrap())
        .await
}

async fn send_manifest(caller: &Caller, id: &Value, kind: &str, base: &Value, document: &Value) {
    let text = document.to_string();
    let input = |digest: &str| {
        json!({ "input": { "artifactID": id, "baseArtifactID": base, "name": "wandb_manifest.json", "digest": digest,
                "entityName": "", "projectName": "p", "runName": "r", "type": kind } })
    };
    let first = caller.data(MANIFEST, input("")).await;
    let second = caller.data(MANIFEST, input(&md5(text.as_bytes()))).await;
    let (first, second) = (
        &first["createArtifactManifest"],
        &second["createArtifactManifest"],
    );
    if kind != "PATCH" {
        assert_eq!(first["artifactManifest"]["id"], second["artifactManifest"]["id"]);
    }
    let file = &second["artifactManifest"]["file"];
    assert_eq!(
        put(caller, &file["uploadUrl"], b"{}").await.status,
        StatusCode::BAD_REQUEST,
        "not the bytes that were announced"
    );
    assert_eq!(
        put(caller, &file["uploadUrl"], text.as_bytes()).await.status,
        StatusCode::OK
    );
}

/// Logs a version, sending what the server has not; the commit's answer.
async fn log(caller: &Caller, name: &str, files: &[(&str, &[u8])]) -> Value {
    let artifact = create(caller, new_artifact(name, files)).await;
    assert_eq!(artifact["state"], "PENDING");
    for (node, (path, bytes)) in announce(caller, &artifact["id"], files).await.iter().zip(files) {
        assert_eq!(node["name"], *path, "in the order of the request");
        if !node["uploadUrl"].is_null() {
            assert_eq!(
                put(caller, &node["uploadUrl"], bytes).await.status,
                StatusCode::OK
            );
        }
    }
    send_manifest(caller, &artifact["id"], "FULL", &Value::Null, &manifest(files)).await;
    commit(caller, &artifact["id"]).await
}

async fn commit(caller: &Caller, id: &Value) -> Value {
    caller.data(COMMIT, json!({ "id": id })).await["commitArtifact"]["artifact"].clone()
}

async fn started() -> (LocalServer, Caller) {
    let server = LocalServer::builder().start().await.unwrap();
    let caller = Caller::of(&server);
    caller.start_run("p", "r").await;
    (server, caller)
}

async fn by_name(caller: &Caller, name: &str) -> Value {
    let query = "query ($name: String!) { project(name: \"p\") { artifact(name: $name) {
        id versionIndex digest state size aliases { alias } tags { name } description metadata ttlDurationSeconds ttlIsInherited
        artifactType { name } files { totalCount edges { node { name displayName md5 sizeBytes directUrl } } } } } }";
    caller.data(query, json!({ "name": name })).await["project"]["artifact"].clone()
}

#[tokio::test]
async fn a_digest_alone_is_the_newest_version_with_that_content() {
    let (_server, caller) = started().await;
    let files: &[(&str, &[u8])] = &[("a.txt", b"aaa")];
    let digest = version_digest(files);
    assert!(by_name(&caller, &digest).await.is_null());
    let first = log(&caller, "ds", files).await;
    assert_eq!(by_name(&caller, &digest).await["id"], first["id"]);
    let second = log(&caller, "copy", files).await;
    log(&caller, "ds", &[("b.txt", b"b")]).await;
    assert_eq!(by_name(&caller, &digest).await["id"], second["id"]);
    assert_eq!(by_name(&caller, &format!("ds:{digest}")).await["id"], first["id"]);
    let membership =
        "query ($name: String!) { project(name: \"p\") { artifactCollectionMembership(name: $name) {
        artifactCollection { name } artifact { id } } } }";
    let found =
        caller.data(membership, json!({ "name": digest })).await["project"]["artifactCollectionMembership"]
            .clone();
    assert_eq!(
        (&found["artifactCollection"]["name"], &found["artifact"]["id"]),
        (&json!("copy"), &second["id"])
    );
    // A collection may be called so, and then it is meant.
    let named = log(&caller, &digest, &[("c.txt", b"c")]).await;
    assert_eq!(by_name(&caller, &digest).await["id"], named["id"]);
}

#[tokio::test]
async fn a_version_is_logged_read_and_not_logged_twice() {
    let (_server, caller) = started().await;
    let files: &[(&str, &[u8])] = &[("a.txt", b"aaa"), ("sub/b c#.txt", b"bb"), ("empty", b"")];
    let committed = log(&caller, "ds", files).await;
    assert_eq!(
        (&committed["versionIndex"], &committed["digest"]),
        (&json!(0), &json!(version_digest(files)))
    );
    assert_eq!(
        (&committed["size"], &committed["fileCount"]),
        (&json!(5), &json!(3))
    );
    let again = commit(&caller, &committed["id"]).await;
    assert_eq!(
        (&again["id"], &again["versionIndex"]),
        (&committed["id"], &json!(0)),
        "committing twice changes nothing"
    );

    let read = by_name(&caller, "ds").await;
    assert_eq!(read["aliases"], json!([{ "alias": "latest" }]));
    let edges = read["files"]["edges"].as_array().unwrap();
    let names: Vec<&str> = edges
        .iter()
        .map(|edge| edge["node"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a.txt", "empty", "sub/b c#.txt"]);
    for edge in edges {
        let node = &edge["node"];
        let bytes = files.iter().find(|(path, _)| node["name"] == *path).unwrap().1;
        let answer = get(&caller, &node["directUrl"]).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, bytes));
        assert_eq!(answer.headers["etag"], format!("\"{}\"", md5_hex(bytes)));
        assert_eq!(node["md5"], md5(bytes));
    }

    let mut again = new_artifact("ds", files);
    again["aliases"] = json!([{ "artifactCollectionName": "ds", "alias": "again" }]);
    again["clientID"] = json!("client-1");
    let same = create(&caller, again.clone()).await;
    assert_eq!(
        (&same["id"], &same["state"]),
        (&committed["id"], &json!("COMMITTED"))
    );
    assert_eq!(by_name(&caller, "ds:again").await["versionIndex"], 0);
    let mapped = caller
        .data(
            "{ clientIDMapping(clientID: \"client-1\") { serverID } }",
            json!({}),
        )
        .await;
    assert_eq!(mapped["clientIDMapping"]["serverID"], committed["id"]);

    let mut other_type = new_artifact("ds", &[]);
    other_type["artifactTypeName"] = json!("model");
    let refusal = caller.refusal(CREATE, json!({ "input": other_type })).await;
    assert!(refusal.contains("has type \"dataset\""), "{refusal}");
}

#[tokio::test]
async fn the_same_client_id_is_the_same_version() {
    let (_server, caller) = started().await;
    let mut input = new_artifact("ds", &[("a", b"1")]);
    input["clientID"] = json!("made-up");
    let first = create(&caller, input.clone()).await;
    let second = create(&caller, input).await;
    assert_eq!(
        (&first["id"], &second["state"]),
        (&second["id"], &json!("PENDING"))
    );
}

#[tokio::test]
async fn wrong_and_missing_bytes_are_refused() {
    let (_server, caller) = started().await;
    let files: &[(&str, &[u8])] = &[("a.txt", b"right")];
    let artifact = create(&caller, new_artifact("ds", files)).await;
    let id = &artifact["id"];
    let refusal = caller.refusal(COMMIT, json!({ "id": id })).await;
    assert!(refusal.contains("no manifest"), "{refusal}");
    let node = announce(&caller, id, files).await.remove(0);
    let headers: Vec<&str> = node["uploadHeaders"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(headers[0], format!("Content-MD5:{}", md5(b"right")));
    for wrong in [&b"wrong"[..], b"righ", b""] {
        let answer = put(&caller, &node["uploadUrl"], wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{:?}", answer.body);
    }
    send_manifest(&caller, id, "FULL", &Value::Null, &manifest(files)).await;
    let refusal = caller.refusal(COMMIT, json!({ "id": id })).await;
    assert!(refusal.contains("\"a.txt\" have not been uploaded"), "{refusal}");
    assert_eq!(
        put(&caller, &node["uploadUrl"], b"right").await.status,
        StatusCode::OK
    );
    let mut lying = manifest(files);
    lying["contents"]["a.txt"]["size"] = json!(4);
    send_manifest(&caller, id, "FULL", &Value::Null, &lying).await;
    let refusal = caller.refusal(COMMIT, json!({ "id": id })).await;
    assert!(refusal.contains("5 bytes, and 4 in the manifest"), "{refusal}");
    for hostile in ["../x", "/x", "a.txt/x", "a//b"] {
        let mut bad = manifest(files);
        bad["contents"][hostile] = json!({ "digest": "x", "ref": "https://x", "size": 0 });
        send_manifest(&caller, id, "FULL", &Value::Null, &bad).await;
        caller.refusal(COMMIT, json!({ "id": id })).await;
    }
    send_manifest(&caller, id, "FULL", &Value::Null, &manifest(files)).await;
    assert_eq!(commit(&caller, id).await["state"], "COMMITTED");
    let refusal = caller
        .refusal(
            FILES,
            json!({ "input": { "artifactFiles": [{ "artifactID": id, "name": "b", "md5": md5(b"") }] } }),
        )
        .await;
    assert!(refusal.contains("not pending"), "{refusal}");
}

#[tokio::test]
async fn stored_bytes_are_not_asked_for_and_outlive_their_first_version() {
    let (_server, caller) = started().await;
    let first = log(&caller, "ds", &[("a", b"kept"), ("b", b"dropped")]).await;
    let files: &[(&str, &[u8])] = &[("other", b"kept"), ("new", b"fresh")];
    let artifact = create(&caller, new_artifact("ds", files)).await;
    let nodes = announce(&caller, &artifact["id"], files).await;
    assert!(nodes[0]["uploadUrl"].is_null() && nodes[1]["uploadUrl"].is_string());
    assert_eq!(
        (&nodes[0]["artifact"]["id"], &nodes[1]["artifact"]["id"]),
        (&first["id"], &artifact["id"])
    );
    // The first version goes while the second is on its way: its bytes were promised.
    let delete = "mutation ($id: ID!, $aliases: Boolean) { deleteArtifact(input: { artifactID: $id, deleteAliases: $aliases }) { artifact { id state } } }";
    let refusal = caller
        .refusal(delete, json!({ "id": first["id"], "aliases": false }))
        .await;
    assert!(refusal.contains("aliases (latest)"), "{refusal}");
    let gone = caller
        .data(delete, json!({ "id": first["id"], "aliases": true }))
        .await;
    assert_eq!(gone["deleteArtifact"]["artifact"]["state"], "DELETED");
    put(&caller, &nodes[1]["uploadUrl"], b"fresh").await;
    send_manifest(&caller, &artifact["id"], "FULL", &Value::Null, &manifest(files)).await;
    let committed = commit(&caller, &artifact["id"]).await;
    assert_eq!(committed["versionIndex"], 1, "indexes are not given twice");
    let fallback = |hash: String| format!("/artifactsV2/default/local/p/ds/QXJ0OjE%3D/{hash}/a%20b");
    let kept = caller.send(Method::GET, &fallback(md5_hex(b"kept")), "").await;
    assert_eq!((kept.status, &kept.body[..]), (StatusCode::OK, &b"kept"[..]));
    let v1 = caller
        .send(
            Method::GET,
            &format!("/artifacts/local/{}", md5_hex(b"fresh")),
            "",
        )
        .await;
    assert_eq!((v1.status, &v1.body[..]), (StatusCode::OK, &b"fresh"[..]));
    let dropped = caller.send(Method::GET, &fallback(md5_hex(b"dropped")), "").await;
    assert_eq!(dropped.status, StatusCode::NOT_FOUND);
    let bare = Request::get(format!("{}{}", caller.base, fallback(md5_hex(b"kept"))));
    let bare = caller.raw(bare.body(Bytes::new()).unwrap()).await;
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn incremental_and_distributed_manifests_are_merged() {
    let (_server, caller) = started().await;
    let base = log(&caller, "ds", &[("a", b"1"), ("b", b"2")]).await;
    let added: &[(&str, &[u8])] = &[("b", b"two"), ("c", b"3")];
    let artifact = create(&caller, new_artifact("ds", added)).await;
    assert_eq!(artifact["artifactSequence"]["latestArtifact"]["id"], base["id"]);
    for (node, (_, bytes)) in announce(&caller, &artifact["id"], added).await.iter().zip(added) {
        put(&caller, &node["uploadUrl"], bytes).await;
    }
    send_manifest(
        &caller,
        &artifact["id"],
        "INCREMENTAL",
        &base["id"],
        &manifest(added),
    )
    .await;
    let merged = commit(&caller, &artifact["id"]).await;
    let whole: &[(&str, &[u8])] = &[("a", b"1"), ("b", b"two"), ("c", b"3")];
    assert_eq!(merged["digest"], version_digest(whole));
    assert_eq!(merged["currentManifest"]["type"], "FULL");
    let served = get(&caller, &merged["currentManifest"]["file"]["directUrl"])
        .await
        .json();
    let mut expected = manifest(whole);
    expected["contents"]["a"]["birthArtifactID"] = base["id"].clone();
    for path in ["b", "c"] {
        expected["contents"][path]["birthArtifactID"] = artifact["id"].clone();
    }
    assert_eq!(served, expected);

    let mut shared = new_artifact("dist", &[("x", b"x")]);
    shared["distributedID"] = json!("job");
    let mut ids = Vec::new();
    for (path, bytes) in [("x", &b"x"[..]), ("y", b"y")] {
        let pending = create(&caller, shared.clone()).await;
        let node = announce(&caller, &pending["id"], &[(path, bytes)])
            .await
            .remove(0);
        put(&caller, &node["uploadUrl"], bytes).await;
        let document = manifest(&[(path, bytes)]);
        send_manifest(&caller, &pending["id"], "PATCH", &Value::Null, &document).await;
        ids.push(pending["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    let merged = commit(&caller, &ids[0]).await;
    assert_eq!(merged["digest"], version_digest(&[("x", b"x"), ("y", b"y")]));
}

#[tokio::test]
async fn parts_are_put_together_and_checked() {
    let (_server, caller) = started().await;
    let (one, two) = (vec![1_u8; 100_000], vec![2_u8; 5_000]);
    let whole = [one.clone(), two.clone()].concat();
    let artifact = create(&caller, new_artifact("big", &[("f", &whole)])).await;
    let spec = json!({ "artifactID": artifact["id"], "name": "f", "md5": md5(&whole), "uploadPartsInput": [
        { "partNumber": 1, "hexMD5": md5_hex(&one) }, { "partNumber": 2, "hexMD5": md5_hex(&two) }] });
    let answer = caller
        .data(FILES, json!({ "input": { "artifactFiles": [spec] } }))
        .await;
    let node = &answer["createArtifactFiles"]["files"]["edges"][0]["node"];
    assert!(node["uploadUrl"].is_string(), "null would mean: stored already");
    let parts = &node["uploadMultipartUrls"]["uploadUrlParts"];
    let complete = "mutation ($input: CompleteMultipartUploadArtifactInput!) { completeMultipartUploadArtifact(input: $input) { digest } }";
    let input = |tags: [&str; 2]| {
        json!({ "input": { "completeMultipartAction": "Complete", "artifactID": artifact["id"],
            "storagePath": node["storagePath"], "uploadID": node["uploadMultipartUrls"]["uploadID"],
            "completedParts": [{ "partNumber": 1, "hexMD5": tags[0] }, { "partNumber": 2, "hexMD5": tags[1] }] } })
    };
    let first = put(&caller, &parts[0]["uploadUrl"], &one).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(
        put(&caller, &parts[1]["uploadUrl"], &one).await.status,
        StatusCode::BAD_REQUEST
    );
    let tags = [format!("\"{}\"", md5_hex(&one)), format!("\"{}\"", md5_hex(&two))];
    assert_eq!(first.headers["etag"], tags[0]);
    let refusal = caller.refusal(complete, input([&tags[0], &tags[1]])).await;
    assert!(refusal.contains("part 2 has not arrived"), "{refusal}");
    put(&caller, &parts[1]["uploadUrl"], &two).await;
    caller.refusal(complete, input([&tags[1], &tags[0]])).await;
    for _ in 0..2 {
        let done = caller.data(complete, input([&tags[0], &tags[1]])).await;
        assert_eq!(done["completeMultipartUploadArtifact"]["digest"], md5(&whole));
    }
    send_manifest(
        &caller,
        &artifact["id"],
        "FULL",
        &Value::Null,
        &manifest(&[("f", &whole)]),
    )
    .await;
    assert_eq!(commit(&caller, &artifact["id"]).await["size"], whole.len());
    let read = by_name(&caller, "big:v0").await;
    let url = &read["files"]["edges"][0]["node"]["directUrl"];
    let part = Request::get(url.as_str().unwrap()).header("range", "bytes=99999-100000");
    let part = caller.raw(part.body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (part.status, &part.body[..]),
        (StatusCode::PARTIAL_CONTENT, &[1, 2][..])
    );
    let stale = Request::get(url.as_str().unwrap())
        .header("range", "bytes=0-0")
        .header("if-range", "\"other\"");
    let stale = caller.raw(stale.body(Bytes::new()).unwrap()).await;
    assert_eq!((stale.status, stale.body.len()), (StatusCode::OK, whole.len()));
}

#[tokio::test]
async fn versions_are_listed_filtered_and_paged() {
    let (_server, caller) = started().await;
    for index in 0..5_u8 {
        log(&caller, "ds", &[("a", &[index])]).await;
    }
    let list = "query ($filters: JSONString, $order: String, $first: Int, $after: String) { project(name: \"p\") { artifactType(name: \"dataset\") {
        artifactCollection(name: \"ds\") { __typename name artifacts(filters: $filters, order: $order, first: $first, after: $after) {
          totalCount edges { cursor version node { id versionIndex } } pageInfo { hasNextPage endCursor } } } } } }";
    let page = async |variables: Value| {
        let data = caller.data(list, variables).await;
        let collection = &data["project"]["artifactType"]["artifactCollection"];
        assert_eq!(collection["__typename"], "ArtifactSequence");
        collection["artifacts"].clone()
    };
    let versions = |page: &Value| -> Vec<String> {
        let edges = page["edges"].as_array().unwrap();
        edges
            .iter()
            .map(|edge| edge["version"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = page(json!({ "first": 2, "filters": "{\"state\":\"COMMITTED\"}" })).await;
    assert_eq!(
        (versions(&first), &first["totalCount"]),
        (vec!["v4".into(), "v3".into()], &json!(5))
    );
    let next = page(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(versions(&next), ["v2", "v1"]);
    assert_eq!(
        versions(&page(json!({ "order": "+created_at", "first": 1 })).await),
        ["v0"]
    );
    assert_eq!(
        versions(&page(json!({ "filters": "{\"alias\":\"latest\"}" })).await),
        ["v4"]
    );
    assert_eq!(
        versions(&page(json!({ "filters": "{\"version_index\":{\"$lt\":1}}" })).await),
        ["v0"]
    );
    let refusal = caller.refusal(list, json!({ "filters": "{\"nope\":1}" })).await;
    assert!(refusal.contains("nope"), "{refusal}");
    let collections = caller
        .data(
            "{ project(name: \"p\") { artifactTypes { edges { node { name } } }
               artifactCollections(filters: \"{\\\"name\\\":{\\\"$regex\\\":\\\"^d\\\"}}\") { totalCount edges { node { __typename name type: defaultArtifactType { name } } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        collections["project"]["artifactCollections"],
        json!({ "totalCount": 1, "edges": [{ "node": { "__typename": "ArtifactSequence", "name": "ds", "type": { "name": "dataset" } } }] })
    );
    let outputs = caller.run("p", "r", "outputArtifacts(first: 2) { totalCount edges { node { versionIndex } } pageInfo { hasNextPage } }").await;
    assert_eq!(outputs["outputArtifacts"]["totalCount"], 5);
    assert_eq!(outputs["outputArtifacts"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn a_version_whose_time_is_over_is_deleted_unless_it_is_linked() {
    // It looks four times in this time.
    let server = LocalServer::builder()
        .heartbeat_timeout(Duration::from_millis(400))
        .start()
        .await
        .unwrap();
    let caller = Caller::of(&server);
    caller.start_run("p", "r").await;
    let mut ids = Vec::new();
    for name in ["gone", "linked", "kept"] {
        ids.push(log(&caller, name, &[("a", name.as_bytes())]).await["id"].clone());
    }
    let link = "mutation ($id: ID!) { linkArtifact(input: { artifactID: $id, artifactPortfolioName: \"pf\",
        entityName: \"local\", projectName: \"p\" }) { versionIndex } }";
    caller.data(link, json!({ "id": ids[1] })).await;
    let update =
        "mutation ($input: UpdateArtifactInput!) { updateArtifact(input: $input) { artifact { id } } }";
    for (id, seconds) in ids.iter().zip([1, 1, 3600]) {
        let input = json!({ "artifactID": id, "ttlDurationSeconds": seconds });
        caller.data(update, json!({ "input": input })).await;
    }
    let state = async |id: &Value| {
        let query = "query ($id: ID!) { artifact(id: $id) { state } }";
        caller.data(query, json!({ "id": id })).await["artifact"]["state"].clone()
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while state(&ids[0]).await != "DELETED" {
        assert!(std::time::Instant::now() < deadline, "its time was over long ago");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(by_name(&caller, "gone:v0").await.is_null());
    assert_eq!(state(&ids[1]).await, "COMMITTED");
    assert_eq!(state(&ids[2]).await, "COMMITTED");
}

#[tokio::test]
async fn versions_are_edited_used_and_linked() {
    let (_server, caller) = started().await;
    let artifact = log(&caller, "ds", &[("a", b"1")]).await;
    let id = &artifact["id"];
    let update =
        "mutation ($input: UpdateArtifactInput!) { updateArtifact(input: $input) { artifact { id } } }";
    caller
        .data(
            update,
            json!({ "input": { "artifactID": id, "description": "d", "metadata": "{\"k\":1}", "tagsToAdd": [{ "tagName": "t" }, { "tagName": "u" }],
                "tagsToDelete": [{ "tagName": "u" }], "ttlDurationSeconds": 3600 } }),
        )
        .await;
    caller
        .data(
            update,
            json!({ "input": { "artifactID": id, "tagsToDelete": [{ "tagName": "u" }] } }),
        )
        .await;
    let read = by_name(&caller, "ds:v0").await;
    assert_eq!(
        (&read["description"], &read["metadata"], &read["tags"]),
        (&json!("d"), &json!("{\"k\":1}"), &json!([{ "name": "t" }]))
    );
    assert_eq!(
        (&read["ttlDurationSeconds"], &read["ttlIsInherited"]),
        (&json!(3600), &json!(false))
    );
    // As clients of 2020 set aliases: the whole list.
    caller
        .data(
            update,
            json!({ "input": { "artifactID": id, "aliases": [{ "artifactCollectionName": "ds", "alias": "old" }] } }),
        )
        .await;
    let alias = |alias: &str| json!({ "id": id, "aliases": [{ "entityName": "local", "projectName": "p", "artifactCollectionName": "ds", "alias": alias }] });
    let add = "mutation ($id: ID!, $aliases: [ArtifactCollectionAliasInput!]!) { addAliases(input: { artifactID: $id, aliases: $aliases }) { success } }";
    let remove = add.replace("addAliases", "deleteAliases");
    caller.data(add, alias("best")).await;
    assert!(caller.refusal(add, alias("v7")).await.contains("reserved"));
    caller.data(&remove, alias("old")).await;
    caller.data(&remove, alias("never there")).await;
    assert_eq!(
        by_name(&caller, "ds:best").await["aliases"],
        json!([{ "alias": "best" }])
    );
    assert!(by_name(&caller, "ds:latest").await.is_null());

    let used = "mutation ($id: ID!) { useArtifact(input: { artifactID: $id, entityName: \"local\", projectName: \"p\", runName: \"r\", usedAs: \"data\" }) { artifact { id } } }";
    for _ in 0..2 {
        caller.data(used, json!({ "id": id })).await;
    }
    let run = caller
        .run("p", "r", "inputArtifacts { totalCount edges { usedAs node { id usedBy { totalCount edges { node { name } } } createdBy { __typename ... on Run { name } } } } }")
        .await;
    let edge = &run["inputArtifacts"]["edges"][0];
    assert_eq!(
        (&run["inputArtifacts"]["totalCount"], &edge["usedAs"]),
        (&json!(1), &json!(["data"]))
    );
    assert_eq!(
        edge["node"]["usedBy"],
        json!({ "totalCount": 1, "edges": [{ "node": { "name": "r" } }] })
    );
    assert_eq!(
        edge["node"]["createdBy"],
        json!({ "__typename": "Run", "name": "r" })
    );

    let link = "mutation ($id: ID!) { linkArtifact(input: { artifactID: $id, artifactPortfolioName: \"pf\", entityName: \"local\", projectName: \"p\",
        aliases: [{ artifactCollectionName: \"pf\", alias: \"prod\" }] }) { versionIndex artifactMembership { id aliases { alias } artifactCollection { id __typename } } } }";
    let linked = caller.data(link, json!({ "id": id })).await["linkArtifact"].clone();
    assert_eq!(linked["versionIndex"], 0);
    assert_eq!(
        caller.data(link, json!({ "id": id })).await["linkArtifact"]["artifactMembership"]["id"],
        linked["artifactMembership"]["id"]
    );
    assert_eq!(
        linked["artifactMembership"]["aliases"],
        json!([{ "alias": "latest" }, { "alias": "prod" }])
    );
    assert_eq!(by_name(&caller, "pf:prod").await["id"], *id);
    let portfolio = &linked["artifactMembership"]["artifactCollection"];
    assert_eq!(portfolio["__typename"], "ArtifactPortfolio");
    let unlink = "mutation ($id: ID!, $pf: ID!) { unlinkArtifact(input: { artifactID: $id, artifactPortfolioID: $pf }) { success } }";
    caller
        .data(unlink, json!({ "id": id, "pf": portfolio["id"] }))
        .await;
    assert!(by_name(&caller, "pf:prod").await.is_null());
    assert_eq!(by_name(&caller, "ds:v0").await["id"], *id, "the version stays");
}

#[tokio::test]
async fn deleting_a_run_can_take_its_versions_along() {
    let (_server, caller) = started().await;
    let kept = log(&caller, "ds", &[("a", b"1")]).await;
    let delete = "mutation ($input: DeleteRunInput!) { deleteRun(input: $input) { clientMutationId } }";
    let run = caller.run("p", "r", "id").await["id"].clone();
    caller
        .data(
            delete,
            json!({ "input": { "id": run, "deleteArtifacts": false } }),
        )
        .await;
    assert_eq!(by_name(&caller, "ds:v0").await["id"], kept["id"]);
    caller.start_run("p", "r").await;
    log(&caller, "ds", &[("a", b"2")]).await;
    let run = caller.run("p", "r", "id").await["id"].clone();
    caller
        .data(delete, json!({ "input": { "id": run, "deleteArtifacts": true } }))
        .await;
    assert!(by_name(&caller, "ds:v1").await.is_null());
    assert_eq!(by_name(&caller, "ds:latest").await["id"], kept["id"]);
}

#[tokio::test]
async fn variables_have_their_defaults_in_conditions() {
    let (_server, caller) = started().await;
    let query = "query ($yes: Boolean = true, $no: Boolean = false) { project(name: \"p\") { name @include(if: $yes) id @include(if: $no) } }";
    assert_eq!(
        caller.data(query, json!({})).await["project"],
        json!({ "name": "p" })
    );
    let flipped = caller.data(query, json!({ "yes": false, "no": true })).await;
    assert!(flipped["project"]["name"].is_null() && flipped["project"]["id"].is_string());
}

#[tokio::test]
async fn bytes_can_be_swapped_and_change_between_ranges() {
    let plan = FaultPlan::default();
    let server = LocalServer::builder().faults(plan.clone()).start().await.unwrap();
    let caller = Caller::of(&server);
    caller.start_run("p", "r").await;
    log(&caller, "ds", &[("a", b"0123456789")]).await;
    let url = by_name(&caller, "ds").await["files"]["edges"][0]["node"]["directUrl"].clone();
    let honest = get(&caller, &url).await;
    plan.add("swap,path=/dl/,limit=1".parse().unwrap());
    let swapped = get(&caller, &url).await;
    assert_eq!(swapped.headers["etag"], honest.headers["etag"]);
    assert_eq!(swapped.body.len(), 10);
    assert!(swapped.body.iter().zip(&honest.body).all(|(a, b)| a != b));
    plan.add("changed,path=/dl/,limit=1".parse().unwrap());
    let resume = Request::get(url.as_str().unwrap())
        .header("range", "bytes=5-")
        .header("if-range", honest.headers["etag"].clone());
    let resumed = caller.raw(resume.body(Bytes::new()).unwrap()).await;
    assert_eq!((resumed.status, resumed.body.len()), (StatusCode::OK, 10));
    assert_ne!(resumed.headers["etag"], honest.headers["etag"]);
}
