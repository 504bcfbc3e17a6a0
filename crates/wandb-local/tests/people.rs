//! Several users and teams: who is who, who sees what, who may change what.

#![allow(clippy::unwrap_used)] // what fails here fails the test

mod support;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::Caller;
use wandb_local::{LocalServer, People, PeopleError};

/// A server with ada and grace in the team `research`, and eve in none.
struct World {
    server: LocalServer,
    ada: Caller,
    grace: Caller,
    eve: Caller,
}

async fn world() -> World {
    let server = LocalServer::builder().start().await.unwrap();
    let people = server.people();
    let owner = Caller::of(&server);
    let caller = |name: &str| Caller {
        key: people.add_user(name, None).unwrap().api_key,
        ..owner.clone()
    };
    let (ada, grace, eve) = (caller("ada"), caller("grace"), caller("eve"));
    people.add_team("research", ["ada", "grace"]).unwrap();
    World {
        server,
        ada,
        grace,
        eve,
    }
}

const CREATE: &str = "mutation C($e: String, $p: String, $n: String) { upsertBucket(input: {entityName: $e, modelName: $p, \
                      name: $n, config: \"{\\\"lr\\\": {\\\"value\\\": 1}}\"}) { bucket { id name project { entity { name } } user { username } } } }";

async fn create(caller: &Caller, entity: Option<&str>, project: &str, run: &str) -> Value {
    caller
        .graphql(CREATE, json!({"e": entity, "p": project, "n": run}))
        .await
}

async fn runs(caller: &Caller, entity: &str, project: &str) -> Value {
    let answer = caller
        .graphql(
            "query R($e: String, $p: String) { project(name: $p, entityName: $e) { readOnly runs { edges { node { name } } } } }",
            json!({"e": entity, "p": project}),
        )
        .await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["project"].clone()
}

fn message(answer: &Value) -> String {
    answer["errors"][0]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn set_access(caller: &Caller, entity: &str, project: &str, access: &str) -> Value {
    caller
        .graphql(
            "mutation A($i: UpsertModelInput!) { upsertModel(input: $i) { project { access } } }",
            json!({"i": {"entityName": entity, "name": project, "access": access}}),
        )
        .await
}

#[tokio::test]
async fn a_key_says_who_somebody_is() {
    let World { ada, server, .. } = world().await;
    let answer = ada
        .graphql(
            "{ viewer { username entity admin teams { edges { node { name isTeam members { username role apiKey } } } } \
             apiKeys { edges { node { id name } } } } }",
            json!({}),
        )
        .await;
    let viewer = &answer["data"]["viewer"];
    assert_eq!(viewer["username"], "ada");
    assert_eq!(viewer["entity"], "ada");
    assert_eq!(viewer["admin"], false);
    let teams = viewer["teams"]["edges"].as_array().unwrap();
    assert_eq!(teams.len(), 1);
    assert_eq!(
        teams[0]["node"]["members"],
        json!([
            {"username": "ada", "role": "admin", "apiKey": null},
            {"username": "grace", "role": "member", "apiKey": null},
        ])
    );
    assert_eq!(viewer["apiKeys"]["edges"].as_array().unwrap().len(), 1);
    // A run that names no entity goes to the user's own.
    let run = create(&ada, None, "p", "r").await;
    let bucket = &run["data"]["upsertBucket"]["bucket"];
    assert_eq!(bucket["project"]["entity"]["name"], "ada");
    assert_eq!(bucket["user"]["username"], "ada");
    let owner = Caller::of(&server);
    let answer = owner
        .graphql("{ viewer { username entity admin } }", json!({}))
        .await;
    assert_eq!(
        answer["data"]["viewer"],
        json!({"username": "local", "entity": "local", "admin": true})
    );
    assert_eq!(
        runs(&owner, "ada", "p").await["runs"]["edges"][0]["node"]["name"],
        "r"
    );
}

#[tokio::test]
async fn a_teams_project_is_there_for_its_members_only() {
    let World {
        ada,
        grace,
        eve,
        server: _server,
    } = world().await;
    let id =
        create(&ada, Some("research"), "cats", "r1").await["data"]["upsertBucket"]["bucket"]["id"].clone();
    assert_eq!(runs(&grace, "research", "cats").await["readOnly"], false);
    assert!(create(&grace, Some("research"), "cats", "r2").await["errors"].is_null());
    assert_eq!(
        runs(&ada, "research", "cats").await["runs"]["edges"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // For eve neither the project nor the team is there, by name or by id.
    assert!(runs(&eve, "research", "cats").await.is_null());
    let entity = eve.graphql("{ entity(name: \"research\") { name } models(entityName: \"research\") { edges { node { name } } } }", json!({})).await;
    assert!(entity["data"]["entity"].is_null());
    assert_eq!(entity["data"]["models"]["edges"], json!([]));
    let refused = create(&eve, Some("research"), "cats", "r3").await;
    assert!(message(&refused).contains("not found"), "{refused}");
    for mutation in [
        "mutation M($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }",
        "mutation M($id: ID!) { stopRun(input: {id: $id}) { success } }",
        "mutation M($id: ID!) { updateRunState(input: {id: $id, state: \"failed\"}) { success } }",
        "mutation M($id: ID!) { wbPatchRun(input: {id: $id, notes: \"mine\"}) { revision } }",
    ] {
        let refused = eve.graphql(mutation, json!({"id": id})).await;
        assert!(message(&refused).contains("not found"), "{mutation}: {refused}");
    }
    let stream = eve
        .send(
            Method::POST,
            "/files/research/cats/r1/file_stream",
            "{\"files\":{\"wandb-history.jsonl\":{\"offset\":0,\"content\":[\"{\\\"_step\\\":0}\"]}}}",
        )
        .await;
    assert_eq!(stream.status, StatusCode::NOT_FOUND);
    assert_eq!(
        runs(&ada, "research", "cats").await["runs"]["edges"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_private_project_is_its_makers() {
    let World {
        ada,
        grace,
        server: _server,
        ..
    } = world().await;
    create(&ada, Some("research"), "secret", "r").await;
    assert!(set_access(&ada, "research", "secret", "PRIVATE").await["errors"].is_null());
    assert_eq!(runs(&ada, "research", "secret").await["readOnly"], false);
    assert!(runs(&grace, "research", "secret").await.is_null());
    let listed = grace
        .graphql(
            "{ models(entityName: \"research\") { edges { node { name } } } }",
            json!({}),
        )
        .await;
    assert_eq!(listed["data"]["models"]["edges"], json!([]));
    let refused = create(&grace, Some("research"), "secret", "r2").await;
    assert!(message(&refused).contains("permission denied"), "{refused}");
}

#[tokio::test]
async fn an_open_project_may_be_read_and_not_changed() {
    let World {
        ada,
        eve,
        server: _server,
        ..
    } = world().await;
    let id =
        create(&ada, Some("research"), "open", "r").await["data"]["upsertBucket"]["bucket"]["id"].clone();
    set_access(&ada, "research", "open", "USER_READ").await;
    let seen = runs(&eve, "research", "open").await;
    assert_eq!(seen["readOnly"], true);
    assert_eq!(seen["runs"]["edges"][0]["node"]["name"], "r");
    for refused in [
        create(&eve, Some("research"), "open", "r2").await,
        eve.graphql(
            "mutation M($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }",
            json!({"id": id}),
        )
        .await,
        set_access(&eve, "research", "open", "USER_WRITE").await,
    ] {
        assert!(message(&refused).contains("permission denied"), "{refused}");
        assert_eq!(refused["errors"][0]["extensions"]["code"], "PERMISSION_ERROR");
    }
    let stream = eve
        .send(Method::POST, "/files/research/open/r/file_stream", "{}")
        .await;
    assert_eq!(stream.status, StatusCode::FORBIDDEN);
    // Whoever sees an open project does not thereby see the members of the team.
    let members = eve
        .graphql("{ entity(name: \"research\") { members { name } } }", json!({}))
        .await;
    assert_eq!(members["data"]["entity"]["members"], json!([]));
    set_access(&ada, "research", "open", "USER_WRITE").await;
    assert!(create(&eve, Some("research"), "open", "r2").await["errors"].is_null());
}

#[tokio::test]
async fn teams_are_looked_after_by_their_admins() {
    let World {
        ada,
        grace,
        eve,
        server,
    } = world().await;
    let invite = "mutation I($e: String!, $u: String) { createInvite(input: {entityName: $e, username: $u}) { invite { id toUser { username } } } }";
    let refused = grace.graphql(invite, json!({"e": "research", "u": "eve"})).await;
    assert!(message(&refused).contains("permission denied"), "{refused}");
    let invited = ada.graphql(invite, json!({"e": "research", "u": "eve"})).await;
    let id = invited["data"]["createInvite"]["invite"]["id"].clone();
    create(&ada, Some("research"), "cats", "r").await;
    assert!(!runs(&eve, "research", "cats").await.is_null());
    let removed = ada
        .graphql(
            "mutation D($id: String) { deleteInvite(input: {id: $id, entityName: \"research\"}) { success } }",
            json!({"id": id}),
        )
        .await;
    assert_eq!(removed["data"]["deleteInvite"]["success"], true);
    assert!(runs(&eve, "research", "cats").await.is_null());
    let made = eve
        .graphql(
            "mutation { createTeam(input: {teamName: \"eves\"}) { entity { name isTeam } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        made["data"]["createTeam"]["entity"],
        json!({"name": "eves", "isTeam": true})
    );
    let taken = ada
        .graphql(
            "mutation { createTeam(input: {teamName: \"eve\"}) { entity { name } } }",
            json!({}),
        )
        .await;
    assert!(message(&taken).contains("taken"), "{taken}");
    // A machine's key is shown to the admins of its team, and works.
    let machine = eve
        .graphql(
            "mutation { createServiceAccount(input: {entityName: \"eves\", description: \"ci\"}) { user { id name } } }",
            json!({}),
        )
        .await;
    assert_eq!(machine["data"]["createServiceAccount"]["user"]["name"], "ci");
    let members = eve
        .graphql(
            "{ entity(name: \"eves\") { members { name accountType apiKey } } }",
            json!({}),
        )
        .await;
    let members = members["data"]["entity"]["members"].as_array().unwrap().clone();
    let service = members
        .iter()
        .find(|member| member["accountType"] == "SERVICE")
        .unwrap();
    let machine = Caller {
        key: service["apiKey"].as_str().unwrap().to_owned(),
        ..Caller::of(&server)
    };
    let run = create(&machine, None, "p", "r").await;
    assert_eq!(
        run["data"]["upsertBucket"]["bucket"]["project"]["entity"]["name"],
        "eves"
    );
}

#[tokio::test]
async fn keys_are_made_and_taken_away() {
    let World { ada, server, .. } = world().await;
    let made = ada
        .graphql("mutation { generateApiKey(input: {description: \"laptop\"}) { apiKey { id name description } } }", json!({}))
        .await;
    let key = made["data"]["generateApiKey"]["apiKey"].clone();
    assert_eq!(key["description"], "laptop");
    let other = Caller {
        key: key["name"].as_str().unwrap().to_owned(),
        ..ada.clone()
    };
    let viewer = other
        .graphql(
            "{ viewer { username apiKeys { edges { node { name } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(viewer["data"]["viewer"]["username"], "ada");
    assert!(
        !viewer.to_string().contains(key["name"].as_str().unwrap()),
        "the secret is shown once"
    );
    let taken = ada
        .graphql(
            "mutation D($id: String!) { deleteApiKey(input: {id: $id}) { success } }",
            json!({"id": key["id"]}),
        )
        .await;
    assert_eq!(taken["data"]["deleteApiKey"]["success"], true);
    let refused = other
        .send(Method::POST, "/graphql", "{\"query\":\"{ viewer { id } }\"}")
        .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    // The server's own key cannot be taken away.
    let owner = Caller::of(&server);
    let keys = owner
        .graphql("{ viewer { apiKeys { edges { node { id } } } } }", json!({}))
        .await;
    let id = &keys["data"]["viewer"]["apiKeys"]["edges"][0]["node"]["id"];
    let refused = owner
        .graphql(
            "mutation D($id: String!) { deleteApiKey(input: {id: $id}) { success } }",
            json!({"id": id}),
        )
        .await;
    assert!(message(&refused).contains("server's own"), "{refused}");
}

#[tokio::test]
async fn people_are_added_while_the_server_runs_and_while_it_does_not() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        People::open(dir.path()),
        Err(PeopleError::NoDirectory { .. })
    ));
    let server = LocalServer::builder().dir(dir.path()).start().await.unwrap();
    let people = People::open(dir.path()).unwrap();
    let key = "a".repeat(40);
    let ada = people.add_user("ada", Some(&key)).unwrap();
    assert_eq!(ada.api_key, key);
    assert!(!format!("{ada:?}").contains(&key));
    let caller = Caller {
        key: key.clone(),
        ..Caller::of(&server)
    };
    let viewer = caller.graphql("{ viewer { username } }", json!({})).await;
    assert_eq!(viewer["data"]["viewer"]["username"], "ada");
    for (name, key) in [("ada", None), ("local", None), ("bob", Some(key.as_str()))] {
        let refused = people.add_user(name, key);
        assert!(
            matches!(refused, Err(PeopleError::Taken(_))),
            "{name:?} {refused:?}"
        );
    }
    for (name, key) in [("a/b", None), ("", None), ("..", None), ("bob", Some("short"))] {
        let refused = people.add_user(name, key);
        assert!(
            matches!(refused, Err(PeopleError::Invalid(_))),
            "{name:?} {refused:?}"
        );
    }
    assert!(matches!(
        people.add_team("t", ["nobody"]),
        Err(PeopleError::NotFound(_))
    ));
    assert_eq!(
        people.teams().unwrap(),
        [],
        "a team that could not be filled is not left behind"
    );
    server.stop().await;
    People::open(dir.path()).unwrap().add_team("t", ["ada"]).unwrap();
    // The server comes back with its own key, which is still its own user's.
    let server = LocalServer::builder().dir(dir.path()).start().await.unwrap();
    assert_eq!(server.entity(), "local");
    let users = server.people().users().unwrap();
    let names: Vec<_> = users
        .iter()
        .map(|user| (user.username.as_str(), user.admin, user.teams.len()))
        .collect();
    assert_eq!(names, [("ada", false, 1), ("local", true, 0)]);
    assert_eq!(server.people().teams().unwrap()[0].members, ["ada"]);
}
