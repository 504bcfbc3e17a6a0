//! Listings: pages, limits, orders, selections, and what happens when the project changes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use http::{Request, Response};
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;
use wandb_api::transport::{Body, ScriptedResponse, ScriptedTransport, Transport, TransportError};
use wandb_api::{Api, ErrorKind, HistoryStream, Run, Runs, Selection};
use wandb_tests::{FakeRuntime, NewRun, TestServer, Writer, scripted_api};

async fn ids(runs: Runs) -> Vec<String> {
    let runs: Vec<Run> = runs.stream().try_collect().await.unwrap();
    runs.iter().map(|run| run.id.clone()).collect()
}

async fn log_many(server: &TestServer, count: usize) -> Vec<Writer> {
    let mut writers = Vec::new();
    for number in 0..count {
        let config = [
            ("number", json!(number)),
            ("nested", json!({ "deep": number % 2 })),
        ];
        let run = NewRun::named(&format!("run-{number:02}"))
            .config(config)
            .summary(&format!(r#"{{"loss": {}, "other": "x"}}"#, 100 - number));
        writers.push(server.log("p", run).await);
    }
    writers
}

#[tokio::test]
async fn page_size_and_limit_are_different_things() {
    let server = TestServer::open();
    log_many(&server, 7).await;
    let (api, counting) = server.counted();
    let all: Vec<String> = (0..7).map(|number| format!("run-{number:02}")).collect();

    for (page_size, requests) in [(1, 7), (3, 3), (7, 1), (1000, 1)] {
        counting.reset();
        assert_eq!(ids(api.runs("p").page_size(page_size)).await, all);
        assert_eq!(counting.count("Runs"), requests, "page size {page_size}");
        assert_eq!(counting.seen().len(), requests, "nothing else is sent");
    }
    for (page_size, limit, requests) in [(3, 4, 2), (3, 3, 1), (3, 1, 1), (2, 100, 4), (5, 0, 0)] {
        counting.reset();
        let wanted = usize::try_from(limit).unwrap().min(7);
        assert_eq!(
            ids(api.runs("p").page_size(page_size).limit(limit)).await,
            all[..wanted]
        );
        assert_eq!(
            counting.count("Runs"),
            requests,
            "page size {page_size}, limit {limit}"
        );
    }
    let mut pages = api.runs("p").page_size(3).pages().unwrap();
    let mut sizes = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        sizes.push(page.items.len());
    }
    assert_eq!(sizes, [3, 3, 1]);
    for size in [0, 10_001, u32::MAX] {
        let error = api
            .runs("p")
            .page_size(size)
            .stream()
            .try_next()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{size}");
    }
}

#[tokio::test]
async fn a_server_may_give_less_than_was_asked_for() {
    let server = TestServer::open();
    // More than the most that the server gives at once.
    for number in 0..1_003 {
        server.log("p", NewRun::named(&format!("{number:04}"))).await;
    }
    let (api, counting) = server.counted();
    let found = ids(api.runs("p").page_size(10_000).select(Selection::attributes())).await;
    assert_eq!(found.len(), 1_003);
    assert!(found.is_sorted());
    assert!(counting.count("Runs") > 1, "the server has a cap");
    let limited = api
        .runs("p")
        .page_size(10_000)
        .limit(1_002)
        .select(Selection::attributes());
    assert_eq!(ids(limited).await, found[..1_002]);
}

#[tokio::test]
async fn orders_work_both_ways_and_missing_keys_come_last() {
    let server = TestServer::open();
    for (id, lr, loss, display) in [
        ("a", json!(3), Some("0.5"), "zebra"),
        ("b", json!(1.5), None, "ant"),
        ("c", Json::Null, Some("2"), "Bee"),
        ("d", json!(-7), Some("10"), "cat"),
    ] {
        let mut run = NewRun::named(id).set("displayName", display);
        if !lr.is_null() {
            run = run.config([("lr", lr), ("opt", json!({ "momentum": id }))]);
        }
        if let Some(loss) = loss {
            run = run.summary(&format!(r#"{{"loss": {loss}, "a.b": "{display}"}}"#));
        }
        server.log("p", run).await;
    }
    let api = server.api();
    for (order, expected) in [
        ("+created_at", "abcd"),
        ("-created_at", "dcba"),
        ("created_at", "abcd"),
        ("createdAt", "abcd"),
        ("+name", "abcd"),
        ("-name", "dcba"),
        ("+display_name", "cbda"),
        ("+config.lr", "dbac"),
        ("-config.lr", "abdc"),
        ("+config.lr.value", "dbac"),
        ("-config.opt.momentum", "dbac"),
        ("+summary_metrics.loss", "acdb"),
        ("-summary_metrics.loss", "dcab"),
        ("-summary.loss", "dcab"),
        ("+summary_metrics.a.b", "cdab"),
        // Nobody has it: creation decides, whichever way.
        ("+config.absent", "abcd"),
        ("+state,-name", "dcba"),
    ] {
        let found = ids(api.runs("p").order(order.parse().unwrap()).page_size(1)).await;
        assert_eq!(found.concat(), expected, "{order}");
    }
    for wrong in ["", "+", "colour", "tags"] {
        assert!(wrong.parse::<wandb_api::order::Order>().is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_selection_asks_for_the_keys_named_and_nothing_else() {
    let server = TestServer::open();
    log_many(&server, 25).await;
    let (api, counting) = server.counted();

    let selection = Selection::attributes().config("number").summary("loss");
    let runs: Vec<Run> = api
        .runs("p")
        .page_size(10)
        .select(selection)
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        counting.seen().len(),
        3,
        "one page is one request, never one per run"
    );
    for (number, run) in runs.iter().enumerate() {
        let config = run.config().unwrap();
        assert_eq!(config.keys().collect::<Vec<_>>(), ["number"]);
        assert_eq!(
            config.get("number").unwrap().as_i64(),
            Some(i64::try_from(number).unwrap())
        );
        assert_eq!(run.summary().unwrap().keys().collect::<Vec<_>>(), ["loss"]);
        for error in [run.system_metrics().unwrap_err(), run.history_keys().unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("not selected"), "{error}");
        }
    }

    let bare = api
        .runs("p")
        .limit(1)
        .select(Selection::attributes())
        .stream()
        .try_next()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bare.config().unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(bare.summary().unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(bare.raw_config(), None);
    let whole = bare.reload().await.unwrap();
    assert_eq!(whole.config().unwrap().len(), 2);
    assert!(whole.history_keys().unwrap().is_empty());

    let nested = Selection::of(["config.nested.deep", "summary.loss"]);
    let run = api
        .runs("p")
        .select(nested)
        .stream()
        .try_next()
        .await
        .unwrap()
        .unwrap();
    let deep = run.config().unwrap().get_path("nested.deep").unwrap().as_i64();
    assert_eq!(deep, Some(0));
    assert!(run.config().unwrap().get("number").is_none());
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = TestServer::open();
    log_many(&server, 1).await;
    let api = server.api();
    let error = api.runs("absent").stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("local/absent"), "{error}");
    let error = api.runs("nobody/p").stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        api.runs("nobody/p").count().await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        api.project("absent").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    for path in ["p/absent", "absent/run-00", "nobody/p/run-00"] {
        assert_eq!(
            api.run(path).await.unwrap_err().kind(),
            ErrorKind::NotFound,
            "{path}"
        );
    }
    assert_eq!(api.run("p/run-00").await.unwrap().id, "run-00");
    let none: Vec<_> = api.projects(Some("nobody")).stream().try_collect().await.unwrap();
    assert!(none.is_empty());
    for path in ["a/b/c/d/e", "/", "e//p"] {
        let error = api.runs(path).stream().try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}: {error}");
    }
}

#[tokio::test]
async fn projects_are_listed() {
    let server = TestServer::open();
    for project in ["one", "two", "three"] {
        server.log(project, NewRun::named("r")).await;
    }
    let (api, counting) = server.counted();
    let projects: Vec<_> = api
        .projects(None)
        .page_size(2)
        .stream()
        .try_collect()
        .await
        .unwrap();
    let mut names: Vec<&str> = projects.iter().map(|project| project.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["one", "three", "two"]);
    assert_eq!(counting.seen().len(), 2);
    let one = api.project("one").await.unwrap();
    assert_eq!(one.path, ["local", "one"]);
    assert_eq!(ids(one.runs(&api)).await, ["r"]);
}

/// Does something to the server before each page of runs.
struct Meddling<F> {
    inner: Arc<dyn Transport>,
    pages: AtomicUsize,
    meddle: F,
}

impl<F> std::fmt::Debug for Meddling<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Meddling")
    }
}

#[async_trait]
impl<F, R> Transport for Meddling<F>
where
    F: Fn(usize) -> R + Send + Sync,
    R: Future<Output = ()> + Send,
{
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let body = body.collect(1 << 20).await?;
        if String::from_utf8_lossy(&body).contains(r#""Runs""#) {
            (self.meddle)(self.pages.fetch_add(1, Ordering::SeqCst) + 1).await;
        }
        self.inner
            .send(Request::from_parts(parts, Body::from(body)))
            .await
    }
}

/// A client of a project in which, before each page, something happens.
fn meddled<F, R>(server: &TestServer, meddle: F) -> Api
where
    F: Fn(usize) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    server.api_over(Arc::new(Meddling {
        inner: server.transport(),
        pages: AtomicUsize::new(0),
        meddle,
    }))
}

#[tokio::test]
async fn exactly_once_while_runs_come_and_go() {
    let server = TestServer::open();
    let mut writers = log_many(&server, 12).await;
    let survivors: Vec<String> = writers[2..].iter().map(|writer| writer.name.clone()).collect();
    let doomed = Arc::new(Mutex::new(writers.drain(..2).collect::<Vec<_>>()));
    let api = meddled(&server, {
        let server = server.clone();
        move |page| {
            let (doomed, server) = (Arc::clone(&doomed), server.clone());
            async move {
                // The first request is for the newest run. Runs of the first page go while the second page is asked for:
                // the server's offsets skip two runs.
                if page == 3 {
                    for writer in doomed.lock().await.drain(..) {
                        writer.delete().await;
                    }
                    server.log("p", NewRun::named("late")).await;
                }
            }
        }
    });
    let (runs, report) = api.runs("p").page_size(4).collect_exactly_once().await.unwrap();
    let mut found: Vec<String> = runs.iter().map(|run| run.id.clone()).collect();
    found.sort();
    let with_duplicates = found.len();
    found.dedup();
    assert_eq!(found.len(), with_duplicates, "each run once");
    for survivor in &survivors {
        assert!(found.contains(survivor), "{survivor} was missed: {found:?}");
    }
    assert_eq!(report.count_before, 12);
    assert!(report.passes > 1, "the first pass missed runs: {report:?}");
    assert_eq!(report.returned, found.len() as u64);
    assert_eq!(ids(api.runs("p")).await.len(), 11);
}

#[tokio::test]
async fn exactly_once_does_not_trust_the_clock_of_this_machine() {
    let server = TestServer::open();
    log_many(&server, 3).await;
    for behind in [86_400, -86_400] {
        let clock = FakeRuntime::behind(behind);
        let api = server
            .builder(server.transport())
            .runtime(Arc::new(clock))
            .build();
        let (runs, report) = api.runs("p").collect_exactly_once().await.unwrap();
        assert_eq!(runs.len(), 3, "{behind} s behind");
        assert_eq!((report.returned, report.passes), (3, 1));
    }
    let nothing = server
        .api()
        .runs("p")
        .filter(wandb_api::filter::Filter::nothing());
    assert!(nothing.collect_exactly_once().await.unwrap().0.is_empty());
    let error = server
        .api()
        .runs("absent")
        .collect_exactly_once()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_project_that_never_rests_is_an_error_and_not_a_part() {
    let server = TestServer::open();
    let doomed = Arc::new(Mutex::new(log_many(&server, 9).await));
    // One run goes during each reading, so the counts before and after never agree.
    let api = meddled(&server, move |_| {
        let doomed = Arc::clone(&doomed);
        async move {
            if let Some(writer) = doomed.lock().await.pop() {
                writer.delete().await;
            }
        }
    });
    let error = api.runs("p").collect_exactly_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_beside_a_busy_writer() {
    let server = TestServer::open();
    let stay = log_many(&server, 30).await;
    let writer = tokio::spawn({
        let server = server.clone();
        async move {
            for number in 0..60 {
                let run = server.log("p", NewRun::named(&format!("brief-{number}"))).await;
                run.delete().await;
            }
        }
    });
    let mut complete = 0;
    while !writer.is_finished() || complete == 0 {
        match server.api().runs("p").page_size(7).collect_exactly_once().await {
            Ok((runs, _)) => {
                complete += 1;
                let mut found: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
                let given = found.len();
                found.sort_unstable();
                found.dedup();
                assert_eq!(found.len(), given);
                for run in &stay {
                    assert!(found.contains(&run.name.as_str()), "{}", run.name);
                }
            }
            // The project changed during each reading, and that is what it says.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}"),
        }
    }
    writer.await.unwrap();
}

fn node(id: &str) -> Json {
    json!({ "node": {
        "id": format!("storage-{id}"), "name": id, "displayName": id, "state": "finished", "sweepName": null, "group": null,
        "jobType": null, "commit": null, "host": null, "updatedAt": null, "readOnly": false, "createdAt": "2024-05-01T12:34:56Z", "heartbeatAt": null,
        "description": null, "notes": null, "tags": [], "historyLineCount": 0, "user": null,
        "config": "{}", "summaryMetrics": "{}", "systemMetrics": null,
    } })
}

fn page(ids: &[&str], more: bool, cursor: Json) -> ScriptedResponse {
    let edges: Vec<Json> = ids.iter().map(|id| node(id)).collect();
    ScriptedResponse::new(200).json(
        json!({ "data": { "project": { "name": "p", "entityName": "e", "runs": {
        "edges": edges, "pageInfo": { "hasNextPage": more, "endCursor": cursor },
    } } } }),
    )
}

#[tokio::test]
async fn an_empty_page_goes_on_and_short_pages_lose_nothing() {
    let script = ScriptedTransport::ordered();
    let step = |cursor: Json| {
        script
            .graphql("Runs")
            .variables(json!({ "cursor": cursor, "perPage": 5 }))
    };
    step(Json::Null).respond(page(&["a", "b"], true, json!("1")));
    step(json!("1")).respond(page(&[], true, json!("2")));
    step(json!("2")).respond(page(&["c"], false, json!("3")));
    let (api, _) = scripted_api(&script);
    assert_eq!(ids(api.runs("p").page_size(5)).await, ["a", "b", "c"]);
    script.finish();
}

#[tokio::test]
async fn a_cursor_that_comes_back_is_an_error() {
    let script = ScriptedTransport::ordered();
    script.graphql("Runs").respond(page(&["a"], true, json!("1")));
    script.graphql("Runs").respond(page(&["b"], true, json!("2")));
    script.graphql("Runs").respond(page(&["c"], true, json!("1")));
    let (api, _) = scripted_api(&script);
    let mut stream = api.runs("p").page_size(1).stream();
    let mut found = Vec::new();
    let error = loop {
        match stream.try_next().await {
            Ok(Some(run)) => found.push(run.id.clone()),
            Ok(None) => panic!("the listing ended without an error"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert_eq!(found[..2], ["a", "b"]);
    assert!(
        stream.try_next().await.unwrap().is_none(),
        "an error ends the stream"
    );
    script.finish();

    let script = ScriptedTransport::ordered();
    script.graphql("Runs").respond(page(&["a"], true, Json::Null));
    let (api, _) = scripted_api(&script);
    let error = api.runs("p").stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    script.finish();
}

#[tokio::test]
async fn a_server_that_gives_too_much_is_held_to_the_limit() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("Runs")
        .variables(json!({ "perPage": 2 }))
        .respond(page(&["a", "b", "c", "d"], true, json!("4")));
    let (api, _) = scripted_api(&script);
    assert_eq!(ids(api.runs("p").limit(2)).await, ["a", "b"]);
    script.finish();
}

#[tokio::test]
async fn a_reference_gets_at_files_and_history_without_reading_the_run() {
    let server = TestServer::open();
    let mut writer = server.log("p", NewRun::named("r")).await;
    writer
        .history(&[r#"{"_step":0,"x":1}"#, r#"{"_step":1,"x":2}"#])
        .await;
    writer.upload("f", b"bytes".to_vec()).await;
    let (api, counting) = server.counted();
    let run = api.run_reference("p/r").await.unwrap();
    assert!(counting.seen().is_empty());
    let rows: Vec<_> = run.scan_history().rows().try_collect().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(run.file("f").await.unwrap().size, 5);
    assert_eq!(run.last_history_step().await.unwrap(), Some(1));
    assert_eq!(counting.count("Run"), 0);
    counting.reset();
    run.history().stream(HistoryStream::System).load().await.unwrap();
    let seen: Vec<String> = counting.seen().into_iter().map(|seen| seen.what).collect();
    assert_eq!(seen, ["RunEvents"], "system metrics need no extent");
    let loaded = run.load().await.unwrap();
    assert_eq!(loaded.reference().run_path(), run.run_path());

    let none = api.run_reference("p/none").await.unwrap();
    for error in [
        none.scan_history().start().await.unwrap_err(),
        none.history().load().await.unwrap_err(),
        none.history()
            .stream(HistoryStream::System)
            .load()
            .await
            .unwrap_err(),
        none.files().stream().try_next().await.unwrap_err(),
        none.file("f").await.unwrap_err(),
        none.load().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    }
}
