//! A session of the client against the embedded server, recorded, and replayed without any server.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use serde_json::json;
use tempfile::TempDir;
use wandb_api::filter::ServerRules;
use wandb_api::record::{RecordingTransport, ReplayTransport};
use wandb_api::transport::Transport;
use wandb_api::{Api, ErrorKind, FileDownloadOptions, filter};
use wandb_tests::{FakeRuntime, KEY, NewRun, TestServer};

use crate::downloads::{bytes, tree};

/// What a user does: list, scan, download, and ask for what is not there. Returns all that there was to see.
async fn session(api: &Api, target: &Path) -> Vec<String> {
    let mut told = Vec::new();
    let runs = api.runs("p").filter(filter::config("lr").gt(0.01)).page_size(2);
    let runs: Vec<_> = runs.stream().try_collect().await.unwrap();
    told.extend(runs.iter().map(|run| {
        format!(
            "{} {:?} {:?}",
            run.path.join("/"),
            run.config().unwrap(),
            run.created_at
        )
    }));
    let run = api.run("p/r0").await.unwrap();
    let rows: Vec<_> = run
        .scan_history()
        .page_size(10)
        .rows()
        .try_collect()
        .await
        .unwrap();
    told.extend(rows.iter().map(|row| format!("{row:?}")));
    for name in ["model.bin", "notes.txt"] {
        let file = run.file(name).await.unwrap();
        let downloaded = file.download(&FileDownloadOptions::below(target)).await.unwrap();
        told.push(format!("{name} {} {:?}", downloaded.size, file.md5));
    }
    let error = api.run("p/none").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    told.push(error.to_string());
    told
}

/// Without an entity, so that the default one is asked for.
fn client(transport: Arc<dyn Transport>, url: &str, key: &str) -> Api {
    Api::builder(transport)
        .base_url(url)
        .and_then(|builder| builder.api_key(key))
        .unwrap()
        .server_rules(ServerRules::exact())
        .runtime(Arc::new(FakeRuntime::default()))
        .build()
}

async fn filled() -> TestServer {
    let server = TestServer::open();
    for number in 0..5 {
        let run = NewRun::named(&format!("r{number}")).config([("lr", json!(0.1))]);
        let mut writer = server.log("p", run).await;
        if number == 0 {
            let rows = (0..35).map(|step| json!({"_step": step, "loss": f64::from(step) / 3.0}).to_string());
            writer.history(rows).await;
            writer.upload("model.bin", bytes(100_000)).await;
            writer
                .upload("notes.txt", "ends with a signed https://x.example/?sig=abc")
                .await;
        }
        writer.finish(0).await;
    }
    server
}

#[tokio::test]
async fn a_session_is_recorded_and_replayed_without_a_server() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("recorded");
    let server = filled().await;
    let url = server.api().base_url().to_string();

    let recording = RecordingTransport::new(server.transport(), &folder).unwrap();
    let first = dir.path().join("first");
    let seen = session(&client(Arc::new(recording.clone()), &url, KEY), &first).await;
    let summary = recording.finish().unwrap();
    assert_eq!(summary.abandoned, 0);
    assert!(summary.exchanges >= 12, "{summary:?}");
    drop(server);

    let recorded: String = tree(&folder)
        .iter()
        .map(|(name, bytes)| format!("{} {}\n", name.display(), String::from_utf8_lossy(bytes)))
        .collect();
    for secret in [KEY, "Basic "] {
        assert!(!recorded.contains(secret), "{secret}");
    }
    assert!(
        recorded.contains("/dl/REDACTED-"),
        "the embedded server signs in the path"
    );

    // Another key, and nobody there.
    let replay = ReplayTransport::open(&folder).unwrap();
    assert_eq!(replay.origin(), Some(url.trim_end_matches('/')));
    let again = dir.path().join("again");
    let other_key = "f".repeat(40);
    let replayed = session(&client(Arc::new(replay.clone()), &url, &other_key), &again).await;
    assert_eq!(replayed, seen);
    assert_eq!(tree(&again), tree(&first));
    replay.finish();
}

#[tokio::test]
async fn a_replay_refuses_what_was_not_recorded() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("recorded");
    let server = filled().await;
    let url = server.api().base_url().to_string();
    let recording = RecordingTransport::new(server.transport(), &folder).unwrap();
    client(Arc::new(recording.clone()), &url, KEY)
        .run("p/r1")
        .await
        .unwrap();
    recording.finish().unwrap();

    let replay = ReplayTransport::open(&folder).unwrap();
    let api = client(Arc::new(replay.clone()), &url, KEY);
    let error = api.run("p/r2").await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        told.contains(r#"variables.name is \"r2\", recorded was \"r1\""#),
        "{told}"
    );
    api.run("p/r1").await.unwrap();
    assert!(replay.unused().is_empty());
    assert!(replay.verify().is_err());
}

#[tokio::test]
async fn a_broken_download_and_its_continuation_are_replayed() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("recorded");
    let server = filled().await;
    let url = server.api().base_url().to_string();
    server
        .faults()
        .add("cut=30000,path=/dl/,limit=1".parse().unwrap());
    let recording = RecordingTransport::new(server.transport(), &folder).unwrap();
    let download = async |api: Api, target: &str| {
        let file = api.run("p/r0").await.unwrap().file("model.bin").await.unwrap();
        file.download(&FileDownloadOptions::below(dir.path().join(target)))
            .await
            .unwrap()
    };
    let first = download(client(Arc::new(recording.clone()), &url, KEY), "first").await;
    recording.finish().unwrap();
    let replay = ReplayTransport::open(&folder).unwrap();
    let again = download(client(Arc::new(replay.clone()), &url, KEY), "again").await;
    assert_eq!(first.size, again.size);
    assert_eq!(
        fs::read(dir.path().join("again/model.bin")).unwrap(),
        bytes(100_000)
    );
    replay.finish();
}
