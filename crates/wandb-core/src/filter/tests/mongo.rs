//! The Mongo-style form: laws, and what each mistake is answered with.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::filter::{
    Filter, FilterErrorKind, MAX_DEPTH, config, created_at, display_name, state, strategies, summary, tags,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn reading_what_was_printed_gives_the_same_filter(filter in strategies::filter()) {
        let json = filter.to_mongo();
        prop_assert_eq!(&Filter::from_mongo(&json).unwrap(), &filter, "{}", json);
        let text = filter.to_mongo_text();
        prop_assert_eq!(&Filter::parse_mongo(&text).unwrap(), &filter, "{}", text);
    }

    #[test]
    fn random_filters_pass_the_check(filter in strategies::filter()) {
        prop_assert!(filter.check().is_ok());
    }

    #[test]
    fn garbage_is_a_filter_or_an_error(text in "[\\[\\]{}:,\"$a-c0-9. ]{0,40}") {
        if let Err(error) = Filter::parse_mongo(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn near_filters_do_not_panic(filter in strategies::filter(), cut in any::<prop::sample::Index>(), put in "[\\[\\]{}:,\"$0n]") {
        let mut text = filter.to_mongo_text();
        let mut place = cut.index(text.len() + 1);
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        text.insert_str(place, &put);
        if let Ok(read) = Filter::parse_mongo(&text) {
            prop_assert_eq!(Filter::from_mongo(&read.to_mongo()).unwrap(), read);
        }
    }
}

#[test]
fn reads_the_examples_of_the_official_documentation() {
    for (json, filter) in [
        (json!({}), Filter::everything()),
        (json!(null), Filter::everything()),
        (
            json!({"config.experiment_name": "foo"}),
            config("experiment_name").eq("foo"),
        ),
        (
            json!({"$or": [{"config.experiment_name": "foo"}, {"config.experiment_name": "bar"}]}),
            config("experiment_name").eq("foo") | config("experiment_name").eq("bar"),
        ),
        (
            json!({"display_name": {"$regex": "^foo.*"}}),
            display_name().matches("^foo.*"),
        ),
        (json!({"tags": {"$in": ["a", "b"]}}), tags().is_in(["a", "b"])),
        (
            json!({"summary_metrics.loss": {"$lt": 0.5}}),
            summary("loss").lt(0.5),
        ),
        // The stored form of a key, and a nested value that is called so too.
        (json!({"config.lr.value": 1}), config("lr").eq(1)),
        (json!({"config.lr.value.value": 1}), config("lr.value").eq(1)),
        (json!({"config.value": 1}), config("value").eq(1)),
        (json!({"config.a.b.value": 1}), config("a.b.value").eq(1)),
        // Several operators and several keys: nothing is dropped.
        (
            json!({"config.lr": {"$gt": 0.1, "$lt": 1}, "state": "finished"}),
            config("lr").gt(0.1) & config("lr").lt(1) & state().eq("finished"),
        ),
        (
            json!({"$nor": [{"state": "failed"}, {"state": "crashed"}]}),
            !(state().eq("failed") | state().eq("crashed")),
        ),
        (json!({"config.lr": {"$not": {"$gt": 1}}}), !config("lr").gt(1)),
        (json!({"$not": {"state": "failed"}}), state().ne("failed")),
        (
            json!({"createdAt": {"$gte": "2024-01-31"}}),
            created_at().gte("2024-01-31"),
        ),
    ] {
        assert_eq!(Filter::from_mongo(&json).unwrap(), filter, "{json}");
    }
}

#[test]
fn prints_the_canonical_form() {
    for (filter, json) in [
        (Filter::everything(), json!({})),
        (state().eq("finished"), json!({"state": "finished"})),
        (
            created_at().gt("2024-01-31") & summary("loss").lt(1),
            json!({"$and": [{"createdAt": {"$gt": "2024-01-31"}}, {"summary_metrics.loss": {"$lt": 1}}]}),
        ),
        (!config("lr").gt(1), json!({"$nor": [{"config.lr": {"$gt": 1}}]})),
        (
            !(config("lr").gt(1) | config("lr").lt(0)),
            json!({"$nor": [{"config.lr": {"$gt": 1}}, {"config.lr": {"$lt": 0}}]}),
        ),
        (config("loss").eq(f64::NAN), json!({"config.loss": "NaN"})),
        (config("big").eq(u64::MAX), json!({"config.big": u64::MAX})),
    ] {
        assert_eq!(filter.to_mongo(), json);
    }
}

#[test]
fn mistakes_name_their_place_and_the_nearest_name() {
    use FilterErrorKind::{
        DuplicateKey, InvalidRegex, InvalidTime, Syntax, UnknownField, UnknownOperator, WrongValue,
    };
    for (text, kind, place, hint) in [
        (
            r#"{"config.lr":{"$gtt":1}}"#,
            UnknownOperator,
            "$.config.lr.$gtt",
            "\"$gt\"",
        ),
        (
            r#"{"config.lr":{"gt":1}}"#,
            UnknownOperator,
            "$.config.lr.gt",
            "\"$gt\"",
        ),
        (
            r#"{"config.optimizer":{"momentum":1}}"#,
            UnknownOperator,
            "$.config.optimizer.momentum",
            "\"config.optimizer.momentum\"",
        ),
        (
            r#"{"name":{"$regex":"a","$options":"i"}}"#,
            UnknownOperator,
            "$.name.$options",
            "(?i)",
        ),
        (r#"{"$an":[]}"#, UnknownOperator, "$.$an", "\"$and\""),
        (r#"{"$gt":1}"#, UnknownOperator, "$.$gt", "behind a field"),
        (
            r#"{"$and":[{"state":"x"},{"Stat":1}]}"#,
            UnknownField,
            "$.$and[1].Stat",
            "\"state\"",
        ),
        (r#"{"lr":0.1}"#, UnknownField, "$.lr", "config.lr"),
        (r#"{"confg.lr":0.1}"#, UnknownField, "$.confg.lr", "\"config.lr\""),
        (r#"{"config":{"lr":1}}"#, UnknownField, "$.config", "config.<key>"),
        (r#"{"id":"x"}"#, UnknownField, "$.id", "\"name\""),
        (r#"{"a key":1}"#, UnknownField, "$[\"a key\"]", "config.a key"),
        (r#"{"state":"a","state":"b"}"#, DuplicateKey, "$.state", "$and"),
        (
            r#"{"config.lr":{"$gt":1,"$gt":2}}"#,
            DuplicateKey,
            "$.config.lr.$gt",
            "$and",
        ),
        (r#"{"state":{"$in":"a"}}"#, WrongValue, "$.state.$in", ""),
        (r#"{"state":{"$exists":"a"}}"#, WrongValue, "$.state.$exists", ""),
        (r#"{"state":{"$gt":null}}"#, WrongValue, "$.state.$gt", ""),
        (r#"{"state":{}}"#, WrongValue, "$.state", ""),
        (r#"{"state":[{"a":1}]}"#, WrongValue, "$.state", ""),
        (r#"{"$or":[]}"#, WrongValue, "$.$or", ""),
        (r#"{"$or":{}}"#, WrongValue, "$.$or", ""),
        (r#"{"$and":[1]}"#, WrongValue, "$.$and[0]", ""),
        (r#"{"name":{"$regex":"("}}"#, InvalidRegex, "$.name.$regex", "RE2"),
        (
            r#"{"createdAt":{"$gt":1706702400}}"#,
            InvalidTime,
            "$.createdAt.$gt",
            "2024-01-31",
        ),
        ("{\"state\":", Syntax, "", ""),
        ("[1]", WrongValue, "", ""),
    ] {
        let error = Filter::parse_mongo(text).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert_eq!(error.json_path().unwrap_or_default(), place, "{text}: {error}");
        assert!(
            error.hints().concat().contains(hint),
            "{text}: {:?}",
            error.hints()
        );
    }
}

#[test]
fn depth_is_limited() {
    let nested = |levels: usize| format!("{}{{}}{}", r#"{"$nor":["#.repeat(levels), "]}".repeat(levels));
    assert!(Filter::parse_mongo(&nested(MAX_DEPTH)).is_ok());
    for levels in [MAX_DEPTH + 1, 80, 5_000] {
        let error = Filter::parse_mongo(&nested(levels)).unwrap_err();
        assert_eq!(error.kind(), FilterErrorKind::TooDeep, "{levels}: {error}");
    }
    let mut deep = state().eq("x");
    for _ in 0..=MAX_DEPTH / 2 {
        deep = (deep & state().exists()) | state().eq("y");
    }
    assert_eq!(deep.check().unwrap_err().kind(), FilterErrorKind::TooDeep);
}

#[test]
fn the_deepest_filter_survives_a_round_trip() {
    let mut value: Json = json!(1);
    for _ in 0..16 {
        value = json!([value]);
    }
    let mut deep = Filter::from_mongo(&json!({"config.x": {"$in": [value]}})).unwrap();
    for _ in 0..MAX_DEPTH / 2 {
        deep = (deep & state().exists()) | state().eq("y");
    }
    assert!(deep.check().is_ok());
    assert_eq!(Filter::parse_mongo(&deep.to_mongo_text()).unwrap(), deep);
}

#[test]
fn raw_json_goes_through_untouched() {
    let raw = json!({"newField": {"$near": [1, {"x": null}]}});
    let filter = Filter::raw_json(raw.clone()).unwrap();
    assert_eq!(filter.to_mongo(), raw);
    assert_eq!(
        (filter & state().eq("finished")).to_mongo(),
        json!({"$and": [raw, {"state": "finished"}]})
    );
    assert_eq!(
        Filter::raw_json(json!([1])).unwrap_err().kind(),
        FilterErrorKind::WrongValue
    );
    assert_eq!(
        Filter::parse_raw_json(r#"{"a":{"b":1,"b":2}}"#)
            .unwrap_err()
            .json_path(),
        Some("$.a.b")
    );
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!({"a": deep});
    }
    assert_eq!(
        Filter::raw_json(deep).unwrap_err().kind(),
        FilterErrorKind::TooDeep
    );
}
