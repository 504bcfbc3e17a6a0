//! History: a scan gives every row, each once, in step order, and equal to what was logged.

use futures_util::TryStreamExt;
use proptest::prelude::*;
use serde_json::json;
use wandb_api::{ErrorKind, HistoryRow, HistoryStream, Run, Scan, Value};
use wandb_tests::{NewRun, TestServer, Writer, encode_row};

use crate::{runner, runtime};

/// A logged row: its step, then keys and values with the step among them.
#[derive(Debug, Clone)]
struct Row {
    step: i64,
    entries: Vec<(String, Value)>,
}

impl Row {
    fn text(&self) -> String {
        encode_row(self.entries.iter().map(|(key, value)| (key.as_str(), value)))
    }

    /// The rule, spelled out naively: the literal key, else down through objects, the shortest first part first.
    fn look_up(&self, path: &str) -> Option<&Value> {
        fn inside<'a>(entries: &[(&str, &'a Value)], path: &str) -> Option<&'a Value> {
            if let Some((_, value)) = entries.iter().find(|(key, _)| *key == path) {
                return Some(value);
            }
            for (dot, _) in path.match_indices('.') {
                let (first, rest) = (&path[..dot], &path[dot + 1..]);
                if let Some((_, Value::Map(map))) = entries.iter().find(|(key, _)| *key == first) {
                    let entries: Vec<_> = map.iter().collect();
                    if let Some(value) = inside(&entries, rest) {
                        return Some(value);
                    }
                }
            }
            None
        }
        let entries: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .collect();
        inside(&entries, path)
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        3 => any::<i64>().prop_map(Value::Int),
        4 => any::<f64>().prop_map(Value::Float),
        3 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, 1e300, 5e-324]).prop_map(Value::Float),
        1 => Just(Value::UInt(u64::MAX)),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec((prop::sample::select(vec!["b", "c", "b.c"]), inner), 0..3).prop_map(
                |entries| Value::Map(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect()
                )
            ),
        ]
    })
}

/// Keys that stand for something, each with values of its own kind: numbers only, texts among numbers, anything.
const KEYS: [&str; 8] = ["loss", "acc", "val/loss", "a", "a.b", "größe ✓", "text", "any"];

fn cell() -> impl Strategy<Value = (String, Value)> {
    prop::sample::select(KEYS.to_vec()).prop_flat_map(|key| {
        let number = prop_oneof![
            4 => any::<f64>().prop_map(Value::Float),
            1 => any::<i64>().prop_map(Value::Int),
            2 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(Value::Float),
            1 => Just(Value::Null),
        ];
        let text = prop::sample::select(vec!["NaN", "Infinity", "-Infinity", "", "é\"\\\n"]).prop_map(Value::from);
        let value = match key {
            "text" => prop_oneof![text, number].boxed(),
            "loss" | "acc" | "val/loss" | "größe ✓" => number.boxed(),
            _ => value().boxed(),
        };
        (Just(key.to_owned()), value)
    })
}

/// Rows with gaps; with `repeats`, also several of one step, as of a run that was resumed without its offset.
fn rows(repeats: bool) -> impl Strategy<Value = Vec<Row>> {
    let gap = prop_oneof![
        60 => Just(1_i64),
        15 => 2_i64..30,
        2 => Just(1_000_000_000),
        1 => Just(1_000_000_000_000_000),
        10 => Just(i64::from(!repeats)),
    ];
    prop::collection::vec((gap, prop::collection::vec(cell(), 0..5)), 0..60).prop_map(|rows| {
        let mut step = -1;
        rows.into_iter()
            .map(|(gap, cells)| {
                step = (step + gap).max(0);
                let mut entries: Vec<(String, Value)> = Vec::new();
                for (key, value) in cells {
                    if entries.iter().all(|(other, _)| *other != key) {
                        entries.push((key, value));
                    }
                }
                let place = entries.len() / 2;
                entries.insert(place, ("_step".to_owned(), Value::Int(step)));
                Row { step, entries }
            })
            .collect()
    })
}

async fn log(server: &TestServer, name: &str, rows: &[Row], chunk: usize) -> Writer {
    let mut writer = server.log("p", NewRun::named(name)).await;
    for chunk in rows.chunks(chunk.max(1)) {
        writer.history(chunk.iter().map(Row::text)).await;
    }
    writer
}

async fn read(scan: Scan) -> Result<Vec<HistoryRow>, TestCaseError> {
    scan.rows()
        .try_collect()
        .await
        .map_err(|error| TestCaseError::fail(format!("{error:?}")))
}

fn same(found: &[HistoryRow], expected: &[(i64, Vec<(String, Value)>)]) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        found.iter().map(HistoryRow::step).collect::<Vec<_>>(),
        expected.iter().map(|(step, _)| *step).collect::<Vec<_>>()
    );
    for (found, (step, expected)) in found.iter().zip(expected) {
        prop_assert_eq!(
            found.len(),
            expected.len(),
            "step {}: {:?} but {:?}",
            step,
            found,
            expected
        );
        for (key, value) in expected {
            let got = found.get(key);
            prop_assert!(
                got.is_some_and(|got| got.same_as(value) && std::mem::discriminant(got) == std::mem::discriminant(value)
                    || matches!((got, value), (Value::Int(_) | Value::UInt(_), Value::Float(_)) if got.same_as(value))),
                "step {}, key {:?}: {:?} but {:?} was logged", step, key, got, value
            );
        }
    }
    Ok(())
}

#[test]
fn every_row_once_in_order_as_it_was_logged() {
    let runtime = runtime();
    let server = runtime.block_on(async { TestServer::open() });
    let case = std::cell::Cell::new(0);
    let input = (
        rows(true),
        1_usize..40,
        1_u32..60,
        1_usize..9,
        (0_i64..60, 0_i64..90),
    );
    runner(30)
        .run(&input, |(rows, chunk, page_size, concurrency, (min, width))| {
            case.set(case.get() + 1);
            let name = format!("whole-{}", case.get());
            runtime.block_on(async {
                log(&server, &name, &rows, chunk).await;
                let run = server.api().run(&format!("p/{name}")).await.unwrap();
                let scan = || run.scan_history().page_size(page_size).concurrency(concurrency);
                let expected: Vec<_> = rows.iter().map(|row| (row.step, row.entries.clone())).collect();
                same(&read(scan()).await?, &expected)?;
                let within: Vec<_> = expected
                    .iter()
                    .filter(|(step, _)| (min..min + width).contains(step))
                    .cloned()
                    .collect();
                same(&read(scan().min_step(min).max_step(min + width)).await?, &within)
            })
        })
        .unwrap();
}

#[test]
fn keys_are_joined_as_a_naive_reader_would() {
    let runtime = runtime();
    let server = runtime.block_on(async { TestServer::open() });
    let case = std::cell::Cell::new(0);
    let key = prop::sample::select(vec![
        "loss",
        "acc",
        "val/loss",
        "a",
        "a.b",
        "a.b.c",
        "größe ✓",
        "text",
        "any",
        "any.b",
        "absent",
    ]);
    let input = (
        rows(false),
        prop::collection::vec(key, 1..4),
        1_u32..60,
        1_usize..5,
    );
    runner(60)
        .run(&input, |(rows, keys, page_size, concurrency)| {
            case.set(case.get() + 1);
            let name = format!("keys-{}", case.get());
            runtime.block_on(async {
                log(&server, &name, &rows, 50).await;
                let run = server.api().run(&format!("p/{name}")).await.unwrap();
                let scan = || run.scan_history().page_size(page_size).concurrency(concurrency);
                let mut wanted: Vec<&str> = Vec::new();
                for key in &keys {
                    if !wanted.contains(key) {
                        wanted.push(key);
                    }
                }
                let mut all = Vec::new();
                let mut any = Vec::new();
                for row in &rows {
                    let mut found: Vec<(String, Value)> = vec![("_step".to_owned(), Value::Int(row.step))];
                    for key in &wanted {
                        found.extend(row.look_up(key).map(|value| ((*key).to_owned(), value.clone())));
                    }
                    if found.len() > wanted.len() {
                        all.push((row.step, found.clone()));
                    }
                    if found.len() > 1 {
                        any.push((row.step, found));
                    }
                }
                same(&read(scan().all_keys(keys.clone())).await?, &all)?;
                same(&read(scan().any_keys(keys.clone())).await?, &any)
            })
        })
        .unwrap();
}

/// A run with these rows, read back as a handle.
async fn run_of<S: AsRef<str>>(server: &TestServer, rows: impl IntoIterator<Item = S>) -> (Writer, Run) {
    let mut writer = server.log("p", NewRun::named("r")).await;
    writer.history(rows).await;
    let run = server.api().run("p/r").await.unwrap();
    (writer, run)
}

async fn steps(scan: Scan) -> Vec<i64> {
    let rows: Vec<HistoryRow> = scan.rows().try_collect().await.unwrap();
    rows.iter().map(HistoryRow::step).collect()
}

#[tokio::test]
async fn five_different_things_stay_different() {
    let server = TestServer::open();
    let (_, run) = run_of(
        &server,
        [
            r#"{"_step":0,"x":NaN,"d":{"x":NaN,"y":[Infinity]}}"#,
            r#"{"_step":1,"x":Infinity}"#,
            r#"{"_step":2,"x":-Infinity}"#,
            r#"{"_step":3,"x":null}"#,
            r#"{"_step":4}"#,
            r#"{"_step":5,"x":1}"#,
        ],
    )
    .await;
    for scan in [run.scan_history(), run.scan_history().any_keys(["x", "d"])] {
        let rows: Vec<HistoryRow> = scan.rows().try_collect().await.unwrap();
        let x = |step: i64| {
            rows.iter()
                .find(|row| row.step() == step)
                .and_then(|row| row.get("x"))
        };
        assert!(matches!(x(0), Some(Value::Float(number)) if number.is_nan()));
        assert_eq!(x(1), Some(&Value::Float(f64::INFINITY)));
        assert_eq!(x(2), Some(&Value::Float(f64::NEG_INFINITY)));
        assert_eq!(x(3), Some(&Value::Null));
        assert_eq!(x(4), None);
        assert_eq!(x(5), Some(&Value::Int(1)));
        let nested = rows[0].get_path("d.x");
        assert!(
            matches!(nested, Some(Value::Float(number)) if number.is_nan()),
            "{nested:?}"
        );
    }
    assert_eq!(steps(run.scan_history().all_keys(["x"])).await, [0, 1, 2, 3, 5]);
}

#[tokio::test]
async fn rows_of_one_step_are_not_mixed() {
    let server = TestServer::open();
    // A process that was restarted without its offset logs steps again.
    let (_, run) = run_of(
        &server,
        [
            r#"{"_step":0,"b":1}"#,
            r#"{"_step":0,"a":2,"b":2}"#,
            r#"{"_step":0,"a":3}"#,
            r#"{"_step":1,"a":4,"b":4}"#,
        ],
    )
    .await;
    let rows: Vec<HistoryRow> = run
        .scan_history()
        .any_keys(["a", "b"])
        .rows()
        .try_collect()
        .await
        .unwrap();
    let pairs: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.get("a").and_then(Value::as_i64),
                row.get("b").and_then(Value::as_i64),
            )
        })
        .collect();
    assert_eq!(
        pairs,
        [
            (None, Some(1)),
            (Some(2), Some(2)),
            (Some(3), None),
            (Some(4), Some(4))
        ]
    );
}

#[tokio::test]
async fn rows_that_come_during_a_scan_are_not_waited_for() {
    let server = TestServer::open();
    let (mut writer, run) = run_of(
        &server,
        (0..100).map(|step| format!(r#"{{"_step":{step},"x":{step}}}"#)),
    )
    .await;
    let mut scan = run
        .scan_history()
        .page_size(10)
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let mut found = Vec::new();
    let mut next = 100;
    while let Some(batch) = scan.try_next().await.unwrap() {
        found.extend(batch.rows().iter().map(HistoryRow::step));
        writer
            .history((next..next + 10).map(|step| format!(r#"{{"_step":{step},"x":{step}}}"#)))
            .await;
        next += 10;
    }
    assert_eq!(found, (0..100).collect::<Vec<_>>());
    let report = scan.report();
    assert_eq!(
        (report.rows, report.counted, report.last_step),
        (100, Some(100), Some(99))
    );
    assert_eq!(
        steps(run.scan_history()).await.len(),
        usize::try_from(next).unwrap()
    );
}

#[tokio::test]
async fn rows_that_vanish_make_the_scan_incomplete() {
    let server = TestServer::open();
    let (writer, run) = run_of(&server, (0..100).map(|step| format!(r#"{{"_step":{step}}}"#))).await;
    let mut scan = run
        .scan_history()
        .page_size(10)
        .concurrency(1)
        .start()
        .await
        .unwrap();
    assert_eq!(scan.try_next().await.unwrap().unwrap().len(), 10);
    writer.rewind(49).await;
    let error = loop {
        match scan.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("half of the rows passed for all of them"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
    assert!(scan.try_next().await.unwrap().is_none());

    let mut scan = run
        .scan_history()
        .page_size(10)
        .concurrency(1)
        .start()
        .await
        .unwrap();
    writer.delete().await;
    let error = scan.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(
        run.scan_history().start().await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn requests_follow_the_rows_and_not_the_steps() {
    let server = TestServer::open();
    let (api, counting) = server.counted();
    let mut sparse = server.log("p", NewRun::named("sparse")).await;
    let spread: Vec<i64> = (0..26).map(|row| row * 40_000_000).collect();
    sparse
        .history(spread.iter().map(|step| format!(r#"{{"_step":{step},"x":1}}"#)))
        .await;
    let mut dense = server.log("p", NewRun::named("dense")).await;
    dense
        .history((0..5_000).map(|step| format!(r#"{{"_step":{step},"x":1}}"#)))
        .await;
    let run = api.run("p/sparse").await.unwrap();
    for scan in [run.scan_history(), run.scan_history().all_keys(["x"])] {
        counting.reset();
        assert_eq!(steps(scan).await, spread);
        assert!(
            counting.seen().len() <= 12,
            "{} requests for 26 rows",
            counting.seen().len()
        );
    }
    let run = api.run("p/dense").await.unwrap();
    counting.reset();
    assert_eq!(steps(run.scan_history().page_size(1_000)).await.len(), 5_000);
    assert!(counting.seen().len() <= 7, "{:?}", counting.seen());
    counting.reset();
    assert_eq!(steps(run.scan_history().min_step(4_990)).await.len(), 10);
    assert_eq!(counting.seen().len(), 2, "a short range is one page");
}

#[tokio::test]
async fn wrong_ranges_are_told_before_anything_is_sent() {
    let server = TestServer::open();
    let (_, run) = run_of(&server, [r#"{"_step":3}"#]).await;
    for scan in [
        run.scan_history().page_size(0),
        run.scan_history().min_step(5).max_step(4),
    ] {
        assert_eq!(scan.start().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(steps(run.scan_history().min_step(4)).await.is_empty());
    assert!(steps(run.scan_history().max_step(3)).await.is_empty());
    assert_eq!(
        steps(run.scan_history().min_step(-9).max_step(i64::MAX)).await,
        [3]
    );
    assert_eq!(steps(run.scan_history().min_step(3).max_step(4)).await, [3]);
}

#[tokio::test]
async fn a_run_without_history_has_none() {
    let server = TestServer::open();
    let (_, run) = run_of(&server, Vec::<String>::new()).await;
    assert!(steps(run.scan_history()).await.is_empty());
    assert!(steps(run.scan_history().all_keys(["x"])).await.is_empty());
    assert_eq!(run.last_history_step().await.unwrap(), None);
    let sample = run.history().load().await.unwrap();
    assert!(sample.batch.is_empty());
    assert_eq!(sample.sampled_from, Some(0));
    assert!(run.history().keys(["x"]).load().await.unwrap().batch.is_empty());
    assert!(
        run.history()
            .stream(HistoryStream::System)
            .load()
            .await
            .unwrap()
            .batch
            .is_empty()
    );
}

#[tokio::test]
async fn a_sample_says_that_it_is_one() {
    let server = TestServer::open();
    let rows = (0..3_000).map(|step| {
        let even = if step % 2 == 0 {
            format!(r#","even":{step}"#)
        } else {
            String::new()
        };
        format!(r#"{{"_step":{step},"x":{}{even}}}"#, 3_000 - step)
    });
    let (mut writer, run) = run_of(&server, rows).await;
    let sample = run.history().samples(100).load().await.unwrap();
    assert_eq!((sample.samples, sample.sampled_from), (100, Some(3_000)));
    assert!((90..=101).contains(&sample.batch.len()), "{}", sample.batch.len());
    let steps: Vec<i64> = sample.batch.rows().iter().map(HistoryRow::step).collect();
    assert!(steps.is_sorted_by(|left, right| left < right));
    assert!(
        steps[0] < 60 && *steps.last().unwrap() > 2_940,
        "evenly over the whole run"
    );

    let sample = run.history().samples(50).keys(["even"]).load().await.unwrap();
    assert!((40..=51).contains(&sample.batch.len()));
    assert_eq!(sample.batch.keys().collect::<Vec<_>>(), ["_step", "even"]);
    for row in sample.batch.rows() {
        assert_eq!(
            Some(row.step()),
            row.get("even").and_then(Value::as_i64),
            "{row:?}"
        );
    }
    let along_x = run
        .history()
        .samples(20)
        .keys(["x"])
        .x_axis("x")
        .load()
        .await
        .unwrap();
    let xs: Vec<i64> = along_x
        .batch
        .rows()
        .iter()
        .map(|row| row.get("x").unwrap().as_i64().unwrap())
        .collect();
    assert!(xs.is_sorted() && !xs.is_empty(), "{xs:?}");

    writer
        .events(&[
            r#"{"_timestamp":1.5,"_runtime":0,"system.cpu":12.5}"#,
            r#"{"_timestamp":2.5,"_runtime":1,"system.cpu":NaN}"#,
        ])
        .await;
    let system = run.history().stream(HistoryStream::System).load().await.unwrap();
    assert_eq!(system.batch.len(), 2);
    assert_eq!(
        system.batch.rows()[0].get("system.cpu"),
        Some(&Value::Float(12.5))
    );
    assert!(
        system.batch.rows()[1]
            .get("system.cpu")
            .unwrap()
            .as_f64()
            .unwrap()
            .is_nan()
    );

    assert_eq!(
        run.history().samples(0).load().await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    let keys = run.history().stream(HistoryStream::System).keys(["x"]).load();
    assert_eq!(keys.await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_request_that_was_repeated_changes_nothing() {
    let server = TestServer::open();
    let (writer, run) = run_of(
        &server,
        (0..10).map(|step| format!(r#"{{"_step":{step},"x":1}}"#)),
    )
    .await;
    // The answer was lost, so the process sends the same lines once more (protocol §4.3).
    let lines: Vec<String> = (5..10)
        .map(|step| format!(r#"{{"_step":{step},"x":1}}"#))
        .collect();
    writer
        .stream(json!({ "files": { "wandb-history.jsonl": { "offset": 5, "content": lines } } }))
        .await;
    assert_eq!(steps(run.scan_history()).await, (0..10).collect::<Vec<_>>());
    assert_eq!(steps(run.scan_history().all_keys(["x"])).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_beside_a_writer_is_a_prefix() {
    let server = TestServer::open();
    let (mut writer, run) = run_of(&server, [r#"{"_step":0,"x":0}"#]).await;
    let writing = tokio::spawn(async move {
        for chunk in 0..40 {
            writer
                .history(
                    (chunk * 10 + 1..chunk * 10 + 11).map(|step| format!(r#"{{"_step":{step},"x":{step}}}"#)),
                )
                .await;
        }
    });
    let mut last = 0;
    loop {
        let done = writing.is_finished();
        for scan in [run.scan_history(), run.scan_history().any_keys(["x", "y"])] {
            let found = steps(scan.page_size(7).concurrency(3)).await;
            assert!(found.len() >= last, "rows went away");
            last = found.len();
            assert_eq!(found, (0..i64::try_from(last).unwrap()).collect::<Vec<_>>());
        }
        if done {
            break;
        }
    }
    assert_eq!(last, 401);
    writing.await.unwrap();
}

#[tokio::test]
async fn rows_fit_types() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Point {
        #[serde(rename = "_step")]
        step: i64,
        loss: Option<f64>,
    }
    let server = TestServer::open();
    let (_, run) = run_of(
        &server,
        [
            r#"{"_step":1,"loss":0.5}"#,
            r#"{"_step":2,"loss":Infinity}"#,
            r#"{"_step":3}"#,
        ],
    )
    .await;
    let rows: Vec<HistoryRow> = run.scan_history().rows().try_collect().await.unwrap();
    let points: Vec<Point> = rows.iter().map(|row| row.to().unwrap()).collect();
    assert_eq!(
        points[0],
        Point {
            step: 1,
            loss: Some(0.5)
        }
    );
    assert_eq!(points[1].loss, Some(f64::INFINITY));
    assert_eq!(points[2].loss, None);
    assert_eq!(
        rows[0]
            .to::<std::collections::HashMap<String, bool>>()
            .unwrap_err()
            .kind(),
        ErrorKind::InvalidInput
    );
}
