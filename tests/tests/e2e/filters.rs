//! Filters: every form finds the same runs, and this side and the server agree.

use futures_util::TryStreamExt;
use proptest::prelude::*;
use serde_json::json;
use wandb_api::filter::{
    FieldPath, Filter, KeyPath, Literal, Predicate, RunAttribute, Scalar, ServerRules, config, display_name,
    group, metric, state, summary, tags,
};
use wandb_api::value::Map;
use wandb_api::{Api, ErrorKind, Run, Selection, Value};
use wandb_tests::{NewRun, TestServer, encode_row};

use crate::{runner, runtime};

async fn found(api: &Api, filter: Filter) -> String {
    let runs: Vec<Run> = api.runs("p").filter(filter).stream().try_collect().await.unwrap();
    runs.iter().map(|run| run.id.as_str()).collect()
}

#[tokio::test]
async fn every_form_finds_the_same_runs() {
    let server = TestServer::open();
    let mut writer = server
        .log(
            "p",
            NewRun::named("a")
                .set("tags", json!(["x", "deep learning"]))
                .set("groupName", "g")
                .set("displayName", "Größe")
                .config([
                    ("lr", json!(0.1)),
                    ("model", json!({ "depth": 3 })),
                    ("a.b", json!("dotted")),
                ])
                .summary(r#"{"loss": 0.5, "acc": NaN}"#),
        )
        .await;
    writer.history([r#"{"_step":0,"val/loss":1}"#]).await;
    writer.finish(0).await;
    let writer = server
        .log(
            "p",
            NewRun::named("b")
                .set("tags", json!(["y"]))
                .config([
                    ("lr", json!(1)),
                    ("opt", json!("adam")),
                    ("sizes", json!([64, 128])),
                ])
                .summary(r#"{"loss": 2, "acc": 0.9}"#),
        )
        .await;
    writer.finish(1).await;
    server.log("p", NewRun::named("c")).await;
    let api = server.api();

    let cases: [(Filter, &str, serde_json::Value, &str); 18] = [
        (
            display_name().contains("röß"),
            "display_name contains 'röß'",
            json!({ "display_name": { "$contains": "röß" } }),
            "a",
        ),
        (
            config("lr").gt(0.05),
            "config.lr > 0.05",
            json!({ "config.lr": { "$gt": 0.05 } }),
            "ab",
        ),
        (
            config("lr").eq(1.0),
            "config.lr = 1.0",
            json!({ "config.lr": 1.0 }),
            "b",
        ),
        (
            config("lr").ne(1),
            "config.lr != 1",
            json!({ "config.lr": { "$ne": 1 } }),
            "ac",
        ),
        (
            config("model.depth").gte(3),
            "config.model.depth >= 3",
            json!({ "config.model.depth": { "$gte": 3 } }),
            "a",
        ),
        (
            config("a.b").eq("dotted"),
            "config.a.b = 'dotted'",
            json!({ "config.a.b": "dotted" }),
            "a",
        ),
        (
            config("sizes").eq(128),
            "config.sizes = 128",
            json!({ "config.sizes": 128 }),
            "b",
        ),
        (
            config("opt").exists(),
            "config.opt exists",
            json!({ "config.opt": { "$exists": true } }),
            "b",
        ),
        (
            config("opt").is_missing(),
            "config.opt not exists",
            json!({ "config.opt": { "$exists": false } }),
            "ac",
        ),
        (
            summary("loss").lt(1),
            "summary.loss < 1",
            json!({ "summary_metrics.loss": { "$lt": 1 } }),
            "a",
        ),
        (
            summary("acc").eq("NaN"),
            "summary.acc = 'NaN'",
            json!({ "summary_metrics.acc": "NaN" }),
            "a",
        ),
        (
            state().eq("finished"),
            "state = 'finished'",
            json!({ "state": "finished" }),
            "a",
        ),
        (
            state().is_in(["failed", "running"]),
            "state in ['failed', 'running']",
            json!({ "state": { "$in": ["failed", "running"] } }),
            "bc",
        ),
        (
            tags().has("deep learning"),
            "tags has 'deep learning'",
            json!({ "tags": "deep learning" }),
            "a",
        ),
        (
            group().eq(Literal::Null),
            "group is null",
            json!({ "group": null }),
            "bc",
        ),
        (
            display_name().matches("^Gr.+e$"),
            "display_name =~ '^Gr.+e$'",
            json!({ "display_name": { "$regex": "^Gr.+e$" } }),
            "a",
        ),
        (
            metric("val/loss").exists(),
            "keys_info.keys.val/loss exists",
            json!({ "keys_info.keys.val/loss": { "$exists": true } }),
            "a",
        ),
        (
            (config("lr").gt(0) & !state().eq("failed")) | tags().has("y"),
            "(config.lr > 0 and not state = 'failed') or tags has 'y'",
            json!({ "$or": [{ "$and": [{ "config.lr": { "$gt": 0 } }, { "state": { "$ne": "failed" } }] }, { "tags": "y" }] }),
            "ab",
        ),
    ];
    for (built, text, mongo, expected) in cases {
        let from_text = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let from_mongo =
            Filter::parse_any(&mongo.to_string()).unwrap_or_else(|error| panic!("{mongo}: {error}"));
        let raw = Filter::raw_json(mongo.clone()).unwrap();
        for (form, filter) in [
            ("builder", built),
            ("text", from_text),
            ("json", from_mongo),
            ("raw", raw),
        ] {
            assert_eq!(
                api.runs("p").filter(filter.clone()).count().await.unwrap(),
                expected.len() as u64,
                "{form}: {text}"
            );
            assert_eq!(found(&api, filter).await, expected, "{form}: {text}");
        }
    }
    assert_eq!(api.runs("p").count().await.unwrap(), 3);
    assert_eq!(
        api.runs("p").filter(Filter::everything()).count().await.unwrap(),
        3
    );
    assert_eq!(api.runs("p").filter(Filter::nothing()).count().await.unwrap(), 0);
}

#[tokio::test]
async fn mistakes_are_found_without_asking_the_server() {
    for (text, hint) in [
        ("stat = 'x'", "state"),
        (r#"{"config.lr": {"$gtt": 1}}"#, "$gt"),
        (r#"{"summary_metric.loss": 1}"#, "summary_metrics"),
        ("config.lr >", ""),
        (r#"{"config.lr": "#, ""),
    ] {
        let error = wandb_api::Error::from(Filter::parse_any(text).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        let told = format!("{error} {:?}", error.hints());
        assert!(told.contains(hint), "{text}: {told}");
    }
}

#[tokio::test]
async fn what_only_the_server_can_judge_comes_back_in_its_words() {
    let server = TestServer::open();
    server.log("p", NewRun::named("a")).await;
    let raw = Filter::raw_json(json!({ "no_such_field": 1 })).unwrap();
    let error = server.api().runs("p").filter(raw).count().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Server | ErrorKind::InvalidInput),
        "{error:?}"
    );
    assert!(
        error.server_message().unwrap().contains("no_such_field"),
        "{error:?}"
    );
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "a.b", "a.b.c", "value", "a.value", "b.c", "train/loss"]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9_./ \"'\\\\é-]{1,8}",
    ]
}

fn word() -> impl Strategy<Value = String> + Clone {
    prop::sample::select(vec![
        "", "a", "b", "ab", "AB", "running", "finished", "NaN", "é", "x'\"\\",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        3 => (-3_i64..4).prop_map(Value::Int),
        1 => prop::sample::select(vec![0.5, 1.0, -1.5, 1e300, 9_007_199_254_740_992.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(Value::Float),
        3 => word().prop_map(Value::from),
        1 => prop::sample::select(vec![i64::MAX, 9_007_199_254_740_993]).prop_map(Value::Int),
        1 => Just(Value::BigInt("123456789012345678901234567890".into())),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            // Over the hosted rules "or is null" joins negations, which a list with a null in it passes as well.
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| Value::List(items.into_iter().filter(|item| !item.is_null()).collect())),
            prop::collection::vec((key(), inner), 0..3)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

fn map() -> impl Strategy<Value = Map> {
    prop::collection::vec((key(), value()), 0..5).prop_map(|entries| entries.into_iter().collect())
}

/// What is logged as one run.
#[derive(Debug, Clone)]
struct Logged {
    config: Map,
    summary: Map,
    metrics: Vec<String>,
    tags: Vec<String>,
    group: Option<String>,
    notes: Option<String>,
    display_name: Option<String>,
    exit_code: Option<i64>,
}

fn logged() -> impl Strategy<Value = Logged> {
    let text = || prop::option::of(word().prop_filter("an empty text is no value", |text| !text.is_empty()));
    (
        map(),
        map(),
        prop::collection::vec(key(), 0..3),
        prop::collection::btree_set(word(), 0..3),
        (text(), text(), text()),
        prop::option::of(0_i64..2),
    )
        .prop_map(
            |(config, summary, metrics, tags, (group, notes, display_name), exit_code)| Logged {
                config,
                summary,
                metrics,
                tags: tags.into_iter().filter(|tag| !tag.is_empty()).collect(),
                group,
                notes,
                display_name,
                exit_code,
            },
        )
}

fn scalar() -> impl Strategy<Value = Scalar> + Clone {
    prop_oneof![
        1 => any::<bool>().prop_map(Scalar::from),
        3 => (-3_i64..4).prop_map(Scalar::from),
        1 => prop::sample::select(vec![-1.5, 0.0, 0.5, 1.0, 2.0, 1e300, 9_007_199_254_740_992.0]).prop_map(Scalar::from),
        1 => prop::sample::select(vec![i64::MAX, 9_007_199_254_740_993]).prop_map(Scalar::from),
        3 => word().prop_map(Scalar::from),
    ]
}

/// What a column can be compared with: the server refuses lists there.
fn plain_literal() -> impl Strategy<Value = Literal> + Clone {
    prop_oneof![
        1 => Just(Literal::Null),
        6 => scalar().prop_map(Literal::from),
    ]
}

fn literal() -> impl Strategy<Value = Literal> + Clone {
    prop_oneof![
        1 => Just(Literal::Null),
        6 => scalar().prop_map(Literal::from),
        1 => prop::collection::vec(scalar().prop_map(Literal::from), 0..3).prop_map(Literal::List),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "^a.*b$", "(?i)A|b", r"\d+", "", "[ab]{2}", "^$", "é"])
        .prop_map(str::to_owned)
}

fn predicate(literal: impl Strategy<Value = Literal> + Clone + 'static) -> impl Strategy<Value = Predicate> {
    prop_oneof![
        literal.clone().prop_map(Predicate::Eq),
        literal.clone().prop_map(Predicate::Ne),
        scalar().prop_map(Predicate::Gt),
        scalar().prop_map(Predicate::Gte),
        scalar().prop_map(Predicate::Lt),
        scalar().prop_map(Predicate::Lte),
        prop::collection::vec(literal.clone(), 0..4).prop_map(Predicate::In),
        prop::collection::vec(literal, 0..4).prop_map(Predicate::NotIn),
        any::<bool>().prop_map(Predicate::Exists),
        pattern().prop_map(Predicate::Regex),
        // Only words that are no part of another one: the embedded server looks for parts in the elements of lists, too.
        prop::sample::select(vec!["AB", "running", "é"]).prop_map(|part| Predicate::Contains(part.into())),
    ]
}

fn attribute_condition() -> impl Strategy<Value = Filter> {
    let texts = vec![
        RunAttribute::Name,
        RunAttribute::DisplayName,
        RunAttribute::State,
        RunAttribute::Group,
        RunAttribute::JobType,
        RunAttribute::Host,
        RunAttribute::Username,
        RunAttribute::Tags,
        RunAttribute::Notes,
        RunAttribute::Commit,
    ];
    let time = (1_700_000_000_i64..2_000_000_000).prop_map(|seconds| {
        wandb_api::timestamp::Timestamp::from_unix_microseconds(seconds * 1_000_000)
            .unwrap()
            .to_string()
    });
    let time_predicate = prop_oneof![
        time.clone().prop_map(|time| Predicate::Gt(time.into())),
        time.clone().prop_map(|time| Predicate::Lte(time.into())),
        time.prop_map(|time| Predicate::Eq(time.into())),
        Just(Predicate::Ne(Literal::Null)),
        any::<bool>().prop_map(Predicate::Exists),
    ];
    prop_oneof![
        4 => (prop::sample::select(texts), predicate(plain_literal())).prop_map(|(field, predicate)| Filter::condition(field, predicate)),
        1 => (prop::sample::select(vec![RunAttribute::CreatedAt, RunAttribute::HeartbeatAt, RunAttribute::UpdatedAt]), time_predicate)
            .prop_map(|(field, predicate)| Filter::condition(field, predicate)),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let keyed = (key(), any::<bool>(), predicate(literal())).prop_map(|(key, of_config, predicate)| {
        let key = KeyPath::new(key);
        let field = if of_config {
            FieldPath::Config(key)
        } else {
            FieldPath::Summary(key)
        };
        Filter::condition(field, predicate)
    });
    let logged = (key(), any::<bool>()).prop_map(|(key, there)| {
        Filter::condition(FieldPath::KeysInfo(KeyPath::new(key)), Predicate::Exists(there))
    });
    prop_oneof![6 => keyed, 3 => attribute_condition(), 1 => logged].prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::all_of),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::any_of),
            inner.prop_map(|filter| !filter),
        ]
    })
}

/// The law: this side's evaluator and the server's SQL select the same runs.
#[test]
fn the_evaluator_and_the_server_agree() {
    let runtime = runtime();
    let server = runtime.block_on(async { TestServer::open() });
    let mut case = 0;
    let case = std::cell::RefCell::new(&mut case);
    let mut runner = runner(60);
    let runs = prop::collection::vec(logged(), 1..6);
    let filters = prop::collection::vec(filter(), 5);
    runner
        .run(&(runs, filters), |(runs, filters)| {
            let project = {
                let mut case = case.borrow_mut();
                **case += 1;
                format!("project-{case}")
            };
            runtime.block_on(agree(&server, &project, &runs, &filters))
        })
        .unwrap();
}

async fn agree(
    server: &TestServer,
    project: &str,
    logged: &[Logged],
    filters: &[Filter],
) -> Result<(), TestCaseError> {
    for (number, run) in logged.iter().enumerate() {
        let wrapped: Map = run
            .config
            .iter()
            .map(|(key, value)| {
                let inner: Map = [("value".to_owned(), value.clone())].into_iter().collect();
                (key.to_owned(), Value::Map(inner))
            })
            .collect();
        let mut new = NewRun::named(&format!("run-{number}"))
            .set("config", encode_row(wrapped.iter()))
            .set("summaryMetrics", encode_row(run.summary.iter()))
            .set("tags", json!(run.tags));
        for (field, value) in [
            ("groupName", &run.group),
            ("notes", &run.notes),
            ("displayName", &run.display_name),
        ] {
            if let Some(value) = value {
                new = new.set(field, value.as_str());
            }
        }
        let mut writer = server.log(project, new).await;
        if !run.metrics.is_empty() {
            let entries: Map = run
                .metrics
                .iter()
                .map(|key| (key.clone(), Value::Int(1)))
                .collect();
            let step: Map = [("_step".to_owned(), Value::Int(0))]
                .into_iter()
                .chain(entries.into_iter().map(|(key, value)| (key.into(), value)))
                .collect();
            writer.history([encode_row(step.iter())]).await;
        }
        if let Some(exit_code) = run.exit_code {
            writer.finish(exit_code).await;
        }
    }
    let api = server.api();
    // Over rules that trust the server with less, the client asks for more and drops the rest itself.
    let hosted = server
        .builder(server.transport())
        .server_rules(ServerRules::hosted())
        .build();
    let all: Vec<Run> = api
        .runs(project)
        .select(Selection::everything())
        .stream()
        .try_collect()
        .await
        .unwrap();
    prop_assert_eq!(all.len(), logged.len());
    for filter in filters {
        let here: Vec<&str> = all
            .iter()
            .filter(|run| run.matches(filter).unwrap())
            .map(|run| run.id.as_str())
            .collect();
        for (rules, api) in [("exact", &api), ("hosted", &hosted)] {
            let listing = api
                .runs(project)
                .filter(filter.clone())
                .select(Selection::attributes());
            let refused = |error: wandb_api::Error| {
                TestCaseError::fail(format!("{rules}, {}: {error:?}", filter.to_mongo()))
            };
            let count = listing.count().await.map_err(refused)?;
            let there: Vec<Run> = listing
                .page_size(3)
                .stream()
                .try_collect()
                .await
                .map_err(refused)?;
            let there: Vec<&str> = there.iter().map(|run| run.id.as_str()).collect();
            prop_assert_eq!(
                &here,
                &there,
                "this side and the server, {} rules, filter {}",
                rules,
                filter.to_mongo()
            );
            prop_assert_eq!(
                count,
                here.len() as u64,
                "{} rules, filter {}",
                rules,
                filter.to_mongo()
            );
        }
    }
    Ok(())
}
