//! Laws: the SQL agrees with a naive evaluator over trees, and nothing that a client sends makes it fail.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::{Connection, params, params_from_iter};
use serde_json::{Map, Value, json};

use super::error::{FilterError, OrderError};
use super::sql::SqlFragment;
use super::*;

/// A run as the naive evaluator sees it.
#[derive(Debug, Clone, Default)]
struct Run {
    name: String,
    state: String,
    group: Option<String>,
    /// Seconds.
    created_at: i64,
    heartbeat_at: i64,
    tags: Vec<String>,
    keys: BTreeSet<String>,
    config: Map<String, Value>,
    summary: Map<String, Value>,
}

fn database(runs: &[Run]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    register_functions(&connection).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, project_id, name TEXT, display_name TEXT, state TEXT,
               group_name TEXT, job_type TEXT, host TEXT, commit_hash TEXT, program TEXT, repo TEXT, notes TEXT,
               description TEXT, sweep_name TEXT, user_name TEXT, created_at INTEGER, updated_at INTEGER,
               heartbeat_at INTEGER, config_query TEXT, summary_query TEXT);
             CREATE TABLE run_tags (run_id, tag TEXT);
             CREATE TABLE run_keys (run_id, key TEXT);",
        )
        .unwrap();
    for (id, run) in runs.iter().enumerate() {
        let (config, summary) = (
            Value::Object(run.config.clone()),
            Value::Object(run.summary.clone()),
        );
        connection
            .execute(
                "INSERT INTO runs (id, name, display_name, state, group_name, created_at, updated_at, heartbeat_at,
                   config_query, summary_query) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
                params![
                    id as i64,
                    run.name,
                    run.state,
                    run.group,
                    run.created_at * 1_000_000,
                    run.heartbeat_at * 1_000_000,
                    config.to_string(),
                    summary.to_string()
                ],
            )
            .unwrap();
        for tag in &run.tags {
            connection
                .execute("INSERT INTO run_tags VALUES (?, ?)", params![id as i64, tag])
                .unwrap();
        }
        for key in &run.keys {
            connection
                .execute("INSERT INTO run_keys VALUES (?, ?)", params![id as i64, key])
                .unwrap();
        }
    }
    connection
}

fn ids(connection: &Connection, sql: &str, parameters: Vec<rusqlite::types::Value>) -> Vec<usize> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement
        .query_map(params_from_iter(parameters), |row| row.get::<_, i64>(0))
        .unwrap();
    rows.map(|id| id.unwrap() as usize).collect()
}

fn filtered(connection: &Connection, filter: &str) -> Vec<usize> {
    match compile_filter(Subject::Runs, Some(filter)).unwrap() {
        None => ids(connection, "SELECT r.id FROM runs r ORDER BY r.id", Vec::new()),
        Some(SqlFragment { sql, params }) => ids(
            connection,
            &format!("SELECT r.id FROM runs r WHERE {sql} ORDER BY r.id"),
            params,
        ),
    }
}

fn ordered(connection: &Connection, order: &str) -> Vec<usize> {
    let SqlFragment { sql, params } = compile_order(Subject::Runs, Some(order)).unwrap();
    ids(
        connection,
        &format!("SELECT r.id FROM runs r ORDER BY {sql}"),
        params,
    )
}

mod naive {
    //! The rules of the module header, on trees and in the plainest way.

    use super::*;

    pub(super) fn find<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
        object.get(path).or_else(|| {
            path.match_indices('.')
                .find_map(|(at, _)| find(object.get(&path[..at])?.as_object()?, &path[at + 1..]))
        })
    }

    pub(super) fn field(run: &Run, name: &str) -> Option<Value> {
        match name {
            "name" | "display_name" => Some(run.name.clone().into()),
            "state" => Some(run.state.clone().into()),
            "group" => run.group.clone().map(Value::from),
            "createdAt" => Some(run.created_at.into()),
            "duration" => Some((run.heartbeat_at - run.created_at).into()),
            "tags" => Some(run.tags.clone().into()),
            _ if name.starts_with("keys_info.keys.") => run
                .keys
                .contains(&name["keys_info.keys.".len()..])
                .then_some(Value::Bool(true)),
            _ => {
                if let Some(path) = name.strip_prefix("summary_metrics.") {
                    return find(&run.summary, path).cloned();
                }
                let path = name.strip_prefix("config.").unwrap();
                let stripped = || find(&run.config, path.strip_suffix(".value")?);
                find(&run.config, path).or_else(stripped).cloned()
            }
        }
    }

    pub(super) fn matches(run: &Run, filter: &Value) -> bool {
        let all = |list: &Value| list.as_array().unwrap().iter().all(|filter| matches(run, filter));
        let any = |list: &Value| list.as_array().unwrap().iter().any(|filter| matches(run, filter));
        filter
            .as_object()
            .unwrap()
            .iter()
            .all(|(key, value)| match key.as_str() {
                "$and" => all(value),
                "$or" => any(value),
                "$nor" => !any(value),
                "$not" => !matches(run, value),
                name => condition(name, field(run, name).as_ref(), value),
            })
    }

    fn condition(name: &str, found: Option<&Value>, condition: &Value) -> bool {
        let operators = condition
            .as_object()
            .filter(|members| members.keys().any(|key| key.starts_with('$')));
        let Some(operators) = operators else {
            return operator(name, found, "$eq", condition);
        };
        operators.iter().all(|(name_of, operand)| match name_of.as_str() {
            "$not" => !self::condition(name, found, operand),
            "$ne" => !operator(name, found, "$eq", operand),
            "$nin" => !operator(name, found, "$in", operand),
            other => operator(name, found, other, operand),
        })
    }

    fn operator(name: &str, found: Option<&Value>, operator: &str, operand: &Value) -> bool {
        if operator == "$exists" {
            return (name == "tags" || found.is_some()) == (operand == true);
        }
        if operator == "$in" {
            return operand
                .as_array()
                .unwrap()
                .iter()
                .any(|operand| self::operator(name, found, "$eq", operand));
        }
        let operand = if name == "createdAt" {
            seconds(operand)
        } else {
            operand.clone()
        };
        let Some(found) = found else {
            return operand.is_null() && ["$eq", "$gte", "$lte"].contains(&operator);
        };
        if name == "tags" && operand.is_array() {
            let set = |value: &Value| {
                value
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(Value::to_string)
                    .collect::<BTreeSet<_>>()
            };
            return set(found) == set(&operand);
        }
        if operator == "$contains" {
            return match (found, operand.as_str()) {
                (Value::String(text), Some(part)) => text.contains(part),
                (Value::Array(values), _) => values.iter().any(|value| equal(value, &operand)),
                _ => false,
            };
        }
        let test = |value: &Value| match operator {
            "$eq" => equal(value, &operand),
            "$gt" => compare(value, &operand) == Some(Ordering::Greater),
            "$lt" => compare(value, &operand) == Some(Ordering::Less),
            "$gte" => compare(value, &operand).is_some_and(Ordering::is_ge),
            "$lte" => compare(value, &operand).is_some_and(Ordering::is_le),
            // The generated patterns are literal texts behind an anchor.
            "$regex" => value
                .as_str()
                .is_some_and(|text| text.starts_with(&operand.as_str().unwrap()[1..])),
            other => panic!("{other}"),
        };
        test(found) || found.as_array().is_some_and(|values| values.iter().any(test))
    }

    fn seconds(operand: &Value) -> Value {
        match operand.as_str() {
            Some(text) => text[17..19].parse::<i64>().unwrap().into(),
            None => operand.clone(),
        }
    }

    pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
        match (left, right) {
            (Value::Null, Value::Null) => Some(Ordering::Equal),
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }

    fn equal(left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Array(left), Value::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
            }
            (Value::Object(left), Value::Object(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
            }
            _ => compare(left, right) == Some(Ordering::Equal),
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a", "b", "ab", "NaN", "1", "é\"'\\", "x\0y"]).prop_map(str::to_owned)
}

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => (-1..3i64).prop_map(Value::from),
        2 => select(vec![0.5, 1.0, -0.0, 2.0e10]).prop_map(Value::from),
        2 => text().prop_map(Value::from),
    ]
    .boxed()
}

fn path() -> BoxedStrategy<String> {
    select(vec!["a", "b", "a.b", "a.b.a", "a.value", "b.a.value", "\"q'.x"])
        .prop_map(str::to_owned)
        .boxed()
}

fn tree() -> BoxedStrategy<Value> {
    let tree = scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(path(), inner, 0..3).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    tree.boxed()
}

fn document() -> impl Strategy<Value = Map<String, Value>> {
    btree_map(path(), tree(), 0..4).prop_map(|members| members.into_iter().collect())
}

prop_compose! {
    fn run()(
        name in text(), state in text(), group in proptest::option::of(text()), created_at in 0..3i64, ran in 0..3i64,
        tags in btree_set(text(), 0..3), keys in btree_set(path(), 0..3), config in document(), summary in document(),
    ) -> Run {
        let tags = tags.into_iter().collect();
        Run { name, state, group, created_at, heartbeat_at: created_at + ran, tags, keys, config, summary }
    }
}

/// Conditions on a field of a kind, given its operands: bare, with one or two operators, negated.
fn conditions(
    name: BoxedStrategy<String>,
    operand: BoxedStrategy<Value>,
    comparable: BoxedStrategy<Value>,
    texts: bool,
) -> BoxedStrategy<Value> {
    let one = prop_oneof![
        (select(vec!["$eq", "$ne"]), operand.clone()).boxed(),
        (select(vec!["$gt", "$gte", "$lt", "$lte"]), comparable).boxed(),
        (
            select(vec!["$in", "$nin"]),
            vec(operand.clone(), 0..4).prop_map(Value::from)
        )
            .boxed(),
        (Just("$exists"), any::<bool>().prop_map(Value::from)).boxed(),
    ];
    let one = match texts {
        false => one.boxed(),
        true => prop_oneof![
            4 => one,
            1 => (Just("$contains"), text().prop_map(Value::from)),
            1 => (Just("$regex"), select(vec!["^", "^a", "^ab", "^é", "^N"]).prop_map(Value::from)),
        ]
        .boxed(),
    };
    let operators = vec(one, 1..3).prop_map(|operators| {
        Value::Object(
            operators
                .into_iter()
                .map(|(name, operand)| (name.to_owned(), operand))
                .collect(),
        )
    });
    let condition = prop_oneof![
        2 => operand.prop_filter("an empty object of operators is a value", |value| !value.is_object()),
        5 => operators.clone(),
        1 => operators.prop_map(|operators| json!({ "$not": operators })),
    ];
    (name, condition)
        .prop_map(|(name, condition)| json!({ name: condition }))
        .boxed()
}

fn filter() -> impl Strategy<Value = Value> {
    let names = |names: Vec<&'static str>| select(names).prop_map(str::to_owned).boxed();
    let time = prop_oneof![
        (0..4i64).prop_map(Value::from),
        (0..4i64).prop_map(|second| format!("1970-01-01T00:00:{second:02}Z").into()),
        Just(Value::Null),
    ]
    .boxed();
    let logged = (path(), any::<bool>())
        .prop_map(|(key, exists)| json!({format!("keys_info.keys.{key}"): {"$exists": exists}}));
    let tag_operand = prop_oneof![4 => scalar(), 1 => vec(text(), 0..3).prop_map(Value::from)];
    let leaf = prop_oneof![
        3 => conditions(names(vec!["name", "state", "group", "display_name"]), scalar(), scalar(), true),
        1 => conditions(names(vec!["createdAt"]), time.clone(), time, false),
        1 => conditions(names(vec!["duration"]), scalar(), scalar(), false),
        2 => conditions(names(vec!["tags"]), scalar(), scalar(), true),
        1 => (Just("tags"), tag_operand).prop_map(|(name, operand)| json!({ name: operand })),
        1 => logged,
        4 => conditions(path().prop_map(|path| format!("config.{path}")).boxed(), tree(), scalar(), true),
        4 => conditions(path().prop_map(|path| format!("summary_metrics.{path}")).boxed(), tree(), scalar(), true),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (select(vec!["$and", "$or", "$nor"]), vec(inner.clone(), 0..3))
                .prop_map(|(operator, filters)| json!({ operator: filters })),
            inner.clone().prop_map(|filter| json!({ "$not": filter })),
            (inner.clone(), inner).prop_map(|(left, right)| {
                let mut members = left.as_object().unwrap().clone();
                members.extend(right.as_object().unwrap().clone());
                Value::Object(members)
            }),
        ]
    })
}

/// Filters of the right tokens in any arrangement.
fn garbage() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        select(vec![
            "$and",
            "$or",
            "$nor",
            "$not",
            "$eq",
            "$ne",
            "$gt",
            "$gte",
            "$lt",
            "$lte",
            "$in",
            "$nin",
            "$exists",
            "$regex",
            "$contains",
            "$where",
            "name",
            "tags",
            "createdAt",
            "duration",
            "config.a",
            "summary_metrics.a",
            "config.",
            "keys_info.keys.a",
            "",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    scalar().prop_recursive(5, 32, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(key.clone(), inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn sql_agrees_with_the_rules(runs in vec(run(), 1..6), filters in vec(filter(), 1..6)) {
        let connection = database(&runs);
        for filter in filters {
            let expected: Vec<usize> = (0..runs.len()).filter(|&id| naive::matches(&runs[id], &filter)).collect();
            prop_assert_eq!(filtered(&connection, &filter.to_string()), expected, "{}", filter);
        }
    }

    #[test]
    fn whatever_compiles_runs(filter in garbage()) {
        let connection = database(&[Run::default()]);
        if compile_filter(Subject::Runs, Some(&filter.to_string())).is_ok() {
            filtered(&connection, &filter.to_string());
        }
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in "\\PC{0,40}") {
        let _ = compile_filter(Subject::Runs, Some(&text));
        let _ = compile_order(Subject::Runs, Some(&text));
    }

    #[test]
    fn orders_by_type_then_value(runs in vec(run(), 1..8), path in path(), descending in any::<bool>()) {
        let class = |value: &Option<Value>| match value {
            Some(Value::Number(_)) => 0,
            Some(Value::String(_)) => 1,
            Some(Value::Bool(_)) => 2,
            Some(Value::Array(_) | Value::Object(_)) => 3,
            None | Some(Value::Null) => 4,
        };
        let name = format!("summary_metrics.{path}");
        let mut expected: Vec<usize> = (0..runs.len()).collect();
        expected.sort_by(|&left, &right| {
            let key = |id: usize| naive::field(&runs[id], &name);
            let (left_key, right_key) = (key(left), key(right));
            let within = match (&left_key, &right_key) {
                (Some(left), Some(right)) => naive::compare(left, right).unwrap_or(Ordering::Equal),
                _ => Ordering::Equal,
            };
            class(&left_key).cmp(&class(&right_key))
                .then(if descending { within.reverse() } else { within })
                .then(runs[left].created_at.cmp(&runs[right].created_at))
                .then(left.cmp(&right))
        });
        let sign = if descending { "-" } else { "+" };
        prop_assert_eq!(ordered(&database(&runs), &format!("{sign}{name}")), expected);
    }
}

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
