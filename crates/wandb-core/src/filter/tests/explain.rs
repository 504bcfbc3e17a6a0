//! The split between server and client: no run is lost, none is added.

use proptest::prelude::*;
use serde_json::json;

use crate::{
    filter::{
        Filter, Literal, Node, Predicate, ServerRules, config, created_at, display_name,
        evaluate::field_value,
        id, state,
        strategies::{self, TestRun},
        summary,
    },
    value::{Map, Value},
};

/// The run as the hosted service sees it: config keys with a dot cannot be found, at any level.
fn without_dotted_keys(map: &Map) -> Map {
    map.iter()
        .filter(|(key, _)| !key.contains('.'))
        .map(|(key, value)| {
            let value = match value {
                Value::Map(inner) => Value::Map(without_dotted_keys(inner)),
                other => other.clone(),
            };
            (key.to_owned(), value)
        })
        .collect()
}

/// A server with the three-valued logic of SQL: a comparison with a missing value is neither true nor false, and
/// neither is its negation.
fn in_sql(filter: &Filter, run: &TestRun) -> Option<bool> {
    match filter.node() {
        Node::And(members) => joined(members, run, false),
        Node::Or(members) => joined(members, run, true),
        Node::Not(inner) => in_sql(inner, run).map(|holds| !holds),
        Node::Condition(condition) => {
            let found = field_value(run, &condition.field).is_some_and(|value| !value.is_null());
            let asks_for_null = match &condition.predicate {
                Predicate::Eq(value) | Predicate::Ne(value) => value.is_null(),
                Predicate::In(values) | Predicate::NotIn(values) => values.contains(&Literal::Null),
                Predicate::Exists(_) => true,
                _ => false,
            };
            (found || asks_for_null).then(|| filter.matches(run).unwrap())
        }
        _ => None,
    }
}

/// One `decisive` member decides; without one, an unknown member makes the whole unknown.
fn joined(members: &[Filter], run: &TestRun, decisive: bool) -> Option<bool> {
    let holds: Vec<Option<bool>> = members.iter().map(|member| in_sql(member, run)).collect();
    if holds.contains(&Some(decisive)) {
        Some(decisive)
    } else if holds.contains(&None) {
        None
    } else {
        Some(!decisive)
    }
}

fn rules() -> impl Strategy<Value = ServerRules> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(dotted_config, contains, undocumented_attributes, negation_passes_missing)| ServerRules {
            dotted_config,
            contains,
            undocumented_attributes,
            negation_passes_missing,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn both_parts_together_are_the_filter(filter in strategies::local_filter(), rules in rules(), run in strategies::run()) {
        let explanation = filter.explain_for(&rules);
        let server = explanation.server_part().matches(&run).unwrap();
        let local = explanation.local_evaluator().unwrap().is_none_or(|local| local.matches(&run));
        prop_assert_eq!(server && local, filter.matches(&run).unwrap(), "{}", explanation);
    }

    #[test]
    fn the_hosted_service_loses_no_run(filter in strategies::local_filter(), run in strategies::run()) {
        let explanation = filter.explain();
        if filter.matches(&run).unwrap() {
            let seen = TestRun { config: without_dotted_keys(&run.config), ..run };
            prop_assert!(explanation.server_part().matches(&seen).unwrap(), "{}", explanation);
        }
    }

    #[test]
    fn sql_semantics_lose_no_run(filter in strategies::local_filter(), run in strategies::run()) {
        let explanation = filter.explain();
        if filter.matches(&run).unwrap() {
            let seen = TestRun { config: without_dotted_keys(&run.config), ..run };
            prop_assert_eq!(in_sql(explanation.server_part(), &seen), Some(true), "{}", explanation);
        }
    }

    #[test]
    fn a_server_that_is_trusted_gets_all_of_it(filter in strategies::filter()) {
        let explanation = filter.explain_for(&ServerRules::exact());
        prop_assert!(explanation.is_server_only());
        prop_assert!(explanation.local_evaluator().unwrap().is_none());
    }

    #[test]
    fn what_is_sent_can_be_read(filter in strategies::filter(), rules in rules()) {
        let explanation = filter.explain_for(&rules);
        let sent = explanation.server_part().to_mongo();
        prop_assert_eq!(&Filter::from_mongo(&sent).unwrap(), explanation.server_part());
    }
}

#[test]
fn what_is_sent_and_what_is_left() {
    let dotted = config("optimizer.lr").gt(0.1);
    for (filter, sent, local) in [
        (state().eq("finished"), json!({"state": "finished"}), "all"),
        (
            Filter::parse("config.lr.value > 1").unwrap(),
            json!({"config.lr": {"$gt": 1}}),
            "all",
        ),
        (
            state().eq("finished") & dotted.clone(),
            json!({"state": "finished"}),
            "config.optimizer.lr > 0.1",
        ),
        // One side of an "or" that cannot be sent takes the other with it.
        (
            state().eq("finished") | dotted.clone(),
            json!({}),
            "state = \"finished\" or config.optimizer.lr > 0.1",
        ),
        // not (a or b) is not a and not b, so that one of them can be sent.
        (
            !(state().eq("failed") | dotted) & summary("loss").lt(1),
            json!({"$and": [
                {"$or": [{"state": null}, {"state": {"$ne": "failed"}}]},
                {"summary_metrics.loss": {"$lt": 1}},
            ]}),
            "not (state = \"failed\" or config.optimizer.lr > 0.1)",
        ),
        (
            display_name().contains("a") & created_at().gt("2024-01-31T13:00:00+01:00"),
            json!({"createdAt": {"$gt": "2024-01-31T12:00:00Z"}}),
            "display_name contains \"a\"",
        ),
        (
            !summary("loss").gt(1),
            json!({"$or": [{"summary_metrics.loss": null}, {"$nor": [{"summary_metrics.loss": {"$gt": 1}}]}]}),
            // "or is null" lets a list with a null pass, too, so it is checked again.
            "not summary.loss > 1",
        ),
    ] {
        let explanation = filter.explain();
        assert_eq!(explanation.server_part().to_mongo(), sent, "{filter}");
        assert_eq!(explanation.local_part().to_string(), local, "{filter}");
    }
}

#[test]
fn says_it_in_words() {
    let explanation = (id().eq("x") & config("a.b").eq(1)).explain();
    assert_eq!(
        explanation.to_string(),
        "filter: name = \"x\" and config.a.b = 1\n\
         sent to the server: {\"name\":\"x\"}\n\
         checked locally: config.a.b = 1\n  \
         config.a.b = 1: the server finds no config keys that hold a dot\n\
         note: \"name\" is the run's id; the name that the app shows is \"display_name\""
    );
    let raw = Filter::raw_json(json!({"new": 1})).unwrap();
    let sent = (raw.clone() & config("a.b").eq(1)).explain();
    assert_eq!(sent.server_part(), &raw);
    assert!(sent.local_evaluator().unwrap().is_some());
    // Here the raw part would have to be checked locally, which is said and not guessed.
    assert!((raw | config("a.b").eq(1)).explain().local_evaluator().is_err());
}
