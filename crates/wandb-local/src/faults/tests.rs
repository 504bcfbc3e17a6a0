//! Rules strike what they should, and clients see what was promised, over a real socket where that matters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use http::StatusCode;
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service as _;

use super::inject::document_operation;
use super::*;

fn rule(text: &str) -> FaultRule {
    text.parse().unwrap()
}

/// A server whose every answer is ten digits, and a count of the requests that were carried out.
fn digits(plan: &FaultPlan) -> (Router, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = |State(calls): State<Arc<AtomicUsize>>, request: Request| async move {
        let length = request
            .into_body()
            .collect()
            .await
            .map(|body| body.to_bytes().len());
        calls.fetch_add(1, Ordering::SeqCst);
        assert!(length.is_ok());
        "0123456789"
    };
    let router = Router::new().fallback(handler).with_state(Arc::clone(&calls));
    (router.layer(from_fn_with_state(plan.clone(), inject)), calls)
}

async fn call(router: &Router, path: &str, body: &str) -> http::Response<Body> {
    let request = Request::post(path).body(Body::from(body.to_owned())).unwrap();
    router.clone().call(request).await.unwrap()
}

/// The body, and whether it ended as it should.
async fn read(response: http::Response<Body>) -> (Vec<u8>, bool) {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Err(_) => return (bytes, false),
        }
    }
    (bytes, true)
}

/// Sends one request over a socket and reads until the server closes the connection.
async fn over_the_wire(plan: &FaultPlan) -> (String, usize) {
    let (router, calls) = digits(plan);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The end is a reset or an orderly one, as the system likes.
    let _ = socket.read_to_end(&mut answer).await;
    server.abort();
    (String::from_utf8(answer).unwrap(), calls.load(Ordering::SeqCst))
}

#[tokio::test]
async fn no_rules_no_faults() {
    let (router, calls) = digits(&FaultPlan::default());
    assert_eq!(
        read(call(&router, "/x", "").await).await,
        (b"0123456789".to_vec(), true)
    );
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn refusals_do_not_carry_out_the_request() {
    for (text, status, mark) in [
        ("503", 503, "injected fault: 503"),
        ("429,retry-after=7", 429, "injected fault: 429"),
        ("html", 200, "<!DOCTYPE html>"),
        ("expired", 403, "the URL has expired"),
    ] {
        let (router, calls) = digits(&FaultPlan::new(0).with(rule(text)));
        let response = call(&router, "/x", "body").await;
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{text}");
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(retry_after.as_deref(), (status == 429).then_some("7"), "{text}");
        let (body, whole) = read(response).await;
        assert!(whole && String::from_utf8(body).unwrap().contains(mark), "{text}");
        assert_eq!(calls.load(Ordering::SeqCst), 0, "{text}");
    }
}

#[tokio::test]
async fn damaged_bodies() {
    for (text, expected, whole) in [
        ("cut=4", "0123", false),
        ("cut=0", "", false),
        ("cut=1000", "012345678", false),
        ("flip=0", "1123456789", true),
        ("flip=19", "0123456788", true),
        ("slow=100", "0123456789", true),
    ] {
        let (router, calls) = digits(&FaultPlan::new(0).with(rule(text)));
        let response = call(&router, "/x", "").await;
        assert_eq!(response.headers()["content-length"], "10", "{text}");
        assert_eq!(
            read(response).await,
            (expected.as_bytes().to_vec(), whole),
            "{text}"
        );
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{text}");
    }
}

#[tokio::test]
async fn slow_bodies_come_in_pieces() {
    let (router, _) = digits(&FaultPlan::new(0).with(rule("slow=60")));
    let mut body = call(&router, "/x", "").await.into_body();
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        pieces.push(frame.unwrap().into_data().unwrap().len());
    }
    assert_eq!(pieces, [3, 3, 3, 1]);
}

#[tokio::test]
async fn connections_end_as_promised() {
    let plan = |text| FaultPlan::new(0).with(rule(text));
    assert_eq!(over_the_wire(&plan("reset")).await, (String::new(), 0));
    assert_eq!(over_the_wire(&plan("lost")).await, (String::new(), 1));
    let (answer, _) = over_the_wire(&plan("cut=4")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("content-length: 10"),
        "{head}"
    );
    assert_eq!(body, "0123");
}

#[tokio::test]
async fn lost_connections_are_marked_for_transports_without_any() {
    for text in ["reset", "lost"] {
        let (router, _) = digits(&FaultPlan::new(0).with(rule(text)));
        assert!(
            call(&router, "/x", "")
                .await
                .extensions()
                .get::<ConnectionLost>()
                .is_some()
        );
    }
}

#[tokio::test]
async fn operations_are_told_apart() {
    let plan = FaultPlan::new(0).with(rule("500,path=/graphql,op=Runs"));
    let (router, calls) = digits(&plan);
    for (path, body, status) in [
        (
            "/graphql",
            r#"{"operationName":"Runs","query":"query Runs { x }"}"#,
            500,
        ),
        (
            "/graphql",
            r#"{"operationName":"","query":"query Runs($a: Int) { x }"}"#,
            500,
        ),
        (
            "/graphql",
            r#"{"query":"fragment F on Run { query }\n query Runs { x }"}"#,
            500,
        ),
        (
            "/graphql",
            r#"{"operationName":"Run","query":"query Run { x }"}"#,
            200,
        ),
        ("/graphql", "no JSON", 200),
        ("/other", r#"{"operationName":"Runs"}"#, 200),
    ] {
        assert_eq!(
            call(&router, path, body).await.status().as_u16(),
            status,
            "{body}"
        );
    }
    assert_eq!(
        (plan.counts()[0].seen, plan.struck(), calls.load(Ordering::SeqCst)),
        (3, 3, 3)
    );
    // Bytes of a file have no operation, so a rule for one does not care how many they are.
    let plan = FaultPlan::new(0).with(rule("500,op=Runs"));
    let (router, _) = digits(&plan);
    let file = "x".repeat(33 << 20);
    assert_eq!(call(&router, "/files/a", &file).await.status(), 200);
}

#[test]
fn names_of_operations() {
    for (document, name) in [
        ("query Runs($x: Int = 1) { a }", Some("Runs")),
        ("# query A\n mutation\n\tUpsert { a }", Some("Upsert")),
        ("fragment F on T { query mutation } query Q { x }", Some("Q")),
        ("query ($x: Int) { a }", None),
        ("query { a }", None),
        ("{ a }", None),
        ("query", None),
        ("}}}) query é", None),
    ] {
        assert_eq!(document_operation(document).as_deref(), name, "{document}");
    }
}

#[test]
fn triggers_and_limits() {
    let strikes = |text: &str| {
        let plan = FaultPlan::new(1).with(rule(text));
        let struck: Vec<usize> = (1..=9).filter(|_| plan.strike("/x", None).is_some()).collect();
        assert_eq!(plan.counts()[0].seen, 9);
        assert_eq!(plan.struck(), struck.len() as u64);
        struck
    };
    assert_eq!(strikes("500,nth=3"), [3]);
    assert_eq!(strikes("500,every=4"), [4, 8]);
    assert_eq!(strikes("500,limit=2"), [1, 2]);
    assert_eq!(strikes("500,every=2,limit=1"), [2]);
    assert_eq!(strikes("500,chance=0"), Vec::<usize>::new());
    assert_eq!(strikes("500,chance=1").len(), 9);
}

#[test]
fn chances_depend_on_the_seed_alone() {
    let strikes = |seed| {
        let plan = FaultPlan::new(seed).with(rule("500,chance=0.3"));
        (0..10_000)
            .map(|_| plan.strike("/x", None).is_some())
            .collect::<Vec<_>>()
    };
    let first = strikes(1);
    assert_eq!(first, strikes(1));
    assert_ne!(first, strikes(2));
    let share = first.iter().filter(|struck| **struck).count();
    assert!((2_800..3_200).contains(&share), "{share}");
}

#[test]
fn the_first_rule_that_strikes_decides_and_all_count() {
    let plan = FaultPlan::new(0)
        .with(rule("500,nth=2"))
        .with(rule("reset"))
        .with(rule("html,path=/y"));
    let effects: Vec<_> = (0..2).map(|_| plan.strike("/x", None).unwrap()).collect();
    assert_eq!(effects, [FaultEffect::Reset, FaultEffect::status(500)]);
    let counts: Vec<_> = plan
        .counts()
        .iter()
        .map(|count| (count.seen, count.struck))
        .collect();
    assert_eq!(counts, [(2, 1), (2, 1), (0, 0)]);
    plan.clear();
    assert_eq!(plan.strike("/x", None), None);
}

#[test]
fn errors_name_the_part() {
    for (text, error) in [
        ("", FaultParseError::Effect(String::new())),
        ("200", FaultParseError::Effect("200".to_owned())),
        ("cut", FaultParseError::Effect("cut".to_owned())),
        (
            "slow=0",
            FaultParseError::Value {
                part: "slow".to_owned(),
                value: "0".to_owned(),
            },
        ),
        (
            "503,nth=0",
            FaultParseError::Value {
                part: "nth".to_owned(),
                value: "0".to_owned(),
            },
        ),
        (
            "503,chance=1.5",
            FaultParseError::Value {
                part: "chance".to_owned(),
                value: "1.5".to_owned(),
            },
        ),
        (
            "503,chance=NaN",
            FaultParseError::Value {
                part: "chance".to_owned(),
                value: "NaN".to_owned(),
            },
        ),
        (
            "503,nth=1,every=2",
            FaultParseError::Repeated("nth, every or chance"),
        ),
        ("503,limit=1,limit=1", FaultParseError::Repeated("limit")),
        (
            "reset,retry-after=1",
            FaultParseError::Part("retry-after=1".to_owned()),
        ),
        ("503,", FaultParseError::Part(String::new())),
    ] {
        assert_eq!(text.parse::<FaultRule>().unwrap_err(), error, "{text}");
    }
}

fn any_rule() -> impl Strategy<Value = FaultRule> {
    let effect = prop_oneof![
        (400..600_u16).prop_map(FaultEffect::status),
        (0..1000_u64).prop_map(|seconds| FaultEffect::rate_limited(Duration::from_secs(seconds))),
        Just(FaultEffect::Reset),
        Just(FaultEffect::Lost),
        Just(FaultEffect::Swap),
        Just(FaultEffect::Changed),
        Just(FaultEffect::ErrorPage),
        Just(FaultEffect::ExpiredUrl),
        any::<u64>().prop_map(|after| FaultEffect::Cut { after }),
        (1..u64::MAX).prop_map(|bytes_per_second| FaultEffect::Slow { bytes_per_second }),
        any::<u64>().prop_map(|at| FaultEffect::Flip { at }),
    ];
    let trigger = prop_oneof![
        Just(FaultTrigger::Always),
        (1..u64::MAX).prop_map(FaultTrigger::Nth),
        (1..u64::MAX).prop_map(FaultTrigger::Every),
        (0.0..=1.0).prop_map(FaultTrigger::Chance),
    ];
    let text = || proptest::option::of("/[a-z=/]{0,6}");
    (
        effect,
        text(),
        text(),
        trigger,
        proptest::option::of(any::<u64>()),
    )
        .prop_map(|(effect, path, operation, trigger, limit)| FaultRule {
            effect,
            path,
            operation,
            trigger,
            limit,
        })
}

proptest! {
    #[test]
    fn rules_round_trip(rule in any_rule()) {
        prop_assert_eq!(rule.to_string().parse::<FaultRule>().unwrap(), rule);
    }

    #[test]
    fn any_text_is_a_rule_or_an_error(text in "\\PC{0,30}", words in "(503|cut=|flip=|,|path=|nth=|[0-9]|=){0,8}") {
        let _ = (text.parse::<FaultRule>(), words.parse::<FaultRule>(), document_operation(&text));
    }
}

#[tokio::test]
async fn the_server_shows_faults_before_it_asks_for_a_key() {
    use wandb_transport::{Transport as _, TransportErrorKind};

    let plan = FaultPlan::new(0)
        .with(rule("503,nth=1"))
        .with(rule("reset,nth=2"));
    let transport = crate::LocalServer::builder().faults(plan.clone()).open().unwrap();
    let ask = || {
        let request = Request::get(format!("{}/graphql", transport.url()));
        transport.send(request.body(wandb_transport::Body::empty()).unwrap())
    };
    assert_eq!(ask().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask().await.unwrap_err().kind(), TransportErrorKind::Interrupted);
    assert_ne!(ask().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(plan.struck(), 2);
}
