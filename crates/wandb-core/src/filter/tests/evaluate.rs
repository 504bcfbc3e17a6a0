//! The evaluator: the table of the module's documentation, and the algebra.

use proptest::prelude::*;

use crate::{
    filter::{
        Evaluator, Filter, FilterErrorKind, RunAttribute,
        strategies::{self, TestRun},
    },
    value::Value,
};

fn run() -> TestRun {
    let config = Value::parse(
        r#"{
            "lr": 0.1, "n": 3, "name": "resnet50", "layers": [64, 128], "names": ["a", "b"], "none": null,
            "nested": {"deep": {"x": 1}, "value": 7}, "dotted.key": 5, "dotted": {"key": 6, "other": 8},
            "on": true, "nan": NaN, "inf": Infinity, "numeral": "3", "nulls": [null], "big": 9007199254740993,
            "object": {"a": 1}
        }"#,
    );
    let summary = Value::parse(r#"{"loss": 0.25, "val": {"loss": 0.5}, "val.acc": 0.9}"#);
    let (Ok(Value::Map(config)), Ok(Value::Map(summary))) = (config, summary) else {
        panic!("the fixture is two objects");
    };
    TestRun {
        attributes: [
            (RunAttribute::Name, Value::from("abc123")),
            (RunAttribute::State, Value::from("finished")),
            (RunAttribute::Group, Value::Null),
            (RunAttribute::CreatedAt, Value::from("2024-01-31T12:00:00")),
            (
                RunAttribute::Tags,
                Value::List(vec![Value::from("keep"), Value::from("best")]),
            ),
        ]
        .into(),
        config,
        summary,
        metrics: vec!["loss".to_owned(), "val/loss".to_owned()],
    }
}

#[test]
fn the_table() {
    let run = run();
    for (text, expected) in [
        // Equality, types and lists.
        ("config.lr = 0.1", true),
        ("config.n = 3.0", true),
        ("config.n = \"3\"", false),
        ("config.numeral = 3", false),
        ("config.numeral = \"3\"", true),
        ("config.on = true", true),
        ("config.on = 1", false),
        ("config.layers = 64", true),
        ("config.layers = [64, 128]", true),
        ("config.layers = [128, 64]", false),
        ("config.layers != 64", false),
        ("config.layers != 65", true),
        ("config.object = \"a\"", false),
        ("config.big = 9007199254740993", true),
        ("config.big > 9007199254740992.0", true),
        // Null and missing.
        ("config.none = null", true),
        ("config.missing = null", true),
        ("config.nulls = null", true),
        ("config.lr = null", false),
        ("config.missing != 1", true),
        ("config.missing not in [1, 2]", true),
        ("config.missing not in [null]", false),
        ("config.missing in [1, null]", true),
        ("config.missing > 1", false),
        ("config.missing <= 1", false),
        ("not config.missing > 1", true),
        ("config.missing exists", false),
        ("config.none exists", true),
        ("group exists", false),
        ("group = null", true),
        ("state exists", true),
        // Order.
        ("config.n > 2", true),
        ("config.n >= 3", true),
        ("config.n < 3", false),
        ("config.name > \"resnet\"", true),
        ("config.name > 5", false),
        ("config.name <= 5", false),
        ("config.layers > 100", true),
        ("config.layers > 128", false),
        ("config.on > false", true),
        // Sets.
        ("config.n in [1, 3]", true),
        ("config.n in []", false),
        ("config.n not in []", true),
        ("config.names in [\"z\", \"b\"]", true),
        // Numbers that are not finite are texts.
        ("config.nan = NaN", true),
        ("config.nan != NaN", false),
        ("config.nan > 0", false),
        ("config.inf > 0", false),
        ("config.inf = Infinity", true),
        // Texts.
        ("config.name =~ \"^res.*50$\"", true),
        ("config.name =~ \"net\"", true),
        ("config.name =~ \"^net\"", false),
        ("config.name !~ \"^net\"", true),
        ("config.names =~ \"^b\"", true),
        ("config.n =~ \"3\"", false),
        ("config.name contains \"net\"", true),
        ("config.names contains \"b\"", true),
        ("config.names contains \"\"", false),
        ("config.layers contains 64", true),
        // Paths.
        ("config.nested.deep.x = 1", true),
        ("config.nested.deep exists", true),
        ("config.nested.deep = null", false),
        ("config.dotted.key = 5", true),
        ("config.dotted.key = 6", false),
        ("config.dotted.other = 8", true),
        ("config.layers.0 exists", false),
        ("config.lr.value = 0.1", true),
        ("config.nested.value = 7", false),
        ("config.nested.value exists", true),
        ("config.nested.value.value = 7", true),
        ("config.nested.value.deep.x = 1", true),
        ("config.dotted.key.value = 5", true),
        ("summary.loss < 0.3", true),
        ("summary.val.loss = 0.5", true),
        ("summary.val.acc = 0.9", true),
        ("keys_info.keys.val/loss exists", true),
        ("keys_info.keys.other exists", false),
        // Attributes.
        ("tags has \"keep\"", true),
        ("tags != \"keep\"", false),
        ("tags in [\"x\", \"best\"]", true),
        ("tags not in [\"x\"]", true),
        ("id = \"abc123\"", true),
        ("created_at > 2024-01-31", true),
        ("created_at < 2024-01-31T12:00:00.5Z", true),
        ("created_at = \"2024-01-31T13:00:00+01:00\"", true),
        ("created_at != \"2024-01-31T13:00:00+01:00\"", false),
        ("heartbeat_at > 2024-01-31", false),
        ("all", true),
        ("name in []", false),
    ] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(filter.matches(&run).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_only_the_server_knows_is_not_guessed() {
    let raw = Filter::raw_json(serde_json::json!({"x": 1})).unwrap();
    let artifacts = Filter::parse("input_artifacts = \"a:v0\"").unwrap();
    for filter in [raw, artifacts] {
        assert_eq!(
            Evaluator::new(&filter).unwrap_err().kind(),
            FilterErrorKind::NotEvaluable
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn negation_is_an_opposite(filter in strategies::local_filter(), run in strategies::run()) {
        let holds = filter.matches(&run).unwrap();
        prop_assert_eq!((!filter.clone()).matches(&run).unwrap(), !holds);
        prop_assert_eq!((!!filter).matches(&run).unwrap(), holds);
    }

    #[test]
    fn de_morgan(left in strategies::local_filter(), right in strategies::local_filter(), run in strategies::run()) {
        let both = !(left.clone() & right.clone());
        let split = !left.clone() | !right.clone();
        prop_assert_eq!(both.matches(&run).unwrap(), split.matches(&run).unwrap());
        let any = Filter::none_of([left.clone(), right.clone()]);
        let all = !left & !right;
        prop_assert_eq!(any.matches(&run).unwrap(), all.matches(&run).unwrap());
    }

    #[test]
    fn groups_are_logic(filters in prop::collection::vec(strategies::local_filter(), 0..4), run in strategies::run()) {
        let holds: Vec<bool> = filters.iter().map(|filter| filter.matches(&run).unwrap()).collect();
        let all = Filter::all_of(filters.clone()).matches(&run).unwrap();
        let any = Filter::any_of(filters).matches(&run).unwrap();
        prop_assert_eq!(all, holds.iter().all(|&holds| holds));
        prop_assert_eq!(any, holds.iter().any(|&holds| holds));
    }

    #[test]
    fn every_form_means_the_same(filter in strategies::local_filter(), run in strategies::run()) {
        let holds = filter.matches(&run).unwrap();
        let text = Filter::parse(&filter.to_string()).unwrap();
        let mongo = Filter::from_mongo(&filter.to_mongo()).unwrap();
        prop_assert_eq!(text.matches(&run).unwrap(), holds);
        prop_assert_eq!(mongo.matches(&run).unwrap(), holds);
    }
}
