//! Reports over a script.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! stands in the place of arguments"
)]

use futures_util::TryStreamExt;
use serde_json::{Value as Json, json};
use wandb_core::ErrorKind;
use wandb_transport::ScriptedTransport;

use super::*;
use crate::{Run, testing::api};

fn view(id: &str, title: Json, spec: Json) -> Json {
    json!({"id": id, "name": "abc", "displayName": title, "description": "words",
        "user": {"username": "ada", "photoUrl": null, "email": null}, "spec": spec,
        "createdAt": "2024-05-01T12:34:56", "updatedAt": "2024-05-02T12:34:56Z"})
}

fn page(views: Vec<Json>, cursor: Option<&str>) -> Json {
    let edges: Vec<Json> = views.into_iter().map(|view| json!({"node": view})).collect();
    json!({"project": {"name": "p", "entityName": "e", "allViews":
        {"edges": edges, "pageInfo": {"hasNextPage": cursor.is_some(), "endCursor": cursor}}}})
}

async fn list(api: &Api) -> Result<Vec<Report>> {
    api.reports("p").stream().try_collect().await
}

#[tokio::test]
async fn a_report_has_the_official_names() {
    let script = ScriptedTransport::ordered();
    let spec = json!({"panelGroups": []}).to_string();
    script
        .graphql("ProjectViews")
        .variables(json!({"viewType": "runs", "viewName": null, "reportLimit": 50}))
        .respond_data(page(
            vec![view("VmlldzoxMjM=", json!("My  first, report!"), json!(spec))],
            None,
        ));
    let reports = list(&api(&script)).await.unwrap();
    let json = serde_json::to_value(reports[0].data()).unwrap();
    assert_eq!(
        json["url"],
        "https://app.example/e/p/reports/My-first-report--VmlldzoxMjM"
    );
    assert_eq!(json["spec"], json!({"panelGroups": []}));
    for name in [
        "id",
        "name",
        "display_name",
        "description",
        "user",
        "updated_at",
        "created_at",
    ] {
        assert!(!json[name].is_null(), "{name}");
    }
    script.finish();
}

#[tokio::test]
async fn pages_go_on_where_the_server_says() {
    let script = ScriptedTransport::ordered();
    // A page that is not full and has a next one: the official client ends here.
    script
        .graphql("ProjectViews")
        .respond_data(page(vec![view("a", json!("x"), json!(null))], Some("c")));
    script
        .graphql("ProjectViews")
        .variables(json!({"reportCursor": "c"}))
        .respond_data(page(vec![view("b", json!(null), json!(null))], None));
    let reports = list(&api(&script)).await.unwrap();
    assert_eq!(reports.len(), 2);
    assert_eq!((reports[1].url.as_deref(), reports[1].spec.as_str()), (None, ""));
    assert_eq!(reports[1].content().unwrap_err().kind(), ErrorKind::Protocol);
    script.finish();
}

#[tokio::test]
async fn a_section_has_runs() {
    let script = ScriptedTransport::ordered();
    let run_set = json!({
        "filters": {"op": "OR", "filters": [{"op": "AND", "filters":
            [{"key": {"section": "config", "name": "lr"}, "op": "=", "value": 1}]}]},
        "sort": {"keys": [{"key": {"section": "run", "name": "createdAt"}, "ascending": false}]},
        "selections": {"root": 0, "tree": ["r1"]}});
    let spec = json!({"blocks": [{"type": "panel-grid", "metadata": {"runSets": [run_set]}}]}).to_string();
    script
        .graphql("ProjectViews")
        .respond_data(page(vec![view("a", json!("x"), json!(spec))], None));
    let reports = list(&api(&script)).await.unwrap();
    let sections = reports[0].sections().unwrap();
    script
        .graphql("Runs")
        .variables(json!({"project": "p", "entity": "e", "order": "-created_at"}))
        .when("filter and choice", |request| {
            let filters = request.variables().unwrap()["filters"]
                .as_str()
                .unwrap()
                .to_owned();
            filters.contains("config.lr") && filters.contains(r#""$in":["r1"]"#)
        })
        .respond_data(json!({"project": {"name": "p", "entityName": "e", "runs":
            {"edges": [], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}));
    let runs: Vec<Run> = reports[0]
        .runs(&sections[0], true)
        .unwrap()
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert!(runs.is_empty());
    script.finish();
}

#[tokio::test]
async fn a_report_is_written_changed_and_deleted() {
    let script = ScriptedTransport::ordered();
    let placed = |title: &str| {
        let mut view = view("id1", json!(title), json!("{}"));
        view["project"] = json!({"name": "p", "entityName": "e"});
        view
    };
    script
        .graphql("UpsertView")
        .when("a whole new report", |request| {
            let input = &request.variables().unwrap()["input"];
            input["entityName"] == "e"
                && input["projectName"] == "p"
                && input["type"] == "runs"
                && input["displayName"] == "Title"
                && input["createdUsing"] == "WANDB_SDK"
                && input["name"].as_str().is_some_and(|name| name.len() == 12)
                && input.get("id").is_none()
        })
        .respond_data(json!({"upsertView": {"view": placed("Title"), "inserted": true}}));
    let api = api(&script);
    let report = api
        .create_report("p", "Title")
        .spec("{\"blocks\": []}")
        .unwrap()
        .save()
        .await
        .unwrap();
    assert_eq!(
        api.create_report("p", "x").spec("[]").unwrap_err().kind(),
        ErrorKind::InvalidInput
    );

    script
        .graphql("UpsertView")
        .when("only what was touched", |request| {
            request.variables().unwrap()["input"] == json!({"id": "id1", "displayName": "New"})
        })
        .respond_data(json!({"upsertView": {"view": placed("New"), "inserted": false}}));
    let report = report.edit().display_name("New").save().await.unwrap();
    assert_eq!(report.display_name.as_deref(), Some("New"));
    // Nothing to change: nothing is sent.
    report.edit().save().await.unwrap();

    script
        .graphql("DeleteView")
        .respond_data(json!({"deleteView": {"success": true}}));
    report.delete().await.unwrap();
    script
        .graphql("DeleteView")
        .respond_data(json!({"deleteView": {"success": false}}));
    assert_eq!(report.delete().await.unwrap_err().kind(), ErrorKind::NotVisible);
    script.finish();
}

#[tokio::test]
async fn under_a_condition_nothing_of_another_writer_is_overwritten() {
    let script = ScriptedTransport::ordered();
    let placed = |title: &str, updated: &str| {
        let mut view = view("id1", json!(title), json!("{}"));
        view["project"] = json!({"name": "p", "entityName": "e"});
        view["updatedAt"] = json!(updated);
        json!({"view": view})
    };
    let (then, later) = ("2024-05-02T12:34:56Z", "2024-05-02T12:34:57Z");
    script.graphql("GetView").respond_data(placed("Title", then));
    let api = api(&script);
    let report = api.report("e/p/reports/Title--id1").await.unwrap();
    // Another title, or only another time: in both cases nothing is sent.
    for (title, updated, told) in [("Other", then, "display_name"), ("Title", later, "updated_at")] {
        script.graphql("GetView").respond_data(placed(title, updated));
        let edit = report.edit().description("mine").if_unchanged();
        let error = edit.save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains(told), "{error}");
    }
    script.graphql("GetView").respond_data(json!({"view": null}));
    let edit = report.edit().description("mine").if_unchanged();
    assert_eq!(edit.save().await.unwrap_err().kind(), ErrorKind::NotFound);
    // As it was: only what was touched is sent. Without a change nothing is, not even the question.
    script.graphql("GetView").respond_data(placed("Title", then));
    script
        .graphql("UpsertView")
        .when("only what was touched", |request| {
            request.variables().unwrap()["input"] == json!({"id": "id1", "description": "mine"})
        })
        .respond_data(json!({"upsertView": {"view": placed("Title", later)["view"], "inserted": false}}));
    report
        .edit()
        .description("mine")
        .if_unchanged()
        .save()
        .await
        .unwrap();
    report.edit().if_unchanged().save().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn a_report_is_found_by_its_address() {
    let script = ScriptedTransport::ordered();
    script
        .graphql("GetView")
        .variables(json!({"id": "VmlldzoxMjM="}))
        .respond_data(json!({"view": null}));
    script
        .graphql("GetView")
        .variables(json!({"id": "VmlldzoxMjM"}))
        .respond_data(json!({"view": null}));
    let error = api(&script)
        .report("e/p/reports/x--VmlldzoxMjM")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    script.finish();
}

#[tokio::test]
async fn bad_answers_are_typed() {
    let script = ScriptedTransport::ordered();
    let api = api(&script);
    let mut timeless = view("a", json!("x"), json!(null));
    timeless["createdAt"] = json!("soon");
    for (what, data, kind) in [
        ("no project", json!({"project": null}), ErrorKind::NotFound),
        (
            "no views",
            json!({"project": {"name": "p", "entityName": "e", "allViews": null}}),
            ErrorKind::Protocol,
        ),
        ("a null view", page(vec![json!(null)], None), ErrorKind::Protocol),
        ("no time", page(vec![timeless], None), ErrorKind::Protocol),
        (
            "an object for the content",
            page(vec![view("a", json!("x"), json!({}))], None),
            ErrorKind::Protocol,
        ),
    ] {
        script.graphql("ProjectViews").respond_data(data);
        assert_eq!(list(&api).await.expect_err(what).kind(), kind, "{what}");
    }
    // Content of a version that nobody knows yet.
    let newer = json!({"version": 77, "scenes": []}).to_string();
    script
        .graphql("ProjectViews")
        .respond_data(page(vec![view("a", json!("x"), json!(newer))], None));
    let report = list(&api).await.unwrap().remove(0);
    assert_eq!(report.sections().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(report.content().unwrap().raw()["version"], 77);
    script.finish();
}
