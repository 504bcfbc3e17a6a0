//! Users and teams over a script.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::TeamMember;
use crate::testing::{KEY, api, builder};

fn user(username: &str) -> Json {
    json!({"id": format!("id-{username}"), "name": "Ada", "username": username, "email": format!("{username}@x.org"),
        "admin": null, "entity": "", "deletedAt": null,
        "apiKeys": {"edges": [{"node": {"id": "k", "name": "0123…", "description": null}}]},
        "teams": {"edges": [{"node": {"name": "team"}}, {"node": null}]}})
}

fn users(names: &[&str]) -> Json {
    let edges: Vec<Json> = names.iter().map(|name| json!({"node": user(name)})).collect();
    json!({"users": {"edges": edges, "pageInfo": {"hasNextPage": false, "endCursor": null}}})
}

fn team(is_team: bool, members: Vec<Json>) -> Json {
    json!({"entity": {"id": "t", "name": "team", "isTeam": is_team, "readOnly": null, "privateOnly": false,
        "storageBytes": 5, "defaultAccess": "PRIVATE", "members": members}})
}

fn member(id: &str, kind: &str, key: Json) -> Json {
    json!({"id": id, "name": id, "username": id, "email": null, "admin": null, "role": "member", "pending": null,
        "accountType": kind, "apiKey": key})
}

#[tokio::test]
async fn a_user_is_the_one_who_is_called_so() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    script
        .graphql("SearchUsers")
        .variables(json!({"query": "ada"}))
        .respond_data(users(&["adam", "ada"]));
    assert_eq!(api.user("ada").await.unwrap().id, "id-ada");
    script.graphql("SearchUsers").respond_data(users(&["adam"]));
    assert_eq!(api.user("ada").await.unwrap().id, "id-adam");
    script
        .graphql("SearchUsers")
        .respond_data(users(&["adam", "adamo"]));
    assert_eq!(api.user("ada").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    script.graphql("SearchUsers").respond_data(users(&[]));
    assert_eq!(api.user("ada").await.unwrap_err().kind(), ErrorKind::NotFound);
    script.graphql("SearchUsers").respond_data(json!({"users": null}));
    assert_eq!(api.user("ada").await.unwrap_err().kind(), ErrorKind::Protocol);
    script.finish();
}

#[tokio::test]
async fn ones_own_keys_are_made_and_deleted_and_do_not_show() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    script
        .graphql("GetViewerUser")
        .respond_data(json!({"viewer": user("ada")}));
    let me = api.current_user().await.unwrap();
    assert_eq!(
        (me.teams.as_slice(), me.api_keys.len(), me.entity.as_deref()),
        (&["team".to_owned()][..], 1, None)
    );
    // The other team is not shown, and not forgotten; the official object has no word for it.
    assert_eq!(me.hidden_teams, 1);
    assert!(serde_json::to_value(&me).unwrap().get("hidden_teams").is_none());
    let mut keyless = user("ada");
    keyless["apiKeys"] = json!({"edges": [{"node": null}]});
    script
        .graphql("GetViewerUser")
        .respond_data(json!({"viewer": keyless}));
    assert_eq!(api.current_user().await.unwrap_err().kind(), ErrorKind::Protocol);
    script
        .graphql("GenerateApiKey")
        .variables(json!({"input": {"description": "ci"}}))
        .respond_data(json!({"generateApiKey": {"apiKey": {"id": "k2", "name": KEY, "description": "ci"}}}));
    let key = api.generate_api_key(Some("ci")).await.unwrap();
    assert_eq!(key.secret.expose(), KEY);
    assert!(!format!("{key:?}").contains(KEY));
    script
        .graphql("DeleteApiKey")
        .respond_data(json!({"deleteApiKey": {"success": true}}));
    api.delete_api_key("k2").await.unwrap();
    script
        .graphql("DeleteApiKey")
        .respond_data(json!({"deleteApiKey": {"success": false}}));
    assert_eq!(
        api.delete_api_key("k2").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    script
        .graphql("GenerateApiKey")
        .respond_graphql_error("permission denied");
    assert_eq!(
        api.generate_api_key(None).await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );
    script.finish();
}

#[tokio::test]
async fn teams_and_members() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    script
        .graphql("GetTeamEntity")
        .respond_data(team(true, vec![member("m1", "MEMBER", json!(null))]));
    let found = api.team("team").await.unwrap();
    assert_eq!(found.members[0].username.as_deref(), Some("m1"));
    for data in [json!({"entity": null}), team(false, vec![])] {
        script.graphql("GetTeamEntity").respond_data(data);
        assert_eq!(api.team("x").await.unwrap_err().kind(), ErrorKind::NotFound);
    }

    let invited = json!({"createInvite": {"invite": {"id": "i"}}});
    for (who, input) in [
        (
            "ada",
            json!({"entityName": "team", "username": "ada", "admin": false}),
        ),
        (
            "a@x.org",
            json!({"entityName": "team", "email": "a@x.org", "admin": false}),
        ),
    ] {
        script
            .graphql("CreateInvite")
            .when("whom", move |request| {
                request.variables().unwrap()["input"] == input
            })
            .respond_data(invited.clone());
        found.invite(who, false).await.unwrap();
    }
    script
        .graphql("CreateInvite")
        .respond_graphql_error("permission denied");
    assert_eq!(
        found.invite("ada", true).await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );

    script
        .graphql("CreateServiceAccount")
        .respond_data(json!({"createServiceAccount": {"user": {"id": "s"}}}));
    // It is not the last one.
    script.graphql("GetTeamEntity").respond_data(team(
        true,
        vec![
            member("s", "SERVICE", json!(KEY)),
            member("m1", "MEMBER", json!(null)),
        ],
    ));
    let account = found.create_service_account("ci").await.unwrap();
    assert!(account.is_service_account());
    assert_eq!(account.api_key.as_ref().unwrap().expose(), KEY);
    assert!(!format!("{account:?} {}", serde_json::to_string(&account).unwrap()).contains(KEY));

    script
        .graphql("DeleteInvite")
        .variables(json!({"input": {"id": "m1", "entityName": "team"}}))
        .respond_data(json!({"deleteInvite": {"success": true}}));
    found.remove_member(&found.members[0]).await.unwrap();
    let nameless = TeamMember {
        id: None,
        ..found.members[0].clone()
    };
    assert_eq!(
        found.remove_member(&nameless).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    // What may have been done is not done again: each of these is one request.
    for operation in ["DeleteInvite", "CreateInvite"] {
        script.graphql(operation).respond_status(502);
    }
    assert_eq!(
        found.remove_member(&found.members[0]).await.unwrap_err().status(),
        Some(502)
    );
    assert_eq!(found.invite("ada", false).await.unwrap_err().status(), Some(502));
    script
        .graphql("CreateTeam")
        .respond_graphql_error("a team of this name exists");
    assert_eq!(
        api.create_team("team", None).await.unwrap_err().kind(),
        ErrorKind::Server
    );
    script.finish();
}

#[tokio::test]
async fn projects_are_created() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    script
        .graphql("CreateProject")
        .variables(json!({"input": {"name": "p", "entityName": "e"}}))
        .respond_data(
            json!({"upsertModel": {"project": {"id": "1", "name": "p", "entityName": "e", "description": null,
            "createdAt": "2024-05-01T12:34:56", "isBenchmark": false, "user": null}, "inserted": true}}),
        );
    assert_eq!(api.create_project("p").await.unwrap().name, "p");
    for name in ["a:b", "50%", &"x".repeat(129)] {
        assert_eq!(
            api.create_project(name).await.unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{name}"
        );
    }
    script
        .graphql("CreateProject")
        .respond_graphql_error("permission denied");
    assert_eq!(
        api.create_project("p").await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );
    script.finish();
}

#[tokio::test]
async fn projects_are_deleted_by_their_ids() {
    let script = ScriptedTransport::ordered();
    let api = builder(&script).remember_lookups().build();
    let project = |id: &str| {
        json!({"project": {"id": id, "name": "p", "entityName": "e", "description": null,
            "createdAt": "2024-05-01T12:34:56", "isBenchmark": false, "user": null}})
    };
    script.graphql("GetProject").respond_data(project("first"));
    let first = api.project("p").await.unwrap();
    let delete = || {
        script
            .graphql("DeleteProject")
            .variables(json!({"input": {"id": "first"}}))
    };
    delete().respond_data(json!({"deleteModel": {"success": true}}));
    first.delete(&api).await.unwrap();
    // What was remembered is forgotten, and what has the name now is another project.
    script.graphql("GetProject").respond_data(project("second"));
    assert_eq!(api.project("p").await.unwrap().id, "second");
    for gone in [
        json!({"deleteModel": {"success": false}}),
        json!({"deleteModel": null}),
    ] {
        delete().respond_data(gone);
        assert_eq!(first.delete(&api).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    delete().respond_graphql_error("permission denied");
    assert_eq!(
        first.delete(&api).await.unwrap_err().kind(),
        ErrorKind::NotVisible
    );
    // Nobody knows whether it was done.
    delete().respond_status(502);
    assert_eq!(first.delete(&api).await.unwrap_err().attempts(), 1);
    script.finish();
}
