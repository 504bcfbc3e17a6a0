//! Projects, users, teams and keys.

use std::sync::Arc;

use futures_util::TryStreamExt;
use wandb_api::{AddOptions, Api, ArtifactDraft, ErrorKind, Project, UploadOptions};
use wandb_local::LocalServer;
use wandb_tests::TestServer;

#[tokio::test]
async fn projects_are_made_once() {
    let server = TestServer::open();
    let api = server.api();
    let made = api.create_project("fresh").await.unwrap();
    let again = api.create_project("fresh").await.unwrap();
    assert_eq!(made.id, again.id);
    let projects: Vec<Project> = api.projects(None).stream().try_collect().await.unwrap();
    assert_eq!(projects.len(), 1);
    assert_eq!(
        api.create_project("nobody/fresh").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn teams_users_and_keys() {
    let server = TestServer::open();
    let api = server.api();
    let me = api.current_user().await.unwrap();
    let username = me.username.clone().unwrap();
    assert_eq!(api.user(&username).await.unwrap().id, me.id);
    assert_eq!(api.user("nobody").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(api.team("nobody").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(api.team(&username).await.unwrap_err().kind(), ErrorKind::NotFound);

    let team = api.create_team("crew", None).await.unwrap();
    assert_eq!(team.members[0].username.as_deref(), Some(username.as_str()));
    assert!(team.members[0].admin);
    let robot = team.create_service_account("ci").await.unwrap();
    assert!(robot.is_service_account() && robot.api_key.is_some());
    let key = robot.api_key.as_ref().unwrap().expose();
    let as_robot = server.builder(server.transport()).api_key(key).unwrap().build();
    assert_eq!(as_robot.viewer().await.unwrap().teams, ["crew"]);
    let team = team.reload().await.unwrap();
    team.remove_member(&robot).await.unwrap();
    assert_eq!(team.reload().await.unwrap().members.len(), 1);
    assert!(team.invite("nobody", false).await.is_err());

    let fresh = api.generate_api_key(Some("laptop")).await.unwrap();
    let with_it = server
        .builder(server.transport())
        .api_key(fresh.secret.expose())
        .unwrap()
        .build();
    assert_eq!(with_it.viewer().await.unwrap().id, me.id);
    api.delete_api_key(&fresh.id).await.unwrap();
    assert_eq!(
        with_it.viewer().await.unwrap_err().kind(),
        ErrorKind::Authentication
    );
    assert_eq!(
        api.delete_api_key(&fresh.id).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

/// A version of a team's project is used by a run of a private one: who may not see the run is not told of it, and who may is.
/// The embedded server leaves such runs out of lists and counts, so there is no gap to tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_private_projects_are_seen_by_those_who_may() {
    let server = LocalServer::builder().start().await.unwrap();
    let people = server.people();
    let client = |name: &str| -> Api {
        let key = people.add_user(name, None).unwrap().api_key;
        Api::builder(Arc::new(server.transport()))
            .base_url(&server.url())
            .and_then(|builder| builder.api_key(&key))
            .unwrap()
            .build()
    };
    let (ada, grace) = (client("ada"), client("grace"));
    people.add_team("research", ["ada", "grace"]).unwrap();
    let maker = ada
        .create_run("research/cats")
        .id("maker")
        .create()
        .await
        .unwrap();
    let log = async |text: &'static str, run: &wandb_api::Run| {
        let mut draft = ArtifactDraft::new("model", "net").unwrap();
        draft.add_bytes("w", text, &AddOptions::default()).unwrap();
        let logged = draft.log(run.reference(), &UploadOptions::default()).await;
        logged.unwrap().artifact
    };
    let shared = log("shared", &maker).await;
    let secret = ada.create_run("ada/secret").id("user").create().await.unwrap();
    secret.use_artifact(&shared, None).await.unwrap();
    let own = log("own", &secret).await;
    maker.use_artifact(&own, None).await.unwrap();

    let seen = async |api: &Api| {
        let shared = api.artifact("research/cats/net:v0").await.unwrap();
        let users: Vec<_> = shared.used_by().references().try_collect().await.unwrap();
        let maker = shared.logged_by().await.unwrap().unwrap();
        let inputs: Vec<_> = maker.used_artifacts().places().try_collect().await.unwrap();
        assert_eq!(maker.used_artifacts().count().await.unwrap(), inputs.len() as u64);
        let graph = shared.lineage().upstream(2).downstream(2).fetch().await.unwrap();
        assert!(!graph.is_partial(), "{:?}", graph.gaps);
        (users.len(), inputs.len(), graph.runs.len())
    };
    assert_eq!(seen(&ada).await, (1, 1, 2));
    assert_eq!(seen(&grace).await, (0, 0, 1));
    assert!(!grace.artifact_exists("ada/secret/net:v0").await.unwrap());
    drop((ada, grace, maker, secret, shared, own));
    server.stop().await;
}
