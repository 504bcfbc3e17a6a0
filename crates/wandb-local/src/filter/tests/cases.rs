//! Cases that chance finds seldom, and what is refused.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;

fn with_summaries(values: &[Value]) -> Connection {
    let run = |value: &Value| Run {
        summary: json!({ "x": value }).as_object().unwrap().clone(),
        ..Run::default()
    };
    database(&values.iter().map(run).collect::<Vec<_>>())
}

#[test]
fn no_filter_means_all() {
    for text in [None, Some(""), Some("  "), Some("null"), Some("{}")] {
        assert!(compile_filter(Subject::Runs, text).unwrap().is_none(), "{text:?}");
    }
    let connection = database(&[Run::default()]);
    assert_eq!(filtered(&connection, r#"{"$and":[]}"#), [0]);
    assert_eq!(filtered(&connection, r#"{"$or":[{"$and":[]}]}"#), [0]);
}

#[test]
fn large_integers_compare_exactly() {
    let connection = with_summaries(&[json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0)]);
    assert_eq!(
        filtered(&connection, r#"{"summary_metrics.x":{"$gt":9007199254740992}}"#),
        [0]
    );
    assert_eq!(
        filtered(&connection, r#"{"summary_metrics.x":9007199254740992}"#),
        [1]
    );
    assert_eq!(ordered(&connection, "-summary_metrics.x"), [0, 1]);
    assert_eq!(ordered(&connection, "+summary_metrics.x"), [1, 0]);
}

#[test]
fn non_finite_numbers_are_strings() {
    let connection = with_summaries(&[json!("NaN"), json!(0.5), json!("Infinity")]);
    assert_eq!(filtered(&connection, r#"{"summary_metrics.x":{"$lt":1}}"#), [1]);
    assert_eq!(filtered(&connection, r#"{"summary_metrics.x":NaN}"#), [0]);
    assert_eq!(
        filtered(&connection, r#"{"summary_metrics.x":{"$in":[Infinity, 0.5]}}"#),
        [1, 2]
    );
    for order in ["+summary_metrics.x", "-summary_metrics.x"] {
        assert_eq!(ordered(&connection, order)[0], 1, "a number comes first");
    }
}

#[test]
fn sorts_numbers_and_prefixes_both_ways() {
    let numbers = [
        json!(-2),
        json!(-0.5),
        json!(0),
        json!(0.25),
        json!(3),
        json!(1e300),
    ];
    let texts = [
        json!(""),
        json!("a"),
        json!("a\u{0}"),
        json!("ab"),
        json!("é"),
        json!("\u{10FFFF}"),
    ];
    for values in [&numbers[..], &texts[..]] {
        let connection = with_summaries(values);
        let ascending: Vec<usize> = (0..values.len()).collect();
        assert_eq!(ordered(&connection, "summary_metrics.x"), ascending);
        assert_eq!(
            ordered(&connection, "-summary_metrics.x"),
            ascending.into_iter().rev().collect::<Vec<_>>()
        );
    }
}

#[test]
fn orders_by_several_keys_and_by_columns() {
    let run = |name: &str, group: Option<&str>, lr: f64, created_at| Run {
        name: name.to_owned(),
        group: group.map(str::to_owned),
        config: json!({ "a,b": lr }).as_object().unwrap().clone(),
        created_at,
        ..Run::default()
    };
    let connection = database(&[
        run("x", Some("g"), 1.0, 2),
        run("y", None, 2.0, 1),
        run("z", Some("h"), 1.0, 1),
    ]);
    assert_eq!(ordered(&connection, ""), [1, 2, 0]);
    assert_eq!(ordered(&connection, "-createdAt"), [0, 1, 2]);
    assert_eq!(ordered(&connection, "+group"), [0, 2, 1]);
    assert_eq!(ordered(&connection, "-group"), [2, 0, 1]);
    assert_eq!(ordered(&connection, "+config.a,b.value, -name"), [2, 0, 1]);
    assert_eq!(ordered(&connection, "-config.a,b,+name"), [1, 0, 2]);
    assert!(
        matches!(compile_order(Subject::Runs, Some("+loss")), Err(OrderError::UnknownKey { key }) if key == "loss")
    );
    assert!(matches!(
        compile_order(Subject::Runs, Some("+tags")),
        Err(OrderError::UnknownKey { .. })
    ));
    assert!(
        matches!(compile_order(Subject::Runs, Some("created_at,losss")), Err(OrderError::UnknownKey { key }) if key == "losss")
    );
    assert!(matches!(
        compile_order(Subject::Runs, Some(&"+name,".repeat(33))),
        Err(OrderError::TooLarge { .. })
    ));
}

#[test]
fn errors_name_what_is_wrong() {
    for (filter, message) in [
        (
            "[]",
            r#"the filter must be an object such as {"state": "finished"}"#,
        ),
        (r#"{"$or": {}}"#, "filter operator $or takes a list of filters"),
        (
            r#"{"$or": [null]}"#,
            r#"every branch of $or must be an object such as {"state": "finished"}"#,
        ),
        (r#"{"$where": 1}"#, r#"unknown filter operator "$where""#),
        (
            r#"{"config.lr": {"$gtt": 1}}"#,
            r#"unknown filter operator "$gtt" on "config.lr""#,
        ),
        (
            r#"{"config.lr": {"$gt": 1, "x": 1}}"#,
            r#"unknown filter operator "x" on "config.lr""#,
        ),
        (r#"{"sate": "finished"}"#, r#"unknown filter field "sate""#),
        (r#"{"config.": 1}"#, r#"unknown filter field "config.""#),
        (
            r#"{"state": ["finished"]}"#,
            r#"filter operator $eq on "state" takes a string (for one of several, use $in)"#,
        ),
        (
            r#"{"state": {"$in": "finished"}}"#,
            r#"filter operator $in on "state" takes a list (so does $nin)"#,
        ),
        (
            r#"{"config.lr": {"$gt": [1]}}"#,
            r#"filter operator $gt on "config.lr" takes a number, a string or a boolean"#,
        ),
        (
            r#"{"createdAt": {"$regex": "2024"}}"#,
            r#"filter operator $regex does not apply to "createdAt""#,
        ),
        (
            r#"{"name": {"$regex": "("}}"#,
            r#"invalid regular expression on "name""#,
        ),
        (
            r#"{"name": {"$regex": "(a{1000}){1000}"}}"#,
            r#"invalid regular expression on "name""#,
        ),
        (
            r#"{"keys_info.keys.loss": {"$gt": 1}}"#,
            r#"filter operator $gt does not apply to "keys_info.keys.loss""#,
        ),
        ("{state: 1}", "filter is not valid JSON"),
    ] {
        assert_eq!(
            compile_filter(Subject::Runs, Some(filter))
                .unwrap_err()
                .to_string(),
            message,
            "{filter}"
        );
    }
    for (filter, message) in [
        (
            "{state: 1}",
            "filter is not valid JSON: invalid JSON at byte 1: expected a string",
        ),
        (
            r#"{"name": {"$regex": "("}}"#,
            r#"invalid regular expression on "name": unclosed group"#,
        ),
        (r#"{"sate": 1}"#, r#"unknown filter field "sate""#),
    ] {
        assert_eq!(
            explain(&compile_filter(Subject::Runs, Some(filter)).unwrap_err()),
            message
        );
    }
    let time = compile_filter(Subject::Runs, Some(r#"{"created_at": {"$gt": "yesterday"}}"#)).unwrap_err();
    assert!(
        time.to_string()
            .starts_with(r#"filter operator $gt on "created_at" takes a time"#),
        "{time}"
    );
}

#[test]
fn large_filters_run_and_larger_ones_are_refused() {
    let connection = database(&[Run {
        name: "run-7".to_owned(),
        ..Run::default()
    }]);
    let names: Vec<String> = (0..20_000).map(|index| format!("run-{index}")).collect();
    assert_eq!(
        filtered(&connection, &json!({ "name": { "$in": names } }).to_string()),
        [0]
    );
    let branches = |count| {
        json!({"$or": (0..count).map(|index| json!({"config.a": index})).collect::<Vec<_>>()}).to_string()
    };
    assert_eq!(filtered(&connection, &branches(5_000)), Vec::<usize>::new());
    assert!(matches!(
        compile_filter(Subject::Runs, Some(&branches(5_001))),
        Err(FilterError::TooLarge { .. })
    ));
    let nested = |depth: usize| format!("{}{{}}{}", r#"{"$not":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(filtered(&connection, &nested(64)), [0]);
    assert!(matches!(
        compile_filter(Subject::Runs, Some(&nested(65))),
        Err(FilterError::TooLarge { .. })
    ));
    assert!(compile_filter(Subject::Runs, Some(&nested(100_000))).is_err());
    assert!(compile_filter(Subject::Runs, Some(&r#"{"$not":{"#.repeat(100_000))).is_err());
}
