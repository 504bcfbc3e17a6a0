//! The sample reports: one in the form of panel groups, as of 2020, and one of blocks.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::generate::NOTES;
use super::sweep;
use crate::store::StoreResult;
use crate::store::identity::Identity;
use crate::store::projects::ProjectRow;
use crate::store::views::{self, ViewPatch};

/// How many runs are switched on in the first report.
const SELECTED: i64 = 3;

/// A condition of a report's filter.
fn condition(section: &str, name: &str, operator: &str, value: &Value) -> Value {
    json!({ "key": { "section": section, "name": name }, "op": operator, "value": value, "disabled": false })
}

/// The conditions in the one shape that the web interface writes.
fn filters(conditions: &[Value]) -> Value {
    json!({ "op": "OR", "filters": [{ "op": "AND", "filters": conditions }] })
}

fn panel_groups(selected: &[String]) -> Value {
    json!({
        "version": 2,
        "panelGroups": [{
            "name": "The best of each kind",
            "openRunSet": 0,
            "runSets": [{
                "id": "sample-set",
                "name": "Finished runs",
                "enabled": true,
                "runFeed": { "version": 2, "columnVisible": { "run:name": true }, "columnPinned": {} },
                "search": { "query": "" },
                "sort": { "key": { "section": "summary", "name": "val/loss" }, "ascending": true },
                "filters": filters(&[
                    condition("run", "state", "=", &json!("finished")),
                    condition("config", "batch_size", ">=", &json!(64)),
                ]),
                "grouping": [{ "section": "config", "name": "architecture" }],
                "selections": { "root": 0, "bounds": [], "tree": selected },
            }],
            "panels": { "views": { "0": { "name": "Panels", "defaults": [], "config": [{
                "viewType": "Run History Line Plot",
                "config": { "metrics": ["loss", "val/loss"], "xAxis": "_step" },
                "layout": { "x": 0, "y": 0, "w": 12, "h": 6 },
            }] } }, "tabs": ["0"] },
        }],
    })
}

fn blocks(project: &ProjectRow) -> Value {
    let text = |kind: &str, text: &str| json!({ "type": kind, "children": [{ "text": text }] });
    json!({
        "version": 5,
        "panelSettings": {},
        "width": "readable",
        "authors": [],
        "discussionThreads": [],
        "ref": {},
        "blocks": [
            { "type": "heading", "level": 1, "children": [{ "text": "Learning rate and batch size" }] },
            text("paragraph", NOTES),
            { "type": "panel-grid", "children": [{ "text": "" }], "metadata": {
                "openRunSet": 0,
                "runSets": [{
                    "id": "sample-grid",
                    "name": "The sweep",
                    "enabled": true,
                    "project": { "entityName": project.entity_name, "name": project.name },
                    "search": { "query": "" },
                    "sort": { "keys": [{ "key": { "section": "config", "name": "lr" }, "ascending": false }] },
                    "filters": filters(&[condition("run", "sweep", "=", &json!(sweep::NAME))]),
                    "grouping": [],
                    "selections": { "root": 1, "bounds": [], "tree": [] },
                }],
                "panelBankSectionConfig": { "name": "Report panels", "isOpen": true, "type": "grid", "panels": [{
                    "viewType": "Parallel Coordinates Plot",
                    "config": { "columns": [{ "accessor": "c::lr" }, { "accessor": "c::batch_size" }, { "accessor": "summary::val/loss" }] },
                    "layout": { "x": 0, "y": 0, "w": 24, "h": 9 },
                }] },
            } },
            text("paragraph", "The smaller the better."),
        ],
    })
}

/// Writes both reports, in place of earlier ones. Returns how many.
pub(super) fn write(db: &Connection, identity: &Identity, project: &ProjectRow) -> StoreResult<usize> {
    let mut statement = db.prepare_cached(
        "SELECT name FROM runs WHERE project_id = ?1 AND state = 'finished'
         ORDER BY json_extract(summary_query, '$.\"val/loss\"'), id LIMIT ?2",
    )?;
    let selected = statement
        .query_map(params![project.id, SELECTED], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let reports = [
        ("sample-panels", "Which settings work", panel_groups(&selected)),
        ("sample-blocks", "Learning rate and batch size", blocks(project)),
    ];
    for (name, title, spec) in &reports {
        let patch = ViewPatch {
            kind: Some("runs".to_owned()),
            name: Some((*name).to_owned()),
            display_name: Some((*title).to_owned()),
            description: Some(NOTES.to_owned()),
            spec: Some(spec.to_string()),
            created_using: Some("WANDB_SDK"),
            ..ViewPatch::default()
        };
        views::upsert(db, &identity.username, project, &patch)?;
    }
    Ok(reports.len())
}
