//! Any JSON is a filter or an error, for every reader.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{
    filter::Filter,
    query_generator::{QueryGenerator, ReportFilter},
};

/// JSON made of the words that the readers know, so that most of it is nearly a filter.
fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        prop::sample::select(vec![
            "AND",
            "OR",
            "=",
            "!=",
            "IN",
            ">",
            "WITHINSECONDS",
            "run",
            "tags",
            "config",
            "",
            "("
        ])
        .prop_map(Json::from),
    ];
    let key = prop::sample::select(vec![
        "$and",
        "$or",
        "$nor",
        "$not",
        "$in",
        "$gt",
        "$regex",
        "$exists",
        "state",
        "config.a",
        "createdAt",
        "op",
        "filters",
        "key",
        "section",
        "name",
        "value",
        "disabled",
        "connector",
        "x",
    ]);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec((key.clone(), inner.clone()), 0..4).prop_map(|members| Json::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
            (inner.clone(), inner.clone(), inner).prop_map(|(section, operator, value)| {
                json!({"key": {"section": section, "name": "state"}, "op": operator, "value": value})
            }),
        ]
    })
}

/// Whether every group holds filters, and every `$or` at least one.
fn groups_are_whole(mongo: &Json) -> bool {
    let Json::Object(members) = mongo else {
        return false;
    };
    members.iter().all(|(name, value)| match (name.as_str(), value) {
        ("$and", Json::Array(items)) => items.iter().all(groups_are_whole),
        ("$or", Json::Array(items)) => !items.is_empty() && items.iter().all(groups_are_whole),
        (name, _) => !name.starts_with('$'),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_reader_is_total(json in json_value()) {
        let generator = QueryGenerator::new();
        if let Ok(filter) = Filter::from_mongo(&json) {
            prop_assert_eq!(Filter::from_mongo(&filter.to_mongo()).unwrap(), filter);
        }
        if let Ok(filter) = Filter::raw_json(json.clone()) {
            prop_assert_eq!(&filter.to_mongo(), &json);
        }
        if let Ok(reading) = Filter::from_report(&json) {
            prop_assert!(reading.filter.check().is_ok());
        }
        if let Ok(Some(tree)) = ReportFilter::from_json(&json) {
            prop_assert_eq!(ReportFilter::from_json(&tree.to_json()).unwrap(), Some(tree.clone()));
            // What a server could not read is an error here, and not sent.
            if let Ok(mongo) = generator.filter_to_mongo(&tree)
                && let Some(mongo) = mongo.json
            {
                prop_assert!(groups_are_whole(&mongo), "{}", mongo);
            }
        }
        if let Ok(Some(tree)) = generator.mongo_to_filter(&json) {
            prop_assert!(generator.filter_to_mongo(&tree).is_ok(), "{:?}", tree);
        }
    }
}
