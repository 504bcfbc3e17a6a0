//! The blocking client over the embedded server: on a plain thread, and inside of both kinds of runtimes.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use serde_json::json;
use tempfile::TempDir;
use wandb_api::blocking::{Api, Run};
use wandb_api::filter::ServerRules;
use wandb_api::transport::{HyperTransport, ScriptedTransport, Transport};
use wandb_api::{ErrorKind, FileDownloadOptions, Selection, filter};
use wandb_tests::{KEY, NewRun, TestServer};

use crate::downloads::bytes;
use crate::runtime;

/// A server with five runs, the first with a history and a file; filled in a runtime that is gone afterwards.
fn filled() -> TestServer {
    runtime().block_on(async {
        let server = TestServer::open();
        for number in 0..5 {
            let run = NewRun::named(&format!("r{number}")).config([("lr", json!(number))]);
            let mut writer = server.log("p", run).await;
            if number == 0 {
                let rows = (0..30).map(|step| json!({"_step": step, "loss": step * 2}).to_string());
                writer.history(rows).await;
                writer.upload("model.bin", bytes(70_000)).await;
            }
            writer.finish(0).await;
        }
        server
    })
}

fn client(transport: Arc<dyn Transport>, url: &str) -> Api {
    Api::builder(transport)
        .base_url(url)
        .and_then(|builder| builder.api_key(KEY))
        .unwrap()
        .server_rules(ServerRules::exact())
        .build()
}

fn client_of(server: &TestServer) -> Api {
    client(server.transport(), server.api().base_url().as_str())
}

/// What a user does, from the first call to the last, without a word of async.
fn tour(api: &Api) {
    assert_eq!(api.viewer().unwrap().username.as_deref(), Some("local"));
    assert_eq!(api.default_entity().unwrap().as_str(), "local");
    let projects: Vec<_> = api.projects(None).stream().collect::<Result<_, _>>().unwrap();
    assert_eq!(projects.len(), 1);
    let chosen = projects[0].runs(api).filter(filter::config("lr").gte(2));
    assert_eq!(chosen.count().unwrap(), 3);
    let mut names: Vec<String> = chosen
        .page_size(2)
        .stream()
        .map(|run| run.unwrap().id.clone())
        .collect();
    names.sort();
    assert_eq!(names, ["r2", "r3", "r4"]);
    let pages = api
        .runs("p")
        .page_size(2)
        .select(Selection::attributes())
        .pages()
        .unwrap();
    let sizes: Vec<usize> = pages.map(|page| page.unwrap().items.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let (runs, report) = api.runs("p").collect_exactly_once().unwrap();
    assert_eq!((runs.len(), report.returned), (5, 5));

    let run = api.run("p/r0").unwrap();
    assert_eq!(run.config().unwrap().get("lr"), Some(&wandb_api::Value::Int(0)));
    assert_eq!(run.reload().unwrap().id, run.id);
    assert_eq!(run.reference().last_history_step().unwrap(), Some(29));
    let steps: Vec<i64> = run
        .scan_history()
        .page_size(7)
        .rows()
        .map(|row| row.unwrap().step())
        .collect();
    assert_eq!(steps, (0..30).collect::<Vec<i64>>());
    let mut scan = run.scan_history().any_keys(["loss"]).start().unwrap();
    let rows: usize = scan.by_ref().map(|batch| batch.unwrap().len()).sum();
    assert_eq!((rows, scan.report().rows), (30, 30));
    assert!(run.history().samples(10).load().unwrap().batch.len() <= 30);

    let file = run
        .files()
        .stream()
        .find(|file| file.as_ref().is_ok_and(|file| file.name == "model.bin"));
    let dir = TempDir::new().unwrap();
    let downloaded = file
        .unwrap()
        .unwrap()
        .download(&FileDownloadOptions::below(dir.path()))
        .unwrap();
    assert_eq!(std::fs::read(downloaded.path).unwrap(), bytes(70_000));

    let error = api.run("p/none").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let mut broken = api.runs("p").page_size(0).stream();
    assert_eq!(
        broken.next().unwrap().unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert!(broken.next().is_none());
}

#[test]
fn on_a_plain_thread() {
    let server = filled();
    tour(&client_of(&server));
}

#[test]
fn inside_of_a_current_thread_runtime() {
    let server = filled();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // Made, used and dropped in here.
        tour(&client_of(&server));
    });
}

#[test]
fn inside_of_a_multi_thread_runtime() {
    let server = filled();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let api = client_of(&server);
        let on_worker = api.clone();
        tokio::spawn(async move { tour(&on_worker) }).await.unwrap();
        let on_pool = api.clone();
        tokio::task::spawn_blocking(move || tour(&on_pool)).await.unwrap();
        tour(&api);
    });
}

#[test]
fn over_the_network_from_many_threads() {
    let serving = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = serving
        .block_on(wandb_local::LocalServer::builder().api_key(KEY).start())
        .unwrap();
    serving.block_on(server.fill_sample("sample")).unwrap();
    let api = client(
        Arc::new(HyperTransport::builder().build().unwrap()),
        &server.url(),
    );
    let count = |api: &Api| {
        let ids: Result<HashSet<String>, _> = api
            .runs("sample")
            .stream()
            .map(|run: Result<Run, _>| run.map(|run| run.id.clone()))
            .collect();
        ids.unwrap().len()
    };
    let expected = count(&api);
    assert!(expected > 0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(count(&api), expected));
        }
    });
    drop(api);
    serving.block_on(server.stop());
}

#[test]
fn what_is_dropped_ends() {
    let server = filled();
    let (_, counting) = server.counted();
    let api = client(Arc::new(counting.clone()), server.api().base_url().as_str());
    let mut runs = api.runs("p").page_size(1).stream();
    assert_eq!(runs.next().unwrap().unwrap().entity, "local");
    // The rest of the pages is not read, and the iterator outlives the handle it came from.
    drop(api);
    assert!(runs.next().unwrap().is_ok());
    drop(runs);
    assert!(counting.count("Runs") <= 4, "{:?}", counting.seen());

    // In the middle of a request that nobody answers, and inside of a runtime.
    let script = ScriptedTransport::unordered();
    script.expect().any_number_of_times().hang();
    let api = client(Arc::new(script.clone()), "https://api.example")
        .with_timeout(Some(std::time::Duration::from_millis(20)));
    runtime().block_on(async {
        let error = api.run("e/p/r").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        drop(api);
    });
    let _ = script.verify();
}

#[test]
fn one_handle_serves_both_worlds() {
    let server = filled();
    let api = client_of(&server);
    let run = api.run("p/r0").unwrap();
    let printed = serde_json::to_value(api.project("p").unwrap()).unwrap();
    assert_eq!(printed["name"], "p");
    let asynchronous = api.into_asynchronous();
    let again = runtime().block_on(asynchronous.run("p/r0")).unwrap();
    assert_eq!(again.id, run.id);
    let back = Api::from(asynchronous);
    assert_eq!(back.run("p/r0").unwrap().asynchronous().id, run.id);
}
