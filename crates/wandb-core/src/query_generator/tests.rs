//! Laws, results of the official class, and the faults that are mended.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{
    GroupOperator, IgnoreReason, Key, Leaf, LeafOperator, QueryGenerator, QueryGeneratorError, ReportFilter,
    Section, SortKey, SortKeys,
};

fn section() -> impl Strategy<Value = Section> {
    prop::sample::select(vec![
        Section::Config,
        Section::Summary,
        Section::KeysInfo,
        Section::Run,
    ])
}

/// Keys of the canonical form: an attribute of a run does not look like a key of another section, or an operator.
fn key() -> impl Strategy<Value = Key> {
    (section(), "[a-zA-Z_][a-zA-Z0-9_./ -]{0,8}")
        .prop_map(|(section, name)| Key::new(section, name))
        .prop_filter("paths are unambiguous", |key| {
            QueryGenerator::server_path_to_key(&QueryGenerator::key_to_server_path(key)) == *key
        })
}

fn plain() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[ -~]{0,6}".prop_map(Json::from),
    ]
}

fn leaf() -> impl Strategy<Value = ReportFilter> {
    let single = prop::sample::select(vec![
        LeafOperator::Eq,
        LeafOperator::Ne,
        LeafOperator::Gt,
        LeafOperator::Gte,
        LeafOperator::Lt,
        LeafOperator::Lte,
    ]);
    let list = prop::sample::select(vec![LeafOperator::In, LeafOperator::NotIn]);
    prop_oneof![
        (key(), single, plain()).prop_map(|(key, operator, value)| Leaf::new(key, operator, value)),
        (key(), list, prop::collection::vec(plain(), 0..3)).prop_map(|(key, operator, values)| Leaf::new(
            key,
            operator,
            Json::Array(values)
        )),
        (
            key(),
            prop::sample::select(vec![LeafOperator::Eq, LeafOperator::Ne])
        )
            .prop_map(|(key, operator)| Leaf::new(key, operator, Json::Null)),
        (key(), "[a-z^$.]{0,5}").prop_map(|(key, pattern)| Leaf::new(
            key,
            LeafOperator::Regex,
            pattern.into()
        )),
    ]
    .prop_map(ReportFilter::Leaf)
}

fn tree() -> impl Strategy<Value = ReportFilter> {
    leaf().prop_recursive(3, 16, 4, |inner| {
        let operator = prop::sample::select(vec![GroupOperator::And, GroupOperator::Or]);
        (operator, prop::collection::vec(inner, 1..4))
            .prop_map(|(operator, filters)| ReportFilter::Group { operator, filters })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn trees_survive_mongo_and_json(tree in tree()) {
        let generator = QueryGenerator::new();
        let mongo = generator.filter_to_mongo(&tree).unwrap();
        prop_assert!(mongo.ignored.is_empty());
        let json = mongo.json.unwrap();
        let back = generator.mongo_to_filter(&json).unwrap().unwrap();
        prop_assert_eq!(&back, &tree, "{}", json);
        prop_assert_eq!(generator.filter_to_mongo(&back).unwrap().json.unwrap(), json);
        prop_assert_eq!(ReportFilter::from_json(&tree.to_json()).unwrap().unwrap(), tree);
    }

    #[test]
    fn orders_survive(keys in prop::collection::vec((key(), any::<bool>()), 0..4)) {
        let keys = SortKeys {
            keys: keys.into_iter().map(|(key, ascending)| SortKey { key, ascending }).collect(),
        };
        let order = QueryGenerator::keys_to_order(&keys);
        prop_assert_eq!(QueryGenerator::order_to_keys(&order).unwrap(), keys);
    }

    #[test]
    fn paths_survive(path in any::<String>()) {
        prop_assert_eq!(QueryGenerator::key_to_server_path(&QueryGenerator::server_path_to_key(&path)), path);
    }

    #[test]
    fn formatted_order_keys_stay_as_they_are(key in "[+-]?[a-z_.]{0,12}") {
        let formatted = QueryGenerator::format_order_key(&key);
        prop_assert_eq!(QueryGenerator::format_order_key(&formatted), formatted);
    }
}

fn to_mongo(report: &Json) -> Option<Json> {
    let tree = ReportFilter::from_json(report).unwrap()?;
    QueryGenerator::new().filter_to_mongo(&tree).unwrap().json
}

fn leaf_json(section: &str, name: &str, operator: &str, value: &Json) -> Json {
    json!({"key": {"section": section, "name": name}, "op": operator, "value": value})
}

/// Results of `wandb==0.31.0` where they are right.
#[test]
fn filter_to_mongo_agrees_with_the_official_class() {
    let l = leaf_json;
    for (report, mongo) in [
        (
            json!({"op": "OR", "filters": [{"op": "AND", "filters": []}]}),
            json!({"$or": [{"$and": []}]}),
        ),
        (
            json!({"op": "OR", "filters": [{"op": "AND", "filters": [
                l("run", "state", "=", &json!("finished")),
                l("config", "lr", ">", &json!(0.1)),
                l("summary", "loss", "<=", &json!(1)),
            ]}]}),
            json!({"$or": [{"$and": [
                {"state": "finished"}, {"config.lr": {"$gt": 0.1}}, {"summary_metrics.loss": {"$lte": 1}},
            ]}]}),
        ),
        (
            l("keys_info", "acc", "!=", &json!(null)),
            json!({"keys_info.keys.acc": {"$ne": null}}),
        ),
        (
            l("run", "name", "IN", &json!(["a", "b"])),
            json!({"name": {"$in": ["a", "b"]}}),
        ),
        (
            l("run", "name", "NIN", &json!(["a"])),
            json!({"name": {"$nin": ["a"]}}),
        ),
        (
            l("run", "displayName", "REGEX", &json!("^a")),
            json!({"displayName": {"$regex": "^a"}}),
        ),
        (
            l("config", "x", ">=", &json!(2)),
            json!({"config.x": {"$gte": 2}}),
        ),
        (l("config", "x", "<", &json!(2)), json!({"config.x": {"$lt": 2}})),
        (l("tags", "t", "=", &json!(true)), json!({"tags": "t"})),
        (
            l("tags", "t", "=", &json!(false)),
            json!({"$or": [{"tags": null}, {"tags": {"$ne": "t"}}]}),
        ),
        (
            l("tags", "t", "IN", &json!(["a", "b"])),
            json!({"tags": {"$in": ["a", "b"]}}),
        ),
        (l("run", "tags", "=", &json!("x")), json!({"tags": "x"})),
        (l("run", "x", "=", &json!(null)), json!({"x": null})),
    ] {
        assert_eq!(to_mongo(&report), Some(mongo), "{report}");
    }
    let mut disabled = l("run", "state", "=", &json!("x"));
    disabled["disabled"] = json!(true);
    for inactive in [
        disabled,
        l("run", "", "=", &json!("x")),
        l("config", "x", ">", &json!(null)),
        json!({}),
    ] {
        assert_eq!(to_mongo(&inactive), None, "{inactive}");
    }
}

#[test]
fn mongo_to_filter_agrees_with_the_official_class() {
    let l = leaf_json;
    let generator = QueryGenerator::new();
    for (mongo, report) in [
        (
            json!({"$or": [{"$and": []}]}),
            json!({"op": "OR", "filters": [{"op": "AND", "filters": []}]}),
        ),
        (
            json!({"$or": [{"$and": [{"state": "finished"}, {"config.lr": {"$gt": 0.1}}]}]}),
            json!({"op": "OR", "filters": [{"op": "AND", "filters": [
                l("run", "state", "=", &json!("finished")), l("config", "lr", ">", &json!(0.1)),
            ]}]}),
        ),
        (
            json!({"tags": {"$in": ["a"]}}),
            l("run", "tags", "IN", &json!(["a"])),
        ),
        (
            json!({"keys_info.keys.acc": {"$ne": null}}),
            l("keys_info", "acc", "!=", &json!(null)),
        ),
        (
            json!({"name": {"$regex": "a"}}),
            l("run", "name", "REGEX", &json!("a")),
        ),
    ] {
        assert_eq!(
            generator.mongo_to_filter(&mongo).unwrap().unwrap().to_json(),
            report,
            "{mongo}"
        );
    }
    for empty in [json!({}), json!(null)] {
        assert_eq!(generator.mongo_to_filter(&empty).unwrap(), None);
    }
}

#[test]
fn orders_agree_with_the_official_class() {
    for (key, formatted) in [
        ("loss", "-summary_metrics.loss"),
        ("+loss", "+summary_metrics.loss"),
        ("a.b", "-summary_metrics.a.b"),
        ("config.lr", "-config.lr"),
        ("+summary_metrics.loss", "+summary_metrics.loss"),
        ("-tags.x", "-tags.x"),
        ("config", "-summary_metrics.config"),
        // Mended: columns.
        ("createdAt", "-createdAt"),
        ("+name", "+name"),
        ("-updatedAt", "-updatedAt"),
        ("sweep", "-sweep"),
        ("+created_at", "+created_at"),
    ] {
        assert_eq!(QueryGenerator::format_order_key(key), formatted, "{key}");
    }
    let sort: SortKeys = serde_json::from_value(json!({"keys": [
        {"key": {"section": "run", "name": "created_at"}, "ascending": true},
        {"key": {"section": "summary", "name": "loss"}},
    ]}))
    .unwrap();
    assert_eq!(
        QueryGenerator::keys_to_order(&sort),
        ["+created_at", "-summary_metrics.loss"]
    );
    // Mended: the section.
    assert_eq!(
        QueryGenerator::order_to_keys(["+created_at", "-summary_metrics.loss"]).unwrap(),
        sort
    );
    let error = QueryGenerator::order_to_keys(["created_at"]).unwrap_err();
    assert!(matches!(error, QueryGeneratorError::NoDirection { .. }));
    for (path, section, name) in [
        ("config.a.b", Section::Config, "a.b"),
        ("summary_metrics.x", Section::Summary, "x"),
        ("keys_info.keys.y", Section::KeysInfo, "y"),
        ("tags.t", Section::Tags, "t"),
        ("state", Section::Run, "state"),
        ("config.", Section::Config, ""),
        ("summary.x", Section::Run, "summary.x"),
        ("keys_info.z", Section::Run, "keys_info.z"),
    ] {
        assert_eq!(
            QueryGenerator::server_path_to_key(path),
            Key::new(section, name),
            "{path}"
        );
    }
}

#[test]
fn nothing_is_dropped_silently() {
    let l = leaf_json;
    let mut disabled = l("run", "state", "=", &json!("x"));
    disabled["disabled"] = json!(true);
    let tree = json!({"op": "AND", "filters": [
        disabled,
        l("run", "state", "=", &json!("y")),
        {"key": {"section": "run", "name": "name"}, "op": "="},
        l("run", "", "=", &json!(1)),
        {"op": "OR", "filters": []},
    ]});
    let tree = ReportFilter::from_json(&tree).unwrap().unwrap();
    let mongo = QueryGenerator::new().filter_to_mongo(&tree).unwrap();
    assert_eq!(mongo.json, Some(json!({"$and": [{"state": "y"}]})));
    let ignored: Vec<_> = mongo
        .ignored
        .iter()
        .map(|ignored| (ignored.path.as_str(), ignored.reason))
        .collect();
    assert_eq!(
        ignored,
        [
            ("$.filters[0]", IgnoreReason::Disabled),
            ("$.filters[2]", IgnoreReason::NoValue),
            ("$.filters[3]", IgnoreReason::NoName),
            ("$.filters[4]", IgnoreReason::Empty),
        ]
    );

    let generator = QueryGenerator::new();
    for (mongo, report) in [
        (
            json!({"a": {"$gt": 1, "$lt": 2}}),
            json!({"op": "AND", "filters": [
                l("run", "a", ">", &json!(1)), l("run", "a", "<", &json!(2)),
            ]}),
        ),
        (
            json!({"a": 1, "b": 2}),
            json!({"op": "AND", "filters": [
                l("run", "a", "=", &json!(1)), l("run", "b", "=", &json!(2)),
            ]}),
        ),
        (
            json!({"$nor": [{"a": 1}, {"b": {"$in": [2]}}]}),
            json!({"op": "AND", "filters": [
                l("run", "a", "!=", &json!(1)), l("run", "b", "NIN", &json!([2])),
            ]}),
        ),
        (json!({"a": {"$not": {"$eq": 1}}}), l("run", "a", "!=", &json!(1))),
        (json!({"a": {"$eq": 1}}), l("run", "a", "=", &json!(1))),
    ] {
        assert_eq!(
            generator.mongo_to_filter(&mongo).unwrap().unwrap().to_json(),
            report,
            "{mongo}"
        );
    }
}

#[test]
fn tag_leaves_mean_what_they_say() {
    let l = leaf_json;
    let without = json!({"$or": [{"tags": null}, {"tags": {"$ne": "t"}}]});
    for (operator, value, mongo) in [
        ("!=", json!(true), without),
        ("!=", json!(false), json!({"tags": "t"})),
        ("NIN", json!(["a"]), json!({"tags": {"$nin": ["a"]}})),
    ] {
        assert_eq!(
            to_mongo(&l("tags", "t", operator, &value)),
            Some(mongo),
            "{operator}"
        );
    }
    let tree = ReportFilter::from_json(&l("tags", "t", ">", &json!(1)))
        .unwrap()
        .unwrap();
    assert!(matches!(
        QueryGenerator::new().filter_to_mongo(&tree),
        Err(QueryGeneratorError::UnknownOperator { .. })
    ));
}

#[test]
fn mistakes_name_their_place() {
    let l = leaf_json;
    let generator = QueryGenerator::new();
    for (mongo, place) in [
        (json!({"a": {"$exists": true}}), "$.a.$exists"),
        (json!({"$nor": [{"a": {"$gt": 1}}]}), "$.$nor[0].a.$gt"),
        (json!({"a": {"$gtt": 1}}), "$.a.$gtt"),
        (json!({"a": {}}), "$.a"),
        (json!({"$adn": []}), "$.$adn"),
        (json!({"$or": []}), "$.$or"),
        (json!({"$nor": [{}]}), "$.$nor[0]"),
        (json!([]), "$"),
    ] {
        let error = generator.mongo_to_filter(&mongo).unwrap_err();
        assert_eq!(error.path(), Some(place), "{mongo}: {error}");
    }
    for (report, place) in [
        (l("foo", "x", "=", &json!(1)), "$.key.section"),
        (l("run", "x", "??", &json!(1)), "$.op"),
        (json!({"op": "AND", "filters": [{"a": 1}]}), "$.filters[0]"),
        (json!({"key": {"section": "run"}, "op": "="}), "$.key.name"),
        (json!({"key": {"section": "run", "name": "x"}}), "$.op"),
        (json!({"op": "AND", "filters": 1}), "$.filters"),
        (
            json!({"filters": [{"connector": "XOR"}]}),
            "$.filters[0].connector",
        ),
    ] {
        let error = ReportFilter::from_json(&report).unwrap_err();
        assert_eq!(error.path(), Some(place), "{report}: {error}");
    }
    for (report, place) in [
        (l("run", "x", "IN", &json!("a")), "$.value"),
        (l("run", "x", "REGEX", &json!(1)), "$.value"),
        (l("run", "x", "=", &json!({"$gt": 1})), "$.value"),
        (l("run", "createdAt", "WITHINSECONDS", &json!("x")), "$.value"),
        (l("run", "createdAt", "WITHINSECONDS", &json!(1)), "$"),
    ] {
        let tree = ReportFilter::from_json(&report).unwrap().unwrap();
        let error = generator.filter_to_mongo(&tree).unwrap_err();
        assert_eq!(error.path(), Some(place), "{report}: {error}");
    }
}

#[test]
fn depth_is_limited() {
    let mut report = leaf_json("run", "x", "=", &json!(1));
    let mut mongo = json!({"x": 1});
    for _ in 0..60 {
        report = json!({"op": "AND", "filters": [report]});
        mongo = json!({"$and": [mongo]});
    }
    assert!(matches!(
        ReportFilter::from_json(&report),
        Err(QueryGeneratorError::TooDeep { .. })
    ));
    assert!(matches!(
        QueryGenerator::new().mongo_to_filter(&mongo),
        Err(QueryGeneratorError::TooDeep { .. })
    ));
}

#[test]
fn within_seconds_counts_back_from_now() {
    let report = leaf_json("run", "createdAt", "WITHINSECONDS", &json!(90));
    let tree = ReportFilter::from_json(&report).unwrap().unwrap();
    let generator = QueryGenerator::new().with_now("2024-01-31T12:00:00Z".parse().unwrap());
    assert_eq!(
        generator.filter_to_mongo(&tree).unwrap().json,
        Some(json!({"createdAt": {"$gte": "2024-01-31T11:58:30Z"}}))
    );
    let forever = ReportFilter::Leaf(Leaf::new(
        Key::new(Section::Run, "createdAt"),
        LeafOperator::WithinSeconds,
        json!(1e300),
    ));
    assert!(generator.filter_to_mongo(&forever).is_ok());
}
