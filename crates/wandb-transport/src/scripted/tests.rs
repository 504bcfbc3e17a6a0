//! Tests of the scripted transport: it has to fail when it should.

use serde_json::json;

use super::*;
use crate::{Body, Transport, TransportError, TransportErrorKind};

async fn send(
    transport: &ScriptedTransport,
    method: &str,
    uri: &str,
    body: &str,
) -> Result<http::Response<Body>, TransportError> {
    let request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("x-step", "one");
    transport
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn text(answer: http::Response<Body>) -> String {
    String::from_utf8(answer.into_body().collect(1000).await.unwrap().to_vec()).unwrap()
}

const RUNS: &str =
    r#"{"operationName": "Runs", "query": "query Runs", "variables": {"first": 50, "after": null}}"#;

#[tokio::test]
async fn an_ordered_script_is_followed_in_order() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("Runs")
        .variables(json!({"first": 50}))
        .respond_data(json!({"n": 1}));
    script
        .get("/files/a")
        .query("sig", "x y")
        .header_absent("authorization")
        .respond_status(204);
    script
        .put("https://storage.example/b")
        .body("data")
        .respond_json(201, json!({}));

    let answer = send(&script, "POST", "https://api.wandb.ai/graphql", RUNS)
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["content-length"], "16");
    assert_eq!(text(answer).await, r#"{"data":{"n":1}}"#);
    let answer = send(&script, "GET", "https://api.wandb.ai/files/a?sig=x%20y", "")
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(
        send(&script, "PUT", "https://storage.example/b", "data")
            .await
            .unwrap()
            .status(),
        201
    );

    script.finish();
    let requests = script.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].operation(), Some("Runs"));
    assert_eq!(requests[1].header("x-step"), Some("one"));
    assert_eq!(requests[2].body(), "data");
}

#[tokio::test]
async fn a_request_out_of_order_is_named_with_what_was_expected() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("Runs")
        .variables(json!({"first": 20}))
        .respond_data(json!({}));
    script.get("/later").respond_status(200);

    let error = send(&script, "GET", "https://a.example/later?token=secret", "")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
    let message = error.to_string();
    assert!(
        message.contains("unexpected request 1, GET https://a.example/later?…"),
        "{message}"
    );
    assert!(
        message.contains("operation Runs") && message.contains("does not have method POST"),
        "{message}"
    );
    assert!(!message.contains("secret"), "{message}");

    let error = send(&script, "POST", "https://a.example/graphql", RUNS)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("variables.first is 50, not 20"),
        "{error}"
    );

    let report = script.verify().unwrap_err();
    assert_eq!(report.matches("unexpected request").count(), 2, "{report}");
    assert_eq!(report.matches("never sent").count(), 2, "{report}");
}

#[tokio::test]
async fn every_matcher_can_refuse() {
    let refuses = async |expect: fn(Expectation) -> Expectation| {
        let script = ScriptedTransport::ordered();
        expect(script.expect()).respond_status(200);
        let refused = send(&script, "POST", "http://a.example:80/graphql?a=1", RUNS)
            .await
            .is_err();
        let _ = script.verify();
        refused
    };
    let refusing: [fn(Expectation) -> Expectation; 12] = [
        |step| step.method(http::Method::GET),
        |step| step.target("/other"),
        |step| step.target("/graphql?a=2"),
        |step| step.target("http://a.example:80/graphql"),
        |step| step.host("a.example"),
        |step| step.query("a", "2"),
        |step| step.header("x-step", "two"),
        |step| step.header_present("x-other"),
        |step| step.header_absent("x-step"),
        |step| step.body("x"),
        |step| step.json(json!({"variables": {"first": 51}})),
        |step| step.when("luck", |_| false),
    ];
    for (index, expect) in refusing.into_iter().enumerate() {
        assert!(refuses(expect).await, "number {index}");
    }
    let accepting: [fn(Expectation) -> Expectation; 11] = [
        |step| step.method(http::Method::POST),
        |step| step.target("/graphql"),
        |step| step.target("/graphql?a=1"),
        |step| step.target("http://a.example:80/graphql?a=1"),
        |step| step.host("a.example:80"),
        |step| step.query("a", "1"),
        |step| step.header("x-step", "one"),
        |step| step.header_present("x-step"),
        |step| step.header_absent("x-other"),
        |step| step.json(json!({"variables": {"first": 50}})),
        |step| step.when("luck", |_| true),
    ];
    for (index, expect) in accepting.into_iter().enumerate() {
        assert!(!refuses(expect).await, "number {index}");
    }
}

#[tokio::test]
async fn an_unordered_script_takes_what_fits() {
    let script = ScriptedTransport::unordered();
    script
        .get("/a")
        .respond(ScriptedResponse::new(200).bytes("first"));
    script
        .get("/b")
        .times(2)
        .respond_with(|request| ScriptedResponse::new(200).bytes(request.uri().to_string()));
    script.get("/noise").any_number_of_times().respond_status(404);
    for (path, expected) in [
        ("/b", "http://h/b"),
        ("/a", "first"),
        ("/noise", ""),
        ("/b", "http://h/b"),
    ] {
        let answer = send(&script, "GET", &format!("http://h{path}"), "")
            .await
            .unwrap();
        assert_eq!(text(answer).await, expected);
    }
    script.finish();
    let error = send(&script, "GET", "http://h/a", "").await.unwrap_err();
    assert!(error.to_string().ends_with("nothing more is expected"), "{error}");
    assert!(script.verify().is_err());
}

#[tokio::test]
async fn bodies_can_break_and_requests_can_fail() {
    let script = ScriptedTransport::ordered();
    let half = || ScriptedResponse::new(200).chunks(["ab", "cd"]);
    script
        .get("/a")
        .respond(half().announcing(9).then_failing(TransportErrorKind::Timeout));
    script.get("/a").respond(half().announcing(9));
    script.get("/a").respond(half());
    script.get("/a").fail(TransportErrorKind::Connect);

    let mut results = Vec::new();
    for _ in 0..3 {
        let answer = send(&script, "GET", "http://h/a", "").await.unwrap();
        let size = answer.body().size();
        results.push((
            size,
            answer
                .into_body()
                .collect(100)
                .await
                .map_err(|error| error.kind()),
        ));
    }
    assert_eq!(
        results,
        [
            (Some(9), Err(TransportErrorKind::Timeout)),
            (Some(9), Err(TransportErrorKind::Interrupted)),
            (Some(4), Ok("abcd".into())),
        ]
    );
    let error = send(&script, "GET", "http://h/a", "").await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
}

#[tokio::test]
async fn a_hanging_request_and_a_stalled_body_stay_open() {
    let script = ScriptedTransport::ordered();
    script.get("/a").hang();
    script
        .get("/a")
        .respond(ScriptedResponse::new(200).bytes("x").then_stalling());

    // Polled once, without a clock: pending is pending.
    let mut call = Box::pin(send(&script, "GET", "http://h/a", ""));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
    assert!(polled);
    drop(call);

    let body = send(&script, "GET", "http://h/a", "").await.unwrap().into_body();
    let mut read = Box::pin(body.collect(10));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(read.as_mut().poll(cx).is_pending())).await;
    assert!(polled);
}

#[test]
#[should_panic(expected = "never sent, 2 times: a request with method GET, path /left")]
fn dropping_an_unfinished_script_panics() {
    let script = ScriptedTransport::ordered();
    script.get("/left").times(2).respond_status(200);
    let clone = script.clone();
    drop(script);
    drop(clone);
}

#[test]
#[should_panic(expected = "the script was not followed")]
fn finishing_an_unfinished_script_panics() {
    let script = ScriptedTransport::unordered();
    script.expect().respond_status(200);
    script.finish();
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let script = ScriptedTransport::ordered();
    script
        .expect()
        .header("authorization", "Basic c2VjcmV0")
        .target("http://h/x?token=c2VjcmV0")
        .respond_status(200);
    let request = http::Request::get("http://h/x?token=c2VjcmV0").header("authorization", "Basic c2VjcmV0");
    script.send(request.body(Body::empty()).unwrap()).await.unwrap();
    let shown = format!("{script:?} {:?}", script.requests());
    assert!(!shown.contains("c2VjcmV0"), "{shown}");
    assert!(shown.contains("authorization"), "{shown}");
}
