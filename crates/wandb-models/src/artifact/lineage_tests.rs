//! Lineages against a small world that answers as a server does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value as Json, json};
use wandb_transport::{ScriptedResponse, ScriptedTransport};

use super::*;
use crate::testing::api;

/// A version that the server does not show, and a run whose project it does not show.
const HIDDEN_VERSION: usize = 404;
const HIDDEN_RUN: usize = 403;

/// Which run logged which versions and used which, by number; versions without a run were made by nobody.
#[derive(Debug, Default)]
struct World {
    logged: BTreeMap<usize, Vec<usize>>,
    used: BTreeMap<usize, Vec<usize>>,
}

fn id(version: usize) -> String {
    format!("version-{version}")
}

fn run(number: usize) -> Json {
    let mut run = json!({"id": format!("s{number}"), "name": format!("r{number}"), "displayName": null, "jobType": "train",
        "state": "finished", "createdAt": "2024-05-01T12:34:56Z", "project": {"name": "p", "entityName": "e"}});
    if number == HIDDEN_RUN {
        run["project"] = Json::Null;
    }
    run
}

fn version(number: usize) -> Json {
    if number == HIDDEN_VERSION {
        return Json::Null;
    }
    json!({"id": id(number), "state": "COMMITTED", "digest": "d", "versionIndex": number,
        "artifactType": {"name": "t"},
        "artifactSequence": {"id": "c", "name": "c", "project": {"name": "p", "entityName": "e"}}})
}

fn full(number: usize) -> Json {
    let mut whole = version(number);
    let Json::Object(members) = &mut whole else {
        unreachable!()
    };
    members.extend(
        json!({"digestAlgorithm": null, "commitHash": null, "description": null, "metadata": null, "size": 0,
            "fileCount": 0, "historyStep": null, "ttlDurationSeconds": 0, "ttlIsInherited": true,
            "createdAt": "2024-05-01T12:34:56Z", "updatedAt": null, "tags": [], "aliases": []})
        .as_object()
        .unwrap()
        .clone(),
    );
    whole
}

/// One page of at most `first`, from the cursor on.
fn page(items: &[Json], first: &Json, after: &Json) -> Json {
    let start: usize = after.as_str().map_or(0, |cursor| cursor.parse().unwrap());
    let end = items
        .len()
        .min(start + usize::try_from(first.as_i64().unwrap()).unwrap());
    let edges: Vec<_> = items[start..end]
        .iter()
        .map(|node| json!({"node": node, "usedAs": []}))
        .collect();
    json!({"edges": edges, "totalCount": items.len(),
        "pageInfo": {"hasNextPage": end < items.len(), "endCursor": end.to_string()}})
}

impl World {
    fn users(&self, version: usize) -> Vec<Json> {
        self.used
            .iter()
            .filter(|(_, versions)| versions.contains(&version))
            .map(|(number, _)| run(*number))
            .collect()
    }

    fn around(&self, number: usize, variables: &Json) -> Json {
        let list = |of: &BTreeMap<usize, Vec<usize>>| {
            let versions = of.get(&number).cloned().unwrap_or_default();
            let versions: Vec<_> = versions.into_iter().map(version).collect();
            page(&versions, &variables["perPage"], &Json::Null)
        };
        json!({"name": format!("r{number}"), "inputArtifacts": list(&self.used), "outputArtifacts": list(&self.logged)})
    }

    fn answer(&self, operation: &str, variables: &Json) -> Json {
        match operation {
            "LineageArtifacts" => {
                let mut slots = serde_json::Map::new();
                for slot in 0..wandb_schema::operations::artifact_lineage::LINEAGE_SLOTS {
                    if variables[format!("with{slot}")] == true {
                        let number: usize = variables[format!("id{slot}")].as_str().unwrap()
                            ["version-".len()..]
                            .parse()
                            .unwrap();
                        let maker = self
                            .logged
                            .iter()
                            .find(|(_, versions)| versions.contains(&number));
                        let mut node = version(number);
                        node["createdBy"] = maker.map_or(Json::Null, |(number, _)| {
                            let mut maker = run(*number);
                            maker["__typename"] = "Run".into();
                            maker
                        });
                        node["usedBy"] = page(&self.users(number), &variables["perPage"], &Json::Null);
                        slots.insert(format!("artifact{slot}"), node);
                    }
                }
                Json::Object(slots)
            }
            "LineageRuns" => {
                let filters: Json = serde_json::from_str(variables["filters"].as_str().unwrap()).unwrap();
                let edges: Vec<_> = filters
                    .pointer("/name/$in")
                    .and_then(Json::as_array)
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap()[1..].parse().unwrap())
                    // Run 99 is not visible.
                    .filter(|number| *number != 99)
                    .map(|number| json!({"node": self.around(number, variables)}))
                    .collect();
                json!({"project": {"runs": {"edges": edges}}})
            }
            "ArtifactUsedBy" => {
                let number: usize = variables["id"].as_str().unwrap()["version-".len()..]
                    .parse()
                    .unwrap();
                json!({"artifact": {"usedBy": page(&self.users(number), &variables["perPage"], &variables["cursor"])}})
            }
            "RunOutputArtifacts" => {
                let number: usize = variables["run"].as_str().unwrap()[1..].parse().unwrap();
                let versions: Vec<_> = self.logged[&number].iter().copied().map(full).collect();
                json!({"project": {"run": {"outputArtifacts":
                    page(&versions, &variables["perPage"], &variables["cursor"])}}})
            }
            other => panic!("{other} was not expected"),
        }
    }

    /// A client of this world, and a handle to a version in it.
    async fn version(self, number: usize) -> (Artifact, Arc<Mutex<Vec<String>>>) {
        let script = ScriptedTransport::unordered();
        script
            .graphql("ArtifactByID")
            .respond_data(json!({"artifact": full(number)}));
        let log = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&log);
        script
            .expect()
            .any_number_of_times()
            .respond_with(move |request| {
                let body: Json = serde_json::from_slice(request.body()).unwrap();
                let operation = body["operationName"].as_str().unwrap();
                sent.lock().unwrap().push(operation.to_owned());
                ScriptedResponse::new(200).json(json!({"data": self.answer(operation, &body["variables"])}))
            });
        // An id that is one.
        let artifact = api(&script).artifact("QXJ0aWZhY3Q6MQ==").await.unwrap();
        (artifact, log)
    }
}

fn names(graph: &LineageGraph) -> Vec<&str> {
    let mut names: Vec<_> = graph
        .artifacts
        .iter()
        .map(|artifact| artifact.name.as_str())
        .collect();
    names.sort_unstable();
    names
}

/// 1 -(r1)-> 2 -(r2)-> 3 -(r3)-> 4, and r2 also uses 10 and what it logged itself.
fn chain() -> World {
    World {
        logged: BTreeMap::from([(1, vec![2]), (2, vec![3]), (3, vec![4])]),
        used: BTreeMap::from([(1, vec![1]), (2, vec![2, 10, 3]), (3, vec![3])]),
    }
}

#[tokio::test]
async fn hops_are_counted_in_both_directions_and_cycles_end() {
    let (artifact, _) = chain().version(3).await;
    let one = artifact.lineage().fetch().await.unwrap();
    assert_eq!(names(&one), ["e/p/c:v10", "e/p/c:v2", "e/p/c:v3", "e/p/c:v4"]);
    assert!(!one.is_partial(), "{:?}", one.gaps);
    let edge = |kind, run: &str, version: usize| LineageEdge {
        kind,
        run: format!("e/p/{run}"),
        artifact: id(version),
    };
    use LineageEdgeKind::{Logged, Used};
    assert_eq!(
        one.edges,
        [
            edge(Logged, "r2", 3),
            edge(Logged, "r3", 4),
            edge(Used, "r2", 10),
            edge(Used, "r2", 2),
            edge(Used, "r2", 3),
            edge(Used, "r3", 3),
        ]
    );
    let up = artifact
        .lineage()
        .upstream(9)
        .downstream(0)
        .fetch()
        .await
        .unwrap();
    assert_eq!(names(&up), ["e/p/c:v1", "e/p/c:v10", "e/p/c:v2", "e/p/c:v3"]);
    assert_eq!(up.runs.len(), 2);
    let none = artifact
        .lineage()
        .upstream(0)
        .downstream(0)
        .fetch()
        .await
        .unwrap();
    assert_eq!((none.artifacts.len(), none.requests), (1, 0));
}

#[tokio::test]
async fn a_wide_graph_takes_few_requests_and_lists_are_paged() {
    // Version 0 was used by 230 runs, each of which logged a version; run 500 logged 150.
    let mut world = World::default();
    for number in 1000..1230 {
        world.used.insert(number, vec![0]);
        world.logged.insert(number, vec![number]);
    }
    world.used.insert(500, vec![0]);
    world.logged.insert(500, (2000..2150).collect());
    let (artifact, log) = world.version(0).await;
    let graph = artifact
        .lineage()
        .upstream(0)
        .downstream(1)
        .fetch()
        .await
        .unwrap();
    assert_eq!(graph.runs.len(), 231);
    assert_eq!(graph.artifacts.len(), 1 + 230 + 150);
    assert!(!graph.is_partial());
    let sent = log.lock().unwrap();
    // One for the version, two more pages of users, twelve batches of runs, one more page of versions.
    assert_eq!(sent.len(), 1 + 2 + 12 + 1, "{sent:?}");
    assert_eq!(graph.requests, sent.len() as u64);
}

#[tokio::test]
async fn a_limit_and_what_is_not_visible_are_told() {
    let (artifact, _) = chain().version(3).await;
    let cut = artifact
        .lineage()
        .upstream(5)
        .downstream(5)
        .node_limit(3)
        .fetch()
        .await
        .unwrap();
    assert_eq!(cut.artifacts.len() + cut.runs.len(), 3);
    assert_eq!(cut.gaps, [LineageGap::Limit { nodes: 3 }]);
    let world = World {
        logged: BTreeMap::from([(99, vec![7])]),
        used: BTreeMap::new(),
    };
    let (artifact, _) = world.version(7).await;
    let graph = artifact.lineage().fetch().await.unwrap();
    assert_eq!(
        graph.gaps,
        [LineageGap::Run {
            path: "e/p/r99".into()
        }]
    );
    assert_eq!((graph.runs.len(), graph.artifacts.len()), (1, 1));
}

#[tokio::test]
async fn runs_and_versions_that_are_not_shown_are_counted() {
    // Version 1 was made by a run that cannot be named, and used by it and by run 2; run 2 also used two hidden versions and
    // logged one.
    let world = World {
        logged: BTreeMap::from([(HIDDEN_RUN, vec![1]), (2, vec![3, HIDDEN_VERSION])]),
        used: BTreeMap::from([
            (HIDDEN_RUN, vec![1]),
            (2, vec![HIDDEN_VERSION, 1, HIDDEN_VERSION]),
        ]),
    };
    let (artifact, _) = world.version(1).await;
    let graph = artifact.lineage().fetch().await.unwrap();
    let runs = |kind| LineageGap::HiddenRuns {
        artifact: id(1),
        kind,
        count: 1,
    };
    let versions = LineageGap::HiddenArtifacts {
        run: "e/p/r2".into(),
        kind: LineageEdgeKind::Logged,
        count: 1,
    };
    assert_eq!(
        graph.gaps,
        [
            runs(LineageEdgeKind::Logged),
            runs(LineageEdgeKind::Used),
            versions
        ]
    );
    assert_eq!((graph.runs.len(), graph.artifacts.len()), (1, 2));

    // From what run 2 logged, upwards.
    let world = World {
        logged: BTreeMap::from([(2, vec![3])]),
        used: BTreeMap::from([(2, vec![HIDDEN_VERSION, 1, HIDDEN_VERSION])]),
    };
    let (artifact, _) = world.version(3).await;
    let graph = artifact.lineage().downstream(0).fetch().await.unwrap();
    let gap = LineageGap::HiddenArtifacts {
        run: "e/p/r2".into(),
        kind: LineageEdgeKind::Used,
        count: 2,
    };
    assert_eq!(graph.gaps, [gap]);
    assert_eq!(names(&graph), ["e/p/c:v1", "e/p/c:v3"]);
}
