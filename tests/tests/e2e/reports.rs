//! Reports are written, listed, read, and their sections give the runs that the app would show.

use std::sync::Arc;

use futures_util::TryStreamExt;
use serde_json::json;
use wandb_api::{ErrorKind, Report, Run, TokioRuntime};
use wandb_tests::{NewRun, TestServer};

#[tokio::test]
async fn a_report_is_written_and_read() {
    let server = TestServer::open();
    for (name, lr) in [("r1", 0.1), ("r2", 0.2), ("r3", 0.3)] {
        server
            .log("p", NewRun::named(name).config([("lr", json!(lr))]))
            .await;
    }
    // Reports are named at random, and in tests chance is always the same.
    let api = server
        .builder(server.transport())
        .runtime(Arc::new(TokioRuntime::default()))
        .build();
    let run_set = json!({
        "name": "Run set",
        "filters": {"op": "OR", "filters": [{"op": "AND", "filters": [
            {"key": {"section": "config", "name": "lr"}, "op": ">", "value": 0.15, "disabled": false}]}]},
        "sort": {"keys": [{"key": {"section": "config", "name": "lr"}, "ascending": false}]},
        "selections": {"root": 1, "bounds": [], "tree": ["r3"]}});
    let spec = json!({"version": 5, "blocks": [{"type": "panel-grid", "metadata": {"runSets": [run_set]}}]});
    let report = api
        .create_report("p", "Losses: a first look")
        .description("d")
        .spec(spec.to_string())
        .unwrap()
        .save()
        .await
        .unwrap();
    assert!(
        report
            .url
            .as_deref()
            .unwrap()
            .contains("/reports/Losses-a-first-look--")
    );
    api.create_report("p", "Another").save().await.unwrap();
    api.create_report("p", "Hidden").draft().save().await.unwrap();

    let reports: Vec<Report> = api
        .reports("p")
        .page_size(1)
        .stream()
        .try_collect()
        .await
        .unwrap();
    let mut titles: Vec<&str> = reports
        .iter()
        .filter_map(|report| report.display_name.as_deref())
        .collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Another", "Losses: a first look"]);
    let found: Vec<Report> = api
        .reports("p")
        .name("Losses: a first look")
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let by_address = api.report(found[0].url.as_deref().unwrap()).await.unwrap();
    assert_eq!(by_address.id, report.id);

    let sections = by_address.sections().unwrap();
    let ids = |runs: Vec<Run>| runs.into_iter().map(|run| run.id.clone()).collect::<Vec<_>>();
    let all = by_address
        .runs(&sections[0], false)
        .unwrap()
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids(all), ["r3", "r2"]);
    let selected = by_address
        .runs(&sections[0], true)
        .unwrap()
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids(selected), ["r2"]);

    let changed = by_address.edit().display_name("New title").save().await.unwrap();
    assert_eq!(changed.display_name.as_deref(), Some("New title"));
    assert_eq!(
        (changed.description.as_deref(), &changed.spec),
        (Some("d"), &by_address.spec)
    );
    // Who read it before that would overwrite it, and does not under a condition; the description of a third stays.
    let late = by_address.edit().display_name("Mine").if_unchanged();
    assert_eq!(late.save().await.unwrap_err().kind(), ErrorKind::Conflict);
    let fresh = changed
        .edit()
        .description("e")
        .if_unchanged()
        .save()
        .await
        .unwrap();
    assert_eq!(
        (fresh.display_name.as_deref(), fresh.description.as_deref()),
        (Some("New title"), Some("e"))
    );
    changed.delete().await.unwrap();
    assert_eq!(changed.reload().await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = api.reports("nowhere").stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
