//! Random filters over random runs.

use std::cmp::Ordering;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::super::*;
use super::{Run, database, filtered, naive, ordered};

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
