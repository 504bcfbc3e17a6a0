//! Recording and replaying over scripts.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use http::{Request, Response};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use wandb_transport::{
    Body, ScriptedResponse, ScriptedTransport, Transport, TransportError, TransportErrorKind,
};

use crate::{RecordError, RecordingTransport, ReplayTransport};

const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

type Recording = RecordingTransport<ScriptedTransport>;

fn authorization(key: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("api:{key}"));
    format!("Basic {pair}")
}

fn request(method: &str, uri: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header("authorization", authorization(KEY))
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

fn query(name: &str, variables: &Json) -> Request<Body> {
    let body =
        json!({"query": format!("query {name} {{ x }}"), "operationName": name, "variables": variables});
    request("POST", "https://api.example/graphql", body.to_string())
}

async fn text(answer: Response<Body>) -> String {
    let bytes = answer.into_body().collect(1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn start(script: ScriptedTransport, dir: &TempDir) -> Recording {
    RecordingTransport::new(script, dir.path().join("session")).unwrap()
}

fn open(dir: &TempDir) -> ReplayTransport {
    ReplayTransport::open(dir.path().join("session")).unwrap()
}

/// Every byte below a folder, in one piece.
fn everything(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        all.extend_from_slice(entry.file_name().as_encoded_bytes());
        all.extend(fs::read(entry.path()).unwrap());
    }
    all
}

fn holds(all: &[u8], secret: &str) -> bool {
    all.windows(secret.len())
        .any(|window| window == secret.as_bytes())
}

/// A listing, a signed download with a redirect, an upload, a failure.
async fn session(transport: &dyn Transport) -> Vec<String> {
    let mut told = Vec::new();
    let files = text(
        transport
            .send(query("Files", &json!({"run": "r", "n": 2})))
            .await
            .unwrap(),
    )
    .await;
    let url = serde_json::from_str::<Json>(&files).unwrap()["data"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = transport.send(request("GET", &url, Body::empty())).await.unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    drop(answer);
    told.push(
        text(
            transport
                .send(request("GET", &location, Body::empty()))
                .await
                .unwrap(),
        )
        .await,
    );
    let pieces = stream::iter(["up", "load"].map(|piece| Ok(Bytes::from(piece))));
    let upload = request(
        "PUT",
        "https://api.example/up",
        Body::from_stream(pieces, Some(6)),
    );
    told.push(transport.send(upload).await.unwrap().status().to_string());
    let error = transport.send(query("Gone", &json!({}))).await.unwrap_err();
    told.push(format!("{} {error}", error.kind()));
    told
}

fn script(signature: &str, file: &'static [u8]) -> ScriptedTransport {
    let script = ScriptedTransport::ordered();
    let url = format!("https://api.example/files/f?X-Amz-Signature={signature}");
    let data = json!({"data": {"url": url, "nested": json!({"token": signature}).to_string()}});
    script
        .graphql("Files")
        .respond(ScriptedResponse::new(200).header("etag", "\"e\"").json(data));
    let to = format!("https://storage.example/f?sig={signature}x");
    script
        .get(&url)
        .respond(ScriptedResponse::new(302).header("location", &to));
    script.get(&to).respond(ScriptedResponse::new(200).bytes(file));
    script.put("/up").respond_status(201);
    script.graphql("Gone").fail(TransportErrorKind::Connect);
    script
}

#[tokio::test]
async fn a_session_is_replayed_as_it_was() {
    let dir = TempDir::new().unwrap();
    let recording = start(script("c2lnbmF0dXJl", b"the file"), &dir);
    let recorded = session(&recording).await;
    assert_eq!(recorded[0], "the file");
    let summary = recording.finish().unwrap();
    assert_eq!((summary.exchanges, summary.abandoned), (5, 0));
    assert_eq!(recording.finish().unwrap(), summary);
    let late = recording.send(query("Late", &json!({}))).await.unwrap_err();
    assert_eq!(late.kind(), TransportErrorKind::InvalidRequest);

    let all = everything(&dir.path().join("session"));
    for secret in ["c2lnbmF0dXJl", KEY, &authorization(KEY)[6..]] {
        assert!(!holds(&all, secret), "{}", String::from_utf8_lossy(&all));
    }
    let replay = open(&dir);
    assert!(replay.is_finished_recording());
    assert_eq!(replay.origin(), Some("https://api.example"));
    assert_eq!(replay.exchanges(), 5);
    assert_eq!(session(&replay).await, recorded);
    replay.finish();
}

#[tokio::test]
async fn the_folder_can_be_read() {
    let dir = TempDir::new().unwrap();
    let rest = script("c2lnbmF0dXJl", b"the file");
    let recording = start(rest.clone(), &dir);
    let _ = recording
        .send(query("Files", &json!({"run": "r"})))
        .await
        .unwrap()
        .into_body()
        .collect(999)
        .await;
    let folder = dir.path().join("session");
    let read = |name: &str| serde_json::from_slice::<Json>(&fs::read(folder.join(name)).unwrap()).unwrap();
    assert_eq!(read("recording.json")["finished"], false);
    let exchange = read("000001.json");
    assert_eq!(exchange["request"]["operation"], "Files");
    assert_eq!(exchange["request"]["body"]["json"]["variables"]["run"], "r");
    let answer = &exchange["outcome"]["answer"];
    assert_eq!(answer["status"], 200);
    assert_eq!(
        answer["body"]["json"]["data"]["url"],
        "https://api.example/files/f?X-Amz-Signature=REDACTED-1"
    );
    assert_eq!(
        answer["body"]["json"]["data"]["nested"],
        r#"{"token":"REDACTED-1"}"#
    );
    // The rest of the script is for other tests.
    let _ = rest.verify();
}

#[tokio::test]
async fn answers_of_the_same_request_come_in_order_and_once() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    for number in 1..=3 {
        script.graphql("State").respond_data(json!({ "number": number }));
    }
    let recording = start(script, &dir);
    for _ in 0..3 {
        text(
            recording
                .send(query("State", &json!({"a": 1, "b": 2})))
                .await
                .unwrap(),
        )
        .await;
    }
    recording.finish().unwrap();
    let replay = open(&dir);
    for number in 1..=3 {
        // Another order of members is the same request.
        let body =
            r#"{ "variables": {"b":2,"a":1}, "operationName": "State", "query": "query State { x }" }"#;
        let answer = replay
            .send(request("POST", "https://api.example/graphql", body))
            .await
            .unwrap();
        assert_eq!(
            text(answer).await,
            json!({"data": {"number": number}}).to_string()
        );
    }
    let error = replay
        .send(query("State", &json!({"a": 1, "b": 2})))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
    assert!(error.message().ends_with("nothing more is expected"), "{error}");
    assert!(replay.verify().is_err());
}

#[tokio::test]
async fn a_request_that_was_not_recorded_is_told_in_what_it_differs() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    script.get("/first").respond_status(204);
    script.graphql("Runs").respond_data(json!({}));
    script.put("/up").respond_status(200);
    let recording = start(script, &dir);
    recording
        .send(request("GET", "https://h/first", ""))
        .await
        .unwrap();
    text(
        recording
            .send(query("Runs", &json!({"first": 50, "tags": ["a"]})))
            .await
            .unwrap(),
    )
    .await;
    recording
        .send(request("PUT", "https://h/up", "bytes"))
        .await
        .unwrap();
    recording.finish().unwrap();

    let replay = open(&dir);
    for (request, told) in [
        (
            query("Runs", &json!({"first": 100, "tags": ["a"]})),
            "next expected is number 1, GET https://h/first; nearest is number 2, POST https://api.example/graphql \
             (Runs); variables.first is 100, recorded was 50",
        ),
        (
            query("Runs", &json!({"first": 50, "tags": ["b"]})),
            "variables.tags.0 is \"b\", recorded was \"a\"",
        ),
        (
            query("Runs", &json!({"first": 50})),
            "variables.tags is missing, recorded was [\"a\"]",
        ),
        (
            request("GET", "https://h/other", ""),
            "the URL is https://h/other, recorded was https://h/first",
        ),
        (
            request("DELETE", "https://h/first", ""),
            "the method is DELETE, recorded was GET",
        ),
        (
            request("PUT", "https://h/up", "other"),
            "the body is 5 bytes with SHA-256",
        ),
    ] {
        let error = replay.send(request).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
        assert!(error.message().contains(told), "{error}");
    }
    let faults = replay.verify().unwrap_err();
    assert!(
        faults.contains("recorded, but not asked for: number 3, PUT https://h/up"),
        "{faults}"
    );
    assert_eq!(replay.unused().len(), 3);
}

#[tokio::test]
#[should_panic(expected = "recorded, but not asked for: number 1, GET https://h/a")]
async fn dropping_an_unfinished_replay_panics() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    script.get("/a").respond_status(204);
    let recording = start(script, &dir);
    recording.send(request("GET", "https://h/a", "")).await.unwrap();
    drop(open(&dir));
}

#[tokio::test]
async fn bodies_that_break_and_readers_that_stop_are_replayed() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    let half = || ScriptedResponse::new(200).chunks(["ab", "cd"]).announcing(9);
    script
        .get("/a")
        .respond(half().then_failing(TransportErrorKind::Timeout));
    script.get("/a").respond(half().then_stalling());
    script.get("/a").hang();
    let recording = start(script, &dir);
    let ask = || request("GET", "https://h/a", "");
    let error = recording
        .send(ask())
        .await
        .unwrap()
        .into_body()
        .collect(99)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    let mut body = recording.send(ask()).await.unwrap().into_body();
    assert_eq!(body.try_next().await.unwrap().unwrap(), "ab");
    drop(body);
    let mut call = Box::pin(recording.send(ask()));
    let pending =
        std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
    assert!(pending);
    drop(call);
    recording.finish().unwrap();

    let replay = open(&dir);
    let body = replay.send(ask()).await.unwrap().into_body();
    assert_eq!(body.size(), Some(9));
    assert_eq!(
        body.collect(99).await.unwrap_err().kind(),
        TransportErrorKind::Timeout
    );
    let mut body = replay.send(ask()).await.unwrap().into_body();
    assert_eq!(body.try_next().await.unwrap().unwrap(), "ab");
    assert_eq!(
        body.try_next().await.unwrap_err().kind(),
        TransportErrorKind::Interrupted
    );
    // What was given up need not be asked for.
    replay.finish();
}

#[tokio::test]
async fn large_files_go_beside_and_a_changed_byte_is_noticed() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    let bytes: Vec<u8> = (0..300_000_u32).map(|place| (place % 251) as u8).collect();
    script
        .get("/large")
        .times(2)
        .respond(ScriptedResponse::new(200).chunks(bytes.chunks(7_000).map(<[u8]>::to_vec)));
    let recording = start(script, &dir);
    let ask = || request("GET", "https://h/large", "");
    for _ in 0..2 {
        recording
            .send(ask())
            .await
            .unwrap()
            .into_body()
            .collect(1 << 20)
            .await
            .unwrap();
    }
    recording.finish().unwrap();
    let file = dir.path().join("session/000002.answer.bin");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let mut changed = bytes.clone();
    changed[200_000] ^= 1;
    fs::write(&file, changed).unwrap();
    let replay = open(&dir);
    let read = || async {
        replay
            .send(ask())
            .await
            .unwrap()
            .into_body()
            .collect(1 << 20)
            .await
    };
    assert_eq!(read().await.unwrap(), bytes);
    assert_eq!(read().await.unwrap_err().kind(), TransportErrorKind::Decode);
    replay.finish();
    fs::write(&file, "short").unwrap();
    let error = ReplayTransport::open(dir.path().join("session")).unwrap_err();
    assert!(matches!(error, RecordError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_file_with_the_key_in_it_is_not_kept() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    script
        .get("/log")
        .respond(ScriptedResponse::new(200).chunks(["key ", &KEY[..9], &KEY[9..], " end"]));
    script.put("/log").respond_status(200);
    script
        .get("/mine")
        .respond(ScriptedResponse::new(200).bytes("has my-own-secret in it"));
    let recording = start(script, &dir).with_secret("my-own-secret");
    assert!(
        text(recording.send(request("GET", "https://h/log", "")).await.unwrap())
            .await
            .contains(KEY)
    );
    recording
        .send(request("PUT", "https://h/log", format!("uploads {KEY}")))
        .await
        .unwrap();
    text(
        recording
            .send(request("GET", "https://h/mine", ""))
            .await
            .unwrap(),
    )
    .await;
    recording.finish().unwrap();
    let all = everything(&dir.path().join("session"));
    assert!(!holds(&all, KEY) && !holds(&all, "my-own-secret"));

    let replay = open(&dir);
    let error = replay
        .send(request("GET", "https://h/log", ""))
        .await
        .unwrap_err();
    assert!(error.message().contains("hold a credential"), "{error}");
    replay
        .send(request("PUT", "https://h/log", format!("uploads {KEY}")))
        .await
        .unwrap();
    assert!(replay.verify().is_err());
}

#[tokio::test]
async fn a_recording_that_was_killed_is_readable_up_to_then() {
    let dir = TempDir::new().unwrap();
    let script = ScriptedTransport::ordered();
    script.graphql("A").respond_data(json!({"a": 1}));
    script.graphql("B").respond_data(json!({"b": 1}));
    let recording = start(script, &dir);
    text(recording.send(query("A", &json!({}))).await.unwrap()).await;
    let unread = recording.send(query("B", &json!({}))).await.unwrap();
    // As kill -9 leaves it: the second answer was on its way, a file was being written.
    let folder = dir.path().join("session");
    fs::write(folder.join(".000002.json.abc.wb-part"), "{\"num").unwrap();
    let replay = open(&dir);
    assert!(!replay.is_finished_recording());
    assert_eq!(replay.exchanges(), 1);
    let error = replay.send(query("B", &json!({}))).await.unwrap_err();
    assert!(
        error.message().ends_with("(the recording was not finished)"),
        "{error}"
    );
    text(replay.send(query("A", &json!({}))).await.unwrap()).await;
    assert!(replay.verify().is_err());

    let summary = recording.finish().unwrap();
    assert_eq!((summary.exchanges, summary.abandoned), (2, 1));
    drop(unread);
    let replay = open(&dir);
    assert!(replay.is_finished_recording());
    text(replay.send(query("A", &json!({}))).await.unwrap()).await;
    replay.finish();
}

#[tokio::test]
async fn a_recording_that_misses_a_file_is_never_finished() {
    let dir = TempDir::new().unwrap();
    let recording = start(script("c2lnbmF0dXJl", b"the file"), &dir);
    let folder = dir.path().join("session");
    // Its place is taken, so that the second exchange cannot be written.
    fs::create_dir(folder.join("000002.json")).unwrap();
    session(&recording).await;
    assert!(matches!(recording.finish(), Err(RecordError::Write(_))));
    for _ in 0..2 {
        let again = recording.finish();
        assert!(matches!(again, Err(RecordError::Unfinished { .. })), "{again:?}");
    }
    let manifest = fs::read_to_string(folder.join("recording.json")).unwrap();
    let manifest: Json = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["finished"], json!(false));
}

#[tokio::test]
async fn a_folder_is_recorded_into_once() {
    let dir = TempDir::new().unwrap();
    let first = start(ScriptedTransport::ordered(), &dir);
    let again = RecordingTransport::new(ScriptedTransport::ordered(), dir.path().join("session"));
    assert!(matches!(again, Err(RecordError::Write(_))));
    first.finish().unwrap();
}

#[tokio::test]
async fn damaged_and_foreign_folders_are_refused() {
    let dir = TempDir::new().unwrap();
    let recording = start(script("c2lnbmF0dXJl", b"the file"), &dir);
    session(&recording).await;
    recording.finish().unwrap();
    let folder = dir.path().join("session");
    let manifest = folder.join("recording.json");
    let exchange = folder.join("000001.json");
    let good_manifest = fs::read_to_string(&manifest).unwrap();
    let good = fs::read_to_string(&exchange).unwrap();
    let fails = || ReplayTransport::open(&folder).expect_err("the folder is refused");

    for foreign in [
        "{}",
        "[]",
        r#"{"format": "har", "version": 1}"#,
        r#"{"format": 7}"#,
    ] {
        fs::write(&manifest, foreign).unwrap();
        assert!(matches!(fails(), RecordError::Foreign { .. }), "{foreign}");
    }
    fs::write(
        &manifest,
        r#"{"format": "wandb-recording", "version": 2, "more": []}"#,
    )
    .unwrap();
    assert!(matches!(fails(), RecordError::Version { found: 2, .. }));
    for damaged in ["", "{", "\u{0}", r#"{"format": "wandb-recording", "version": 1}"#] {
        fs::write(&manifest, damaged).unwrap();
        assert!(matches!(fails(), RecordError::Damaged { .. }), "{damaged}");
    }
    fs::write(&manifest, &good_manifest).unwrap();
    for (from, to) in [
        ("\"number\": 1", "\"number\": 2"),
        ("\"status\": 200", "\"status\": 7"),
        ("\"etag\"", "\"e tag\""),
        ("\"complete\"", "\"perhaps\""),
        ("\"method\"", "\"verb\""),
        ("{", "["),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&exchange, good.replacen(from, to, 1)).unwrap();
        assert!(matches!(fails(), RecordError::Damaged { .. }), "{from}");
    }
    fs::remove_file(&exchange).unwrap();
    assert!(fails().to_string().ends_with("is damaged: it is missing"));
    fs::write(&exchange, &good).unwrap();
    fs::write(folder.join("000009.json"), &good).unwrap();
    assert!(matches!(fails(), RecordError::Damaged { .. }));
    fs::remove_file(&manifest).unwrap();
    assert!(matches!(fails(), RecordError::Foreign { .. }));
    let none = ReplayTransport::open(dir.path().join("none")).unwrap_err();
    assert!(matches!(none, RecordError::Foreign { .. }));
    assert_eq!(
        wandb_core::Error::from(none).kind(),
        wandb_core::ErrorKind::InvalidInput
    );
}

/// A transport that puts secrets wherever a server could.
#[derive(Debug)]
struct Leaky {
    signature: String,
    token: String,
}

#[async_trait::async_trait]
impl Transport for Leaky {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let Self { signature, token } = self;
        let is_get = request.method() == http::Method::GET;
        let url = format!("https://s.example/dl/{token}/f?Policy={signature}&sig={signature}#{token}");
        let config = json!({"api_key": {"value": token}, "at": url}).to_string();
        let body = json!({
            "data": {"url": url, "apiKeys": {"edges": [{"node": {"id": signature, "name": token}}]}, "config": config},
            "errors": [{"message": format!("cannot read {url}: Authorization: Bearer {token}")}],
        });
        let (status, text) = match request.uri().path() {
            "/page" => (502, format!("<a href='{url}'>Bearer {token}</a>")),
            "/cut" => (200, body.to_string()[..body.to_string().len() - 9].to_owned()),
            _ => (200, body.to_string()),
        };
        let mut answer = Response::new(Body::from(if is_get && status == 200 {
            "file".to_owned()
        } else {
            text
        }));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let headers = answer.headers_mut();
        headers.insert("location", url.parse().unwrap());
        headers.insert("set-cookie", format!("s={token}").parse().unwrap());
        headers.insert("x-signed", signature.parse().unwrap());
        Ok(answer)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_secret_is_in_the_folder(
        key in "[a-z0-9]{40}", signature in "[A-Za-z0-9]{20,40}", token in "[A-Za-z0-9_]{24,50}", cookie in "[a-z]{20}",
    ) {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("session");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let leaky = Leaky { signature: signature.clone(), token: token.clone() };
            let recording = RecordingTransport::new(Arc::new(leaky), &folder).unwrap();
            let variables = json!({"token": token, "url": format!("https://x/?sig={signature}"), "note": key});
            let body = json!({"query": "mutation M { x }", "variables": variables}).to_string();
            let form = format!("grant_type=jwt&assertion={token}");
            for (method, url, kind, body) in [
                ("POST", "https://api.example/graphql".to_owned(), "application/json", body),
                ("POST", "https://api.example/cut".to_owned(), "application/json", String::new()),
                ("POST", "https://api.example/token".to_owned(), "application/x-www-form-urlencoded", form),
                ("GET", format!("https://u:{token}@s.example/f?X-Amz-Credential={signature}"), "a/b", String::new()),
                ("GET", "https://api.example/page".to_owned(), "a/b", String::new()),
                ("PUT", format!("https://api.example/up/{token}"), "a/b", format!("holds {key}")),
            ] {
                let request = Request::builder().method(method).uri(url)
                    .header("authorization", authorization(&key)).header("cookie", format!("c={cookie}"))
                    .header("content-type", kind).body(Body::from(body)).unwrap();
                let _ = recording.send(request).await.unwrap().into_body().collect(1 << 20).await.unwrap();
            }
            recording.finish().unwrap();
        });
        let all = everything(&folder);
        for secret in [&key, &signature, &token, &cookie, &authorization(&key)[6..].to_owned()] {
            prop_assert!(!holds(&all, secret), "{secret} in {}", String::from_utf8_lossy(&all));
        }
        let replay = ReplayTransport::open(&folder).unwrap();
        prop_assert_eq!(replay.exchanges(), 6);
        prop_assert!(replay.verify().is_err());
    }

    #[test]
    fn any_exchange_file_is_answered_without_panic(text in "\\PC{0,60}", cut in 0_usize..400) {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("session");
        let recording = RecordingTransport::new(ScriptedTransport::ordered(), &folder).unwrap();
        recording.finish().unwrap();
        let good = r#"{"number":1,"request":{"method":"GET","url":"u","headers":[],"body":"empty"},"outcome":{"answer":
            {"status":200,"headers":[["etag","x"]],"announced":3,"body":{"text":"abc"},"end":{"error":{"kind":"other","message":""}}}}}"#;
        let mut changed = good.to_owned();
        let mut at = cut.min(good.len());
        while !good.is_char_boundary(at) { at -= 1; }
        changed.insert_str(at, &text);
        fs::write(folder.join("000001.json"), changed).unwrap();
        let manifest = r#"{"format":"wandb-recording","version":1,"origin":null,"finished":false,"exchanges":0,"abandoned":[]}"#;
        fs::write(folder.join("recording.json"), manifest).unwrap();
        if let Ok(replay) = ReplayTransport::open(&folder) {
            let _ = replay.verify();
        }
    }
}
