//! Servers that answer nonsense, slowly, or not at all.

use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_api::retry::RetryPolicy;
use wandb_api::transport::{ScriptedResponse, ScriptedTransport, TransportErrorKind};
use wandb_api::{Api, ErrorKind, Run};
use wandb_local::{FaultEffect, FaultRule};
use wandb_tests::{KEY, NewRun, TestServer, scripted_api};

fn empty_page() -> Json {
    json!({ "project": { "name": "p", "entityName": "e", "runs": {
        "edges": [], "pageInfo": { "hasNextPage": false, "endCursor": null },
    } } })
}

async fn list(api: &Api) -> wandb_api::Result<usize> {
    let runs: Vec<Run> = api.runs("e/p").stream().try_collect().await?;
    Ok(runs.len())
}

#[tokio::test]
async fn a_wrong_key_is_an_authentication_error() {
    let server = TestServer::open();
    server.log("p", NewRun::named("r")).await;
    let wrong = KEY.replace('0', "f");
    let api = server
        .builder(server.transport())
        .api_key(&wrong)
        .unwrap()
        .build();
    for error in [
        api.viewer().await.unwrap_err(),
        api.run("p/r").await.unwrap_err(),
        api.runs("p").count().await.unwrap_err(),
        api.runs("p").stream().try_next().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
        assert_eq!((error.status(), error.attempts()), (Some(401), 1));
        assert!(!format!("{error:?} {error} {:?}", error.hints()).contains(&wrong));
    }
    for nonsense in ["", "short", "with space in it 0123456789abcdef0123456789", "ключ"] {
        let error = server.builder(server.transport()).api_key(nonsense).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{nonsense:?}");
    }
    assert_eq!(
        server.api().viewer().await.unwrap().username.as_deref(),
        Some("local")
    );
}

#[tokio::test]
async fn answers_that_are_none() {
    let page = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let data = |data: Json| json!({ "data": data }).to_string();
    for (what, answer, kind) in [
        ("a web page", ScriptedResponse::new(200).header("content-type", "text/html").bytes(page), ErrorKind::Protocol),
        ("a web page that is called JSON", ScriptedResponse::new(200).header("content-type", "application/json").bytes(page), ErrorKind::Protocol),
        ("nothing", ScriptedResponse::new(200), ErrorKind::Protocol),
        ("half a text", ScriptedResponse::new(200).bytes(r#"{"data": {"proj"#), ErrorKind::Protocol),
        ("null", ScriptedResponse::new(200).bytes("null"), ErrorKind::Protocol),
        ("a list", ScriptedResponse::new(200).bytes("[]"), ErrorKind::Protocol),
        ("no data", ScriptedResponse::new(200).bytes("{}"), ErrorKind::Protocol),
        ("null data", ScriptedResponse::new(200).bytes(r#"{"data": null}"#), ErrorKind::Protocol),
        ("no project", ScriptedResponse::new(200).bytes(data(json!({ "project": null }))), ErrorKind::NotFound),
        ("no runs", ScriptedResponse::new(200).bytes(data(json!({ "project": { "name": "p", "entityName": "e", "runs": null } }))), ErrorKind::Protocol),
        ("a null run", ScriptedResponse::new(200).bytes(data(json!({ "project": { "name": "p", "entityName": "e", "runs": { "edges": [{ "node": null }], "pageInfo": { "hasNextPage": false, "endCursor": null } } } }))), ErrorKind::Protocol),
        ("a null edge", ScriptedResponse::new(200).bytes(data(json!({ "project": { "name": "p", "entityName": "e", "runs": { "edges": [null], "pageInfo": { "hasNextPage": false, "endCursor": null } } } }))), ErrorKind::Protocol),
        ("a number for a project", ScriptedResponse::new(200).bytes(data(json!({ "project": 5 }))), ErrorKind::Protocol),
        ("errors", ScriptedResponse::new(200).bytes(r#"{"data": null, "errors": [{"message": "boom"}]}"#), ErrorKind::Server),
        ("errors beside data", ScriptedResponse::new(200).bytes(json!({ "data": empty_page(), "errors": [{ "message": "half of it failed" }] }).to_string()), ErrorKind::Server),
        ("a permission error", ScriptedResponse::new(200).bytes(r#"{"data": {"project": null}, "errors": [{"message": "permission denied", "path": ["project"]}]}"#), ErrorKind::NotVisible),
        ("not found as errors", ScriptedResponse::new(404).bytes(r#"{"errors": [{"message": "could not find project e/p"}]}"#), ErrorKind::NotFound),
        ("a bare text", ScriptedResponse::new(400).bytes("no"), ErrorKind::Server),
        ("forbidden", ScriptedResponse::new(403).bytes(r#"{"error": "no"}"#), ErrorKind::NotVisible),
        ("a redirect", ScriptedResponse::new(302).header("location", "https://login.example/"), ErrorKind::Protocol),
        ("not implemented", ScriptedResponse::new(501), ErrorKind::Unsupported),
    ] {
        let script = ScriptedTransport::ordered();
        script.graphql("Runs").respond(answer);
        let (api, clock) = scripted_api(&script);
        let error = list(&api).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error:?}");
        assert!(error.attempts() <= 1, "{what}: {error:?}");
        let told = format!("{} {error}", error.operation());
        assert!(told.contains("e/p"), "{what}: {error:?}");
        assert!(clock.slept().is_empty(), "{what}");
        script.finish();
    }
}

fn project(entity: &str, name: &str, created_at: &str) -> Json {
    json!({ "id": "1", "name": name, "entityName": entity, "description": null, "createdAt": created_at,
        "isBenchmark": false, "user": null })
}

#[tokio::test]
async fn nonsense_from_the_server_is_not_the_callers_mistake() {
    let time = "2024-05-01T12:34:56Z";
    let page_info = json!({ "hasNextPage": false, "endCursor": null });
    for (what, node) in [
        ("an entity that is none", project("a/b", "p", time)),
        ("a project that is none", project("e", "", time)),
        ("a time that is none", project("e", "p", "yesterday")),
        ("a project that is left out", Json::Null),
    ] {
        let script = ScriptedTransport::ordered();
        let edges = json!([{ "node": project("e", "p", time) }, { "node": node }]);
        script
            .graphql("GetProjects")
            .respond_data(json!({ "models": { "edges": edges, "pageInfo": page_info } }));
        script
            .graphql("GetProject")
            .respond_data(json!({ "project": node }));
        let (api, _) = scripted_api(&script);
        let listed: Result<Vec<_>, _> = api.projects(None).stream().try_collect().await;
        let error = listed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error:?}");
        assert_eq!(error.operation(), "list the projects of \"e\"", "{what}");
        let error = api.project("e/p").await.unwrap_err();
        if node.is_null() {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{what}: {error:?}");
        } else {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error:?}");
            assert_eq!(error.operation(), "read project \"e/p\"", "{what}");
        }
        script.finish();
    }

    let script = ScriptedTransport::ordered();
    script.graphql("RunFiles").respond_data(
        json!({ "project": { "run": { "files": { "edges": [{ "node": null }], "pageInfo": page_info } } } }),
    );
    let (api, _) = scripted_api(&script);
    let run = api.run_reference("e/p/r").await.unwrap();
    let error = run.files().stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");

    let script = ScriptedTransport::unordered();
    script.graphql("RunHistoryKeys").times(3).respond_data(
        json!({ "project": { "run": { "historyKeys": { "lastStep": 3 }, "historyLineCount": 4 } } }),
    );
    script
        .graphql("HistoryPage")
        .times(2)
        .respond_data(json!({ "project": { "run": { "history": ["{\"_step\":"] } } }));
    script
        .graphql("SampledHistoryPage")
        .respond_data(json!({ "project": { "run": { "sampledHistory": [[{ "x": 1 }]] } } }));
    let (api, _) = scripted_api(&script);
    let run = api.run_reference("e/p/r").await.unwrap();
    for (error, operation) in [
        (
            run.scan_history().rows().try_next().await.unwrap_err(),
            "read steps 0 to 3 of run \"e/p/r\"",
        ),
        (
            run.history().load().await.unwrap_err(),
            "sample the history of run \"e/p/r\"",
        ),
        (
            run.history().keys(["x"]).load().await.unwrap_err(),
            "sample the history of run \"e/p/r\"",
        ),
    ] {
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Protocol, operation),
            "{error:?}"
        );
    }
    script.finish();

    let script = ScriptedTransport::ordered();
    script.graphql("GetViewer").respond_data(json!({ "viewer": {
        "id": "1", "name": "n", "username": "u", "email": null, "admin": false, "entity": "a/b", "teams": null,
    } }));
    let api = Api::builder(std::sync::Arc::new(script.clone())).build();
    let error = api.default_entity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
}

#[tokio::test]
async fn rows_that_are_counted_but_not_to_be_found_are_missed() {
    for keys in [
        json!(null),
        json!({}),
        json!({ "lastStep": -1, "keys": { "x": { "typeCounts": [] } } }),
    ] {
        for (counted, choice) in [(4, vec!["x"]), (4, vec![]), (0, vec!["x"]), (0, vec![])] {
            let script = ScriptedTransport::ordered();
            let run = json!({ "historyKeys": keys, "historyLineCount": counted });
            script
                .graphql("RunHistoryKeys")
                .times(3)
                .respond_data(json!({ "project": { "run": run } }));
            let (api, _) = scripted_api(&script);
            let run = api.run_reference("e/p/r").await.unwrap();
            for scan in [
                run.scan_history().all_keys(choice.clone()),
                run.scan_history().any_keys(choice),
            ] {
                let rows: Result<Vec<_>, _> = scan.rows().try_collect().await;
                match rows {
                    Ok(rows) => assert!(rows.is_empty() && counted == 0, "{keys}"),
                    Err(error) => {
                        assert_eq!(
                            (error.kind(), counted),
                            (ErrorKind::Incomplete, 4),
                            "{keys}: {error:?}"
                        );
                    }
                }
            }
            match run.last_history_step().await {
                Ok(step) => assert_eq!((step, counted), (None, 0)),
                Err(error) => assert_eq!((error.kind(), counted), (ErrorKind::Incomplete, 4)),
            }
            script.finish();
        }
    }
}

#[tokio::test]
async fn failures_that_pass_are_waited_out() {
    let script = ScriptedTransport::ordered();
    script.graphql("Runs").respond_status(500);
    script
        .graphql("Runs")
        .respond(ScriptedResponse::new(502).bytes("<html>bad gateway</html>"));
    script.graphql("Runs").fail(TransportErrorKind::Connect);
    script.graphql("Runs").respond(
        ScriptedResponse::new(200)
            .bytes(r#"{"data": {"#)
            .announcing(1_000),
    );
    script.graphql("Runs").fail(TransportErrorKind::Timeout);
    script.graphql("Runs").respond_data(empty_page());
    let (api, clock) = scripted_api(&script);
    assert_eq!(list(&api).await.unwrap(), 0);
    assert_eq!(clock.slept().len(), 5);
    script.finish();
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("Runs")
        .respond(ScriptedResponse::new(429).header("retry-after", "7"));
    script.graphql("Runs").respond_data(empty_page());
    let (api, clock) = scripted_api(&script);
    list(&api).await.unwrap();
    let slept: Duration = clock.slept().iter().sum();
    assert!(
        slept >= Duration::from_secs(7) && slept < Duration::from_secs(10),
        "{slept:?}"
    );
    script.finish();

    // Longer than anybody wants to wait.
    let script = ScriptedTransport::ordered();
    script
        .graphql("Runs")
        .respond(ScriptedResponse::new(429).header("retry-after", "3600"));
    let (api, clock) = scripted_api(&script);
    let error = list(&api).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    assert!(clock.slept().is_empty());
    script.finish();

    // Told before the limit is hit.
    let script = ScriptedTransport::ordered();
    script.graphql("Runs").respond(
        ScriptedResponse::new(200)
            .header("ratelimit-remaining", "0")
            .header("ratelimit-reset", "5")
            .json(json!({ "data": empty_page() })),
    );
    script.graphql("Runs").respond_data(empty_page());
    let (api, clock) = scripted_api(&script);
    list(&api).await.unwrap();
    list(&api).await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(5)]);
    script.finish();
}

#[tokio::test]
async fn the_budget_is_kept() {
    let script = ScriptedTransport::ordered();
    script.graphql("Runs").times(6).respond_status(503);
    let (api, _) = scripted_api(&script);
    let error = list(&api).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), error.status()),
        (ErrorKind::Server, 6, Some(503))
    );
    script.finish();

    let script = ScriptedTransport::ordered();
    script.graphql("RunCount").times(3).respond_status(503);
    script.graphql("RunCount").respond_status(503);
    let api = Api::builder(std::sync::Arc::new(script.clone()))
        .runtime(std::sync::Arc::new(wandb_tests::FakeRuntime::default()))
        .retry(RetryPolicy::default().with_max_attempts(3))
        .build();
    let error = api.runs("e/p").count().await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    let api = Api::builder(std::sync::Arc::new(script.clone()))
        .retry(RetryPolicy::never())
        .build();
    assert_eq!(api.runs("e/p").count().await.unwrap_err().attempts(), 1);
    script.finish();
}

#[tokio::test]
async fn a_server_under_faults_is_read_all_the_same() {
    let server = TestServer::open();
    for number in 0..20 {
        let mut writer = server.log("p", NewRun::named(&format!("r{number:02}"))).await;
        writer
            .history((0..50).map(|step| format!(r#"{{"_step":{step},"x":1}}"#)))
            .await;
    }
    for rule in [
        "503,every=3",
        "cut=200,every=5",
        "reset,every=7",
        "429,retry-after=1,every=11",
    ] {
        server
            .faults()
            .add(format!("{rule},path=/graphql").parse().unwrap());
    }
    // The next page is fetched meanwhile, so that which request meets which fault is chance; patience rules out bad luck.
    let patience = RetryPolicy::default()
        .with_max_attempts(100)
        .with_max_elapsed(Duration::from_secs(1_000_000));
    let api = server.builder(server.transport()).retry(patience).build();
    let mut runs = api.runs("p").page_size(3).stream();
    let mut found = 0;
    while let Some(run) = runs.try_next().await.unwrap() {
        found += 1;
        let rows: Vec<_> = run
            .scan_history()
            .page_size(10)
            .rows()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rows.len(), 50);
    }
    assert_eq!(found, 20);
    assert!(server.faults().struck() > 20);

    server.faults().clear();
    server
        .faults()
        .add(FaultRule::new(FaultEffect::ErrorPage).operation("RunCount"));
    assert_eq!(
        api.runs("p").count().await.unwrap_err().kind(),
        ErrorKind::Protocol
    );
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_hangs() {
    let script = ScriptedTransport::ordered();
    script.graphql("RunCount").hang();
    let (api, clock) = scripted_api(&script);
    let error = api
        .with_timeout(Some(Duration::from_secs(30)))
        .runs("e/p")
        .count()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert_eq!(clock.slept(), [Duration::from_secs(30)]);
    script.finish();
}

#[tokio::test]
async fn dropping_a_call_ends_it() {
    let script = ScriptedTransport::ordered();
    script.graphql("Runs").hang();
    let (api, _) = scripted_api(&script);
    let listing = tokio::spawn(async move { list(&api).await });
    while script.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    listing.abort();
    assert!(listing.await.unwrap_err().is_cancelled());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    script.finish();

    // Between two attempts: nothing more is sent once nobody waits.
    let script = ScriptedTransport::ordered();
    script.graphql("RunCount").respond_status(503);
    let api = Api::builder(std::sync::Arc::new(script.clone()))
        .runtime(std::sync::Arc::new(Asleep))
        .build();
    let counting = tokio::spawn(async move { api.runs("e/p").count().await });
    while script.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    counting.abort();
    assert!(counting.await.unwrap_err().is_cancelled());
    script.finish();
}

/// A clock on which no sleep ever ends.
#[derive(Debug)]
struct Asleep;

#[async_trait::async_trait]
impl wandb_api::retry::Runtime for Asleep {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn unix_seconds(&self) -> i64 {
        0
    }
}
