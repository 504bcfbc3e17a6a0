//! Runs are created, changed by several writers, ended and deleted; files go up and come down.

use std::time::Duration;

use futures_util::TryStreamExt;
use proptest::prelude::*;
use serde_json::json;
use wandb_api::value::Map;
use wandb_api::{Api, ConsoleLogLine, ErrorKind, File, UpdatableState, Value, WaitOptions};
use wandb_tests::{NewRun, TestServer};

use crate::{runner, runtime};

/// What an SDK leaves in a config: wrappers, a description, W&B's own keys, and a value of an old writer without wrapper.
const CONFIG: &str = r#"{"lr":{"value":0.1,"desc":"the rate"},"model":{"value":{"depth":3,"width":8}},
    "_wandb":{"value":{"t":{"1":[1,5]},"m":[]}},"wandb_version":1,"plain":7}"#;

async fn new_run(server: &TestServer, name: &str) {
    let run = NewRun::named(name)
        .set("config", CONFIG)
        .summary(r#"{"acc":0.5,"nan":NaN,"deep":{"a":1}}"#)
        .set("tags", json!(["a"]));
    server.log("p", run).await;
}

fn raw(text: Option<&str>) -> Value {
    Value::parse(text.expect("a whole run was read")).unwrap()
}

#[tokio::test]
async fn only_what_was_touched_changes() {
    let server = TestServer::open();
    new_run(&server, "r").await;
    let (api, counting) = server.counted();
    let run = api.run("p/r").await.unwrap();
    counting.reset();
    let run = run
        .edit()
        .config("lr", 0.2)
        .config_path(["model", "depth"], 4)
        .config("new.dotted", vec![1, 2])
        .remove_config(["plain"])
        .summary("best", f64::INFINITY)
        .summary_path(["deep", "b"], 2)
        .remove_summary(["acc"])
        .add_tag("b")
        .remove_tag("a")
        .notes("n")
        .display_name("shown")
        .group("g")
        .job_type("j")
        .save()
        .await
        .unwrap();
    assert_eq!(counting.count("UpsertBucket"), 0);
    assert_eq!(counting.count("WbPatchRun"), 1);
    let expected = Value::parse(
        r#"{"lr":{"value":0.2,"desc":"the rate"},"model":{"value":{"depth":4,"width":8}},
        "_wandb":{"value":{"t":{"1":[1,5]},"m":[]}},"wandb_version":1,"new.dotted":{"value":[1,2]}}"#,
    )
    .unwrap();
    assert!(raw(run.raw_config()).same_as(&expected), "{:?}", run.raw_config());
    let expected = Value::parse(r#"{"nan":NaN,"deep":{"a":1,"b":2},"best":Infinity}"#).unwrap();
    assert!(
        raw(run.raw_summary()).same_as(&expected),
        "{:?}",
        run.raw_summary()
    );
    assert_eq!(run.tags, ["b"]);
    assert_eq!((run.name.as_str(), run.notes.as_deref()), ("shown", Some("n")));
    assert_eq!(
        (run.group.as_deref(), run.job_type.as_deref()),
        (Some("g"), Some("j"))
    );
    assert_eq!(run.state, "running");

    // A value is replaced as a whole; a config key keeps its description.
    let run = run
        .edit()
        .config_path(["model"], Map::new())
        .tags(["x", "y"])
        .save()
        .await
        .unwrap();
    assert!(
        raw(run.raw_config())
            .as_map()
            .unwrap()
            .get("model")
            .unwrap()
            .same_as(&Value::parse(r#"{"value":{}}"#).unwrap())
    );
    assert_eq!(run.tags, ["x", "y"]);
}

#[tokio::test]
async fn writers_of_different_keys_all_survive() {
    let server = TestServer::open();
    new_run(&server, "r").await;
    let api = server.api();
    let run = api.run("p/r").await.unwrap();
    let writers = (0..24).map(|writer| {
        let run = run.clone();
        async move {
            // Each from the same, by then old, snapshot.
            let edit = run
                .edit()
                .config(format!("c{writer}"), writer)
                .config_path(["model".to_owned(), format!("m{writer}")], writer)
                .summary(format!("s{writer}"), writer)
                .add_tag(format!("t{writer}"));
            edit.save().await.unwrap();
        }
    });
    futures_util::future::join_all(writers).await;
    let run = api.run("p/r").await.unwrap();
    for writer in 0..24 {
        let wanted = Value::Int(writer);
        assert_eq!(run.config().unwrap().get(&format!("c{writer}")), Some(&wanted));
        assert_eq!(
            run.config().unwrap().get_path(&format!("model.m{writer}")),
            Some(&wanted)
        );
        assert_eq!(run.summary().unwrap().get(&format!("s{writer}")), Some(&wanted));
        assert!(run.tags.contains(&format!("t{writer}")));
    }
    assert_eq!(
        run.config().unwrap().get_path("model.width"),
        Some(&Value::Int(8))
    );
}

#[tokio::test]
async fn of_writers_under_a_condition_one_wins() {
    let server = TestServer::open();
    new_run(&server, "r").await;
    let api = server.api();
    let run = api.run("p/r").await.unwrap();
    let writers = (0..12).map(|writer| {
        let run = run.clone();
        async move { run.edit().config("winner", writer).if_unchanged().save().await }
    });
    let results = futures_util::future::join_all(writers).await;
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 11));
    for error in lost {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    }
    // From a fresh snapshot it goes.
    let run = run.reload().await.unwrap();
    run.edit()
        .config("winner", "me")
        .if_unchanged()
        .save()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_summary_keeps_what_others_wrote() {
    let server = TestServer::open();
    new_run(&server, "r").await;
    let api = server.api();
    let run = api.run("p/r").await.unwrap();
    let mut summary = run.edit_summary().unwrap();
    summary.set("mine", 1);
    run.edit().summary("theirs", 2).save().await.unwrap();
    summary.commit().await.unwrap();
    assert_eq!(summary.get("theirs"), Some(&Value::Int(2)));
    assert_eq!(summary.get("mine"), Some(&Value::Int(1)));
}

#[tokio::test]
async fn a_run_is_created_ended_and_deleted() {
    let server = TestServer::open();
    let api = server.api();
    let run = api
        .create_run("new-project")
        .id("mine")
        .display_name("shown")
        .config("lr", 0.1)
        .summary("acc", 1)
        .tag("t")
        .notes("n")
        .create()
        .await
        .unwrap();
    assert_eq!(
        (run.id.as_str(), run.name.as_str(), run.state.as_str()),
        ("mine", "shown", "running")
    );
    assert_eq!(run.config().unwrap().get("lr"), Some(&Value::Float(0.1)));
    let error = api
        .create_run("new-project")
        .id("mine")
        .create()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let other = api.create_run("new-project").create().await.unwrap();
    assert_eq!(other.id.len(), 8);

    run.stop().await.unwrap();
    let failed = run.update_state(UpdatableState::Failed).await.unwrap();
    assert_eq!(failed.state, "failed");
    let over = failed.wait_until_finished(&WaitOptions::default()).await.unwrap();
    assert_eq!(over.state, "failed");
    let running = WaitOptions::default().timeout(Duration::from_secs(60));
    assert_eq!(
        other.wait_until_finished(&running).await.unwrap_err().kind(),
        ErrorKind::Timeout
    );

    run.delete(false).await.unwrap();
    assert_eq!(run.reload().await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        other.edit().notes("x").save().await.unwrap().notes.as_deref(),
        Some("x")
    );
}

#[tokio::test]
async fn files_go_up_and_come_down() {
    let server = TestServer::open();
    new_run(&server, "r").await;
    let (api, counting) = server.counted();
    let run = api.run("p/r").await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    std::fs::create_dir(directory.path().join("sub")).unwrap();
    for (name, size) in [("a.txt", 0), ("sub/b ü#%.bin", 3_000_000), ("c", 1)] {
        let path = directory.path().join(name);
        let bytes: Vec<u8> = (0..size).map(|place: usize| (place % 251) as u8).collect();
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    counting.reset();
    let files = run.upload_files(&paths, directory.path()).await.unwrap();
    assert_eq!(counting.count("CreateRunFiles"), 1);
    assert_eq!(counting.count("PUT"), 3);
    for (file, path) in files.iter().zip(&paths) {
        let bytes = file.bytes(10 << 20).await.unwrap();
        assert_eq!(bytes, std::fs::read(path).unwrap(), "{}", file.name);
    }
    let safe = run
        .upload_file(directory.path().join("c"), directory.path().join("sub"))
        .await
        .unwrap();
    assert_eq!(safe.name, "__/c");

    files[0].delete().await.unwrap();
    run.delete_files(&files[1..]).await.unwrap();
    let left: Vec<File> = run.files().stream().try_collect().await.unwrap();
    let names: Vec<&str> = left.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["__/c"]);
}

#[tokio::test]
async fn metadata_and_console() {
    let server = TestServer::open();
    let writer = server.log("p", NewRun::named("r")).await;
    let api = server.api();
    let run = api.run("p/r").await.unwrap();
    assert_eq!(run.metadata().await.unwrap(), None);
    writer
        .upload("wandb-metadata.json", r#"{"program": "train.py"}"#)
        .await;
    let metadata = run.metadata().await.unwrap().unwrap();
    assert_eq!(metadata.get("program").unwrap().as_str(), Some("train.py"));

    let lines: Vec<String> = (0..25).map(|line| format!("line {line}\n")).collect();
    writer
        .stream(json!({"files": {"output.log": {"offset": 0, "content": lines}}}))
        .await;
    let read = |logs: wandb_api::ConsoleLogs| async move {
        let lines: Vec<ConsoleLogLine> = logs.stream().try_collect().await.unwrap();
        lines
            .into_iter()
            .map(|line| line.content.trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    let all = read(run.console_logs().page_size(10)).await;
    assert_eq!(all.len(), 25, "{all:?}");
    assert_eq!(all[24], "line 24");
    assert_eq!(read(run.console_logs().last(2)).await, ["line 23", "line 24"]);
}

#[derive(Debug, Clone)]
struct Change {
    path: Vec<String>,
    value: Option<Value>,
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        "[ -~é\u{1F600}]{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec(("[ab.\"é]{1,2}", inner), 0..3)
                .prop_map(|members| Value::Map(members.into_iter().collect())),
        ]
    })
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let path = prop::collection::vec("[ab.\"é]{1,2}", 1..4);
    prop::collection::vec(
        (path, prop::option::of(values())).prop_map(|(path, value)| Change { path, value }),
        1..5,
    )
}

/// The same change on plain values: what a user expects.
fn expected(map: &mut Map, path: &[String], value: Option<&Value>) -> bool {
    let (first, rest) = path.split_first().unwrap();
    if rest.is_empty() {
        match value {
            Some(value) => map.insert(first.as_str(), value.clone()),
            None => drop(map.remove(first)),
        }
        return true;
    }
    match map.get(first).cloned() {
        Some(Value::Map(mut inner)) => {
            let fits = expected(&mut inner, rest, value);
            map.insert(first.as_str(), inner);
            fits
        }
        None if value.is_none() => true,
        None => {
            let mut inner = Map::new();
            let fits = expected(&mut inner, rest, value);
            map.insert(first.as_str(), inner);
            fits
        }
        Some(_) => value.is_none(),
    }
}

async fn check(api: &Api, config: bool, changes: &[Change]) -> Result<(), TestCaseError> {
    let run = api.run("p/r").await.unwrap();
    let before = if config { run.config() } else { run.summary() }.unwrap().clone();
    let mut model = before.clone();
    let mut fits = true;
    let mut edit = run.edit();
    for Change { path, value } in changes {
        fits &= expected(&mut model, path, value.as_ref());
        edit = match (config, value) {
            (true, Some(value)) => edit.config_path(path.clone(), value.clone()),
            (true, None) => edit.remove_config(path.clone()),
            (false, Some(value)) => edit.summary_path(path.clone(), value.clone()),
            (false, None) => edit.remove_summary(path.clone()),
        };
    }
    match edit.save().await {
        Ok(run) => {
            let after = if config { run.config() } else { run.summary() }.unwrap().clone();
            if fits {
                let (after, model) = (Value::Map(after), Value::Map(model));
                prop_assert!(after.same_as(&model), "{} where {} was expected", after, model);
            }
            Ok(())
        }
        Err(error) => {
            prop_assert!(!fits, "{error:?}");
            prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let now = run.reload().await.unwrap();
            let now = if config { now.config() } else { now.summary() }.unwrap().clone();
            prop_assert!(
                Value::Map(now).same_as(&Value::Map(before)),
                "a refused edit changes nothing"
            );
            Ok(())
        }
    }
}

#[test]
fn any_edit_does_what_it_says() {
    let runtime = runtime();
    let server = TestServer::open();
    let api = server.api();
    runtime.block_on(new_run(&server, "r"));
    runner(60)
        .run(
            &(any::<bool>(), changes(), values()),
            |(config, changes, start)| {
                runtime.block_on(async {
                    let run = api.run("p/r").await.unwrap();
                    // Somewhere to start from.
                    run.edit()
                        .config("a", start.clone())
                        .summary("a", start)
                        .save()
                        .await
                        .unwrap();
                    check(&api, config, &changes).await
                })
            },
        )
        .unwrap();
}
