//! Several hops of lineage in bounded requests.
//!
//! One hop goes from versions over runs to the versions on their other side. A hop asks for [`LINEAGE_SLOTS`] versions a
//! request and then for [`RUNS`] runs of one project a request; lists that are longer than a page are paged. Each version and
//! each run is asked for once a direction, so that a cycle (a run that uses what it logged) ends.

use std::collections::{BTreeMap, HashSet};

use cynic::QueryBuilder;
use wandb_core::{
    Error, Result, filter,
    path::{ProjectPath, RunPath},
};
use wandb_schema::{
    operations::{
        artifact_lineage::{self as wire, LINEAGE_SLOTS},
        artifacts as versions,
    },
    scalars::JsonString,
};

use super::{
    Artifact, ArtifactData, convert,
    lineage_graph::{Growth, LineageArtifact, LineageEdgeKind, LineageGap, LineageGraph, LineageRun},
    run::no_artifacts,
    runs::run_path,
};
use crate::{Api, RunState};

/// How many runs a request asks for.
const RUNS: usize = 20;

/// How long a list inside a request is; the rest is paged.
const PAGE: i32 = 100;

/// How many versions and runs a graph has unless the caller says.
const NODES: usize = 1_000;

/// A request for the lineage of a version. Made by [`Artifact::lineage`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Lineage {
    artifact: Artifact,
    upstream: u32,
    downstream: u32,
    nodes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Artifact {
    /// Where the version came from and what came of it: which runs logged and used it, what those runs used and logged, and
    /// so on. Without a number of hops, one in each direction.
    pub fn lineage(&self) -> Lineage {
        Lineage {
            artifact: self.clone(),
            upstream: 1,
            downstream: 1,
            nodes: NODES,
        }
    }
}

impl Lineage {
    /// How many hops towards what the version was made of; 0 for none. One hop is the run that logged it with the versions
    /// that this run used.
    pub fn upstream(mut self, hops: u32) -> Self {
        self.upstream = hops;
        self
    }

    /// How many hops towards what was made of it; 0 for none. One hop is the runs that used it with the versions that those
    /// runs logged.
    pub fn downstream(mut self, hops: u32) -> Self {
        self.downstream = hops;
        self
    }

    /// How many versions and runs together the graph has at most; 1,000 unless set. When there are more,
    /// [`gaps`](LineageGraph::gaps) says so.
    pub fn node_limit(mut self, nodes: usize) -> Self {
        self.nodes = nodes.max(1);
        self
    }

    /// Fetches the graph.
    ///
    /// # Errors
    /// As any request. What is gone or not visible is no error but a [gap](LineageGap).
    pub async fn fetch(self) -> Result<LineageGraph> {
        let root = of_data(&self.artifact);
        let id = root.id.clone();
        let mut walk = Walk {
            api: &self.artifact.api,
            graph: Growth::new(root, self.nodes),
        };
        for (direction, hops) in [(Direction::Up, self.upstream), (Direction::Down, self.downstream)] {
            walk.go(&id, direction, hops).await?;
        }
        Ok(walk.graph.finish(id))
    }
}

struct Walk<'a> {
    api: &'a Api,
    graph: Growth,
}

impl Walk<'_> {
    async fn go(&mut self, root: &str, direction: Direction, hops: u32) -> Result<()> {
        let mut asked: HashSet<String> = HashSet::from([root.to_owned()]);
        let mut asked_runs: HashSet<RunPath> = HashSet::new();
        let mut frontier = vec![root.to_owned()];
        for _ in 0..hops {
            let mut runs = Vec::new();
            for ids in frontier.chunks(LINEAGE_SLOTS) {
                if self.graph.is_full() {
                    self.graph.cut();
                    break;
                }
                for run in self.runs_of(ids, direction).await? {
                    if asked_runs.insert(run.clone()) {
                        runs.push(run);
                    }
                }
            }
            frontier.clear();
            for id in self.versions_of(&runs, direction).await? {
                if asked.insert(id.clone()) {
                    frontier.push(id);
                }
            }
            if frontier.is_empty() {
                break;
            }
            if self.graph.is_full() {
                self.graph.cut();
                break;
            }
        }
        Ok(())
    }

    /// The runs that logged (up) or used (down) these versions.
    async fn runs_of(&mut self, ids: &[String], direction: Direction) -> Result<Vec<RunPath>> {
        let slots: Vec<&str> = ids.iter().map(String::as_str).collect();
        let operation = wire::LineageArtifacts::build(wire::LineageArtifactsVariables::new(&slots, PAGE));
        self.graph.requests += 1;
        let answer: wire::LineageArtifacts = self
            .api
            .execute(&operation, "read the runs around artifacts")
            .await?;
        let mut found = Vec::new();
        for (id, slot) in ids.iter().zip(answer.into_slots()) {
            let Some(artifact) = slot else {
                self.graph.gap(LineageGap::Artifact { id: id.clone() });
                continue;
            };
            match direction {
                Direction::Up => {
                    if let Some(wire::Initiator::Run(run)) = &artifact.created_by {
                        found.extend(self.add_run(run, LineageEdgeKind::Logged, id)?);
                    }
                }
                Direction::Down => {
                    let mut page = artifact.used_by;
                    loop {
                        for edge in &page.edges {
                            found.extend(self.add_run(&edge.node, LineageEdgeKind::Used, id)?);
                        }
                        match crate::listing::next(page.page_info)? {
                            None => break,
                            Some(_) if self.graph.is_full() => {
                                self.graph.cut();
                                break;
                            }
                            Some(cursor) => page = self.more_users(id, cursor).await?,
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    async fn more_users(&mut self, id: &str, cursor: String) -> Result<wire::LineageRunConnection> {
        let operation = wire::ArtifactUsedBy::build(versions::ArtifactPageVariables {
            id: cynic::Id::new(id),
            cursor: Some(cursor.clone()),
            per_page: PAGE,
        });
        self.graph.requests += 1;
        let description = format!("list the runs that used artifact {id:?}");
        let answer: wire::ArtifactUsedBy = self.api.execute(&operation, &description).await?;
        let page = answer
            .artifact
            .ok_or_else(|| Error::not_found(format!("artifact {id:?}")))?
            .used_by;
        if page.page_info.has_next_page && page.page_info.end_cursor.as_deref() == Some(&cursor) {
            return Err(repeated().in_operation(description));
        }
        Ok(page)
    }

    fn add_run(
        &mut self,
        run: &wire::LineageRun,
        kind: LineageEdgeKind,
        artifact: &str,
    ) -> Result<Option<RunPath>> {
        let Some(path) = run_path(run)? else {
            self.graph.hidden_run(kind, artifact);
            return Ok(None);
        };
        let node = LineageRun {
            path: path.to_string(),
            name: run
                .display_name
                .clone()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| run.name.clone()),
            job_type: run.job_type.clone(),
            state: RunState::from(run.state.as_deref().unwrap_or_default()),
        };
        if !self.graph.run(&path, node) {
            return Ok(None);
        }
        self.graph.edge(kind, &path, artifact);
        Ok(Some(path))
    }

    /// The versions that these runs used (up) or logged (down).
    async fn versions_of(&mut self, runs: &[RunPath], direction: Direction) -> Result<Vec<String>> {
        let mut projects: BTreeMap<&ProjectPath, Vec<&RunPath>> = BTreeMap::new();
        for run in runs {
            projects.entry(run.project_path()).or_default().push(run);
        }
        let mut found = Vec::new();
        for (project, runs) in projects {
            for runs in runs.chunks(RUNS) {
                if self.graph.is_full() {
                    self.graph.cut();
                    return Ok(found);
                }
                self.batch(project, runs, direction, &mut found).await?;
            }
        }
        Ok(found)
    }

    async fn batch(
        &mut self,
        project: &ProjectPath,
        runs: &[&RunPath],
        direction: Direction,
        found: &mut Vec<String>,
    ) -> Result<()> {
        let ids = runs.iter().map(|run| run.run().as_str());
        let operation = wire::LineageRuns::build(wire::LineageRunsVariables {
            entity: Some(project.entity().as_str().to_owned()),
            project: project.project().as_str().to_owned(),
            filters: JsonString(filter::id().is_in(ids).to_mongo_text()),
            runs: RUNS as i32,
            per_page: PAGE,
        });
        self.graph.requests += 1;
        let description = format!("read the artifacts around runs of \"{project}\"");
        let answer: wire::LineageRuns = self.api.execute(&operation, &description).await?;
        let connection = answer.project.and_then(|project| project.runs);
        let mut nodes: Vec<wire::RunWithArtifacts> = connection
            .into_iter()
            .flat_map(|connection| connection.edges)
            .map(|edge| edge.node)
            .collect();
        for run in runs {
            let place = nodes.iter().position(|node| node.name == run.run().as_str());
            let Some(node) = place.map(|place| nodes.swap_remove(place)) else {
                self.graph.gap(LineageGap::Run {
                    path: run.to_string(),
                });
                continue;
            };
            let absent = || no_artifacts().in_operation(description.clone());
            let (kind, list, info): (_, Vec<_>, _) = match direction {
                Direction::Up => {
                    let list = node.input_artifacts.ok_or_else(absent)?;
                    let nodes = list.edges.into_iter().map(|edge| edge.node).collect();
                    (LineageEdgeKind::Used, nodes, list.page_info)
                }
                Direction::Down => {
                    let list = node.output_artifacts.ok_or_else(absent)?;
                    let nodes = list.edges.into_iter().map(|edge| edge.node).collect();
                    (LineageEdgeKind::Logged, nodes, list.page_info)
                }
            };
            let shown = self.shown(run, kind, list);
            for version in shown {
                self.add_version(run, kind, of_wire(version)?, found);
            }
            let mut next = crate::listing::next(info)?;
            while let Some(cursor) = next {
                if self.graph.is_full() {
                    self.graph.cut();
                    break;
                }
                next = self.more_versions(run, kind, cursor, found).await?;
            }
        }
        Ok(())
    }

    async fn more_versions(
        &mut self,
        run: &RunPath,
        kind: LineageEdgeKind,
        cursor: String,
        found: &mut Vec<String>,
    ) -> Result<Option<String>> {
        let variables = versions::RunArtifactsVariables {
            entity: Some(run.entity().as_str().to_owned()),
            project: run.project().as_str().to_owned(),
            run: run.run().as_str().to_owned(),
            cursor: Some(cursor.clone()),
            per_page: PAGE,
        };
        self.graph.requests += 1;
        let description = format!("list the artifacts around run \"{run}\"");
        let gone = || Error::not_found(format!("run \"{run}\"")).in_operation(description.clone());
        let absent = || no_artifacts().in_operation(description.clone());
        let (nodes, info): (Vec<_>, _) = match kind {
            LineageEdgeKind::Used => {
                let operation = versions::RunInputArtifacts::build(variables);
                let answer: versions::RunInputArtifacts = self.api.execute(&operation, &description).await?;
                let run = answer.project.and_then(|project| project.run).ok_or_else(gone)?;
                let list = run.input_artifacts.ok_or_else(absent)?;
                let nodes = list.edges.into_iter().map(|edge| edge.node).collect();
                (nodes, list.page_info)
            }
            LineageEdgeKind::Logged => {
                let operation = versions::RunOutputArtifacts::build(variables);
                let answer: versions::RunOutputArtifacts = self.api.execute(&operation, &description).await?;
                let run = answer.project.and_then(|project| project.run).ok_or_else(gone)?;
                let list = run.output_artifacts.ok_or_else(absent)?;
                let nodes = list.edges.into_iter().map(|edge| edge.node).collect();
                (nodes, list.page_info)
            }
        };
        let shown = self.shown(run, kind, nodes);
        for node in shown {
            let artifact = convert::source(self.api, node)?;
            self.add_version(run, kind, of_data(&artifact), found);
        }
        let next = crate::listing::next(info)?;
        if next.as_deref() == Some(&*cursor) {
            return Err(repeated().in_operation(description));
        }
        Ok(next)
    }

    /// The versions of a list that the server shows; the others are a gap.
    fn shown<N>(&mut self, run: &RunPath, kind: LineageEdgeKind, nodes: Vec<Option<N>>) -> Vec<N> {
        let all = nodes.len();
        let shown: Vec<N> = nodes.into_iter().flatten().collect();
        self.graph.hidden_artifacts(kind, run, (all - shown.len()) as u64);
        shown
    }

    fn add_version(
        &mut self,
        run: &RunPath,
        kind: LineageEdgeKind,
        version: LineageArtifact,
        found: &mut Vec<String>,
    ) {
        let id = version.id.clone();
        if self.graph.artifact(version) {
            self.graph.edge(kind, run, &id);
            found.push(id);
        }
    }
}

fn repeated() -> Error {
    Error::protocol("the server gave the same page cursor twice, so the listing would never end")
}

fn of_data(data: &ArtifactData) -> LineageArtifact {
    LineageArtifact {
        id: data.id.clone(),
        name: data.source_qualified_name(),
        artifact_type: data.artifact_type.clone(),
        digest: data.digest.clone(),
        state: data.state.clone(),
    }
}

fn of_wire(wire: wire::LineageVersion) -> Result<LineageArtifact> {
    let sequence = wire.artifact_sequence;
    let project = sequence
        .project
        .map(|project| format!("{}/{}/", project.entity_name, project.name));
    let version = convert::version(wire.version_index)?;
    let version = version.map(|version| format!(":{version}"));
    Ok(LineageArtifact {
        name: format!(
            "{}{}{}",
            project.unwrap_or_default(),
            sequence.name,
            version.unwrap_or_default()
        ),
        id: wire.id.into_inner(),
        artifact_type: wire.artifact_type.name,
        digest: wire.digest,
        state: wire.state.into(),
    })
}
