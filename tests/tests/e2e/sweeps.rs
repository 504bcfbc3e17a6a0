//! Sweeps are created, listed, read, paused; their runs are found, and the best of them.

use futures_util::TryStreamExt;
use wandb_api::{Api, BestRunBasis, ErrorKind, Run, Sweep, SweepState};
use wandb_tests::TestServer;

const CONFIG: &str = "method: grid\nname: search\nmetric: {name: loss, goal: minimize}\nparameters:\n  lr: {values: [1, 2, 3]}\n";

async fn run(api: &Api, sweep: &Sweep, id: &str, loss: Option<f64>) {
    let run = api.create_run("p").id(id).sweep(sweep.id.as_str());
    let run = match loss {
        Some(loss) => run.summary("loss", loss),
        None => run,
    };
    let run = run.create().await.unwrap();
    assert_eq!(run.sweep_name.as_deref(), Some(sweep.id.as_str()));
}

#[tokio::test]
async fn a_sweep_is_created_and_read() {
    let server = TestServer::open();
    let (api, counting) = server.counted();
    let created = api.create_sweep("p", CONFIG).await.unwrap().sweep;
    assert_eq!(
        (created.name.as_str(), created.method.as_deref()),
        ("search", Some("grid"))
    );
    assert_eq!(created.expected_run_count, Some(3));
    assert_eq!(created.config.text(), CONFIG);
    assert!(created.agents().await.unwrap().is_empty());
    api.create_sweep("p", "method: random\nparameters: {x: {min: 0.0, max: 1.0}}\n")
        .await
        .unwrap();
    api.create_sweep("p", CONFIG).await.unwrap();

    counting.reset();
    let sweeps: Vec<Sweep> = api.sweeps("p").stream().try_collect().await.unwrap();
    assert_eq!(
        (sweeps.len(), counting.seen().len()),
        (3, 1),
        "one query for a page"
    );
    let paged: Vec<Sweep> = api.sweeps("p").page_size(2).stream().try_collect().await.unwrap();
    let ids = |sweeps: &[Sweep]| sweeps.iter().map(|sweep| sweep.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&paged), ids(&sweeps));
    assert_eq!(api.sweeps("p").count().await.unwrap(), 3);

    let paused = created.set_state(SweepState::Paused).await.unwrap();
    assert_eq!(paused.state, "PAUSED");
    assert_eq!(paused.config.text(), CONFIG, "the config stays");
    assert_eq!(created.state, "PENDING", "a handle is a snapshot");
    assert_eq!(created.reload().await.unwrap().state, "PAUSED");
    let by_address = api.sweep(&created.url).await.unwrap();
    assert_eq!(by_address.id, created.id);
    for path in ["p/nosuch", "nowhere/nosuch"] {
        assert_eq!(
            api.sweep(path).await.unwrap_err().kind(),
            ErrorKind::NotFound,
            "{path}"
        );
    }
    assert!(api.create_sweep("p", "method: [").await.is_err());
}

#[tokio::test]
async fn the_best_run_is_the_best_or_says_that_it_is_the_newest() {
    let server = TestServer::open();
    let api = server.api();
    let sweep = api.create_sweep("p", CONFIG).await.unwrap().sweep;
    assert!(sweep.best_run().await.unwrap().run.is_none());
    for (id, loss) in [("a", Some(0.5)), ("b", Some(0.1)), ("c", None)] {
        run(&api, &sweep, id, loss).await;
    }
    api.create_run("p")
        .id("outside")
        .summary("loss", 0.0)
        .create()
        .await
        .unwrap();
    let best = sweep.best_run().await.unwrap();
    assert_eq!(best.run.as_ref().unwrap().id, "b");
    assert_eq!(best.value().unwrap().as_f64(), Some(0.1));
    let worst = sweep
        .best_run_by("-summary_metrics.loss".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(worst.run.unwrap().id, "a");
    let mut ids: Vec<String> = sweep
        .load_runs()
        .await
        .unwrap()
        .iter()
        .map(|run| run.id.clone())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "c"]);

    let bare = api
        .create_sweep("p", "method: random\nparameters: {x: {min: 0.0, max: 1.0}}\n")
        .await
        .unwrap()
        .sweep;
    run(&api, &bare, "old", Some(0.0)).await;
    run(&api, &bare, "new", Some(9.0)).await;
    let newest = bare.best_run().await.unwrap();
    assert_eq!(newest.basis, BestRunBasis::NewestWithoutMetric);
    assert_eq!(newest.run.as_ref().unwrap().id, "new");
    assert!(newest.hint().is_some());
    let runs: Vec<Run> = bare.runs().limit(1).stream().try_collect().await.unwrap();
    assert_eq!(runs[0].id, "old");
}
