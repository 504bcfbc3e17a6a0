//! Downloads from a server that fails: every result is the right bytes or a typed error.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use tempfile::TempDir;
use wandb_api::retry::Runtime;
use wandb_api::transport::{Body, Transport, TransportError};
use wandb_api::{ErrorKind, File, FileDownloadOptions};
use wandb_local::{FaultEffect, FaultRule};
use wandb_tests::{Counting, FakeRuntime, NewRun, TestServer};

use crate::downloads::{bytes, tree};

async fn stored(server: &TestServer, name: &str, content: &[u8]) -> (File, Counting) {
    let writer = server.log("p", NewRun::named("r")).await;
    writer.upload(name, content.to_vec()).await;
    let (api, counting) = server.counted();
    let file = api.run("p/r").await.unwrap().file(name).await.unwrap();
    counting.reset();
    (file, counting)
}

fn on_bytes(effect: FaultEffect) -> FaultRule {
    FaultRule::new(effect).path("/dl/")
}

#[tokio::test]
async fn bodies_that_are_cut_are_gone_on_with_by_range() {
    let server = TestServer::open();
    let content = bytes(100_000);
    let (file, counting) = stored(&server, "f", &content).await;
    server
        .faults()
        .add(on_bytes(FaultEffect::Cut { after: 30_000 }).limit(3));
    let dir = TempDir::new().unwrap();
    let done = file
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap();
    assert_eq!(tree(dir.path()), [(PathBuf::from("f"), content)]);
    assert_eq!(server.faults().struck(), 3);
    let ranges: Vec<Option<String>> = counting.seen().into_iter().map(|seen| seen.range).collect();
    let expected = [
        None,
        Some("bytes=30000-"),
        Some("bytes=60000-"),
        Some("bytes=90000-"),
    ];
    assert_eq!(ranges, expected.map(|range| range.map(str::to_owned)));
    assert_eq!(done.transferred, 100_000, "no byte came twice");
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_given_up() {
    let server = TestServer::open();
    let (file, counting) = stored(&server, "f", &bytes(50_000)).await;
    server.faults().add(on_bytes(FaultEffect::Reset));
    let dir = TempDir::new().unwrap();
    let error = file
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server, "{error:?}");
    assert!(tree(dir.path()).is_empty());
    assert!(
        (2..60).contains(&counting.seen().len()),
        "{} requests",
        counting.seen().len()
    );

    server.faults().clear();
    server.faults().add(on_bytes(FaultEffect::Cut { after: 0 }));
    counting.reset();
    let error = file
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server, "{error:?}");
    assert!(tree(dir.path()).is_empty());
    assert!(
        (2..60).contains(&counting.seen().len()),
        "{} requests",
        counting.seen().len()
    );
}

#[tokio::test]
async fn passing_failures_are_repeated() {
    let server = TestServer::open();
    let content = bytes(10_000);
    let (file, _) = stored(&server, "f", &content).await;
    for rule in [
        "503,limit=2",
        "429,retry-after=3,limit=2",
        "500,nth=1",
        "reset,limit=2",
        "lost,limit=2",
        "slow=2000000",
    ] {
        server.faults().clear();
        server.faults().add(format!("{rule},path=/dl/").parse().unwrap());
        let dir = TempDir::new().unwrap();
        let done = file.download(&FileDownloadOptions::below(dir.path())).await;
        assert!(done.is_ok(), "{rule}: {done:?}");
        assert!(server.faults().struck() > 0, "{rule}");
        assert_eq!(
            tree(dir.path()),
            [(PathBuf::from("f"), content.clone())],
            "{rule}"
        );
    }
}

#[tokio::test]
async fn wrong_bytes_never_get_the_final_name() {
    let server = TestServer::open();
    let (file, _) = stored(&server, "f", &bytes(10_000)).await;
    for rule in ["flip=0", "flip=9999", "flip=5000", "html"] {
        server.faults().clear();
        server.faults().add(format!("{rule},path=/dl/").parse().unwrap());
        let dir = TempDir::new().unwrap();
        for options in [
            FileDownloadOptions::below(dir.path()),
            FileDownloadOptions::below(dir.path()).replace(),
            FileDownloadOptions::below(dir.path()).keep_verified(),
        ] {
            let error = file.download(&options).await.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Protocol),
                "{rule}: {error:?}"
            );
            assert!(tree(dir.path()).is_empty(), "{rule}: {:?}", tree(dir.path()));
        }
    }
    // What was there before stays.
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("f"), b"old").unwrap();
    let error = file
        .download(&FileDownloadOptions::below(dir.path()).replace())
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Protocol));
    assert_eq!(tree(dir.path()), [(PathBuf::from("f"), b"old".to_vec())]);
}

#[tokio::test]
async fn refusals_that_do_not_pass_are_told_at_once() {
    let server = TestServer::open();
    let (file, counting) = stored(&server, "f", &bytes(100)).await;
    for (status, kind) in [
        (400, ErrorKind::Server),
        (403, ErrorKind::NotVisible),
        (404, ErrorKind::NotFound),
    ] {
        server.faults().clear();
        server.faults().add(on_bytes(FaultEffect::status(status)));
        counting.reset();
        let dir = TempDir::new().unwrap();
        let error = file
            .download(&FileDownloadOptions::below(dir.path()))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        // The address may have expired, so it is asked for again, four times at most.
        assert!(counting.count("GET") <= 5, "{status}: {:?}", counting.seen());
        assert!(tree(dir.path()).is_empty());
    }
}

#[tokio::test]
async fn an_address_that_expired_is_asked_for_again() {
    let server = TestServer::open();
    let content = bytes(10_000);
    let (file, counting) = stored(&server, "f", &content).await;
    server.faults().add(on_bytes(FaultEffect::ExpiredUrl).nth(1));
    let dir = TempDir::new().unwrap();
    file.download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap();
    assert_eq!(tree(dir.path()), [(PathBuf::from("f"), content.clone())]);
    assert_eq!((counting.count("GET"), counting.count("RunFiles")), (2, 1));

    // And in the middle: cut, expired, renewed, gone on with.
    server.faults().clear();
    server
        .faults()
        .add(on_bytes(FaultEffect::Cut { after: 4_000 }).nth(1));
    server.faults().add(on_bytes(FaultEffect::ExpiredUrl).nth(2));
    counting.reset();
    let dir = TempDir::new().unwrap();
    let done = file
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap();
    assert_eq!(tree(dir.path()), [(PathBuf::from("f"), content)]);
    assert_eq!(done.transferred, 10_000);
    assert_eq!((counting.count("GET"), counting.count("RunFiles")), (3, 1));
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_never_mixed() {
    let server = TestServer::open();
    let old = bytes(10_000);
    let writer = server.log("p", NewRun::named("r")).await;
    writer.upload("f", old.clone()).await;
    let file = server.api().run("p/r").await.unwrap().file("f").await.unwrap();
    let mut new = old;
    new[9_000] ^= 1;
    writer.upload("f", new.clone()).await;
    let dir = TempDir::new().unwrap();
    let error = file
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Conflict),
        "{error:?}"
    );
    assert!(tree(dir.path()).is_empty());
    let fresh = server.api().run("p/r").await.unwrap().file("f").await.unwrap();
    fresh
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap();
    assert_eq!(tree(dir.path()), [(PathBuf::from("f"), new)]);
}

/// 200 downloads with every kind of fault at once.
#[tokio::test]
async fn a_campaign_of_faults() {
    let server = TestServer::open();
    let contents: Vec<(String, Vec<u8>)> = [0, 1, 999, 4_096, 70_000]
        .iter()
        .map(|size| (format!("dir/file-{size}"), bytes(*size)))
        .collect();
    let writer = server.log("p", NewRun::named("r")).await;
    for (name, content) in &contents {
        writer.upload(name, content.clone()).await;
    }
    let run = server.api().run("p/r").await.unwrap();
    for rule in [
        "cut=500,chance=0.15",
        "cut=3000,chance=0.1",
        "503,chance=0.1",
        "429,retry-after=1,chance=0.05",
        "reset,chance=0.1",
        "lost,chance=0.05",
        "flip=700,chance=0.1",
        "html,chance=0.05",
        "expired,chance=0.05",
        "404,chance=0.02",
    ] {
        server.faults().add(format!("{rule},path=/dl/").parse().unwrap());
    }
    let (mut right, mut told) = (0, std::collections::BTreeMap::<&str, u32>::new());
    let dir = TempDir::new().unwrap();
    for number in 0..200 {
        let (name, content) = &contents[number % contents.len()];
        let file = run.file(name).await.unwrap();
        let root = dir.path().join(number.to_string());
        match file.download(&FileDownloadOptions::below(&root)).await {
            Ok(done) => {
                right += 1;
                assert_eq!(done.size, content.len() as u64);
                assert!(
                    tree(&root) == [(PathBuf::from(name), content.clone())],
                    "download {number} is wrong"
                );
            }
            Err(error) => {
                *told.entry(error.kind().as_str()).or_default() += 1;
                assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::Integrity
                            | ErrorKind::Server
                            | ErrorKind::RateLimited
                            | ErrorKind::NotFound
                            | ErrorKind::NotVisible
                            | ErrorKind::Protocol
                            | ErrorKind::Timeout
                    ),
                    "{error:?}"
                );
                assert!(
                    !root.exists() || tree(&root).is_empty(),
                    "download {number} left {:?}",
                    tree(&root)
                );
            }
        }
    }
    assert!(server.faults().struck() > 80, "{}", server.faults().struck());
    for count in server.faults().counts() {
        assert!(count.struck > 0, "{} never struck", count.rule);
    }
    assert!(right > 100, "{right} right, told: {told:?}");
    assert!(!told.is_empty());
}

/// A file over a transport, and the clock of its client.
async fn timed(server: &TestServer, transport: Arc<dyn Transport>, clock: Arc<FakeRuntime>) -> File {
    let api = server.builder(transport).runtime(clock).build();
    api.run_reference("p/r").await.unwrap().file("f").await.unwrap()
}

#[tokio::test]
async fn a_pause_comes_before_each_new_connection() {
    let server = TestServer::open();
    let content = bytes(100_000);
    stored(&server, "f", &content).await;
    let clock = Arc::new(FakeRuntime::default());
    let file = timed(&server, server.transport(), Arc::clone(&clock)).await;
    let cut = |after| on_bytes(FaultEffect::Cut { after });
    // Three connections that bring something, and three that do not.
    server.faults().add(cut(20_000).limit(3));
    server.faults().add(cut(0).limit(3));
    let dir = TempDir::new().unwrap();
    file.download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap();
    assert_eq!(tree(dir.path()), [(PathBuf::from("f"), content)]);
    assert_eq!(server.faults().struck(), 6);
    let pauses: Vec<u128> = clock.slept().iter().map(Duration::as_millis).collect();
    assert_eq!(pauses, [250, 250, 250, 500, 1_000, 2_000]);
}

/// Answers a download in pieces, before each of which some seconds pass on the clock.
#[derive(Debug)]
struct Trickle {
    inner: Arc<dyn Transport>,
    clock: Arc<FakeRuntime>,
    piece: usize,
    seconds: u64,
}

#[async_trait]
impl Transport for Trickle {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        let is_download = request.method() == http::Method::GET;
        let (head, body) = self.inner.send(request).await?.into_parts();
        if !is_download {
            return Ok(http::Response::from_parts(head, body));
        }
        let whole = body.collect(1 << 20).await?;
        let size = Some(whole.len() as u64);
        let (piece, pause) = (self.piece, Duration::from_secs(self.seconds));
        let pieces = stream::unfold(
            (whole, Arc::clone(&self.clock)),
            move |(mut rest, clock)| async move {
                if rest.is_empty() {
                    return None;
                }
                clock.sleep(pause).await;
                let next = rest.split_to(piece.min(rest.len()));
                Some((Ok::<_, TransportError>(next), (rest, clock)))
            },
        );
        Ok(http::Response::from_parts(head, Body::from_stream(pieces, size)))
    }
}

#[tokio::test]
async fn a_trickle_is_ended_and_a_slow_line_is_not() {
    let server = TestServer::open();
    let content = bytes(200_000);
    stored(&server, "f", &content).await;
    // Pieces of 4,000 bytes every 3 seconds are 1.3 KiB a second; every 5 seconds, 0.8.
    for (seconds, is_enough) in [(3, true), (5, false)] {
        let clock = Arc::new(FakeRuntime::default());
        let trickle = Trickle {
            inner: server.transport(),
            clock: Arc::clone(&clock),
            piece: 4_000,
            seconds,
        };
        let file = timed(&server, Arc::new(trickle), Arc::clone(&clock)).await;
        let dir = TempDir::new().unwrap();
        let done = file.download(&FileDownloadOptions::below(dir.path())).await;
        if is_enough {
            assert_eq!(done.unwrap().transferred, 200_000);
            assert!(clock.now() > Duration::from_secs(120), "{:?}", clock.now());
        } else {
            assert_eq!(done.unwrap_err().kind(), ErrorKind::Timeout);
            assert_eq!(clock.now(), Duration::from_secs(60));
            assert!(tree(dir.path()).is_empty());
        }
    }
}
