//! Projects, users, teams and keys.

use futures_util::TryStreamExt;
use wandb_api::{ErrorKind, Project};
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
