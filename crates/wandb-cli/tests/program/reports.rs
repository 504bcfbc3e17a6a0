//! Reports as `wb` makes, changes, shows and deletes them.

use serde_json::json;

use crate::support::{User, all, planned, served};
use crate::write::interposed;

#[test]
fn a_report_is_made_and_deleted() {
    let (_server, user) = served();
    user.ok(&["run", "create", "team/p/r1", "--name", "first"]);
    let spec = json!({"version": 5, "blocks": [{"type": "panel-grid", "metadata": {"openRunSet": 1, "runSets": [
            {"name": "none", "filters": {"op": "AND", "filters": [
                {"key": {"section": "config", "name": "lr"}, "op": ">", "value": 5}]}},
            {"name": "all"}]}}]});
    std::fs::write(user.path("spec.json"), spec.to_string()).unwrap();
    let made = user.json(&[
        "report",
        "create",
        "team/p",
        "--title",
        "Weekly",
        "--description",
        "each week",
        "--spec",
        "spec.json",
    ]);
    assert_eq!(
        (&made["display_name"], &made["description"]),
        (&json!("Weekly"), &json!("each week"))
    );
    let address = user.ok(&["report", "create", "team/p", "--title", "Empty"]);
    assert!(address.contains("/reports/"), "{address}");
    assert_eq!(
        user.json(&["report", "list", "team/p"]).as_array().unwrap().len(),
        2
    );
    assert_eq!(
        user.json(&["report", "view", address.trim_end()])["display_name"],
        "Empty"
    );
    let text = user.ok(&["report", "view", "team/p", "--name", "Weekly"]);
    assert!(text.contains("2 run sets"), "{text}");
    let runs = ["report", "runs", "team/p", "--name", "Weekly", "--all"];
    assert_eq!(all(&user.json(&runs), "id"), ["r1"]);
    let first = [&runs[..], &["--run-set", "0"]].concat();
    assert_eq!(user.json(&first), json!([]));
    user.fails(&[&runs[..], &["--run-set", "2"]].concat(), 3, &["run set 2"]);
    assert_eq!(
        user.json(&["report", "sections", "team/p", "--name", "Weekly"]),
        json!([{"index": 0, "name": null, "run_sets": ["none", "all"], "open_run_set": 1}])
    );

    let update = ["report", "update", "team/p", "--name", "Empty"];
    user.fails(&update, 2, &["--title"]);
    let changed = user.json(&[&update[..], &["--description", "now with words"]].concat());
    assert_eq!(
        (&changed["display_name"], &changed["description"]),
        (&json!("Empty"), &json!("now with words"))
    );
    let spec_of = [&update[..], &["--spec", "spec.json", "--if-unchanged"]].concat();
    let changed = user.json(&spec_of);
    assert_eq!(
        (&changed["spec"], &changed["description"]),
        (&spec, &json!("now with words"))
    );

    let delete = ["report", "delete", "team/p", "--name", "Weekly"];
    user.fails(&delete, 2, &["--yes"]);
    let steps = planned(&user, &delete);
    assert_eq!(steps[0][..2], ["delete", "report"]);
    assert!(
        steps.len() == 1 && steps[0][2].starts_with("team/p/reports/Weekly--"),
        "{steps:?}"
    );
    assert_eq!(
        user.json(&["report", "view", &steps[0][2]])["display_name"],
        "Weekly",
        "the name is a path that other verbs take"
    );
    assert_eq!(
        user.json(&["report", "list", "team/p"]).as_array().unwrap().len(),
        2
    );
    user.ok(&[&delete[..], &["--yes"]].concat());
    user.fails(&[&delete[..], &["--yes"]].concat(), 3, &["team/p"]);
    assert_eq!(
        all(&user.json(&["report", "list", "team/p"]), "display_name"),
        ["Empty"]
    );
    std::fs::write(user.path("list.json"), "[1]").unwrap();
    let create = [
        "report",
        "create",
        "team/p",
        "--title",
        "x",
        "--spec",
        "list.json",
    ];
    let finished = user.fails(&create, 2, &["JSON object"]);
    assert_eq!(
        finished.stderr.matches("JSON object").count(),
        1,
        "{}",
        finished.stderr
    );
}

#[test]
fn a_report_that_somebody_else_changed_is_a_conflict() {
    let (server, user) = served();
    user.ok(&["report", "create", "team/p", "--title", "Weekly"]);
    let update = ["report", "update", "team/p", "--name", "Weekly", "--description"];
    let other = User::of(&server);
    // It is read once more right before it is changed, and by then it is another.
    let url = interposed(server.url.clone(), "GetView", move || {
        other.ok(&[&update[..], &["theirs"]].concat());
    });
    let late = User::new()
        .with("WANDB_BASE_URL", &url)
        .with("WANDB_API_KEY", &server.api_key);
    late.fails(
        &[&update[..], &["mine", "--if-unchanged"]].concat(),
        7,
        &["description"],
    );
    let report = user.json(&["report", "view", "team/p", "--name", "Weekly"]);
    assert_eq!(report["description"], "theirs");
}
