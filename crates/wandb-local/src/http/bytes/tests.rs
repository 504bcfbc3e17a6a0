//! The routes, called without a socket.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::to_bytes;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use super::*;

/// Objects that may be uploaded, and what they hold.
struct Memory {
    _folder: tempfile::TempDir,
    signer: UrlSigner,
    blobs: BlobStore,
    now: AtomicI64,
    objects: Mutex<HashMap<String, Option<Md5Digest>>>,
}

#[async_trait]
impl ByteStore for Memory {
    fn signer(&self) -> &UrlSigner {
        &self.signer
    }

    fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    async fn expected(&self, object: &str) -> Result<Option<Expected>, ByteStoreError> {
        let known = self.objects.lock().unwrap().contains_key(object);
        Ok(known.then(Expected::default))
    }

    async fn uploaded(&self, object: &str, stored: &Stored) -> Result<bool, ByteStoreError> {
        let mut objects = self.objects.lock().unwrap();
        Ok(objects
            .get_mut(object)
            .map(|digest| *digest = Some(stored.digest))
            .is_some())
    }

    async fn find(&self, object: &str) -> Result<Option<Found>, ByteStoreError> {
        let digest = self.objects.lock().unwrap().get(object).copied().flatten();
        Ok(digest.map(|digest| Found {
            digest,
            content_type: "text/plain".to_owned(),
        }))
    }
}

fn memory() -> Arc<Memory> {
    let folder = tempfile::tempdir().unwrap();
    Arc::new(Memory {
        signer: UrlSigner::new(&[1; 32]).with_validity(Duration::from_secs(60)),
        blobs: BlobStore::open(folder.path()).unwrap(),
        _folder: folder,
        now: AtomicI64::new(0),
        objects: Mutex::new(HashMap::from([("a".to_owned(), None)])),
    })
}

async fn call(
    store: &Arc<Memory>,
    request: http::request::Builder,
    body: Body,
) -> (StatusCode, HeaderMap, Bytes) {
    let response = routes(Arc::clone(store))
        .call(request.body(body).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    (
        parts.status,
        parts.headers,
        to_bytes(body, usize::MAX).await.unwrap(),
    )
}

fn up(store: &Memory, object: &str) -> http::request::Builder {
    Request::builder().method("PUT").uri(format!(
        "/up/{}",
        store.signer.sign(Action::Upload, object, store.now())
    ))
}

fn down(store: &Memory, method: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!(
        "/dl/{}",
        store.signer.sign(Action::Download, "a", store.now())
    ))
}

const HELLO_TAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";
const HELLO_MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";

async fn with_hello() -> Arc<Memory> {
    let store = memory();
    let (status, headers, body) = call(
        &store,
        up(&store, "a").header("Content-MD5", HELLO_MD5),
        "hello".into(),
    )
    .await;
    assert_eq!(
        (status, &headers[header::ETAG], &body[..]),
        (StatusCode::OK, &HELLO_TAG.parse().unwrap(), &b""[..])
    );
    store
}

#[tokio::test]
async fn bytes_go_up_and_come_down() {
    let store = with_hello().await;
    let (status, headers, body) = call(&store, down(&store, "GET"), Body::empty()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"hello"[..]));
    for (name, value) in [
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("accept-ranges", "bytes"),
        ("etag", HELLO_TAG),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(headers[name], value);
    }
    let (status, headers, body) = call(
        &store,
        down(&store, "HEAD").header("range", "bytes=0-0"),
        Body::empty(),
    )
    .await;
    assert_eq!(
        (status, &headers["content-length"], body.len()),
        (StatusCode::OK, &"5".parse().unwrap(), 0)
    );
}

#[tokio::test]
async fn empty_files_are_files() {
    let store = memory();
    let request = up(&store, "a").header("content-length", "0");
    assert_eq!(call(&store, request, Body::empty()).await.0, StatusCode::OK);
    let (status, headers, body) = call(&store, down(&store, "GET"), Body::empty()).await;
    assert_eq!(
        (status, body.len(), &headers["content-length"]),
        (StatusCode::OK, 0, &"0".parse().unwrap())
    );
    let (status, headers, _) = call(
        &store,
        down(&store, "GET").header("range", "bytes=0-"),
        Body::empty(),
    )
    .await;
    assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(headers["content-range"], "bytes */0");
}

#[tokio::test]
async fn ranges_and_conditions() {
    let store = with_hello().await;
    let get = |name: &'static str, value: &'static str| {
        let (store, request) = (
            Arc::clone(&store),
            down(&store, "GET")
                .header("range", "bytes=1-3")
                .header(name, value),
        );
        async move { call(&store, request, Body::empty()).await }
    };
    let (status, headers, body) = get("x-none", "1").await;
    assert_eq!((status, &body[..]), (StatusCode::PARTIAL_CONTENT, &b"ell"[..]));
    assert_eq!(
        (&headers["content-range"], &headers["content-length"]),
        (&"bytes 1-3/5".parse().unwrap(), &"3".parse().unwrap())
    );
    assert_eq!(get("if-range", HELLO_TAG).await.0, StatusCode::PARTIAL_CONTENT);
    let (status, _, body) = get("if-range", "\"another\"").await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"hello"[..]));
    assert_eq!(
        get("if-range", "Wed, 21 Oct 2015 07:28:00 GMT").await.0,
        StatusCode::OK
    );
    for tags in [HELLO_TAG, "\"x\", W/\"5d41402abc4b2a76b9719d911017c592\"", "*"] {
        let (status, headers, body) = get("if-none-match", tags).await;
        assert_eq!(
            (status, body.len(), &headers["etag"]),
            (StatusCode::NOT_MODIFIED, 0, &HELLO_TAG.parse().unwrap())
        );
    }
    assert_eq!(get("if-none-match", "\"x\"").await.0, StatusCode::PARTIAL_CONTENT);
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_change_nothing() {
    let store = with_hello().await;
    let other = "1B2M2Y8AsgTpgAmY7PhCfg==";
    for (name, value, body) in [
        ("Content-MD5", other, Body::from("hello")),
        ("Content-MD5", "no base64", Body::from("hello")),
        ("Content-MD5", "AAAA", Body::from("hello")),
        ("Content-Length", "6", Body::from("hello")),
        (
            "X-None",
            "1",
            Body::from_stream(stream::iter([
                Ok(Bytes::from("he")),
                Err(std::io::Error::other("reset")),
            ])),
        ),
    ] {
        let (status, _, answer) = call(&store, up(&store, "a").header(name, value), body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}");
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert_eq!(
        &call(&store, down(&store, "GET"), Body::empty()).await.2[..],
        b"hello"
    );
    assert_eq!(store.blobs.iter().unwrap().count(), 1);
}

#[tokio::test]
async fn tokens_are_for_one_thing_and_expire() {
    let store = with_hello().await;
    let refused = |request: http::request::Builder| {
        let store = Arc::clone(&store);
        async move {
            let (status, _, body) = call(&store, request, "x".into()).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()["error"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    let upload = store.signer.sign(Action::Upload, "a", 0);
    assert_eq!(
        refused(Request::get(format!("/dl/{upload}"))).await,
        "the URL is not valid"
    );
    assert_eq!(refused(Request::put("/up/forged")).await, "the URL is not valid");
    let (put, get) = (up(&store, "a"), down(&store, "GET"));
    store.now.store(61_000_000, Ordering::Relaxed);
    assert_eq!(refused(put).await, "the URL has expired");
    assert_eq!(refused(get).await, "the URL has expired");
}

#[tokio::test]
async fn objects_that_are_gone_are_not_found() {
    let store = memory();
    assert_eq!(
        call(&store, up(&store, "deleted"), "x".into()).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        call(&store, down(&store, "GET"), Body::empty()).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn long_bodies_arrive_in_blocks() {
    let store = memory();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
    assert_eq!(
        call(&store, up(&store, "a"), bytes.clone().into()).await.0,
        StatusCode::OK
    );
    let request = down(&store, "GET").body(Body::empty()).unwrap();
    let mut body = routes(store).call(request).await.unwrap().into_body();
    let mut received = Vec::new();
    while let Some(frame) = body.frame().await {
        let block = frame.unwrap().into_data().unwrap();
        assert!(block.len() <= 1 << 20);
        received.extend_from_slice(&block);
    }
    assert!(received == bytes);
}
