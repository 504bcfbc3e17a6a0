//! What a lineage is: versions and runs, and which run logged or used which version.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use wandb_core::path::RunPath;

use super::ArtifactState;
use crate::RunState;

/// A version in a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LineageArtifact {
    /// The opaque id.
    pub id: String,
    /// `entity/project/collection:vN`, where it was logged.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub artifact_type: String,
    /// The digest of its manifest, in hex.
    pub digest: String,
    /// Where it stands.
    pub state: ArtifactState,
}

/// A run in a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LineageRun {
    /// `entity/project/run`.
    pub path: String,
    /// The name that users see; the id when the server has none.
    pub name: String,
    /// The job type.
    pub job_type: Option<String>,
    /// How far it is; empty when the server does not say.
    pub state: RunState,
}

/// Which way an edge goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineageEdgeKind {
    /// The run logged the version.
    Logged,
    /// The run used the version.
    Used,
}

/// A run and a version that it logged or used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct LineageEdge {
    /// Which of the two.
    pub kind: LineageEdgeKind,
    /// The run, as in [`LineageRun::path`].
    pub run: String,
    /// The version, as in [`LineageArtifact::id`].
    pub artifact: String,
}

/// What a lineage lacks, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineageGap {
    /// The limit was reached, so that there may be more versions, runs and edges.
    Limit {
        /// The limit.
        nodes: usize,
    },
    /// A version is gone, or the key may not see it.
    Artifact {
        /// Its id.
        id: String,
    },
    /// A run is not listed in its project: it is gone, or the key may not see it.
    Run {
        /// Its path.
        path: String,
    },
    /// Runs that logged or used a version are in a project that the key may not see: the server tells that they exist, and not
    /// which they are. A server may also leave such runs out without a word, as the embedded one does; then nobody can tell.
    HiddenRuns {
        /// The version.
        artifact: String,
        /// What they did with it.
        kind: LineageEdgeKind,
        /// How many places of the list were empty.
        count: u64,
    },
    /// Versions that a run logged or used are gone, or the key may not see them: the server shows a null in their place.
    HiddenArtifacts {
        /// The path of the run.
        run: String,
        /// What it did with them.
        kind: LineageEdgeKind,
        /// How many places of the list were empty.
        count: u64,
    },
}

/// Versions and runs around a version. Made by [`Lineage::fetch`](super::Lineage::fetch).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LineageGraph {
    /// The id of the version that it is the lineage of.
    pub root: String,
    /// The versions, the root first, in the order in which they were found.
    pub artifacts: Vec<LineageArtifact>,
    /// The runs, in the order in which they were found.
    pub runs: Vec<LineageRun>,
    /// Which run logged or used which version; sorted, each once.
    pub edges: Vec<LineageEdge>,
    /// What is missing within the hops that were asked for.
    pub gaps: Vec<LineageGap>,
    /// How many requests it took.
    pub requests: u64,
}

impl LineageGraph {
    /// Whether something within the hops that were asked for is missing; [`gaps`](Self::gaps) says what.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.gaps.is_empty()
    }
}

/// A graph that grows up to a number of nodes.
#[derive(Debug)]
pub(super) struct Growth {
    limit: usize,
    artifacts: Vec<LineageArtifact>,
    known: HashSet<String>,
    runs: Vec<LineageRun>,
    known_runs: HashMap<RunPath, String>,
    edges: HashSet<LineageEdge>,
    gaps: Vec<LineageGap>,
    pub(super) requests: u64,
}

impl Growth {
    pub(super) fn new(root: LineageArtifact, limit: usize) -> Self {
        Self {
            limit,
            known: HashSet::from([root.id.clone()]),
            artifacts: vec![root],
            runs: Vec::new(),
            known_runs: HashMap::new(),
            edges: HashSet::new(),
            gaps: Vec::new(),
            requests: 0,
        }
    }

    /// Whether nothing more fits, so that nothing more needs to be asked for.
    pub(super) fn is_full(&self) -> bool {
        self.artifacts.len() + self.runs.len() >= self.limit
    }

    pub(super) fn gap(&mut self, gap: LineageGap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Notes a run that is not shown.
    pub(super) fn hidden_run(&mut self, kind: LineageEdgeKind, artifact: &str) {
        let known = self.gaps.iter_mut().find_map(|gap| match gap {
            LineageGap::HiddenRuns {
                artifact: known,
                kind: same,
                count,
            } if known == artifact && *same == kind => Some(count),
            _ => None,
        });
        match known {
            Some(count) => *count += 1,
            None => self.gaps.push(LineageGap::HiddenRuns {
                artifact: artifact.to_owned(),
                kind,
                count: 1,
            }),
        }
    }

    /// Notes versions that are not shown.
    pub(super) fn hidden_artifacts(&mut self, kind: LineageEdgeKind, run: &RunPath, more: u64) {
        if more == 0 {
            return;
        }
        let path = run.to_string();
        let known = self.gaps.iter_mut().find_map(|gap| match gap {
            LineageGap::HiddenArtifacts {
                run: known,
                kind: same,
                count,
            } if *known == path && *same == kind => Some(count),
            _ => None,
        });
        match known {
            Some(count) => *count += more,
            None => self.gaps.push(LineageGap::HiddenArtifacts {
                run: path,
                kind,
                count: more,
            }),
        }
    }

    /// Notes that there is more than fits.
    pub(super) fn cut(&mut self) {
        self.gap(LineageGap::Limit { nodes: self.limit });
    }

    /// Adds a version; whether it is in the graph now.
    pub(super) fn artifact(&mut self, artifact: LineageArtifact) -> bool {
        if self.known.contains(&artifact.id) {
            return true;
        }
        if self.is_full() {
            self.cut();
            return false;
        }
        self.known.insert(artifact.id.clone());
        self.artifacts.push(artifact);
        true
    }

    /// Adds a run; whether it is in the graph now.
    pub(super) fn run(&mut self, path: &RunPath, run: LineageRun) -> bool {
        if self.known_runs.contains_key(path) {
            return true;
        }
        if self.is_full() {
            self.cut();
            return false;
        }
        self.known_runs.insert(path.clone(), run.path.clone());
        self.runs.push(run);
        true
    }

    /// Adds an edge between nodes that are in the graph.
    pub(super) fn edge(&mut self, kind: LineageEdgeKind, run: &RunPath, artifact: &str) {
        self.edges.insert(LineageEdge {
            kind,
            run: run.to_string(),
            artifact: artifact.to_owned(),
        });
    }

    pub(super) fn finish(self, root: String) -> LineageGraph {
        let mut edges: Vec<_> = self.edges.into_iter().collect();
        edges.sort_unstable();
        LineageGraph {
            root,
            artifacts: self.artifacts,
            runs: self.runs,
            edges,
            gaps: self.gaps,
            requests: self.requests,
        }
    }
}
