//! The split between server and client: no run is lost, none is added.

use proptest::prelude::*;
use serde_json::json;

use crate::{
    filter::{
        Filter, ServerRules, config, created_at, display_name, id, state,
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
            "all",
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
