//! What was logged is there after the server has stopped and started again, over a socket and without one.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::TryStreamExt;
use tempfile::TempDir;
use wandb_api::retry::RetryPolicy;
use wandb_api::transport::HyperTransport;
use wandb_api::{Api, FileDownloadOptions, HistoryRow, Run};
use wandb_local::LocalServer;
use wandb_tests::{KEY, NewRun, TestServer};

use crate::downloads::{bytes, tree};

async fn fill(server: &TestServer) {
    let mut writer = server
        .log("p", NewRun::named("r").config([("lr", serde_json::json!(0.5))]))
        .await;
    writer
        .history((0..500).map(|step| format!(r#"{{"_step":{step},"x":NaN}}"#)))
        .await;
    writer.summary(r#"{"x":NaN}"#).await;
    writer.upload("dir/f.bin", bytes(100_000)).await;
    writer.finish(0).await;
}

async fn check(api: &Api) {
    let runs: Vec<Run> = api.runs("p").stream().try_collect().await.unwrap();
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!((run.id.as_str(), run.state.as_str()), ("r", "finished"));
    assert_eq!(run.config().unwrap().get("lr").unwrap().as_f64(), Some(0.5));
    assert!(
        run.summary()
            .unwrap()
            .get("x")
            .unwrap()
            .as_f64()
            .unwrap()
            .is_nan()
    );
    let rows: Vec<HistoryRow> = run
        .scan_history()
        .page_size(60)
        .rows()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        rows.iter().map(HistoryRow::step).collect::<Vec<_>>(),
        (0..500).collect::<Vec<_>>()
    );
    let dir = TempDir::new().unwrap();
    let file = run.file("dir/f.bin").await.unwrap();
    file.download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap();
    assert!(tree(dir.path()) == [(PathBuf::from("dir/f.bin"), bytes(100_000))]);
}

#[tokio::test]
async fn without_a_socket() {
    let dir = TempDir::new().unwrap();
    let server = TestServer::open_in(dir.path());
    fill(&server).await;
    check(&server.api()).await;
    drop(server);
    for _ in 0..2 {
        check(&TestServer::open_in(dir.path()).api()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_loopback() {
    let dir = TempDir::new().unwrap();
    let server = TestServer::open_in(dir.path());
    fill(&server).await;
    drop(server);
    for _ in 0..2 {
        let server = LocalServer::builder()
            .dir(dir.path())
            .api_key(KEY)
            .start()
            .await
            .unwrap();
        let transport = HyperTransport::builder().build().unwrap();
        let api = Api::builder(Arc::new(transport))
            .base_url(&server.url())
            .unwrap()
            .api_key(KEY)
            .unwrap()
            .retry(RetryPolicy::never())
            .build();
        check(&api).await;
        server.stop().await;
        assert!(api.runs("p").count().await.is_err(), "nobody listens any more");
    }
}
