//! Random filters and runs for the laws.

use std::{borrow::Cow, collections::BTreeMap};

use proptest::prelude::*;

use super::{Evaluator, FieldPath, Filter, KeyPath, Literal, Predicate, RunAttribute, RunDocument, Scalar};
use crate::value::{Map, Value};

/// Keys from a small alphabet, so that random filters meet random runs, and from a wild one.
pub(crate) fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "a.b", "a.b.c", "value", "a.value", "b.c"]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9_./ \"'\\\\é-]{1,8}",
        1 => any::<String>().prop_filter("keys are not empty", |key| !key.is_empty()),
    ]
}

pub(crate) fn field() -> impl Strategy<Value = FieldPath> {
    prop_oneof![
        2 => prop::sample::select(RunAttribute::ALL.to_vec()).prop_map(FieldPath::Attribute),
        4 => key().prop_map(|key| FieldPath::Config(KeyPath::new(key))),
        2 => key().prop_map(|key| FieldPath::Summary(KeyPath::new(key))),
        1 => key().prop_map(|key| FieldPath::KeysInfo(KeyPath::new(key))),
    ]
}

pub(crate) fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::from),
        (-3_i64..4).prop_map(Scalar::from),
        any::<i64>().prop_map(Scalar::from),
        any::<u64>().prop_map(Scalar::from),
        prop::sample::select(vec![-1.5, 0.0, -0.0, 0.5, 1.0, 2.0, 1e300, 9007199254740993.0])
            .prop_map(Scalar::from),
        any::<f64>().prop_map(Scalar::from),
        prop::sample::select(vec!["", "a", "b", "ab", "running", "NaN"]).prop_map(Scalar::from),
        any::<String>().prop_map(Scalar::from),
    ]
}

pub(crate) fn literal() -> impl Strategy<Value = Literal> {
    let leaf = prop_oneof![1 => Just(Literal::Null), 6 => scalar().prop_map(Literal::from)];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(Literal::List)
    })
}

fn time() -> impl Strategy<Value = String> {
    (0_i64..4_000_000).prop_map(|seconds| jiff::Timestamp::from_second(seconds * 1000).unwrap().to_string())
}

fn pattern() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "^a.*b$", "(?i)A|b", r"\d+", "", "[ab]{2}"]).prop_map(str::to_owned)
}

fn predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        literal().prop_map(Predicate::Eq),
        literal().prop_map(Predicate::Ne),
        scalar().prop_map(Predicate::Gt),
        scalar().prop_map(Predicate::Gte),
        scalar().prop_map(Predicate::Lt),
        scalar().prop_map(Predicate::Lte),
        prop::collection::vec(literal(), 0..4).prop_map(Predicate::In),
        prop::collection::vec(literal(), 0..4).prop_map(Predicate::NotIn),
        any::<bool>().prop_map(Predicate::Exists),
        pattern().prop_map(Predicate::Regex),
        scalar().prop_map(Predicate::Contains),
    ]
}

fn time_predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        time().prop_map(|time| Predicate::Eq(time.into())),
        Just(Predicate::Ne(Literal::Null)),
        time().prop_map(|time| Predicate::Gt(time.into())),
        time().prop_map(|time| Predicate::Lte(time.into())),
        prop::collection::vec(time(), 0..3)
            .prop_map(|times| Predicate::In(times.into_iter().map(Into::into).collect())),
        any::<bool>().prop_map(Predicate::Exists),
    ]
}

pub(crate) fn condition() -> impl Strategy<Value = Filter> {
    (field(), predicate(), time_predicate()).prop_map(|(field, predicate, time_predicate)| {
        let predicate = if field.is_time() {
            time_predicate
        } else {
            predicate
        };
        Filter::condition(field, predicate)
    })
}

/// Filters that pass [`Filter::check`] and hold no raw part.
pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![20 => condition(), 1 => Just(Filter::everything())].prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::all_of),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::any_of),
            inner.prop_map(|filter| !filter),
        ]
    })
}

/// Filters that can be evaluated on this side.
pub(crate) fn local_filter() -> impl Strategy<Value = Filter> {
    filter().prop_filter("only the server knows the artifacts of a run", |filter| {
        Evaluator::new(filter).is_ok()
    })
}

/// A run made of plain parts.
#[derive(Debug, Clone)]
pub(crate) struct TestRun {
    pub(crate) attributes: BTreeMap<RunAttribute, Value>,
    pub(crate) config: Map,
    pub(crate) summary: Map,
    pub(crate) metrics: Vec<String>,
}

impl RunDocument for TestRun {
    fn attribute(&self, attribute: RunAttribute) -> Option<Cow<'_, Value>> {
        self.attributes.get(&attribute).map(Cow::Borrowed)
    }

    fn config(&self) -> &Map {
        &self.config
    }

    fn summary(&self) -> &Map {
        &self.summary
    }

    fn has_metric(&self, name: &str) -> bool {
        self.metrics.iter().any(|metric| metric == name)
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3_i64..4).prop_map(Value::Int),
        prop::sample::select(vec![0.5, 1.0, -1.5, 1e300, f64::NAN, f64::INFINITY]).prop_map(Value::Float),
        prop::sample::select(vec!["", "a", "b", "ab", "running", "NaN"]).prop_map(Value::from),
        Just(Value::BigInt("123456789012345678901234567890".into())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            map_of(inner).prop_map(Value::Map),
        ]
    })
}

fn map_of(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
    prop::collection::vec((key(), values), 0..4).prop_map(|entries| entries.into_iter().collect())
}

/// Runs whose keys and values meet those of [`filter`].
pub(crate) fn run() -> impl Strategy<Value = TestRun> {
    let attribute = prop::sample::select(RunAttribute::ALL.to_vec()).prop_flat_map(|attribute| {
        let value = if attribute.is_time() {
            time().prop_map(Value::from).boxed()
        } else {
            value().boxed()
        };
        (Just(attribute), value)
    });
    (
        prop::collection::vec(attribute, 0..8),
        map_of(value()),
        map_of(value()),
        prop::collection::vec(key(), 0..3),
    )
        .prop_map(|(attributes, config, summary, metrics)| TestRun {
            attributes: attributes.into_iter().collect(),
            config,
            summary,
            metrics,
        })
}
