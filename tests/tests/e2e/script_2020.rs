//! The script of a 2020 user, over HTTP against the sample project, and whether it did what it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::TryStreamExt;
use wandb_api::transport::HyperTransport;
use wandb_api::{Api, File, Run};
use wandb_local::LocalServer;

#[path = "../../../crates/wandb-api/examples/script_2020.rs"]
mod program;

fn val_loss(run: &Run) -> f64 {
    let summary = run.summary().unwrap();
    summary.get("val/loss").unwrap().as_f64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_of_a_2020_user() {
    let server = LocalServer::builder().start().await.unwrap();
    server.fill_sample("sample").await.unwrap();
    let transport = HyperTransport::builder().build().unwrap();
    let api = Api::builder(Arc::new(transport))
        .base_url(&server.url())
        .and_then(|builder| builder.api_key(server.api_key()))
        .unwrap()
        .build();
    let out = tempfile::tempdir().unwrap();
    let before: Vec<Run> = api.runs("sample").stream().try_collect().await.unwrap();
    let outcome = program::script(&api, "sample", out.path()).await.unwrap();

    // Listed: exactly those that match, the best first.
    let matches = |run: &&Run| {
        let rate = run.config().unwrap().get("lr").unwrap().as_f64().unwrap();
        run.state == "finished" && rate <= 0.001
    };
    let mut expected: Vec<&Run> = before.iter().filter(matches).collect();
    expected.sort_by(|left, right| val_loss(left).total_cmp(&val_loss(right)));
    let ids = |runs: &[&Run]| runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
    assert!(expected.len() > 10, "{}", expected.len());
    assert_eq!(ids(&outcome.listed.iter().collect::<Vec<_>>()), ids(&expected));

    // Exported: every row of every one of them, which is as many as the server counts.
    let csv = std::fs::read_to_string(out.path().join("losses.csv")).unwrap();
    let mut exported: BTreeMap<&str, i64> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        *exported.entry(line.split(',').next().unwrap()).or_default() += 1;
    }
    for run in &expected {
        assert_eq!(
            exported.get(run.id.as_str()).copied(),
            run.history_line_count,
            "{}",
            run.id
        );
    }
    assert_eq!(csv.lines().count() as u64, outcome.rows + 1);

    // The best run of the sweep, and its files byte by byte.
    let of_sweep = before.iter().filter(|run| run.sweep_name.is_some());
    let best = of_sweep.min_by(|left, right| val_loss(left).total_cmp(&val_loss(right)));
    assert_eq!(outcome.best.id, best.unwrap().id);
    let files: Vec<File> = outcome.best.files().stream().try_collect().await.unwrap();
    assert_eq!(
        files.len(),
        outcome.files.len() + 1,
        "result.txt has come along since"
    );
    for file in files.iter().filter(|file| file.name != "result.txt") {
        let local = std::fs::read(out.path().join("files").join(&file.name)).unwrap();
        assert_eq!(file.bytes(1 << 20).await.unwrap(), local, "{}", file.name);
    }

    // Tagged: the three best, which keep the tags that they had; nobody else.
    let after: Vec<Run> = api.runs("sample").stream().try_collect().await.unwrap();
    assert_eq!(after.len(), before.len());
    for (run, then) in after.iter().zip(&before) {
        let mut tags = then.tags.clone();
        if expected[..3].iter().any(|winner| winner.id == run.id) {
            tags.push("winner".to_owned());
        }
        let (mut now, mut wanted) = (run.tags.clone(), tags);
        now.sort();
        wanted.sort();
        assert_eq!(now, wanted, "{}", run.id);
    }

    // Uploaded: what was written is there.
    let result = outcome.best.file("result.txt").await.unwrap();
    let text: String = expected[..3].iter().map(|run| format!("{}\n", run.id)).collect();
    assert_eq!(result.bytes(1 << 20).await.unwrap(), text.as_bytes());

    // Verified: and a byte that changes is seen.
    let model = api.artifact("sample/sample-model:best").await.unwrap();
    assert!(model.verify(&outcome.model).await.unwrap().is_ok());
    let weights = outcome.model.join("weights/model.bin");
    let mut bytes = std::fs::read(&weights).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    assert!(!model.verify(&outcome.model).await.unwrap().is_ok());

    drop((api, outcome));
    server.stop().await;
}
