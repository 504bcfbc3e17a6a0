//! Artifacts of several users and teams: who sees what, who may change what, and whose bytes are whose.
#![allow(clippy::unwrap_used)] // helpers of tests fail the test

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use support::{Answer, Caller};
use wandb_local::LocalServer;

/// A server with ada and grace in the team `research`, and eve in none. The team's projects: `cats` for both, `secret` for
/// ada alone, `open` for all to read. Each user has a run: `r`, in `cats`, `secret`, `open` ada's, and in their own `own`.
struct World {
    server: LocalServer,
    dir: tempfile::TempDir,
    ada: Caller,
    grace: Caller,
    eve: Caller,
}

async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let server = LocalServer::builder().dir(dir.path()).start().await.unwrap();
    let people = server.people();
    let caller = |name: &str| Caller {
        key: people.add_user(name, None).unwrap().api_key,
        ..Caller::of(&server)
    };
    let (ada, grace, eve) = (caller("ada"), caller("grace"), caller("eve"));
    people.add_team("research", ["ada", "grace"]).unwrap();
    for project in ["cats", "secret", "open"] {
        run(&ada, "research", project).await;
    }
    access(&ada, "secret", "PRIVATE").await;
    access(&ada, "open", "USER_READ").await;
    for (caller, name) in [(&ada, "ada"), (&grace, "grace"), (&eve, "eve")] {
        run(caller, name, "own").await;
    }
    World {
        server,
        dir,
        ada,
        grace,
        eve,
    }
}

async fn run(caller: &Caller, entity: &str, project: &str) -> Value {
    let input = json!({ "entityName": entity, "modelName": project, "name": "r", "host": "here" });
    caller.upsert(input).await["bucket"]["id"].clone()
}

async fn access(caller: &Caller, project: &str, access: &str) {
    let input = json!({ "entityName": "research", "name": project, "access": access });
    mutate(caller, "upsertModel", input).await;
}

fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A mutation that asks for nothing but that it happens.
fn document(name: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation ($input: {input}!) {{ {name}(input: $input) {{ __typename }} }}")
}

async fn mutate(caller: &Caller, name: &str, input: Value) {
    caller.data(&document(name), json!({ "input": input })).await;
}

async fn create(caller: &Caller, entity: &str, project: &str, client: Option<&str>) -> Value {
    let query = "mutation ($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact {
        id artifactSequence { id } } } }";
    let input = json!({ "entityName": entity, "projectName": project, "runName": "r", "artifactTypeName": "dataset",
        "artifactCollectionName": "ds", "digest": "", "digestAlgorithm": "MANIFEST_MD5", "clientID": client });
    caller.data(query, json!({ "input": input })).await["createArtifact"]["artifact"].clone()
}

async fn announce(caller: &Caller, artifact: &Value, bytes: &[u8]) -> Value {
    let query = "mutation ($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) { files { edges { node {
        uploadUrl directUrl artifact { id } } } } } }";
    let file = json!({ "artifactID": artifact, "name": "a.txt", "md5": md5(bytes) });
    let answer = caller
        .data(query, json!({ "input": { "artifactFiles": [file] } }))
        .await;
    answer["createArtifactFiles"]["files"]["edges"][0]["node"].clone()
}

async fn put(caller: &Caller, url: &Value, bytes: &[u8]) -> StatusCode {
    let request = Request::put(url.as_str().unwrap());
    let request = request.body(Bytes::copy_from_slice(bytes)).unwrap();
    caller.raw(request).await.status
}

/// Announces and sends a manifest of one file `a.txt`; its id.
async fn send_manifest(caller: &Caller, artifact: &Value, bytes: &[u8], birth: &Value) -> Value {
    let mut entry = json!({ "digest": md5(bytes), "size": bytes.len() });
    if !birth.is_null() {
        entry["birthArtifactID"] = birth.clone();
    }
    let text = json!({ "version": 1, "storagePolicy": "wandb-storage-policy-v1",
        "storagePolicyConfig": { "storageLayout": "V2" }, "contents": { "a.txt": entry } })
    .to_string();
    let query = "mutation ($input: CreateArtifactManifestInput!) { createArtifactManifest(input: $input) {
        artifactManifest { id file { uploadUrl } } } }";
    let input = json!({ "artifactID": artifact, "name": "wandb_manifest.json", "digest": md5(text.as_bytes()),
        "entityName": "", "projectName": "", "runName": "", "type": "FULL" });
    let answer = caller.data(query, json!({ "input": input })).await;
    let manifest = &answer["createArtifactManifest"]["artifactManifest"];
    let status = put(caller, &manifest["file"]["uploadUrl"], text.as_bytes()).await;
    assert_eq!(status, StatusCode::OK);
    manifest["id"].clone()
}

/// Logs a version of `ds` with the file `a.txt`; its id.
async fn log(caller: &Caller, entity: &str, project: &str, bytes: &[u8]) -> Value {
    let artifact = create(caller, entity, project, None).await["id"].clone();
    let node = announce(caller, &artifact, bytes).await;
    if !node["uploadUrl"].is_null() {
        assert_eq!(put(caller, &node["uploadUrl"], bytes).await, StatusCode::OK);
    }
    send_manifest(caller, &artifact, bytes, &Value::Null).await;
    mutate(caller, "commitArtifact", json!({ "artifactID": artifact })).await;
    artifact
}

/// Links a version into the portfolio `pf` of a project, as `prod`; the portfolio's id.
async fn link(caller: &Caller, artifact: &Value, entity: &str, project: &str) -> Value {
    let query = "mutation ($input: LinkArtifactInput!) { linkArtifact(input: $input) { artifactMembership {
        artifactCollection { id } } } }";
    let input = json!({ "artifactID": artifact, "artifactPortfolioName": "pf", "entityName": entity,
        "projectName": project, "aliases": [{ "artifactCollectionName": "pf", "alias": "prod" }] });
    let answer = caller.data(query, json!({ "input": input })).await;
    answer["linkArtifact"]["artifactMembership"]["artifactCollection"]["id"].clone()
}

async fn by_key(caller: &Caller, path: &str) -> Answer {
    caller.send(Method::GET, path, "").await
}

/// What there is to be changed in a project: a committed version and one that is being made, and where they are.
struct Target {
    project: &'static str,
    bytes: Vec<u8>,
    version: Value,
    pending: Value,
    manifest: Value,
    sequence: Value,
    portfolio: Value,
}

async fn target(ada: &Caller, project: &'static str) -> Target {
    let bytes = format!("bytes of {project}").into_bytes();
    let version = log(ada, "research", project, &bytes).await;
    let client = format!("client-{project}");
    let pending = create(ada, "research", project, Some(&client)).await;
    let manifest = send_manifest(ada, &pending["id"], &bytes, &Value::Null).await;
    Target {
        portfolio: link(ada, &version, "research", project).await,
        project,
        bytes,
        version,
        pending: pending["id"].clone(),
        manifest,
        sequence: pending["artifactSequence"]["id"].clone(),
    }
}

impl Target {
    /// Every mutation that would change something of the target; the flag tells those that name it by an id alone.
    fn changes(&self) -> Vec<(&'static str, bool, Value)> {
        let Self {
            project,
            bytes,
            version,
            pending,
            manifest,
            sequence,
            portfolio,
        } = self;
        let alias = json!([{ "entityName": "research", "projectName": project, "artifactCollectionName": "ds", "alias": "mine" }]);
        let tags = json!({ "entityName": "research", "projectName": project, "artifactCollectionName": "ds",
            "tags": [{ "tagName": "mine" }] });
        let new = json!({ "entityName": "research", "projectName": project, "artifactTypeName": "dataset",
            "artifactCollectionName": "ds", "digest": "", "digestAlgorithm": "MANIFEST_MD5" });
        vec![
            (
                "updateArtifact",
                true,
                json!({ "artifactID": version, "description": "mine" }),
            ),
            (
                "deleteArtifact",
                true,
                json!({ "artifactID": version, "deleteAliases": true }),
            ),
            (
                "addAliases",
                false,
                json!({ "artifactID": version, "aliases": alias }),
            ),
            (
                "deleteAliases",
                false,
                json!({ "artifactID": version, "aliases": alias }),
            ),
            (
                "linkArtifact",
                true,
                json!({ "artifactID": version, "artifactPortfolioID": portfolio }),
            ),
            (
                "unlinkArtifact",
                true,
                json!({ "artifactID": version, "artifactPortfolioID": portfolio }),
            ),
            (
                "updateArtifactSequence",
                true,
                json!({ "artifactSequenceID": sequence, "name": "mine" }),
            ),
            (
                "moveArtifactSequence",
                true,
                json!({ "artifactSequenceID": sequence, "destinationArtifactTypeName": "m" }),
            ),
            (
                "deleteArtifactSequence",
                true,
                json!({ "artifactSequenceID": sequence }),
            ),
            (
                "updateArtifactPortfolio",
                true,
                json!({ "artifactPortfolioID": portfolio, "name": "mine" }),
            ),
            (
                "deleteArtifactPortfolio",
                true,
                json!({ "artifactPortfolioID": portfolio }),
            ),
            ("createArtifactCollectionTagAssignments", false, tags.clone()),
            ("deleteArtifactCollectionTagAssignments", false, tags),
            ("createArtifact", false, new),
            (
                "createArtifactType",
                false,
                json!({ "entityName": "research", "projectName": project, "name": "mine" }),
            ),
            (
                "createArtifactManifest",
                true,
                json!({ "artifactID": pending, "name": "m", "digest": "", "entityName": "",
                "projectName": "", "runName": "" }),
            ),
            (
                "updateArtifactManifest",
                true,
                json!({ "artifactManifestID": manifest, "digest": md5(b"mine") }),
            ),
            (
                "createArtifactFiles",
                true,
                json!({ "artifactFiles": [{ "artifactID": pending, "name": "b", "md5": md5(bytes) }] }),
            ),
            (
                "completeMultipartUploadArtifact",
                true,
                json!({ "artifactID": pending, "completeMultipartAction": "Complete",
                "completedParts": [], "storagePath": "x", "uploadID": "x" }),
            ),
            ("commitArtifact", true, json!({ "artifactID": pending })),
        ]
    }

    /// What the target looks like to somebody.
    async fn look(&self, caller: &Caller) -> Value {
        let query = "query ($id: ID!, $pending: ID!, $sequence: ID!, $portfolio: ID!, $client: ID!, $project: String!) {
            artifact(id: $id) { state description updatedAt aliases { alias } artifactMemberships { totalCount }
              tags { name } currentManifest { digest } files { edges { node { name directUrl } } } }
            pending: artifact(id: $pending) { state fileCount }
            sequence: artifactCollection(id: $sequence) { name tags { edges { node { name } } } defaultArtifactType { name }
              artifactMemberships { totalCount } }
            portfolio: artifactCollection(id: $portfolio) { name artifactMemberships { totalCount } }
            clientIDMapping(clientID: $client) { serverID }
            project(name: $project, entityName: \"research\") { artifactTypes { edges { node { name } } }
              artifact(name: \"ds:v0\") { id } artifactCollectionMembership(name: \"ds:latest\") { id } } }";
        let answer = caller
            .data(
                query,
                json!({ "id": self.version, "pending": self.pending, "sequence": self.sequence,
                    "portfolio": self.portfolio, "client": format!("client-{}", self.project), "project": self.project }),
            )
            .await;
        // Where bytes are is signed anew each time.
        let mut answer = answer;
        if let Some(node) = answer.pointer_mut("/artifact/files/edges/0/node") {
            assert!(node["directUrl"].as_str().unwrap().contains("/dl/"));
            node["directUrl"] = Value::Null;
        }
        answer
    }

    fn paths(&self) -> [String; 2] {
        let digest = md5_hex(&self.bytes);
        [
            format!("/artifacts/research/{digest}"),
            format!(
                "/artifactsV2/default/research/{}/ds/{}/{digest}/a.txt",
                self.project,
                self.version.as_str().unwrap()
            ),
        ]
    }
}

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
