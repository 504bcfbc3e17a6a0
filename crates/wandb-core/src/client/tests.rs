//! The client over the scripted transport.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderValue, Response, StatusCode};
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

use super::{Client, Fetch, Put};
use crate::{
    ErrorKind,
    base_url::BaseUrl,
    graphql::Operation,
    redact::SafeUrl,
    retry::{Repeat, RetryPolicy, Runtime},
};

/// A runtime whose clock moves only by sleeping.
#[derive(Debug, Default)]
pub(crate) struct StillRuntime {
    now: Mutex<Duration>,
}

#[async_trait]
impl Runtime for StillRuntime {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.now.lock().unwrap() += duration;
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn unix_seconds(&self) -> i64 {
        1_700_000_000
    }
}

type Reply = Result<(u16, Vec<(&'static str, String)>, String), TransportErrorKind>;

/// Answers in order and keeps what it was sent. Smaller than the scripted transport of the transport crate, because
/// these tests assert on every request by hand.
#[derive(Debug, Default)]
struct Replies {
    replies: Mutex<Vec<Reply>>,
    sent: Mutex<Vec<(String, Option<String>, http::HeaderMap)>>,
}

#[async_trait]
impl Transport for Replies {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        let authorization = request
            .headers()
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        self.sent.lock().unwrap().push((
            request.uri().to_string(),
            authorization,
            request.headers().clone(),
        ));
        let mut replies = self.replies.lock().unwrap();
        assert!(!replies.is_empty(), "an unexpected request to {}", request.uri());
        match replies.remove(0) {
            Err(kind) => Err(TransportError::new(kind, "scripted")),
            Ok((status, headers, body)) => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                for (name, value) in headers {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
                Ok(response)
            }
        }
    }
}

fn ok(body: &str) -> Reply {
    Ok((200, Vec::new(), body.to_owned()))
}

fn status(status: u16) -> Reply {
    Ok((status, Vec::new(), String::new()))
}

fn client(replies: Vec<Reply>) -> (Client, Arc<Replies>, Arc<StillRuntime>) {
    let transport = Arc::new(Replies {
        replies: Mutex::new(replies),
        ..Replies::default()
    });
    let runtime = Arc::new(StillRuntime::default());
    let base_url = BaseUrl::parse("https://wandb.example/api").unwrap();
    let client = Client::builder(base_url, transport.clone(), runtime.clone())
        .authorization(HeaderValue::from_static("Basic c2VjcmV0"))
        .build();
    (client, transport, runtime)
}

fn query() -> Operation {
    Operation::query("query Q { x }", Some("Q"), &serde_json::json!({}), "read x").unwrap()
}

#[tokio::test]
async fn passing_failures_are_retried_and_the_last_one_is_told() {
    let (client, transport, _) = client(vec![
        status(503),
        Err(TransportErrorKind::Interrupted),
        ok(r#"{"data":{"x":1}}"#),
    ]);
    let answer: serde_json::Value = client.execute(&query()).await.unwrap();
    assert_eq!(answer["x"], 1);
    assert_eq!(transport.sent.lock().unwrap().len(), 3);

    let (client, _, _) = self::client(vec![status(503); 6]);
    let error = client.execute::<serde_json::Value>(&query()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.attempts()),
        (ErrorKind::Server, Some(503), 6)
    );
    assert!(error.to_string().starts_with("failed to read x: "), "{error}");
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let (client, transport, _) = client(vec![ok(r#"{"data":{"x":1}}"#)]);
    client.execute::<serde_json::Value>(&query()).await.unwrap();
    let sent = transport.sent.lock().unwrap();
    let agent = sent[0].2.get("user-agent").unwrap().to_str().unwrap();
    // The service shows some fields to clients with this prefix only.
    assert!(agent.starts_with("W&B Public Client "), "{agent}");
    assert!(agent.contains("wandb-api-rust"), "{agent}");
}

#[tokio::test]
async fn final_failures_and_writes_are_not_repeated() {
    let (client, transport, _) = client(vec![status(401)]);
    let error = client.execute::<serde_json::Value>(&query()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(transport.sent.lock().unwrap().len(), 1);

    let write = Operation::mutation(
        "mutation M { x }",
        None,
        &serde_json::json!({}),
        Repeat::OnlyIfRefused,
        "write x",
    )
    .unwrap();
    let (client, transport, _) = self::client(vec![status(503)]);
    assert!(client.execute::<serde_json::Value>(&write).await.is_err());
    assert_eq!(transport.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_429_pauses_every_task_of_the_client() {
    let refused = Ok((429, vec![("retry-after", "9".to_owned())], String::new()));
    let (client, _, runtime) = client(vec![refused, ok(r#"{"data":{"x":1}}"#)]);
    client.execute::<serde_json::Value>(&query()).await.unwrap();
    assert!(runtime.now() >= Duration::from_secs(9));
    // An empty window is obeyed before the next request is sent.
    let empty = vec![
        ("ratelimit-remaining", "0".to_owned()),
        ("ratelimit-reset", "5".to_owned()),
    ];
    let (client, _, runtime) = self::client(vec![
        Ok((200, empty, r#"{"data":{}}"#.to_owned())),
        ok(r#"{"data":{}}"#),
    ]);
    client.execute::<serde_json::Value>(&query()).await.unwrap();
    assert_eq!(runtime.now(), Duration::ZERO);
    client.execute::<serde_json::Value>(&query()).await.unwrap();
    assert_eq!(runtime.now(), Duration::from_secs(5));
}

#[tokio::test]
async fn the_budget_of_time_ends_a_call_with_the_real_reason() {
    let wait = || {
        Ok((
            429,
            vec![("retry-after", "300".to_owned())],
            r#"{"error":"slow down"}"#.to_owned(),
        ))
    };
    let (client, _, _) = client(vec![wait()]);
    let error = client.execute::<serde_json::Value>(&query()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(300)));
    assert_eq!(error.server_message(), Some("slow down"));
}

#[tokio::test]
async fn a_call_ends_at_its_timeout() {
    #[derive(Debug)]
    struct Silent;
    #[async_trait]
    impl Transport for Silent {
        async fn send(&self, _: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
            std::future::pending().await
        }
    }
    let base_url = BaseUrl::parse("https://wandb.example").unwrap();
    let client = Client::builder(base_url, Arc::new(Silent), Arc::new(StillRuntime::default()))
        .retry(RetryPolicy::never())
        .build()
        .with_timeout(Some(Duration::from_secs(3)));
    let error = client.execute::<serde_json::Value>(&query()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn the_credential_stays_on_the_base_url() {
    let redirect = |to: &str| Ok((302, vec![("location", to.to_owned())], String::new()));
    let (client, transport, _) = client(vec![
        redirect("/api/files/two"),
        redirect("https://storage.example/signed?X-Amz-Signature=abc"),
        redirect("https://wandb.example/outside"),
        ok("bytes"),
    ]);
    let fetched = client
        .fetch(&Fetch::get(SafeUrl::new("/files/one"), "fetch a file"))
        .await
        .unwrap();
    assert_eq!(fetched.body.collect(10).await.unwrap(), "bytes");
    let sent = transport.sent.lock().unwrap();
    let seen: Vec<(&str, bool)> = sent
        .iter()
        .map(|(uri, key, _)| (uri.as_str(), key.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            ("https://wandb.example/api/files/one", true),
            ("https://wandb.example/api/files/two", true),
            ("https://storage.example/signed?X-Amz-Signature=abc", false),
            ("https://wandb.example/outside", false),
        ]
    );
}

#[tokio::test]
async fn a_signed_url_gets_no_credential_even_below_the_base_url() {
    let (client, transport, _) = client(vec![
        Ok((302, vec![("location", "/files/two".to_owned())], String::new())),
        ok("bytes"),
    ]);
    let fetch = Fetch::get(SafeUrl::new("/files/one"), "fetch a file").without_credential();
    client.fetch(&fetch).await.unwrap();
    let sent = transport.sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|(_, key, _)| key.is_none()));
}

#[tokio::test]
async fn bytes_are_put_without_a_credential_again_on_failure_and_never_elsewhere() {
    let (client, transport, _) = client(vec![Ok((503, vec![], String::new())), ok("")]);
    let put = Put::new(SafeUrl::new("/storage/x?sig=1"), "upload a file");
    let bodies = Mutex::new(0);
    let body = || {
        *bodies.lock().unwrap() += 1;
        Body::from("bytes")
    };
    client.put(&put, body).await.unwrap();
    assert_eq!(*bodies.lock().unwrap(), 2, "one body for each attempt");
    assert!(
        transport
            .sent
            .lock()
            .unwrap()
            .iter()
            .all(|(_, key, _)| key.is_none())
    );

    let elsewhere = vec![("location", "https://other.example/x".to_owned())];
    let (client, transport, _) = self::client(vec![Ok((307, elsewhere, String::new()))]);
    let error = client.put(&put, || Body::from("bytes")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(transport.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn redirects_are_bounded_and_never_leave_http() {
    let redirect = |to: &str| Ok((307, vec![("location", to.to_owned())], String::new()));
    let (client, transport, _) = client(vec![redirect("https://a.example/"); 11]);
    let error = client
        .fetch(&Fetch::get(SafeUrl::new("https://a.example/"), "fetch"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(transport.sent.lock().unwrap().len(), 11);
    for target in ["file:///etc/passwd", "http://[", ""] {
        let (client, _, _) = self::client(vec![redirect(target), status(404)]);
        assert!(
            client
                .fetch(&Fetch::get(SafeUrl::new("https://a.example/"), "fetch"))
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn debug_and_errors_hold_no_secret() {
    let (client, _, _) = client(vec![status(403)]);
    let url = SafeUrl::new("https://storage.example/x?X-Amz-Signature=abcdef123");
    let fetch = Fetch::get(url, "fetch x");
    let error = client.fetch(&fetch).await.unwrap_err();
    for text in [
        format!("{client:?}"),
        format!("{fetch:?}"),
        format!("{error:?} {error}"),
    ] {
        assert!(
            !text.contains("c2VjcmV0") && !text.contains("abcdef123"),
            "{text}"
        );
    }
}

/// The key has the shape of a digest, so only its owner knows it. It is masked whoever says it, and in each form in which it
/// is sent.
#[tokio::test]
async fn what_a_server_repeats_of_the_credential_is_masked() {
    const KEY: &str = "e5152c63e5152c63e5152c63e5152c63e5152c63";
    const TOKEN: &str = "a-token-of-the-proxy";
    let authorization = crate::secret::ApiKey::parse(KEY).unwrap().basic_authorization();
    let sent = authorization.to_str().unwrap().to_owned();
    let said = format!("user api:{KEY} ({sent}) with {TOKEN} is unknown");
    let entries = format!(r#"{{"data":{{"x":"{KEY}"}},"errors":[{{"message":"{said}"}}]}}"#);
    for (status, body) in [
        (200, &entries),
        (400, &entries),
        (401, &entries),
        (403, &entries),
        (500, &said),
    ] {
        let transport = Arc::new(Replies {
            replies: Mutex::new(vec![Ok((status, Vec::new(), body.clone())); 12]),
            ..Replies::default()
        });
        let base_url = BaseUrl::parse("https://wandb.example").unwrap();
        let client = Client::builder(base_url, transport, Arc::new(StillRuntime::default()))
            .authorization(authorization.clone())
            .extra_headers(
                [("x-proxy-token".parse().unwrap(), TOKEN.parse().unwrap())]
                    .into_iter()
                    .collect(),
            )
            .build();
        let fetch = Fetch::get(SafeUrl::new("https://wandb.example/f"), "fetch f");
        let executed = client.execute::<serde_json::Value>(&query()).await.unwrap_err();
        // Of bytes, a 200 is no error, whatever they say.
        let fetched = client.fetch(&fetch).await.err();
        for error in [executed].into_iter().chain(fetched) {
            let shown = format!(
                "{error} {error:?} {:?} {:?}",
                error.server_message(),
                error.partial_data()
            );
            let encoded = sent.split_once(' ').unwrap().1;
            assert!(
                [KEY, encoded, TOKEN].iter().all(|secret| !shown.contains(secret)),
                "{status}: {shown}"
            );
        }
    }
}
