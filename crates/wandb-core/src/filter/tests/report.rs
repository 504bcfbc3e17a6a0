//! Report filters as a form of the filter language.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::filter::{Filter, FilterErrorKind, config, created_at, state, strategies, summary, tags};

fn leaf(section: &str, name: &str, operator: &str, value: impl Into<Json>) -> Json {
    json!({"key": {"section": section, "name": name}, "op": operator, "value": value.into()})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn reading_what_was_printed_gives_the_same_filter(filter in strategies::filter()) {
        match filter.to_report() {
            Ok(report) => {
                let json = report.to_json();
                let reading = Filter::from_report(&json).unwrap();
                prop_assert_eq!(&reading.filter, &filter, "{}", json);
                prop_assert!(reading.ignored.is_empty());
            }
            Err(error) => prop_assert_eq!(error.kind(), FilterErrorKind::NotRepresentable),
        }
    }
}

#[test]
fn reads_trees() {
    let tree = json!({"op": "OR", "filters": [
        {"op": "AND", "filters": [
            leaf("run", "state", "=", json!("finished")),
            leaf("config", "lr.value", ">", json!(0.1)),
            leaf("run", "group", "=", json!("g")),
        ]},
        {"op": "AND", "filters": [leaf("tags", "best", "=", json!(false))]},
    ]});
    let reading = Filter::from_report(&tree).unwrap();
    let no_tag = tags().eq(None::<bool>) | tags().ne("best");
    assert_eq!(
        reading.filter,
        (state().eq("finished") & config("lr").gt(0.1) & crate::filter::group().eq("g")) | no_tag
    );
    assert!(reading.ignored.is_empty());
}

#[test]
fn reads_flat_lists_with_and_before_or() {
    let item = |connector: &str, mut item: Json| {
        item["connector"] = json!(connector);
        item
    };
    let flat = json!({"filterFormat": "filterV2", "filters": [
        leaf("run", "state", "==", json!("finished")),
        item("OR", leaf("summary", "loss", "<", json!(1))),
        item("AND", leaf("config", "lr", ">=", json!(0.1))),
        item("AND", json!({"filters": [
            leaf("run", "tags", "=", json!("a")),
            item("or", leaf("run", "tags", "=", json!("b"))),
        ]})),
    ]});
    assert_eq!(
        Filter::from_report(&flat).unwrap().filter,
        state().eq("finished")
            | (summary("loss").lt(1) & config("lr").gte(0.1) & (tags().has("a") | tags().has("b")))
    );
}

#[test]
fn says_what_it_leaves_out() {
    let mut off = leaf("run", "state", "=", json!("failed"));
    off["disabled"] = json!(true);
    let tree = json!({"op": "OR", "filters": [
        {"op": "AND", "filters": [off]},
        {"op": "AND", "filters": [
            leaf("run", "", "=", json!("x")),
            leaf("config", "lr", ">", json!(null)),
            leaf("summary", "loss", "<", json!(1)),
        ]},
    ]});
    let reading = Filter::from_report(&tree).unwrap();
    // The group that is switched off as a whole is not "everything": it would swallow the other one.
    assert_eq!(reading.filter, summary("loss").lt(1));
    let paths: Vec<&str> = reading
        .ignored
        .iter()
        .map(|ignored| ignored.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "$.filters[0].filters[0]",
            "$.filters[1].filters[0]",
            "$.filters[1].filters[1]"
        ]
    );
    for nothing in [
        json!(null),
        json!({}),
        json!({"op": "OR", "filters": [{"op": "AND", "filters": []}]}),
    ] {
        assert!(
            Filter::from_report(&nothing).unwrap().filter.is_everything(),
            "{nothing}"
        );
    }
}

#[test]
fn within_seconds_needs_the_time() {
    let recent = leaf("run", "createdAt", "WITHINSECONDS", json!(3600));
    assert_eq!(
        Filter::from_report(&recent).unwrap_err().kind(),
        FilterErrorKind::NotRepresentable
    );
    let now = "2024-01-31T12:00:00Z".parse().unwrap();
    assert_eq!(
        Filter::from_report_at(&recent, now).unwrap().filter,
        created_at().gte("2024-01-31T11:00:00Z")
    );
}

#[test]
fn mistakes_name_their_place() {
    for (report, kind, place) in [
        (
            json!({"op": "OR", "filters": [leaf("run", "stat", "=", json!(1))]}),
            FilterErrorKind::UnknownField,
            "$.filters[0]",
        ),
        (
            json!({"op": "OR", "filters": [leaf("rum", "state", "=", json!(1))]}),
            FilterErrorKind::UnknownField,
            "$.filters[0].key.section",
        ),
        (
            leaf("run", "state", "~", json!(1)),
            FilterErrorKind::UnknownOperator,
            "$.op",
        ),
        (
            leaf("run", "createdAt", ">", json!(1)),
            FilterErrorKind::InvalidTime,
            "$",
        ),
        (
            json!({"op": "XOR", "filters": []}),
            FilterErrorKind::UnknownOperator,
            "$.op",
        ),
        (json!([1]), FilterErrorKind::WrongValue, "$"),
    ] {
        let error = Filter::from_report(&report).unwrap_err();
        assert_eq!(error.kind(), kind, "{report}: {error}");
        assert_eq!(error.json_path(), Some(place), "{report}: {error}");
    }
}
