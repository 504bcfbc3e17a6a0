//! Changes of runs over a script.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use futures_util::TryStreamExt;
use serde_json::json;
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::tests::{CONFIG, features, node, one, patched, plain, read, upserted};
use crate::testing::api;

#[tokio::test]
async fn a_patch_holds_only_what_was_touched() {
    let script = ScriptedTransport::ordered();
    features(&script, &["WB_RUN_PATCH"]);
    let api = api(&script);
    let run = read(&script, &api).await;

    script.graphql("RunRevision").respond_data(one(plain()));
    script
        .graphql("WbPatchRun")
        .when("the changes and no more", |request| {
            let input = &request.variables().unwrap()["input"];
            *input
                == json!({"id": "storage", "configPatch": r#"{"lr":{"value":0.2},"model":{"value":{"depth":4}}}"#,
                    "summaryPatch": r#"{"best":NaN}"#, "removeSummaryKeys": [r#"["acc"]"#], "addTags": ["b"],
                    "removeTags": ["a"], "notes": "n"})
        })
        .respond_data(patched());
    script.graphql("Run").respond_data(one(plain()));
    let edit = run
        .edit()
        .config("lr", 0.2)
        .config_path(["model", "depth"], 4)
        .summary("best", f64::NAN)
        .remove_summary(["acc"])
        .add_tag("b")
        .remove_tag("a")
        .notes("n");
    edit.save().await.unwrap();

    // Attributes alone need no reading before.
    script
        .graphql("WbPatchRun")
        .when("one name", |request| {
            request.variables().unwrap()["input"]
                == json!({"id": "storage", "displayName": "x", "groupName": "g", "jobType": "j"})
        })
        .respond_data(patched());
    script.graphql("Run").respond_data(one(plain()));
    run.edit()
        .display_name("x")
        .group("g")
        .job_type("j")
        .save()
        .await
        .unwrap();

    // Nothing to do.
    run.edit().save().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_sent() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let run = read(&script, &api).await;
    let long = "x".repeat(65);
    for edit in [
        run.edit().config("_wandb", 1),
        run.edit().config_path(["wandb_version"], 1),
        run.edit().config_path(Vec::<String>::new(), 1),
        run.edit().add_tag(""),
        run.edit().add_tag(&*long),
        run.edit().tags(["ok", ""]),
        run.edit().config("a", 1).config_path(["a", "b"], 2),
    ] {
        assert_eq!(edit.save().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    script.finish();
}

#[tokio::test]
async fn a_condition_is_checked_with_the_revision() {
    let script = ScriptedTransport::ordered();
    features(&script, &["WB_RUN_PATCH"]);
    let api = api(&script);
    let run = read(&script, &api).await;

    // Unchanged when looked at, and the revision makes sure.
    script.graphql("RunRevision").respond_data(one(plain()));
    script
        .graphql("WbPatchRun")
        .variables(json!({"input": {"ifUnchangedToken": "7"}}))
        .respond_json(200, json!({"data": null, "errors": [{"message": "the run has changed", "extensions": {"code": "CONFLICT"}}]}));
    let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert!(!error.hints().is_empty());

    // Changed already: nothing is sent.
    for (changed, what) in [
        (
            node(CONFIG, r#"{"acc":0.6}"#, json!(["a"]), json!(null)),
            "summary.acc",
        ),
        (
            node("{}", r#"{"acc":0.5}"#, json!(["a"]), json!(null)),
            "config.lr",
        ),
        (
            node(CONFIG, r#"{"acc":0.5}"#, json!(["a", "b"]), json!(null)),
            "tags",
        ),
        (node(CONFIG, r#"{"acc":0.5}"#, json!(["a"]), json!("x")), "notes"),
    ] {
        script.graphql("RunRevision").respond_data(one(changed));
        let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{what}");
        assert!(error.to_string().contains(what), "{error}");
    }
    script.finish();
}

#[tokio::test]
async fn elsewhere_the_whole_document_goes_and_keeps_what_was_not_touched() {
    let script = ScriptedTransport::ordered();
    features(&script, &[]);
    let api = api(&script);
    let run = read(&script, &api).await;

    // Another writer set `wd` since the run was read: it stays.
    let other = CONFIG.replacen('{', r#"{"wd":{"value":1},"#, 1);
    let after = other.replace("0.1", "0.2");
    script.graphql("RunForUpdate").respond_data(one(node(
        &other,
        r#"{"acc":0.5}"#,
        json!(["a"]),
        json!(null),
    )));
    let expected = after.clone();
    script
        .graphql("UpsertBucket")
        .when("the config and nothing else", move |request| {
            request.variables().unwrap()["input"] == json!({"id": "storage", "config": expected})
        })
        .respond_data(upserted());
    script
        .graphql("Run")
        .respond_data(one(node(&after, r#"{"acc":0.5}"#, json!(["a"]), json!(null))));
    let run = run.edit().config("lr", 0.2).save().await.unwrap();
    assert!(run.raw_config().unwrap().contains("the rate"));
    script.finish();
}

#[tokio::test]
async fn what_others_overwrite_is_written_again_and_not_for_ever() {
    let script = ScriptedTransport::ordered();
    features(&script, &[]);
    let api = api(&script);
    let run = read(&script, &api).await;
    let tagged = node(CONFIG, r#"{"acc":0.5}"#, json!(["a", "b"]), json!(null));
    for after in [plain(), tagged] {
        script.graphql("RunForUpdate").respond_data(one(plain()));
        script
            .graphql("UpsertBucket")
            .variables(json!({"input": {"tags": ["a", "b"]}}))
            .respond_data(upserted());
        script.graphql("Run").respond_data(one(after));
    }
    run.edit().add_tag("b").save().await.unwrap();
    for _ in 0..4 {
        script.graphql("RunForUpdate").respond_data(one(plain()));
        script.graphql("UpsertBucket").respond_data(upserted());
        script.graphql("Run").respond_data(one(plain()));
    }
    assert_eq!(
        run.edit().add_tag("b").save().await.unwrap_err().kind(),
        ErrorKind::Conflict
    );

    // Under a condition, what others wrote in between is told.
    script.graphql("RunForUpdate").respond_data(one(plain()));
    script.graphql("UpsertBucket").respond_data(upserted());
    script
        .graphql("Run")
        .respond_data(one(node(CONFIG, r#"{"acc":0.9}"#, json!(["a"]), json!("n"))));
    let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("summary.acc"), "{error}");
    script.finish();
}

#[tokio::test]
async fn the_summary_is_a_map() {
    let script = ScriptedTransport::ordered();
    features(&script, &["WB_RUN_PATCH"]);
    let api = api(&script);
    let run = read(&script, &api).await;
    let mut summary = run.edit_summary().unwrap();
    assert_eq!(summary.get("acc").unwrap().as_f64(), Some(0.5));
    summary.set("best", 1);
    summary.set_path(["test", "loss"], 0.1).unwrap();
    summary.update([("acc", 9), ("new", 2)], false);
    assert!(summary.set_path(["acc", "x"], 1).is_err());
    summary.remove("gone");
    assert_eq!(summary.get_path("test.loss").unwrap().as_f64(), Some(0.1));
    assert!(summary.has_changes());
    script.graphql("RunRevision").respond_data(one(plain()));
    script
        .graphql("WbPatchRun")
        .when("the touched keys", |request| {
            request.variables().unwrap()["input"]
                == json!({"id": "storage", "summaryPatch": r#"{"best":1,"test":{"loss":0.1},"new":2}"#,
                    "removeSummaryKeys": [r#"["gone"]"#]})
        })
        .respond_data(patched());
    script.graphql("Run").respond_data(one(node(
        CONFIG,
        r#"{"acc":0.7,"best":1}"#,
        json!([]),
        json!(null),
    )));
    summary.commit().await.unwrap();
    assert_eq!(summary.get("acc").unwrap().as_f64(), Some(0.7));
    assert!(!summary.has_changes());
    summary.commit().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn a_run_of_a_partial_listing_cannot_be_compared() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let mut partial = plain();
    partial.as_object_mut().unwrap().remove("summaryMetrics");
    script
        .graphql("Runs")
        .respond_data(json!({"project": {"name": "p", "entityName": "e", "runs":
        {"edges": [{"node": partial}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}));
    let run = api
        .runs("p")
        .select(crate::Selection::attributes().config("lr"))
        .stream()
        .try_next()
        .await
        .unwrap()
        .unwrap();
    let error = run.edit().notes("n").if_unchanged().save().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
    script.finish();
}
